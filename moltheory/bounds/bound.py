"""The result type of the bounds: widths with their level, method, source and assumptions."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray, frozen

__all__ = ["Bound"]


@dataclass(frozen=True, eq=False)
class Bound:
    """Widths C with P(all hypotheses, all i: |true risk i - empirical risk i| <= C_i) >= 1 - delta.

    Attributes
    ----------
    width : (..., N) ndarray
        One half-width per objective, >= 0; 0 for data-independent objectives; inf where there is no example.
    loss_range : (N,) ndarray
        Length of each objective's range of losses; a width of at least that says nothing.
    delta : float
        Total failure probability.
    method, source : str
        What was computed and where it is from.
    assumptions : tuple of str

    Examples
    --------
    >>> from moltheory.bounds import finite_class
    >>> bound = finite_class(1000, n_hypotheses=100, delta=0.05)
    >>> float(bound), bool(bound.vacuous.any())
    (0.0643..., False)
    """

    width: FloatArray
    loss_range: FloatArray
    delta: float
    method: str
    source: str
    assumptions: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", frozen(np.asarray(self.width, dtype=np.float64)))
        object.__setattr__(self, "loss_range", frozen(np.asarray(self.loss_range, dtype=np.float64)))

    @property
    def vacuous(self) -> npt.NDArray[np.bool_]:
        """Whether each width is no better than the trivial bound, the range of the loss, (..., N)."""
        return (self.width > 0) & (self.width >= self.loss_range)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Return the widths, so that a bound can stand where an array is expected."""
        return np.array(self.width, dtype=dtype)

    def __float__(self) -> float:
        """Return the only width; refused if there are several."""
        return float(self.width.item())

    def __repr__(self) -> str:
        """Widths, level, method; a vacuous bound says so."""
        widths = np.array2string(self.width, precision=6, separator=", ", threshold=8)
        note = ", VACUOUS" if self.vacuous.any() else ""
        return f"Bound(width={widths}, delta={self.delta:g}, method={self.method!r}{note})"

    def to_json(self) -> str:
        """Return the bound as JSON; `from_json` restores it exactly."""
        content = asdict(self) | {"width": self.width.tolist(), "loss_range": self.loss_range.tolist()}
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> Bound:
        """Restore a bound written by `to_json`."""
        content = json.loads(text)
        return cls(**content | {"assumptions": tuple(content["assumptions"])})
