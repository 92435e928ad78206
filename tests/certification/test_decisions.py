"""The combination of boxes and p-values, against loops that follow the definitions word by word."""

import numpy as np
import pytest

from moltheory.bounds import certified_members, holm
from moltheory.certification._decisions import Shares, decide

from ._truth import Array, beats


def _naive(
    lower: Array, upper: Array, known: Array, slack: Array, shares: Shares, below: Array, not_above: Array
) -> tuple[Array, Array, Array]:
    models, m = lower.shape
    everyone = range(models)
    others = [(b, h) for b in everyone for h in everyone if b != h]
    allowed = [(b, h) for b, h in others if all(lower[b, i] <= lower[h, i] for i in range(m) if known[i])]
    p = []
    for b, h in allowed:
        settled = [upper[b, i] <= lower[h, i] for i in range(m)]
        p.append(1.0 if all(settled) else max(below[i, b, h] for i in range(m) if not settled[i] and not known[i]))
    claims = np.zeros((models, models), dtype=bool)
    for (b, h), adjusted in zip(allowed, holm(p) if p else [], strict=True):
        claims[b, h] = adjusted <= shares.exclusions
    for b, h in others:
        weakly = all(upper[b, i] <= lower[h, i] for i in range(m))
        claims[b, h] |= weakly and any(upper[b, i] < lower[h, i] for i in range(m))
    for _ in everyone:
        for b, h in others:
            claims[b, h] |= any(claims[b, c] and claims[c, h] for c in everyone)
    circular = claims & claims.T
    claims &= ~circular & ~np.eye(models, dtype=bool)
    excluded = claims.any(axis=0)
    fears = {
        h: [
            b
            for b in everyone
            if b != h and not excluded[b] and not any(upper[h, i] < lower[b, i] + slack[i] for i in range(m))
        ]
        for h in everyone
    }
    sure = np.array([not fears[h] for h in everyone])
    tested = [i for i in range(m) if not known[i]]
    counted = [
        h
        for h in everyone
        if any(b != h and all(lower[b, i] + slack[i] <= lower[h, i] for i in range(m) if known[i]) for b in everyone)
    ]
    worst = [
        max([0.0, *(min(1.0, len(tested) * min(not_above[i, h, b] for i in tested)) for b in fears[h])])
        for h in counted
    ]
    for h, adjusted in zip(counted, holm(worst) if worst else [], strict=True):
        sure[h] |= adjusted <= shares.members
    if not slack.any():
        clash = sure & excluded
        claims[:, clash] = False
        sure, excluded = sure & ~clash, excluded & ~clash
    return sure, excluded, claims


@pytest.mark.parametrize("seed", range(30))
def test_decisions_follow_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    models, m = int(rng.integers(2, 7)), int(rng.integers(1, 4))
    known = np.zeros(m, dtype=bool)
    known[-1] = m > 1 and rng.random() < 0.5
    center = rng.random((models, m)).round(1)
    radius = np.where(known, 0.0, rng.random((models, m)) * 0.3)
    slack = rng.choice([0.0, 0.1], size=m)
    below, not_above = (rng.random((m, models, models)) ** 8 for _ in range(2))
    shares = Shares(0.1, 0.1, 0.1)
    lower, upper = center - radius, center + radius
    found = decide(lower, upper, known, slack, shares, below=below, not_above=not_above)
    sure, excluded, claims = _naive(lower, upper, known, slack, shares, below, not_above)
    np.testing.assert_array_equal(found.within_slack, sure)
    np.testing.assert_array_equal(found.sure, sure & ~excluded)
    np.testing.assert_array_equal(found.excluded, excluded)
    np.testing.assert_array_equal(found.dominates, claims)
    named = np.flatnonzero(found.excluded)
    assert (found.excluded_by[~found.excluded] == -1).all()
    assert found.dominates[found.excluded_by[named], named].all()
    assert (found.level[named] <= 0.3 + 1e-12).all()


@pytest.mark.parametrize("seed", range(10))
def test_boxes_alone_are_the_front_certificate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    center, radius = rng.random((8, 2)), rng.random((8, 2)) * 0.2
    sure, excluded = certified_members(center - radius, center + radius)
    found = decide(center - radius, center + radius, np.zeros(2, bool), np.zeros(2), Shares(0.1, 0.0, 0.0))
    np.testing.assert_array_equal(found.excluded, excluded)
    # Rivals that are excluded themselves need not be feared, so this is never less.
    assert not (sure & ~found.sure).any()


@pytest.mark.parametrize("epsilon", [0.0, 0.05])
def test_all_claims_are_wrong_as_rarely_as_promised_for_uniform_p_values(epsilon: float) -> None:
    # No information in the p-values at all: each is uniform and independent, the worst they can be.
    rng = np.random.default_rng(5)
    shares, false, runs = Shares(0.0, 0.2, 0.2), 0, 250
    true = np.tile([[0.3, 0.4], [0.4, 0.3], [0.3, 0.4], [0.35, 0.35]], (2, 1))
    true[4:] += 0.1
    truth = beats(true)
    nobody = ~beats(true, epsilon).any(axis=0)
    box = np.zeros_like(true), np.ones_like(true)
    for _ in range(runs):
        below, not_above = (rng.random((2, 8, 8)) for _ in range(2))
        gap = true.T[:, :, None] - true.T[:, None, :]
        below = np.where(gap < -1e-12, below * 1e-6, below)
        not_above = np.where(gap < epsilon - 1e-12, not_above * 1e-6, not_above)
        found = decide(*box, np.zeros(2, bool), np.full(2, epsilon), shares, below=below, not_above=not_above)
        false += bool((found.sure & ~nobody).any() or (found.dominates & ~truth).any())
    assert false <= runs * 0.4 + 3.0 * np.sqrt(runs * 0.24)


def test_contradictions_are_withdrawn() -> None:
    p = np.full((1, 3, 3), 1e-9)
    found = decide(
        np.zeros((3, 1)), np.ones((3, 1)), np.zeros(1, bool), np.zeros(1), Shares(0.1, 0.1, 0.1), below=p, not_above=p
    )
    assert not found.excluded.any()
    assert not found.dominates.any()
