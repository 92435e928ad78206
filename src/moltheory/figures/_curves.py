"""Curves of errors against n, and their summaries, shared by several figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ERRORS", "Slope", "fitted_slope", "overview_table", "summarize"]

ERRORS = {
    "purity_error": ("purity error", "purity", "s"),
    "coverage_error": ("coverage error", "coverage", "o"),
    "uniform_deviation": ("largest deviation", "deviation", "^"),
}
_NORMAL_95 = 1.959963984540054
# Rounding of the two sides, not of the statement: both are differences of risks of order one.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Slope:
    """A power of n fitted to mean errors, with a 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write the slope with its interval."""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def fitted_slope(table: pd.DataFrame, column: str, *, largest: float = math.inf) -> Slope:
    """Fit log(mean error) = a + slope log(n) by ordinary least squares over the sizes.

    Parameters
    ----------
    table : pandas.DataFrame
        As `asymmetry` returns it, with claims at three sizes or more.
    column : str
        Which error.
    largest : float, optional
        Leave larger sizes out: for a finite class errors end faster than any power of n.

    Returns
    -------
    Slope
        Its 95 % interval is Student's, from the residuals, so it also covers curvature; sizes whose mean error is
        zero are left out; NaN where fewer than three remain.
    """
    from scipy.stats import t

    means = table[~table["undefined"]].groupby("size")[column].mean()
    means = means[(means > 0) & (means.index <= largest)]
    if len(means) < 3:
        return Slope(math.nan, math.nan, math.nan)
    x = np.log(means.index.to_numpy(dtype=np.float64))
    x -= x.mean()
    y = np.log(means.to_numpy())
    value = float(x @ y / (x @ x))
    residual = y - y.mean() - value * x
    half = float(t.ppf(0.975, len(means) - 2) * math.sqrt(residual @ residual / (len(means) - 2) / (x @ x)))
    return Slope(value, value - half, value + half)


def summarize(table: pd.DataFrame, *, largest_risk: float = math.inf) -> pd.DataFrame:
    """Summarize a simulation per size: means, 95 % normal intervals, violations of the two bounds.

    Replicates that make no claim are counted, and left out of the means.

    Parameters
    ----------
    table : pandas.DataFrame
        As `asymmetry` returns it.
    largest_risk : float, optional
        Largest possible risk of the problem: a bound of at least that is ``vacuous``.

    Returns
    -------
    pandas.DataFrame
        One row per size; ``violations`` counts samples with coverage_error > 2 uniform_deviation +
        discretization, ``above_bound`` those with coverage_error > bound.
    """
    import pandas as pd

    rows = []
    for size, group in table.groupby("size"):
        claims = group[~group["undefined"]]
        row: dict[str, Any] = {"size": size, "replicates": len(claims), "undefined": int(group["undefined"].sum())}
        for column in ERRORS:
            values = claims[column].to_numpy()
            half = _NORMAL_95 * values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else np.nan
            mean = values.mean() if values.size else np.nan
            row |= {column: mean, f"{column}_low": mean - half, f"{column}_high": mean + half}
        allowed = 2 * claims["uniform_deviation"] + claims["discretization"] + _ROUNDING
        row["violations"] = int((claims["coverage_error"] > allowed).sum())
        row["above_bound"] = int((claims["coverage_error"] > claims["bound"]).sum())
        row["bound"] = claims["bound"].mean()
        row["vacuous"] = bool(row["bound"] >= largest_risk)
        row["discretization"] = claims["discretization"].mean()
        row["mean_n_front"] = claims["n_front"].mean()
        row["mean_n_spurious"] = claims["n_spurious"].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def overview_table(summaries: Mapping[str, pd.DataFrame], *, target: float = 0.01) -> pd.DataFrame:
    """Return for each problem from which n on the coverage error is small, with the purity error and the bound there.

    Parameters
    ----------
    summaries : mapping of problem to DataFrame
        As `summarize` returns them.
    target : float, default 0.01
        What counts as small.

    Returns
    -------
    pandas.DataFrame
        ``problem``; ``n``, the first simulated size from which the mean coverage error stays below the target (NaN if
        none); ``purity_error`` and ``bound`` (on coverage error) there, infinite where none exists, and whether it is
        ``vacuous``;
        ``samples`` and ``violations`` of coverage_error <= 2 uniform_deviation + discretization over all sizes.
    """
    import pandas as pd

    rows = []
    for problem, summary in summaries.items():
        ordered = summary.sort_values("size")
        small = (ordered["coverage_error"] < target).to_numpy()
        stays = np.logical_and.accumulate(small[::-1])[::-1]
        row = ordered.iloc[int(np.argmax(stays))] if stays.any() else None
        rows.append(
            {
                "problem": problem,
                "n": math.nan if row is None else row["size"],
                "purity_error": math.nan if row is None else row["purity_error"],
                "bound": math.nan if row is None else row["bound"],
                "vacuous": row is not None and bool(row["vacuous"]),
                "samples": int(ordered["replicates"].sum()),
                "violations": int(ordered["violations"].sum()),
            }
        )
    return pd.DataFrame(rows)
