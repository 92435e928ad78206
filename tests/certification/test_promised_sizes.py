"""Sizes that are promised to settle a share of the cases settle that share, by `certify` itself."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import moltheory as mt
from moltheory.certification import further_examples, more_examples, planned_sizes
from moltheory.certification._sample_size import mcnemar_power
from moltheory.inference._pairs import PairCounts

Array = np.ndarray[Any, Any]


def _most_lost(total: int, n: int, dtype: type) -> int:
    """Most of `total` disagreements that the better model may lose for `certify` to exclude the other by paired tests."""
    low, high = -1, total // 2
    while low < high:
        lost = (low + high + 1) // 2
        losses = np.zeros((n, 2), dtype=dtype)
        losses[:lost, 0] = losses[lost:total, 1] = 1
        certificate = mt.certify(losses)
        # At level delta exactly the boxes were needed.
        low, high = (
            (lost, high) if certificate.excluded[1] and certificate.adjusted_p_value[1] < 0.05 else (low, lost - 1)
        )
    return low


@pytest.mark.slow
@pytest.mark.parametrize(("losses", "dtype"), [("any", float), ("any", bool), ("bool", bool)])
def test_planned_sizes_have_their_power_by_certify(losses: str, dtype: type) -> None:
    gap, rate = 0.1, 0.2
    n = int(planned_sizes(gap, n_models=2, disagreement=rate, losses=losses)["paired"].iloc[0])
    totals = np.arange(n + 1)
    chances = stats.binom.pmf(totals, n, rate)
    wins = [
        stats.binom.cdf(_most_lost(int(d), n, dtype), d, 0.5 * (1.0 - gap / rate)) if chances[d] > 1e-9 else 0.0
        for d in totals
    ]
    assert 0.8 <= chances @ wins < 0.83


def test_planned_sizes_for_bools_fall_short_for_floats() -> None:
    table = planned_sizes(0.03, n_models=2, disagreement=0.07)
    free = planned_sizes(0.03, n_models=2, disagreement=0.07, losses="bool")
    assert (free["paired"].iloc[0], table["paired"].iloc[0]) == (679, 681)
    short = mcnemar_power(679, 0.03, 0.07, level=table["level"].iloc[0])
    assert short == pytest.approx(0.7987, abs=1e-4)


# True means (M, N), a spread for normal losses or None for 0/1 losses, and a number of examples.
_WORLDS: dict[str, tuple[Array, float | None, int]] = {
    "0/1": (np.array([[0.10], [0.14]]), None, 400),
    "0/1, near": (np.array([[0.10], [0.115]]), None, 400),
    "0/1, five models": (np.array([[0.10], [0.13], [0.15], [0.14], [0.2]]), None, 400),
    "0/1, neither": (np.array([[0.10, 0.2], [0.13, 0.16]]), None, 400),
    "0/1, three models": (np.array([[0.10, 0.2], [0.13, 0.15], [0.12, 0.25]]), None, 400),
    "bounded": (np.array([[0.30], [0.33]]), 0.15, 150),
    "bounded, near": (np.array([[0.30], [0.31]]), 0.15, 150),
}
# Sizes beyond are as good as infinite here.
_LARGEST = 100_000


def _settled(name: str, runs: int) -> tuple[Array, Array]:
    """Whether `bound` settled at the observed rates, and whether `bound_high` failed at the true ones."""
    true, spread, n = _WORLDS[name]
    rng = np.random.default_rng(len(name))

    def fresh(size: int) -> Array:
        if spread is not None:
            return np.clip(true + spread * rng.standard_normal((size, *true.shape)), 0.0, 1.0)
        common = rng.random((size, 1, true.shape[1]))
        own = rng.random((size, *true.shape))
        drawn: Array = (np.where(rng.random(common.shape) < 0.5, common, own) < true).astype(float)
        return drawn

    def settles(losses: Array, more: float, model: str, source: Callable[[int], Array]) -> bool:
        certificate = mt.certify(np.concatenate([losses, source(int(more))]))
        return not certificate.undecided[certificate.names.index(model)]

    enough, failed = [], []
    for _ in range(runs):
        losses = fresh(n)
        certificate = mt.certify(losses)

        def again(size: int, losses: Array = losses) -> Array:
            return losses[rng.integers(0, n, size)]

        for row in further_examples(losses, certificate, simulate=0).to_dict("records"):
            if row["bound"] < _LARGEST:
                enough.append(settles(losses, row["bound"], row["model"], again))
            size = row["bound_high"]
            failed.append(size < _LARGEST and not settles(losses, size, row["model"], fresh))
    return np.array(enough), np.array(failed)


def _check(name: str, runs: int) -> None:
    enough, failed = _settled(name, runs)
    assert enough.size >= runs / 4
    assert enough.mean() >= 0.8 - 3.0 * math.sqrt(0.16 / enough.size)
    assert failed.mean() <= 0.2 + 3.0 * math.sqrt(0.16 / failed.size)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["0/1", "bounded, near"])
def test_further_examples_settle_the_share_that_they_promise(name: str) -> None:
    _check(name, 25)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(_WORLDS))
def test_further_examples_settle_their_share_in_many_runs(name: str) -> None:
    _check(name, 300)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bounded", "bounded, near"])
def test_so_they_do_where_pairs_are_not_bet_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moltheory.certification._pair_bets._PRODUCTS", 0)
    _check(name, 300)


def test_every_claim_has_a_level() -> None:
    """Four objectives and two models: to confirm takes more than to exclude."""
    rng = np.random.default_rng(3)
    losses = (rng.random((300, 2, 4)) < [[0.1, 0.2, 0.3, 0.2], [0.14, 0.16, 0.3, 0.2]]).astype(float)
    certificate = mt.certify(losses)
    anything = further_examples(losses, certificate, simulate=0)
    whole = further_examples(losses.astype(bool), certificate, simulate=0)
    assert (anything["bound"] > whole["bound"]).all()
    alone = [PairCounts(2) for _ in range(4)]
    for k, counts in enumerate(alone):
        counts.update(losses[:, :, k])
    sizes: dict[str, float] = {}
    for counts in alone:
        pair = more_examples([counts], level=0.85 * 0.05 / 8.0, power=1.0 - 0.2 / 4.0, simulate=0)
        better = {"model dominates": "model_1", "rival dominates": "model_2"}.get(pair["outcome"][0], "")
        sizes[better] = min(sizes.get(better, math.inf), pair["bound"][0])
    # The objective that is cheapest in favor of a model keeps it on the front.
    assert whole.set_index("model")["bound"].to_dict() == {name: sizes[name] for name in whole["model"]}
