"""The same comparison on every real data set, and on one of them treated as a user's own table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._numbers import count_text, interval_text, number_text, percent_text
from moltheory.experiments import asymmetry
from moltheory.figures._curves import fitted_slope, summarize
from moltheory.figures._populations import data_set, never_decided
from moltheory.plotting import colors_of, label_lines, log_sizes
from moltheory.problems import FiniteProblem, from_table
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["DataSets"]

_STYLES = {
    "breast cancer": ("truth", "o", "-"),
    "digits": ("coverage", "s", "--"),
    "wine": ("purity", "^", "-."),
    "diabetes": ("deviation", "D", ":"),
    "diabetes by sex": ("extra", "v", "-"),
}
# Below it the axis is linear, so that it has a zero.
_LINEAR = 1e-4
_OFTEN = 0.05
_SHARE_REPLICATES = 200


@dataclass(frozen=True)
class DataSetsResult:
    """A simulation per data set, and how many spurious models stay at the largest size."""

    simulations: dict[str, pd.DataFrame]
    largest_risks: dict[str, float]
    staying: pd.DataFrame


class DataSets(Figure[DataSetsResult]):
    """Coverage and purity error against n on five real tables."""

    name = "data_sets"
    title = "Four data sets, five problems: coverage error falls, purity error often does not"
    n_panels = 2
    chapter = "On real data"

    def compute(self, settings: Settings) -> DataSetsResult:
        """Simulate each data set; count the models that chance keeps on the empirical front."""
        import pandas as pd

        sizes = [100, 300, 1000, 3000] if settings.quick else [100, 300, 1000, 3000, 10_000, 30_000, 100_000]
        simulations, rows, problems = {}, [], _problems()
        for label, problem in problems.items():
            simulations[label] = asymmetry(
                problem,
                sizes=sizes,
                replicates=60 if settings.quick else 2000,
                rng=settings.seed,
                n_jobs=settings.n_jobs,
                progress=settings.progress,
                store=settings.store_for(self.name, problem.name),
            )
            rows.append({"data_set": label, **_staying(problem, sizes[-1], settings.seed)})
        largest = {label: float(problem.risk_limits.max()) for label, problem in problems.items()}
        return DataSetsResult(simulations, largest, pd.DataFrame(rows))

    def draw(self, result: DataSetsResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw coverage errors, then purity errors."""
        titles = {"coverage_error": "Coverage error falls", "purity_error": "Purity error often does not"}
        for ax, (column, title) in zip(axes, titles.items(), strict=True):
            for label, table in result.simulations.items():
                color, marker, line = _STYLES[label]
                means = table.groupby("size")[column].mean()
                name = label if means.iloc[-1] else f"{label}: 0"
                ax.plot(means.index, means, f"{marker}{line}", color=colors_of(ax)[color], label=name)
            ax.set_yscale("symlog", linthresh=_LINEAR, linscale=0.5)
            ax.set_ylim(-_LINEAR / 4, 0.3)
            _mark_linear(ax)
            ax.set_yticks([0, 1e-4, 1e-3, 1e-2, 1e-1], ["0", "0.0001", "0.001", "0.01", "0.1"])
            ax.minorticks_off()
            ax.set_title(title)
            ax.set_ylabel(f"← better     mean {column.replace('_', ' ')}")
            log_sizes(ax)
            label_lines(ax)
        return axes

    def caption(self, result: DataSetsResult) -> str:
        """Quote the largest errors at the largest size, and why spurious models stay."""
        last = [summary.iloc[-1] for summary in self.summaries(result).values()]
        coverage, purity = (max(row[column] for row in last) for column in ("coverage_error", "purity_error"))
        staying, ties = (int(result.staying[column].sum()) for column in ("staying", "exact_ties"))
        return (
            f"Models trained on one half of each table, samples drawn from the other. At n = "
            f"{count_text(int(last[0]['size']))} the mean coverage error is at most {number_text(coverage, 2)}, the mean "
            f"purity error up to {number_text(purity, 2)}: {staying} models that are not optimal are still selected in "
            f"at least {percent_text(_OFTEN)} of samples, {ties} of them because of exact ties, which no sample size "
            f"resolves."
        )

    def details(self, result: DataSetsResult) -> str:
        """Quote fitted powers of n, violations, and the models that stay by data set."""
        summaries = self.summaries(result)
        total = sum(int(summary["replicates"].sum()) for summary in summaries.values())
        violations = sum(int(summary["violations"].sum()) for summary in summaries.values())
        slopes = {label: fitted_slope(table, "coverage_error") for label, table in result.simulations.items()}
        powers = "; ".join(
            f"{label} {number_text(slope.value, 2)} {interval_text(slope.low, slope.high, 2)}"
            for label, slope in slopes.items()
        )
        reasons = "; ".join(
            f"{row.data_set}: purity error {number_text(summaries[str(row.data_set)]['purity_error'].iloc[-1], 2)}, "
            f"{row.staying} models stay, {row.exact_ties} of them in exact ties"
            for row in result.staying.itertuples()
        )
        return (
            "True risks are exact: those on the whole half from which the samples are drawn. The fifth problem treats the "
            "diabetes data as a user's own table: whether the disease progresses beyond 140, by sex, with sampling "
            "stratified by group. Between 0 and 0.0001 the axis is linear.\n"
            f"In {count_text(total)} samples the coverage error was above twice the largest deviation {violations} "
            f"times.\n"
            f"Powers of n fitted to the mean coverage error (least squares on logarithms over sizes with a positive mean; "
            f"95% intervals from the residuals): {powers}. A finite class ends faster than any power, once n resolves its "
            f"last gap.\n"
            f"At the largest n: {reasons}. In an exact tie every model that dominates has one of the estimated risks in "
            f"common, and chance can decide at any n. All other dominated models lose in the limit, but their gaps can "
            f"ask for more examples than shown."
        )

    def alt(self, result: DataSetsResult) -> str:
        """Describe both panels."""
        ends = "; ".join(
            f"{label} {number_text(summary['coverage_error'].iloc[-1], 2)} and "
            f"{number_text(summary['purity_error'].iloc[-1], 2)}"
            for label, summary in self.summaries(result).items()
        )
        return (
            "Left: the mean coverage error of five problems falls with n. Right: their mean purity error falls less or "
            f"levels off. Coverage and purity error at the largest n: {ends}."
        )

    def summaries(self, result: DataSetsResult) -> Mapping[str, pd.DataFrame]:
        """Return the errors of each data set."""
        return {
            label: summarize(table, largest_risk=result.largest_risks[label])
            for label, table in result.simulations.items()
        }

    def tables(self, result: DataSetsResult) -> Mapping[str, pd.DataFrame]:
        """Return a summary per data set and size, and the models that stay."""
        import pandas as pd

        parts = []
        for label, table in result.simulations.items():
            summary = summarize(table, largest_risk=result.largest_risks[label])
            summary.insert(0, "data_set", label)
            parts.append(summary)
        return {"errors_by_size": pd.concat(parts, ignore_index=True), "staying": result.staying}


