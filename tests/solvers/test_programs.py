"""Balls, constraints and losses that are not smooth: agreement, bounds that hold, and honest words where none does."""

import cvxpy as cp
import numpy as np
import pytest

import moltheory as mt
from moltheory.objectives import ConvexObjectives, NormBall, QuadraticObjectives
from moltheory.scalarization import Chebyshev, EpsilonConstraint, WeightedSum
from moltheory.solvers import Status
from tests.solvers._samples import convex, examples, quadratics, weight_path

# --- Euclidean balls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", [1e-3, 0.4, 5.0])
@pytest.mark.parametrize("losses", ["logistic", "squared", "smoothed-hinge", ("poisson", "squared")])
def test_newton_in_a_ball_agrees_with_cvxpy(rng, losses, radius):
    objectives = convex(rng, losses=losses, ridge=0.0, ball=NormBall(radius), d=4)
    chosen = [WeightedSum(w) for w in weight_path(5)]
    ours = mt.solve_front(objectives, scalarizations=chosen)
    theirs = mt.solve_front(objectives, scalarizations=chosen, method="cvxpy", tolerance=1e-6)
    assert set(ours.methods) == {"newton"}
    assert ours.rigorous.all()
    assert ours.gap.max() < 1e-11
    assert (np.linalg.norm(ours.solutions, axis=-1) <= radius).all()
    assert (ours.values <= theirs.values + ours.gap + 1e-13).all()
    assert (ours.values >= theirs.values - theirs.gap - 1e-13).all()


def test_a_ball_step_is_the_best_of_the_model(rng):
    from moltheory.solvers._ball import ball_step

    ball = NormBall(0.7)
    for rank in (1, 3, 6):
        factor = rng.standard_normal((40, 3, rank))
        curvature = factor @ np.swapaxes(factor, -1, -2)
        theta, g = (
            ball.inside(rng.standard_normal((40, 3))),
            rng.standard_normal((40, 3)) * rng.choice([0.01, 1.0, 50.0]),
        )
        step = ball_step(ball, theta, g, curvature)

        def model(p, g=g, curvature=curvature):
            return (g * p).sum(-1) + 0.5 * np.einsum("...i,...ij,...j->...", p, curvature, p)

        assert (ball.size(theta + step) <= ball.radius).all()
        for _ in range(200):
            other = ball.inside(rng.standard_normal((40, 3))) - theta
            assert (model(step) <= model(other) + 1e-9).all()


def test_a_ball_with_a_batch_three_objectives_and_fewer_examples_than_parameters(rng):
    x, y = examples(rng, n=4, d=6, tasks=3, batch=(2, 2))
    x, y = [a[..., :4, :] for a in x], [b[..., :4] for b in y]
    objectives = ConvexObjectives(x, y, losses="logistic", ball=NormBall(2.0))
    chosen = [WeightedSum(w) for w in (*np.eye(3), *rng.dirichlet(np.ones(3), 20))]
    sweep = mt.solve_front(objectives, scalarizations=chosen)
    assert sweep.rigorous.all()
    assert sweep.gap.max() < 1e-11
    single = ConvexObjectives([a[1, 0] for a in x], [b[1, 0] for b in y], losses="logistic", ball=NormBall(2.0))
    assert mt.solve_front(single, scalarizations=chosen).values == pytest.approx(sweep.values[1, 0], abs=1e-12)


# --- losses that are not smooth -------------------------------------------------------------------------------------


def test_lasso_has_the_known_threshold_and_a_rigorous_gap(rng):
    """With orthonormal features the weighted sum w |z - y|^2 / n + (1 - w) |theta|_1 shrinks each coefficient."""
    n = 50
    x = np.linalg.qr(rng.standard_normal((n, 5)))[0] * np.sqrt(n)
    y = x @ np.array([2.0, -1.0, 0.2, 0.0, 0.0]) + 0.1 * rng.standard_normal(n)
    objectives = ConvexObjectives([x, None], [y, None], losses=["squared", "l1-norm"], names=["fit", "size"])
    assert objectives.data_dependent.tolist() == [True, False]
    w = np.array([0.9, 0.6, 0.3])
    sweep = mt.solve_front(objectives, scalarizations=[WeightedSum([a, 1 - a]) for a in w])
    plain = x.T @ y / n
    expected = np.sign(plain) * np.maximum(np.abs(plain) - ((1 - w) / (2 * w))[:, None], 0.0)
    assert sweep.rigorous.all()
    assert set(sweep.methods) == {"cvxpy"}
    assert sweep.solutions == pytest.approx(expected, abs=1e-6)
    assert sweep.points[:, 1] == pytest.approx(np.abs(expected).sum(axis=1), abs=1e-6)


