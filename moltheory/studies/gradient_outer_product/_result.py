"""The record of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._html_repr import Shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GradientOuterProductResult"]


@dataclass(frozen=True, repr=False)
class GradientOuterProductResult(Shown):
    """Everything that the study computes.

    Attributes
    ----------
    layers, models : pandas.DataFrame
        One row per variant, seed and layer or depth, see `recursion_sweep`.
    ratios : pandas.DataFrame
        One row per variant and seed, see `stage_ratios`.
    networks : pandas.DataFrame
        One row per network and layer, see `network_sweep`.
    shares : pandas.DataFrame
        One row per network, see `network_shares`.
    compared, fronts : pandas.DataFrame
        The models on one front per seed, and a row per seed, see `real_fronts`.
    """

    layers: pd.DataFrame
    models: pd.DataFrame
    ratios: pd.DataFrame
    networks: pd.DataFrame
    shares: pd.DataFrame
    compared: pd.DataFrame
    fronts: pd.DataFrame
