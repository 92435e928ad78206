"""The record of the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GradientOuterProductResult"]


@dataclass(frozen=True, repr=False)
class GradientOuterProductResult(Shown):
    """Everything that the study computes.

    Attributes
    ----------
    data : str
        The images and how many of them each model is fitted to.
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
    linearized : pandas.DataFrame
        One row per seed and layer of the linearized recursion, see `linearized_layers`.
    sizes : pandas.DataFrame
        How far real layers are from it, by dimension, see `finite_sizes`.
    kernels : pandas.DataFrame
        Optimal kernels by a solver, see `optimal_kernels`.
    grams : mapping of str to (L + 1, m, m) ndarray
        Cosines of examples sorted by class after 0 to L layers with ReLU features, by the matrix M.
    """

    data: str
    layers: pd.DataFrame
    models: pd.DataFrame
    ratios: pd.DataFrame
    networks: pd.DataFrame
    shares: pd.DataFrame
    compared: pd.DataFrame
    fronts: pd.DataFrame
    linearized: pd.DataFrame
    sizes: pd.DataFrame
    kernels: pd.DataFrame
    grams: Mapping[str, FloatArray]