def test_gaps_of_losses_that_are_not_smooth_are_bounds(rng):
    x, y = examples(rng, n=40, d=3, tasks=3)
    objectives = ConvexObjectives(
        [*x, None, None], [*y[:2], rng.standard_normal(50), None, None],
        losses=["logistic", "score-gap", "absolute", "l1-norm", "squared-norm"], ridge=[0.1, 0, 0, 0, 0],
    )  # fmt: skip
    chosen = [WeightedSum(w) for w in rng.dirichlet(np.ones(5), 6)]
    chosen += [Chebyshev([1, 1, 1, 0.3, 0.3]), EpsilonConstraint([np.inf, 0.1, 0.9, 0.5, np.inf])]
    sweep = mt.solve_front(objectives, scalarizations=chosen, tolerance=1e-5)
    assert sweep.rigorous.all()
    best = sweep.solutions
    for size in (1e-4, 1e-2, 1.0):
        risks = objectives.risks((best[:, None] + size * rng.standard_normal((len(best), 500, 3))).reshape(-1, 3))
        for j, u in enumerate(chosen):
            assert u(risks).min() >= sweep.values[j] - sweep.gap[j] - 1e-12


def test_rough_points_of_losses_that_are_not_smooth_get_valid_gaps(rng):
    from moltheory.solvers._dual_terms import program_gap

    x, y = examples(rng, n=40, d=3)
    for ball in (None, NormBall(0.5)):
        objectives = ConvexObjectives(
            [x[0], None, x[1]], [y[0], None, y[1]], losses=["logistic", "l1-norm", "absolute"], ridge=0.1, ball=ball
        )
        w = np.array([0.6, 0.1, 0.3])
        best = mt.solve_front(objectives, scalarizations=[WeightedSum(w)], tolerance=1e-6)
        variable = cp.Variable(3)
        for size in (0.0, 1e-8, 1e-4, 1e-1):
            theta = best.solutions + size * rng.standard_normal(3)
            theta = theta if ball is None else ball.inside(theta)
            part = objectives.part(slice(None))
            gap, rigorous, _ = program_gap(part, theta[None], w, part.evaluated(theta[None]), variable, [])
            assert rigorous
            assert gap >= w @ objectives.risks(theta)[0] - best.values[0] - 1e-13


def test_score_gap_is_the_covariance_surrogate_and_norms_are_norms(rng):
    x, group = rng.standard_normal((30, 2)), (rng.random(30) < 0.4).astype(float)
    c = rng.integers(0, 3, 30)
    theta = rng.standard_normal((4, 2))
    objectives = ConvexObjectives(
        [x, None, None], [group, None, None], losses=["score-gap", "l1-norm", "squared-norm"],
        example_weights=[c, None, None],
    )  # fmt: skip
    z = theta @ np.repeat(x, c, axis=0).T
    share, repeated = np.average(group, weights=c), np.repeat(group, c)
    covariance = np.abs(((repeated - share) * z).mean(axis=1))
    risks = objectives.risks(theta)
    assert share * (1 - share) * risks[:, 0] == pytest.approx(covariance)
    assert risks[:, 1:] == pytest.approx(np.stack([np.abs(theta).sum(1), (theta**2).sum(1)], axis=1))
    assert not objectives.is_smooth


def test_ridge_as_an_objective_is_ridge_regression(rng):
    x, y = examples(rng, tasks=1)
    objectives = ConvexObjectives([x[0], None], [y[0], None], losses=["logistic", "squared-norm"])
    sweep = mt.solve_front(objectives, scalarizations=[WeightedSum([0.8, 0.2]), WeightedSum([0.0, 1.0])])
    ridged = ConvexObjectives(x, y, losses="logistic", ridge=0.5)
    one = mt.solve_front(ridged, scalarizations=[WeightedSum([0.8])])
    assert set(sweep.methods) == {"newton"}
    assert sweep.solutions[0] == pytest.approx(one.solutions[0], abs=1e-9)
    assert sweep.solutions[1] == pytest.approx(np.zeros(3), abs=1e-9)


