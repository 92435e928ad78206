"""Coverage and purity error against n: of many samples, of their means, or exact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.errors import InvalidInputError
from moltheory.plot._axes import drawing, refused
from moltheory.plot._zeros import with_zeros
from moltheory.plotting import band, colors_of, label_lines, log_sizes, plain_powers
from moltheory.plotting import key as draw_key

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["asymmetry"]

# Column: label, color, marker.
_ERRORS = {
    "purity_error": ("purity error", "purity", "s"),
    "coverage_error": ("coverage error", "coverage", "o"),
    "uniform_deviation": ("largest deviation", "deviation", "^"),
}
_WANTED = "a table of moltheory.experiments.asymmetry or exact_errors"


def asymmetry(
    table: pd.DataFrame,
    *,
    exact: pd.DataFrame | None = None,
    bound: bool = True,
    logarithmic: bool = True,
    labels: Mapping[str, str] | None = None,
    key: bool = True,
    ax: Axes | None = None,
    theme: str | None = None,
) -> Axes:
    r"""Return axes with coverage error, purity error and largest deviation against the number of examples.

    Parameters
    ----------
    table : pandas.DataFrame
        What `moltheory.experiments.asymmetry` returns (means over the samples of each size, with bands from the 5% to the
        95% quantile), what `exact_errors` returns (expectations), or means with columns ``<error>_low`` and
        ``<error>_high`` (marks with intervals).
    exact : pandas.DataFrame, optional
        What `exact_errors` returns: drawn as lines, and `table` as hollow marks with 95% intervals of its means.
    bound : bool, default True
        Draw the bound on the coverage error, where the table has one and it is finite.
    logarithmic : bool, default True
        Errors on a logarithmic axis; those that are zero are named.
    labels : mapping of column to str, optional
        Other labels of the curves.
    key : bool, default True
        Say above the panel what is exact and what is simulated; on new axes also what lines and bands are.
    ax : matplotlib.axes.Axes, optional
        New axes by default. A vertical range that has been set is kept.
    theme : {"light", "dark"}, optional
        Of new axes; see `moltheory.plotting.styled`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidInputError
        If `table` or `exact` is something else.

    Notes
    -----
    Complexity: O(R log R) time for R rows.

    Examples
    --------
    >>> import moltheory as mt
    >>> world = mt.problems.two_coins()
    >>> ax = mt.plot.asymmetry(mt.experiments.exact_errors(world, sizes=[3, 11, 31, 101]))
    >>> [text.get_text() for text in ax.texts]
    ['purity error', 'coverage error:\nexactly 0', 'largest deviation']
    """
    _check("table", table)
    if exact is not None:
        _check("exact", exact)
    with drawing(ax, theme) as drawn:
        _draw(
            drawn, _summary(table), exact, bound, logarithmic, labels or {}, key and (exact is not None or ax is None)
        )
        return drawn


def _draw(
    ax: Axes,
    summary: pd.DataFrame,
    exact: pd.DataFrame | None,
    bound: bool,
    logarithmic: bool,
    labels: Mapping[str, str],
    explain: bool,
) -> None:
    if logarithmic:
        ax.set_yscale("log", nonpositive="mask")
    log_sizes(ax)
    curves: list[Line2D] = []
    zeros = exact is not None and logarithmic and bool((summary[[*_ERRORS]].to_numpy() == 0.0).any())
    # Bands first: shading after a curve of zeros would look for its limits on a logarithmic axis.
    for column in _ERRORS if exact is None else ():
        _band(ax, summary, column, logarithmic)
    for column, (name, _, marker) in _ERRORS.items():
        label = labels.get(column, name)
        if exact is None:
            curves.append(_line(ax, summary, column, label, f"{marker}-", logarithmic))
        else:
            _marks(ax, summary, column)
            curves.append(_line(ax, exact.sort_values("size"), column, label, "-", logarithmic))
    if bound and "bound" in summary and np.isfinite(summary["bound"]).all():
        style: dict[str, Any] = {"color": colors_of(ax)["bound"], "linewidth": 1.5}
        curves += ax.plot(summary["size"], summary["bound"], "--", label="bound on\ncoverage error", **style)
    ax.set_ylabel("← better     distance in true risks")
    _set_ends(ax, logarithmic)
    if exact is not None or f"{next(iter(_ERRORS))}_q05" not in summary:
        for column in _ERRORS:
            _bars(ax, summary, column, logarithmic)
    if explain:
        _explain(ax, exact is not None, f"{next(iter(_ERRORS))}_q05" in summary, zeros)
    label_lines(ax, curves)
    plain_powers(ax)


def _explain(ax: Axes, exact: bool, bands: bool, zeros: bool) -> None:
    """Say what is exact and what is simulated, or what lines and bands are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    tone = colors_of(ax)["bound"]
    line = Line2D([], [], color=tone)
    if not exact:
        if bands:
            area = Patch(color=tone, alpha=0.3, linewidth=0)
            draw_key(ax, [(line, "mean of the samples"), (area, "5% to 95% of them")])
        return
    mark = Line2D([], [], color=tone, marker="o", markerfacecolor="none", linestyle="none", markersize=7)
    entries: list[tuple[Any, str]] = [(line, "exact"), (mark, "simulated, with 95% interval")]
    if zeros:
        entries.append((mark, "on the lower edge: simulated mean 0"))
    draw_key(ax, entries)


