"""Paired tests of tails count only where they are of the value; latency fronts are settled by them, and rightly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification._tail_tests import has_tail_test, tail_p_values, tail_test_name
from moltheory.errors import InvalidInputError
from moltheory.evaluation import AUCError, CVaR, ExceedanceRate, Quantile, Tail
from moltheory.evaluation._objectives import Objective
from moltheory.objectives import Mean
from moltheory.testing import ContractError, check_measure

Array = np.ndarray[Any, Any]
_N_MODELS, _N_REQUESTS = 20, 1000
# What certificates give to verdicts of delta = 0.05.
_VERDICTS = 0.0425


def _seconds(n: int = 300) -> Array:
    rng = np.random.default_rng(0)
    return np.exp(rng.normal(size=(n, 1)) + 0.2 * rng.normal(size=(n, 2)) + [0.0, 0.5])


class Doubled(Quantile):
    """Another value, with the paired test of its parent."""

    def value(self, losses: Array) -> float:
        return 2.0 * super().value(losses)

    def interval(self, losses: Array, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        low, high = super().interval(losses, delta=delta, loss_range=loss_range)
        return 2.0 * low, 2.0 * high


class Hasty(Quantile):
    """A paired test that finds too much."""

    def value(self, losses: Array) -> float:
        return super().value(losses)

    def interval(self, losses: Array, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        return super().interval(losses, delta=delta, loss_range=loss_range)

    def paired_p_values(self, shift: float) -> Array:
        # Out of place, the medians alone.
        medians = np.median(self.losses, axis=0)
        return np.where(medians[:, None] < medians[None, :] + shift, 0.01, 1.0)


class Misshapen(Hasty):
    def paired_p_values(self, shift: float) -> Array:
        return np.zeros(2)


def test_which_tails_have_a_paired_test() -> None:
    seconds = _seconds()
    tails: dict[str, Tail] = {
        "quantile": Quantile(seconds),
        "doubled": Doubled(seconds),
        "cvar": CVaR(seconds, cap=60.0),
        "auc": AUCError(seconds, np.arange(300) % 2 == 0),
    }
    on_itself = Quantile(seconds)
    on_itself.paired_p_values = lambda shift: np.zeros((2, 2))  # type: ignore[method-assign]
    tails["on itself"] = on_itself
    objectives = {name: Objective(name, tail=tail) for name, tail in tails.items()}
    assert [name for name, objective in objectives.items() if has_tail_test(objective)] == ["quantile"]
    assert tail_p_values(objectives["doubled"], 0.0) is None
    assert tail_p_values(Objective("mean", (0,), Mean(seconds > 1.0)), 0.0) is None
    assert tail_test_name(objectives["cvar"]) == "no paired test"
    assert "McNemar" in tail_test_name(objectives["quantile"])


def test_p_values_are_small_for_the_smaller_tail() -> None:
    p = tail_p_values(Objective("p50", tail=Quantile(_seconds(), 0.5)), 0.0)
    assert p is not None
    assert p[0, 1] < 1e-3
    assert p[1, 0] == 1.0
    assert p.diagonal().tolist() == [1.0, 1.0]


def test_foreign_paired_tests_are_checked() -> None:
    seconds = _seconds()
    with pytest.raises(InvalidInputError, match="p-values \\(2, 2\\)"):
        tail_p_values(Objective("p", tail=Misshapen(seconds)), 0.0)
    with pytest.raises(ContractError, match="paired_p_values must return"):
        check_measure(Misshapen(seconds), draws=10)
    with pytest.raises(ContractError, match="paired_p_values must be at most"):
        check_measure(Hasty(seconds), draws=200)


def _world(seed: int) -> tuple[Array, Array, Array]:
    """Return seconds (n, M), prices (M,) and whether each model is on the front of (any quantile of seconds, price).

    Every second model is dominated by the cheaper one before it, by 30 %. Requests have a common factor, such as length.
    """
    rng = np.random.default_rng(seed)
    place = np.arange(_N_MODELS)
    typical = 0.3 * 30.0 ** (1.0 - (place - place % 2) / _N_MODELS) * np.where(place % 2, 1.3, 1.0)
    noise = 0.5 * rng.normal(size=(_N_REQUESTS, 1)) + 0.4 * rng.normal(size=(_N_REQUESTS, _N_MODELS))
    return typical * np.exp(noise), 1.0 + place, place % 2 == 0


def _complement(p: Array, price: Array) -> tuple[Array, Array]:
    """Return excluded and sure models by one price per model, with rivals that are at least as cheap."""
    allowed = (price[:, None] <= price) & ~np.eye(price.size, dtype=bool)
    level = _VERDICTS / price.size
    excluded = (allowed & (p <= level / np.maximum(allowed.sum(axis=0), 1))).any(axis=0)
    sure = (~allowed.T | (p <= level)).all(axis=1)
    return np.asarray(excluded), np.asarray(sure)


@pytest.mark.parametrize("probability", [0.5, 0.95])
def test_a_latency_front_is_settled_by_half_and_rightly(probability: float) -> None:
    settled = []
    for seed in range(10):
        seconds, price, front = _world(seed)
        p = tail_p_values(Objective("seconds", tail=Quantile(seconds, probability)), 0.0)
        assert p is not None
        excluded, sure = _complement(p, price)
        assert not (excluded & front).any()
        assert not (sure & ~front).any()
        settled.append((excluded | sure).mean())
    assert np.mean(settled) >= 0.5


def test_a_service_level_front_is_settled_by_half_and_rightly() -> None:
    settled = []
    for seed in range(5):
        seconds, price, front = _world(seed)
        found = mt.certify(None, objectives={"late": ExceedanceRate(seconds, 2.0)}, costs={"price": price})
        assert not (found.excluded & front).any()
        assert not (found.sure & ~front).any()
        settled.append((found.excluded | found.sure).mean())
    assert np.mean(settled) >= 0.5
