"""Floats are read as the rationals their author meant."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltheory._core._rational import integer_scale, read_probabilities, read_rational


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**3))
def test_simple_fractions_survive_floats(numerator, denominator):
    fraction = Fraction(numerator, denominator)
    assert read_rational(float(fraction)) == fraction


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ([0.4, 0.3, 0.2, 0.1], ["2/5", "3/10", "1/5", "1/10"]),
        ([1 / 3, 1 / 3, 1 / 3], ["1/3"] * 3),
        ([Fraction(1, 7), Fraction(6, 7)], ["1/7", "6/7"]),
        ([1, 0], ["1", "0"]),
        (np.array([0.25, 0.75]), ["1/4", "3/4"]),
    ],
)
def test_probabilities_are_exact(given_, expected):
    assert read_probabilities(given_) == tuple(Fraction(x) for x in expected)


def test_probabilities_off_by_rounding_are_divided_by_their_sum():
    p = np.random.default_rng(0).random(7)
    p /= p.sum()
    found = read_probabilities(p)
    assert sum(found) == 1
    assert [float(x) for x in found] == pytest.approx(p.tolist(), rel=1e-9)


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ([0.5, 0.4], "sum to one, got 0.9"),
        ([1.5, -0.5], ">= 0, got -0.5"),
        ([np.nan, 1], "finite"),
        ([], "shape"),
        ([[0.5, 0.5]], "shape"),
        (["a", "b"], "finite"),
    ],
)
def test_bad_probabilities_are_refused(bad, found, refuses):
    refuses("probabilities", read_probabilities, bad)
    with pytest.raises(ValueError, match=found):
        read_probabilities(bad)


@given(st.lists(st.fractions(0, 3, max_denominator=12), min_size=1, max_size=20))
def test_integer_scale_restores_every_loss_bitwise(fractions):
    values = np.array([float(x) for x in fractions])
    integers, scale = integer_scale(values)
    assert (integers / scale == values).all()
    assert [Fraction(int(k), scale) for k in integers] == fractions


def test_losses_without_a_common_denominator_are_left_alone():
    assert integer_scale(np.random.default_rng(0).random(50)) is None
    assert integer_scale(np.array([1e300])) is None
