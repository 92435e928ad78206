"""Designs as points of a multi-objective problem: error, radius, fairness, cost; and which points are real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification import Certificate, EvaluatedModels, certify, further_examples
from moltheory.objectives import FiniteObjectives, Mean, Rate, Worst
from moltheory.pareto import nondominated
from moltheory.solvers import supported
from moltheory.studies.smoothing._curves import class_accuracies, class_deviation
from moltheory.studies.smoothing._sweep import SmoothedSweep

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CAP",
    "design_certificate",
    "design_losses",
    "design_objectives",
    "design_points",
    "fair_certificate",
    "open_designs",
]

# Radii are counted up to this: fixed before the data, so that their losses are bounded. No radius is above it here.
CAP = 2.0
_NAMES = ("error", "lost radius")


def design_points(sweep: SmoothedSweep, /) -> pd.DataFrame:
    """Return one row per design and number of votes, the objectives of the study among the columns.

    Parameters
    ----------
    sweep : SmoothedSweep

    Returns
    -------
    pandas.DataFrame
        ``name``, ``design`` (its number), ``sigma``, ``rate``, ``quantile``, ``k``, ``votes``; the objectives ``error``
        (wrong or abstained), ``mean_radius`` (0 where wrong; the larger the better), ``deviation`` (of the classes'
        accuracies), ``cost`` (million multiplications per point); ``abstained``, ``worst_class`` (largest error of a
        class), ``base_accuracy``; ``front``, whether no other row is better in all four objectives, and
        ``weighted``, whether a weighted sum of them reaches it.
    """
    import pandas as pd

    rows = []
    for d, design in enumerate(sweep.budget.designs):
        for s, votes in enumerate(sweep.budget.sizes):
            right = sweep.correct[d, s]
            rows.append(
                {
                    "name": f"{design.name} n={votes}",
                    "design": d,
                    "sigma": design.sigma,
                    "rate": design.rate,
                    "quantile": design.quantile,
                    "k": design.k,
                    "votes": votes,
                    "error": 1.0 - float(right.mean()),
                    "mean_radius": float((sweep.radii[d, s] * right).mean()),
                    "deviation": class_deviation(right, sweep.labels),
                    "cost": float(sweep.cost[d, s]),
                    "abstained": float((sweep.classes[d, s] < 0).mean()),
                    "worst_class": 1.0 - float(class_accuracies(right, sweep.labels).min()),
                    "base_accuracy": float(sweep.base_accuracy[d]),
                }
            )
    frame = pd.DataFrame(rows)
    points = design_objectives(frame).risks()
    frame["front"] = nondominated(points)
    frame["weighted"] = supported(points)
    return frame


def design_objectives(frame: pd.DataFrame, /) -> FiniteObjectives:
    """Return the designs as a finite class with four objectives, all minimised.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `design_points` gives it.

    Returns
    -------
    FiniteObjectives
        Error, minus the mean radius, deviation of the classes, cost.
    """
    columns = [frame[name].to_numpy(dtype=np.float64) for name in ("error", "mean_radius", "deviation", "cost")]
    columns[1] = -columns[1]
    return FiniteObjectives(
        np.stack(columns, axis=1),
        names=("error", "minus mean radius", "class deviation", "cost"),
        data_dependent=(True, True, True, False),
    )


def design_losses(sweep: SmoothedSweep, frame: pd.DataFrame, /) -> EvaluatedModels:
    """Return the losses of all rows on the test digits: wrong or abstained, and the share of `CAP` that is lost.

    Parameters
    ----------
    sweep : SmoothedSweep
    frame : pandas.DataFrame
        As `design_points` gives it.

    Returns
    -------
    EvaluatedModels
        With the cost known exactly.
    """
    return EvaluatedModels(
        np.stack(_losses(sweep), axis=2),
        frame["name"],
        _NAMES,
        costs=frame[["cost"]].to_numpy(),
        cost_names=["cost"],
    )


def design_certificate(losses: EvaluatedModels, /, *, delta: float = 0.05) -> Certificate:
    """Tell which designs are on the true front of error, lost radius and cost.

    Parameters
    ----------
    losses : EvaluatedModels
        As `design_losses` gives it.
    delta : float, default 0.05
        Total failure probability, in (0, 1).

    Returns
    -------
    Certificate
        Of the whole procedure with its votes, for networks trained on these digits.
    """
    return losses.certify(delta=delta)


def open_designs(losses: EvaluatedModels, certificate: Certificate, /, *, rng: int = 0) -> pd.DataFrame:
    """Return how many more test digits would settle each undecided design; see `further_examples`."""
    return further_examples(losses, certificate, rng=rng)


def fair_certificate(sweep: SmoothedSweep, frame: pd.DataFrame, /, *, delta: float = 0.05) -> Certificate:
    """Tell which designs are on the true front of error, lost radius, error of the worst class, and cost.

    The deviation of the classes is no mean of losses; the worst class is the measure of fairness that intervals of
    rates carry over to.

    Parameters
    ----------
    sweep : SmoothedSweep
    frame : pandas.DataFrame
        As `design_points` gives it.
    delta : float, default 0.05
        Total failure probability, in (0, 1).

    Returns
    -------
    Certificate
    """
    wrong, lost = _losses(sweep)
    rates = [Rate(wrong, sweep.labels == label) for label in np.unique(sweep.labels)]
    return certify(
        None,
        delta=delta,
        objectives={_NAMES[0]: Mean(wrong), _NAMES[1]: Mean(lost), "worst class": Worst(rates)},
        costs={"cost": frame["cost"].to_numpy()},
        names=list(frame["name"]),
    )


def _losses(sweep: SmoothedSweep) -> tuple[FloatArray, FloatArray]:
    """Losses (n, D S) of the two objectives, in the order of the rows."""
    right = sweep.correct.reshape(-1, len(sweep.labels)).T
    radii = np.minimum(sweep.radii.reshape(right.shape[::-1]).T, CAP) * right
    return np.asarray(~right, dtype=np.float64), np.asarray(1.0 - radii / CAP)