# --- constraints of the user ----------------------------------------------------------------------------------------


def test_a_constraint_that_is_a_ball_gives_what_the_ball_gives(rng):
    x, y = examples(rng)
    chosen = [WeightedSum(w) for w in weight_path(3)]
    free = ConvexObjectives(x, y, losses="logistic", ridge=0.01)
    inside = ConvexObjectives(x, y, losses="logistic", ridge=0.01, ball=NormBall(0.3))
    options = {"constraints": lambda v: [cp.norm(v, 2) <= 0.3]}
    ours = mt.solve_front(free, scalarizations=chosen, options=options)
    ball = mt.solve_front(inside, scalarizations=chosen)
    assert set(ours.methods) == {"cvxpy"}
    assert ours.rigorous.all()
    assert (np.abs(ours.values - ball.values) <= ours.gap + ball.gap + 1e-7).all()


def test_linear_constraints_have_rigorous_gaps(rng):
    objectives = quadratics(rng, batch=(2,))
    matrix, bound = rng.standard_normal((2, 4)), np.array([-0.5, 0.3])
    options = {"constraints": lambda v: [matrix @ v <= bound, cp.sum(v) == 1.0]}
    chosen = [WeightedSum([0.4, 0.6]), Chebyshev([0.5, 0.5])]
    sweep = mt.solve_front(objectives, scalarizations=chosen, options=options)
    assert sweep.rigorous.all()
    theta = rng.standard_normal((20000, 4)) * 2
    theta -= (theta.sum(axis=1, keepdims=True) - 1.0) / 4
    risks = objectives.risks(theta[(theta @ matrix.T <= bound).all(axis=1)])
    for r, j in np.ndindex(2, 2):
        assert chosen[j](risks[r]).min() >= sweep.values[r, j] - sweep.gap[r, j]
    assert (sweep.solutions @ matrix.T <= bound + 1e-8).all()


def test_constraints_without_prices_are_estimates_and_infeasible_ones_are_marked(rng):
    objectives = convex(rng)
    chosen = [WeightedSum([0.5, 0.5])]

    def cone(v):
        return [cp.SOC(cp.Constant(0.2), v)]

    sweep = mt.solve_front(objectives, scalarizations=chosen, options={"constraints": cone})
    assert sweep.status.tolist() == [Status.UNCERTIFIED]
    assert "estimate" in sweep.message(0)
    assert not sweep.rigorous[0]
    empty = {"constraints": lambda v: [v >= 1.0, v <= 0.0]}
    marked = mt.solve_front(objectives, scalarizations=chosen, options=empty, on_failure="mark")
    assert marked.status.tolist() == [Status.INFEASIBLE]


def test_constraints_with_variables_of_their_own_are_no_basis_of_a_bound(rng):
    """A slack that is free makes the constraint void; one that is not is left to the solver's word."""
    objectives, chosen = convex(rng, ridge=0.1), [WeightedSum([0.5, 0.5])]

    def void(v):
        return [cp.sum(v) + cp.Variable() <= -5.0]

    def l1(v):
        size = cp.Variable(3)
        return [v <= size, -v <= size, cp.sum(size) <= 0.3]

    free = mt.solve_front(objectives, scalarizations=chosen)
    same = mt.solve_front(objectives, scalarizations=chosen, options={"constraints": void})
    assert same.values == pytest.approx(free.values, abs=1e-7)
    x, y = examples(np.random.default_rng(3))
    ball = ConvexObjectives(x, y, losses="logistic", ridge=0.1, ball=NormBall(0.3, norm="l1"))
    plain = ConvexObjectives(x, y, losses="logistic", ridge=0.1)
    lifted = mt.solve_front(plain, scalarizations=chosen, options={"constraints": l1})
    assert not lifted.rigorous.any()
    assert lifted.values == pytest.approx(mt.solve_front(ball, scalarizations=chosen).values, abs=1e-7)


