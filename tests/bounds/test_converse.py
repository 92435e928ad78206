"""Pruning with slack: its coverage by exact chains of deletions, which attain the bound for two objectives."""

from fractions import Fraction

import numpy as np
import pytest

from moltheory.bounds import slack_guarantee, slack_pruned
from moltheory.theorems import check_pair, ledger


def _chain(n_objectives, c, t, short=0):
    """Objective 0 rises by 2 c - short in each deletion, the others fall in turn; true risks make the most of the ends."""
    little, e = Fraction(1, 10**9), 2 * (n_objectives - 1) * c + t
    at = [c] + [Fraction(1)] * (n_objectives - 1)
    empirical = [at]
    while True:
        falling = max(range(1, n_objectives), key=lambda i: at[i])
        if at[falling] < e + little:
            break
        at = [min(Fraction(1), x + 2 * c - short) if i != falling else x - e - little for i, x in enumerate(at)]
        empirical.append(at)
    true = [[x - c if x > c else x + c for x in row] for row in empirical]
    true[0][0] = empirical[0][0] - c
    for row, seen in zip(true[1:], empirical[1:], strict=True):
        row[0] = min(Fraction(1), seen[0] + c)
    return true, empirical


def _survivors(empirical, widths, e):
    def beats(g, h):
        rises = [a - b for a, b in zip(g, h, strict=True)]
        return all(r <= 2 * c for r, c in zip(rises, widths, strict=True)) and min(rises) < -e

    return [k for k, h in enumerate(empirical) if not any(beats(g, h) for g in empirical)]


def _coverage(true, selected):
    def at_least_as_good(g, h):
        return all(a <= b for a, b in zip(g, h, strict=True))

    best = [h for h in true if not any(at_least_as_good(g, h) and g != h for g in true)]
    return max(min(max(max(a - b, 0) for a, b in zip(true[q], h, strict=True)) for q in selected) for h in best)


def _exact(true, empirical, t, loss_range=1):
    """Return the coverage error of the survivors, the bound, and the bound with the quotient rounded down."""
    n = len(true[0])
    widths = [max(abs(a[i] - b[i]) for a, b in zip(true, empirical, strict=True)) for i in range(n)]
    c = max(widths)
    selected = _survivors(empirical, widths, 2 * (n - 1) * c + t)
    steps = (n - 1) * Fraction(loss_range) / (2 * c + t)
    return _coverage(true, selected), 2 * c * (steps + 1), 2 * c * (steps // 1 + 1)


def test_values():
    assert slack_guarantee([0.01, 0.0], t=0.2, loss_range=1.0).coverage == pytest.approx(
        0.02 * (1 / 0.22 + 1), rel=1e-14
    )
    # Finite as t goes to 0, and nothing to pay for without deviations.
    assert slack_guarantee([0.01, 0.01, 0.0], t=1e-300, loss_range=1.0).coverage == pytest.approx(2.02, rel=1e-14)
    assert slack_guarantee([0.0, 0.0], t=0.2, loss_range=1.0).coverage == 0.0
    # With one objective the deleter survives.
    assert slack_guarantee([0.25], t=0.5, loss_range=1.0).coverage == 0.5


@pytest.mark.parametrize(
    ("n_objectives", "c", "t", "share"),
    [
        (2, Fraction(1, 100), Fraction(1, 5), 0.9),
        (2, Fraction(1, 1000), Fraction(97999, 10**6), 0.9999),
        (3, Fraction(1, 1000), Fraction(1, 100), 0.99),
    ],
)
def test_chains_come_near_the_bound(n_objectives, c, t, share):
    coverage, bound, rounded = _exact(*_chain(n_objectives, c, t), t)
    assert share * bound < coverage <= rounded <= bound
    if n_objectives == 2:
        assert coverage == rounded


def test_a_chain_is_tight_in_floats_too():
    """The quotient is a little above 8; the same numbers from the theorem, and pruning keeps the last link only."""
    c, t = Fraction(1, 64), Fraction(1, 8) - Fraction(1, 32) - Fraction(1, 1024)
    # A rise of exactly 2 C would be a tie, which is read against the violation.
    true, empirical = (np.array(table, dtype=float) for table in _chain(2, c, t, short=Fraction(1, 10**9)))
    result = check_pair(ledger()["slack-pruned"], true, empirical, t=float(t), loss_range=1.0)
    assert result.holds
    assert 0 < result.slack < 0.003
    widths = np.abs(true - empirical).max(axis=0)
    assert slack_pruned(empirical, widths, t=float(t)).tolist() == [False] * 8 + [True]


def test_random_tables_stay_below_the_bound_in_fractions():
    """Rises before falls, falls of several objectives at once, data-independent objectives: all orders of a chain."""
    rng = np.random.default_rng(9)
    seen = 0
    for _ in range(400):
        n, count, q = int(rng.integers(2, 5)), int(rng.integers(2, 7)), int(rng.choice([8, 12, 20, 40]))
        w, t = int(rng.integers(1, q // 4 + 1)), Fraction(1, int(rng.choice([3, 8, 200])))
        # Half of them start where a chain has the most room.
        empirical = [np.where(np.arange(n) == 0, w, q) if rng.random() < 0.5 else rng.integers(0, q + 1, n)]
        for _ in range(count - 1):
            step = 2 * w * (rng.random(n) < 0.7)
            falling = rng.random(n) < 1.2 / n
            step[falling] = -(2 * (n - 1) * w + rng.integers(0, q // 2, falling.sum()))
            empirical.append(np.clip(empirical[-1] + step, 0, q))
        known = rng.random(n) < 0.3
        true = [np.where(known, row, np.clip(row + w * rng.integers(-1, 2, n), 0, q)) for row in empirical]
        if (np.array(true) == np.array(empirical)).all():
            continue
        tables = [[[Fraction(int(x), q) for x in row] for row in table] for table in (true, empirical)]
        coverage, bound, rounded = _exact(*tables, t)
        assert coverage <= rounded <= bound
        seen += coverage > 0
    assert seen > 30
