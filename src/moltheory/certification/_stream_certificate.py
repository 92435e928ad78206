"""The certificate of a stream, from the sums of its objectives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._text import few
from moltheory._core._validation import FloatArray
from moltheory.certification._certificate import Certificate
from moltheory.certification._cohorts import levels_of_cohorts, part_of_cohort
from moltheory.certification._decisions import allowed_pairs, decide

if TYPE_CHECKING:
    from moltheory.certification._stream import CertificateStream

__all__ = ["certificate_of"]

_ENGINE = "beta mixture and betting confidence sequence; time-uniform paired test"
_ENGINE_OF_SIZES = "betting confidence sequence; time-uniform paired test"
_MEASURED = "intervals of measured costs that hold for all models at once, except with their part of delta"
_JOINED = (
    "models that joined were chosen before the examples on which they are compared, whatever was seen of earlier ones"
)


def certificate_of(stream: CertificateStream) -> Certificate:
    """Return the certificate of the examples so far; it counts as a look."""
    n_models, count = len(stream._names), len(stream._objectives)
    span = stream._high - stream._low
    tests = np.full((2, len(stream._labels), n_models, n_models), np.nan)
    costs = np.where(stream._maximise[count:], -stream._costs[1:], stream._costs[1:])
    boxes = np.empty((2, n_models, len(stream._labels)))
    boxes[:, :, count:] = np.sort(costs, axis=0)
    means = np.empty((n_models, count))
    log_levels = _log_levels(stream)
    for k, objective in enumerate(stream._objectives):
        objective.look(log_levels)
        boxes[0, :, k], boxes[1, :, k] = objective.lower, objective.upper
        slack = float(stream._epsilon[k] / span[k])
        tests[0, k], tests[1, k] = objective.p_values(0.0), objective.p_values(slack)
        means[:, k] = objective.means
    scaled = stream._epsilon.copy()
    scaled[:count] /= span
    known = ~stream._with_data
    levels = levels_of_cohorts(stream._cohorts, allowed_pairs(boxes[0], boxes[1], known), stream._joining)
    with np.errstate(invalid="ignore"):
        found = decide(
            boxes[0], boxes[1], known, scaled, stream._shares, below=tests[0], not_above=tests[1], levels=levels
        )
    estimates = np.concatenate([_back(stream, means), stream._costs[0]], axis=1)
    ends = np.stack([_back(stream, boxes[0, :, :count]), _back(stream, boxes[1, :, :count])], axis=2)
    engine = _ENGINE_OF_SIZES if stream._largest is not None else _ENGINE
    return Certificate(
        names=stream._names,
        objectives=stream._labels,
        maximise=stream._maximise,
        data_dependent=stream._with_data,
        **found.claims,
        adjusted_p_value=found.level,
        estimates=estimates,
        boxes=np.concatenate([np.sort(ends, axis=2), np.moveaxis(stream._costs[1:], 0, 2)], axis=1),
        epsilon=stream._epsilon,
        delta=stream._delta,
        delta_allocation=stream._shares.allocation(),
        n_examples=stream._n,
        n_clusters=stream._n_units if stream._clustered else 0,
        methods=tuple(
            "measured; intervals given; no paired test" if own else engine if data else "known exactly"
            for own, data in zip(stream._measured.tolist(), stream._with_data.tolist(), strict=True)
        ),
        assumptions=_assumptions(stream),
        measured=stream._measured,
    )


def _log_levels(stream: CertificateStream) -> FloatArray:
    """Return minus the log of the failure probability of each box, by model: each cohort shares its part."""
    levels = np.empty(len(stream._names))
    for cohort in range(int(stream._cohorts.max()) + 1):
        mine = stream._cohorts == cohort
        share = stream._shares.boxes * part_of_cohort(cohort, stream._joining)
        levels[mine] = math.log(int(np.count_nonzero(mine)) * len(stream._objectives) / share)
    return levels


def _back(stream: CertificateStream, scaled: FloatArray) -> FloatArray:
    """Return means (M, N) in the caller's units and orientation."""
    turned = np.where(stream._maximise[: len(stream._objectives)], 1.0 - scaled, scaled)
    low, high = stream._low, stream._high
    values: FloatArray = np.clip(low + (high - low) * turned, low, high)
    return values


def _assumptions(stream: CertificateStream) -> tuple[str, ...]:
    """Return what the claims rest on, as sentences."""
    unit = "cluster" if stream._clustered else "example"
    if stream._averaged:
        arriving = (
            "clusters, of any size, in the order of their arrival, each with the same expected mean loss given all earlier "
            "ones, so every cluster weighs the same"
        )
    elif stream._largest is not None:
        arriving = (
            f"clusters of at most {stream._largest} examples in the order of their arrival, each with the same expected "
            f"total loss over expected size given all earlier ones"
        )
    else:
        arriving = "examples in the order of their arrival, each with the same mean losses given all earlier ones"
    left = [name for name, stays in zip(stream._names, stream._active.tolist(), strict=True) if not stays]
    return (
        "the first models fixed before the data" if stream._cohorts.any() else "models fixed before the data",
        arriving,
        f"which models are evaluated on {'a' if stream._clustered else 'an'} {unit} is determined before their losses on it "
        "are known",
        "losses inside their stated range",
        "costs known exactly",
        *([_MEASURED] if stream._measured.any() else []),
        *([_JOINED] if stream._cohorts.any() else []),
        *(
            [f"the front is that of all models that ever were in the stream, with those that left: {few(left)}"]
            if left
            else []
        ),
    )
