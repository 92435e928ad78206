"""What a race asks for on its next examples: all that an open question may need, or the cheapest way to settle each.

A question is an undecided model h: is it on the front? It is excluded once some model b has lower means in all objectives,
and a member once each of its open rivals b is shown not to dominate it, in some objective. Both read the evidence of
`CertificateStream` for ordered pairs, so what is asked for depends on earlier examples only. It need not be well chosen for
the verdicts to be right: it decides what they cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._race_challenges import Outlook, exclusion_level, slack_of

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate
    from moltheory.certification._stream import CertificateStream

__all__ = ["SAMPLINGS", "wanted"]

Bools = npt.NDArray[np.bool_]

SAMPLINGS = ("elimination", "top-two")
# What elimination asks for is evaluated on at least this share of the examples of what was evaluated most.
_EXPLORED = 0.125


def wanted(
    stream: CertificateStream, certificate: Certificate, prices: FloatArray, sampling: str, *, apart: bool
) -> Bools:
    """Return which objectives of which models to evaluate on the next examples, (M, N).

    Parameters
    ----------
    stream, certificate : CertificateStream, Certificate
        The certificate is the present one of the stream, with undecided models.
    prices : (M, N) ndarray
        Cost of each objective of each model on one example.
    sampling : {"elimination", "top-two"}
    apart : bool
        Whether objectives of a model are asked for separately; otherwise all or none.

    Notes
    -----
    O(M^2 N) time and memory.
    """
    rivals = certificate.open_rivals & certificate.undecided[:, None]
    matters = np.repeat(rivals[None], prices.shape[1], axis=0)
    if apart:
        matters &= _unsettled(stream)
        # Boxes that touch settle all objectives, but not whether all means are equal.
        matters |= rivals & ~matters.any(axis=0)
    needed: Bools = np.array((matters.any(axis=1) | matters.any(axis=2)).T)
    # What is undecided without an open rival, by verdicts that contradict each other, goes on.
    alone = certificate.undecided & ~rivals.any(axis=1)
    needed[alone] = True
    if sampling == "elimination":
        return needed
    counts = np.stack([objective.count for objective in stream._objectives], axis=1)
    behind = needed & (counts <= _EXPLORED * counts.max())
    chosen = _challenges(Outlook.of(stream, matters, prices, apart=apart), rivals)
    chosen |= behind
    chosen[alone] = True
    return chosen


def _unsettled(stream: CertificateStream) -> Bools:
    """Return in which objectives, [i, h, b], more examples may help to settle whether b dominates h."""
    size, level = len(stream._names), exclusion_level(stream)
    found = np.empty((len(stream._objectives), size, size), dtype=np.bool_)
    for i, objective in enumerate(stream._objectives):
        high, low = objective.upper[None, :], objective.lower[:, None]
        # b has the lower mean for sure; h may still be as good within a tolerance.
        found[i] = ~np.greater_equal(objective.evidence[0.0].T, level) & (high > low)
        slack = slack_of(stream, i)
        if slack > 0.0:
            found[i] |= high + slack > low
    return found


def _challenges(outlook: Outlook, rivals: Bools) -> Bools:
    """Return the cells (M, N) that settle each question at the least cost, where cells that others ask for are free."""
    undecided = rivals.any(axis=1)
    asked = np.zeros(outlook.prices.shape, dtype=np.bool_)
    if not outlook.apart:
        asked[undecided] = True
    questions = {h: np.flatnonzero(rivals[h]) for h in np.flatnonzero(undecided).tolist()}
    # The most expensive question first: others ride on what it needs.
    costs = {h: outlook.cheapest(h, b, asked)[0] for h, b in questions.items()}
    for h in sorted(questions, key=lambda h: -costs[h]):
        models, objectives = outlook.cheapest(h, questions[h], asked)[1]
        asked[models, objectives] = True
    return asked
