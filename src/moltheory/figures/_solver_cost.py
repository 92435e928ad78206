"""What each solver costs and how accurate it is, where the truth is a closed form."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._numbers import number_text
from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.objectives import BlackBoxObjectives, ConvexObjectives, QuadraticObjectives
from moltheory.plotting import axis_labels, colors_of, note, readable_color
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.scalarization import WeightedSum
from moltheory.solvers import Sweep, solve_front

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["SolverCost"]

_N, _D = 300, 4
_POPULATION = 40
# Of one risk of order one: differences below it mean nothing.
_ROUNDING = 1e-16
_STYLES = {"closed form": ("coverage", "o"), "Newton": ("deviation", "^"), "cvxpy (Clarabel)": ("extra", "D")}
_SEARCH = ("purity", "s")
_REPEATS = 3


@dataclass(frozen=True)
class SolverCostResult:
    """Excess and certified gap of each weight and solver, for least squares and logistic losses, and seconds."""

    accuracy: pd.DataFrame
    logistic: pd.DataFrame
    seconds: pd.DataFrame
    weights: int


class SolverCost(Figure[SolverCostResult]):
    """Two least-squares tasks: fronts that solvers return, and their largest excess against seconds."""

    name = "solver_cost"
    title = "What is known of the problem decides: convex solvers are exact, search only comes close"
    n_panels = 2
    chapter = "Bounds"

    def compute(self, settings: Settings) -> SolverCostResult:
        """Solve the same weights by every method; the seconds are the only part that depends on the machine."""
        import pandas as pd

        quick = settings.quick
        share = np.linspace(0.0, 1.0, 11 if quick else 41)
        weights = np.stack([share, 1.0 - share], axis=1)
        quadratic, convex, box, logistic = _problem(block_stream(as_seed_sequence(settings.seed), "solver_cost figure"))
        sums = [WeightedSum(w) for w in weights]
        solvers: dict[str, Callable[[], Sweep]] = {
            "closed form": lambda: solve_front(quadratic, scalarizations=sums, method="closed-form"),
            "Newton": lambda: solve_front(convex, scalarizations=sums, method="newton"),
            "cvxpy (Clarabel)": lambda: solve_front(convex, scalarizations=sums, method="cvxpy"),
        }
        for generations in (10, 40) if quick else (10, 40, 160, 640):
            options = {"population": _POPULATION, "generations": generations}
            solvers[f"NSGA-II, {_POPULATION * generations:,} evaluations"] = _search(box, sums, options, settings.seed)
        rows, seconds = [], []
        for name, solve in solvers.items():
            # The first call also imports and compiles.
            sweep = solve()
            took = []
            for _ in range(1 if quick or name.startswith("NSGA") else _REPEATS):
                start = time.perf_counter()
                solve()
                took.append(time.perf_counter() - start)
            seconds.append({"solver": name, "seconds": min(took)})
            solutions = np.asarray(sweep.solutions, dtype=np.float64)
            excess = _excess(quadratic, weights, solutions)
            rows += [
                {"solver": name, "first_weight": w, "excess": e, "gap": g, "rigorous": bool(r), "risk_1": a, "risk_2": b}
                for w, e, g, r, (a, b) in zip(
                    share.tolist(), excess.tolist(), np.nan_to_num(sweep.gap, nan=np.inf).tolist(), sweep.rigorous,
                    quadratic.risks(solutions).tolist(), strict=True,
                )
            ]  # fmt: skip
        return SolverCostResult(pd.DataFrame(rows), _logistic_gaps(logistic), pd.DataFrame(seconds), len(weights))

    def draw(self, result: SolverCostResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the points that two searches find beside the exact front, and the largest excess against seconds."""
        _draw_fronts(axes[0], result.accuracy)
        _draw_cost(axes[1], result)
        return axes

    def caption(self, result: SolverCostResult) -> str:
        """Quote the seconds of each solver, and how far the longest search is off."""
        seconds = result.seconds.set_index("solver")["seconds"]
        worst = result.accuracy.groupby("solver")["excess"].max()
        longest = seconds.index[-1]
        exact = [name for name in _STYLES if worst[name] <= _ROUNDING]
        times = joined(f"{name} ({_seconds(seconds[name])})" for name in exact)
        return (
            f"Two least-squares tasks, {result.weights} weighted sums, on this machine. Exact up to rounding: "
            f"{times or 'none'}. A search that knows only values of the objectives, {longest}, takes "
            f"{_seconds(seconds[longest])} and is still off by {number_text(worst[longest], 2)} for some weight."
        )

    def details(self, result: SolverCostResult) -> str:
        """Quote seconds, excess and certified gap of each solver, and the gaps of logistic losses."""
        seconds = result.seconds.set_index("solver")["seconds"]
        parts = []
        for name, part in result.accuracy.groupby("solver", sort=False):
            gap = (
                f"certified gap {number_text(part['gap'].max(), 2)}"
                if bool(part["rigorous"].all())
                else "no certified gap"
            )
            worst = part["excess"].max()
            excess = "excess at rounding" if worst <= _ROUNDING else f"excess {number_text(worst, 2)}"
            parts.append(f"{name}: {_seconds(seconds[str(name)])}, {excess}, {gap}")
        certified = result.accuracy[result.accuracy["rigorous"]]
        beyond = int((certified["excess"] > certified["gap"] + _ROUNDING).sum())
        logistic = result.logistic.groupby("solver", sort=False)["gap"].max()
        spread = result.logistic.groupby("first_weight")["value"].agg(lambda values: values.max() - values.min()).max()
        return (
            f"{_D} parameters, {_N} examples per task; the minimiser of every weighted sum is known. Largest values "
            f"over {result.weights} weights: {'; '.join(parts)}. The excess is computed as a quadratic form; below "
            f"10⁻¹⁶, the rounding of one risk, it is shown as at rounding.\n"
            f"The true excess is above the certified gap plus the rounding of one risk for {beyond} of "
            f"{len(certified):,} weights and solvers. Two logistic losses with ridge have no closed form: certified "
            f"gaps, rounding of risks included, of at most "
            f"{joined(f'{number_text(gap, 2)} ({name})' for name, gap in logistic.items())}, and values that differ by "
            f"at most {number_text(spread, 2)}.\n"
            f"Seconds leave imports and first calls out; all other numbers follow from the seed."
        )

    def tables(self, result: SolverCostResult) -> Mapping[str, pd.DataFrame]:
        """Return excess and gap per weight, and the seconds in a table of their own."""
        return {"accuracy": result.accuracy, "logistic": result.logistic, "seconds": result.seconds}