def _mark_linear(ax: Axes) -> None:
    """Shade the part of the axis that is not logarithmic."""
    from matplotlib.transforms import blended_transform_factory

    ax.axhspan(-_LINEAR / 4, _LINEAR, color=colors_of(ax)["bound"], alpha=0.12, linewidth=0)
    place = blended_transform_factory(ax.transAxes, ax.transData)
    ax.text(0.02, _LINEAR / 2, "linear scale to 0", transform=place, fontsize=9.0, va="center")


def _problems() -> dict[str, FiniteProblem]:
    problems: dict[str, FiniteProblem] = {
        name.replace("_", " "): data_set(name) for name in ("breast_cancer", "digits", "wine", "diabetes")
    }
    problems["diabetes by sex"] = _own_table()
    return problems


def _own_table() -> FiniteProblem:
    """Treat a bundled data set as a user's table: whether a patient gets worse than the median, by sex."""
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(as_frame=True, scaled=False).frame
    frame["worse"] = (frame.pop("target") > 140).astype(int)
    return from_table(
        frame,
        target="worse",
        group="sex",
        objectives=["error", "demographic_parity_gap", "share_of_features"],
        stratify=True,
        name="own_table",
    )


def _staying(problem: FiniteProblem, size: int, seed: int) -> dict[str, float]:
    """Count non-optimal models that are often on the empirical front, and those in an exact tie."""
    from moltheory.pareto import errors_of_selections, nondominated

    rng = block_stream(as_seed_sequence(seed), f"staying {problem.name}", size)
    selected = nondominated(problem.sample(size, replicates=_SHARE_REPLICATES, rng=rng).risks())
    truth = problem.true.risks()
    often = (selected.mean(axis=0) >= _OFTEN) & ~nondominated(truth)
    undecidable = never_decided(truth, problem.true.data_dependent)
    return {
        "size": size,
        "models": len(truth),
        "truly_optimal": int(nondominated(truth).sum()),
        "purity_error": float(errors_of_selections(truth, selected)[1].mean()),
        "staying": int(often.sum()),
        "exact_ties": int((often & undecidable).sum()),
    }
