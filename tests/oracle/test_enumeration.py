"""The oracle against brute force, closed forms and high precision."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.oracle import TypeEnumeration, count_types, types_by_rank
from moltheory.oracle._types import multinomial_floats, multinomial_integers


def _means(counts):
    """Risks whose only entry is the share of the last outcome."""
    return counts[:, -1:, None] / counts.sum(axis=1)[:, None, None]


def _oracle(probabilities, n):
    return TypeEnumeration(tuple(Fraction(p) for p in probabilities), n, risks=_means)


@pytest.mark.parametrize(("n", "s"), [(1, 1), (1, 4), (5, 1), (5, 2), (4, 4), (3, 6), (7, 3)])
def test_types_are_all_compositions_in_lexicographic_order(n, s):
    expected = [c for c in itertools.product(range(n + 1), repeat=s) if sum(c) == n]
    total = count_types(n, s)
    assert total == len(expected)
    assert types_by_rank(n, s, 0, total).tolist() == [list(c) for c in expected]


@given(st.integers(1, 40), st.integers(1, 5), st.data())
def test_any_range_of_ranks_is_a_slice_of_the_whole(n, s, data):
    total = count_types(n, s)
    start = data.draw(st.integers(0, total))
    stop = data.draw(st.integers(start, min(total, start + 50)))
    part = types_by_rank(n, s, start, stop)
    assert part.shape == (stop - start, s)
    if len(part):
        assert (part.sum(axis=1) == n).all()
        assert (part >= 0).all()
        # strictly increasing in lexicographic order
        keys = [tuple(row) for row in part.tolist()]
        assert keys == sorted(set(keys))


@pytest.mark.parametrize("probabilities", [("1/2", "1/2"), ("2/5", "3/10", "1/5", "1/10"), ("1/3", "0", "2/3")])
def test_weights_match_brute_force_over_sequences(probabilities):
    p = [Fraction(x) for x in probabilities]
    n = 5
    brute = Counter()
    for sequence in itertools.product(range(len(p)), repeat=n):
        brute[tuple(sequence.count(z) for z in range(len(p)))] += math.prod(p[z] for z in sequence)
    types = types_by_rank(n, len(p), 0, count_types(n, len(p)))
    integers, denominator = multinomial_integers(tuple(p), n, types)
    floats = multinomial_floats(tuple(p), n)(types)
    for row, integer, number in zip(types.tolist(), integers, floats, strict=True):
        assert Fraction(integer, denominator) == brute[tuple(row)]
        assert number == pytest.approx(float(brute[tuple(row)]), rel=2e-15)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "p"), [(10, "1/2"), (500, "1/1000"), (10_001, "1/2"), (3000, "999/1000")])
def test_float_weights_keep_their_certified_error(n, p):
    share = Fraction(p)
    weights = multinomial_floats((1 - share, share), n)
    ranks = np.unique(np.linspace(0, n, 60).astype(int))
    found = np.concatenate([weights(types_by_rank(n, 2, r, r + 1)) for r in ranks])
    with mpmath.workdps(60):
        for rank, number in zip(ranks, found, strict=True):
            k = n - int(rank)  # rank counts the first outcome
            q = mpmath.mpf(share.numerator) / share.denominator
            true = mpmath.binomial(n, k) * q**k * (1 - q) ** (n - k)
            if true > mpmath.mpf(2) ** -1000:
                assert abs(number - true) <= weights.relative_error * true


def test_floats_do_not_depend_on_many_outcomes():
    # 600 outcomes: the product of mantissas would underflow if it were not renormalised.
    s = 600
    weights = multinomial_floats((Fraction(1, s),) * s, 1)
    assert weights(types_by_rank(1, s, 0, s)) == pytest.approx(np.full(s, 1 / s), rel=1e-12)


@pytest.mark.parametrize("n", [1, 7, 60])
def test_total_probability_is_one(n):
    oracle = _oracle(("1/7", "2/7", "4/7"), n)
    everything = lambda risks: np.ones(len(risks), bool)  # noqa: E731
    assert oracle.probability(everything, rational=True) == 1
    assert abs(oracle.probability(everything) - 1) <= oracle.relative_error + 2**-52


@pytest.mark.parametrize("n", [1, 5, 40])
def test_moments_of_the_multinomial(n):
    p = Fraction(3, 10)
    oracle = _oracle(("7/10", p), n)
    assert oracle.expectation(lambda r: r[:, 0, 0], rational=True) == p
    variance = oracle.expectation(lambda r: (r[:, 0, 0] - 0.3) ** 2)
    assert variance == pytest.approx(float(p * (1 - p)) / n, rel=1e-12)
    both = oracle.expectation(lambda r: np.stack([r[:, 0, 0], r[:, 0, 0] ** 2], axis=1))
    assert both == pytest.approx([0.3, float(p * (1 - p)) / n + 0.09], rel=1e-12)


def test_rational_and_float_agree_and_chunks_do_not_matter(monkeypatch):
    oracle = _oracle(("1/4", "1/4", "1/2"), 30)
    event = lambda r: r[:, 0, 0] > 0.55  # noqa: E731
    exact = oracle.probability(event, rational=True)
    whole = oracle.probability(event)
    monkeypatch.setattr("moltheory.oracle._enumeration._CHUNK_BYTES", 4096)
    assert oracle.probability(event) == whole == pytest.approx(float(exact), rel=1e-14)
    assert oracle.probability(event, rational=True) == exact


def test_too_many_types_are_refused_with_count_and_limit():
    with pytest.raises(TooLargeError, match=r"has 167668501 sample types, above the limit of 100000000;"):
        _oracle(("1/4",) * 4, 1000)
    with pytest.raises(TooLargeError, match=r"has about 1e59 sample types, above the limit"):
        _oracle(("1/100",) * 100, 100)
    # more digits than Python prints
    with pytest.raises(TooLargeError, match=r"has about 1e6018 sample types, above the limit"):
        _oracle(("1/10000",) * 10_000, 10_000)
    big = _oracle(("1/4",) * 4, 200)
    assert big.n_types == 1_373_701
    with pytest.raises(TooLargeError, match=r"1373701 sample types, above the limit of 1000000 for exact fractions"):
        big.probability(lambda r: r[:, 0, 0] > 0, rational=True)


def test_refusals():
    oracle = _oracle(("1/2", "1/2"), 3)
    with pytest.raises(InvalidInputError, match="`event` must return bools, got dtype float64"):
        oracle.probability(lambda r: r[:, 0, 0])
    with pytest.raises(InvalidInputError, match=r"`f` must return \d+ rows, got shape"):
        oracle.expectation(lambda r: np.zeros(7))
    with pytest.raises(InvalidInputError, match="`f` must not return NaN"):
        oracle.expectation(lambda r: np.full(len(r), np.nan))
    with pytest.raises(InvalidInputError, match="`n` must be an integer >= 1, got 0"):
        _oracle(("1/2", "1/2"), 0)
