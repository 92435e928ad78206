"""How often claims are false when a guarantee is used as it must not be, and when the right means is used instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification import CertificateStream, certify, certify_limits
from moltheory.inference._binomial_tails import lower_tails
from moltheory.runs import as_seed_sequence, block_stream

__all__ = ["BATCH", "NEVER", "SAMPLE", "TUNED", "looks_until_false", "tuned_limits"]

Bools = npt.NDArray[np.bool_]
BATCH = 50  # examples between two looks
SAMPLE = 1000  # examples of a test of limits
TUNED = ("order from the tested examples", "limits after looking", "order from a pilot", "boxes, any limits")
_RISK, _LIMIT, _HAIR = 0.3, 0.3, 1e-9
_PRICES = {"price": [1.0, 2.0]}
NEVER = int(np.iinfo(np.int64).max)


def looks_until_false(looks: int, start: int, stop: int, seed: int, delta: float) -> npt.NDArray[np.int64]:
    """Return at which look each run first says "on the front" of a model that is not, (runs, 2).

    Two models of the same risk, one of them dearer, so that only the cheaper one is on the front. After every batch the
    certificate is computed again (column 0), or asked of a stream (column 1). A look that decides ends the run. Runs that
    are never wrong have the largest integer.
    """
    found = np.full((stop - start, 2), NEVER)
    for row, run in enumerate(range(start, stop)):
        rng = block_stream(as_seed_sequence(seed), "wrong uses, looks", run)
        losses = rng.random((looks * BATCH, 2, 1)) < _RISK
        stream = CertificateStream(2, ["error"], delta, costs=_PRICES)
        open_runs = [True, True]
        for look in range(1, looks + 1):
            n = look * BATCH
            if open_runs[1]:
                stream.update(losses[n - BATCH : n])
            for way in range(2):
                if not open_runs[way]:
                    continue
                made = stream.certificate() if way else certify(losses[:n], costs=_PRICES, delta=delta)
                if made.sure[1]:
                    found[row, way] = look
                open_runs[way] = not (made.sure | made.excluded)[1]
    return found


def tuned_limits(models: int, start: int, stop: int, seed: int, delta: float) -> Bools:
    """Return in which runs a false claim is made about limits, (runs, 4), in the order of `TUNED`.

    The order is found where all models miss the limit by 1e-9. Limits are chosen after looking where risks are far apart:
    the fixed sequence begins with the smallest risk, and the limits are those just below the true risks; a claim about any
    of them counts. Losses are 0/1 and independent between models.
    """
    found = np.zeros((stop - start, len(TUNED)), dtype=np.bool_)
    apart = np.linspace(0.1, 0.9, models)
    limits = apart - _HAIR
    for row, run in enumerate(range(start, stop)):
        rng = block_stream(as_seed_sequence(seed), "wrong uses, limits", models, run)
        losses = rng.random((SAMPLE, models, 1)) < _LIMIT + _HAIR
        given: dict[str, Any] = {"objectives": ["error"], "delta": delta}
        order = [f"model_{h + 1}" for h in np.argsort(losses[:, :, 0].mean(axis=0), kind="stable")]
        found[row, 0] = certify_limits(losses, {"error": _LIMIT}, order=order, **given).certified.any()
        found[row, 2] = certify_limits(losses, {"error": _LIMIT}, pilot=0.25, rng=run, **given).certified.any()
        losses = rng.random((SAMPLE, models, 1)) < apart[:, None]
        found[row, 1] = (passed_at(losses[:, :, 0].sum(axis=0), limits, delta) & (apart > limits[:, None])).any()
        boxes = certify(losses, delta=delta, method="boxes").boxes[:, 0]
        # Some limit is met, or missed, falsely where a box does not hold its risk.
        found[row, 3] = ((apart < boxes[:, 0]) | (apart > boxes[:, 1])).any()
    return found


def passed_at(errors: npt.NDArray[np.int64], limits: FloatArray, delta: float) -> Bools:
    """Return what the fixed sequence in the order of the models certifies at each limit, (limits, models)."""
    p = np.stack([lower_tails(errors.astype(float), SAMPLE, float(limit)) for limit in limits])
    return np.asarray(np.logical_and.accumulate(p <= delta, axis=1))
