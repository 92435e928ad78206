"""Anytime claims: exact probabilities of ever failing, and agreement with what the sums say."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from moltheory.certification import CertificateStream
from moltheory.certification._stream_objective import StreamObjective as _Objective
from moltheory.inference._anytime import mean_ends, mixture_of_bets, sign_mixture


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (3, 1), (1, 5), (30, 12), (12, 30)])
def test_sign_mixture_is_the_integral(won, lost):
    value, _ = quad(lambda q: 2.0 * (2.0 * q) ** won * (2.0 * (1.0 - q)) ** lost, 0.5, 1.0)
    assert math.exp(sign_mixture(np.array(float(won)), np.array(float(lost)))) == pytest.approx(value, rel=1e-8)


@settings(max_examples=50)
@given(d=st.floats(-1.0, 3.0), bet=st.floats(0.0, 0.95))
def test_the_inequality_of_the_bets(d, bet):
    assert math.exp(bet * d - (-math.log1p(-bet) - bet) * d * d) <= (1.0 + bet * d) * (1.0 + 1e-12) + 1e-15


@pytest.mark.parametrize("alpha", [0.5, 0.1, 0.01])
def test_probability_of_ever_rejecting_equal_models_is_exact_and_at_most_alpha(alpha):
    """Over all sequences of 600 disagreements between equal models, by recursion over (won, lost)."""
    horizon = 600
    won, lost = np.meshgrid(np.arange(horizon + 1.0), np.arange(horizon + 1.0), indexing="ij")
    bets = mixture_of_bets(won - lost, won + lost)
    rejected = np.logaddexp(bets, sign_mixture(won, lost)) - math.log(2.0) >= -math.log(alpha)
    alive, failed = np.zeros(horizon + 1), 0.0
    alive[0] = 1.0  # indexed by the number won
    for t in range(1, horizon + 1):
        alive = 0.5 * (alive + np.concatenate([[0.0], alive[:-1]]))
        here = rejected[np.arange(t + 1), t - np.arange(t + 1)]
        failed += alive[: t + 1][here].sum()
        alive[: t + 1][here] = 0.0
    assert failed <= alpha
    assert failed >= alpha / 6.0  # not vacuous


@functools.cache
def _all_boxes(horizon, delta):
    """Boxes after n = 1..horizon losses 0 or 1, by number of errors."""
    n, total = np.meshgrid(np.arange(1.0, horizon + 1.0), np.arange(horizon + 1.0), indexing="ij")
    errors = np.minimum(total, n).ravel()
    return [end.reshape(n.shape) for end in mean_ends(n.ravel(), errors, errors, -math.log(delta))]


@pytest.mark.parametrize("mean", [0.02, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("delta", [0.3, 0.05])
def test_probability_that_the_box_ever_misses_is_exact_and_at_most_delta(mean, delta):
    """Over all sequences of 100 losses 0 or 1, by recursion over the number of errors."""
    horizon = 100
    lower, upper = _all_boxes(horizon, delta)
    missed = (lower > mean) | (upper < mean)
    alive, failed = np.zeros(horizon + 1), 0.0
    alive[0] = 1.0
    for t in range(horizon):
        alive = alive * (1.0 - mean) + np.concatenate([[0.0], alive[:-1]]) * mean
        failed += alive[missed[t]].sum()
        alive[missed[t]] = 0.0
    assert failed <= delta
    assert failed >= delta / 30.0


def test_box_of_bounded_losses_uses_their_variance(rng):
    x = 0.3 + 0.01 * rng.random(5000)
    sums = [np.array([value]) for value in (5000.0, x.sum(), (x * x).sum())]
    lower, upper = mean_ends(*sums, math.log(1000.0))
    assert lower[0] < x.mean() < upper[0]
    assert upper[0] - lower[0] < 0.02
    as_binary = mean_ends(np.array([5000.0]), np.array([x.sum()]), np.array([x.sum()]), math.log(1000.0))
    assert upper[0] - lower[0] < 0.35 * (as_binary[1] - as_binary[0])[0]


def test_no_data_no_claim():
    stream = CertificateStream(3, 2, 0.05, costs=[1.0, 2.0, 3.0])
    certificate = stream.certificate()
    assert certificate.status == ("sure", "undecided", "undecided")  # nobody is cheaper than the first
    assert certificate.boxes[:, :2].tolist() == [[[0.0, 1.0]] * 2] * 3
    assert certificate.n_examples == 0
    assert type(certificate).from_json(certificate.to_json()) == certificate


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("binary", [True, False])
def test_blocks_do_not_matter(rng, missing, binary):
    losses = (rng.random((200, 4, 2)) < [[0.1, 0.2], [0.3, 0.3], [0.5, 0.1], [0.2, 0.2]]).astype(float)
    if not binary:
        losses = 0.5 * losses + 0.1 * rng.random(losses.shape)
    losses[rng.random(losses.shape) < missing] = np.nan
    before = losses.copy()
    whole, pieces = CertificateStream(4, 2, 0.05), CertificateStream(4, 2, 0.05)
    whole.update(losses)
    for part in np.split(losses, [1, 2, 70]):
        pieces.update(part)
    np.testing.assert_array_equal(losses, before)
    one, two = whole.certificate(), pieces.certificate()
    np.testing.assert_allclose(one.boxes, two.boxes, atol=1e-9)
    np.testing.assert_allclose(one.estimates, np.nanmean(losses, axis=0))
    assert one.status == two.status


def test_the_first_loss_that_is_not_0_or_1_ends_the_counting(rng):
    objective = _Objective(2)
    x = (rng.random((100, 2)) < [0.1, 0.4]).astype(float)
    objective.update(x)
    early = objective.p_values(0.0)
    y = np.concatenate([x, rng.random((50, 2))])
    objective.update(y[100:])
    assert objective.total == pytest.approx(y.sum(axis=0))
    gap = y[:, 1] - y[:, 0]
    fresh = _Objective(2)
    fresh.update(x)
    fresh.update(y[100:])
    expected = mixture_of_bets(np.array(gap.sum()), np.array((gap**2).sum())) - math.log(2.0)
    assert fresh.p_values(0.0)[0, 1] == pytest.approx(min(math.exp(-expected), 1.0), rel=1e-6)
    # What was reached before stays.
    assert (objective.p_values(0.0) <= early).all()


@pytest.mark.parametrize("shift", [0.02, 0.3])
def test_slack_shifts_the_differences(rng, shift):
    x = rng.random((80, 2)) * [0.3, 1.0]
    objective = _Objective(2)
    objective.update(x)
    d = x[:, 1] - x[:, 0] + shift
    expected = mixture_of_bets(np.array(d.sum()), np.array((d**2).sum())) - math.log(2.0)
    assert objective.p_values(shift)[0, 1] == pytest.approx(min(math.exp(-expected), 1.0), rel=1e-6)


def test_looks_only_sharpen(rng):
    rates = np.array([[0.1], [0.3], [0.2]])
    stream = CertificateStream(3, 1, 0.05)
    boxes, seen = np.array([[[0.0, 1.0]]] * 3), np.zeros(3, bool)
    for _ in range(12):
        stream.update((rng.random((60, 3, 1)) < rates).astype(float))
        certificate = stream.certificate()
        assert (certificate.boxes[:, :, 0] >= boxes[:, :, 0]).all()
        assert (certificate.boxes[:, :, 1] <= boxes[:, :, 1]).all()
        assert (certificate.excluded >= seen).all()
        boxes, seen = certificate.boxes, certificate.excluded
    assert certificate.status == ("sure", "excluded", "excluded")
    assert (certificate.boxes[:, 0, 0] <= rates[:, 0]).all()


def test_units_and_orientation_are_the_callers(rng):
    scores = 50.0 + 40.0 * rng.random((400, 2, 1)) + np.array([[[0.0], [10.0]]])
    stream = CertificateStream(["a", "b"], ["score"], 0.05, loss_range=(50.0, 100.0), maximise=True)
    stream.update(scores)
    certificate = stream.certificate()
    assert certificate.status == ("excluded", "sure")
    np.testing.assert_allclose(certificate.estimates, scores.mean(axis=0))
    assert (certificate.boxes[:, 0, 0] < scores.mean(axis=0)[:, 0]).all()
    assert (certificate.boxes[:, 0, 1] > scores.mean(axis=0)[:, 0]).all()
    slack = CertificateStream(2, 1, 0.05, loss_range=(50.0, 100.0), maximise=True, epsilon=20.0)
    slack.update(scores)
    found = slack.certificate()
    assert found.status == ("excluded", "sure")
    assert found.within_slack.tolist() == [True, True]
    cheaper = CertificateStream(2, 1, 0.05, loss_range=(50.0, 100.0), maximise=[True], epsilon=20.0, costs=[1.0, 2.0])
    cheaper.update(scores)
    found = cheaper.certificate()
    assert found.status == ("sure", "sure")
    assert found.replaceable_by.tolist() == [-1, 0]
    assert sum(share for _, share in found.delta_allocation) == pytest.approx(0.05)


def test_bad_input_is_refused_and_nothing_is_added(refuses):
    refuses("models", CertificateStream, 1, 1, 0.05)
    refuses("models", CertificateStream, "ab", 1, 0.05)
    refuses("models", CertificateStream, ["a", "a"], 1, 0.05)
    refuses("objectives", CertificateStream, 2, 0, 0.05)
    refuses("objectives", CertificateStream, 2, ["size"], 0.05, costs={"size": [1.0, 2.0]})
    refuses("delta", CertificateStream, 2, 1, 1.0)
    refuses("epsilon", CertificateStream, 2, 1, 0.1, epsilon=-1.0)
    refuses("loss_range", CertificateStream, 2, 1, 0.1, loss_range=(1.0, 0.0))
    stream = CertificateStream(2, 2, 0.05)
    refuses("losses", stream.update, [[0.0, 1.0]])
    refuses("losses", stream.update, [["a", "b"], ["a", "b"]])
    refuses("losses", stream.update, [[0.0, 1.0], [0.0, 1.5]])
    assert stream.n_examples == 0
    stream.update([[0, 1], [True, False]])
    assert stream.n_examples == 1


def _false_claims(stream, rates, draw, looks, size):
    """Whether any certificate of one run is wrong about the front of `rates`, or has a box without the truth."""
    front = ~np.array([any((r <= mine).all() and (r < mine).any() for r in rates) for mine in rates])
    for _ in range(looks):
        stream.update(draw(size))
        certificate = stream.certificate()
        if (certificate.sure & ~front).any() or (certificate.excluded & front).any():
            return True
        if ((certificate.boxes[:, :, 0] > rates) | (certificate.boxes[:, :, 1] < rates)).any():
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("world", ["ties", "near ties", "correlated", "bounded"])
def test_false_claims_over_the_whole_horizon_are_rarer_than_delta(world):
    """A delta of one half, so that a wrong split or a lost union shows."""
    rng = np.random.default_rng(77)
    rates = np.array([[0.3, 0.3]] * 4) if world != "near ties" else 0.3 + 0.02 * rng.standard_normal((4, 2))
    delta, runs = 0.5, 60

    def draw(size):
        if world == "correlated":
            hard = rng.random((size, 1, 2))
            return (0.8 * hard + 0.2 * rng.random((size, 4, 2)) < _QUANTILE).astype(float)
        if world == "bounded":
            return np.clip(rng.beta(0.6, 1.4, (size, 4, 2)), 0.0, 1.0)
        return (rng.random((size, 4, 2)) < rates).astype(float)

    if world == "correlated":
        rates = np.full((4, 2), _correlated_rate())
    failures = sum(_false_claims(CertificateStream(4, 2, delta), rates, draw, 8, 30) for _ in range(runs))
    # Three standard errors below delta would still be a pass by chance; these claims fail far less often.
    assert failures <= delta * runs - 3.0 * math.sqrt(runs * delta * (1.0 - delta))


_QUANTILE = 0.35


def _correlated_rate():
    """P(0.8 U + 0.2 V < 0.35) for independent uniform U and V."""
    return quad(lambda v: min(max((_QUANTILE - 0.2 * v) / 0.8, 0.0), 1.0), 0.0, 1.0)[0]