def _problem(
    rng: np.random.Generator,
) -> tuple[QuadraticObjectives, ConvexObjectives, BlackBoxObjectives, ConvexObjectives]:
    """Two tasks on samples of their own, in the forms that the solvers take."""
    x = rng.standard_normal((2, _N, _D))
    targets = np.array([[1.0, 0.5, 0.0, -0.5], [-0.5, 0.0, 1.0, 0.5]])
    y = np.einsum("knd,kd->kn", x, targets) + 0.5 * rng.standard_normal((2, _N))
    quadratic = QuadraticObjectives.from_expansion(
        x.transpose(0, 2, 1) @ x / _N, np.einsum("knd,kn->kd", x, y) / _N, (y**2).mean(axis=1)
    )
    convex = ConvexObjectives(list(x), list(y), losses="squared")
    box = BlackBoxObjectives(quadratic.risks, np.full(_D, -2.0), np.full(_D, 2.0), n_objectives=2)
    # Few examples: a convex program takes its time over logistic losses.
    signs = (y[:, :100] > 0.0).astype(np.float64)
    return quadratic, convex, box, ConvexObjectives(list(x[:, :100]), list(signs), losses="logistic", ridge=0.01)


def _logistic_gaps(objectives: ConvexObjectives) -> pd.DataFrame:
    """Solve a few weights by both methods that take a logistic loss."""
    import pandas as pd

    share = np.linspace(0.0, 1.0, 5)
    sums = [WeightedSum([w, 1.0 - w]) for w in share.tolist()]
    parts = []
    for name, method in (("Newton", "newton"), ("cvxpy (Clarabel)", "cvxpy")):
        sweep = solve_front(objectives, scalarizations=sums, method=method)
        parts.append(
            pd.DataFrame({"solver": name, "first_weight": share, "value": sweep.values, "gap": sweep.certified_gap})
        )
    return pd.concat(parts, ignore_index=True)


def _search(
    box: BlackBoxObjectives, sums: Sequence[WeightedSum], options: Mapping[str, Any], seed: int
) -> Callable[[], Sweep]:
    return lambda: solve_front(box, scalarizations=sums, method="nsga2", rng=seed, options=options)


