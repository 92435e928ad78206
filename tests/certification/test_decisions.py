"""The combination of boxes and p-values, against loops that follow the definitions word by word."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from moltheory.bounds import certified_members, holm
from moltheory.certification._decisions import decide
from moltheory.certification._promises import DEPENDENCES, ERRORS, VERDICTS, Promise
from moltheory.certification._shares import Shares

from ._truth import Array

_PROMISES = [
    Promise(error, dependence, verdicts)
    for error, dependence, verdicts in itertools.product(ERRORS, DEPENDENCES, VERDICTS)
    if error == "share" or dependence == "any"
]
_IDS = [f"{p.error}, {p.verdicts}" + (", PRDS" if p.dependence == "positive" else "") for p in _PROMISES]


def verdicts_given(p: list[float], size: int, share: float, promise: Promise) -> list[bool]:
    """Whether each p-value of a family of `size`, the others of which are 1, gets its verdict: the procedures as told."""
    order = sorted(range(len(p)), key=lambda j: p[j])
    given = [False] * len(p)
    if promise.error == "share":
        c = 1.0 if promise.dependence == "positive" else sum(1.0 / k for k in range(1, size + 1))
        passed = [k for k in range(1, len(p) + 1) if p[order[k - 1]] <= share * k / (size * c)]
        for j in order[: max(passed, default=0)]:
            given[j] = True
        return given
    allowed = 2 if promise.error == "one" else 1
    for place, j in enumerate(order, start=1):
        # Step-down only where one kind of verdict is asked for: k / s for the first k, then k / (s + k - i).
        left = size if promise.verdicts == "both" or place <= allowed else size + allowed - place
        if p[j] > share * allowed / left:
            break
        given[j] = True
    return given


@dataclass
class Case:
    """Random boxes and p-values, contradictory ones included."""

    lower: Array
    upper: Array
    known: Array
    slack: Array
    below: list[Any]
    not_above: list[Any]

    @classmethod
    def random(cls, seed: int) -> "Case":
        rng = np.random.default_rng(seed)
        models, m = int(rng.integers(2, 7)), int(rng.integers(1, 4))
        known = np.zeros(m, dtype=bool)
        known[-1] = m > 1 and rng.random() < 0.5
        center = rng.random((models, m)).round(1)
        if rng.random() < 0.3:
            center = center.round(0)
        radius = np.where(known, 0.0, rng.random((models, m)) * rng.choice([0.0, 0.1, 0.3, 1.0], size=m))
        tables: list[list[Any]] = [[rng.random((models, models)) ** 8 for _ in range(m)] for _ in range(2)]
        if m > 1 and rng.random() < 0.3:
            # No test: a measured cost, or a tail.
            tables[0][0] = tables[1][0] = None if rng.random() < 0.5 else np.full((models, models), np.nan)
        slack = rng.choice([0.0, 0.1], size=m) * (rng.random() < 0.7)
        return cls(center - radius, center + radius, known, slack, *tables)

    @property
    def tested(self) -> list[int]:
        return [i for i, p in enumerate(self.below) if p is not None and not self.known[i] and not np.isnan(p).all()]


@dataclass
class Naive:
    """Verdicts by loops; `p` holds the smaller p-value of each model with a rival, `side` the direction."""

    within: Array
    excluded: Array
    dominates: Array
    by: list[int]
    open_rivals: Array
    replaceable: list[set[int]]
    p: dict[int, float]


def naive(case: Case, shares: Shares, promise: Promise) -> Naive:
    """The module's docstring, sentence by sentence."""
    lower, upper, slack, known, tested = case.lower, case.upper, case.slack, case.known, case.tested
    models, m = lower.shape
    everyone, objectives = range(models), range(m)
    others = [(b, h) for b in everyone for h in everyone if b != h]
    pairs = [(b, h) for b, h in others if all(lower[b, i] <= lower[h, i] for i in objectives if known[i])]
    rivals = {h: [b for b in everyone if (b, h) in pairs] for h in everyone}
    counted = [h for h in everyone if rivals[h]]

    def not_dominating(b: int, h: int) -> float:
        left = [i for i in objectives if not upper[b, i] <= lower[h, i]]
        if left and not any(upper[b, i] < lower[h, i] for i in objectives):
            left += tested[:1]
        if not left or any(i not in tested for i in left):
            return 1.0
        return max(float(case.below[i][b, h]) for i in left)

    def behind_by(h: int, b: int) -> float:
        if any(upper[h, i] < lower[b, i] + slack[i] - (1e-12 if slack[i] else 0.0) for i in objectives):
            return 0.0
        return min([1.0, *(len(tested) * float(case.not_above[i][h, b]) for i in tested)])

    # Names.
    claims = np.zeros((models, models), dtype=bool)
    for b, h in others:
        weakly = all(upper[b, i] <= lower[h, i] for i in objectives)
        claims[b, h] = weakly and any(upper[b, i] < lower[h, i] for i in objectives)
    if tested and pairs:
        for (b, h), adjusted in zip(pairs, holm([not_dominating(b, h) for b, h in pairs]), strict=True):
            claims[b, h] |= adjusted <= shares.names
    for _ in everyone:
        for b, h in others:
            claims[b, h] |= any(claims[b, c] and claims[c, h] for c in everyone)
    claims &= ~(claims & claims.T) & ~np.eye(models, dtype=bool)
    certain = claims.any(axis=0)

    # Verdicts.
    on = {h: min([1.0, *(len(rivals[h]) * not_dominating(b, h) for b in rivals[h])]) for h in everyone}
    fear = {h: {b: 0.0 if certain[b] else behind_by(h, b) for b in everyone if b != h} for h in everyone}
    off = {h: max(fear[h].values()) for h in everyone}
    p = {h: {"both": min(on[h], off[h]), "excluded": on[h], "sure": off[h]}[promise.verdicts] for h in counted}
    given = dict(zip(p, verdicts_given(list(p.values()), len(p), shares.verdicts, promise), strict=True))
    excluded, within = certain.copy(), np.array([off[h] == 0.0 for h in everyone])
    for h in counted:
        if given[h] and promise.verdicts != "sure" and (promise.verdicts == "excluded" or on[h] < off[h]):
            excluded[h] = True
        if given[h] and promise.verdicts != "excluded" and (promise.verdicts == "sure" or off[h] < on[h]):
            within[h] = True
    stays_open = np.zeros((models, models), dtype=bool)
    for h, b in others:
        level = 0.0 if promise.verdicts == "excluded" else shares.verdicts / max(len(counted), 1)
        stays_open[h, b] = fear[h][b] > level
    if promise.error == "any" and promise.verdicts == "both":
        # A false exclusion is paid for by the excluded model, so that excluded ones are no longer feared.
        stays_open[:, excluded] = False
        within |= ~stays_open.any(axis=1)

    # Contradictions.
    if not slack.any():
        clash = within & excluded
        claims[:, clash] = False
        within, excluded = within & ~clash, excluded & ~clash
    by_tests = [h for h in counted if given[h] and (on[h] < off[h] or promise.verdicts == "excluded")]
    bar = max([0.0, *(on[h] for h in by_tests)])
    by = [-1] * models
    for h in np.flatnonzero(excluded).tolist():
        keys = {
            b: (bool(excluded[b]), not claims[b, h], not_dominating(b, h) if tested else 0.0)
            for b in everyone
            if claims[b, h] or (b in rivals[h] and len(rivals[h]) * not_dominating(b, h) <= bar)
        }
        by[h] = min(keys, key=lambda b: (keys[b], b))
    if promise.error != "share":
        going_round = [h for h in everyone if by[h] >= 0 and _goes_round(h, by)]
        excluded[going_round] = False
        by = [-1 if h in going_round else b for h, b in enumerate(by)]
    left = [h for h in everyone if not excluded[h]]
    if promise.error == "any" and len(left) == 1:
        # Every dominated model is dominated by one of the front, and no other one is left.
        last = left[0]
        better = any(upper[b, i] < lower[last, i] for b in everyone if b != last for i in objectives)
        if not claims[:, last].any() and not better:
            by = [last if h != last and not claims[by[h], h] else by[h] for h in everyone]
            claims[last, excluded] = True
    stays_open[excluded] = False
    return Naive(within, excluded, claims, by, stays_open, _replaceable(case, shares, pairs), p)