def test_another_solver_on_request_is_judged_by_the_same_bound(rng):
    sweep = mt.solve_front(
        convex(rng), scalarizations=[WeightedSum([0.5, 0.5])], method="cvxpy", options={"solver": "SCS"}, tolerance=1e-4
    )
    assert sweep.rigorous.all()


def test_refused_constraints(rng, refuses):
    objectives, chosen = convex(rng), [WeightedSum([0.5, 0.5])]
    bad = (3, lambda v: [1.0], lambda v: [cp.norm(v) >= 1.0])
    for constraints in bad:
        refuses("constraints", mt.solve_front, objectives, scalarizations=chosen, options={"constraints": constraints})


# --- weights of examples --------------------------------------------------------------------------------------------


def test_counts_of_resamples_give_the_resampled_objectives(rng):
    x, y = examples(rng, n=30)
    sizes = [a.shape[0] for a in x]
    counts = [rng.multinomial(n, np.full(n, 1 / n), size=3) for n in sizes]
    tiled = [np.broadcast_to(a, (3, *a.shape)) for a in x]
    labels = [np.broadcast_to(b, (3, *b.shape)) for b in y]
    whole = ConvexObjectives(tiled, labels, losses="logistic", ridge=0.1, example_weights=counts)
    chosen = [WeightedSum(w) for w in weight_path(12)] + [Chebyshev([0.5, 0.5])]
    sweep = mt.solve_front(whole, scalarizations=chosen)
    for r in range(3):
        rows = [np.repeat(np.arange(n), c[r]) for n, c in zip(sizes, counts, strict=True)]
        one = ConvexObjectives(
            [a[i] for a, i in zip(x, rows, strict=True)], [b[i] for b, i in zip(y, rows, strict=True)],
            losses="logistic", ridge=0.1,
        )  # fmt: skip
        assert mt.solve_front(one, scalarizations=chosen).points == pytest.approx(sweep.points[r], abs=1e-10)


def test_refused_objectives(rng, refuses):
    x, y = examples(rng)
    refuses("example_weights", ConvexObjectives, x, y, losses="logistic", example_weights=[np.ones((2, 60)), None])
    refuses("example_weights", ConvexObjectives, x, y, losses="logistic", example_weights=[np.zeros(60), None])
    refuses("example_weights", ConvexObjectives, [x[0], None], [y[0], None], losses=["logistic", "l1-norm"],
            example_weights=[None, [1.0]])  # fmt: skip
    refuses("designs", ConvexObjectives, x, y, losses=["logistic", "l1-norm"])
    refuses("designs", ConvexObjectives, [None], [None], losses="l1-norm")
    refuses("targets", ConvexObjectives, [x[0]], [np.zeros(60)], losses="score-gap")


# --- degenerate cases -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ball", [None, NormBall(1.0)])
def test_a_constant_objective_and_the_boundary_of_the_simplex(rng, ball):
    """Where all weight is on the constant objective every point is a minimiser."""
    x, y = examples(rng)
    objectives = ConvexObjectives([x[0], np.zeros((5, 3))], [y[0], [0, 1, 0, 1, 1]], losses="logistic", ball=ball)
    chosen = [WeightedSum(w) for w in weight_path(12)] + [Chebyshev(w) for w in weight_path(3)]
    sweep = mt.solve_front(objectives, scalarizations=chosen, on_failure="mark")
    assert sweep.solved.all()
    assert sweep.points[:, 1] == pytest.approx(np.log(2.0), abs=1e-12)
    least = sweep.points[11, 0]
    assert sweep.points[1:12, 0] == pytest.approx(least, abs=1e-9)
    assert (sweep.rigorous[1:12]).all()


def test_conflicting_convex_objectives_with_and_without_interpolation(rng):
    x, y = examples(rng, tasks=1)
    for k in (3, 40):
        objectives = ConvexObjectives([x[0], x[0]], [y[0], 1 - y[0]], losses="logistic")
        sweep = mt.solve_front(objectives, scalarizations=[WeightedSum(w) for w in weight_path(k)])
        assert sweep.rigorous.all()
        assert sweep.points == pytest.approx(sweep.points[::-1, ::-1], abs=1e-9)


