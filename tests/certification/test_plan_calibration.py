"""Whether planned sizes decide as often as planned, over the luck of the losses that are at hand."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.stats import binom

from moltheory.certification import _plan_runs
from moltheory.certification._certified import certified
from moltheory.certification._kept_losses import LossSample, recorded
from moltheory.certification._plan_runs import simulated_curves
from moltheory.evaluation._comparison import Comparison, read_comparison

Array = np.ndarray[Any, Any]
Draw = Callable[[LossSample, int, np.random.Generator], Comparison]


class _Counts(NamedTuple):
    """Plans, those that have an end, and those whose size decided."""

    plans: int
    ended: int
    decided: int


def _decides(losses: Array) -> bool:
    """Return whether a test of three standard errors distinguishes two models: what a run costs is next to nothing."""
    first, second = losses.mean(axis=0)
    error = math.sqrt(max(first + second - 2.0 * (losses[:, 0] & losses[:, 1]).mean() - (first - second) ** 2, 0.0))
    return bool(abs(first - second) * math.sqrt(len(losses)) > 3.0 * error)


def _followed(draw: Draw, pilots: int, monkeypatch: pytest.MonkeyPatch) -> _Counts:
    """Plan from pilots of 200 examples of worlds with gaps of all sizes, and follow the plans on fresh data."""

    def run(sample: LossSample, n_units: int, _: Any, __: Any, rng: np.random.Generator) -> bool:
        (block,) = draw(sample, n_units, rng).read()
        return _decides(block.rows)

    monkeypatch.setattr(_plan_runs, "_certificate_at", run)
    monkeypatch.setattr(_plan_runs, "_cost", lambda *_: 1e4)
    monkeypatch.setattr(_plan_runs, "LARGEST_FACTOR", 50.0)
    rng = np.random.default_rng(5)
    plans = ended = decided = 0
    for seed in range(pilots):
        gap = float(rng.uniform(0.0, 0.12))

        def fresh(n: int, gap: float = gap) -> Array:
            return rng.random((n, 2)) < [0.2, 0.2 + gap]

        losses = fresh(200)
        if _decides(losses):
            continue
        plans += 1
        size = _planned(losses, seed)
        if math.isfinite(size):
            ended += 1
            decided += _decides(fresh(math.ceil(size)))
    return _Counts(plans, ended, decided)


def _planned(losses: Array, seed: int) -> float:
    """Return the size, in all, that is planned for 80 %."""
    problem, recorder = recorded(read_comparison(losses))
    problem.scan(None, "size")
    sample = recorder.sample(problem, certified, None, "size")
    assert sample is not None
    # Neither a certificate nor its statistics are looked at.
    nothing: Any = SimpleNamespace(shares=None)
    curves = simulated_curves(sample, nothing, nothing, _as_target, 1, runs=30, rng=seed)
    return float(curves.needed(0.8)[0])


def _as_target(decides: Any) -> Array:
    return np.array([decides])


def _from_losses_at_hand(sample: LossSample, n_units: int, rng: np.random.Generator) -> Comparison:
    """Draw in one step: the wrong way, which takes the losses at hand for the population."""
    units = rng.integers(0, sample.n_units, n_units)
    return sample._of(units, units, None)


@pytest.mark.slow
def test_planned_sizes_decide_as_often_as_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = (_followed(draw, 140, monkeypatch) for draw in (LossSample.draw, _from_losses_at_hand))
    assert right.ended > 0.5 * right.plans
    assert binom.cdf(right.decided, right.ended, 0.8) > 1e-6
    assert right.decided > 0.6 * right.ended
    # In one step sizes are too small.
    assert binom.cdf(wrong.decided, wrong.ended, 0.8) < 1e-6
