"""Result of a check: failure probability of the event, violations with realized widths, distribution of the slack."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import Card
from moltheory._core._deprecation import DeprecatedAlias, renamed_parameter
from moltheory._core._html_repr import Printed, Shown
from moltheory._core._text import named, visible
from moltheory._core._validation import FloatArray, check_fraction
from moltheory.theorems._cards import check_card, pair_card, slack_card
from moltheory.theorems._columns import TOLERANCE
from moltheory.theorems._protocols import Inputs

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CheckResult", "FailureProbability", "PairResult", "Slack", "SlackRecorder"]

# Bins of the slack: eight of equal length in each octave from 2^-40 to 2^40.
_SHIFT = 49
_FIRST = int(np.array(2.0**-40).view(np.int64)) >> _SHIFT
_EDGES = (np.arange(_FIRST, (int(np.array(2.0**40).view(np.int64)) >> _SHIFT) + 1) << _SHIFT).view(np.float64)


@dataclass(frozen=True, repr=False)
class FailureProbability(Shown):
    """A failure probability, exact up to rounding or with an interval that holds except with probability 1e-6."""

    probability: float
    low: float
    high: float

    def _line(self) -> str:
        """Probability, and the interval where it is not exact."""
        if self.high - self.low <= 1e-12 * max(self.probability, 1e-300):
            return f"{self.probability:.6g}"
        return f"{self.probability:.6g} in [{self.low:.6g}, {self.high:.6g}]"


@dataclass(frozen=True, eq=False, repr=False)
class Slack(Printed):
    """Distribution of the slack over samples, and over the inputs tried with equal weight.

    Attributes
    ----------
    smallest, mean, largest : float
        The smallest one limits any sharper constant.
    attained_share : float
        Probability that the statement is attained: of a slack within 1e-12 of 0. Violated samples attain nothing.
    """

    smallest: float
    mean: float
    largest: float
    attained_share: float
    _mass: FloatArray = field(repr=False)
    tight = DeprecatedAlias[float]("attained_share")

    def quantile(self, q: float) -> float:
        """Return the q-quantile, from below within a factor 9/8; 0 where that much of the slack is below 1e-12.

        Raises
        ------
        InvalidInputError
            If q is not in (0, 1).
        """
        total = np.cumsum(self._mass)
        k = int(np.searchsorted(total, check_fraction("q", q) * total[-1]))
        if k == 0:
            return 0.0
        return float(_EDGES[k - 1])

    def _card(self) -> Card:
        return slack_card(self)


class SlackRecorder:
    """Adds up slacks block by block, in bounded memory."""

    def __init__(self) -> None:
        self._low, self._high, self._sum, self._weight = math.inf, -math.inf, 0.0, 0.0
        self._mass = np.zeros(_EDGES.size + 1)
        self._attained = 0.0

    def add(self, slack: FloatArray, weights: FloatArray) -> None:
        """Record slacks (T,); infinite ones mean that the statement did not apply."""
        if not np.isfinite(slack).all():
            kept = np.isfinite(slack)
            slack, weights = slack[kept], weights[kept]
        if slack.size == 0:
            return
        smallest = float(slack.min())
        self._low = min(self._low, smallest)
        self._high = max(self._high, float(slack.max()))
        self._sum += float((slack * weights).sum())  # a dot product would start threads for each block
        self._weight += float(weights.sum())
        # Exponent and first three bits of the mantissa, as they stand in memory: eight bins for each octave.
        bins = np.clip(slack, _EDGES[0], _EDGES[-1]).view(np.int64) >> _SHIFT
        bins -= _FIRST
        bins[slack <= TOLERANCE] = -1
        bins += 1
        mass = np.bincount(bins, weights=weights, minlength=self._mass.size)
        self._mass += mass
        # The first bin is what is attained, unless violated samples are in it too.
        violated = smallest < -TOLERANCE
        self._attained += float(weights[np.abs(slack) <= TOLERANCE].sum() if violated else mass[0])

    def share(self, n_cases: int) -> float:
        """Return the probability that the statement applies, averaged over the inputs."""
        return min(1.0, self._weight / n_cases)

    def result(self) -> Slack | None:
        """Return the distribution; None if the statement never applied."""
        if self._weight == 0.0:
            return None
        mass = self._mass / self._weight
        mass.flags.writeable = False
        # Minus a violation of 0 is -0, which is no smallest slack to print.
        return Slack(self._low + 0.0, self._sum / self._weight, self._high, self._attained / self._weight, mass)


@renamed_parameter("said", "applicable_share")
@dataclass(frozen=True, eq=False, repr=False)
class CheckResult(Printed):
    """Result of `check`: failure probability, violations and slack of one statement on one problem.

    Attributes
    ----------
    theorem, problem : str
    n : int
    delta : float
    method : {"exact", "monte-carlo", "not applicable"}
    n_samples : int
        Sample types or samples looked at.
    event_failure : FailureProbability or None
        Probability that E fails with the stated widths, or that the statement fails where it has a level of its
        own; None where no widths can be stated.
    violations : int
        Samples and inputs for which the statement fails with realized widths by more than rounding (1e-12, times
        the largest risk if that is above 1).
    slack : Slack or None
        With realized widths; None for statements that are not deterministic on E.
    applicable_share : float
        Probability that the statement's assumptions about the sample held, averaged over inputs.
    worst : float
        Largest violation; negative where all slacks are positive.
    worst_inputs : mapping
        The inputs at which it was found.
    reason : str
        Why the statement is not applicable.
    method_reason : str
        Why samples were drawn although ``method="auto"`` would rather enumerate; empty otherwise.
    """

    theorem: str
    problem: str
    n: int
    delta: float
    method: str
    n_samples: int
    event_failure: FailureProbability | None
    violations: int
    slack: Slack | None
    applicable_share: float
    worst: float = math.nan
    worst_inputs: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    method_reason: str = ""
    said = DeprecatedAlias[float]("applicable_share")

    @classmethod
    def silent(cls, theorem: str, problem: str, n: int, delta: float, reason: str) -> CheckResult:
        """Return the result of a statement that does not apply to the problem."""
        return cls(theorem, problem, n, delta, "not applicable", 0, None, 0, None, 0.0, reason=reason)

    @property
    def applicable(self) -> bool:
        """Whether the statement is about this problem."""
        return not self.reason

    @property
    def level_holds(self) -> bool:
        """Whether the failure probability is not certainly above delta."""
        return self.event_failure is None or self.event_failure.low <= self.delta

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the statement; False where it is not applicable."""
        return self.applicable and self.violations == 0 and self.level_holds

    @property
    def verdict(self) -> str:
        """``"holds"``, ``"FAILS"``, ``"not applicable"``, or ``"holds vacuously"`` where no sample met its conditions."""
        if not self.applicable:
            return "not applicable"
        if not self.holds:
            return "FAILS"
        return "holds" if self.applicable_share > 0.0 else "holds vacuously"

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        import pandas as pd

        failure = self.event_failure
        row = {
            "theorem": self.theorem,
            "problem": self.problem,
            "n": self.n,
            "delta": self.delta,
            "method": self.method,
            "n_samples": self.n_samples,
            "holds": self.holds if self.applicable else None,
            "event_failure": math.nan if failure is None else failure.probability,
            "violations": self.violations,
            "smallest_slack": math.nan if self.slack is None else self.slack.smallest,
            "mean_slack": math.nan if self.slack is None else self.slack.mean,
            "attained_share": math.nan if self.slack is None else self.slack.attained_share,
            "applicable_share": self.applicable_share,
        }
        return pd.DataFrame([row])

    def _line(self) -> str:
        """Verdict, level, violations and slack on one line."""
        where = f"{named(self.theorem)!r} on {named(self.problem)}, n={self.n}, delta={self.delta:g}"
        if not self.applicable:
            return f"CheckResult({where}: not applicable, {visible(self.reason)})"
        parts = [f"{self.method} over {self.n_samples}"]
        if self.event_failure is not None:
            parts.append(f"P(fails)={self.event_failure!r}")
        if self.slack is not None:
            attained = f"attained in {self.slack.attained_share:.3g}"
            parts.append(f"{self.violations} violations, slack >= {self.slack.smallest + 0.0:.3g}, {attained}")
        return f"CheckResult({where}: {self.verdict}; {'; '.join(parts)})"

    def _card(self) -> Card:
        return check_card(self)


