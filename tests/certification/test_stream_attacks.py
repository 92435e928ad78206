"""`CertificateStream` against adversaries: thousands of streams of two tied models, with a look at every example.

An adversary chooses the law of each example after all earlier ones, with the means that the stream's guarantee allows.
All streams go side by side, through the same processes on the same sums; that this is what `CertificateStream` does is
tested on some of them.
"""

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from moltheory.certification import CertificateStream
from moltheory.inference._anytime import mean_ends, mixture_of_bets, sign_mixture

Array = np.ndarray[Any, Any]

# Shares of delta: boxes, and the verdict about each of two models.
_BOXES, _EACH = 0.1, 0.85 / 2.0


class _Streams:
    """Sums and best evidence of many streams of two models and one objective."""

    def __init__(self, runs: int, delta: float) -> None:
        self.delta, self.n = delta, 0
        self.total, self.squares = (np.zeros((runs, 2)) for _ in range(2))
        self.gain, self.gain_squares = (np.zeros(runs) for _ in range(2))
        self.counting = np.ones(runs, dtype=bool)
        self.lost = np.zeros(runs)
        self.evidence = np.full((runs, 2), -np.inf)
        self.lower, self.upper = np.zeros((runs, 2)), np.ones((runs, 2))

    def add(self, x: Array) -> None:
        """Add one example (runs, 2) to each, and look."""
        self.n += 1
        self.counting &= ((x == 0.0) | (x == 1.0)).all(axis=1)
        self.total += x
        self.squares += x * x
        d = x[:, 1] - x[:, 0]
        self.gain += d
        self.gain_squares += d * d
        self.lost += self.counting * (d < 0.0)
        n = np.full(self.total.size, float(self.n))
        level = math.log(2.0 / (_BOXES * self.delta))
        low, high = mean_ends(n, self.total.ravel(), self.squares.ravel(), level)
        self.lower = np.maximum(self.lower, low.reshape(-1, 2))
        self.upper = np.minimum(self.upper, high.reshape(-1, 2))
        won = np.where(self.counting, self.gain_squares - self.lost, 0.0)
        for side, (gain, ahead, behind) in enumerate(((self.gain, won, self.lost), (-self.gain, self.lost, won))):
            logs = mixture_of_bets(gain, self.gain_squares) - math.log(2.0) - 1e-12 * (self.n + 1.0)
            signs = np.logaddexp(logs, sign_mixture(ahead, behind) - math.log(2.0))
            logs = np.where(self.counting, signs, logs)
            self.evidence[:, side] = np.maximum(self.evidence[:, side], logs)

    @property
    def excludes(self) -> Array:
        """Whether some model was ever excluded: by its only rival at its part of delta, or by disjoint boxes."""
        apart = (self.upper[:, 0] < self.lower[:, 1]) | (self.upper[:, 1] < self.lower[:, 0])
        passed: Array = (self.evidence >= -math.log(_EACH * self.delta)).any(axis=1) | apart
        return passed

    def misses(self, means: Array) -> Array:
        """Whether some box ever missed its mean."""
        missed: Array = ((self.lower > means) | (self.upper < means)).any(axis=1)
        return missed


Adversary = Callable[[np.random.Generator, _Streams], Array]


def _coins(rng: np.random.Generator, streams: _Streams) -> Array:
    """Independent errors."""
    return (rng.random(streams.total.shape) < 0.5).astype(float)


def _opposed(rng: np.random.Generator, streams: _Streams) -> Array:
    """Exactly one model errs on every example."""
    first = rng.random(len(streams.total)) < 0.5
    return np.stack([first, ~first], axis=1).astype(float)


def _creeping(rng: np.random.Generator, streams: _Streams) -> Array:
    """The second model loses a little nearly always, until that is nearly enough or has been lost: then all or nothing."""
    runs = len(streams.total)
    close = (streams.evidence[:, 0] > 0.4 * -math.log(_EACH * streams.delta)) | (streams.gain < 0.0)
    little = np.where(rng.random(runs) < 0.05, -0.475, 0.025)
    much = np.where(rng.random(runs) < 0.5, -0.5, 0.5)
    return np.stack([np.full(runs, 0.5), 0.5 + np.where(close, much, little)], axis=1)


