"""Numbers at the ends of what floats hold: right, or refused in a sentence, never NaN or silently another number."""

import mpmath
import numpy as np
import pytest

import moltheory as mt
from moltheory.bounds import paired_dominance, shell_class


def test_shells_in_far_tails():
    """The library's inverse of the incomplete beta function gave 0 here, and 1.5 % too little at n = 10^9."""
    assert shell_class([8], 10, delta=1e-200, n_shells=1).upper.item() == 1.0
    found = shell_class([5], 10**9, delta=1e-300, n_shells=1).upper.item()
    with mpmath.workdps(40):
        # P(Bin(n, u) <= 5) = delta / 2: the other half goes to the shells.
        n, level = mpmath.mpf(10**9), mpmath.mpf("1e-300") / 2

        def tail(u):
            total = sum(mpmath.binomial(n, k) * u**k * (1 - u) ** (n - k) for k in range(6))
            return mpmath.log(total) - mpmath.log(level)

        low, high = mpmath.mpf("1e-8"), mpmath.mpf("1e-5")
        exact = mpmath.findroot(tail, (low, high), solver="anderson", tol=1e-60)
    assert exact == pytest.approx(7.1958e-07, rel=1e-4)
    assert exact <= found <= exact * (1 + 1e-9)


@pytest.mark.parametrize("m", [2**31 - 1, 2**31, 10**12])
def test_paired_tests_of_billions_of_disagreements(m):
    """The tail took 32-bit sizes: NaN beyond. Two standard deviations below the middle."""
    below = int(np.sqrt(m))
    k = m // 2 - below
    with mpmath.workdps(30):
        z = (mpmath.mpf(k) + 0.5 - mpmath.mpf(m) / 2) / mpmath.sqrt(mpmath.mpf(m) / 4)
        expected = mpmath.ncdf(z)
    assert paired_dominance([k], [m - k]) == pytest.approx(float(expected), rel=1e-4)
    assert paired_dominance([m], [0]) == 1.0
    assert paired_dominance([0], [m]) == 0.0


@pytest.mark.parametrize("low", [0.0, 1e16, -1e16, 1e3])
@pytest.mark.parametrize("method", ["auto", "boxes"])
def test_the_offset_of_losses_has_no_say(low, method):
    """Boxes rounded to the nearest float touched at an offset of 1e16: a sure model was excluded."""
    u = np.arange(400) / 400
    losses = np.stack(
        [np.stack([u < 0.4, u < 0.05], 1), np.stack([(u > 0.5) & (u < 0.55), u > 0.4], 1)], 1
    ).astype(float)  # fmt: skip
    plain = mt.certify(losses * [2, 1], loss_range=([0, 0], [2, 1]), method=method)
    moved = mt.certify(losses * [2, 1] + [low, 0], loss_range=([low, 0], [low + 2, 1]), method=method)
    assert moved.status == plain.status == ("sure", "sure")
    # Rounded outward: what the plain boxes hold, these hold too.
    assert (moved.boxes[:, 0, 0] <= plain.boxes[:, 0, 0] + low).all()
    assert (moved.boxes[:, 0, 1] >= plain.boxes[:, 0, 1] + low).all()


def test_ranges_and_levels_at_the_ends(refuses):
    losses = np.random.default_rng(0).random((50, 3))
    refuses("loss_range", mt.certify, losses, loss_range=(-1e308, 1e308))
    for delta in (1e-307, 5e-324):
        certificate = mt.certify(losses, delta=delta)
        assert np.isfinite(certificate.boxes).all()
        assert certificate.undecided.all()


def test_volumes_beyond_floats_are_refused(refuses):
    refuses("points", mt.hypervolume, [[0.0, 0.0]], reference=[1e200, 1e200])
    assert mt.hypervolume([[0.0, 0.0]], reference=[1e200, 1e-100]) == pytest.approx(1e100)


def test_numbers_that_64_bits_do_not_hold_are_refused(refuses):
    if np.dtype(np.longdouble).itemsize > 8:
        close = np.longdouble(1) + np.finfo(np.longdouble).eps
        refuses("points", mt.nondominated, np.array([[1, 1], [close, 1]], dtype=np.longdouble))
        refuses("losses", mt.certify, np.full((9, 2), 1 - np.finfo(np.longdouble).eps, dtype=np.longdouble))
        assert mt.nondominated(np.array([[1, 1], [2, 1]], dtype=np.longdouble)).tolist() == [True, False]
        assert mt.certify(np.full((9, 2), 0.5, dtype=np.longdouble)).undecided.all()
    for power in (63, 64, 70):
        refuses("points", mt.nondominated, [[2**power, 1], [2**power + 1, 1]])
        refuses("points", mt.nondominated, np.array([[2**power, 1], [2**power + 1, 1]], dtype=object))
    assert mt.nondominated([[2**70, 1], [2**71, 1]]).tolist() == [True, False]
    assert mt.nondominated([[2**62, 1], [2**62 + 1, 1]]).tolist() == [True, False]
