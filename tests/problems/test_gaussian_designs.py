"""Tasks on normal designs: true risks against integrals computed otherwise, samples against truth, fronts, refusals."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import integrate

import moltheory as mt
from moltheory.errors import InvalidInputError, SolverError
from moltheory.objectives import NormBall, QuadraticObjectives
from moltheory.problems import GaussianDesigns, LinearPopulation, MultiTaskLeastSquares
from moltheory.problems._gaussian_risks import GaussianRisks
from moltheory.runs import fingerprint
from moltheory.scalarization import WeightedSum

S2 = [[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]]
LOSSES = ("squared", "logistic", "poisson", "smoothed-hinge")


def _all_losses(ridge=0.0, **options):
    return GaussianDesigns([S2] * 4, [[0, 0, 1]] * 4, losses=LOSSES, noise=0.5, ridge=ridge, **options)


def _two(losses=("logistic", "smoothed-hinge"), **options):
    return GaussianDesigns([np.eye(3), S2], [[1, 0, 0], [0, 0, 0.5]], losses=losses, **options)


# --- true risks -----------------------------------------------------------------------------------------------------


def test_golden_values():
    # Double integrals over (u, x'beta) by mpmath at 17 digits; squared and poisson by hand (variances 1.875 and 2,
    # covariance 1).
    found = _all_losses().true.risks([[1.0, -0.5, 0.75]])[0]
    by_hand = [1.875 - 2.0 + 2.0 + 0.25, np.exp(1.875 / 2) - np.e]
    assert found[[0, 2]] == pytest.approx(by_hand, abs=1e-14)
    assert found[[1, 3]] == pytest.approx([0.70965169402250771, 0.61035665289246557], abs=3e-14)


def test_at_zero_and_at_the_coefficients():
    truth = _all_losses().true
    # Weights of 48 nodes come from recurrences of that degree, twice over: off by up to 2 * 48 * 2^-53 = 1.1e-14 each,
    # by as much again in the sum, and not the same on every LAPACK.
    assert truth.risks([[0.0, 0.0, 0.0]])[0] == pytest.approx([2.25, np.log(2.0), 1.0, 0.5], abs=3e-14)
    # A proper loss is smallest where the model is right; the smoothed hinge has no such point.
    at_truth = truth.gradients([[0.0, 0.0, 1.0]])[0]
    assert np.abs(at_truth[:3]).max() < 1e-13


def _by_plain_quadrature(loss, s, b, correlation):
    """E loss(y u) over labels of a logistic model, by scipy's adaptive double integration."""
    r, left = b * correlation, b * np.sqrt(1.0 - correlation**2)

    def outer(z):
        def inner(e):
            return np.exp(-0.5 * e * e) / (1.0 + np.exp(-(r * z + left * e)))

        p = integrate.quad(inner, -9, 9, epsabs=1e-11, limit=100)[0] / np.sqrt(2 * np.pi)
        return (p * loss(s * z) + (1 - p) * loss(-s * z)) * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)

    edges = sorted({-9.0, *np.clip([-1.0 / s, 0.0, 1.0 / s], -9, 9).tolist(), 9.0})
    return sum(integrate.quad(outer, a, e, epsabs=1e-9, epsrel=1e-9)[0] for a, e in itertools.pairwise(edges))


def _hinge(m):
    return 0.0 if m >= 1.0 else 0.5 * (1.0 - m) ** 2 if m >= 0.0 else 0.5 - m


def _log_loss(m):
    return np.logaddexp(0.0, -m)


@pytest.mark.parametrize(("s", "b", "correlation"), [(0.05, 1.0, 0.5), (1.0, 3.0, -0.7), (6.0, 0.5, 1.0)])
def test_quadrature_against_adaptive_integration(s, b, correlation):
    risks = GaussianRisks(np.eye(2)[None], np.array([[b, 0.0]]), ("",), np.zeros(1), np.zeros(1))
    theta = s * np.array([[correlation, np.sqrt(1.0 - correlation**2)]])
    for name, loss in (("logistic", _log_loss), ("smoothed-hinge", _hinge)):
        one = GaussianRisks(risks.covariances, risks.coefficients, (name,), risks.noise, risks.ridge)
        assert one.value(theta)[0, 0] == pytest.approx(_by_plain_quadrature(loss, s, b, correlation), abs=2e-8)


