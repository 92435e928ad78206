"""A deliberately wrong variant of every statement is caught: a check that cannot fail does not count."""

import dataclasses
from functools import partial

import numpy as np
import pytest

from moltheory.bounds import certified_members, finite_class
from moltheory.bounds._lower import spread_gap
from moltheory.pareto import nondominated
from moltheory.problems import FiniteWorld, mirrored_decoys, near_tie, planted_best, reference_world, tilted_line
from moltheory.scalarization import SmoothChebyshev
from moltheory.theorems import Assumption, check, check_pair, falsify, ledger
from moltheory.theorems._certificate_statements import false_claims, wrong_certificate
from moltheory.theorems._columns import TOLERANCE
from moltheory.theorems._converse_statements import impurity_of_minimisers, impurity_of_norms
from moltheory.theorems._convexity_statements import distance_of_minimisers
from moltheory.theorems._dependent_width_statements import (
    beaten_by_pairs,
    deviation_by_hypothesis,
    penalized_regret,
    regret_by_pairs,
    relative_regret,
    uncovered_by_pairs,
)
from moltheory.theorems._front_statements import beaten, boundary_distance, hypervolume_gap, uncovered
from moltheory.theorems._generalization_statements import constrained_regret, scalarized_deviation, scalarized_regret
from moltheory.theorems._lower_statements import covered, pure
from moltheory.theorems._pruning_statements import errors_of_pruning

LEDGER = ledger()
BUDGET = 4000


def purity_in_place_of_coverage(true, empirical, widths):
    """Every member of the empirical front would be within 2 C of a true one."""
    short = (true[..., None, :, :] - true[..., :, None, :] - 2 * widths[..., None, None, :]).max(axis=-1)
    optimal = nondominated(true)[..., :, None]
    nearest = np.where(optimal, short, np.inf).min(axis=-2)
    return np.where(nondominated(empirical), nearest, -np.inf).max(axis=-1)


def weak_for_strict(true, empirical, widths):
    """No h would have L(h) <= L(hhat) - 2 C, strict or not."""
    margin = (true[..., None, :, :] - true[..., :, None, :] - 2 * widths[..., None, None, :]).min(axis=-1)
    found = ((margin >= 0) & nondominated(empirical)[..., None, :]).any(axis=(-2, -1))
    return np.where(found, 1.0, -1.0)


def fronts_close(true, empirical, widths):
    """The fronts themselves, not the upper sets, would be close."""
    return np.maximum(
        purity_in_place_of_coverage(true, empirical, 0.5 * widths), boundary_distance(true, empirical, widths)
    )


def without_the_quantifier(true, empirical, widths, *, weights):
    """L_i(hhat) - L_i(h*) for every h* in P, at least as good or not."""
    values = (empirical * weights).sum(axis=-1)
    selected = values <= values.min(axis=-1, keepdims=True)
    gaps = true[..., :, None, :] - true[..., None, :, :] - 2 * (widths @ weights)[..., None, None, None] / weights
    kept = selected[..., :, None] & nondominated(true)[..., None, :]
    return np.where(kept[..., None], gaps, -np.inf).max(axis=(-3, -2, -1))


def without_the_weight(true, empirical, widths, *, weights):
    """2 sum_j w_j C_j, not divided by w_i."""
    right = LEDGER["interior-weights"].violation
    values = (empirical * weights).sum(axis=-1)
    selected = values <= values.min(axis=-1, keepdims=True) + 1e-14  # a tie that rounding has broken is one
    better = (true[..., None, :, :] <= true[..., :, None, :]).all(axis=-1) & nondominated(true)[..., None, :]
    gaps = (true[..., :, None, :] - true[..., None, :, :]).max(axis=-1) - 2 * (widths @ weights)[..., None, None]
    found = np.where(selected[..., :, None] & better, gaps, -np.inf).max(axis=(-2, -1))
    assert (right(true, empirical, widths, weights=weights) <= found + 1e-9).all()  # the wrong one asks for more
    return found


