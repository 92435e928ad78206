"""The guarantee itself: the exact probability that a certificate says anything false is at most delta.

The worlds are small enough to visit every sample (up to order) through the public call; ties and near-ties are where
false claims are likely, and large deltas make them visible.
"""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import moltheory as mt

from ._truth import Array, beats, exact_failure, says_something_false

_UNIFORM = {s: [Fraction(1, s)] * s for s in (2, 3, 4)}
_TENTHS = [Fraction(4, 10), Fraction(3, 10), Fraction(2, 10), Fraction(1, 10)]

_COINS = np.array([[[0.0], [1.0]], [[1.0], [0.0]]])
_TRIPLE = np.array([[[0, 1], [1, 0], [1, 1]], [[1, 0], [0, 1], [0, 0]], [[0, 0], [0, 1], [1, 0]]], dtype=float)
_THREE = np.array(
    [[[0, 1, 0], [1, 0, 0], [0, 1, 0]], [[1, 0, 1], [0, 1, 1], [1, 0, 1]], [[0, 0, 1], [0, 0, 1], [1, 0, 0]]],
    dtype=float,
)
# probabilities, losses (s, H, N), sample size
_BINARY: dict[str, tuple[list[Fraction], Array, int]] = {
    "tie": (_UNIFORM[2], _COINS, 30),
    "near-tie": ([Fraction(9, 20), Fraction(11, 20)], _COINS, 60),
    "reference": (_TENTHS, mt.problems.reference_world().losses, 6),
    "crossing": (_UNIFORM[3], _TRIPLE, 9),
    "three objectives": ([Fraction(1, 2), Fraction(3, 8), Fraction(1, 8)], _THREE, 9),
}


def _true(probabilities: list[Fraction], losses: Array) -> Array:
    return np.tensordot([float(p) for p in probabilities], losses, axes=1)


_CASES = [("tie", method) for method in ("auto", "paired", "boxes")] + [
    (name, "auto") for name in ("near-tie", "reference", "crossing", "three objectives")
]


@pytest.mark.parametrize(("name", "method"), _CASES)
def test_false_claims_about_0_1_losses_are_as_rare_as_promised(name: str, method: str) -> None:
    probabilities, losses, n = _BINARY[name]
    true, delta = _true(probabilities, losses), 0.4

    def failed(counts: Array) -> bool:
        certificate = mt.certify(np.repeat(losses, counts, axis=0), delta=delta, method=method)
        return says_something_false(certificate, true)

    assert exact_failure(probabilities, n, failed) <= delta


def test_a_tie_is_claimed_apart_about_as_often_as_promised() -> None:
    # Both models are on the front; the share for verdicts, 95 % of delta, is spent on two true hypotheses.
    def failed(counts: Array) -> bool:
        certificate = mt.certify(np.repeat(_COINS, counts, axis=0), delta=0.4, method="paired")
        return says_something_false(certificate, np.full((2, 1), 0.5))

    found = exact_failure(_UNIFORM[2], 100, failed)
    assert 0.25 < found <= 0.38


def test_known_costs_do_not_break_it() -> None:
    probabilities, losses, n = _BINARY["crossing"]
    costs = np.array([1.0, 1.0, 2.0])
    true = np.column_stack([_true(probabilities, losses), costs])

    def failed(counts: Array) -> bool:
        certificate = mt.certify(np.repeat(losses, counts, axis=0), costs=costs, delta=0.4)
        return says_something_false(certificate, true)

    assert exact_failure(probabilities, n, failed) <= 0.4


def test_replacements_exactly_at_the_slack() -> None:
    # The dear model is better by exactly 0.1, so "as good within the slack" is false, by nothing.
    probabilities = [Fraction(11, 20), Fraction(9, 20)]
    true = np.column_stack([_true(probabilities, _COINS), [2.0, 1.0]])
    assert true[1, 0] - true[0, 0] == pytest.approx(0.1)
    claimed = []

    def failed(counts: Array) -> bool:
        table = np.repeat(_COINS, counts, axis=0)
        certificate = mt.certify(table, costs=true[:, 1], delta=0.6, epsilon=0.1, method="paired")
        claimed.append(certificate.replaceable_by[0])
        return says_something_false(certificate, true, [0.1, 0.0])

    assert exact_failure(probabilities, 60, failed) <= 0.6
    assert 1 in claimed


@pytest.mark.parametrize("epsilon", [0.1, 0.5])
def test_slack_exactly_at_the_difference(epsilon: float) -> None:
    # The models differ by exactly 0.1, so slack 0.1 is the boundary case of both kinds of claims.
    probabilities = [Fraction(9, 20), Fraction(11, 20)]
    true = _true(probabilities, _COINS)

    def failed(counts: Array) -> bool:
        certificate = mt.certify(np.repeat(_COINS, counts, axis=0), delta=0.5, epsilon=epsilon, method="paired")
        return says_something_false(certificate, true, epsilon)

    assert exact_failure(probabilities, 80, failed) <= 0.5


@pytest.mark.parametrize("seed", range(3))
def test_random_worlds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    models, m = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    losses = rng.integers(0, 2, (4, models, m)).astype(float)
    weights = rng.multinomial(12, [0.25] * 4) + 1
    probabilities = [Fraction(int(w), int(weights.sum())) for w in weights]
    true, maximise = _true(probabilities, losses), [bool(flag) for flag in rng.integers(0, 2, m)]

    def failed(counts: Array) -> bool:
        table = np.repeat(losses, counts, axis=0)
        return says_something_false(mt.certify(table, delta=0.5, maximise=maximise), true)

    assert exact_failure(probabilities, 6, failed) <= 0.5