@pytest.mark.parametrize("size", [0.01, 0.3, 1.0, 4.0])
def test_derivatives_are_those_of_the_values(size, rng):
    problem = _all_losses(ridge=[0.0, 0.1, 0.2, 0.3])
    assert problem.true.check_derivatives(size * rng.standard_normal(3), tolerance=1e-6) < 1e-6


def test_the_stated_accuracy_is_kept(rng):
    problem = _all_losses()
    assert 1e-15 <= problem.quadrature_error < 1e-11
    points = rng.standard_normal((12, 3)) * 10.0 ** rng.uniform(-3, 2, size=(12, 1))
    risks = GaussianRisks(problem.covariances, problem.coefficients, LOSSES, problem.noise, problem.ridge)
    fine = dataclasses.replace(risks, nodes=110)
    # Points other than those that the error was taken from; those of the poisson risk overflow.
    kept = [1, 3]
    for method in ("value", "gradient", "hessian"):
        with np.errstate(over="ignore", invalid="ignore"):
            first, second = getattr(risks, method)(points)[:, kept], getattr(fine, method)(points)[:, kept]
        assert (np.abs(first - second) / np.maximum(1.0, np.abs(second))).max() < 100 * problem.quadrature_error
    assert _two(losses=("squared", "poisson")).quadrature_error == 0.0


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e5])
def test_long_predictors(scale):
    # For s -> infinity the logistic risk is E max(-y u, 0) plus terms of order 1 / s.
    problem = GaussianDesigns([np.eye(1)] * 2, [[0.0], [0.0]], losses="logistic")
    expected = scale / np.sqrt(2 * np.pi)
    risk = problem.true.risks([[scale]])[0, 0]
    assert 0.0 < risk - expected < 0.7 / np.sqrt(2 * np.pi) * (1 + np.pi**2) / scale


@pytest.mark.parametrize("loss", LOSSES)
def test_risks_are_strongly_convex_as_stated(loss, rng):
    problem = GaussianDesigns([S2, np.eye(3)], rng.standard_normal((2, 3)), losses=loss, ridge=[0.0, 0.3])
    points = rng.standard_normal((30, 3))
    if isinstance(problem.true, QuadraticObjectives):
        hessians = np.broadcast_to(2.0 * problem.true.curvature, (30, 2, 3, 3))
    else:
        hessians = problem.true.hessians(points)
    smallest = np.linalg.eigvalsh(hessians)[..., 0]
    assert (smallest >= problem.strong_convexity - 1e-12).all()
    assert (smallest > 0.0).all()
    expected = {"squared": 2.0, "poisson": 1.0}.get(loss, 0.0) * np.array([2.0 - np.sqrt(2.0), 1.0]) + [0.0, 0.3]
    assert problem.strong_convexity == pytest.approx(expected, abs=1e-12)


# --- samples --------------------------------------------------------------------------------------------------------


def test_samples_have_the_true_risks(rng):
    problem = _all_losses(ridge=0.1)
    points = np.array([[0.3, -0.2, 0.5], [0.0, 0.1, 0.9]])
    sample = problem.sample(2000, replicates=100, rng=rng)
    for name in ("risks", "gradients"):
        found, truth = getattr(sample, name)(points), getattr(problem.true, name)(points)
        error = found.std(axis=0, ddof=1) / 10.0
        assert (np.abs(found.mean(axis=0) - truth) < 5.0 * error).all()


def test_samples_by_replicate_and_seed():
    problem = _two()
    five, two = (problem.sample(20, replicates=r, rng=3).risks([[0.1, 0.2, 0.3]]) for r in (5, 2))
    assert np.array_equal(five[:2], two)
    assert problem.sample((20, 30), rng=3).n_examples == (20, 30)
    assert problem.sample(4, rng=0).batch_shape == ()


