"""Labels of a logarithmic axis of sample sizes, two or more also where it spans less than a decade."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import LogFormatterSciNotation

__all__ = ["SizeTicks"]

# Leading digits between powers of ten that get a label, tried in this order.
_DIGITS = ((2, 5), (2, 3, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9))


class SizeTicks(LogFormatterSciNotation):
    """Powers of ten, as 10²; where fewer than two are in view, plain numbers, some of them between powers."""

    def __init__(self, *, minor: bool = False) -> None:
        super().__init__()
        self._minor = minor
        self._shown: frozenset[float] = frozenset()

    def set_locs(self, locs: Any = None) -> None:
        """Choose the labels between powers of ten among the places of ticks."""
        super().set_locs(locs)
        low, high = self._view()
        self._shown = frozenset()
        inside = [float(x) for x in ([] if locs is None else locs) if low <= x <= high]
        powers = self._powers()
        if not self._minor or powers >= 2:
            return
        for digits in _DIGITS:
            chosen = [x for x in inside if _leading(x) in digits]
            if len(chosen) + powers >= 2:
                break
        else:
            chosen = inside
        self._shown = frozenset(chosen)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick."""
        if self._powers() >= 2:
            return "" if self._minor else str(super().__call__(x, pos))
        return f"{x:,.10g}" if not self._minor or float(x) in self._shown else ""

    def _view(self) -> tuple[float, float]:
        low, high = sorted(float(x) for x in self.axis.get_view_interval())  # type: ignore[union-attr]
        return low * (1.0 - 1e-9), high * (1.0 + 1e-9)

    def _powers(self) -> int:
        """Return how many powers of ten are in view."""
        low, high = self._view()
        return int(np.floor(np.log10(high)) - np.ceil(np.log10(low))) + 1 if low > 0.0 else 2


def _leading(x: float) -> float:
    """Return x between 1 and 10, times a power of ten."""
    return round(float(x / 10.0 ** np.floor(np.log10(x) + 1e-12)), 6)