def linear_in_the_width(true, empirical, widths, *, scalarization):
    """U(L(hhat) - L(h*)) <= 2 U(C), which is right for p = 1 only."""
    values = scalarization(empirical)
    selected = values <= values.min(axis=-1, keepdims=True)
    gaps = true[..., :, None, :] - true[..., None, :, :]
    kept = selected[..., :, None] & nondominated(true)[..., None, :] & (gaps >= 0).all(axis=-1)
    apart = scalarization(np.where(kept[..., None], gaps, 0.0))
    excess = apart - 2 * scalarization.width(widths)[..., None, None]
    return np.where(kept, excess, -np.inf).max(axis=(-2, -1))


def minimiser_in_place_of_its_box(true, empirical, widths, *, scalarization):
    """U(Lhat(hhat)) where U(u(hhat)) has to stand."""
    lower = np.maximum(empirical - widths[..., None, :], 0.0)
    with np.errstate(invalid="ignore"):  # nothing may be feasible
        allowed = scalarization(empirical) - scalarization(lower).min(axis=-1, keepdims=True)
        regret = scalarization(true) - scalarization(true).min(axis=-1, keepdims=True)
        return np.where(np.isfinite(allowed) & np.isfinite(regret), regret - allowed, -np.inf).max(axis=-1)


def ties_excluded(true, empirical, widths, *, reference):
    """h excluded iff u(h') <= l(h), strict or not."""
    lower, upper = empirical - widths[..., None, :], empirical + widths[..., None, :]
    below = (upper[..., None, :, :] <= lower[..., :, None, :]).all(axis=-1) & ~np.eye(true.shape[-2], dtype=bool)
    return np.where((below.any(axis=-1) & nondominated(true)).any(axis=-1), 1.0, -1.0)


def sure_by_not_being_excluded(true, empirical, widths, *, reference):
    _, excluded = certified_members(empirical - widths[..., None, :], empirical + widths[..., None, :])
    return np.where((~excluded & ~nondominated(true)).any(axis=-1), 1.0, -1.0)


def _resolved_by_one_width(true, widths):
    gaps = np.diff(np.sort(true, axis=-2), axis=-2).min(axis=-2)
    return ((gaps > widths) | (widths == 0)).all(axis=-1)


def _only_differ(true, empirical, widths):
    return np.where((nondominated(true) != nondominated(empirical)).any(axis=-1), 1.0, -1.0)


WRONG = [
    ("scalarized", "factor 1/2", partial(scalarized_deviation, factor=0.5)),
    ("scalarized-excess", "factor 1", partial(scalarized_regret, factor=1.0)),
    ("constrained-excess", "factor 1", partial(constrained_regret, factor=1.0)),
    ("forward", "factor 1", partial(uncovered, factor=1.0)),
    ("forward", "factor 1.9", partial(uncovered, factor=1.9)),
    ("forward", "purity", purity_in_place_of_coverage),
    ("weak-converse", "factor 1", partial(beaten, factor=1.0)),
    ("weak-converse", "weak for strict", weak_for_strict),
    ("boundary", "factor 1/2", partial(boundary_distance, factor=0.5)),
    ("boundary", "fronts", fronts_close),
    ("hypervolume", "wrong sign", partial(hypervolume_gap, sign=-1.0)),
    ("hypervolume", "factor 1", partial(hypervolume_gap, factor=1.0)),
    ("nonuniform-forward", "2 C(h)", partial(uncovered_by_pairs, own=2.0, other=0.0)),
    ("nonuniform-forward", "2 C(hhat)", partial(uncovered_by_pairs, own=0.0, other=2.0)),
    ("nonuniform-weak-converse", "2 C(h)", partial(beaten_by_pairs, own=0.0, other=2.0)),
    ("nonuniform-weak-converse", "2 C(hhat)", partial(beaten_by_pairs, own=2.0, other=0.0)),
    ("nonuniform-scalarized", "factor 0.9", partial(deviation_by_hypothesis, factor=0.9)),
    ("nonuniform-scalarized-excess", "2 W(h), no penalty", partial(regret_by_pairs, own=0.0, other=2.0)),
    ("nonuniform-scalarized-excess", "2 W(hhat)", partial(regret_by_pairs, own=2.0, other=0.0)),
    ("penalized-excess", "no penalty", partial(penalized_regret, penalized=False)),
    ("penalized-excess", "factor 1", partial(penalized_regret, factor=1.0)),
    ("relative-excess", "0.8 c for c", partial(relative_regret, factor=0.8)),
    ("interior-weights", "no quantifier", without_the_quantifier),
    ("interior-weights", "no 1/w", without_the_weight),
    ("strongly-monotone", "factor 1", partial(impurity_of_minimisers, factor=1.0)),
    ("p-norm-purity", "0.9 U(C) for U(C)", partial(impurity_of_norms, factor=0.9)),
    ("p-norm-purity", "linear", linear_in_the_width),
    ("strong-convexity", "8 for 16", partial(distance_of_minimisers, constant=8.0)),
    ("strong-convexity", "15.9 for 16", partial(distance_of_minimisers, constant=15.9)),
    ("slack-pruned", "no N - 1", partial(errors_of_pruning, spread=0.0)),
    ("a-posteriori-excess", "no box", minimiser_in_place_of_its_box),
    ("front-certificate", "ties excluded", ties_excluded),
    ("front-certificate", "possible for sure", sure_by_not_being_excluded),
    ("front-certificate", "inner ends", partial(wrong_certificate, inward=True)),
]


