"""Certificates of many models: what is left out, narrowed or done in blocks changes no result."""

import math
import tracemalloc
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from scipy import stats

import moltheory as mt
from moltheory.certification import _p_values, _pair_bets, _plan_pairs, _relations, _row_blocks, certificate_page
from moltheory.certification._cliques import cliques
from moltheory.certification._decisions import RELEVANT, decide
from moltheory.certification._shares import Shares
from moltheory.inference import _pairs
from moltheory.inference._paired import holm_adjusted
from moltheory.inference._pairs import PairCounts, PairMoments

from ._truth import Array

_KINDS = ("bool", "missing", "between", "between, missing", "tied")
_PARTS = ("sure", "excluded", "excluded_by", "adjusted_p_value", "dominates", "boxes", "within_slack", "replaceable_by")
_PARTS += ("decided_at", "leaning", "open_rivals")


def _losses(kind: str, rng: np.random.Generator, *, n: int = 300, models: int = 9) -> Array:
    hard = 0.5 * rng.random((n, 1, 1)) + 0.5 * rng.random((n, models, 2))
    rates = rng.choice([0.1, 0.4], (models, 2)) if kind == "tied" else rng.uniform(0.05, 0.5, (models, 2))
    losses: Array = hard * rates if "between" in kind else hard < rates
    if "missing" in kind:
        losses = losses.astype(np.float64)
        losses[rng.random(losses.shape) < 0.2] = np.nan
    return losses


def _certify(kind: str, seed: int) -> mt.Certificate:
    rng = np.random.default_rng(seed)
    return mt.certify(
        _losses(kind, rng),
        costs=rng.integers(0, 3, (9, 1)).astype(float),
        epsilon=[0.05, 0.0, 0.0] if seed % 2 else 0.0,
        maximise=[True, False, False] if seed % 3 == 0 else False,
    )


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_blocks_words_and_plans_change_no_bit(kind: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed % 2:
        monkeypatch.setattr(_pair_bets, "_PRODUCTS", 0)  # empirical Bernstein for losses between
    whole = _certify(kind, seed)
    plan = whole.plan(simulate=3)
    monkeypatch.setattr(_row_blocks, "_ENTRIES", 20)
    monkeypatch.setattr(_relations, "_COMPILE_FROM", 0)
    monkeypatch.setattr(_pairs, "_COMPILE_FROM", 0)
    monkeypatch.setattr(_plan_pairs, "_PAIRS", 5)
    parts = _certify(kind, seed)
    for name in _PARTS:
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    assert parts.plan(simulate=3).equals(plan)


@pytest.mark.parametrize("seed", range(20))
def test_p_values_above_the_relevant_one_have_no_influence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    models, m = int(rng.integers(2, 8)), int(rng.integers(1, 4))
    known = np.zeros(m, dtype=bool)
    known[-1] = m > 1 and rng.random() < 0.7
    center = rng.random((models, m)).round(1)
    radius = np.where(known, 0.0, rng.random((models, m)) * 0.3)
    slack = np.where(known, 0.0, rng.choice([0.0, 0.1], size=m))
    shares = Shares(0.1, 0.02, 0.03, 0.04)
    exact = [[rng.random((models, models)) ** 6 for _ in range(m)] for _ in range(2)]
    cut = [[np.where(p > RELEVANT, 1.0, p) for p in kind] for kind in exact]
    args = (center - radius, center + radius, known, slack, shares)
    one, other = (decide(*args, below=below, not_above=not_above) for below, not_above in (exact, cut))
    # Where a model would be settled at half of the budget only, that and the side it is on are not told.
    told = one.decided_at <= 0.5
    for field in fields(one):
        mine, others = getattr(one, field.name), getattr(other, field.name)
        if field.name in ("decided_at", "leaning"):
            mine, others = mine[told], others[told]
        np.testing.assert_array_equal(mine, others)
    assert (other.decided_at[one.decided_at > 0.5] > 0.5).all()


@pytest.mark.parametrize("shift", [0.0, 0.05, -0.05])
@pytest.mark.parametrize("kind", ["bool", "missing", "tied"])
def test_irrelevant_p_values_are_only_those_above(kind: str, shift: float, rng: np.random.Generator) -> None:
    losses = _losses(kind, rng)[:, :, :1]
    scan = mt.evaluation.LossTable(losses, objective_names=["loss"])
    certificate = mt.certify(scan)
    statistics: Any = certificate._statistics  # type: ignore[attr-defined]
    column, counts = statistics.columns[0], statistics.summaries[0]
    for models in (slice(0, 4), slice(4, 9)):
        outcomes = counts.outcomes(models)
        if shift:
            exact, cut = (_p_values._with_slack(outcomes, column, shift, 6.0, limit) for limit in (1.0, 0.1))
        else:
            exact, cut = (_p_values._mcnemar(outcomes, limit) for limit in (1.0, 0.1))
        np.testing.assert_array_equal(cut[exact <= 0.1], exact[exact <= 0.1])
        assert (cut[exact > 0.1] > 0.1).all()
        assert shift or (cut != exact).any()


@pytest.mark.parametrize("seed", range(5))
def test_holm_of_the_smallest(seed: int) -> None:
    p = np.random.default_rng(seed).random(50).round(2) ** 3
    np.testing.assert_array_equal(holm_adjusted(p[p <= 0.1], size=50), holm_adjusted(p)[p <= 0.1])


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 130])
def test_transitive_closure_by_words_and_by_products(size: int, rng: np.random.Generator) -> None:
    for density in (0.0, 1.0 / size, 0.3):
        direct = rng.random((size, size)) < density
        reach = direct.copy()
        for k in range(size):
            reach |= reach[:, k, None] & reach[k]
        np.testing.assert_array_equal(_relations._closed_by_words(direct), reach)
        np.testing.assert_array_equal(_relations._closed_by_products(direct), reach)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("missing", [False, True])
