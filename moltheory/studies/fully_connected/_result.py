"""The records of the study: all networks of a plan, their certificates, and the comparisons made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory.certification import Certificate
from moltheory.studies.fully_connected._plan import Plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CertifiedNetworks", "FullyConnectedResult", "Trained"]


@dataclass(frozen=True)
class Trained:
    """All networks of a plan.

    Attributes
    ----------
    networks : pandas.DataFrame
        One row per network: ``data``, ``method`` (of `METHODS`, or such as ``g = 0.3`` for the plain head behind
        another gate of the sweep), ``labels``, ``seed``, ``test_error``, ``test_loss``, ``train_loss`` (cross-entropies
        in nats), ``inference_parameters``, ``training_cost`` (multiply-adds).
    wrong : dict of (data, method, labels, seed) to (n,) ndarray of bool
        Which test images it gets wrong.
    sweep : pandas.DataFrame
        One row per gate and seed: ``data``, ``gate``, ``seed`` and, of both heads, ``error_``, ``loss_`` (test) and
        ``train_loss_`` with ``refiner`` or ``plain`` after it.
    active : pandas.DataFrame
        One row per round: ``data``, ``method``, ``query``, ``seed``, ``labels``, ``test_error``.
    """

    networks: pd.DataFrame
    wrong: Mapping[tuple[str, str, int, int], npt.NDArray[np.bool_]]
    sweep: pd.DataFrame
    active: pd.DataFrame


@dataclass(frozen=True)
class CertifiedNetworks:
    """Certificates of the networks of one data set.

    Attributes
    ----------
    first : Certificate
        Of the networks of seed 0, with the costs to use them.
    statuses : pandas.DataFrame
        One row per network and set of costs: ``data``, ``costs``, ``seed``, ``method``, ``labels``, ``status``.
    duels : pandas.DataFrame
        One row per method other than plain, budget, seed and set of costs: ``dominates`` and ``is_dominated``, whether
        it is certain that it dominates the plain network of that budget or is dominated by it. Seed -1 is the average
        network: the losses of all seeds, averaged per image.
    further : pandas.DataFrame
        For seed 0 and the costs to use, ``data`` and the columns of `moltheory.Certificate.plan`.
    """

    first: Certificate
    statuses: pd.DataFrame
    duels: pd.DataFrame
    further: pd.DataFrame


@dataclass(frozen=True)
class FullyConnectedResult:
    """Everything that the study computes.

    Attributes
    ----------
    plan : Plan
    data : tuple of str
        Names of the data sets; sweep and active learning are on the last.
    trained : Trained
        Every network.
    differences : pandas.DataFrame
        See `paired_differences`.
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
    points: pd.DataFrame
    certified: Mapping[str, CertifiedNetworks]
    path: pd.DataFrame