def _goes_round(h: int, by: list[int]) -> bool:
    for _ in by:
        h = by[h] if by[h] >= 0 else h
    return by[h] >= 0


def _replaceable(case: Case, shares: Shares, pairs: list[tuple[int, int]]) -> list[set[int]]:
    """The models that may stand for each: cheaper in some cost, dearer in none, and worse by less than the slack."""
    found: list[set[int]] = [set() for _ in case.lower]
    known = np.flatnonzero(case.known)
    cheaper = [(b, h) for b, h in pairs if case.slack.any() and (case.lower[b, known] < case.lower[h, known]).any()]
    p = []
    for b, h in cheaper:
        left = [
            i for i in np.flatnonzero(~case.known) if not case.upper[b, i] < case.lower[h, i] + case.slack[i] - 1e-12
        ]
        untested = any(i not in case.tested for i in left)
        p.append(1.0 if untested else max([0.0, *(float(case.not_above[i][b, h]) for i in left)]))
    for (b, h), adjusted in zip(cheaper, holm(p) if p else [], strict=True):
        if adjusted <= shares.replacements:
            found[h].add(b)
    return found


@pytest.mark.parametrize("promise", _PROMISES, ids=_IDS)
@pytest.mark.parametrize("seed", range(40))
def test_decisions_follow_the_definition(seed: int, promise: Promise) -> None:
    case, shares = Case.random(seed), Shares(0.05, 0.05, 0.3, 0.1)
    found = decide(
        case.lower, case.upper, case.known, case.slack, shares,
        promise=promise, below=case.below, not_above=case.not_above,
    )  # fmt: skip
    wanted = naive(case, shares, promise)
    np.testing.assert_array_equal(found.within_slack, wanted.within)
    np.testing.assert_array_equal(found.excluded, wanted.excluded)
    np.testing.assert_array_equal(found.sure, wanted.within & ~wanted.excluded)
    np.testing.assert_array_equal(found.dominates, wanted.dominates)
    np.testing.assert_array_equal(found.excluded_by, wanted.by)
    np.testing.assert_array_equal(found.open_rivals, wanted.open_rivals)
    for h, stands in enumerate(wanted.replaceable):
        assert found.replaceable_by[h] in (stands or {-1})
    settled = found.within_slack | found.excluded
    assert (found.leaning[found.excluded] == -1).all()
    assert (found.leaning[found.within_slack & ~found.excluded] == 1).all()
    assert np.isnan(found.decided_at[[h for h in range(len(settled)) if h not in wanted.p]]).all()
    for h in wanted.p:
        assert (found.decided_at[h] <= shares.total) == settled[h]
    assert (found.level[found.excluded] <= shares.total).all()
    assert np.isnan(found.level[~found.excluded]).all()


