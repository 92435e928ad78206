"""The radius of constant noise, claimed for noise that follows the input, is exceeded: exact cases and a simulation."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import ncx2, norm

from moltheory.studies.smoothing import (
    NeighborSigma,
    SmoothedClassifier,
    ball_example,
    certified_radius,
    counterexamples,
    interval_probability,
)
from moltheory.studies.smoothing._counterexamples import INTERVAL_RATE


@pytest.fixture(scope="module")
def table():
    return counterexamples()


def test_every_claim_is_wrong_and_every_certificate_right(table):
    assert table["classifier"].tolist() == ["interval", "ball", "ball", "ball"]
    assert (table["changes"] < table["claimed"]).all()
    assert (table["p_at_claim"] > 0.5).all()
    assert (table["certified"] <= table["changes"]).all()
    np.testing.assert_allclose(table["claimed"], -table["sigma"] * ndtri(table["p_other"]), rtol=1e-12)


def test_numbers_on_the_line(table):
    # The other class is (-1, 1), the point 2, its sigma 2, the training point 0.
    p = norm.cdf(-0.5) - norm.cdf(-1.5)
    row = table.iloc[0]
    assert row["p_other"] == pytest.approx(p, rel=1e-14)
    assert (row["claimed"], row["changes"], row["certified"]) == pytest.approx((1.4015, 1.1421, 0.9624), abs=1e-4)
    at = 2.0 - row["changes"]
    sigma = 2.0 * np.exp(-INTERVAL_RATE * row["changes"])
    assert norm.cdf((1 - at) / sigma) - norm.cdf((-1 - at) / sigma) == pytest.approx(0.5, abs=1e-12)
    # Under constant noise the claim holds, as Cohen et al. prove.
    assert (interval_probability(np.linspace(0, row["claimed"], 200), rate=0.0) < 0.5).all()


def test_numbers_of_the_ball_in_784_dimensions(table):
    row = table.iloc[1]
    assert (row["dimension"], row["sigma"], row["rate"], row["p_other"]) == (784, 0.5, 0.01, 0.01)
    assert (row["claimed"], row["changes"], row["certified"]) == pytest.approx((1.16317, 1.14122, 1.14089), abs=1e-4)
    center, square = ball_example(784, 0.5, 0.01, 0.01)
    assert ncx2.cdf(square / 0.25, 784, (center / 0.5) ** 2) == pytest.approx(0.01, rel=1e-9)
    assert row["certified"] == certified_radius(0.01, sigma=0.5, rate=0.01, dimension=784)


def test_the_smoothed_classifier_itself_changes_within_the_claim(table):
    # The sigma of the paper's design with k = 1, and votes instead of formulas.
    sigma = NeighborSigma([[0.0]], base=2.0, rate=INTERVAL_RATE, center=2.0, k=1)
    smoothed = SmoothedClassifier(lambda x: np.abs(x[:, 0]) < 1, sigma, classes=[False, True])
    row = table.iloc[0]
    inside = 0.5 * (row["changes"] + row["claimed"])
    found = smoothed.decide([[2.0], [2.0 - inside]], n=20_000, rng=0)
    assert found.classes.tolist() == [0, 1]
    shares = found.votes[:, 1] / 20_000
    exact = interval_probability([0.0, inside])
    assert (np.abs(shares - exact) <= 4.5 * np.sqrt(exact * (1 - exact) / 20_000)).all()
    # What is certified does hold.
    certified = smoothed.certify([[2.0]], n=20_000, rng=0).radii[0]
    assert 0.8 < certified < row["changes"]


def test_balls_against_simulation(rng):
    # Noise along the way and the squared length across it, at the claimed radius.
    n, sigma, rate, p = 784, 0.5, 0.1, 0.01
    center, square = ball_example(n, sigma, rate, p)
    row = counterexamples().query("dimension == 784 and rate == 0.1").iloc[0]
    a = 0.5 * (row["changes"] + row["claimed"])
    there = sigma * np.exp(-rate * a)
    along = a + there * rng.standard_normal(40_000) - center
    inside = (along**2 + there**2 * rng.chisquare(n - 1, 40_000) <= square).mean()
    assert inside > 0.5 + 4 * 0.5 / 200