def _stopping_the_count(rng: np.random.Generator, streams: _Streams) -> Array:
    """Opposed errors; those who are behind break off with losses inside the range, which end the counting, and gamble on."""
    behind = ~streams.counting | ((streams.gain <= -3.0) & (streams.n > 5))
    rows = _opposed(rng, streams)
    inside = np.stack([np.full(len(rows), 0.5), (rng.random(len(rows)) < 0.5).astype(float)], axis=1)
    return np.where(behind[:, None], inside, rows)


def _rising(rng: np.random.Generator, streams: _Streams) -> Array:
    """The average of the first model creeps up, with a rare fall, and where it is far off its mean all is staked."""
    runs = len(streams.total)
    off = np.abs(streams.total[:, 0] - 0.5 * streams.n) > 0.1 * (streams.n + 1.0)
    chance = np.where(off, 0.5, 0.9)
    # Mean 1/2 either way.
    x = np.where(rng.random(runs) < chance, 0.5 / chance, 0.0)
    return np.stack([x, np.full(runs, 0.5)], axis=1)


_ADVERSARIES = (_coins, _opposed, _creeping, _stopping_the_count, _rising)


@pytest.mark.slow
@pytest.mark.parametrize("adversary", _ADVERSARIES)
def test_side_by_side_is_one_by_one(adversary: Adversary) -> None:
    runs, delta = 12, 0.9
    rng = np.random.default_rng(4)
    streams, alone = _Streams(runs, delta), [CertificateStream(2, 1, delta) for _ in range(runs)]
    excluded = np.zeros(runs, dtype=bool)
    for _ in range(25):
        rows = adversary(rng, streams)
        streams.add(rows)
        for run, stream in enumerate(alone):
            stream.update(rows[run][None, :, None])
            certificate = stream.certificate()
            excluded[run] |= certificate.excluded.any()
            np.testing.assert_allclose(certificate.boxes[:, 0, 0], streams.lower[run], atol=1e-9)
            np.testing.assert_allclose(certificate.boxes[:, 0, 1], streams.upper[run], atol=1e-9)
        np.testing.assert_array_equal(streams.excludes, excluded)


def _failures(adversary: Adversary, runs: int, horizon: int, delta: float) -> tuple[float, float, float]:
    rng = np.random.default_rng([runs, _ADVERSARIES.index(adversary)])
    streams = _Streams(runs, delta)
    sums = np.zeros(2)
    for _ in range(horizon):
        rows = adversary(rng, streams)
        sums += rows.mean(axis=0)
        streams.add(rows)
    # The adversary kept to the rules.
    np.testing.assert_allclose(sums / horizon, 0.5, atol=5.0 / math.sqrt(runs * horizon))
    excludes, misses = streams.excludes, streams.misses(np.array([0.5, 0.5]))
    return float(excludes.mean()), float(misses.mean()), float((excludes | misses).mean())


@pytest.mark.parametrize("adversary", _ADVERSARIES)
def test_adversaries_are_held_off(adversary: Adversary) -> None:
    excludes, misses, either = _failures(adversary, 500, 40, 0.9)
    # Both models may be excluded wrongly.
    assert excludes <= 2.0 * _EACH * 0.9 + 3.0 * math.sqrt(0.25 / 500)
    assert misses <= _BOXES * 0.9 + 3.0 * math.sqrt(0.25 / 500)
    assert either <= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("adversary", _ADVERSARIES)
@pytest.mark.parametrize("delta", [0.9, 0.2])
def test_many_streams_at_every_example(adversary: Adversary, delta: float) -> None:
    runs = 10_000 if os.environ.get("MOLTHEORY_FULL") else 2_500
    excludes, misses, either = _failures(adversary, runs, 100, delta)
    error = 3.0 * math.sqrt(0.25 / runs)
    # Boxes alone may exclude too, off their event.
    assert excludes <= min(2.0 * _EACH * delta + misses, (2.0 * _EACH + _BOXES) * delta) + error
    assert misses <= _BOXES * delta + error
    assert either <= (2.0 * _EACH + _BOXES) * delta + error
