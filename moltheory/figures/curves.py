"""Curves of errors against n, and their summaries, shared by several figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from moltheory.plotting import COLORS, band, log_sizes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["ERRORS", "draw_errors", "summarize"]

ERRORS = {
    "purity_error": ("purity error", "purity", "s"),
    "coverage_error": ("coverage error", "coverage", "o"),
    "uniform_deviation": ("largest deviation", "deviation", "^"),
}
_NORMAL_95 = 1.959963984540054
# Rounding of the two sides, not of the statement: both are differences of risks of order one.
_ROUNDING = 1e-12


def draw_errors(ax: Axes, table: pd.DataFrame, *, labels: Mapping[str, str] | None = None) -> Axes:
    """Draw mean errors against n with bands that hold 90 % of the samples.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : pandas.DataFrame
        As `asymmetry` returns it.
    labels : mapping of column to str, optional
        Other names for the legend.

    Returns
    -------
    matplotlib.axes.Axes
    """
    grouped = table.groupby("size")
    sizes = np.array(sorted(table["size"].unique()))
    for column, (label, color, marker) in ERRORS.items():
        low, high = (grouped[column].quantile(level).to_numpy() for level in (0.05, 0.95))
        band(ax, sizes, low, high, color=COLORS[color])
        name = (labels or {}).get(column, label)
        ax.plot(sizes, grouped[column].mean(), marker=marker, color=COLORS[color], label=name)
    ax.set_ylabel("← better     distance in true risks")
    return log_sizes(ax)


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Summarize a simulation per size: means, 95 % normal intervals, violations of the two bounds.

    Replicates that make no claim are counted, and left out of the means.

    Parameters
    ----------
    table : pandas.DataFrame
        As `asymmetry` returns it.

    Returns
    -------
    pandas.DataFrame
        One row per size; ``violations`` counts samples with coverage_error > 2 uniform_deviation, ``above_bound``
        those with coverage_error > bound.
    """
    import pandas as pd

    rows = []
    for size, group in table.groupby("size"):
        claims = group[~group["undefined"]]
        row = {"size": size, "replicates": len(claims), "undefined": int(group["undefined"].sum())}
        for column in ERRORS:
            values = claims[column].to_numpy()
            half = _NORMAL_95 * values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else np.nan
            mean = values.mean() if values.size else np.nan
            row |= {column: mean, f"{column}_low": mean - half, f"{column}_high": mean + half}
        row["violations"] = int((claims["coverage_error"] > 2 * claims["uniform_deviation"] + _ROUNDING).sum())
        row["above_bound"] = int((claims["coverage_error"] > claims["bound"]).sum())
        row["bound"] = claims["bound"].mean()
        row["mean_n_front"] = claims["n_front"].mean()
        row["mean_n_spurious"] = claims["n_spurious"].mean()
        rows.append(row)
    return pd.DataFrame(rows)
