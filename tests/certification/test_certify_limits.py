"""Limits fixed before the data: p-values, procedures, their exact level, and what is refused."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from moltheory.certification import certify_limits
from moltheory.certification._limit_p_values import hoeffding_bentkus_p_values
from moltheory.certification._rejections import rejections
from moltheory.errors import InvalidInputError
from moltheory.evaluation import LossTable
from moltheory.objectives import F1Error, Rate
from moltheory.runs import as_seed_sequence

_ERRORS = ((12, 6), (16, 8), (20, 9), (24, 11))
_LIMITS = {"error": 0.15, "harm": 0.10}


def _losses(errors=_ERRORS, n=200):
    table = np.zeros((n, len(errors), 2), bool)
    for model, counts in enumerate(errors):
        for i, count in enumerate(counts):
            table[:count, model, i] = True
    return table


_NAMED = {"names": list("abcd"), "objectives": ["error", "harm"]}


@pytest.mark.parametrize(
    ("kind", "certified"), [("binomial", 3), ("auto", 3), ("hoeffding-bentkus", 2), ("betting", None)]
)
def test_a_sequence_of_four_configurations(kind, certified):
    found = certify_limits(_losses(), _LIMITS, **_NAMED, p_values=kind)
    if certified is not None:
        assert found.certified.tolist() == [True] * certified + [False] * (4 - certified)
    assert found.order == ("a", "b", "c", "d")
    assert found.front.tolist()[0]
    assert found.best("error") == ("a" if found.certified[0] else None)
    # In the other order the first one fails, and nothing is certified.
    assert not certify_limits(_losses(), _LIMITS, **_NAMED, p_values=kind, order=list("dcba")).certified.any()


def test_binomial_p_values_are_tails_and_intersections_are_maxima():
    found = certify_limits(_losses(), _LIMITS, **_NAMED)
    for (first, second), row in zip(_ERRORS, found.p_values, strict=True):
        np.testing.assert_allclose(
            row, [stats.binom.cdf(first, 200, 0.15), stats.binom.cdf(second, 200, 0.10)], rtol=1e-12
        )
    np.testing.assert_array_equal(found.p_value, found.p_values.max(axis=1))
    turned = certify_limits(~_losses(), {"error": 0.85, "harm": 0.90}, **_NAMED, maximise=True)
    np.testing.assert_allclose(turned.p_values, found.p_values, rtol=1e-9)


def test_hoeffding_bentkus_from_its_formula():
    n, limit = 50, 0.3
    for mean in (0.0, 0.1, 0.26, 0.3, 0.9):
        m = min(mean, limit)
        entropy = (m * math.log(m / limit) if m else 0.0) + (1 - m) * math.log((1 - m) / (1 - limit))
        by_hand = min(math.exp(-n * entropy), math.e * stats.binom.cdf(math.ceil(n * mean), n, limit), 1.0)
        found = hoeffding_bentkus_p_values(np.array([mean]), np.array([n]), limit)[0]
        assert found == pytest.approx(1.0 if mean >= limit else by_hand, rel=1e-12)


@pytest.mark.parametrize("kind", ["binomial", "hoeffding-bentkus", "betting"])
@pytest.mark.parametrize("limit", [0.1, 0.5, 0.8])
def test_p_values_at_the_limit_are_small_no_more_often_than_they_say(kind, limit):
    """Exactly, over all counts; bets by simulation."""
    n = 12
    if kind == "betting":
        rng = np.random.default_rng(3)
        draws = (rng.random((n, 4000)) < limit).astype(float)
        p = certify_limits(draws[:, :, None], {"x": limit}, objectives=["x"], p_values="betting").p_value
        for level in (0.05, 0.3):
            assert stats.binom.sf(int((p <= level).sum()) - 1, p.size, level) > 1e-6
        return
    counts = np.arange(n + 1)
    table = (np.arange(n)[:, None] < counts[None])[:, :, None]
    p = certify_limits(table, {"x": limit}, objectives=["x"], p_values=kind).p_value
    chance = stats.binom.pmf(counts, n, limit)
    for level in np.unique(p):
        assert chance[p <= level].sum() <= level + 1e-12


def _exact_error(true, n, delta, procedure, order_of):
    """Probability that a model that breaks the limit 0.4 is certified, over independent 0/1 losses of 3 models."""
    limit, wrong = 0.4, 0.0
    for counts in itertools.product(range(n + 1), repeat=3):
        p = stats.binom.cdf(counts, n, limit)
        order = order_of(p)
        out = np.zeros(3, bool)
        out[order] = rejections(p[order], delta, procedure)
        if (out & (np.array(true) > limit)).any():
            wrong += np.prod(stats.binom.pmf(counts, n, true))
    return wrong


@pytest.mark.parametrize("procedure", ["fixed-sequence", "graphical", "holm"])
@pytest.mark.parametrize("true", [(0.41, 0.41, 0.41), (0.1, 0.41, 0.41), (0.41, 0.1, 0.45), (0.3, 0.41, 0.2)])
def test_the_level_of_procedures_is_exact(procedure, true):
    delta = 0.3
    fixed = _exact_error(true, 6, delta, procedure, lambda p: np.arange(3))
    assert fixed <= delta
    if procedure == "fixed-sequence" and true[0] == true[1] == 0.41:
        # The wrong use: an order from the tested losses themselves.
        assert _exact_error(true, 6, delta, procedure, np.argsort) > delta


def test_limits_that_are_chosen_after_looking_break_the_level_exactly():
    """The wrong use: risks far apart, and the limit that is worst of those just below a true risk, over all counts."""
    true, n, delta = np.array([0.2, 0.5, 0.8]), 30, 0.1
    counts = np.stack(np.meshgrid(*[np.arange(n + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    chance = stats.binom.pmf(counts, n, true).prod(axis=1)
    false = np.zeros((3, len(counts)), bool)
    for h in range(3):
        passed = np.logical_and.accumulate(stats.binom.cdf(counts, n, true[h] - 1e-9) <= delta, axis=1)
        false[h] = passed[:, h]
    assert all(chance[one].sum() <= delta for one in false)
    assert chance[false.any(axis=0)].sum() > delta


def test_graphs_by_hand():
    p = np.array([0.01, 0.04, 0.03])
    assert rejections(p, 0.05, "fixed-sequence").all()
    assert rejections(p, 0.05, "holm").tolist() == [True, False, False]
    # Fallback: .05/3 each; the first passes, its share goes to the second, which fails at .0333.
    assert rejections(p, 0.05, "graphical").tolist() == [True, False, False]
    chain = (np.array([1.0, 0.0, 0.0]), np.eye(3, k=1))
    assert rejections(p, 0.05, "graphical", chain).all()
    assert not rejections(np.array([0.06, 1e-9, 1e-9]), 0.05, "graphical", chain).any()
    rng = np.random.default_rng(0)
    for _ in range(200):
        q = rng.random(5) ** 3
        ranked = np.argsort(q)
        steps = np.logical_and.accumulate(q[ranked] <= 0.2 / np.arange(5, 0, -1))
        assert rejections(q, 0.2, "holm").sum() == steps.sum()


def test_known_costs_and_missing_losses():
    losses = _losses().astype(float)
    losses[150:, 1] = np.nan
    limits = {"error": 0.15, "price": 2.0}
    found = certify_limits(
        losses, limits, **_NAMED, costs={"price": [1, 2, 3, 1]}, p_values="binomial", order=list("ab")
    )
    assert found.p_values[1, 0] == pytest.approx(stats.binom.cdf(16, 150, 0.15))
    assert found.p_values[:, 1].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert found.to_frame()["place"].isna().tolist() == [False, False, True, True]
    assert found.to_frame()["on_front"].tolist() == found.front.tolist()


def test_means_of_tables_and_rates_are_limited_and_other_measures_are_not():
    rng = np.random.default_rng(4)
    seconds, right = rng.exponential([1.0, 2.0], (300, 2)), rng.random((300, 2)) < [0.9, 0.6]
    table = LossTable(
        np.stack([right, seconds], axis=2),
        ["a", "b"],
        ["right", "s"],
        maximise=["right"],
        loss_range={"s": (0, np.inf)},
    ).with_objectives(quantile={"s": 0.9}, limit={"s": 3})
    found = certify_limits(table, {"right": 0.8, "s above 3": 0.2}, p_values="binomial")
    late, wrong = (seconds > 3).sum(axis=0), 300 - right.sum(axis=0)
    by_hand = [stats.binom.cdf(wrong, 300, 0.2), stats.binom.cdf(late, 300, 0.2)]
    np.testing.assert_allclose(found.p_values, np.transpose(by_hand), rtol=1e-9)
    assert certify_limits(table, {"right": 0.8}, pilot=0.3).n_tested == 210
    with pytest.raises(InvalidInputError, match="got 's p90'"):
        certify_limits(table, {"s p90": 2.0})
    # A rate is a mean of the examples on which its condition holds, which may depend on the model.
    some = rng.random((300, 2)) < 0.5
    rates = {"x": Rate(~right, some), "y": Rate(~right, some[:, 0]), "f1": F1Error(right, some[:, 0])}
    found = certify_limits(None, {"x": 0.3, "y": 0.3}, objectives=rates)
    for i, where in enumerate((some, some[:, :1] & np.ones(2, bool))):
        counts = (~right & where).sum(axis=0)
        np.testing.assert_allclose(found.p_values[:, i], stats.binom.cdf(counts, where.sum(axis=0), 0.3))
    with pytest.raises(InvalidInputError, match="or a condition on the examples"):
        certify_limits(None, {"y": 0.3}, objectives={"y": rates["y"]}, pilot=0.5)
    with pytest.raises(InvalidInputError, match="got 'f1'"):
        certify_limits(None, {"f1": 0.3}, objectives=rates)


def test_a_pilot_wants_the_same_examples_in_all_objectives():
    """As many of each, but not the same: pieces would share examples."""
    losses = np.random.default_rng(0).random((40, 2, 2))
    losses[0, :, 0] = losses[7, :, 1] = np.nan
    with pytest.raises(InvalidInputError, match="losses that are missing"):
        certify_limits(losses, _LIMITS, objectives=["error", "harm"], pilot=0.5)


@pytest.mark.parametrize("procedure", ["fixed-sequence", "graphical", "holm"])
def test_a_limit_on_a_known_cost_needs_no_test(procedure):
    known = {**_NAMED, "costs": {"price": [3, 1, 4, 2]}, "procedure": procedure}
    found = certify_limits(_losses(), {"error": 0.15, "price": 2}, **known)
    alone = certify_limits(
        _losses((_ERRORS[1], _ERRORS[3])), {"error": 0.15}, objectives=["error", "harm"], procedure=procedure
    )
    assert found.order == ("b", "d")
    assert found.certified[[1, 3]].tolist() == alone.certified.tolist()
    assert not found.certified[[0, 2]].any()
    assert certify_limits(_losses(), {"error": 0.15, "price": 2}, **known, order=list("cab")).order == ("b",)
    assert certify_limits(_losses(), {"price": 2}, **known).certified.tolist() == [False, True, False, True]
    nobody = certify_limits(_losses(), {"error": 0.15, "price": 0}, **known)
    assert (nobody.order, nobody.certified.any(), nobody.best("harm")) == ((), False, None)
    assert "0 of 0" in nobody._repr_html_()


def test_in_a_graph_that_is_given_a_model_that_breaks_a_known_limit_keeps_its_share():
    known = {**_NAMED, "costs": {"price": [3, 1, 1, 1]}, "procedure": "graphical"}
    limits = {"error": 0.15, "price": 2}
    assert not certify_limits(_losses(), limits, **known, weights=[1, 0, 0, 0]).certified.any()
    found = certify_limits(_losses(), limits, **known, weights=[0, 1, 0, 0])
    assert found.certified.tolist() == [False, True, True, False]
    assert found.order == tuple("bcd")


def test_a_pilot_orders_the_front_and_tests_use_the_other_examples():
    rng = np.random.default_rng(1)
    rates = np.array([[0.05, 0.3], [0.1, 0.1], [0.3, 0.05], [0.4, 0.4]])
    losses = rng.random((2000, 4, 2)) < rates
    found = certify_limits(losses, {"error": 0.15}, **_NAMED, pilot=0.25)
    assert found.n_tested == 1500
    assert found.order[0] == "a"
    assert "d" not in found.order
    assert found.certified.tolist() == [True, True, False, False]
    assert found.front.tolist() == [True, True, False, False]
    assert found.best("harm") == "b"
    again = certify_limits(losses, {"error": 0.15}, **_NAMED, pilot=0.25)
    np.testing.assert_array_equal(found.p_values, again.p_values)


def test_a_pilot_without_errors_keeps_the_safer_models_and_tests_them_first():
    """Equal estimates: the cheapest of them alone would be on the front, and it is the one that fails."""
    rest = np.random.default_rng(as_seed_sequence(3)).permutation(1000)[100:]
    losses = np.zeros((1000, 4), bool)
    losses[:, 3] = True
    for model, errors in enumerate((0, 1, 8)):
        losses[rest[:errors], model] = True
    costs = {"price": [4, 3, 2, 1]}
    found = certify_limits(losses, {"objective_1": 0.01}, costs=costs, pilot=0.1, rng=3)
    assert found.order == ("model_1", "model_2", "model_3", "model_4")
    assert found.certified.tolist() == [True, True, False, False]
    assert found.best("price") == "model_2"


def test_clusters_are_tested_by_their_totals():
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(300), 4)
    losses = np.repeat(rng.random((300, 2)) < [0.1, 0.5], 4, axis=0)
    found = certify_limits(losses[:, :, None], {"x": 0.3}, objectives=["x"], clusters=labels)
    assert found.certified.tolist() == [True, False]
    assert found.n_tested == 300
    with pytest.raises(InvalidInputError, match="must be betting"):
        certify_limits(losses[:, :, None], {"x": 0.3}, objectives=["x"], clusters=labels, p_values="binomial")


@pytest.mark.parametrize(
    ("limits", "options", "message"),
    [
        ({}, {}, "got none"),
        ([1], {}, "got list"),
        ({"speed": 1}, {}, "got 'speed'"),
        ({"error": 2}, {}, "must lie between 0 and 1"),
        ({"error": np.nan}, {}, "got nan"),
        ({"error": 0.1}, {"order": ["a", "a"]}, "each once"),
        ({"error": 0.1}, {"order": ["z"]}, "got 'z'"),
        ({"error": 0.1}, {"order": []}, "each once"),
        ({"error": 0.1}, {"order": {"a", "b"}}, "must be a list of names, got set"),
        ({"error": 0.1}, {"order": 3}, "must be a list of names, got int"),
        ({"error": 0.1}, {"order": ["a"], "pilot": 0.5}, "must be left out with a `pilot`"),
        ({"error": 0.1}, {"pilot": 1.0}, "pilot"),
        ({"error": 0.1}, {"pilot": 0.001}, "must leave an example"),
        ({"error": 0.1}, {"procedure": "magic"}, "procedure"),
        ({"error": 0.1}, {"weights": [1, 0, 0, 0]}, "use 'graphical'"),
        ({"error": 0.1}, {"procedure": "graphical", "weights": [1, 1, 0, 0]}, "sum of at most 1"),
        ({"error": 0.1}, {"procedure": "graphical", "transitions": np.eye(4)}, "zeros on its diagonal"),
        ({"error": 0.1}, {"p_values": "student"}, "p_values"),
        ({"error": 0.1}, {"delta": 1.0}, "delta"),
    ],
)
def test_what_is_refused(limits, options, message):
    with pytest.raises(InvalidInputError, match=message):
        certify_limits(_losses(), limits, **_NAMED, **options)


def test_binomial_p_values_want_zeros_and_ones():
    with pytest.raises(InvalidInputError, match="must not be binomial"):
        certify_limits(np.full((50, 2), 0.5), {"objective_1": 0.9}, p_values="binomial")


def test_a_pilot_wants_complete_losses():
    losses = _losses().astype(float)
    losses[3, 0, 0] = np.nan
    with pytest.raises(InvalidInputError, match="losses that are missing"):
        certify_limits(losses, _LIMITS, **_NAMED, pilot=0.5)


@pytest.mark.slow
def test_pareto_testing_is_wrong_no_more_often_than_promised():
    """Models just beyond the limit; and the wrong use, in which the pilot is tested as well."""
    delta, runs, limit = 0.3, 400, 0.3
    rates = np.array([[0.301, 0.1], [0.305, 0.08], [0.31, 0.05], [0.32, 0.01]])
    rng = np.random.default_rng(5)
    wrong = tuned = 0
    for k in range(runs):
        losses = rng.random((120, 4, 2)) < rates
        found = certify_limits(losses, {"x": limit}, objectives=["x", "y"], delta=delta, pilot=0.4, rng=k)
        wrong += bool(found.certified.any())
        means = losses[:, :, 0].mean(axis=0)
        order = [f"model_{h + 1}" for h in np.argsort(means)]
        again = certify_limits(losses, {"x": limit}, objectives=["x", "y"], delta=delta, order=order)
        tuned += bool(again.certified.any())
    assert stats.binom.sf(wrong - 1, runs, delta) > 1e-6
    assert stats.binom.sf(tuned - 1, runs, delta) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("pilot", [None, 0.4])
@pytest.mark.parametrize("procedure", ["fixed-sequence", "graphical", "holm"])
def test_leaving_out_models_by_a_known_price_keeps_the_level(procedure, pilot):
    """Four models just beyond the limit, and two far within it that cost too much, which are never certified."""
    delta, runs = 0.3, 300
    rates, price = np.array([0.301, 0.302, 0.305, 0.31, 0.05, 0.05]), np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    rng = np.random.default_rng(6)
    wrong = dear = 0
    for k in range(runs):
        losses = (rng.random((120, 6)) < rates)[:, :, None]
        options = {"objectives": ["x"], "costs": {"price": price}, "delta": delta, "rng": k}
        found = certify_limits(losses, {"x": 0.3, "price": 1.5}, procedure=procedure, pilot=pilot, **options)
        assert not found.certified[4:].any()
        wrong += bool(found.certified.any())
        dear += bool(certify_limits(losses, {"x": 0.3}, procedure="holm", **options).certified[4:].any())
    assert stats.binom.sf(wrong - 1, runs, delta) > 1e-6
    # The level is used, and without the price the dear ones are found.
    assert wrong > 0
    assert dear == runs