def _excess(objectives: QuadraticObjectives, weights: FloatArray, solutions: FloatArray) -> FloatArray:
    """Return weighted sums above their minima, as quadratic forms: differences of sums would be lost in rounding."""
    curvature = np.einsum("kn,nij->kij", weights, objectives.curvature)
    best = np.linalg.solve(curvature, np.einsum("kn,ni->ki", weights, objectives.linear)[..., None])[..., 0]
    off = solutions - best
    return np.asarray(np.einsum("ki,kij,kj->k", off, curvature, off))


def _draw_fronts(ax: Axes, accuracy: pd.DataFrame) -> None:
    """Draw the front in closed form as a line, and what the shortest and the longest search return as marks."""
    palette = colors_of(ax)
    names = list(dict.fromkeys(accuracy["solver"]))
    searches = [name for name in names if name not in _STYLES]
    exact = accuracy[accuracy["solver"] == names[0]]
    ax.plot(exact["risk_1"], exact["risk_2"], color=palette["truth"], linewidth=2.5, label="exact")
    for name, marker, face in ((searches[0], "s", "none"), (searches[-1], "s", palette["purity"])):
        part = accuracy[accuracy["solver"] == name]
        label = f"search, {_evaluations(name)} evaluations"
        ax.plot(
            part["risk_1"], part["risk_2"], marker, color=palette["purity"], markersize=5, markerfacecolor=face,
            label=label,
        )  # fmt: skip
    ax.set_title("A long search comes close")
    axis_labels(ax, "risk of task 1", "risk of task 2")
    ax.legend(loc="upper right", handletextpad=0.3, borderaxespad=0.0)


def _draw_cost(ax: Axes, result: SolverCostResult) -> None:
    """Draw the largest excess against seconds; what is below rounding stands on one line."""
    palette = colors_of(ax)
    worst = result.accuracy.groupby("solver", sort=False)["excess"].max()
    seconds = result.seconds.set_index("solver")["seconds"]
    searches = [name for name in seconds.index if name not in _STYLES]
    ax.axhspan(_ROUNDING / 1e4, _ROUNDING, color=palette["bound"], alpha=0.1, linewidth=0)
    ax.axhline(_ROUNDING, color=palette["bound"], linestyle="--", linewidth=1.2)
    placed = []
    for (name, (color, marker)), above in zip(_STYLES.items(), (True, True, True), strict=True):
        x, y = float(seconds[name]), max(float(worst[name]), _ROUNDING)
        ax.plot(x, y, marker, color=palette[color], markersize=9, label=name)
        placed.append((name.replace(" (", "\n("), (x, y), above, "center"))
    color, marker = _SEARCH
    ax.plot(
        seconds[searches], worst[searches], marker + ":", color=palette[color], markersize=8, label="NSGA-II (search)"
    )
    # Open and filled as in the other panel.
    ax.plot(
        seconds[searches[0]], worst[searches[0]], marker, color=palette[color], markersize=8,
        markerfacecolor=ax.get_facecolor(), label="_shortest",
    )  # fmt: skip
    # In turn above and below: the marks stand closer than the texts are wide.
    for k, name in enumerate(searches):
        placed += [(_evaluations(name), (float(seconds[name]), float(worst[name])), k % 2 == 0, "center")]
    ax.annotate(
        "search, by number of evaluations", (0.98, 0.97), xycoords="axes fraction", ha="right", va="top",
        fontsize=10.0, color=readable_color(ax, palette[color]),
    )  # fmt: skip
    note(ax, "no more than rounding", at=(0.03, 0.05), color=palette["bound"])
    for text, point, above, side in placed:
        ax.annotate(
            text,
            point,
            (0, 9 if above else -9),
            textcoords="offset points",
            ha=side,
            va="bottom" if above else "top",
            fontsize=10.0,
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(seconds.min() / 8, 6 * seconds.max())
    ax.set_ylim(_ROUNDING / 1e4, 1e5)
    ax.set_yticks([1.0, 1e-5, 1e-10, _ROUNDING], ["1", "10⁻⁵", "10⁻¹⁰", "10⁻¹⁶"])
    ax.minorticks_off()
    ax.set_xlabel(f"← better     seconds for {result.weights} weights")
    ax.set_ylabel("← better     excess over minimum")
    ax.set_title("Convex solvers are exact")


def _evaluations(name: str) -> str:
    return name.removeprefix("NSGA-II, ").removesuffix(" evaluations")


def _seconds(value: float) -> str:
    """Return a time in words: milliseconds below a second."""
    return f"{value:.2g} s" if value >= 0.995 else f"{float(f'{1000 * value:.2g}'):g} ms"
