"""Mixtures of domains: skewness, special cases, and exact levels."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from moltheory.bounds import agnostic_class, finite_class
from moltheory.errors import InvalidInputError

_GIVEN = {"n_hypotheses": 20, "delta": 0.05}


def test_one_domain_is_a_finite_class():
    for method in ("skewness", "vertices"):
        found = agnostic_class(500, [[1.0]], method=method, **_GIVEN).width
        assert found == pytest.approx(finite_class(500, **_GIVEN).width)


def test_the_width_is_that_of_mohri_sivek_and_suresh_in_terms_of_the_skewness():
    n, w, delta = np.array([100, 300, 600]), np.array([0.5, 0.25, 0.25]), 0.05
    chi = sum((a - b) ** 2 / b for a, b in zip(w, n / 1000, strict=True))
    expected = 3.0 * math.sqrt((1 + chi) / (2 * 1000) * math.log(2 * 20 / delta))
    assert agnostic_class(n, [w], loss_range=3.0, **_GIVEN).width[0] == pytest.approx(expected)


def test_a_mixture_like_the_sample_is_as_good_as_one_sample():
    """And a vertex only as good as its own domain; the union over vertices pays for the others too."""
    n = [100, 900]
    found = agnostic_class(n, [[0.1, 0.9], [1, 0]], **_GIVEN)
    assert found.width[0] == pytest.approx(finite_class(1000, n_hypotheses=40, delta=0.05).width[0])
    assert found.width[1] == pytest.approx(finite_class(100, n_hypotheses=40, delta=0.05).width[0])
    vertices = agnostic_class(n, [[0.1, 0.9], [1, 0]], method="vertices", **_GIVEN)
    assert vertices.width[1] == pytest.approx(finite_class(n, **_GIVEN).width[0])
    assert vertices.width[0] > 1.2 * found.width[0]


def test_known_domains_cost_nothing():
    found = agnostic_class([100, math.inf], [[0.5, 0.5], [0, 1]], method="vertices", **_GIVEN)
    assert found.width == pytest.approx([0.5 * finite_class(100, **_GIVEN).width[0], 0.0])
    assert agnostic_class([100, math.inf], [[0.0, 1.0]], **_GIVEN).width[0] == 0.0


@pytest.mark.parametrize("p", [(0.5, 0.5), (0.05, 0.9), (0.5, 0.02)])
@pytest.mark.parametrize("delta", [0.3, 0.01])
def test_the_level_exactly(p, delta):
    """One hypothesis, two domains of 6 and 40 examples: all pairs of counts."""
    n, weights = np.array([6, 40]), np.array([[0.13, 0.87], [0.5, 0.5], [1.0, 0.0]])
    counts = [np.arange(size + 1) for size in n]
    chance = np.outer(binom.pmf(counts[0], 6, p[0]), binom.pmf(counts[1], 40, p[1]))
    off = np.stack(np.meshgrid(counts[0] / 6 - p[0], counts[1] / 40 - p[1], indexing="ij"))
    error = np.abs(np.tensordot(weights, off, axes=1))
    for method in ("skewness", "vertices"):
        width = agnostic_class(n, weights, n_hypotheses=1, delta=delta, method=method).width
        assert chance[(error > width[:, None, None]).any(axis=0)].sum() <= delta
    # As if all examples came from the mixture.
    wrong = math.sqrt(math.log(2 * 3 / delta) / (2 * 46))
    if (p, delta) == ((0.5, 0.5), 0.01):
        assert chance[(error > wrong).any(axis=0)].sum() > delta


@pytest.mark.parametrize(
    ("n", "mixtures", "given", "said"),
    [
        (10, [[0.5, 0.6]], {}, "`mixtures` must have rows"),
        (10, [[1.5, -0.5]], {}, "`mixtures` must have rows"),
        (10, [0.5, 0.5], {}, "`mixtures` must have shape"),
        ([10, 10, 10], [[0.5, 0.5]], {}, "`n` must have 2 entries"),
        (0, [[1.0]], {}, "`n`"),
        (10, [[1.0]], {"delta": 1.0}, "`delta`"),
        (10, [[1.0]], {"n_hypotheses": 0}, "`n_hypotheses`"),
        (10, [[1.0]], {"method": "best"}, "`method`"),
        (10, [[1.0]], {"loss_range": -1.0}, "`loss_range`"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(n, mixtures, given, said):
    with pytest.raises(InvalidInputError, match=said):
        agnostic_class(n, mixtures, **{**_GIVEN, **given})
