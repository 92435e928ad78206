"""What the study returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._html_repr import Shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from moltheory._core._validation import FloatArray
    from moltheory.certification import Certificate
    from moltheory.studies.unconstrained_features._trade_off import MissedPart

__all__ = ["UnconstrainedResult"]


@dataclass(frozen=True, repr=False)
class UnconstrainedResult(Shown):
    """Everything the study found.

    Tables are those of `training_sweep`, `network_objectives`, `reach_of_front` and `budget_sweep`, whose factor is
    `budget_factor`. At the depth shown, `front` is the collapsed front, `supported` which of its points are, `missed` the
    rest in closed form, and `separated` the front of networks whose classes may have different scales, with its gain in
    fit.

    `exact` is the table of `explicit_optima`, `widths` that of `width_sweep` and `shares` of `success_shares`. Networks
    for the two `classes` of the images `data` are in `networks` (`network_sweep`), with a `certificate` of the rows
    `certified` on `n_test` test images.
    """

    depths: tuple[int, ...]
    depth: int
    sweep: pd.DataFrame
    objectives: pd.DataFrame
    reach: pd.DataFrame
    budgets: pd.DataFrame
    budget_factor: float
    front: FloatArray
    supported: npt.NDArray[np.bool_]
    missed: MissedPart
    separated: FloatArray
    separated_gain: FloatArray
    exact: pd.DataFrame
    widths: pd.DataFrame
    shares: pd.DataFrame
    data: str
    classes: tuple[int, int]
    networks: pd.DataFrame
    certificate: Certificate
    certified: npt.NDArray[np.int64]
    n_test: int