def test_shared_examples():
    shared = GaussianDesigns([S2] * 3, [[0, 0, 1]] * 3, losses=["logistic", "smoothed-hinge", "poisson"], shared=True)
    sample = shared.sample(50, rng=1)
    own = shared.sample(50, rng=1).part(slice(None))
    assert np.array_equal(own.x[0], own.x[1])
    assert np.array_equal(own.y[0], own.y[1])
    assert not np.array_equal(own.x[0], own.x[2])
    assert sample.n_examples == (50, 50, 50)
    apart = GaussianDesigns([S2] * 2, [[0, 0, 1]] * 2, losses=["logistic", "smoothed-hinge"]).sample(50, rng=1)
    x = apart.part(slice(None)).x
    assert not np.array_equal(x[0], x[1])


def test_problems_are_told_apart_by_content():
    assert fingerprint(_two()) == fingerprint(_two())
    assert fingerprint(_two()) != fingerprint(_two(ridge=0.1))


# --- fronts ---------------------------------------------------------------------------------------------------------


def test_all_squared_is_least_squares():
    problem = _two(losses="squared", noise=0.5)
    twin = MultiTaskLeastSquares(problem.covariances, problem.coefficients, [0.5, 0.5])
    assert isinstance(problem.true, QuadraticObjectives)
    assert np.allclose(
        problem.true_front(n_points=20).points, twin.true_front(n_points=20).points, rtol=0.0, atol=1e-13
    )
    theta = [[0.2, -0.1, 1.0]]
    ridged = _two(losses="squared", noise=0.5, ridge=0.4)
    assert np.allclose(ridged.true.risks(theta), twin.true.risks(theta) + 0.2 * 1.05, rtol=0.0, atol=1e-14)


@pytest.mark.parametrize("losses", [("logistic", "poisson"), ("smoothed-hinge", "squared")])
def test_true_fronts_are_nondominated_and_end_at_the_minima(losses):
    problem = _two(losses, ridge=0.01, noise=0.5 if "squared" in losses else 0.0)
    front = problem.true_front(n_points=11)
    assert front.points.shape == (11, 2)
    sweep = mt.solve_front(problem.true, scalarizations=[WeightedSum([1, 0]), WeightedSum([0, 1])])
    assert sweep.rigorous.all()
    assert np.allclose(front.ideal, np.diag(sweep.points), rtol=0.0, atol=1e-12)
    around = sweep.solutions[0] + 0.01 * np.concatenate([np.eye(3), -np.eye(3)])
    assert (problem.true.risks(around)[:, 0] > sweep.points[0, 0]).all()


def test_identical_tasks_have_one_point():
    problem = GaussianDesigns([S2] * 2, [[0.0, 0.0, 1.0]] * 2, losses="logistic", ridge=0.01)
    assert np.ptp(problem.true_front(n_points=9).points, axis=0).max() < 1e-12


def test_fewer_examples_than_parameters_with_ridge():
    table = mt.experiments.asymmetry(_two(("logistic", "logistic"), ridge=0.1), sizes=[2], replicates=5, rng=0)
    assert (table["coverage_error"] <= 2 * table["uniform_deviation"] + table["discretization"]).all()


def test_separable_samples_without_ridge_are_refused_with_the_remedy():
    with pytest.raises(SolverError, match="separable; add ridge > 0 or a norm ball"):
        mt.experiments.asymmetry(_two(("logistic", "logistic")), sizes=[3], replicates=2, rng=0)


def test_three_tasks():
    problem = GaussianDesigns(
        [np.eye(2)] * 3, [[1, 0], [0, 1], [-1, 0]], losses=["logistic", "squared", "poisson"], noise=1.0, ridge=0.05
    )
    table = mt.experiments.asymmetry(problem, sizes=[60], replicates=4, rng=0)
    assert (table["coverage_error"] <= 2 * table["uniform_deviation"] + table["discretization"]).all()


