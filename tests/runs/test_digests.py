"""Fingerprints: equal for equal content, different for any other."""

import copy
import functools
import math
import pickle
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from moltheory.problems import FiniteWorld, exchangeable_decoys, from_predictions, near_tie, two_coins
from moltheory.runs import fingerprint

_COPIED = [
    *(None, True, False, 0, 1, -1, 1.0, 0.0, -0.0, math.nan, math.inf, "1", b"1", "", b"", 1j, Fraction(1, 2), 0.5),
    *((), [], {}, set(), frozenset(), (1,), [1], {1}, {1: 2}, {2: 1}, (1, 2), ((1,), 2), (1, (2,))),
    *(("ab", "c"), ("a", "bc"), np.array([1, 2]), np.array([1.0, 2.0]), np.array([[1, 2]]), np.array([[1], [2]])),
    *(np.array([1, 2], np.int32), np.array([2, 1]), np.array([]), np.array([0.0]), np.array([-0.0]), np.int64(1)),
    *(np.array(1), np.array([1, 2], object), np.array(["a"]), np.datetime64("2020-01-01"), np.add, math.sin, math.cos),
    *(np.random.default_rng(0), np.random.default_rng(1), np.random.SeedSequence(1), len, Fraction, two_coins()),
    *(near_tie(0.3, 0.1), near_tie(0.3, 0.2), exchangeable_decoys(2), exchangeable_decoys(3)),
]
# Pickling changes these: to this machine's byte order, and a mask's fill value is filled in.
_DIFFERENT = [
    *_COPIED,
    np.array([1, 2], ">i8"),
    np.ma.masked_array([1, 2], [0, 1]),
    np.ma.masked_array([1, 2], [1, 0]),
]


def test_different_values_have_different_fingerprints():
    assert len({fingerprint(value) for value in _DIFFERENT}) == len(_DIFFERENT)


@pytest.mark.parametrize("value", _COPIED, ids=lambda value: type(value).__name__)
def test_copies_have_equal_fingerprints(value):
    assert fingerprint(copy.deepcopy(value)) == fingerprint(value)
    assert fingerprint(pickle.loads(pickle.dumps(value))) == fingerprint(value)
    assert fingerprint([value, value]) == fingerprint([value, copy.deepcopy(value)])


def test_layout_and_sharing_do_not_matter():
    array = np.arange(12.0).reshape(3, 4)
    assert fingerprint(array) == fingerprint(np.asfortranarray(array)) == fingerprint(array[::-1][::-1])
    assert fingerprint(array.T) != fingerprint(array)
    assert fingerprint({1, 2, 300}) == fingerprint({300, 2, 1})


def test_cycles_end():
    first, second = [1], [1]
    first.append(first)
    second.append(second)
    assert fingerprint(first) == fingerprint(second)


@dataclass
class _Lazy:
    x: int

    @functools.cached_property
    def double(self):
        return 2 * self.x


def test_cached_properties_do_not_count():
    value = _Lazy(3)
    before = fingerprint(value)
    assert value.double == 6
    assert fingerprint(value) == before != fingerprint(_Lazy(4))


def test_problems_keep_their_fingerprint_while_used():
    problem = from_predictions([[0, 1], [1, 1]], [0, 1], objectives=["error"], costs={"size": [1, 2]})
    before = fingerprint(problem)
    sample = problem.sample(5, replicates=3, rng=0)
    problem.true_front()
    problem.widths(sample, delta=0.1)
    assert fingerprint(problem) == before


def test_the_same_in_another_process():
    code = (
        "from moltheory.problems import two_coins; from moltheory.runs import fingerprint; "
        "print(fingerprint((two_coins(), {'a', 'b'})))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == fingerprint((two_coins(), {"a", "b"}))


def test_a_single_bit_counts(rng):
    losses = rng.random((6, 3, 2))
    changed = losses.copy()
    changed[3, 1, 0] = np.nextafter(changed[3, 1, 0], 2)
    weights = [Fraction(1, 6)] * 6
    assert fingerprint(FiniteWorld(weights, losses)) == fingerprint(FiniteWorld(weights, losses.copy()))
    assert fingerprint(FiniteWorld(weights, losses)) != fingerprint(FiniteWorld(weights, changed))


def test_what_has_no_content_is_refused(refuses):
    for value in (lambda: 1, (k for k in range(3)), {"f": lambda: 2}):
        refuses("value", fingerprint, value)
