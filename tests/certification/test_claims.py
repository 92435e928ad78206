"""Claims that people write: their p-values, their probability of error, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from moltheory.certification import AmongBest, BestWithin, Better, Claim, Comparisons, certify, certify_claims
from moltheory.evaluation import Quantile
from moltheory.objectives import Gap, Rate


def _found(p, known=None, maximise=()):
    """Make comparisons of models a, b, ... in the objective "error" from a table of p-values."""
    p, known = np.asarray(p, float), known or {}
    names = tuple("abcdefghij"[: len(p)])
    objectives = ("error", *known)
    up = tuple(name in maximise for name in objectives)
    return Comparisons(names, objectives, up, {k: np.asarray(v, float) for k, v in known.items()}, {("error", 0.0): p})


@pytest.fixture
def losses():
    table = np.zeros((1000, 3), bool)
    table[:200, 0] = table[5:210, 1] = table[100:400, 2] = True
    return table


_NAMED = {"names": ["a", "b", "c"], "objectives": ["error"], "costs": {"price": [3, 2, 1]}}


def test_words():
    assert str(Better("a", "b", ("x", "y"))) == "a is better than b in x and y"
    assert str(Better("a", "b", (), {"x": 0.5})) == "a is worse than b by less than 0.5 in x"
    assert str(AmongBest("a", "x")) == "a is the best in x"
    assert str(BestWithin("a\n", "x", "price", 2)) == "a\\n is better in x than all others within price 2"


def test_p_values_of_two_models_are_those_of_mcnemar(losses):
    found = certify_claims(losses, [Better("a", "c", "error"), Better("c", "a", "error")], **_NAMED)
    only_a, only_c = 100, 200
    assert found.p_values[0] == pytest.approx(stats.binom.cdf(only_a, only_a + only_c, 0.5), rel=1e-9)
    assert found.p_values[1] == 1.0
    assert found.confirmed.tolist() == [True, False]
    np.testing.assert_allclose(found.adjusted_p_values, [2 * found.p_values[0], 1.0])


def test_parts_of_a_claim_are_all_needed():
    found = _found([[1, 0.02], [0.3, 1]], {"price": [2, 1]})
    assert Better("a", "b", "error").p_value(found) == 0.02
    assert Better("a", "b", ("error", "price")).p_value(found) == 1.0
    assert Better("b", "a", ("error", "price")).p_value(found) == 0.3
    assert Better("a", "b", "error", {"price": 1.5}).p_value(found) == 0.02
    assert Better("a", "b", "error", {"price": 1.0}).p_value(found) == 1.0


def test_known_objectives_are_compared_in_their_direction():
    table = np.ones((3, 3))
    up = _found(table, {"speed": [1, 2, 2]}, maximise=["speed"])
    assert Better("b", "a", "speed").p_value(up) == 0.0
    assert Better("b", "c", "speed").p_value(up) == 1.0
    assert [AmongBest(m, "speed", 1).p_value(up) for m in "abc"] == [1.0, 0.0, 0.0]
    assert [AmongBest("a", "speed", k).p_value(up) for k in (2, 3)] == [1.0, 0.0]


def test_top_k_is_k_times_the_kth_largest():
    row = [1.0, 0.3, 0.001, 0.02, 0.004]
    found = _found([row, *np.ones((4, 5))])
    values = [AmongBest("a", "error", k).p_value(found) for k in (1, 2, 3, 4, 5, 9)]
    np.testing.assert_allclose(values, [0.3, 0.04, 0.012, 0.004, 0.0, 0.0])


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k_keeps_its_level_for_independent_p_values_and_needs_its_factor(k):
    """The worst case: exactly k others are better, by nothing, and all others are plainly worse."""
    rng, runs, level = np.random.default_rng(k), 20_000, 0.1
    p = np.concatenate([rng.random((runs, k)), np.zeros((runs, 3))], axis=1)
    kth = np.sort(p, axis=1)[:, ::-1][:, k - 1]
    tables = [_found(np.vstack([np.r_[1.0, row], np.ones((k + 3, k + 4))])) for row in p[:50]]
    own = [AmongBest("a", "error", k).p_value(found) for found in tables]
    np.testing.assert_allclose(own, np.minimum(k * kth[:50], 1.0))
    assert (k * kth <= level).mean() <= level + 0.008
    if k > 1:
        assert (kth <= level).mean() > 1.5 * level


def test_within_a_limit_only_those_that_cost_as_much_count():
    found = _found([[1, 0.01, 0.5, 0.2], *np.ones((3, 4))], {"price": [9, 1, 3, 2]})
    assert BestWithin("a", "error", "price", 1.5).p_value(found) == 0.01
    assert BestWithin("a", "error", "price", 2).p_value(found) == 0.2
    assert BestWithin("a", "error", "price", 3).p_value(found) == 0.5
    up = _found([[1, 0.01, 0.5, 0.2], *np.ones((3, 4))], {"price": [9, 1, 3, 2]}, maximise=["price"])
    assert BestWithin("a", "error", "price", 3).p_value(up) == 0.5


def test_all_claims_hold_at_once():
    """Everything claimed is false, by nothing: equal models."""
    rng, runs, delta = np.random.default_rng(0), 250, 0.3
    claims = [AmongBest("a", "error", 1), Better("b", "c", "error"), BestWithin("c", "error", "price", 5.0)]
    wrong = 0
    for _ in range(runs):
        table = rng.random((60, 3)) < 0.4
        wrong += certify_claims(table, claims, delta=delta, **_NAMED).confirmed.any()
    assert stats.binomtest(int(wrong), runs, delta, alternative="greater").pvalue > 1e-3
    assert wrong > 0


def test_directions_ranges_and_margins(losses):
    claims = [
        Better("b", "a", "price", {"error": 0.05}),
        Better("a", "c", "error"),
        Better("b", "a", (), {"error": 0.03}),
    ]
    plain = certify_claims(losses, claims, **_NAMED)
    turned = certify_claims(1 - losses.astype(int), claims, maximise=["error"], **_NAMED)
    np.testing.assert_allclose(turned.p_values, plain.p_values)
    tenfold = [Better("b", "a", "price", {"error": 0.5}), claims[1], Better("b", "a", (), {"error": 0.3})]
    scaled = certify_claims(10 * losses.astype(int), tenfold, loss_range=(0, 10), **_NAMED)
    assert scaled.confirmed.tolist() == plain.confirmed.tolist() == [True, True, True]
    assert (certify_claims(0.3 + 0.4 * losses, claims[1:2], **_NAMED).confirmed).all()


def test_repeats_of_an_example_are_one_cluster(losses):
    labels = np.repeat(np.arange(1000), 3)
    claims = [Better("a", "c", "error")]
    thrice = certify_claims(np.repeat(losses, 3, axis=0), claims, clusters=labels, largest_cluster=3, **_NAMED)
    once = certify_claims(losses, claims, **_NAMED)
    as_if = certify_claims(np.repeat(losses, 3, axis=0), claims, **_NAMED)
    assert as_if.p_values[0] < 1e-3 * once.p_values[0]
    assert thrice.p_values[0] > 0.1 * once.p_values[0]


def test_gaps_of_groups_and_quantiles_are_claimed_with_their_tests():
    rng = np.random.default_rng(1)
    group = np.arange(1000) < 500
    wrong = np.stack([rng.random(1000) < 0.2, rng.random(1000) < np.where(group, 0.2, 0.6)], axis=1)
    gap = Gap(Rate(wrong, group), Rate(wrong, ~group))
    slow = Quantile(np.stack([rng.exponential(1.0, 1000), rng.exponential(4.0, 1000)], axis=1), 0.9)
    claims = [Better("even", "uneven", "gap"), Better("even", "uneven", "p90"), Better("uneven", "even", "gap")]
    found = certify_claims(None, claims, objectives={"gap": gap, "p90": slow}, names=["even", "uneven"])
    assert found.confirmed.tolist() == [True, True, False]


def test_results_are_tables_and_words(losses):
    found = certify_claims(losses, [AmongBest("a", "error", 2), AmongBest("c", "error")], **_NAMED)
    frame = found.to_frame()
    assert frame["claim"].tolist() == ["a is among the 2 best in error", "c is the best in error"]
    assert frame["confirmed"].tolist() == [True, False]
    assert isinstance(frame, pd.DataFrame)
    assert "with probability at least 95%, all confirmed ones are true" in repr(found)
    assert "not confirmed  p = 1  c is the best in error" in repr(found)
    assert len(found) == 2
    assert not found.p_values.flags.writeable


class _Never(Claim):
    def comparisons(self):
        return (("error", 0.0),)

    def p_value(self, found, /):
        return float(found.table("error")[0, 1]) if found.index("a") == 0 else np.nan

    def __str__(self):
        return "a claim of one's own"


def test_a_claim_of_ones_own_is_tested(losses):
    found = certify_claims(losses, [_Never()], **_NAMED)
    assert found.p_values[0] == certify_claims(losses, [Better("a", "b", "error")], **_NAMED).p_values[0]


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (Better("z", "a", "error"), "models in the data"),
        (Better("a", "b", "speed"), "objectives in the data"),
        (Better("a", "b", "error", {"speed": 1.0}), "objectives in the data"),
        (BestWithin("a", "error", "error", 1.0), "known exactly"),
        (BestWithin("c", "error", "price", 1.0), "another model than 'c'"),
        (BestWithin("a", "error", "size", 1.0), "known exactly"),
        ("a is best", "one or more claims, got str"),
    ],
)
def test_claims_that_do_not_fit_are_refused(claim, words, losses, refuses):
    named = {"claims": "claims", "objectives": "claims"}
    argument = "cost" if "known exactly" in words else "limit" if "another model" in words else "claims"
    assert words in refuses(named.get(argument, argument), certify_claims, losses, [claim], **_NAMED)


def test_arguments_are_checked(losses, refuses):
    refuses("claims", certify_claims, losses, [], **_NAMED)
    refuses("delta", certify_claims, losses, [AmongBest("a", "error")], delta=1.0, **_NAMED)
    refuses("k", AmongBest, "a", "error", 0)
    refuses("limit", BestWithin, "a", "error", "price", np.inf)
    refuses("margins", Better, "a", "b", "x", {"y": 0.0})
    refuses("margins", Better, "a", "b", "x", {"y": np.nan})
    refuses("objectives", Better, "a", "b", ())
    refuses("objectives", Better, "a", "b", "x", {"x": 1.0})
    refuses("than", Better, "a", "a", "x")


def test_a_claim_agrees_with_the_certificate(losses):
    """Excluded by all models in one objective is: not the best."""
    certificate = certify(losses, names=["a", "b", "c"])
    found = certify_claims(losses, [Better("a", "c", "error")], names=["a", "b", "c"], objectives=["error"])
    assert certificate.excluded.tolist() == [False, False, True]
    assert found.confirmed[0]
