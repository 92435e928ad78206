"""What each solver costs and how accurate it is, where the truth is a closed form."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.objectives import BlackBoxObjectives, ConvexObjectives, QuadraticObjectives
from moltheory.plotting import COLORS, note
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
_FLOOR = 1e-36
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
    """Two least-squares tasks: largest excess against seconds. Two logistic losses: certified gap of each weight."""

    name = "solver_cost"
    title = "What is known of the problem decides: closed form, Newton, convex program, search"
    n_panels = 2

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
            excess = _excess(quadratic, weights, np.asarray(sweep.solutions, dtype=np.float64))
            rows += [
                {"solver": name, "first_weight": w, "excess": e, "gap": g, "rigorous": bool(r)}
                for w, e, g, r in zip(
                    share.tolist(), excess.tolist(), np.nan_to_num(sweep.gap, nan=np.inf).tolist(), sweep.rigorous,
                    strict=True,
                )
            ]  # fmt: skip
        return SolverCostResult(pd.DataFrame(rows), _logistic_gaps(logistic), pd.DataFrame(seconds), len(weights))

    def draw(self, result: SolverCostResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the largest excess against seconds, and the certified gap against the excess."""
        first, second = axes
        worst = result.accuracy.groupby("solver")["excess"].max()
        seconds = result.seconds.set_index("solver")["seconds"]
        searches = [name for name in seconds.index if name not in _STYLES]
        for name, (color, marker) in _STYLES.items():
            first.plot(seconds[name], max(worst[name], _FLOOR), marker, color=COLORS[color], markersize=9, label=name)
        first.plot(
            seconds[searches], worst[searches], _SEARCH[1] + ":", color=COLORS[_SEARCH[0]], markersize=9,
            label="NSGA-II, by evaluations",
        )  # fmt: skip
        for name in searches:
            count = name.removeprefix("NSGA-II, ").removesuffix(" evaluations")
            first.annotate(count, (seconds[name], worst[name]), (0, 9), textcoords="offset points", ha="center")
        first.set_xlabel(f"← better     seconds, {result.weights} weights, this machine")
        first.set_ylabel("← better     largest true excess")
        first.set_title("Two squared losses")
        first.legend(loc="upper left")
        first.set_xscale("log")
        for name in ("Newton", "cvxpy (Clarabel)"):
            color, marker = _STYLES[name]
            part = result.logistic[result.logistic["solver"] == name]
            gap = np.maximum(part["gap"], _FLOOR)
            second.plot(part["first_weight"], gap, f"{marker}-", color=COLORS[color], label=name)
        second.set_xlabel("weight of the first loss")
        second.set_ylabel("← better     certified gap")
        second.set_title("Two logistic losses, with ridge")
        second.legend(loc="upper right")
        # Gaps cover the rounding of risks, so that they end a little above it.
        for ax, limits, height in ((first, (_FLOOR / 30, 1e8), 0.49), (second, (_ROUNDING / 10, 1e-9), 0.03)):
            ax.set_yscale("log")
            ax.set_ylim(*limits)
            ax.axhline(_ROUNDING, color=COLORS["bound"], linestyle="--", linewidth=1.2)
            note(ax, "rounding of one risk", at=(0.98, height), color=COLORS["bound"], ha="right")
        return axes

    def caption(self, result: SolverCostResult) -> str:
        """Quote seconds, excess and gap of each solver."""
        seconds = result.seconds.set_index("solver")["seconds"]
        groups = result.accuracy.groupby("solver", sort=False)
        parts = []
        for name, part in groups:
            gap = f"certified gap {part['gap'].max():.1e}" if bool(part["rigorous"].all()) else "no certificate"
            parts.append(f"{name} {seconds[name]:.2g} s, excess {part['excess'].max():.1e}, {gap}")
        certified = result.accuracy[result.accuracy["rigorous"]]
        beyond = int((certified["excess"] > certified["gap"] + _ROUNDING).sum())
        logistic = result.logistic.groupby("solver", sort=False)["gap"].max()
        spread = result.logistic.groupby("first_weight")["value"].agg(lambda values: values.max() - values.min()).max()
        return (
            f"First panel: least squares for two tasks in {_D} parameters on {_N} examples each, where the minimiser "
            f"of every weighted sum is known; largest values over {result.weights} weights: {'; '.join(parts)}. The "
            f"true excess is above the certified gap plus {_ROUNDING:g}, the rounding of one risk, for {beyond} of "
            f"{len(certified):,} weights and solvers. Second panel: two logistic losses with ridge, which have no "
            f"closed form: certified gaps, rounding of risks included, of at most "
            f"{joined(f'{gap:.1e} ({name})' for name, gap in logistic.items())}, and values that differ by at most "
            f"{spread:.1e}. A search that knows values only needs many evaluations for a few digits. Seconds are "
            f"those of the machine that made this report, imports and first calls left out; all other numbers follow "
            f"from the seed."
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
