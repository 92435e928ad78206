"""Intervals for one mean: golden numbers, structure, accuracy, refusals."""

import mpmath
import numpy as np
import pytest
from scipy.stats import norm

from moltheory.inference import binomial_interval, confidence_sequence, interval_methods, mean_interval
from moltheory.inference._methods import METHODS
from tests.golden import assert_golden
from tests.inference._coverage import POPULATIONS

COUNT_METHODS = interval_methods(from_counts=True)
MEAN_METHODS = [name for name, method in METHODS.items() if not method.two_valued]
SEQUENCES = ["hoeffding", "empirical-bernstein", "betting"]
SIDES = ["both", "lower", "upper"]


def samples(n=60, columns=3):
    """Return (n, columns * populations) losses of every population."""
    rng = np.random.default_rng(11)
    return np.hstack([draw(rng, (n, columns)) for draw, _ in POPULATIONS.values()])


@pytest.mark.parametrize("method", COUNT_METHODS)
def test_golden(method):
    key = f"one_mean.k10.n100.delta.05.upper.{method}"
    found = binomial_interval(10, 100, method=method, delta=0.05, side="upper")
    assert found.lower == 0
    assert_golden(float(found.upper), key)
    losses = np.repeat([1.0, 0.0], [10, 90])
    assert_golden(float(mean_interval(losses, method=method, delta=0.05, side="upper").upper), key)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("method", COUNT_METHODS)
def test_counts_and_losses_agree(method, side):
    losses = (np.arange(50)[:, None] < np.arange(51)).astype(int)
    by_losses = mean_interval(losses, method=method, delta=0.1, side=side)
    by_counts = binomial_interval(np.arange(51), 50, method=method, delta=0.1, side=side)
    np.testing.assert_array_equal(by_losses.lower, by_counts.lower)
    np.testing.assert_array_equal(by_losses.upper, by_counts.upper)
    # One by one, in other shapes and out of the table of one n.
    order = np.random.default_rng(0).integers(0, 51, (40, 5))
    table = binomial_interval(order, 50, method=method, delta=0.1, side=side)
    single = binomial_interval(order, np.full(order.shape, 50), method=method, delta=0.1, side=side)
    np.testing.assert_array_equal(table.lower, by_counts.lower[order])
    np.testing.assert_allclose(single.upper, table.upper, rtol=1e-14)
    assert table.upper.shape == order.shape


@pytest.mark.parametrize("method", MEAN_METHODS)
def test_monotone_in_delta_and_nested(method):
    losses = samples()
    deltas = [0.9, 0.5, 0.1, 1e-3, 1e-12, 1e-300]
    found = [mean_interval(losses, method=method, delta=delta) for delta in deltas]
    for wide, narrow in zip(found[1:], found[:-1], strict=True):
        assert (wide.lower <= narrow.lower + 1e-12).all()
        assert (wide.upper >= narrow.upper - 1e-12).all()
    for interval in found:
        assert ((interval.lower >= 0) & (interval.upper <= 1)).all()
        if method != "betting":
            mean = losses.mean(axis=0)
            assert ((interval.lower <= mean) & (mean <= interval.upper)).all()


