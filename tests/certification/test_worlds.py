"""False verdicts are as rare as promised in simulated worlds, and bootstrap fronts are not."""

import numpy as np
import pytest
from scipy.stats import binom

from ._worlds import METHODS, simulated_world, study


@pytest.mark.parametrize("kind", ["ties", "near ties", "trade-off", "independent", "clusters"])
def test_draws_have_the_true_means(kind, rng):
    world = simulated_world(kind, 6, 3, rng)
    losses, labels = world.draw(20_000, rng)
    assert np.abs(losses.mean(axis=0) - world.true).max() < 0.05
    assert (labels is not None) == (kind == "clusters")


def test_bootstrap_fronts_fail_where_certificates_do_not():
    methods = {name: METHODS[name] for name in ("certify", "bootstrap fronts")}
    found = study("ties", models=50, m=2, n=1000, runs=20, seed=4, delta=0.05, methods=methods)
    assert found["certify"].failures <= 4  # P(Bin(20, .05) > 4) = .0026
    # Far more often than at most delta: P(Bin(20, .05) >= 8) < 4e-6.
    assert found["bootstrap fronts"].failures >= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "models", "m", "n"),
    [
        ("ties", 2, 2, 400),
        ("ties", 30, 5, 300),
        ("near ties", 20, 3, 2000),
        ("trade-off", 50, 2, 1000),
        ("independent", 10, 4, 1000),
        ("clusters", 12, 2, 600),
        ("near ties", 200, 2, 500),
    ],
)
def test_certificates_are_wrong_at_most_as_often_as_delta(kind, models, m, n):
    runs = 40 if models < 40 else 8
    delta = 0.3
    found = study(
        kind, models=models, m=m, n=n, runs=runs, seed=11, delta=delta, methods={"certify": METHODS["certify"]}
    )
    assert found["certify"].failures <= binom.isf(1e-3, runs, delta)