# Refuted below by other means than a violation of pairs.
OTHERWISE = {"joint", "resolved-gaps", "paired-dominance", "impurity", "coverage-minimax"}


def test_every_statement_has_a_wrong_variant():
    assert {name for name, _, _ in WRONG} | OTHERWISE == set(LEDGER)


@pytest.mark.parametrize(("name", "what", "violation"), WRONG, ids=[f"{a}: {b}" for a, b, _ in WRONG])
def test_wrong_constants_and_forms_are_caught(name, what, violation):
    wrong = dataclasses.replace(LEDGER[name], violation=violation)
    attack = falsify(wrong, [reference_world(), mirrored_decoys(), tilted_line(5)], budget=BUDGET, rng=3)
    assert attack.falsified, attack
    # The witness is one: checked again on its own, where it is a table of risks.
    if name != "strong-convexity":
        found = attack.witness
        again = check_pair(wrong, found["true"], found["empirical"], found["widths"], **found["inputs"])
        assert again.worst == pytest.approx(attack.worst, rel=1e-9)
        assert check_pair(LEDGER[name], found["true"], found["empirical"], found["widths"], **found["inputs"]).holds


def test_resolved_gaps_need_twice_the_width():
    right = LEDGER["resolved-gaps"]
    weaker = Assumption("differences exceed C_i", "widths", ("true", "widths"), _resolved_by_one_width)
    wrong = dataclasses.replace(right, violation=_only_differ, assumptions=(*right.assumptions[:-1], weaker))
    assert falsify(wrong, budget=BUDGET, rng=0).falsified


def test_plain_chebyshev_has_no_modulus():
    """With a made-up modulus mu = min w the bound fails: an assumption that is not evaluated would let it pass."""
    from moltheory.scalarization import Chebyshev

    def pretended(true, empirical, widths, *, weights):
        u = Chebyshev(weights)
        values = u(empirical)
        selected = values <= values.min(axis=-1, keepdims=True)
        better = (true[..., None, :, :] <= true[..., :, None, :]).all(axis=-1) & nondominated(true)[..., None, :]
        sums = (true[..., :, None, :] - true[..., None, :, :]).sum(axis=-1)
        gaps = np.where(selected[..., :, None] & better, sums, -np.inf).max(axis=(-2, -1))
        return gaps - 2 * u.width(widths) / min(weights)

    wrong = dataclasses.replace(LEDGER["interior-weights"], violation=pretended)
    assert falsify(wrong, [mirrored_decoys()], budget=BUDGET, rng=0).falsified


