"""What the failure function of a statement may return."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

import moltheory as mt
from moltheory.theorems import FailureProbability, check
from tests.testing.test_open_protocols import Coins


def test_failures_are_read_in_every_form(refuses: Any) -> None:
    claim = mt.Theorem(
        id="coin", statement="a coin falls", source="none", provenance="conjecture", failure=lambda p, n, d: 0.25
    )

    def checked(answer: Any) -> Any:
        return check(replace(claim, failure=lambda p, n, d: answer), Coins(), n=3, delta=0.3)

    for answer in (0.25, np.float64(0.25), np.array(0.25), Fraction(1, 4), (0.25, 7), (Fraction(1, 4), np.int64(7))):
        result = checked(answer)
        assert (result.event_failure.probability, result.method, result.holds) == (0.25, "exact", True)
        assert result.n_samples == (7 if isinstance(answer, tuple) else 0)
    between = checked((FailureProbability(0.25, 0.2, 0.4), 100))
    assert (between.method, between.n_samples, between.event_failure.low) == ("monte-carlo", 100, 0.2)
    assert not checked(FailureProbability(0.5, 0.4, 0.6)).holds
    assert "over" not in str(checked(0.25))
    assert checked(1 + 1e-12).event_failure.probability == 1.0
    wrong = (
        None,
        "0.2",
        True,
        1.2,
        -0.1,
        np.nan,
        [0.2, 3],
        (0.2, 3, 4),
        (0.2, True),
        (0.2, -1),
        np.zeros(2),
        FailureProbability(0.5, 0.6, 0.7),
        FailureProbability(np.nan, 0.0, 1.0),
    )
    for answer in wrong:
        message = refuses("failure", checked, answer)
        assert "'coin'" in message