@pytest.mark.parametrize("exponent", [1, 6])
def test_paths_that_no_polynomial_follows_are_still_solved(rng, exponent):
    """Tiny ridge, features of very different size, weights that crowd at the ends."""
    x, y = examples(rng, n=30, d=6)
    sizes = 10.0 ** np.linspace(-2, 2, 6)
    objectives = ConvexObjectives([a * sizes for a in x], y, losses="logistic", ridge=1e-6)
    t = 1.0 / (1.0 + np.exp(np.linspace(-exponent, exponent, 60) * 3))
    chosen = [WeightedSum([a, 1 - a]) for a in t]
    sweep = mt.solve_front(objectives, scalarizations=chosen)
    alone = [mt.solve_front(objectives, scalarizations=[u]).values[0] for u in chosen[::6]]
    assert sweep.rigorous.all()
    assert sweep.values[::6] == pytest.approx(alone, abs=1e-9)


def test_the_same_objectives_give_the_same_bits(rng):
    x, y = examples(rng, batch=(7,), n=300, d=8)
    chosen = [WeightedSum(w) for w in weight_path(40)]
    runs = [
        mt.solve_front(ConvexObjectives(x, y, losses="logistic", ridge=0.01), scalarizations=chosen) for _ in range(2)
    ]
    assert np.array_equal(runs[0].solutions, runs[1].solutions)
    assert runs[0].gap.max() < 1e-14


def test_quadratics_and_squared_losses_in_a_ball_agree(rng):
    x, y = examples(rng, n=40, d=4)
    curvature = np.stack([a.T @ a / len(a) for a in x])
    linear = np.stack([a.T @ b / len(a) for a, b in zip(x, y, strict=True)])
    exact = QuadraticObjectives.from_expansion(curvature, linear, [np.mean(b**2) for b in y])
    chosen = [WeightedSum(w) for w in weight_path(12)]
    radius = 0.2
    ball = mt.solve_front(ConvexObjectives(x, y, losses="squared", ball=NormBall(radius)), scalarizations=chosen)
    asked = {"constraints": lambda v: [cp.sum_squares(v) <= radius**2]}
    program = mt.solve_front(exact, scalarizations=chosen, options=asked)
    assert ball.rigorous.all()
    assert program.rigorous.all()
    assert (np.abs(ball.values - program.values) <= ball.gap + program.gap + 1e-7).all()


# --- many Chebyshev scalarizations at once --------------------------------------------------------------------------


@pytest.mark.parametrize("losses", ["logistic", ("squared", "poisson"), "smoothed-hinge"])
def test_many_chebyshev_scalarizations_give_what_each_gives_alone(rng, losses):
    """Twelve and more start on the path of weighted sums, fewer from the middle of the front."""
    objectives = convex(rng, losses=losses, ridge=1e-3, batch=(2,), d=4)
    chosen = [Chebyshev(w, ideal=[0.1, -0.2], augmentation=0.05) for w in weight_path(15)]
    chosen += [Chebyshev([1e-6, 5.0]), Chebyshev([3.0, 2.0], ideal=[5.0, 0.0])]
    together = mt.solve_front(objectives, scalarizations=chosen)
    assert together.rigorous.all()
    assert together.gap.max() < 1e-11
    for j in (0, 3, 7, 14, 15, 16):
        alone = mt.solve_front(objectives, scalarizations=[chosen[j]])
        assert (
            np.abs(alone.values[:, 0] - together.values[:, j]) <= alone.gap[:, 0] + together.gap[:, j] + 1e-13
        ).all()


def test_many_chebyshev_scalarizations_of_separable_data_are_still_refused(rng):
    x = np.array([[-2.0, 1.0], [-1.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    y = np.array([0.0, 0.0, 1.0, 1.0])
    chosen = [Chebyshev(w) for w in weight_path(15)]
    lost = mt.solve_front(ConvexObjectives([x, x], [y, y], losses="logistic"), scalarizations=chosen, on_failure="mark")
    assert (lost.status == Status.UNATTAINED).all()
    other, labels = rng.standard_normal((50, 2)), rng.integers(0, 2, 50)
    mixed = ConvexObjectives([x, other], [y, labels], losses="logistic")
    sweep = mt.solve_front(mixed, scalarizations=chosen, on_failure="mark")
    assert sweep.status[-1] == Status.UNATTAINED
    assert sweep.solved[:-1].all()
