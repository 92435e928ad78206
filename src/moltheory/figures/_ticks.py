"""Ticks that read as words do: 1,000 and not 10³, on axes of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["grouped_thousands", "plain_sizes"]


def grouped_thousands(ax: Axes) -> Axes:
    """Write the numbers of the vertical axis with commas between thousands."""
    from matplotlib.ticker import StrMethodFormatter

    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return ax


def plain_sizes(ax: Axes, ticks: npt.ArrayLike) -> Axes:
    """Make the horizontal axis logarithmic, with ticks at some counts only, written in full."""
    ax.set_xscale("log")
    ax.minorticks_off()
    shown = np.asarray(ticks, dtype=np.float64)
    ax.set_xticks(shown.tolist(), [f"{tick:,.0f}" for tick in shown.tolist()])
    return ax
