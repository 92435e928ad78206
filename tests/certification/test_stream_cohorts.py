"""Models that join or leave a stream: levels of every cohort, exactly and against a wrong split; chosen by what was seen."""

import functools
import math

import numpy as np
import pytest

from moltheory.certification import CertificateStream
from moltheory.certification._cohorts import levels_of_cohorts, part_of_cohort
from moltheory.inference._anytime import mixture_of_bets, sign_mixture

_JOINING = 0.5


def _pairs_of_tied_models(delta, joining=_JOINING):
    """A stream of two models that may dominate each other; every cohort is such a pair, and costs keep cohorts apart."""
    return CertificateStream(["a0", "b0"], ["error"], delta, costs=[[0.0, 0.0]] * 2, joining=joining)


def _join(stream, cohort):
    here = float(cohort)
    stream.add_models([f"a{cohort}", f"b{cohort}"], costs=[[here, -here]] * 2)


def _add(stream, cohort, first, second):
    rows = np.full((len(stream.models), 1), np.nan)
    rows[2 * cohort : 2 * cohort + 2, 0] = first, second
    stream.update(rows)


@functools.cache
def _evidence(horizon):
    won, lost = np.meshgrid(np.arange(horizon + 1.0), np.arange(horizon + 1.0), indexing="ij")
    return np.logaddexp(mixture_of_bets(won - lost, won + lost), sign_mixture(won, lost)) - math.log(2.0)


def _probability_of_a_false_verdict(level, horizon=200):
    """That one of two models, exactly one of which errs on each example, is ever excluded at a level; exact."""
    rejected = np.maximum(_evidence(horizon), _evidence(horizon).T) >= -math.log(level)
    alive, failed = np.ones(1), 0.0
    for t in range(1, horizon + 1):
        alive = 0.5 * (np.append(alive, 0.0) + np.append(0.0, alive))
        here = rejected[np.arange(t + 1), t - np.arange(t + 1)]
        failed += float(alive[here].sum())
        alive[here] = 0.0
    return failed


def _total(delta, cohorts, part):
    """The probability of a false verdict over cohorts of tied pairs on separate examples, and its bound by the union."""
    each = [_probability_of_a_false_verdict(0.85 * delta * part(j) / 2.0) for j in range(cohorts)]
    return 1.0 - math.prod(1.0 - one for one in each)


@pytest.mark.parametrize("delta", [0.3, pytest.param(0.9, marks=pytest.mark.slow)])
def test_cohorts_keep_delta_exactly_and_newcomers_at_the_full_delta_do_not(delta):
    for j in range(8):
        assert _probability_of_a_false_verdict(
            0.85 * delta * part_of_cohort(j, _JOINING) / 2.0
        ) <= delta * part_of_cohort(j, _JOINING)
    assert _total(delta, 16, functools.partial(part_of_cohort, joining=_JOINING)) <= delta
    # The wrong variant: each newcomer is compared at the full delta.
    assert _total(delta, 40, lambda _: 1.0) > delta


def test_parts_of_all_cohorts_sum_to_one():
    for joining in (0.0, 0.2, 0.999):
        total = sum(part_of_cohort(j, joining) for j in range(1000))
        assert total == pytest.approx(1.0 - joining / 1000.0)


def test_the_stream_gives_verdicts_at_these_levels():
    """By the number of wins in a row that exclude."""
    delta = 0.4
    stream, evidence = _pairs_of_tied_models(delta), _evidence(60)
    for cohort in range(3):
        if cohort:
            _join(stream, cohort)
        level = 0.85 * delta * part_of_cohort(cohort, _JOINING) / 2.0
        needed = int(np.argmax(evidence[:, 0] >= -math.log(level)))
        for _ in range(needed - 1):
            _add(stream, cohort, 1.0, 0.0)
        certificate = stream.certificate()
        assert not certificate.excluded[2 * cohort :].any()
        assert certificate.boxes[2 * cohort + 1, 0, 1] > certificate.boxes[2 * cohort, 0, 0]
        _add(stream, cohort, 1.0, 0.0)
        certificate = stream.certificate()
        assert certificate.status[2 * cohort] == "excluded"
    assert certificate.excluded.tolist() == [True, False] * 3


def test_levels_of_one_cohort_are_those_of_a_smaller_delta(rng):
    losses = (rng.random((300, 4, 2)) < [[0.1, 0.3], [0.3, 0.4], [0.2, 0.2], [0.5, 0.5]]).astype(float)
    kept, smaller = CertificateStream(4, 2, 0.1, joining=0.6), CertificateStream(4, 2, 0.04)
    for part in np.split(losses, 10):
        kept.update(part)
        smaller.update(part)
        one, two = kept.certificate(), smaller.certificate()
        assert one.status == two.status
        np.testing.assert_array_equal(one.dominates, two.dominates)
        np.testing.assert_allclose(one.boxes, two.boxes, atol=1e-12)
    assert levels_of_cohorts(np.zeros(3, np.int64), ~np.eye(3, dtype=bool), 0.0) is None