@pytest.mark.parametrize("epsilon", [0.0, 0.25])
def test_bounded_losses_by_paired_bets(epsilon: float) -> None:
    losses = np.array([[[0.0], [0.5]], [[1.0], [0.25]], [[0.5], [0.75]]])
    true = _true(_UNIFORM[3], losses)
    assert true[0] == true[1]

    def failed(counts: Array) -> bool:
        certificate = mt.certify(np.repeat(losses, counts, axis=0), delta=0.6, method="paired", epsilon=epsilon)
        return says_something_false(certificate, true, epsilon)

    assert exact_failure(_UNIFORM[3], 16, failed) <= 0.6


def test_bounded_losses_in_every_order() -> None:
    # Boxes of bounded losses depend on the order, so all 3^5 sequences are visited.
    losses = np.array([[[0.0, 1.0], [0.5, 0.0]], [[1.0, 0.5], [0.25, 1.0]], [[0.5, 0.0], [0.75, 0.25]]])
    probabilities = [0.5, 0.25, 0.25]
    true = np.tensordot(probabilities, losses, axes=1)
    wrong = [
        math.prod(probabilities[z] for z in draw)
        for draw in itertools.product(range(3), repeat=5)
        if says_something_false(mt.certify(losses[list(draw)], delta=0.5), true)
    ]
    assert math.fsum(wrong) <= 0.5


@pytest.mark.parametrize("method", ["auto", "paired"])
@pytest.mark.parametrize("epsilon", [0.0, 0.125])
def test_clusters_of_unequal_sizes(method: str, epsilon: float) -> None:
    # Three kinds of clusters of 1, 2 and 3 examples; the means over examples tie.
    kinds = [np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])]
    true = (np.array([kind.sum(axis=0) for kind in kinds]).sum(axis=0) / 6.0)[:, None]
    assert true[0] == true[1]

    def failed(counts: Array) -> bool:
        drawn = [kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count)]
        labels = np.repeat(np.arange(len(drawn)), [len(kind) for kind in drawn])
        if labels.size == len(drawn):
            return False  # all clusters are single examples: they say nothing of larger ones
        certificate = mt.certify(np.concatenate(drawn), clusters=labels, delta=0.6, method=method, epsilon=epsilon)
        return says_something_false(certificate, true, epsilon)

    assert exact_failure(_UNIFORM[3], 12, failed) <= 0.6


def test_losses_missing_at_random() -> None:
    # Outcome = (example, which of the models was evaluated), independent of each other.
    nan = np.nan
    rows = [[0.0, 1.0], [1.0, 0.0], [0.0, nan], [1.0, nan]]
    losses = np.array(rows)[:, :, None]

    def failed(counts: Array) -> bool:
        if counts[0] + counts[1] == 0:
            return False  # refused: the second model was never evaluated
        certificate = mt.certify(np.repeat(losses, counts, axis=0), delta=0.6)
        return says_something_false(certificate, np.full((2, 1), 0.5))

    assert exact_failure(_UNIFORM[4], 7, failed) <= 0.6


def test_measures_of_groups() -> None:
    # Errors in two groups, given by the first entry of the outcome; worst group and gap tie between the models.
    where = np.array([True, True, False, False])
    wrong = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])

    def failed(counts: Array) -> bool:
        losses, group = np.repeat(wrong, counts, axis=0), np.repeat(where, counts)
        if group.all() or not group.any():
            return False  # refused: an empty group
        a, b = (mt.objectives.Rate(losses, part) for part in (group, ~group))
        measures = {
            "worst": mt.objectives.Worst([a, b]),
            "gap": mt.objectives.Gap(a, b),
            "mean": mt.objectives.Mean(losses),
        }
        certificate = mt.certify(None, objectives=measures, delta=0.6)
        return says_something_false(certificate, np.array([[0.5, 0.0, 0.5]] * 2))

    assert exact_failure(_UNIFORM[4], 6, failed) <= 0.6


def test_the_definition_of_slack() -> None:
    true = np.array([[0.2, 1.0], [0.25, 1.0], [0.4, 2.0], [0.1, 3.0]])
    assert beats(true).any(axis=0).tolist() == [False, True, True, False]
    assert beats(true, [0.1, 0.0]).any(axis=0).tolist() == [False, False, True, False]


def _simulated(rng: np.random.Generator, models: int, m: int) -> tuple[Array, Array]:
    """Correlated models with ties and near-ties: losses (n, M, m) and true means (M, m)."""
    n = int(rng.choice([50, 200, 800]))
    true = rng.choice([0.2, 0.21, 0.3], size=(models, m))
    easy = rng.random((n, 1, m))
    own = rng.random((n, models, m))
    # Each model errs on its hardest examples, with the common hardness or one of its own.
    hardness = np.where(rng.random((n, 1, m)) < 0.8, easy, own)
    return (hardness < true).astype(float), true


@pytest.mark.slow
@pytest.mark.parametrize(("models", "m"), [(2, 2), (10, 3), (40, 5), (200, 2)])
def test_simulated_worlds(models: int, m: int, rng: np.random.Generator) -> None:
    delta, runs = 0.2, 60 if models < 100 else 15
    false = 0
    for _ in range(runs):
        losses, true = _simulated(rng, models, m)
        false += says_something_false(mt.certify(losses, delta=delta), true)
    # P(Bin(runs, delta) > limit) < 1e-3
    limit: Any = runs * delta + 3.2 * math.sqrt(runs * delta * (1 - delta))
    assert false <= limit
