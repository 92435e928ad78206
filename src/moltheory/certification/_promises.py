r"""What is promised about the verdicts together, and the p-value that each model then needs.

Every model h has two null hypotheses: "h is on the front", which an exclusion contradicts, and "some model dominates h
(by the tolerance)", which a membership contradicts. **At most one of them is true**, so a model can get at most one
false verdict, and its two p-values need not share a level. Let :math:`p_h` be the p-value of its true hypothesis, M the
number of models that the known costs do not already put on the front, and V the share of delta for verdicts.

* ``error="any"``. A verdict is given where its p-value is at most V / M. Then P(some verdict is false)
  :math:`\le \sum_h P(p_h \le V / M) \le V`, for any dependence.
* ``error="one"``. The level is 2 V / M. The expected number of false verdicts is at most 2 V, so
  P(two or more are false) <= V (Markov).
* ``error="share"``. The smaller of both p-values of every model goes into a step-up procedure: with k the largest number
  such that k of them are at most V k / (M c), these k verdicts are given. The expected share of false ones among them is
  at most V: a false verdict of h requires :math:`p_h \le V \beta(k) / M` with :math:`\beta(k) = k / c`, and
  :math:`E[1\{p_h \le x \beta(k)\} / k] \le x` for c = 1 + 1/2 + ... + 1/M, whatever the dependence of k and p_h
  (Benjamini and Yekutieli 2001; Blanchard and Roquain 2008, lemma 3.2), and for c = 1 if the p-values are positively
  dependent on each that belongs to a true hypothesis (PRDS), which is an assumption about paired differences.

If only one kind of verdict is asked for, several hypotheses of that kind may be false, and step-down procedures gain:
Holm's for "any", that of Lehmann and Romano (2005, theorem 2.2, k = 2) for "one". (With both kinds they would not be
valid without more: every model keeps one true hypothesis, however many verdicts are given.)

Derived (proof: promises), from Y. Benjamini and D. Yekutieli (2001), doi 10.1214/aos/1013699998; G. Blanchard and E.
Roquain (2008), doi 10.1214/08-EJS180; E. L. Lehmann and J. P. Romano (2005), doi 10.1214/009053605000000084; S. Holm
(1979).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np

from moltheory._core._validation import FloatArray, check_choice
from moltheory.errors import InvalidInputError
from moltheory.inference._paired import holm_adjusted

__all__ = ["DEPENDENCES", "ENGINES", "ERRORS", "VERDICTS", "Promise"]

ERRORS = ("any", "one", "share")
DEPENDENCES = ("any", "positive")
VERDICTS = ("both", "excluded", "sure")
ENGINES = ("exact", "asymptotic")
# Share of the models that bets are planned to settle where the level depends on the number of settled ones.
_PLANNED = 0.25


@dataclass(frozen=True)
class Promise:
    """The error that is controlled, under which dependence of p-values, and the kinds of verdicts that are asked for."""

    error: str = "any"
    dependence: str = "any"
    verdicts: str = "both"

    @classmethod
    def of(cls, error: str, dependence: str, verdicts: str) -> Promise:
        """Return the promise of these names.

        Raises
        ------
        InvalidInputError
            If one is unknown, or a dependence is assumed where the promise needs none.
        """
        found = cls(
            check_choice("error", error, ERRORS),
            check_choice("dependence", dependence, DEPENDENCES),
            check_choice("verdicts", verdicts, VERDICTS),
        )
        if found.dependence != "any" and found.error != "share":
            raise InvalidInputError(
                f"`dependence` must be 'any' unless `error` is 'share', got {found.dependence!r} with {found.error!r}: "
                "the other promises hold under any dependence."
            )
        return found

    def adjusted(self, p: FloatArray, size: int) -> FloatArray:
        """Return for each p-value the smallest share of delta at which its verdict is given.

        Parameters
        ----------
        p : (k,) ndarray
            P-values; the others of the family are 1.
        size : int
            Number of models of the family, >= k.
        """
        if p.size == 0:
            return p.copy()
        if self.error == "share":
            return _step_up(p, size, self._constant(size))
        if self.verdicts == "both":
            return np.minimum(p * (size / self._allowed), 1.0)
        return holm_adjusted(p, size=size) if self.error == "any" else _step_down(p, size, self._allowed)

    def level(self, share: float, size: int) -> float:
        """Return the level of one model's test that bets are planned for, > 0; any level chosen in advance is valid."""
        if self.error == "share":
            level = share * max(1, math.ceil(_PLANNED * size)) / (size * self._constant(size))
        else:
            level = self._allowed * share / size
        return max(level, sys.float_info.min)

    @property
    def _allowed(self) -> int:
        """Factor of the level, and number of false verdicts that are too many."""
        return 2 if self.error == "one" else 1

    def _constant(self, size: int) -> float:
        return 1.0 if self.dependence == "positive" else float(np.sum(1.0 / np.arange(1, size + 1)))


def _step_up(p: FloatArray, size: int, constant: float) -> FloatArray:
    """Return p-values adjusted by a step-up procedure with critical values k / (size x constant)."""
    order = np.argsort(p, kind="stable")
    ranked = np.minimum(p[order] * (size * constant) / np.arange(1, p.size + 1), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    return adjusted


def _step_down(p: FloatArray, size: int, allowed: int) -> FloatArray:
    """Return p-values adjusted by the step-down procedure of Lehmann and Romano for `allowed` or more false claims."""
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, p.size + 1)
    left = size + allowed - np.maximum(rank, allowed)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * left / allowed), 1.0)
    return adjusted
