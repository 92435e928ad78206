"""`Certificate.adjusted_p_value`: of the tests that were planned, not the smallest delta that excludes."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import moltheory as mt

from ._truth import Array, exact_failure


def test_a_smaller_delta_may_exclude_too() -> None:
    g = np.random.default_rng(0)
    z = np.clip(g.normal([0.3, 0.36], 0.15, (600, 2)), 0.0, 1.0)
    certificate = mt.certify(z)
    level = float(certificate.adjusted_p_value[1])
    # Bets that are planned for a smaller delta are bolder, and their price for the looks at the losses smaller.
    assert mt.certify(z, delta=level / 30.0).excluded[1]
    np.testing.assert_array_equal(certificate.to_frame()["adjusted_p_value"], certificate.adjusted_p_value)
    assert "smallest delta" in str(mt.Certificate.__doc__)


def test_for_0_1_losses_by_their_type_it_is_the_smallest_delta() -> None:
    losses = np.zeros((1000, 2), dtype=bool)
    losses[:200, 0] = losses[20:250, 1] = True
    level = float(mt.certify(losses, method="paired").adjusted_p_value[1])
    assert mt.certify(losses, delta=level * (1 + 1e-9), method="paired").excluded[1]
    assert not mt.certify(losses, delta=level * (1 - 1e-9), method="paired").excluded[1]


@pytest.mark.parametrize("losses", [[[0.0, 1.0], [1.0, 0.0]], [[0.0, 0.5], [1.0, 0.25], [0.5, 0.75]]])
@pytest.mark.parametrize("delta", [0.5, 0.9])
def test_a_level_of_at_most_alpha_has_probability_at_most_alpha(losses: Any, delta: float) -> None:
    # The two models tie, so that every exclusion is false.
    table = np.array(losses)[:, :, None]
    probabilities = [Fraction(1, len(losses))] * len(losses)
    n = 60 if len(losses) == 2 else 16
    found: dict[tuple[int, ...], float] = {}

    def level(counts: Array) -> float:
        key = tuple(int(count) for count in counts)
        if key not in found:
            levels = mt.certify(np.repeat(table, counts, axis=0), delta=delta).adjusted_p_value
            found[key] = float(np.nanmin(np.append(levels, np.inf)))
        return found[key]

    for alpha in (0.02, 0.1, 0.3, delta):
        assert exact_failure(probabilities, n, lambda counts, alpha=alpha: level(counts) <= alpha) <= alpha
