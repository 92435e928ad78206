"""Intervals of quantiles, capped CVaR and AUC hold exactly; tails need no range where none is needed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.errors import InvalidInputError
from moltheory.evaluation import AUCError, CVaR, Quantile, _order_statistics
from moltheory.testing import check_measure

Array = np.ndarray[Any, Any]


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    for bars in itertools.combinations(range(total + parts - 1), parts - 1):
        ends = (-1, *bars, total + parts - 1)
        yield tuple(ends[i + 1] - ends[i] - 1 for i in range(parts))


def _chances(types: Array, law: Array) -> Array:
    logs = np.array([math.lgamma(sum(kind) + 1) - sum(math.lgamma(k + 1) for k in kind) for kind in types.tolist()])
    reached = (types[:, law == 0] == 0).all(axis=1)
    found: Array = np.where(reached, np.exp(logs + types @ np.log(np.where(law > 0, law, 1.0))), 0.0)
    return found


def _misses(n: int, p: float, delta: float) -> float:
    """Return the largest probability, over laws on three points, that one side misses, over delta / 2."""
    types = np.array(list(_compositions(n, 3)))
    tail = Quantile(np.zeros((1, 1)), p)
    ends = np.array(
        [
            tail.interval(np.repeat([0.0, 1.0, 2.0], kind), delta=delta, loss_range=(-math.inf, math.inf))
            for kind in types
        ]
    )
    worst = 0.0
    for parts in _compositions(8, 3):
        law = np.array(parts) / 8
        true, chances = float(np.argmax(np.cumsum(law) >= p)), _chances(types, law)
        worst = max(worst, float(chances[ends[:, 0] > true].sum()), float(chances[ends[:, 1] < true].sum()))
    return worst / (0.5 * delta)


@pytest.mark.parametrize("n", [1, 2, 5, 7])
@pytest.mark.parametrize("p", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("delta", [0.5, 0.1])
def test_each_side_of_a_quantile_misses_with_at_most_half_of_delta(n: int, p: float, delta: float) -> None:
    assert _misses(n, p, delta) <= 1.0 + 1e-9


@pytest.mark.parametrize(("name", "step"), [("most", 1), ("fewest", -1)])
def test_ranks_that_are_narrower_by_one_miss_too_often(name: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from moltheory.evaluation import _tails

    exact = getattr(_order_statistics, name)
    monkeypatch.setattr(_tails, name, lambda *arguments: exact(*arguments) + step)
    # Just above the grid of the laws: a chance below the quantile that is nearly p.
    assert max(_misses(7, p, 0.1) for p in (0.2501, 0.5, 0.5001, 0.7501)) > 1.0


def test_an_interval_is_infinite_until_there_are_enough_examples() -> None:
    tail = Quantile([[1.0]], 0.95)
    needed = tail.examples_needed(0.05)
    assert needed == 72
    for n, finite in ((needed - 1, False), (needed, True)):
        low, high = tail.interval(np.arange(float(n)), delta=0.05, loss_range=(-math.inf, math.inf))
        assert (math.isfinite(high), math.isfinite(low)) == (finite, True)
        assert tail.interval(np.arange(float(n)), delta=0.05, loss_range=(0.0, 100.0))[1] == (
            n - 1 if finite else 100.0
        )


def test_quantiles_of_any_size_need_no_range_and_say_what_is_not_bounded() -> None:
    seconds = np.random.default_rng(0).lognormal(3.0, 1.0, (60, 2)) * [1.0, 4.0]
    certificate = mt.certify(None, objectives={"p95": Quantile(seconds, 0.95), "p50": Quantile(seconds, 0.5)})
    assert np.isinf(certificate.boxes[:, 0, 1]).all()
    assert np.isfinite(certificate.boxes[:, 1]).all()
    assert mt.Certificate.from_json(certificate.to_json()) == certificate
    stated = mt.certify(None, objectives={"p95": Quantile(seconds, 0.95)}, loss_range=(0.0, 5000.0))
    assert stated.boxes[:, 0, 1].tolist() == [5000.0, 5000.0]
    with pytest.raises(InvalidInputError, match=r"loss_range.*\[0, 1\].*got"):
        mt.certify(None, objectives={"p95": Quantile(seconds, 0.95)}, loss_range=(0.0, 1.0))


def test_values_that_were_not_measured_are_left_out() -> None:
    seconds = np.random.default_rng(1).lognormal(0.0, 1.0, (200, 2))
    gaps = seconds.copy()
    gaps[150:, 0] = np.nan
    found = mt.certify(None, objectives={"p50": Quantile(gaps, 0.5)})
    alone = mt.certify(None, objectives={"p50": Quantile(seconds[:150], 0.5)})
    np.testing.assert_array_equal(found.boxes[0], alone.boxes[0])
    assert found.estimates[0] == alone.estimates[0]
    assert any("evaluated on an example is independent" in sentence for sentence in found.assumptions)
    assert not any("never leave their range" in sentence for sentence in found.assumptions)


def test_refusals_of_tails(refuses: Any) -> None:
    refuses("losses", Quantile, [[1.0, np.nan], [2.0, np.nan]])
    assert "time limit" in refuses("losses", Quantile, [[1.0], [np.inf]])
    refuses("losses", Quantile, [1.0, 2.0])
    refuses("losses", Quantile, [["a"]])
    refuses("probability", Quantile, [[1.0]], 1.0)
    refuses("cap", CVaR, [[1.0]], cap=0.0)
    refuses("losses", CVaR, [[-1.0]], cap=5.0)
    refuses("cap", CVaR, [[1.0]], cap=np.inf)
    refuses("positive", AUCError, [[0.1], [0.2]], [True, True])
    refuses("positive", AUCError, [[0.1], [0.2]], [True])
    refuses("positive", AUCError, [[0.1], [0.2]], [1, 0])
    refuses("losses", AUCError, [[0.1], [np.nan]], [True, False])


def test_cvar_with_a_cap_is_that_of_capped_losses() -> None:
    seconds = np.random.default_rng(2).lognormal(0.0, 2.0, (500, 2))
    tail = CVaR(seconds, share=0.2, cap=30.0)
    check_measure(tail, loss_range=(0.0, 30.0), draws=50)
    found = mt.certify(None, objectives={"cvar": tail})
    same = mt.certify(None, objectives={"cvar": CVaR(np.minimum(seconds, 30.0), share=0.2)}, loss_range=(0.0, 30.0))
    np.testing.assert_array_equal(found.boxes, same.boxes)
    with pytest.raises(InvalidInputError, match=r"CVaR\(values, cap=...\)"):
        mt.certify(None, objectives={"cvar": CVaR(seconds)})
    with pytest.raises(InvalidInputError, match="finite"):
        mt.certify(None, objectives={"cvar": CVaR(seconds)}, loss_range=(0.0, np.inf))


def test_auc_is_that_of_sklearn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(3)
    positive, scores = rng.random(600) < 0.3, rng.integers(0, 20, (600, 3)) / 7.0
    scores[:, 1] += 0.5 * positive
    scores[:, 2] += 3.0 * positive
    tail = AUCError(scores, positive)
    found = mt.certify(None, objectives={"1 - AUC": tail}, names=["a", "b", "c"])
    wanted = [1.0 - roc_auc_score(positive, column) for column in scores.T]
    np.testing.assert_allclose(found.estimates[:, 0], wanted, rtol=1e-12)
    assert found.status == ("excluded", "excluded", "sure")
    assert mt.certify(None, objectives=[tail], method="paired").boxes.tolist() == [[[0.0, 1.0]]] * 3


def _auc_misses(n_positive: int, n_negative: int, delta: float, pairs: int) -> float:
    """Return the largest probability that the interval misses, over laws on three scores, at a number of pairs."""
    from moltheory.inference._kl import kl_inverse

    positive = np.array([True] * n_positive + [False] * n_negative)
    kinds = [np.array(list(_compositions(n, 3))) for n in (n_positive, n_negative)]
    table = np.array(
        [
            [
                AUCError(np.concatenate([np.repeat([0.0, 1.0, 2.0], k) for k in (a, b)])[:, None], positive).value(
                    np.concatenate([np.repeat([0.0, 1.0, 2.0], k) for k in (a, b)])
                )
                for b in kinds[1]
            ]
            for a in kinds[0]
        ]
    )
    budget = math.log(2.0 / delta) / pairs
    low, high = (kl_inverse(table, budget, side=side) for side in ("lower", "upper"))
    kernel = np.array([[0.5, 1.0, 1.0], [0.0, 0.5, 1.0], [0.0, 0.0, 0.5]])
    worst, laws = 0.0, [np.array(parts) / 4 for parts in _compositions(4, 3)]
    for first, second in itertools.product(laws, laws):
        true = float(first @ kernel @ second)
        chances = np.outer(_chances(kinds[0], first), _chances(kinds[1], second))
        worst = max(worst, float(chances[(true < low - 1e-9) | (true > high + 1e-9)].sum()))
    return worst


def test_auc_intervals_hold_exactly_and_would_not_with_all_pairs_as_independent() -> None:
    assert _auc_misses(2, 5, 0.4, pairs=2) <= 0.4
    assert _auc_misses(4, 4, 0.2, pairs=4) <= 0.2
    assert _auc_misses(2, 5, 0.4, pairs=10) > 0.4
    scores = np.array([3.0, 1.0, 2.0, 0.0])
    tail = AUCError(scores[:, None], [True, True, False, False])
    low, high = tail.interval(scores, delta=0.2, loss_range=(0.0, 1.0))
    assert low == pytest.approx(float(mt.bounds.kl_inverse(0.25, math.log(10.0) / 2, side="lower")), rel=1e-9)
    assert high == pytest.approx(float(mt.bounds.kl_inverse(0.25, math.log(10.0) / 2)), rel=1e-9)