@pytest.mark.parametrize("error", ERRORS)
def test_the_last_model_dominates_all_others(error: str) -> None:
    # 1 excludes 2, but which model does it is not shown at the small share of names; 0 excludes 1.
    below = np.ones((3, 3))
    below[0, 1], below[1, 2] = 1e-9, 1e-3
    lower, upper = np.zeros((3, 1)), np.ones((3, 1))
    shares = Shares(boxes=0.01, names=1e-6, verdicts=0.04)
    promise = Promise(error, "any", "both")
    options: Any = {"promise": promise, "below": [below], "not_above": [np.ones((3, 3))]}
    found = decide(lower, upper, np.zeros(1, bool), np.zeros(1), shares, **options)
    assert found.excluded.tolist() == [False, True, True]
    # With the other promises an exclusion may be wrong, and nothing follows.
    assert found.dominates[0].tolist() == [False, True, error == "any"]
    assert found.excluded_by.tolist() == [-1, 0, 0 if error == "any" else 1]
    # A contradiction: 2 is cheaper than 0.
    costs = np.array([[2.0], [1.0], [1.0]])
    lower, upper = np.hstack([lower, costs]), np.hstack([upper, costs])
    options |= {"below": [below, None], "not_above": [np.ones((3, 3)), None]}
    found = decide(lower, upper, np.array([False, True]), np.zeros(2), shares, **options)
    assert not found.dominates[0].any()


@pytest.mark.parametrize("promise", _PROMISES, ids=_IDS)
@pytest.mark.parametrize("seed", range(8))
def test_adjusted_p_values_are_the_smallest_shares(seed: int, promise: Promise) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random(int(rng.integers(1, 9))) ** 4
    size = p.size + int(rng.integers(0, 4))
    adjusted = promise.adjusted(p, size)
    for h, share in enumerate(adjusted.tolist()):
        assert share == 1.0 or verdicts_given(p.tolist(), size, share * (1.0 + 1e-12), promise)[h]
        assert not verdicts_given(p.tolist(), size, share * (1.0 - 1e-12), promise)[h]


@pytest.mark.parametrize("seed", range(10))
def test_boxes_alone_are_the_front_certificate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    center, radius = rng.random((8, 2)), rng.random((8, 2)) * 0.2
    sure, excluded = certified_members(center - radius, center + radius)
    found = decide(center - radius, center + radius, np.zeros(2, bool), np.zeros(2), Shares(0.1))
    np.testing.assert_array_equal(found.excluded, excluded)
    # Rivals that are excluded themselves need not be feared, so this is never less.
    assert not (sure & ~found.sure).any()


def test_contradictions_are_withdrawn() -> None:
    p = np.full((1, 3, 3), 1e-9)
    found = decide(
        np.zeros((3, 1)), np.ones((3, 1)), np.zeros(1, bool), np.zeros(1), Shares(0.1, 0.1, 0.1), below=p, not_above=p
    )
    assert not found.excluded.any()
    assert not found.dominates.any()