def test_verdicts_among_old_models_stay_and_newcomers_see_later_examples_only(rng):
    rates = np.array([[0.1], [0.3], [0.3], [0.02]])
    stream = CertificateStream(["a", "b", "c"], ["error"], 0.05, joining=0.5)
    stream.update((rng.random((400, 3, 1)) < rates[:3]).astype(float))
    before = stream.certificate()
    assert before.status == ("sure", "excluded", "excluded")
    stream.add_models(["d"])
    after = stream.certificate()
    assert after.status == ("undecided", "excluded", "excluded", "undecided")
    assert after.open_rivals[0].tolist() == [False, False, False, True]
    np.testing.assert_array_equal(after.boxes[:3], before.boxes)
    assert after.boxes[3, 0].tolist() == [0.0, 1.0]
    stream.update((rng.random((400, 4, 1)) < rates).astype(float))
    last = stream.certificate()
    assert last.status == ("excluded", "excluded", "excluded", "sure")
    assert stream._objectives[0]._counts.common[0].tolist() == [800, 800, 800, 400]
    assert any("joined" in sentence for sentence in last.assumptions)
    assert type(last).from_json(last.to_json()) == last


@pytest.mark.parametrize("options", [{}, {"largest_cluster": 2, "epsilon": 0.05}, {"cluster_weights": "equal"}])
@pytest.mark.parametrize("binary", [True, False])
def test_growing_is_as_if_the_model_had_never_been_evaluated(options, binary, rng):
    x = (rng.random((60, 4, 2)) < 0.4).astype(float) * (1.0 if binary else rng.random((60, 4, 2)))
    gap = x.copy()
    gap[:40, 3] = np.nan
    whole = CertificateStream(4, 2, 0.05, **options)
    grown = CertificateStream(3, 2, 0.05, joining=0.5, **options)
    whole.update(gap[:40])
    grown.update(x[:40, :3])
    grown.certificate()
    grown.add_models(["model_4"])
    for stream in (whole, grown):
        stream.update(gap[40:])
    for one, two in zip(whole._objectives, grown._objectives, strict=True):
        np.testing.assert_array_equal(one.count, two.count)
        np.testing.assert_allclose(one.total, two.total)
        for models in (slice(0, 4), slice(1, 3)):
            np.testing.assert_allclose(one._logs(0.0, models), two._logs(0.0, models), atol=1e-9)
            np.testing.assert_allclose(one._logs(0.05, models), two._logs(0.05, models), atol=1e-9)


def test_models_that_leave_stay_rivals(rng):
    stream = CertificateStream(["a", "b", "c"], ["error"], 0.05)
    stream.update((rng.random((30, 3, 1)) < [[0.2], [0.2], [0.9]]).astype(float))
    assert stream.certificate().status[2] == "excluded"
    stream.drop_models(["b"])
    assert stream.models == ("a", "c")
    stream.update((rng.random((500, 2, 1)) < [[0.2], [0.9]]).astype(float))
    certificate = stream.certificate()
    # b may still be better than a: nothing more is seen of it.
    assert certificate.names == ("a", "b", "c")
    assert certificate.status == ("undecided", "undecided", "excluded")
    assert certificate.open_rivals[0].tolist() == [False, True, False]
    assert stream._objectives[0].count.tolist() == [530, 30, 530]
    assert "b" in certificate.assumptions[-1]


def _one_that_looked_best(rng, runs, delta, history):
    """Share of runs with a false verdict about tied models, of which one joined as it looked best so far."""
    failures = 0
    for _ in range(runs):
        early = (rng.random((40, 4000, 1), np.float32) < 0.5).astype(float)
        best = 2 + int(early[:, 2:].sum(axis=0).argmin())
        stream = CertificateStream(["a", "b"], ["error"], delta, joining=0.5)
        if history:
            # The wrong variant: its losses on the examples by which it was chosen count.
            stream = CertificateStream(["a", "b", "c"], ["error"], delta)
            stream.update(early[:, [0, 1, best]])
        else:
            stream.update(early[:, :2])
            stream.certificate()
            stream.add_models(["c"])
        wrong = False
        for _ in range(4):
            wrong |= bool(stream.certificate().excluded.any())
            stream.update((rng.random((20, 3, 1)) < 0.5).astype(float))
        failures += wrong
    return failures / runs


@pytest.mark.slow
def test_a_newcomer_may_be_chosen_by_what_was_seen():
    rng = np.random.default_rng(5)
    assert _one_that_looked_best(rng, 15, 0.6, history=False) <= 0.3
    assert _one_that_looked_best(rng, 15, 0.6, history=True) > 0.65


@pytest.mark.slow
def test_an_adversary_who_adds_drops_and_stops_when_it_looks_worst():
    """Tied models in clusters; a model joins whenever one looks bad, leaves when it does not pay, and any look counts."""
    rng, delta, runs, failures = np.random.default_rng(8), 0.6, 40, 0
    for run in range(runs):
        options = {"largest_cluster": 3} if run % 2 else {"cluster_weights": "equal"}
        stream, number, wrong = CertificateStream(3, 1, delta, joining=0.7, **options), 3, False
        for step in range(25):
            size = 10
            labels = np.repeat(np.arange(size), 3)
            hard = rng.random((size, len(stream.models), 1)).repeat(3, axis=0)
            stream.update((hard < 0.4).astype(float), clusters=labels + size * step)
            certificate = stream.certificate()
            wrong |= bool(certificate.excluded.any())
            leaning = certificate.decided_at[stream._active]
            if leaning.min() > 0.9 and number < 8:
                number += 1
                stream.add_models([f"model_{number}"])
                if len(stream.models) > 3:
                    stream.drop_models([stream.models[int(leaning.argmax())]])
        failures += wrong
    assert failures <= delta * runs - 3.0 * math.sqrt(runs * delta * (1.0 - delta))
