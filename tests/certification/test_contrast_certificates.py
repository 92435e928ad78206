"""Certificates of gaps and worst groups by paired contrasts, through the public call."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

import moltheory as mt
from moltheory.certification._contrasts import CONTRAST_BETS
from moltheory.objectives import Gap, Mean, Measure, Rate, Spread, Worst

Array = np.ndarray[Any, Any]


def _draw(rates: tuple[tuple[float, ...], ...], n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    group = rng.integers(0, len(rates), n)
    return rng.random((n, 1)) < np.array(rates)[group], group


def _rates(losses: Array, group: Array) -> list[Measure]:
    return [Rate(losses, group == g) for g in range(int(group.max()) + 1)]


def test_a_gap_that_boxes_leave_open_is_settled() -> None:
    """Gaps that differ by .092 at a paired z of 12, among 3,075 examples."""
    losses, group = _draw(((0.30, 0.392), (0.25, 0.25)), 3075, np.random.default_rng(0))
    gap = Gap(*_rates(losses, group))
    assert mt.certify(None, objectives={"gap": gap}, method="boxes").undecided.all()
    certificate = mt.certify(None, objectives={"gap": gap})
    assert (certificate.sure.tolist(), certificate.excluded.tolist()) == ([True, False], [False, True])
    assert certificate.methods[0].endswith(CONTRAST_BETS)
    assert any("matched units" in sentence for sentence in certificate.assumptions)
    assert not any("boxes only" in sentence for sentence in certificate.assumptions)
    turned = mt.certify(None, objectives={"gap": gap}, maximise=["gap"])
    assert (turned.sure.tolist(), turned.excluded.tolist()) == ([False, True], [True, False])
    assert mt.certify(None, objectives={"gap": gap}, epsilon=0.2).within_slack.all()
    assert not mt.certify(None, objectives={"gap": gap}, epsilon=0.05).within_slack[1]


@pytest.mark.parametrize("engine", ["exact", "asymptotic"])
def test_ties_of_opposite_sign_are_no_verdicts(engine: str) -> None:
    """Both verdicts on the gap are false: equal gaps, neither dominates, both are on the front."""
    rng, wrong, delta = np.random.default_rng(1), 0, 0.3
    for _ in range(150):
        losses, group = _draw(((0.3, 0.5), (0.5, 0.3)), 200, rng)
        certificate = mt.certify(None, objectives={"gap": Gap(*_rates(losses, group))}, delta=delta, engine=engine)
        wrong += bool(certificate.excluded.any())
    assert binomtest(wrong, 150, delta, alternative="greater").pvalue > 1e-6
    assert wrong > 0


def test_worst_groups_spreads_and_equalized_odds() -> None:
    losses, group = _draw(((0.20, 0.38), (0.25, 0.15), (0.22, 0.2)), 3000, np.random.default_rng(2))
    rates = _rates(losses, group)
    for measure in (Worst(rates), Spread(rates), Worst([Gap(*rates[:2]), Gap(*rates[1:])])):
        certificate = mt.certify(None, objectives={"fairness": measure})
        assert certificate.excluded.tolist() == [False, True]
        assert certificate.methods[0].endswith(CONTRAST_BETS)


def test_clusters_and_overlapping_groups_are_decided_by_boxes() -> None:
    losses, group = _draw(((0.30, 0.5), (0.25, 0.25)), 2000, np.random.default_rng(3))
    gap, mixed = Gap(*_rates(losses, group)), Gap(_rates(losses, group)[0], Mean(losses))
    for more, measure in (({"clusters": np.arange(2000) // 2}, gap), ({}, mixed)):
        certificate = mt.certify(None, objectives={"gap": measure, "error": Mean(losses)}, **more)
        assert CONTRAST_BETS not in certificate.methods[0]
        assert any("decided by boxes only" in sentence for sentence in certificate.assumptions)


def test_plans_are_those_of_the_test() -> None:
    losses, group = _draw(((0.30, 0.38), (0.25, 0.25)), 400, np.random.default_rng(1))
    certificate = mt.certify(None, objectives={"gap": Gap(*_rates(losses, group))})
    assert certificate.undecided.all()
    plan = certificate.plan(simulate=30)
    more = float(plan["sufficient_additional"].max())
    assert 100 < more < 1000
    assert (plan["expected_additional"] <= plan["sufficient_additional"]).all()
    boxes = mt.certify(None, objectives={"gap": Gap(*_rates(losses, group))}, method="boxes").plan(simulate=0)
    assert boxes["sufficient_additional"].max() > 5.0 * more
    settled = 0
    for seed in range(20):
        again, groups = _draw(((0.30, 0.38), (0.25, 0.25)), 400 + int(more), np.random.default_rng(10 + seed))
        settled += not mt.certify(None, objectives={"gap": Gap(*_rates(again, groups))}).undecided.any()
    assert settled >= 10
