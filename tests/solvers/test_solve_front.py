"""solve_front: methods agree within their certificates, certificates hold, failures are never silent."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.errors import SolverError
from moltheory.objectives import (
    ConvexObjectives,
    FiniteObjectives,
    NormBall,
    QuadraticObjectives,
)
from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, SmoothChebyshev, WeightedSum
from moltheory.solvers import PartialFrontWarning, Status
from moltheory.solvers._newton import minimise_sums
from tests.solvers._samples import convex, examples, quadratics, weight_path

_ALL = [
    WeightedSum([0.3, 0.7]),
    WeightedSum([2.0, 0.0]),
    Chebyshev([0.3, 0.7], ideal=[-0.1, 0.1], augmentation=0.01),
    Chebyshev([3.0, 2.0]),
    PNorm([0.5, 0.5], 3),
    PNorm([0.2, 0.8], np.inf),
    SmoothChebyshev([0.5, 0.5], 0.1),
]


# --- finite classes -------------------------------------------------------------------------------------------------


def test_chebyshev_reaches_the_unsupported_point_and_no_weighted_sum_does():
    objectives = FiniteObjectives([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])
    sums = mt.solve_front(objectives, scalarizations=[WeightedSum(w) for w in weight_path(201)])
    assert 1 not in sums.solutions
    assert sums.front().members.size == 201
    reached = mt.solve_front(objectives, scalarizations=[Chebyshev([1.0, 1.0], ideal=[-0.1, -0.1])])
    assert reached.solutions.tolist() == [1]
    assert reached.points.tolist() == [[0.6, 0.6]]


def test_enumeration_minimises_every_scalarization_over_every_replicate(rng):
    table = rng.integers(0, 4, (5, 30, 2)) / 4.0
    scalarizations = [*_ALL, EpsilonConstraint([np.inf, 0.25]), EpsilonConstraint([0.5, 1.0], objective=1)]
    sweep = mt.solve_front(FiniteObjectives(table), scalarizations=scalarizations)
    assert sweep.points.shape == (5, 9, 2)
    for r, j in np.ndindex(5, 9):
        values = scalarizations[j](table[r])
        assert sweep.values[r, j] == values.min() == values[sweep.solutions[r, j]]
        assert np.array_equal(sweep.points[r, j], table[r, sweep.solutions[r, j]])
        # Ties go to a Pareto-optimal hypothesis, also where the scalarization only promises a weakly optimal one.
        assert mt.nondominated(table[r])[sweep.solutions[r, j]]
    assert (sweep.gap == 0.0).all()
    assert sweep.rigorous.all()


def test_undefined_replicates_and_infeasible_constraints_are_marked(refuses):
    table = np.array([[[0.1, 0.2], [0.2, 0.1]], [[np.nan, 0.2], [np.nan, 0.1]]])
    scalarizations = [WeightedSum([1, 1]), EpsilonConstraint([np.inf, 0.0])]
    sweep = mt.solve_front(FiniteObjectives(table), scalarizations=scalarizations, on_failure="mark")
    assert sweep.status.tolist() == [[Status.CERTIFIED, Status.INFEASIBLE], [Status.UNDEFINED] * 2]
    assert "no claim" in sweep.message(1, 0)
    assert np.isnan(sweep.points[1]).all()
    refuses("scalarizations", mt.solve_front, FiniteObjectives(table), scalarizations=scalarizations)


# --- agreement ------------------------------------------------------------------------------------------------------


def test_golden_two_tasks():
    curvature = [np.eye(3), [[2, 1, 0], [1, 2, 1], [0, 1, 2]]]
    objectives = QuadraticObjectives(curvature, [[1, 0, 0], [0, 0, 1]], [0, 0])
    for method in ("closed-form", "cvxpy"):
        sweep = mt.solve_front(objectives, scalarizations=[WeightedSum([0.5, 0.5])], method=method)
        assert sweep.solutions[0] == pytest.approx([1 / 3, 0, 2 / 3], abs=1e-9)
        assert sweep.points[0] == pytest.approx([8 / 9, 4 / 9], abs=1e-9)
        assert sweep.method == f"{method}: as asked"


@pytest.mark.parametrize("n", [2, 3, 4])
def test_closed_form_agrees_with_cvxpy(rng, n):
    objectives = quadratics(rng, n=n, batch=(2,))
    scalarizations = [u for w in rng.dirichlet(np.ones(n), 3) for u in (WeightedSum(w), Chebyshev(w))]
    scalarizations += [Chebyshev(np.ones(n), ideal=rng.random(n), augmentation=0.1), Chebyshev([1.0, *[0.0] * (n - 1)])]
    ours = mt.solve_front(objectives, scalarizations=scalarizations)
    theirs = mt.solve_front(objectives, scalarizations=scalarizations, method="cvxpy")
    assert set(ours.methods) == {"closed-form"}
    assert ours.rigorous.all()
    assert ours.gap.max() < 1e-11
    assert (np.abs(ours.values - theirs.values) <= np.maximum(ours.gap, theirs.gap) + 1e-13).all()
    assert np.array_equal(ours.points, objectives.risks(ours.solutions))


@pytest.mark.parametrize("losses", ["logistic", "squared", "poisson", "smoothed-hinge", ("logistic", "squared")])
def test_newton_agrees_with_cvxpy(rng, losses):
    objectives = convex(rng, losses=losses)
    ours = mt.solve_front(objectives, scalarizations=_ALL)
    theirs = mt.solve_front(objectives, scalarizations=_ALL, method="cvxpy")
    assert ours.methods == ("newton",) * 4 + ("cvxpy", "newton", "cvxpy")
    assert ours.rigorous.all()
    easy = np.array(ours.methods) == "newton"
    assert ours.gap[easy].max() < 1e-13
    assert (np.abs(ours.values - theirs.values) <= np.maximum(ours.gap, theirs.gap) + 1e-13).all()


def test_newton_agrees_with_the_closed_form_on_squared_losses(rng):
    x, y = examples(rng, n=40, d=4)
    curvature = np.stack([a.T @ a / len(a) for a in x])
    linear = np.stack([a.T @ b / len(a) for a, b in zip(x, y, strict=True)])
    exact = QuadraticObjectives.from_expansion(curvature, linear, [np.mean(b**2) for b in y])
    scalarizations = [u for w in weight_path(21) for u in (WeightedSum(w), Chebyshev(w))]
    one = mt.solve_front(ConvexObjectives(x, y, losses="squared"), scalarizations=scalarizations)
    two = mt.solve_front(exact, scalarizations=scalarizations)
    assert one.rigorous.all()
    assert one.values == pytest.approx(two.values, abs=1e-12)
    assert one.solutions == pytest.approx(two.solutions, abs=1e-6)


@pytest.mark.parametrize("tasks", [2, 3])
def test_closed_form_newton_and_cvxpy_agree_within_their_certificates(rng, tasks):
    x, y = examples(rng, n=40, d=3, tasks=tasks)
    rows = range(tasks)
    exact = QuadraticObjectives.from_expansion(
        [x[k].T @ x[k] / len(x[k]) for k in rows],
        [x[k].T @ y[k] / len(x[k]) for k in rows],
        [np.mean(y[k] ** 2) for k in rows],
    )
    smooth = ConvexObjectives(x, y, losses="squared")
    weights = [*np.eye(tasks), *rng.dirichlet(np.ones(tasks), 4)]
    chosen = [u for w in weights for u in (WeightedSum(w), Chebyshev(w), Chebyshev(w, augmentation=0.1))]
    sweeps = [
        mt.solve_front(objectives, scalarizations=chosen, method=method)
        for objectives, method in ((exact, "closed-form"), (exact, "cvxpy"), (smooth, "newton"), (smooth, "cvxpy"))
    ]
    for sweep in sweeps:
        assert sweep.rigorous.all()
        for other in sweeps:
            # No value is below a lower bound that another method states, and the minimiser is unique.
            assert (sweep.values - sweep.gap <= other.values + 1e-13).all()
            assert np.linalg.norm(sweep.solutions - other.solutions, axis=-1).max() < 1e-4


def test_maxima_of_many_objectives_are_left_to_cvxpy(rng):
    objectives = quadratics(rng, n=7, d=3)
    w = rng.dirichlet(np.ones(7))
    sweep = mt.solve_front(objectives, scalarizations=[Chebyshev(w), WeightedSum(w)])
    assert sweep.methods == ("cvxpy", "closed-form")
    assert "more than 6 objectives" in sweep.reason
    assert sweep.rigorous.all()
    others = objectives.risks(sweep.solutions[0] + 0.1 * rng.standard_normal((2000, 3)))
    assert Chebyshev(w)(others).min() >= sweep.values[0] - sweep.gap[0]


def test_a_batch_gives_what_its_entries_give_one_by_one(rng):
    x, y = examples(rng, batch=(2, 3))
    scalarizations = [WeightedSum(w) for w in weight_path(9)] + [Chebyshev(w) for w in weight_path(5)]
    whole = mt.solve_front(ConvexObjectives(x, y, losses="logistic", ridge=0.1), scalarizations=scalarizations)
    assert whole.points.shape == (2, 3, 14, 2)
    assert whole.nondominated().shape == (2, 3, 14)
    for entry in np.ndindex(2, 3):
        single = ConvexObjectives([a[entry] for a in x], [b[entry] for b in y], losses="logistic", ridge=0.1)
        alone = mt.solve_front(single, scalarizations=scalarizations)
        assert whole.solutions[entry] == pytest.approx(alone.solutions, abs=1e-10)


def test_three_objectives_and_unnormalised_weights(rng):
    objectives = convex(rng, tasks=3)
    w = rng.dirichlet(np.ones(3), 30)
    plain = mt.solve_front(objectives, scalarizations=[WeightedSum(one) for one in w])
    scaled = mt.solve_front(objectives, scalarizations=[WeightedSum(100.0 * one) for one in w])
    assert plain.gap.max() < 1e-14
    assert scaled.values == pytest.approx(100.0 * plain.values, rel=1e-12)
    gradients = objectives.gradients(plain.solutions)
    assert np.abs(np.einsum("kn,knd->kd", w, gradients)).max() < 1e-9


# --- certificates ---------------------------------------------------------------------------------------------------


def test_gaps_bound_the_true_suboptimality_at_arbitrary_points(rng):
    from moltheory.solvers._certificates import shortfall_of_sums
    from moltheory.solvers._smooth_objective import QuadraticPart

    quadratic, smooth = quadratics(rng), convex(rng, ridge=0.05, d=4)
    weights = weight_path(11)
    scalarizations = [WeightedSum(w) for w in weights]
    for objectives, part in ((quadratic, QuadraticPart(quadratic)), (smooth, smooth.part(slice(None)))):
        best = mt.solve_front(objectives, scalarizations=scalarizations)
        for size in (1e-6, 1e-3, 1.0):
            theta = best.solutions + size * rng.standard_normal(best.solutions.shape)
            excess = (part.values(theta[None])[0] * weights).sum(axis=1) - best.values
            gap, rigorous, _ = shortfall_of_sums(part, theta[None], weights[None])
            assert rigorous.all()
            assert (gap[0] >= excess - 1e-13).all()


@pytest.mark.parametrize("losses", ["logistic", "poisson", ("logistic", "squared")])
def test_gaps_without_ridge_come_from_the_curvature_at_the_point(rng, losses):
    from moltheory.solvers._certificates import shortfall_of_sums

    objectives = convex(rng, ridge=0.0, losses=losses, n=200)
    part, weights = objectives.part(slice(None)), weight_path(11)
    best = mt.solve_front(objectives, scalarizations=[WeightedSum(w) for w in weights])
    assert best.rigorous.all()
    used = 0
    for size in (1e-6, 1e-4, 1e-3, 1e-2, 1.0):
        theta = best.solutions + size * rng.standard_normal(best.solutions.shape)
        excess = (part.values(theta[None])[0] * weights).sum(axis=1) - best.values
        gap, rigorous, _ = shortfall_of_sums(part, theta[None], weights[None])
        assert (gap[rigorous] >= excess[rigorous[0]] - 1e-13).all()
        used += rigorous.sum()
    assert 22 <= used < 55


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_gaps_on_a_ball_bound_the_distance_to_a_better_solver(rng, norm):
    ball = NormBall(0.4, norm=norm)
    objectives = convex(rng, ridge=0.0, ball=ball)
    scalarizations = [*_ALL, EpsilonConstraint([np.inf, 0.68])]
    sweep = mt.solve_front(objectives, scalarizations=scalarizations)
    assert sweep.rigorous.all()
    assert sweep.methods[:2] == (("newton",) * 2 if norm == "l2" else ("cvxpy",) * 2)
    assert set(sweep.methods[2:]) == {"cvxpy"}
    assert (ball.size(sweep.solutions) <= ball.radius).all()
    others = ball.inside(rng.standard_normal((4000, 3)))
    risks = objectives.risks(others)
    for j, u in enumerate(scalarizations):
        assert u(risks).min() >= sweep.values[j] - sweep.gap[j] - 1e-13


def test_rough_multipliers_still_give_a_valid_gap(rng):
    from moltheory.solvers._minimax import chebyshev_gap

    objectives = convex(rng, ridge=0.05, d=4)
    part = objectives.part(slice(None))
    w, z, rho = weight_path(7)[1:-1], np.zeros((5, 2)), np.full(5, 0.02)
    best = mt.solve_front(objectives, scalarizations=[Chebyshev(one, augmentation=0.02) for one in w])
    for _ in range(20):
        theta = best.solutions[None] + 0.1 * rng.standard_normal((1, 5, 4))
        u = rng.dirichlet([1.0, 1.0], (1, 5))
        values = part.values(theta)
        gap, rigorous, _ = chebyshev_gap(part, theta, values, u, w, z, rho)
        excess = [Chebyshev(w[j], augmentation=0.02)(values[0, j]) - best.values[j] for j in range(5)]
        assert rigorous.all()
        assert (gap[0] >= np.array(excess)).all()


def test_epsilon_constraint_meets_its_bound_exactly_and_refuses_what_is_infeasible(rng):
    objectives = quadratics(rng)
    ends = objectives.risks(objectives.minimisers(np.eye(2)))
    bound = 0.5 * (ends[0, 1] + ends[1, 1])
    sweep = mt.solve_front(objectives, scalarizations=[EpsilonConstraint([np.inf, bound])])
    assert bound - 1e-7 < sweep.points[0, 1] <= bound
    assert sweep.rigorous[0]
    below = EpsilonConstraint([np.inf, 0.5 * ends[1, 1]])
    marked = mt.solve_front(objectives, scalarizations=[below], on_failure="mark")
    assert marked.status.tolist() == [Status.INFEASIBLE]


# --- degenerate cases -----------------------------------------------------------------------------------------------


def _separable():
    x = np.array([[-2.0, 1.0], [-1.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    return x, np.array([0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize("kind", [WeightedSum, Chebyshev, lambda w: PNorm(w, 2)])
def test_separable_data_without_ridge_are_refused_with_the_remedy(kind):
    x, y = _separable()
    objectives = ConvexObjectives([x, x], [y, y], losses="logistic")
    with pytest.raises(SolverError, match="separable; add ridge > 0 or a norm ball"):
        mt.solve_front(objectives, scalarizations=[kind([0.5, 0.5])])
    for remedy in ({"ridge": 1e-3}, {"ball": NormBall(3.0)}):
        cured = ConvexObjectives([x, x], [y, y], losses="logistic", **remedy)
        assert mt.solve_front(cured, scalarizations=[kind([0.5, 0.5])]).rigorous.all()


def test_only_the_weights_that_see_separable_data_alone_fail(rng):
    x, y = _separable()
    other, labels = rng.standard_normal((50, 2)), rng.integers(0, 2, 50)
    objectives = ConvexObjectives([x, other], [y, labels], losses="logistic")
    scalarizations = [WeightedSum(w) for w in weight_path(3)]
    sweep = mt.solve_front(objectives, scalarizations=scalarizations, on_failure="mark")
    assert sweep.status.tolist() == [Status.CERTIFIED, Status.CERTIFIED, Status.UNATTAINED]
    assert sweep.is_partial
    assert "PARTIAL" in repr(sweep)


def test_poisson_without_counts_has_no_minimiser():
    x = np.ones((3, 1))
    objectives = ConvexObjectives([x], [np.zeros(3)], losses="poisson")
    sweep = mt.solve_front(objectives, scalarizations=[WeightedSum([1.0])], on_failure="mark")
    assert sweep.status.tolist() == [Status.UNATTAINED]


@pytest.mark.parametrize("losses", ["logistic", "squared", "smoothed-hinge", "poisson"])
def test_collinear_features_and_fewer_examples_than_parameters(rng, losses):
    x, y = examples(rng, n=40, d=3)
    doubled = [np.concatenate([a, a[:, :1]], axis=1) for a in x]
    scalarizations = [WeightedSum(w) for w in weight_path(5)] + [Chebyshev(w) for w in weight_path(5)]
    plain = mt.solve_front(ConvexObjectives(x, y, losses=losses), scalarizations=scalarizations)
    collinear = mt.solve_front(ConvexObjectives(doubled, y, losses=losses), scalarizations=scalarizations)
    assert (collinear.status == Status.UNCERTIFIED).all()
    assert "no strong convexity is known" in collinear.message(0)
    assert collinear.values == pytest.approx(plain.values, abs=1e-10)
    few = ConvexObjectives([a[:2] for a in x], [b[:2] for b in y], losses=losses, ridge=1e-3)
    assert mt.solve_front(few, scalarizations=scalarizations).rigorous.all()


def test_fewer_examples_than_parameters_without_ridge(rng):
    """Logistic losses then have no minimiser; the others interpolate, at the boundary of the simplex too."""
    x, y = [rng.standard_normal((3, 6)) for _ in range(2)], [[0.0, 1.0, 1.0]] * 2
    chosen = [kind(w) for kind in (WeightedSum, Chebyshev) for w in weight_path(4)]
    with pytest.raises(SolverError, match=r"8 of 8 .* separable; add ridge > 0 or a norm ball"):
        mt.solve_front(ConvexObjectives(x, y, losses="logistic"), scalarizations=chosen)
    for losses in ("squared", "smoothed-hinge"):
        sweep = mt.solve_front(ConvexObjectives(x, y, losses=losses), scalarizations=chosen)
        assert sweep.values == pytest.approx(np.zeros(8), abs=1e-15)
        assert (sweep.status[[1, 2, 5, 6]] <= Status.UNCERTIFIED).all()
    for losses in ("logistic", "squared", "smoothed-hinge"):
        inside = ConvexObjectives(x, y, losses=losses, ball=NormBall(1.0))
        assert mt.solve_front(inside, scalarizations=chosen).rigorous.all()


@pytest.mark.parametrize("method", ["newton", "cvxpy"])
def test_a_constant_objective_where_curvatures_vanish(rng, method):
    """The smoothed hinge has no rate at which its curvature changes: at gradient 0 too nothing is made of that."""
    x, y = examples(rng, n=20)
    objectives = ConvexObjectives([x[0], 0 * x[1]], y, losses="smoothed-hinge")
    chosen = [kind(w) for kind in (WeightedSum, Chebyshev) for w in weight_path(3)]
    sweep = mt.solve_front(objectives, scalarizations=chosen, method=method)
    assert (sweep.status == Status.UNCERTIFIED).all()
    assert sweep.points[:, 1] == pytest.approx(np.full(6, 0.5), abs=1e-15)


def test_features_of_different_size_and_curvatures_that_vanish(rng):
    x, y = examples(rng, n=30, d=4, tasks=3)
    sizes = 10.0 ** np.array([-2.0, -1.0, 0.5, 1.5])
    scalarizations = [kind(w) for kind in (WeightedSum, Chebyshev) for w in rng.dirichlet(np.ones(3), 5)]
    losses = ["squared", "smoothed-hinge", "logistic"]
    plain = mt.solve_front(ConvexObjectives(x, y, losses=losses), scalarizations=scalarizations)
    scaled = mt.solve_front(ConvexObjectives([a * sizes for a in x], y, losses=losses), scalarizations=scalarizations)
    assert scaled.values == pytest.approx(plain.values, abs=1e-9)


def test_quadratics_of_deficient_rank(rng):
    objectives = quadratics(rng, d=4, rank=1)
    scalarizations = [WeightedSum(w) for w in weight_path(5)] + [Chebyshev(w) for w in weight_path(5)]
    sweep = mt.solve_front(objectives, scalarizations=scalarizations)
    reference = mt.solve_front(objectives, scalarizations=scalarizations, method="cvxpy", on_failure="mark")
    assert not sweep.rigorous.any()
    assert sweep.values == pytest.approx(reference.values, abs=1e-7)


def test_constant_identical_and_conflicting_objectives():
    eye = np.eye(2)
    scalarizations = [WeightedSum(w) for w in weight_path(3)[1:]] + [Chebyshev(w) for w in weight_path(3)[1:]]
    constant = QuadraticObjectives([eye, 0 * eye], [[1, 0], [0, 0]], [0.0, 0.5])
    sweep = mt.solve_front(constant, scalarizations=scalarizations)
    assert sweep.values == pytest.approx([0.25, 0.0, 0.25, 0.0], abs=1e-12)
    identical = QuadraticObjectives([eye, eye], [[1, 0], [1, 0]], [0.2, 0.2])
    sweep = mt.solve_front(identical, scalarizations=scalarizations)
    assert sweep.points == pytest.approx(np.full((4, 2), 0.2), abs=1e-12)
    conflicting = QuadraticObjectives([eye, eye], [[1, 0], [-1, 0]], [0.0, 0.0])
    sweep = mt.solve_front(conflicting, scalarizations=scalarizations)
    assert sweep.points[[0, 2]] == pytest.approx(np.ones((2, 2)), abs=1e-10)


def test_identical_convex_objectives_and_opposite_labels(rng):
    x, y = examples(rng, tasks=1)
    scalarizations = [WeightedSum([0.5, 0.5]), Chebyshev([0.5, 0.5])]
    same = mt.solve_front(
        ConvexObjectives([x[0]] * 2, [y[0]] * 2, losses="logistic", ridge=0.1), scalarizations=scalarizations
    )
    assert same.points[0] == pytest.approx(same.points[1], abs=1e-12)
    opposite = ConvexObjectives([x[0]] * 2, [y[0], 1 - y[0]], losses="logistic", ridge=0.1)
    sweep = mt.solve_front(opposite, scalarizations=scalarizations)
    assert sweep.points == pytest.approx(np.full((2, 2), np.log(2)), abs=1e-10)


# --- failures -------------------------------------------------------------------------------------------------------


def test_on_failure_with_one_failing_row(rng):
    objectives = FiniteObjectives(rng.random((2, 5, 2)))
    scalarizations = [WeightedSum([1, 1]), EpsilonConstraint([-1.0, -1.0]), WeightedSum([1, 2])]
    with pytest.raises(SolverError, match=r"2 of 6 that are not, first row 1 of replicate .*no hypothesis meets"):
        mt.solve_front(objectives, scalarizations=scalarizations)
    marked = mt.solve_front(objectives, scalarizations=scalarizations, on_failure="mark")
    assert marked.solved.tolist() == [[True, False, True]] * 2
    with pytest.raises(SolverError, match="2 of 6 rows"):
        marked.nondominated()
    assert not marked.nondominated(partial=True)[:, 1].any()
    with pytest.warns(PartialFrontWarning, match="1 of 3 scalarizations dropped"):
        dropped = mt.solve_front(objectives, scalarizations=scalarizations, on_failure="drop")
    assert dropped.dropped == (1,)
    assert dropped.is_partial
    assert dropped.scalarizations == (scalarizations[0], scalarizations[2])
    assert dropped.points.shape == (2, 2, 2)
    with pytest.raises(SolverError, match="batch axes"):
        dropped.front()


def test_a_row_short_of_the_tolerance_is_inaccurate(rng):
    objectives = convex(rng)
    sweep = mt.solve_front(
        objectives, scalarizations=[PNorm([0.5, 0.5], 2)], tolerance=1e-300, on_failure="mark", method="cvxpy"
    )
    assert sweep.status.tolist() == [Status.INACCURATE]
    assert sweep.gap[0] < 1e-6
    assert np.isfinite(sweep.points).all()


def test_newton_from_a_tiny_ridge_is_still_certified(rng):
    x, y = _separable()
    out = minimise_sums(ConvexObjectives([x], [y], losses="logistic", ridge=1e-8), np.ones((1, 1)), tolerance=1e-8)
    assert out.status[0, 0] == Status.CERTIFIED


def test_refusals(rng, refuses):
    objectives = quadratics(rng)
    refuses("scalarizations", mt.solve_front, objectives, scalarizations=[])
    refuses("scalarizations", mt.solve_front, objectives, scalarizations=[WeightedSum([1, 1, 1])])
    refuses("method", mt.solve_front, objectives, scalarizations=_ALL, method="newton")
    refuses("method", mt.solve_front, objectives, scalarizations=_ALL, method="sgd")
    refuses("on_failure", mt.solve_front, objectives, scalarizations=_ALL, on_failure="ignore")
    refuses("objectives", mt.solve_front, [[1.0]], scalarizations=_ALL)
    refuses("options", mt.solve_front, objectives, scalarizations=_ALL[:1], options={"population": 3})
    x, y = examples(rng)
    refuses("losses", ConvexObjectives, x, y, losses="hinge")
    refuses("targets", ConvexObjectives, x, y[:1], losses="logistic")
    refuses("targets", ConvexObjectives, x, [b + 0.5 for b in y], losses="logistic")
    refuses("targets", ConvexObjectives, x, [b - 1.0 for b in y], losses="poisson")
    refuses("ridge", ConvexObjectives, x, y, losses="logistic", ridge=-1.0)
    refuses("ball", ConvexObjectives, x, y, losses="logistic", ball=1.0)
    refuses("radius", NormBall, 0.0)
    refuses("hypotheses", convex(rng).risks, np.zeros((2, 7)))