def test_counts_widen_before_they_overflow(compiled: bool, missing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pairs, "_COMPILE_FROM", 0 if compiled else 10**18)
    rng = np.random.default_rng(1)
    blocks = [(rng.random((40, 5)) < 0.3).astype(float) for _ in range(4)]
    if missing:
        blocks[1][3, 2] = np.nan
    narrow, wide = PairCounts(5), PairCounts(5)
    for block in blocks:
        narrow.update(block)
    monkeypatch.setattr(_pairs, "_NARROW", 50)
    for block in blocks:
        wide.update(block)
    assert (narrow._both.dtype, wide._both.dtype) == (np.int32, np.int64)
    for name in ("common", "only_first", "errors", "count"):
        np.testing.assert_array_equal(getattr(narrow, name), getattr(wide, name))
        assert getattr(narrow, name).dtype == np.int64


@pytest.mark.parametrize("kind", [PairCounts, PairMoments])
@pytest.mark.parametrize("first_gap", [0, 2, None])
def test_rows_pairs_and_tables_are_the_same_numbers(kind: type, first_gap: int | None) -> None:
    rng = np.random.default_rng(2)
    pairs = kind(6)
    for turn in range(4):
        block = (rng.random((30, 6)) < 0.4).astype(float)
        if turn == first_gap:
            block[rng.random(block.shape) < 0.3] = np.nan
        pairs.update(block)
    first, second = np.nonzero(~np.eye(6, dtype=bool))
    rows, of = ("outcomes", "outcomes_of") if kind is PairCounts else ("differences", "differences_of")
    whole = getattr(pairs, rows)(slice(None))
    for models in (slice(0, 2), slice(2, 6)):
        for part, table in zip(getattr(pairs, rows)(models), whole, strict=True):
            np.testing.assert_array_equal(part, table[models])
    for part, table in zip(getattr(pairs, of)(first, second), whole, strict=False):
        np.testing.assert_array_equal(part, table[first, second])


