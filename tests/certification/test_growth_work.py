"""Work of certificates of many models, counted: what occurs once is computed once, and text grows with bits of pairs."""

from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification import _p_values, _pair_bets, _smallest_tolerance
from moltheory.certification._distinct import of_distinct
from moltheory.certification._pair_bets import promising_pairs


def _counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    sizes: list[int] = []
    inner = getattr(module, name)

    def outer(*args: Any, **kwargs: Any) -> Any:
        sizes.append(np.asarray(args[0] if not isinstance(args[0], tuple) else args[0][0]).size)
        return inner(*args, **kwargs)

    monkeypatch.setattr(module, name, outer)
    return sizes


@pytest.mark.parametrize("epsilon", [0.0, 0.05])
def test_each_combination_of_counts_is_tested_once(epsilon: float, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = np.random.default_rng(0).random((12, 700, 1)) < 0.3
    name = "slack_mcnemar" if epsilon else "mcnemar_tails"
    sizes = _counted(monkeypatch, _p_values, name)
    mt.certify(losses, epsilon=epsilon)
    # Of 490,000 pairs; two numbers from 0 to 12 have at most 91 combinations, in one block of rows.
    assert 0 < sum(sizes) <= 91


def test_each_limit_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = _counted(monkeypatch, _smallest_tolerance, "_limits_of_counts")
    mt.certify(np.random.default_rng(0).random((12, 700, 1)) < 0.3).smallest_tolerance()
    assert 0 < sum(sizes) <= 91


@pytest.mark.parametrize("seed", range(6))
def test_distinct_counts_change_no_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = [(), (3,), (400,), (50, 30), (2, 900), (1000,)][seed]
    most = [5, 5, 3, 10**6, 6, 40][seed]
    first, second = (rng.integers(-2, most, shape) for _ in range(2))
    calls: list[int] = []

    def function(a: Any, b: Any) -> Any:
        calls.append(np.size(a))
        return np.exp(-np.abs(a) / 3.0) - np.log1p(b + 3)

    np.testing.assert_array_equal(of_distinct(function, first, second), function(first, second))
    assert calls[0] <= (64 if seed in (2, 4) else first.size)


@pytest.mark.parametrize("seed", range(8))
def test_promising_pairs_are_those_of_one_sort(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    size, n = 40, 10
    scores = rng.normal(size=(size, size)).round(1) * 9
    levels = np.full((size, size), 4.0)
    number, members = int(rng.integers(1, 300)), int(rng.choice([5, 20, 40, 100]))
    monkeypatch.setattr(_pair_bets, "_PRODUCTS", number * n)
    monkeypatch.setattr(_pair_bets, "_HELD", members * n)
    monkeypatch.setattr("moltheory.certification._row_blocks._ENTRIES", 3 * size)
    found = promising_pairs(
        np.ones((size, size)), lambda models: (np.ones_like(scores[models]), scores[models]), levels, n
    )
    first, second = np.nonzero((scores > 0) & (0.5 * scores**2 > 0.8 * 4.0) & ~np.eye(size, dtype=bool))
    order = np.argsort(-scores[first, second], kind="stable")
    first, second = first[order], second[order]
    kept = list(dict.fromkeys(np.stack([first, second], axis=1).ravel().tolist()))[:members]
    held = np.isin(first, kept) & np.isin(second, kept)
    wanted = sorted(zip(first[held][:number].tolist(), second[held][:number].tolist(), strict=True))
    assert list(zip(*(ends.tolist() for ends in found), strict=True)) == wanted


@pytest.mark.parametrize("models", [300, 1200])
def test_text_of_certificates_holds_bits_of_pairs(models: int) -> None:
    rng = np.random.default_rng(0)
    losses = rng.random((300, models, 2)) < np.linspace(0.05, 0.9, models)[None, :, None]
    certificate = mt.certify(losses)
    text = certificate.to_json()
    # Two tables of pairs, of which up to 10,000 pairs are listed; numbers of each model.
    assert len(text) < 2 * max(models**2 / 6, 2e5) + 500 * models
    assert mt.Certificate.from_json(text) == certificate


def test_tiers_of_a_chain_and_equal_sets() -> None:
    models = 1500
    losses = np.arange(3000)[:, None] < 2 * np.arange(models)[None, :]
    certificate = mt.certify(losses[:, ::-1], method="paired")
    tiers = certificate.tiers
    assert tiers[-1] == 0
    assert (np.diff(tiers) <= 0).all()
    assert tiers[0] > 30
    equal = mt.certify(np.zeros((5, models), dtype=bool))
    assert equal.alternatives() == (tuple(range(models)),)
    assert equal.alternatives(disjoint=True) == equal.alternatives()
