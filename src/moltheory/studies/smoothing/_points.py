"""Designs as points with four objectives (error, radius, fairness, cost), and the certificates of their front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_vector
from moltheory.certification import Certificate, EvaluatedModels, certify, further_examples
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives, Mean, Rate, Spread
from moltheory.pareto import hypervolume, nondominated
from moltheory.solvers import supported
from moltheory.studies.smoothing._designs import CONSTANT
from moltheory.studies.smoothing._result import SmoothedSweep

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "cap_of",
    "certified_accuracy",
    "class_accuracies",
    "class_deviation",
    "design_certificate",
    "design_losses",
    "design_objectives",
    "design_points",
    "fair_certificate",
    "open_designs",
    "relative_volumes",
]

_NAMES = ("error", "lost radius")


def cap_of(sweep: SmoothedSweep, /) -> float:
    """Return the bound up to which radii are counted, fixed before the data so that their losses are bounded.

    Four times the largest base deviation; 10,000 equal votes certify 3.2 times the deviation.
    """
    return 4.0 * max(one.sigma for one in sweep.designs)


def design_points(sweep: SmoothedSweep, /) -> pd.DataFrame:
    """Return one row per design and number of votes, means over the networks, the objectives among the columns.

    Columns ``name``, ``design`` (its number), ``sigma``, ``rate``, ``kind``, ``mean_sigma`` (over the test images),
    ``votes``; the objectives ``error`` (wrong or abstained), ``mean_radius`` (0 where wrong; the larger the better),
    ``deviation`` (of the classes' accuracies), ``cost`` (million multiplications per image); ``abstained``,
    ``class_gap`` (largest less smallest error of a class), ``base_accuracy``; ``front``, whether no other row is better
    in all four objectives, and ``weighted``, whether a weighted sum of them reaches it.
    """
    import pandas as pd

    rows = []
    for d, design in enumerate(sweep.designs):
        for v, votes in enumerate(sweep.budget.sizes):
            right = sweep.correct[:, d, v]
            classes = class_accuracies(right.mean(axis=0), sweep.labels)
            rows.append(
                {
                    "name": f"{design.name} n={votes}",
                    "design": d,
                    "sigma": design.sigma,
                    "rate": design.rate,
                    "kind": design.kind,
                    "mean_sigma": float(sweep.sigma[d].mean()),
                    "votes": votes,
                    "error": 1.0 - float(right.mean()),
                    "mean_radius": float((sweep.radii[:, d, v] * right).mean()),
                    "deviation": float(np.mean([class_deviation(one, sweep.labels) for one in right])),
                    "cost": float(sweep.cost[d, v]),
                    "abstained": float((sweep.classes[:, d, v] < 0).mean()),
                    "class_gap": float(classes.max() - classes.min()),
                    "base_accuracy": float(sweep.base_accuracy[:, d].mean()),
                }
            )
    frame = pd.DataFrame(rows)
    points = design_objectives(frame).risks()
    frame["front"] = nondominated(points)
    frame["weighted"] = supported(points)
    return frame


def design_objectives(frame: pd.DataFrame, /) -> FiniteObjectives:
    """Return the table of `design_points` as objectives: error, minus the mean radius, deviation of the classes, cost."""
    columns = [frame[name].to_numpy(dtype=np.float64) for name in ("error", "mean_radius", "deviation", "cost")]
    columns[1] = -columns[1]
    return FiniteObjectives(
        np.stack(columns, axis=1),
        names=("error", "minus mean radius", "class deviation", "cost"),
        data_dependent=(True, True, True, False),
    )


def design_losses(sweep: SmoothedSweep, frame: pd.DataFrame, /) -> EvaluatedModels:
    """Return the losses of all rows on the test images, means over the networks, with the cost known exactly.

    The losses are 1 where the prediction is wrong or abstains, and the share of `cap_of` by which the radius falls short.
    """
    return EvaluatedModels(
        np.stack(_losses(sweep), axis=2), frame["name"], _NAMES, costs=frame[["cost"]].to_numpy(), cost_names=["cost"]
    )


def design_certificate(losses: EvaluatedModels, /, *, delta: float = 0.05) -> Certificate:
    """Return the certificate of the true front of error, lost radius and cost.

    It is about the whole procedure with its votes, on average over these networks; images are the examples.
    """
    return losses.certify(delta=delta)


def open_designs(losses: EvaluatedModels, certificate: Certificate, /, *, rng: int = 0) -> pd.DataFrame:
    """Return `further_examples` of the designs; ``certificate.plan()`` needs no losses."""
    return further_examples(losses, certificate, rng=rng)


def fair_certificate(sweep: SmoothedSweep, frame: pd.DataFrame, /, *, delta: float = 0.05) -> Certificate:
    """Return the certificate of the true front of error, lost radius, class gap, and cost.

    The deviation of the classes is not a mean of losses; intervals of rates carry over to the gap between the worst and
    the best class.
    """
    wrong, lost = _losses(sweep)
    rates = [Rate(wrong, sweep.labels == label) for label in np.unique(sweep.labels)]
    return certify(
        None,
        delta=delta,
        objectives={_NAMES[0]: Mean(wrong), _NAMES[1]: Mean(lost), "class gap": Spread(rates)},
        costs={"cost": frame["cost"].to_numpy()},
        names=list(frame["name"]),
    )


def _losses(sweep: SmoothedSweep) -> tuple[FloatArray, FloatArray]:
    """Losses (n, D V) of the two objectives, means over the networks, in the order of the rows."""
    n = len(sweep.labels)
    right = sweep.correct
    cap = cap_of(sweep)
    radii = (np.minimum(sweep.radii, cap) * right).mean(axis=0).reshape(-1, n).T
    return 1.0 - right.mean(axis=0).reshape(-1, n).T, np.asarray(1.0 - radii / cap)


def relative_volumes(points: pd.DataFrame, /) -> tuple[float, float]:
    """Return the hypervolumes of all points and of those with constant noise, as shares of the box around all."""
    risks = design_objectives(points).risks()
    low, high = risks.min(axis=0), risks.max(axis=0)
    scaled = (risks - low) / np.where(high > low, high - low, 1.0)
    reference = np.full(risks.shape[1], 1.1)
    constant = scaled[points["kind"].to_numpy() == CONSTANT]
    whole = 1.1 ** risks.shape[1]
    return hypervolume(scaled, reference=reference) / whole, hypervolume(constant, reference=reference) / whole


def certified_accuracy(radii: npt.ArrayLike, /, *, correct: npt.ArrayLike, distances: npt.ArrayLike) -> FloatArray:
    """Return the share of points that are right and certified at each distance, not increasing, in [0, 1].

    `radii` (n,) are 0 and `correct` (n,) False where the classifier abstained; at distance 0 it is the accuracy.
    """
    values = check_vector("radii", radii, low=0.0)
    right = _flags(correct, len(values))
    where = check_vector("distances", distances, low=0.0)
    ordered = np.sort(values[right])
    return np.asarray((len(ordered) - np.searchsorted(ordered, where, side="left")) / len(values))


def class_accuracies(correct: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
    """Return the accuracy within each of K classes, in the order of the sorted labels.

    `correct` (n,) holds True and False, or the shares of several networks that are right.
    """
    given: npt.NDArray[Any] = np.asarray(labels)
    if given.ndim != 1 or given.size == 0:
        raise InvalidInputError(f"`labels` must have shape (n,) and not be empty, got shape {given.shape}.")
    right = check_vector("correct", np.asarray(correct, dtype=np.float64), low=0.0)
    if len(right) != len(given) or right.max() > 1.0:
        raise InvalidInputError(f"`correct` must be {len(given)} numbers in [0, 1], got others.")
    _, codes, counts = np.unique(given, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(codes, weights=right) / counts)


def class_deviation(correct: npt.ArrayLike, labels: npt.ArrayLike, /) -> float:
    """Return the standard deviation of the accuracies of the classes (over K, not K - 1), in [0, 1/2]."""
    return float(class_accuracies(correct, labels).std())


def _flags(correct: npt.ArrayLike, length: int) -> npt.NDArray[np.bool_]:
    flags = np.asarray(correct)
    if flags.shape != (length,) or not np.isin(flags, (0, 1)).all():
        raise InvalidInputError(f"`correct` must be {length} of True and False, got shape {flags.shape}.")
    return flags.astype(bool)