@pytest.mark.parametrize("method", COUNT_METHODS)
def test_shrinks_in_n(method):
    sizes = np.array([10, 20, 50, 100, 1000, 10**5, 10**7])
    for share in (0, 2, 5, 10):
        width = binomial_interval(sizes * share // 10, sizes, method=method, delta=0.05).length
        assert (np.diff(width)[width[:-1] < 1] < 0).all()
        assert width[-1] < 2e-3


@pytest.mark.parametrize("method", [*SEQUENCES, "fixed"])
def test_betting_and_sequences_shrink_in_n(method):
    rng = np.random.default_rng(3)
    losses = rng.beta(2, 3, 20_000)
    if method == "fixed":
        widths = [
            float(mean_interval(losses[:n], method="betting", delta=0.05).length) for n in (20, 200, 2000, 20_000)
        ]
        assert (np.diff(widths) < 0).all()
    else:
        found = confidence_sequence(losses, method=method, delta=0.05)
        widths = found.length[[19, 199, 1999, 19_999]]
        assert (np.diff(found.length) <= 0).all()
        assert not found.empty.any()
    assert widths[-1] < 0.04 * 0.6


def _everything(losses, **settings):
    for method in [*MEAN_METHODS, "auto"]:
        yield method, mean_interval(losses, method=method, **settings)
    for method in SEQUENCES:
        yield method, confidence_sequence(losses, method=method, **settings)


def test_affine_maps_and_reflection():
    losses = samples(n=40)
    for side, mirror in zip(SIDES, ("both", "upper", "lower"), strict=True):
        plain = list(_everything(losses, delta=0.1, side=side))
        moved = list(_everything(-2 + 5 * losses, delta=0.1, side=side, loss_range=(-2, 3)))
        turned = list(_everything(1 - losses, delta=0.1, side=mirror))
        for (name, a), (_, b), (_, c) in zip(plain, moved, turned, strict=True):
            slack = 0.02 if name == "betting" and a.lower.ndim == 2 else 1e-8
            if name == "hoeffding-bentkus":  # totals within rounding of an integer may count one more
                slack = 1.1 / 40
            np.testing.assert_allclose(-2 + 5 * a.lower, b.lower, atol=5 * slack)
            np.testing.assert_allclose(-2 + 5 * a.upper, b.upper, atol=5 * slack)
            np.testing.assert_allclose(a.lower, 1 - c.upper, atol=slack)
            np.testing.assert_allclose(a.upper, 1 - c.lower, atol=slack)
            assert ((b.lower >= -2) & (b.upper <= 3)).all()
            np.testing.assert_array_equal(a.vacuous, b.vacuous)


def test_ranges_and_deltas_per_mean():
    losses = samples(n=30)[:, :4].reshape(30, 2, 2)
    high = np.array([[1.0, 2.0], [3.0, 4.0]])
    deltas = np.array([0.1, 0.01])
    many = mean_interval(losses * high, delta=deltas, loss_range=(0, high))
    assert many.range.shape == (2, 2, 2)
    for i, j in np.ndindex(2, 2):
        one = mean_interval(losses[:, i, j] * high[i, j], delta=deltas[j], loss_range=(0, high[i, j]))
        assert float(one.upper) == pytest.approx(many.upper[i, j], rel=1e-12)
        assert float(many[i, j].lower) == pytest.approx(float(one.lower), rel=1e-12)
    assert many.vacuous.shape == (2, 2)


def test_axes_and_shapes():
    losses = samples(n=25)[:, :6].reshape(25, 2, 3)
    expected = mean_interval(losses, delta=0.1)
    for axis in (1, -1):
        found = mean_interval(np.moveaxis(losses, 0, axis), delta=0.1, axis=axis)
        np.testing.assert_array_equal(found.upper, expected.upper)
    sequence = confidence_sequence(np.moveaxis(losses, 0, 2), delta=0.1, axis=2)
    assert sequence.lower.shape == (25, 2, 3)
    assert mean_interval(losses[:, 0, 0], delta=0.1).lower.shape == ()


def test_auto_follows_its_rule():
    rng = np.random.default_rng(1)
    binary, other = rng.integers(0, 2, 50), rng.random(50)
    assert mean_interval(binary, delta=0.1).method == "clopper-pearson"
    assert mean_interval(binary * 3.0, delta=0.1, loss_range=(0, 3)).method == "clopper-pearson"
    assert mean_interval(binary * 3.0, delta=0.1, loss_range=(0, 4)).method == "betting"
    mixed = mean_interval(np.column_stack([binary, other]), delta=0.1)
    assert mixed.method.tolist() == ["clopper-pearson", "betting"]
    floats = (binary.astype(float), other)
    assert mixed.upper.tolist() == [float(mean_interval(column, delta=0.1).upper) for column in floats]
    # Integers can be nothing but 0 and 1 here: they keep all of delta, floats pay for the look.
    whole, looked = (mean_interval(column, delta=0.1) for column in (binary, binary.astype(float)))
    assert whole.upper == binomial_interval(int(binary.sum()), 50, delta=0.1).upper
    assert looked.upper == binomial_interval(int(binary.sum()), 50, delta=0.95 * (1 - 1e-5) * 0.1).upper
    assert whole.delta == looked.delta == 0.1
    assert mean_interval(rng.random(100_000), delta=0.1).method == "betting"
    assert mean_interval(rng.random(100_001), delta=0.1).method == "empirical-bernstein"


def test_one_example_and_constants():
    for method in MEAN_METHODS:
        one = mean_interval([0.4], method=method, delta=0.05)
        assert 0 <= one.lower <= one.upper <= 1
        constant = mean_interval(np.full((500, 3), [0.0, 0.3, 1.0]), method=method, delta=0.05)
        assert (constant.lower <= [0, 0.3, 1]).all()
        assert (constant.upper >= [0, 0.3, 1]).all()
        assert constant.lower[0] == 0
        assert constant.upper[2] == 1
    assert mean_interval([0.4], method="empirical-bernstein", delta=0.05).vacuous
    assert binomial_interval(0, 1, method="hoeffding", delta=0.05).vacuous
    assert not binomial_interval(0, 1, delta=0.05).vacuous


def test_hoeffding_bentkus_counts_ties_up():
    """Sums are rounded up to a count, never down: .1 + .2 + .7 can come out below 1 in floating point."""
    losses = np.tile([0.1, 0.2, 0.7, 0.3], 10)
    found = mean_interval(losses, method="hoeffding-bentkus", delta=0.05, side="upper").upper
    counts = [binomial_interval(k, 40, method="hoeffding-bentkus", delta=0.05, side="upper").upper for k in (13, 14)]
    assert counts[0] <= found <= counts[1]


def test_betting_is_tighter_than_hoeffding_where_the_variance_is_small():
    losses = np.random.default_rng(0).normal(0.3, 0.02, (500, 20)).clip(0, 1)
    width = {method: mean_interval(losses, method=method, delta=0.05).length.mean() for method in MEAN_METHODS}
    assert width["betting"] < 0.4 * width["empirical-bernstein"] < 0.4 * width["hoeffding"]


@pytest.mark.parametrize(("delta", "most"), [(0.05, 1.13), (1e-4, 1.08)])
def test_betting_is_nearly_as_short_as_a_normal_interval(delta, most):
    """Without recalculated bets the ratios are 1.21 and 1.09."""
    losses = np.random.default_rng(0).random((1000, 100))
    length = mean_interval(losses, method="betting", delta=delta).length.mean()
    normal = 2.0 * norm.isf(delta / 2.0) * losses.std(axis=0).mean() / np.sqrt(1000)
    assert length < most * normal


def test_sequences_use_the_past_only():
    losses = samples(n=120)
    for method in SEQUENCES:
        whole = confidence_sequence(losses, method=method, delta=0.1)
        for t in (1, 7, 60):
            part = confidence_sequence(losses[:t], method=method, delta=0.1)
            changed = np.vstack([losses[:t], 1 - losses[t:]])
            other = confidence_sequence(changed, method=method, delta=0.1)
            tolerance = 0.01 if method == "betting" else 1e-12
            np.testing.assert_allclose(part.lower, whole.lower[:t], atol=tolerance)
            np.testing.assert_allclose(part.upper, other.upper[:t], atol=tolerance)


def _slow_capital(x, m, log_level, *, horizon):
    """Return the running maximum of the log capital against "the mean is at most m", by the formulas."""
    n, total, squares, log_capital, best = len(x), 0.5, 0.25, 0.0, -np.inf
    out, past = [], []
    for t in range(1, n + 1):
        missing, length = log_level, t * np.log(1 + t)
        if horizon:
            end = max(total / t - np.sqrt(2 * log_level * squares / (t * n)), 0.0)
            gains = np.array(past) * (x[: t - 1] - end)
            missing, length = max(log_level - np.sum(gains - gains**2 / 2), 0.3 * log_level), n - t + 1
        bet = np.sqrt(2 * missing / (squares / t * length))
        past.append(bet if not horizon or end == 0 else min(bet, 0.75 / end))
        log_capital += np.log1p(min(bet, 0.75 / m) * (x[t - 1] - m))
        total += x[t - 1]
        squares += (x[t - 1] - total / (t + 1)) ** 2
        best = max(best, log_capital)
        out.append(best)
    return np.array(out)


@pytest.mark.parametrize("population", ["flat", "skewed", "rare and full", "ties", "degenerate"])
def test_betting_against_the_formulas(population):
    x = POPULATIONS[population][0](np.random.default_rng(2), (80, 1))[:, 0]
    level = np.log(2 / 0.1)
    fixed = float(mean_interval(x, method="betting", delta=0.1).lower)
    assert _slow_capital(x, fixed, level, horizon=True)[-1] >= level
    assert _slow_capital(x, fixed * (1 + 1e-8) + 1e-12, level, horizon=True)[-1] < level
    sequence = confidence_sequence(x, delta=0.1).lower
    average = x.mean()
    for t, end in enumerate(sequence):
        if end > 0:
            assert _slow_capital(x, end, level, horizon=False)[t] >= level
            tighter = min(end + 0.006 * max(average - end, end) + 1e-9, 1)
            assert _slow_capital(x, tighter, level, horizon=False)[t] < level


def _slow_tail(k, n, u):
    """Return P(Bin(n, u) <= k) from its largest term down."""
    term = mpmath.binomial(n, k) * u**k * (1 - u) ** (n - k)
    total = mpmath.mpf(0)
    while k >= 0 and term > total * mpmath.mpf(10) ** -32:
        total += term
        term *= mpmath.mpf(k) / (n - k + 1) * (1 - u) / u
        k -= 1
    return total


@pytest.mark.parametrize("n", [1, 2, 7, 100, 10**4, 10**9])
def test_clopper_pearson_against_forty_digits(n):
    for k in sorted({0, 1, 2, 5, min(n // 10, 10**4), n // 2 if n < 10**5 else 50, min(n - 1, 10**4)}):
        if not 0 <= k < n:
            continue
        for delta in (0.999, 0.3, 0.01, 1e-8, 1e-30, 1e-100):
            with mpmath.workdps(150):
                upper = mpmath.mpf(float(binomial_interval(k, n, delta=delta, side="upper").upper))
                assert upper == 1 or _slow_tail(k, n, upper) <= delta
                assert _slow_tail(k, n, upper - _slack(upper, n)) >= delta
                left = mpmath.mpf(float(binomial_interval(n - k, n, delta=delta, side="lower").lower))
                assert _slow_tail(k, n, 1 - left) <= delta
                assert _slow_tail(k, n, 1 - left - _slack(left, n)) >= delta


def _slack(end, n):
    """Return how far an end may be rounded outward: a share of the smaller of it and 1 - it, and its last digits."""
    return (2e-13 + 1e-19 * n) * min(end, 1 - end) + end * mpmath.mpf(2) ** -50


def test_huge_samples_are_not_lost_to_rounding():
    for n in (10**11, 10**13, 2**53):
        exact, kl = (binomial_interval(n // 2, n, method=m, delta=0.05) for m in ("clopper-pearson", "kl"))
        assert exact.length <= kl.length < 3 / np.sqrt(n)


def test_inputs_are_left_alone():
    losses = samples(n=20)
    before = losses.copy()
    for _ in _everything(losses, delta=0.1):
        np.testing.assert_array_equal(losses, before)
    losses.flags.writeable = False
    list(_everything(losses, delta=0.1))


def test_refusals_of_counts(refuses):
    good = {"delta": 0.1}
    for errors in (11, -1, [3, 11], 0.1, 3.0, [0.5], True, [], np.nan, "3", [[1], [1, 2]]):
        refuses("errors", binomial_interval, errors, 10, **good)
    for n in (0, -3, 10.0, True, [], [5, 0], "x"):
        refuses("n", binomial_interval, 0, n, **good)
    refuses("n", binomial_interval, [1, 2], [10, 10, 10], **good)
    for delta in (0, 1, -0.1, 1.5, np.nan, True, "x", [0.1, 0.1]):
        refuses("delta", binomial_interval, 3, 10, delta=delta)
    for method in ("betting", "auto", "wald", None):
        refuses("method", binomial_interval, 3, 10, method=method, **good)
    refuses("side", binomial_interval, 3, 10, side="left", **good)


@pytest.mark.parametrize("function", [mean_interval, confidence_sequence])
def test_refusals_of_losses(function, refuses):
    good = {"delta": 0.1}
    for losses in ([0.5, 1.01], [-0.01], [np.nan, 0.5], [], 0.5, ["x"], [[]], [np.inf], [[0.1], [0.1, 0.2]]):
        refuses("losses", function, losses, **good)
    refuses("losses", function, [0.5], loss_range=(0.6, 1), **good)
    for loss_range in ((1, 0), (0, 0), (0, np.inf), (0, np.nan), 1, (0,), (0, 1, 2), (-1e308, 1e308), (0, [1, 1])):
        refuses("loss_range", function, [0.5, 0.5], loss_range=loss_range, **good)
    for delta in (0, 1, -0.1, np.nan, True, "x", [0.1, 0.1]):
        refuses("delta", function, [0.5, 0.4], delta=delta)
    for axis in (1, -2, 0.0, True, None):
        refuses("axis", function, [0.5, 0.4], axis=axis, **good)
    refuses("method", function, [0.5], method="wald", **good)
    refuses("side", function, [0.5], side="two", **good)


def test_refusals_of_one_function_only(refuses):
    refuses("losses", mean_interval, [0, 1, 0.5], method="clopper-pearson", delta=0.1)
    for tuned_for in (0, 1.5, True):
        refuses("tuned_for", confidence_sequence, [0.5], tuned_for=tuned_for, delta=0.1)
