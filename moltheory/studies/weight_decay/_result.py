"""What the study of weight decay found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._html_repr import Shown

if TYPE_CHECKING:
    import pandas as pd

    from moltheory._core._validation import FloatArray
    from moltheory.certification import Certificate

__all__ = ["DecaySweep", "WeightDecayResult"]


@dataclass(frozen=True)
class DecaySweep:
    """All networks of a sweep, M in number, with their 0/1 test losses (797, M).

    `networks` has one row per network at the end of training: ``linear`` (number of linear layers), ``decay``,
    ``seed``, ``time`` (steps times rate over 1 - momentum), the columns of `measured`, ``test_error``. `iterates` has
    one row per logged iterate, with ``step`` and, in ``network``, the row of `networks`.
    """

    networks: pd.DataFrame
    iterates: pd.DataFrame
    test_losses: FloatArray


@dataclass(frozen=True, repr=False)
class WeightDecayResult(Shown):
    """Everything the study found.

    `shown` is the decay whose training is drawn, `seeds` the networks per pair of linear layers and decay, and
    `nc1_with_error` Spearman's correlation of NC1 and test error over all networks. Tables are those of
    `networks_by_setting`, `rank_correlations`, `balance_rates` and `own_weights`, certificates of `certified_front`.
    """

    linear: tuple[int, ...]
    decays: tuple[float, ...]
    shown: float
    seeds: int
    steps: int
    sweep: DecaySweep
    settings_table: pd.DataFrame
    correlations: pd.DataFrame
    nc1_with_error: float
    rates: pd.DataFrame
    weights: pd.DataFrame
    two: Certificate
    five: Certificate
