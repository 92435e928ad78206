"""The assumptions that several statements share."""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Scalarization
from moltheory.theorems._columns import TIE, TOLERANCE, realized_widths, scale_of
from moltheory.theorems._statement import Assumption

__all__ = [
    "EVENT",
    "FINITE",
    "HAS_WIDTH",
    "MODULUS",
    "MONOTONE",
    "NONNEGATIVE",
    "POSITIVE_WEIGHTS",
]


def _event(true: FloatArray, empirical: FloatArray, widths: FloatArray) -> Any:
    # Widths that were computed in another order of operations may differ in the last bit.
    slack = TIE * scale_of(true, empirical)
    return (realized_widths(true, empirical) <= widths + slack).all(axis=-1)


def _has_width(scalarization: Scalarization) -> bool:
    try:
        scalarization.width(np.zeros(scalarization.n_objectives))
    except InvalidInputError:
        return False
    return True


EVENT = Assumption(
    "event E: |L_i(h) - Lhat_i(h)| <= C_i for all h and i", "widths", ("true", "empirical", "widths"), _event
)
FINITE = Assumption(
    "H is finite, one row of finite risks per hypothesis",
    "true",
    ("true",),
    lambda true: isinstance(true, np.ndarray | list | tuple) and bool(np.isfinite(np.asarray(true)).all()),
)
HAS_WIDTH = Assumption(
    "U is monotone and subadditive, or otherwise has a width",
    "scalarization",
    ("scalarization",),
    _has_width,
)
MONOTONE = Assumption(
    "U is monotone", "scalarization", ("scalarization",), lambda scalarization: scalarization.is_monotone
)
MODULUS = Assumption(
    "U is strongly monotone: modulus mu > 0",
    "scalarization",
    ("scalarization",),
    lambda scalarization: scalarization.modulus > 0.0,
)
NONNEGATIVE = Assumption(
    "true and empirical risks are >= 0",
    "true",
    ("true", "empirical"),
    lambda true, empirical: (true.min(axis=(-2, -1)) >= 0.0) & (empirical.min(axis=(-2, -1)) >= -TOLERANCE),
)
POSITIVE_WEIGHTS = Assumption(
    "all weights are > 0", "weights", ("weights",), lambda weights: bool((np.asarray(weights, dtype=float) > 0.0).all())
)