def test_memory_per_pair_of_models() -> None:
    rng = np.random.default_rng(0)
    losses = rng.random((60, 950, 1)) < rng.uniform(0.1, 0.6, (950, 1))
    mt.certify(losses[:, :10])
    tracemalloc.start()
    certificate = mt.certify(losses)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Tables of 950 x 950 float64 numbers: six at most (sixteen before blocks); less than one is kept.
    assert most < 9.0 * 8 * 950**2
    assert kept < 1.0 * 8 * 950**2
    assert certificate.dominates.any()


def test_a_model_needs_every_open_rival_ruled_out_or_one_dominance(rng: np.random.Generator) -> None:
    certificate = mt.certify(_losses("tied", rng, models=12))
    plan = certificate.plan(simulate=0).set_index("model")
    statistics = certificate._statistics  # type: ignore[attr-defined]
    levels = _plan_pairs.planned_levels(certificate, statistics)
    assert len(plan) == certificate.undecided.sum() > 2
    for h in np.flatnonzero(certificate.undecided):
        rivals = np.flatnonzero(certificate.open_rivals[h])
        share = max(2 ** math.ceil(math.log2(rivals.size)), 2)
        views = _plan_pairs.views_of(certificate, statistics, np.full(rivals.size, h), rivals)
        row = plan.loc[certificate.names[h]]
        lower = stats.norm.ppf(0.16 / (2 + 2 ** math.ceil(math.log2(rivals.size))))
        for column, shift, missed in (
            ("sufficient_additional", 0.0, 0.2), ("sufficient_additional_low", 1.0, 0.2),
            ("sufficient_additional_high", lower, 0.04),
        ):  # fmt: skip
            ruled, dominance = [], []
            for k in range(rivals.size):
                parts = [view.take(np.array([k])) for view in views]
                n = max(part.n[0] for part in parts)
                easy = [part.growths(shift, levels.ruled_out, 1 - missed / share)[0, 0] for part in parts]
                hard = [part.growths(shift, levels.dominance, 1 - missed / share)[1, 0] for part in parts]
                ruled.append(max(np.ceil(min(easy) * n) - n, 0.0))
                dominance.append(max(np.ceil(max(hard) * n) - n, 0.0))
            assert row[column] == min(max(ruled), min(dominance))
            if column == "sufficient_additional":
                assert row["n_open_rivals"] == (np.minimum(ruled, dominance) > 0).sum()
                place = list(rivals).index(certificate.names.index(row["hardest_rival"]))
                assert row[column] == (ruled[place] if max(ruled) <= min(dominance) else dominance[place])


@pytest.mark.parametrize("seed", range(10))
def test_greedy_cliques_follow_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 25))
    apart = rng.random((size, size)) < rng.choice([0.0, 0.1, 0.5, 1.0])
    apart = (apart | apart.T) & ~np.eye(size, dtype=bool)
    group, count = np.full(size, -1), 0
    while (group < 0).any():
        candidates = group < 0
        while candidates.any():
            model = int(np.where(candidates, (~apart & candidates).sum(axis=1), -1).argmax())
            group[model] = count
            candidates &= ~apart[model]
            candidates[model] = False
        count += 1
    np.testing.assert_array_equal(cliques(apart), group)


def test_pages_of_many_models_say_what_they_leave_out() -> None:
    rng = np.random.default_rng(0)
    losses = rng.random((250, 650, 1)) < rng.choice([0.05, 0.5, 0.9], (650, 1))
    certificate = mt.certify(losses)
    page = certificate_page(certificate, further=certificate.plan(simulate=0))
    undecided, beaten = int(certificate.undecided.sum()), certificate.dominates.sum(axis=1)
    assert undecided < 300 < beaten.max()
    assert f"and {beaten.max() - 40:,} more" in page
    assert "300 of 650 models, in the order of their numbers." in page
    assert len(page) < 1_500_000
    equal = mt.certify(np.zeros((50, 320, 1), dtype=bool))
    page = certificate_page(equal, further=equal.plan(simulate=0))
    assert "300 of 320 open models, those that need fewest." in page
    assert "and 280 more" in page
