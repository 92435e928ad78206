"""The records of the study: all networks of a plan, their certificates, and the comparisons made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory.certification import Certificate
from moltheory.studies.fully_connected._plan import Plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CertifiedNetworks", "FullyConnectedResult", "Trained"]


@dataclass(frozen=True)
class Trained:
    """All networks of a plan.

    `networks` has one row per network: ``data``, ``trunk``, ``method`` (of `METHODS`, or such as ``g = 0.1`` for the
    plain head behind another gate of the sweep, or ``OJKD tiny`` for a further trunk), ``labels``, ``seed``,
    ``test_error``, ``train_accuracy`` (without augmentation), ``test_loss``, ``train_loss`` (cross-entropies in nats),
    ``inference_parameters``, ``training_cost`` (multiply-adds). `wrong` says by data,
    method, labels and seed which of the n test images a network gets wrong. `sweep` has one row per gate and seed,
    with ``error_``, ``loss_`` (test) and ``train_loss_`` of both heads, and `active` one row per round: ``data``,
    ``method``, ``query``, ``seed``, ``labels``, ``test_error``, ``train_accuracy``.
    """

    networks: pd.DataFrame
    wrong: Mapping[tuple[str, str, int, int], npt.NDArray[np.bool_]]
    sweep: pd.DataFrame
    active: pd.DataFrame


@dataclass(frozen=True)
class CertifiedNetworks:
    """Certificates of the networks of one data set.

    `first` is that of the networks of seed 0, with the costs to use them, and `further` its plan of further images.
    `statuses` has one row per network and set of costs; `duels` one per method other than plain, budget, seed and set
    of costs: ``dominates`` and ``is_dominated``, whether it is certain that it dominates the plain network of that
    trunk and budget or is dominated by it. Seed -1 is the average network: the losses of all seeds, averaged per image.
    """

    first: Certificate
    statuses: pd.DataFrame
    duels: pd.DataFrame
    further: pd.DataFrame


@dataclass(frozen=True, repr=False)
class FullyConnectedResult(Shown):
    """Everything that the study computes.

    Attributes
    ----------
    plan : Plan
    data : tuple of str
        Names of the data sets; sweep, further trunks and active learning are on the last.
    trained : Trained
        Every network.
    differences : pandas.DataFrame
        See `paired_differences`.
    trunks : pandas.DataFrame
        See `trunk_differences`: OJKD against plain by size of the trunk.
    queries : pandas.DataFrame
        `paired_differences` of OJKD by query, after the last round of active learning; empty if there was none.
    points : pandas.DataFrame
        See `network_objectives`; of all data sets.
    certified : dict of str to CertifiedNetworks
        By data set.
    path : pandas.DataFrame
        See `gate_path`.
    """

    plan: Plan
    data: tuple[str, ...]
    trained: Trained
    differences: pd.DataFrame
    trunks: pd.DataFrame
    queries: pd.DataFrame
    points: pd.DataFrame
    certified: Mapping[str, CertifiedNetworks]
    path: pd.DataFrame
