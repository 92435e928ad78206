"""Limits and choices after looking: right wherever the claims of the certificate are, and at its level by simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import moltheory as mt
from moltheory.certification import Certificate
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Chebyshev, WeightedSum


def _dominance(values):
    no_worse = (values[:, None] <= values[None]).all(axis=2)
    return no_worse & (values[:, None] < values[None]).any(axis=2)


def _certificate(rng, n_models, m, *, error="any", maximise=None):
    """Make a certificate all of whose claims are true, and the true values, smaller is better."""
    true = rng.integers(0, 4, (n_models, m)) / 4.0
    slack = rng.choice([0.0, 0.1, 0.3, 1.0], (2, n_models, m))
    beats = _dominance(true)
    claimed = beats & (rng.random(beats.shape) < 0.4)
    excluded = claimed.any(axis=0) | (beats.any(axis=0) & (rng.random(n_models) < 0.5))
    sure = ~beats.any(axis=0) & (rng.random(n_models) < 0.5)
    boxes = np.stack([true - slack[0], true + slack[1]], axis=-1)
    estimates = rng.uniform(boxes[..., 0], boxes[..., 1])
    up = np.zeros(m, bool) if maximise is None else np.asarray(maximise)
    sign = np.where(up, -1.0, 1.0)
    turned = np.sort(boxes * sign[:, None], axis=-1)
    names, objectives = tuple(f"m{k}" for k in range(n_models)), tuple("xyzw"[:m])
    made = Certificate(
        *(names, objectives, tuple(up.tolist()), np.ones(m, bool), sure, excluded),
        excluded_by=np.where(excluded, 0, -1),
        adjusted_p_value=np.where(excluded, 0.01, np.nan),
        dominates=claimed,
        estimates=estimates * sign,
        boxes=turned,
        epsilon=np.zeros(m),
        delta=0.05,
        delta_allocation=(("simultaneous boxes", 0.05),),
        n_examples=100,
        methods=("box",) * m,
        assumptions=(),
        error=error,
    )
    return made, true


_SHAPES = st.tuples(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3), st.booleans())


@given(_SHAPES, st.sampled_from(["any", "one", "share"]))
@settings(max_examples=60, deadline=None)
def test_verdicts_on_limits_are_right_where_the_claims_are(shape, error):
    seed, n_models, m, up = shape
    rng = np.random.default_rng(seed)
    certificate, true = _certificate(rng, n_models, m, error=error, maximise=[up] * m)
    named = rng.permutation(m)[: 1 + rng.integers(m)]
    limits = {certificate.objectives[i]: float(rng.integers(-1, 6) / 4.0) * (-1 if up else 1) for i in named}
    meets = (true[:, named] <= np.array(list(limits.values())) * (-1.0 if up else 1.0)).all(axis=1)
    found = certificate.within(limits)
    assert meets[found.within].all()
    assert not meets[found.not_within].any()
    front = meets & ~(_dominance(true) & meets[:, None]).any(axis=0)
    assert found.candidates[front].all()
    assert front[found.on_front].all()
    np.testing.assert_array_equal(certificate.candidates(limits=limits), found.candidates)


def _best_of(values, kept):
    return values[kept].min()


@given(_SHAPES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_excess_of_a_choice_is_no_larger_than_claimed_whatever_the_preference(shape, limited):
    seed, n_models, m, up = shape
    rng = np.random.default_rng(seed)
    certificate, true = _certificate(rng, n_models, m, maximise=[up] * m)
    sign = -1.0 if up else 1.0
    limits = {"x": sign * 0.5} if limited else None
    kept = true[:, 0] <= 0.5 if limited else np.ones(n_models, bool)
    if limited and not certificate.within(limits).within.any():
        with pytest.raises(InvalidInputError, match="must leave a model that certainly meets"):
            certificate.choose({"x": 1.0}, limits=limits)
        return
    weights = rng.integers(0, 3, m) + (np.arange(m) == 0)
    written = " ".join(
        f"{'-' if up else '+'} {w}*{name}" for w, name in zip(weights, certificate.objectives, strict=True)
    )
    preferences = [
        (dict(zip(certificate.objectives, weights.tolist(), strict=True)), true @ weights, {}),
        (written, true @ weights, {}),
        (lambda v: max(sign * value for value in v.values()), true.max(axis=1), {"monotone": True}),
    ]
    for preference, scores, options in preferences:
        choice = certificate.choose(preference, limits=limits, **options)
        h = certificate.names.index(choice.model)
        assert kept[h]
        assert scores[h] - _best_of(scores, kept) <= choice.excess[0] + 1e-12
        best = {certificate.names[k] for k in np.flatnonzero(kept & (scores == _best_of(scores, kept)))}
        assert best & {choice.model, *choice.could_be_best}


@given(_SHAPES, st.sampled_from([0.0, 0.25, 0.5]))
@settings(max_examples=60, deadline=None)
def test_an_order_of_objectives_loses_no_more_than_claimed_in_any_of_them(shape, slack):
    seed, n_models, m, up = shape
    certificate, true = _certificate(np.random.default_rng(seed), n_models, m, maximise=[up] * m)
    order = list(certificate.objectives)
    choice = certificate.choose(order, tolerance={order[0]: slack})
    h, kept = certificate.names.index(choice.model), np.ones(n_models, bool)
    for i, excess in enumerate(choice.excess):
        best = _best_of(true[:, i], kept)
        assert true[h, i] - best <= excess + 1e-12
        kept &= true[:, i] <= best + (slack if i == 0 else 0.0)
    # Of the models that are kept at the end one is named.
    assert {certificate.names[k] for k in np.flatnonzero(kept)} & {choice.model, *choice.could_be_best}


def test_a_choice_by_hand():
    losses = np.zeros((1000, 3), bool)
    losses[:100, 0] = losses[:150, 1] = losses[:400, 2] = True
    certificate = mt.certify(
        losses, names=["a", "b", "c"], objectives=["error"], costs={"price": [3, 1, 1]}, method="boxes"
    )
    (_, high_a), (low_b, high_b) = certificate.boxes[:2, 0]
    choice = certificate.choose({"error": 1.0, "price": 0.01})
    assert choice.model == "a"
    assert choice.excess == (pytest.approx(max(high_a + 0.03 - (low_b + 0.01), 0.0)),)
    assert (choice.naive_model, choice.naive_excess) == ("a", (0.0,))
    assert choice.could_be_best == (("b",) if low_b + 0.01 <= high_a + 0.03 else ())
    order = certificate.choose(["price", "error"])
    assert (order.model, order.excess) == ("b", (0.0, 0.0))
    assert high_b < certificate.boxes[2, 0, 0]
    # A tolerance that covers what the boxes leave open keeps both, and the cheaper one is chosen.
    assert certificate.choose(["error", "price"], tolerance={"error": 0.2}).model == "b"
    assert order.to_frame()["model"].tolist() == ["b", "c", "a"]
    assert certificate.choose(WeightedSum([1.0, 0.01])).excess == choice.excess
    assert certificate.choose("error").engine == "exact"


def test_models_that_are_known_to_dominate_have_smaller_intervals():
    some = (_certificate(np.random.default_rng(seed), 5, 2)[0] for seed in range(100))
    certificate = next(one for one in some if one.dominates.sum() > 2)
    wide = Certificate.from_json(certificate.to_json())
    object.__setattr__(wide, "dominates", np.zeros_like(certificate.dominates))
    object.__setattr__(wide, "excluded", np.zeros_like(certificate.excluded))
    for limit in (0.2, 0.5, 0.8):
        few, many = wide.within({"x": limit}), certificate.within({"x": limit})
        assert (many.within | ~few.within).all()
        assert (many.not_within | ~few.not_within).all()


@pytest.mark.parametrize(
    ("utility", "options", "message"),
    [
        ("-error", {}, "wrong sign: write . error"),
        ("accuracy", {}, "wrong sign: write - accuracy"),
        ("error*price", {}, "a product of names"),
        ("error/price", {}, "a division by something else"),
        ("__import__('os')", {}, "got '__import__'"),
        ("error + eror", {}, "did you mean error"),
        ("(" * 60 + "error", {}, "more than 50 parentheses"),
        ("max(error", {}, "not closed"),
        ("3", {}, "must name an objective"),
        ("1e999*error", {}, "too large"),
        ("1e308*1e308*error", {}, "numbers that together are too large"),
        ("error/1e-320", {}, "numbers that together are too large"),
        ("1e308*(1e308*error + price)", {}, "finite numbers, got ones that are too large"),
        ({"error": 1e308, "price": 1e308}, {}, "finite numbers, got ones that are too large"),
        ({"error": -1.0}, {}, "weights >= 0"),
        ({"error": 0.0}, {}, "a weight > 0"),
        ({"error": np.nan}, {}, "got nan"),
        (Chebyshev([0.5, 0.5, 0.5]), {}, "larger is better in an objective"),
        (["error", "error"], {}, "each objective once"),
        (["error", "speed"], {}, "got 'speed'"),
        (["error"], {"tolerance": {"price": 1}}, "`tolerance` must name"),
        (["error"], {"tolerance": {"error": -1}}, "got -1 for 'error'"),
        ({"error": 1}, {"tolerance": {"error": 1}}, "`tolerance` must be left out"),
        (lambda v: v["error"], {}, "declared monotone"),
        (lambda v: -v["error"], {"monotone": True}, "must not fall when an objective gets worse"),
        (lambda v: v["accuracy"], {"monotone": True}, "must not fall when an objective gets worse"),
        (lambda v: "x", {"monotone": True}, "must return a number"),
        (lambda v: np.nan, {"monotone": True}, "got NaN"),
        (lambda v: "1", {"monotone": True}, "must return a number"),
        (lambda v: v["error"], {"monotone": "no"}, "`monotone` must be True or False"),
        (lambda v: 10**400, {"monotone": True}, "numbers that floats can hold"),
        (["error"], {"tolerance": {"error": np.inf}}, "must be finite, got inf"),
        (3, {}, "got int"),
        ({"error": 1}, {"limits": {"error": 2.0}}, "must lie between 0 and 1"),
        ({"error": 1}, {"limits": {"error": 0.0}}, "got none that may"),
        ({"error": 1}, {"limits": {}}, "got none"),
        ({"error": 1}, {"limits": {"latency": 1.0}}, "got 'latency'"),
        ({"error": 1}, {"limits": {"error": True}}, "limits"),
    ],
)
def test_what_is_refused(utility, options, message):
    rng = np.random.default_rng(0)
    losses = rng.random((200, 3, 2)) < 0.3
    certificate = mt.certify(
        *(losses,),
        names=["a", "b", "c"],
        objectives=["error", "accuracy"],
        maximise=["accuracy"],
        costs={"price": [3, 1, 1]},
    )
    with pytest.raises(InvalidInputError, match=message) as caught:
        certificate.choose(utility, **options)
    assert str(caught.value).count("\n") == 0


def test_a_function_may_rule_out_what_is_beyond_a_limit_of_its_own():
    losses = np.random.default_rng(0).random((300, 3)) < [0.1, 0.2, 0.6]
    certificate = mt.certify(
        losses, names=["a", "b", "c"], objectives=["error"], costs={"price": [3, 2, 1]}, method="boxes"
    )
    choice = certificate.choose(lambda v: np.inf if v["error"] > 0.4 else v["price"], monotone=True)
    assert (choice.model, choice.excess, choice.could_be_best) == ("b", (0.0,), ())
    nobody = certificate.choose(lambda v: np.inf, monotone=True)
    assert (nobody.excess, nobody.naive_excess, len(nobody.could_be_best)) == ((0.0,), (0.0,), 2)


def test_formulas_may_be_long_and_names_may_hold_anything():
    losses = np.random.default_rng(0).random((300, 3, 2)) < 0.3
    certificate = mt.certify(losses, objectives=['it\'s "x"\n', "b c"], method="boxes")
    long = " + ".join(["'b c'"] * 3000)
    assert certificate.choose(long).excess[0] == pytest.approx(3000 * certificate.choose("'b c'").excess[0])
    assert certificate.choose("*".join(["2"] * 500) + "*'b c'").excess[0] > 0.0
    choice = certificate.choose('"it\'s \\"x\\"\n"')
    assert "\n" not in choice.utility
    assert choice.excess == certificate.choose({'it\'s "x"\n': 1.0}).excess
    assert certificate.choose("max(" + ", ".join(["'b c'"] * 3000) + ")").excess == certificate.choose("'b c'").excess


@pytest.mark.parametrize(
    ("name", "text"),
    [("s p95", "s p95"), ("s p95", "x + s p95"), ("a-b", "a-b"), ("usd/day", "2*usd/day"), ("3d", "3d")],
)
def test_names_that_are_no_words_want_quotes(name, text):
    losses = np.random.default_rng(0).random((50, 3, 2)) < 0.3
    certificate = mt.certify(losses, objectives=["x", name], method="boxes")
    with pytest.raises(InvalidInputError, match=f"got {name}: write '{name}', with the quotes"):
        certificate.choose(text)
    assert certificate.choose(f"'{name}'").utility == f"'{name}'"


def test_a_certificate_from_json_chooses_as_the_one_that_was_written():
    losses = np.random.default_rng(0).random((300, 3)) < [0.1, 0.2, 0.6]
    certificate = mt.certify(losses, objectives=["error"], costs={"price": [3, 2, 1]})
    again = Certificate.from_json(certificate.to_json())
    assert again.within({"error": 0.3}).verdicts == certificate.within({"error": 0.3}).verdicts
    np.testing.assert_array_equal(again.candidates(limits={"price": 2}), certificate.candidates(limits={"price": 2}))
    for one in (again, certificate):
        assert one.choose("price", limits={"error": 0.4}).model == "model_2"
    # It does not hold the ranges, so a limit beyond them is met by all.
    assert set(again.within({"error": 1.5}).verdicts.values()) == {"within"}


def test_paired_tests_alone_say_nothing_about_limits():
    losses = np.random.default_rng(0).random((500, 3)) < [0.1, 0.2, 0.3]
    found = mt.certify(losses, method="paired").within({"objective_1": 0.5})
    assert set(found.verdicts.values()) == {"cannot tell"}


def test_candidates_are_a_mask_as_before():
    losses = np.random.default_rng(0).random((900, 3)) < [0.1, 0.2, 0.5]
    certificate = mt.certify(losses)
    np.testing.assert_array_equal(certificate.candidates, ~certificate.excluded)
    assert type(certificate.candidates & certificate.sure) is np.ndarray
    assert np.count_nonzero(certificate.candidates) == certificate.candidates().sum()
    assert not certificate.candidates.flags.writeable


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flat", "skewed", "ties"])
def test_choices_after_looking_are_wrong_no_more_often_than_promised(kind):
    """The worst limit and the worst weights of each run, found with the truth at hand, at delta 0.4."""
    rates = {"flat": [0.5, 0.45, 0.4, 0.5], "skewed": [0.02, 0.05, 0.2, 0.6], "ties": [0.3] * 4}[kind]
    delta, runs, n = 0.4, 400, 60
    true = np.column_stack([rates, rates[::-1]])
    rng = np.random.default_rng(7)
    wrong = naive = 0
    for _ in range(runs):
        losses = rng.random((n, 4, 2)) < true
        certificate = mt.certify(losses, objectives=["x", "y"], delta=delta, method="boxes")
        missed = False
        for h, (i, name) in itertools.product(range(4), enumerate("xy")):
            # The limits that an adversary would choose: at the truth, and just below it.
            for limit in (true[h, i], np.nextafter(true[h, i], 0.0)):
                found = certificate.within({name: limit})
                meets = true[:, i] <= limit
                missed |= bool((found.within & ~meets).any() or (found.not_within & meets).any())
        for weight in np.linspace(0.0, 1.0, 11):
            choice = certificate.choose({"x": weight, "y": 1.0 - weight})
            scores = true @ [weight, 1.0 - weight]
            lost = scores[certificate.names.index(choice.model)] - scores.min()
            missed |= lost > choice.excess[0] + 1e-12
            naive += lost > choice.naive_excess[0] + 1e-12
        wrong += missed
    assert stats.binom.sf(wrong - 1, runs, delta) > 1e-6
    # The wrong variant: what the estimates alone say of the choice.
    assert kind == "ties" or naive > 2 * delta * runs


def _exactly(rates, n, delta, common):
    """Probabilities, over all samples of n examples of two models, that something is said wrongly: by boxes, naively.

    The worst limits and weights of each sample, found with the truth at hand. An example is one of four: whether each of the
    models errs; `common` is the chance that both do.
    """
    chances = np.array([1.0 - rates[0] - rates[1] + common, rates[1] - common, rates[0] - common, common])
    outcomes, true = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=bool), np.array(rates)
    prices = np.array([0.5, 0.3])
    by_boxes = naive = total = 0.0
    for counts in itertools.product(range(n + 1), repeat=3):
        if sum(counts) > n:
            continue
        counted = np.array([n - sum(counts), *counts])
        chance = float(stats.multinomial.pmf(counted, n, chances))
        total += chance
        losses = np.repeat(outcomes, counted, axis=0)
        certificate = mt.certify(losses, objectives=["x"], costs={"price": prices}, delta=delta, method="boxes")
        wrong = fooled = False
        for limit in (*true, *np.nextafter(true, 0.0)):
            found, meets = certificate.within({"x": limit}), true <= limit
            wrong |= bool((found.within & ~meets).any() or (found.not_within & meets).any())
        for weight in (0.25, 0.5, 1.0, 2.0, 4.0):
            choice = certificate.choose({"x": weight, "price": 1.0})
            scores = weight * true + prices
            lost = scores[certificate.names.index(choice.model)] - scores.min()
            best = {certificate.names[k] for k in np.flatnonzero(scores == scores.min())}
            wrong |= lost > choice.excess[0] + 1e-12 or not best & {choice.model, *choice.could_be_best}
            fooled |= lost > choice.naive_excess[0] + 1e-12
        by_boxes, naive = by_boxes + chance * wrong, naive + chance * fooled
    assert total == pytest.approx(1.0)
    return by_boxes, naive


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::moltheory.errors.DataWarning")
@pytest.mark.parametrize(("rates", "common"), [((0.3, 0.5), 0.2), ((0.1, 0.35), 0.0), ((0.45, 0.45), 0.3)])
def test_what_is_said_after_looking_is_wrong_with_exactly_less_than_delta(rates, common):
    delta = 0.3
    by_boxes, naive = _exactly(rates, 7, delta, common)
    assert by_boxes <= delta
    # The wrong variant: the differences of the estimates, read after the choice.
    assert rates != (0.3, 0.5) or naive > delta