def test_missing_log_n_is_caught_by_the_level():
    """n = 1, one hypothesis, ten objectives, objective i errs iff z = i: some deviation is .9 in every sample."""
    world = FiniteWorld([0.1] * 10, np.eye(10)[:, None, :])
    joint = LEDGER["joint"]

    def forgetful(problem, n, delta):
        width = finite_class(n, n_hypotheses=problem.n_hypotheses, delta=delta)
        return np.full(10, float(width))

    assert check(joint, world, n=1, delta=0.5).holds
    caught = check(joint, world, n=1, delta=0.5, stated=forgetful)
    assert not caught.holds
    assert caught.event_failure.probability == pytest.approx(1.0)
    sampled = check(joint, world, n=1, delta=0.5, stated=forgetful, method="monte-carlo", replicates=200)
    assert not sampled.holds


def test_the_smallest_p_value_has_no_level():
    """Taking the smallest p-value over objectives instead of the largest."""
    right = LEDGER["paired-dominance"]
    wrong = dataclasses.replace(right, failure=partial(false_claims, worst=False))
    assert not falsify(right, [reference_world()], budget=1500, rng=0).falsified
    attack = falsify(wrong, [reference_world()], budget=1500, rng=0)
    assert attack.falsified
    assert attack.witness["failure"] > attack.witness["delta"]


def test_half_the_gap_of_the_coverage_bound_is_all_there_is():
    """Twice the gap: the best learner finds the front too often, whatever the shape of the world."""
    right = LEDGER["coverage-minimax"]
    wrong = dataclasses.replace(right, failure=partial(covered, factor=2.0))
    for group_size, n_groups, n_objectives, n, delta in ((4, 2, 1, 30, 0.3), (3, 1, 2, 40, 0.5), (2, 1, 3, 20, 0.75)):
        gap = (
            LEDGER["coverage-minimax"]
            .evaluate(n=n, n_hypotheses=group_size * n_groups, n_front=n_groups, probability=1 - delta)
            .gap
        )
        if n_objectives > 1:
            gap = spread_gap(delta ** (1 / n_groups), n, group_size, n_objectives)
        shape = {"n_groups": n_groups, "n_objectives": n_objectives}
        assert check(right, planted_best(group_size, gap, **shape), n=n, delta=delta).holds
        caught = check(wrong, planted_best(group_size, 2 * gap, **shape), n=n, delta=delta)
        assert not caught.holds, (group_size, n_groups, n_objectives)
        assert caught.event_failure.probability > delta + 0.05


def test_near_ties_do_not_keep_the_decoy_for_sure():
    """Half as much again: the exact probability of purity is above what would be stated."""
    right, wrong = LEDGER["impurity"], dataclasses.replace(LEDGER["impurity"], failure=partial(pure, factor=1.5))
    problem, n = near_tie(0.5, 1e-4), 100
    stated = LEDGER["impurity"].evaluate(n=n, gap=1e-4)
    assert check(right, problem, n=n, delta=1 - stated).holds
    assert not check(wrong, problem, n=n, delta=1 - 1.5 * stated + 1e-12).holds


def test_smooth_chebyshev_is_wasteful_in_its_own_units():
    """U(C) is valid for the smooth scalarization but never below m log N, also at C = 0: its width is what to use."""
    u = SmoothChebyshev([0.5, 0.5], 0.25)
    risks = np.array([[0.25, 0.5], [1.0, 0.0]])
    tight = check_pair(LEDGER["scalarized"], risks, risks, scalarization=u)
    assert tight.worst == 0.0
    assert float(u(np.zeros(2))) == pytest.approx(0.25 * np.log(2))
    own = dataclasses.replace(
        LEDGER["scalarized"],
        violation=lambda true, empirical, widths, *, scalarization: (
            np.abs(scalarization(true) - scalarization(empirical)).max(axis=-1) - scalarization(widths)
        ),
    )
    assert check_pair(own, risks, risks, scalarization=u).worst == pytest.approx(-0.25 * np.log(2))


@pytest.mark.parametrize("name", list(LEDGER))
def test_right_statements_survive(name):
    attack = falsify(LEDGER[name], [reference_world(), mirrored_decoys()], budget=2000, rng=5)
    assert not attack.falsified, attack.witness
    assert attack.worst <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LEDGER))
def test_right_statements_survive_a_long_search(name):
    problems = [reference_world(), mirrored_decoys(), tilted_line(11)]
    attack = falsify(LEDGER[name], problems, budget=100_000, rng=17)
    assert not attack.falsified, attack.witness