@dataclass(frozen=True, eq=False, repr=False)
class PairResult(Printed):
    """Result of `check_pair`: the violation of a statement by each pair of risks.

    Attributes
    ----------
    theorem : str
    violation : (...) ndarray
        Per pair the worst over the inputs tried: positive where the statement fails, minus the slack where it holds,
        -inf where it says nothing.
    tolerance : float
        What rounding may amount to.
    inputs : mapping
        Those of the worst violation.
    """

    theorem: str
    violation: FloatArray
    tolerance: float
    inputs: Inputs = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether no pair violates the statement by more than rounding."""
        return bool((self.violation <= self.tolerance).all())

    @property
    def verdict(self) -> str:
        """``"holds"``, ``"VIOLATED"``, or ``"holds vacuously"`` where no pair meets the conditions."""
        if not self.holds:
            return "VIOLATED"
        return "holds vacuously" if self.worst == -math.inf else "holds"

    @property
    def worst(self) -> float:
        """Largest violation."""
        return float(self.violation.max(initial=-math.inf))

    @property
    def slack(self) -> FloatArray:
        """Minus the violation."""
        return -self.violation

    def to_frame(self) -> pd.DataFrame:
        """Return one row per pair."""
        import pandas as pd

        values = np.ravel(self.violation)
        return pd.DataFrame({"theorem": self.theorem, "violation": values, "holds": values <= self.tolerance})

    def _line(self) -> str:
        """Verdict and worst violation."""
        about = f"{self.violation.size} pairs, worst violation {self.worst:.3g}"
        return f"PairResult({named(self.theorem)!r}: {self.verdict}, {about})"

    def _card(self) -> Card:
        return pair_card(self)
