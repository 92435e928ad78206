"""The words for the three verdicts, and the numbers of models: the same in pictures, tables, JSON and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["STATUSES", "VERDICTS", "WITHIN", "model_numbers", "reading_order", "verdict_words", "verdicts_of"]

# Statuses in the order in which models are listed.
STATUSES = ("sure", "undecided", "excluded")
VERDICTS = {"sure": "on the front", "undecided": "cannot tell yet", "excluded": "not on the front"}
# With a tolerance a model may be dominated by less than it: to call it on the front without this would be untrue.
WITHIN = " to within the tolerance"


def verdict_words(certificate: Certificate) -> dict[str, str]:
    """Return the words of a certificate by status, those of models on the front first.

    Examples
    --------
    >>> import moltheory as mt
    >>> verdict_words(mt.certify([[0, 1], [1, 0]]))
    {'sure': 'on the front', 'undecided': 'cannot tell yet', 'excluded': 'not on the front'}
    >>> verdict_words(mt.certify([[0, 1], [1, 0]], epsilon=0.1))["sure"]
    'on the front to within the tolerance'
    """
    words = dict(VERDICTS)
    if certificate.epsilon.any():
        words["sure"] += WITHIN
    return words


def verdicts_of(certificate: Certificate) -> tuple[str, ...]:
    """Return the verdict on each model in words."""
    words = verdict_words(certificate)
    return tuple(words[status] for status in certificate.status)


def reading_order(certificate: Certificate) -> list[int]:
    """Return the models as they are listed: by status as in `STATUSES`, then by the first objective, the best first."""
    first = certificate.estimates[:, 0] * (-1.0 if certificate.maximise[0] else 1.0)
    status = certificate.status
    return sorted(range(len(certificate)), key=lambda h: (STATUSES.index(status[h]), first[h], h))


def model_numbers(certificate: Certificate) -> npt.NDArray[np.int64]:
    """Return the number of each model in tables and figures, from 1 in the order in which models are listed."""
    numbers = np.empty(len(certificate), dtype=np.int64)
    numbers[reading_order(certificate)] = np.arange(1, len(certificate) + 1)
    return numbers