def _check(name: str, table: Any) -> None:
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        raise refused(name, table, _WANTED)
    missing = [column for column in ("size", *_ERRORS) if column not in table]
    if not missing and any(isinstance(size, tuple) for size in table["size"]):
        raise InvalidInputError(
            "`table` must have one sample size a row to be drawn over sizes, got tuples with one for each objective: choose "
            'the axis, as by table.assign(size=table["size"].map(min)).'
        )
    if missing or not len(table):
        found = f"none with {', '.join(missing)}" if missing else "one without rows"
        raise InvalidInputError(f"`{name}` must be {_WANTED}, got {found}.")


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per size: means, and the ends of bands or intervals where there are any."""
    import pandas as pd

    if "replicate" not in table:
        return table.sort_values("size")
    claims = table[~table["undefined"]] if "undefined" in table else table
    grouped = claims.groupby("size")
    columns: dict[str, Any] = {"size": list(grouped.groups)}
    for column in _ERRORS:
        columns[column] = grouped[column].mean().to_numpy()
        for end, level in (("q05", 0.05), ("q95", 0.95)):
            columns[f"{column}_{end}"] = grouped[column].quantile(level).to_numpy()
        half = 1.959963984540054 * (grouped[column].std(ddof=1) / np.sqrt(grouped[column].size())).to_numpy()
        columns[f"{column}_low"], columns[f"{column}_high"] = columns[column] - half, columns[column] + half
    if "bound" in table:
        columns["bound"] = grouped["bound"].mean().to_numpy()
    return pd.DataFrame(columns)


def _band(ax: Axes, summary: pd.DataFrame, column: str, logarithmic: bool) -> None:
    """Shade the range from the 5% to the 95% quantile, where that is known."""
    if f"{column}_q05" not in summary:
        return
    mean, low, high = (summary[name].to_numpy(dtype=np.float64) for name in (column, f"{column}_q05", f"{column}_q95"))
    # A logarithmic axis has no zero: there a band begins at the mean.
    low, high = np.where((low > 0) | (not logarithmic), low, mean), np.maximum(high, mean)
    if not logarithmic or (high > 0.0).any():
        band(ax, summary["size"], low, high, color=colors_of(ax)[_ERRORS[column][1]])


def _line(ax: Axes, table: pd.DataFrame, column: str, label: str, style: str, logarithmic: bool) -> Line2D:
    sizes, mean = (table[name].to_numpy(dtype=np.float64) for name in ("size", column))
    # A mean of samples is no proof of 0.
    always = "0 in all samples" if f"{column}_q05" in table else "exactly 0"
    name = with_zeros(label, sizes, mean, always=always) if logarithmic else label
    (line,) = ax.plot(sizes, mean, style, color=colors_of(ax)[_ERRORS[column][1]], label=name)
    return line


def _marks(ax: Axes, summary: pd.DataFrame, column: str) -> None:
    """Draw simulated means as hollow marks."""
    _, color, marker = _ERRORS[column]
    hollow: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 1.4, "markersize": 7}
    label = f"_simulated {column}"
    ax.plot(summary["size"], summary[column], marker, color=colors_of(ax)[color], label=label, zorder=3, **hollow)


def _bars(ax: Axes, summary: pd.DataFrame, column: str, logarithmic: bool) -> None:
    """Draw 95% intervals of means; one that reaches zero ends with an arrow at the bottom of a logarithmic axis."""
    if f"{column}_low" not in summary:
        return
    if logarithmic and f"{column}_q05" in summary:
        _zero_marks(ax, summary, column)
    sizes, mean, low, high = (
        summary[name].to_numpy(dtype=np.float64) for name in ("size", column, f"{column}_low", f"{column}_high")
    )
    tone, bottom = colors_of(ax)[_ERRORS[column][1]], ax.get_ylim()[0]
    kept = np.isfinite(low) & np.isfinite(high) & ((mean > 0) | (not logarithmic))
    beyond = kept & (low < bottom) & logarithmic
    ax.vlines(sizes[kept], np.where(beyond, bottom, low)[kept], high[kept], color=tone, linewidth=1.2, zorder=2.5)
    if beyond.any():
        ax.scatter(
            sizes[beyond], np.full(int(beyond.sum()), bottom), marker=7, color=tone, s=30, clip_on=False, zorder=2.5
        )


def _zero_marks(ax: Axes, summary: pd.DataFrame, column: str) -> None:
    """Draw simulated means of 0 on the lower edge of a logarithmic axis."""
    _, color, marker = _ERRORS[column]
    sizes = summary["size"].to_numpy(dtype=np.float64)[summary[column].to_numpy() == 0.0]
    hollow: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 1.4, "markersize": 7, "clip_on": False}
    label = f"_simulated mean 0, {column}"
    bottom = np.full(sizes.size, ax.get_ylim()[0])
    ax.plot(sizes, bottom, marker, color=colors_of(ax)[color], label=label, zorder=3, linestyle="none", **hollow)


def _set_ends(ax: Axes, logarithmic: bool) -> None:
    """End the vertical axis where the curves do: ends of intervals may lie below."""
    if not ax.get_autoscaley_on():
        return
    drawn = [np.asarray(line.get_ydata(orig=False), dtype=np.float64) for line in ax.lines]
    values = np.concatenate([part[np.isfinite(part)] for part in drawn])
    values = values[values > 0.0] if logarithmic else values
    if not values.size:
        return
    if logarithmic:
        ax.set_ylim(values.min() / 2.0, values.max() * 2.0)
    else:
        ax.set_ylim(
            min(0.0, float(values.min())) - 0.05 * float(values.max() or 1.0), 1.12 * float(values.max() or 1.0)
        )