def test_refusals(refuses):
    good = {"covariances": [S2] * 2, "coefficients": [[0, 0, 1]] * 2, "losses": "logistic"}
    make = GaussianDesigns
    refuses("covariances", lambda: make(**{**good, "covariances": [np.ones((3, 3))] * 2}))
    refuses("covariances", lambda: make(**{**good, "covariances": [S2]}))
    refuses("coefficients", lambda: make(**{**good, "coefficients": [[0, 1]] * 2}))
    refuses("losses", lambda: make(**{**good, "losses": "hinge"}))
    refuses("losses", lambda: make(**{**good, "losses": ["logistic"] * 3}))
    refuses("noise", lambda: make(**good, noise=[0.0, 1.0]))
    refuses("noise", lambda: make(**good, noise=-1.0))
    refuses("ridge", lambda: make(**good, ridge=[-1.0, 0.0]))
    refuses("shared", lambda: make(**good, shared=1))
    refuses("coefficients", lambda: make(**{**good, "losses": "poisson", "coefficients": [[0, 0, 9]] * 2}))
    refuses("coefficients", lambda: make(**{**good, "losses": "smoothed-hinge", "coefficients": [[0, 0, 1e3]] * 2}))
    refuses("n", make(**good, shared=True).sample, (3, 4), rng=0)
    refuses("n", make(**good).sample, 0)
    refuses("n_points", make(**good).true_front, n_points=1)


def test_inputs_are_not_mutated():
    covariances, beta = np.array([S2] * 2), np.array([[0.0, 0.0, 1.0]] * 2)
    before = covariances.copy(), beta.copy()
    problem = GaussianDesigns(covariances, beta, losses="logistic")
    problem.sample(5, rng=0)
    assert np.array_equal(covariances, before[0])
    assert np.array_equal(beta, before[1])


# --- bounded linear predictors on finite populations ----------------------------------------------------------------


def _population(**options):
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((60, 3)), rng.standard_normal((40, 3))]
    y = [rng.integers(0, 2, size=60), rng.integers(0, 2, size=40)]
    return LinearPopulation(x, y, **{"losses": "logistic", "radius": 2.0, "input_norm": 1.5, **options})


def test_populations_are_clipped_and_sampled_without_bias(rng):
    problem = _population()
    x = problem.true.part(slice(None)).x
    assert max(np.linalg.norm(one, axis=-1).max() for one in x) <= 1.5
    assert min(problem.n_clipped) > 0
    assert problem.true.ball == NormBall(2.0)
    theta = np.array([[0.5, -1.0, 0.3]])
    found = problem.sample(50, replicates=400, rng=rng).risks(theta)
    error = found.std(axis=0, ddof=1) / 20.0
    assert (np.abs(found.mean(axis=0) - problem.true.risks(theta)) < 5 * error).all()
    assert problem.true_front(n_points=5).points.shape[1] == 2


@pytest.mark.parametrize("loss", ["logistic", "smoothed-hinge", "squared", "poisson"])
def test_stated_constants_hold(loss, rng):
    """Losses on the ball vary by no more, and no faster, than what enters the widths."""
    from moltheory.objectives._losses import LOSSES as known

    problem = _population(losses=loss, radius=1.2)
    z, y = np.linspace(-1.8, 1.8, 2001)[:, None], np.array([[0.0, 1.0]])
    signed = 2.0 * y - 1.0 if loss in ("logistic", "smoothed-hinge") else y
    values = known[loss].value(z + 0.0 * signed, signed + 0.0 * z)
    # From two sample sizes: width = 2 L W X / sqrt(n) + B sqrt(log(2 N / delta) / (2 n)).
    one, other = (problem.widths(100, delta=delta).width[0] for delta in (0.05, 0.01))
    roots = [np.sqrt(np.log(4 / delta) / 200) for delta in (0.05, 0.01)]
    spread = (other - one) / (roots[1] - roots[0])
    constant = (one - spread * roots[0]) * 10.0 / (2.0 * 1.8)
    assert np.ptp(values) <= spread + 1e-9
    assert np.abs(np.diff(values, axis=0) / np.diff(z, axis=0)).max() <= constant + 1e-9


def test_population_refusals(refuses):
    refuses("radius", _population, radius=0.0)
    refuses("input_norm", _population, input_norm=-1.0)
    refuses("designs", LinearPopulation, [np.eye(2)], [[0, 1]], losses="logistic", radius=1.0, input_norm=1.0)
    refuses("n", _population().sample, (1, 2, 3))
    refuses("delta", _population().widths, 10, delta=0.0)
    with pytest.raises(InvalidInputError):
        _population(losses="nothing")
