"""Quadratic objectives: values, minimisers of every weighted sum, and what a grid of weights can miss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltheory.objectives import QuadraticObjectives, discretization_error
from moltheory.objectives._discretization import gap_between_lines, gap_under_corners
from moltheory.scalarization import simplex_grid


def _objectives(rng, *, n=2, d=4, batch=(), rank=None):
    """Random objectives; curvatures have full rank unless `rank` is given."""
    factors = rng.standard_normal((*batch, n, d, rank or 2 * d))
    curvature = factors @ np.swapaxes(factors, -1, -2) / factors.shape[-1]
    return QuadraticObjectives(curvature, rng.standard_normal((*batch, n, d)), rng.random((*batch, n)))


def _shortfall(points, others):
    """sup over rows of `others` of min over rows of `points` of max_i (point_i - other_i)_+, in pieces."""
    pieces = np.array_split(others, max(1, others.shape[0] // 500))
    return max(np.maximum(points[None] - piece[:, None], 0.0).max(axis=2).min(axis=1).max() for piece in pieces)


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_risks_equal_the_formula_one_by_one(rng, batch):
    d, n, k = 3, 2, 5
    factors = rng.standard_normal((*batch, n, d, d))
    curvature = factors @ np.swapaxes(factors, -1, -2)
    center, offset = rng.standard_normal((*batch, n, d)), rng.random((*batch, n))
    objectives = QuadraticObjectives(curvature, center, offset)
    assert objectives.batch_shape == batch
    shared, own = rng.standard_normal((k, d)), rng.standard_normal((*batch, k, d))
    for thetas in (shared, own):
        found = objectives.risks(thetas)
        assert found.shape == (*batch, k, n)
        for where in np.ndindex(*batch, k, n):
            b, j, i = where[:-2], where[-2], where[-1]
            theta = (thetas if thetas.ndim == 2 else thetas[b])[j]
            gap = theta - center[b][i]
            assert found[where] == pytest.approx(gap @ curvature[b][i] @ gap + offset[b][i], rel=1e-12)


def test_hypotheses_with_a_batch_of_their_own_meet_unbatched_objectives(rng):
    objectives = _objectives(rng)
    thetas = rng.standard_normal((6, 5, 4))
    found = objectives.risks(thetas)
    assert found.shape == (6, 5, 2)
    assert found[3] == pytest.approx(objectives.risks(thetas[3]), rel=1e-12)


def test_expansion_and_center_form_agree(rng):
    objectives = _objectives(rng, n=3, batch=(4,))
    at = rng.standard_normal((3, 4))
    centers = np.linalg.solve(objectives.curvature, objectives.linear[..., None])[..., 0]
    linear = np.einsum("rnij,rnj->rni", objectives.curvature, centers - at)
    constant = np.stack([objectives.risks(at[i][None])[:, 0, i] for i in range(3)], axis=-1)
    expanded = QuadraticObjectives.from_expansion(objectives.curvature, linear, constant, at=at)
    thetas = rng.standard_normal((7, 4))
    assert expanded.risks(thetas) == pytest.approx(objectives.risks(thetas), rel=1e-10)
    assert expanded.linear == pytest.approx(objectives.linear, rel=1e-9)
    weights = simplex_grid(3, 4)
    assert expanded.minimisers(weights) == pytest.approx(objectives.minimisers(weights), rel=1e-8)


def test_risks_at_a_center_are_exact(rng):
    objectives = _objectives(rng)
    center = np.array([[0.1, 0.2, 0.3, 0.7], [0.5, 0.6, 0.9, 1.1]])
    exact = QuadraticObjectives(objectives.curvature, center, [0.1, 0.3])
    assert np.diagonal(exact.risks(center)).tolist() == [0.1, 0.3]


# --- minimisers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("d", [1, 2, 7])
def test_minimisers_equal_np_linalg_solve(rng, n, d):
    objectives = _objectives(rng, n=n, d=d, batch=(3,))
    weights = np.concatenate([simplex_grid(n, 4), 3.0 * rng.random((5, n)) + 0.01])
    found = objectives.minimisers(weights)
    assert found.shape == (3, len(weights), d)
    for r in range(3):
        for j, w in enumerate(weights):
            total = np.einsum("n,nij->ij", w, objectives.curvature[r])
            expected = np.linalg.solve(total, w @ objectives.linear[r])
            assert found[r, j] == pytest.approx(expected, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("n", [2, 3])
def test_minimisers_equal_those_of_a_generic_optimizer(rng, n):
    from scipy.optimize import minimize

    objectives = _objectives(rng, n=n, d=3)
    for w in rng.random((4, n)) + 0.1:

        def value(theta, w=w):
            return float(objectives.risks(theta[None])[0] @ w)

        generic = minimize(value, np.zeros(3), method="BFGS", options={"gtol": 1e-9, "xrtol": 1e-12})
        assert objectives.minimisers(w[None])[0] == pytest.approx(generic.x, abs=1e-5)
        assert value(objectives.minimisers(w[None])[0]) <= generic.fun + 1e-12


def test_two_objectives_and_the_general_solver_agree(rng):
    objectives = _objectives(rng, d=6, batch=(5,))
    weights = simplex_grid(2, 20)
    third = QuadraticObjectives(
        np.concatenate([objectives.curvature, np.zeros((5, 1, 6, 6))], axis=1),
        np.zeros((5, 3, 6)),
        np.ones((5, 3)),
    )
    padded = np.column_stack([weights, np.ones(len(weights))])
    zero = QuadraticObjectives(objectives.curvature, np.zeros((5, 2, 6)), np.ones((5, 2)))
    assert third.minimisers(padded) == pytest.approx(zero.minimisers(weights), abs=1e-12)
    least = objectives.minimisers(weights, minimum_norm=True)
    assert least == pytest.approx(objectives.minimisers(weights), rel=1e-7, abs=1e-9)


@given(st.integers(0, 10_000))
def test_equivariance(seed):
    """Permuting objectives or features, scaling objectives (weights inversely) or features, moving the origin."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    factors = rng.standard_normal((n, 3, 6))
    curvature, center = factors @ np.swapaxes(factors, 1, 2), rng.standard_normal((n, 3))
    offset, weights = rng.random(n), rng.random((4, n)) + 0.05
    base = QuadraticObjectives(curvature, center, offset)
    theta, front = base.minimisers(weights), base.front(weights)

    order = rng.permutation(n)
    permuted = QuadraticObjectives(curvature[order], center[order], offset[order]).front(weights[:, order])
    assert permuted.solutions == pytest.approx(theta, rel=1e-8, abs=1e-10)
    assert permuted.points == pytest.approx(front.points[:, order], rel=1e-8)
    assert permuted.discretization == pytest.approx(front.discretization, rel=1e-6)

    units = 10.0 ** rng.integers(-12, 13, n)
    scaled = QuadraticObjectives(curvature * units[:, None, None], center, offset * units)
    assert scaled.minimisers(weights / units) == pytest.approx(theta, rel=1e-7, abs=1e-9)

    features = 10.0 ** rng.integers(-6, 7, 3)
    stretched = QuadraticObjectives(curvature / np.outer(features, features), center * features, offset)
    assert stretched.minimisers(weights) / features == pytest.approx(theta, rel=1e-7, abs=1e-9)

    shift = rng.standard_normal(3)
    moved = QuadraticObjectives(curvature, center + shift, offset).front(weights)
    assert moved.solutions == pytest.approx(theta + shift, rel=1e-8, abs=1e-9)
    assert moved.points == pytest.approx(front.points, rel=1e-8)


def test_the_batch_is_cut_into_chunks_without_a_seam(rng, monkeypatch):
    for n in (2, 3):
        objectives = _objectives(rng, n=n, batch=(7,))
        weights = simplex_grid(n, 3)
        whole = objectives.minimisers(weights)
        monkeypatch.setattr("moltheory.objectives._quadratic._CHUNK", 1)
        assert np.array_equal(objectives.minimisers(weights), whole)
        monkeypatch.undo()


# --- joint basis ----------------------------------------------------------------------------------------------------


def test_shortfall_bounds_an_excess_known_exactly(rng):
    """Integer curvatures and moves, weights that are powers of two: gradient and excess carry no rounding."""
    for power in (1, 10, 100, 1000):  # condition numbers up to about 1e12
        factors = rng.integers(-4, 5, (2, 9, 5)).astype(float)
        factors[:, :, 4] = power * factors[:, :, 0] + (factors[:, :, 4] % 2)
        curvature = np.swapaxes(factors, 1, 2) @ factors
        joint = QuadraticObjectives(curvature, np.zeros((2, 5)), np.zeros(2)).joint_basis
        weights = 2.0 ** rng.integers(-3, 4, (20, 2))
        move = rng.integers(-9, 10, (20, 5)).astype(float)
        gradients = 2.0 * np.einsum("kn,nij,kj->ki", weights, curvature, move)
        excess = np.einsum("ki,ki->k", gradients, move) / 2.0
        bound = joint.shortfall(curvature[None], gradients[None], weights)[0]
        assert (bound >= excess).all()
        assert power > 10 or bound == pytest.approx(excess, rel=1e-6)


def test_risks_and_gradients(rng):
    objectives = _objectives(rng, n=3)
    theta, weights = rng.standard_normal((6, 4)), rng.random((6, 3))
    risks, gradients = objectives.risks_and_gradients(theta, weights)
    assert np.array_equal(risks, objectives.risks(theta))
    for j, step in enumerate(np.eye(4)):
        slopes = (objectives.risks(theta + step) - objectives.risks(theta - step)) / 2.0
        assert gradients[..., j] == pytest.approx((slopes * weights).sum(axis=-1), rel=1e-9, abs=1e-9)


# --- singular curvature ---------------------------------------------------------------------------------------------


def test_too_few_examples_are_refused_or_give_the_smallest_minimiser(rng, refuses):
    x, y = rng.standard_normal((2, 3, 8)), rng.standard_normal((2, 3))
    objectives = QuadraticObjectives.from_expansion(
        np.swapaxes(x, 1, 2) @ x / 3, np.einsum("knd,kn->kd", x, y) / 3, (y**2).mean(axis=1)
    )
    weights = simplex_grid(2, 4)
    refuses("weights", objectives.minimisers, weights)
    refuses("weights", discretization_error, objectives, weights)
    found = objectives.minimisers(weights, minimum_norm=True)
    for w, theta in zip(weights, found, strict=True):
        roots = np.sqrt(w / 3)
        stacked, target = np.concatenate(roots[:, None, None] * x), np.concatenate(roots[:, None] * y)
        expected = np.linalg.lstsq(stacked, target)[0]
        assert theta == pytest.approx(expected, abs=1e-8)
    # With 3 examples for 8 parameters each task alone is fitted without error.
    assert objectives.risks(found)[[0, -1], [1, 0]] == pytest.approx([0.0, 0.0], abs=1e-12)
    front = objectives.front(weights, minimum_norm=True)
    fine = objectives.risks(objectives.minimisers(simplex_grid(2, 500)[1:-1], minimum_norm=True))
    assert _shortfall(front.points, fine) <= front.discretization + 1e-9


def test_interior_weights_suffice_where_only_one_task_is_short_of_examples(rng, refuses):
    factor = rng.standard_normal((4, 2))
    objectives = QuadraticObjectives([factor @ factor.T, np.eye(4)], rng.standard_normal((2, 4)), [0.0, 0.0])
    interior = np.array([[0.99, 0.01], [0.5, 0.5], [0.0, 1.0]])
    total = np.einsum("kn,nij->kij", interior, objectives.curvature)
    expected = np.linalg.solve(total, (interior @ objectives.linear)[..., None])[..., 0]
    assert objectives.minimisers(interior) == pytest.approx(expected, rel=1e-8)
    refuses("weights", objectives.minimisers, [[0.5, 0.5], [1.0, 0.0]])
    fine = objectives.risks(objectives.minimisers(simplex_grid(2, 2000)[:-1]))
    assert _shortfall(objectives.risks(expected), fine) <= discretization_error(objectives, interior) + 1e-12


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("kind", ["collinear", "constant"])
def test_collinear_and_constant_features_are_refused_with_the_weights_found(rng, n, kind):
    x = rng.standard_normal((n, 50, 4))
    x[..., 3] = 2.0 * x[..., 0] - x[..., 1] if kind == "collinear" else 0.0
    y = rng.standard_normal((n, 50))
    objectives = QuadraticObjectives.from_expansion(
        np.swapaxes(x, 1, 2) @ x / 50, np.einsum("knd,kn->kd", x, y) / 50, (y**2).mean(axis=1)
    )
    with pytest.raises(ValueError, match=r"weights \[.*collinear features; minimum_norm=True"):
        objectives.minimisers(np.full((1, n), 1 / n))
    theta = objectives.minimisers(np.full((1, n), 1 / n), minimum_norm=True)
    expected = np.linalg.lstsq(np.concatenate(x), np.concatenate(y))[0]
    assert theta[0] == pytest.approx(expected, abs=1e-8)


# --- discretization -------------------------------------------------------------------------------------------------


def _grid_of_two(rng, kind):
    if kind == "lattice":
        return simplex_grid(2, int(rng.integers(1, 25)))
    w = np.sort(rng.random(int(rng.integers(1, 15))))
    if kind == "with ends":
        w = np.concatenate([[0.0], w, [1.0]])
    return rng.permutation(np.stack([w, 1 - w], axis=1)) * (1 + rng.random())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lattice", "interior", "with ends"])
def test_two_objectives_bound_is_between_the_truth_and_one_step_more(rng, kind):
    """Against a front 200 times finer: never below, and above by at most the stated factor."""
    for _ in range(40):
        objectives = _objectives(rng, d=int(rng.integers(1, 6)))
        weights = _grid_of_two(rng, kind)
        bound = float(discretization_error(objectives, weights))
        share = np.linspace(0.0, 1.0, 4001) ** np.array([[1.0], [3.0]])
        share = np.concatenate([share[0], share[1], 1.0 - share[1]])
        fine = objectives.risks(objectives.minimisers(np.stack([share, 1 - share], axis=1)))
        observed = _shortfall(objectives.risks(objectives.minimisers(weights)), fine)
        assert observed <= bound * (1 + 1e-9) + 1e-12
        ordered = np.sort(weights[:, 0] / weights.sum(axis=1))
        step = np.diff(ordered).max(initial=0.0)
        assert bound <= (1.0 + step) * observed * 1.02 + 1e-12


def test_two_objectives_bound_is_attained_by_lines():
    """Members (0, 1) and (1, 0) with lines through (0.2, 0.2): the vertex falls short of by 0.8 of the unit square."""
    points, lowest = np.array([[0.0, 1.0], [1.0, 0.0]]), np.zeros(2)
    weights = np.array([[0.8, 0.2], [0.2, 0.8]])
    assert gap_between_lines(weights, points, lowest) == pytest.approx(0.8)
    assert gap_under_corners(weights, points, lowest) == pytest.approx(0.8)
    # The smallest risks cut the ends off.
    assert gap_between_lines(weights, points, np.array([-3.0, 0.0])) == pytest.approx(3.0)


@given(st.integers(0, 10_000))
def test_the_general_bound_equals_that_of_lines_for_two_objectives(seed):
    rng = np.random.default_rng(seed)
    objectives = _objectives(rng, d=3)
    front = objectives.front(_grid_of_two(rng, ["lattice", "interior", "with ends"][seed % 3]))
    on_simplex = front.weights / front.weights.sum(axis=1, keepdims=True)
    lowest = objectives.risks(objectives.minimisers(np.eye(2))).min(axis=0)
    assert gap_under_corners(on_simplex, front.points, lowest) == pytest.approx(front.discretization, rel=1e-6)


def _random_class(rng, n):
    """A finite class with, for every weight, one of its minimisers."""
    values = rng.random((40, n))
    weights = simplex_grid(n, 3)
    return values, weights, values[np.argmin(weights @ values.T, axis=1)]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_general_bound_equals_a_linear_program_and_holds_for_finite_classes(rng, n):
    """sup over the polyhedron by linear programs, one for each way to choose the objective in which a member fails."""
    import itertools

    from scipy.optimize import linprog

    for _ in range(3 if n < 4 else 2):
        values, weights, points = _random_class(rng, n)
        lowest = values.min(axis=0)
        bound = gap_under_corners(weights, points, lowest)
        assert _shortfall(points, values) <= bound + 1e-12
        members = np.unique(points, axis=0)[: 4 if n < 4 else 3]
        exact = 0.0
        offsets = (weights * points).sum(axis=1)
        for fails in itertools.product(range(n), repeat=len(members)):
            # Maximise t such that v is in Q and member k exceeds v by t in objective fails[k].
            above = np.zeros((len(members), n + 1))
            above[np.arange(len(members)), fails] = 1.0
            above[:, -1] = 1.0
            inequality = np.concatenate([above, np.column_stack([-weights, np.zeros(len(weights))])])
            right = np.concatenate([members[np.arange(len(members)), list(fails)], -offsets])
            bounds = [(low, None) for low in lowest] + [(0, None)]
            solved = linprog(np.r_[np.zeros(n), -1.0], A_ub=inequality, b_ub=right, bounds=bounds)
            exact = max(exact, -solved.fun) if solved.status == 0 else exact
        planes = np.concatenate([weights, np.eye(n)])
        assert _bound_of(planes, np.concatenate([offsets, lowest]), members) == pytest.approx(exact, abs=1e-8)


def _bound_of(planes, offsets, members):
    """`gap_under_corners` with other planes than the members' own."""
    from moltheory.objectives._discretization import _corners

    corners = np.minimum(_corners(members), 1e9)
    return max(0.0, float((corners @ planes.T - offsets).min(axis=1).max()))


@pytest.mark.parametrize(("n", "d", "divisions"), [(3, 1, 4), (3, 2, 1), (3, 3, 6), (3, 5, 10), (4, 3, 4)])
def test_three_and_more_objectives_bound_exceeds_the_truth_by_little(rng, n, d, divisions):
    weights = simplex_grid(n, divisions)
    fine_weights = simplex_grid(n, 60 if n == 3 else 20)
    for _ in range(4):
        objectives = _objectives(rng, n=n, d=d)
        front = objectives.front(weights)
        observed = _shortfall(front.points, objectives.risks(objectives.minimisers(fine_weights)))
        # Random parameters are on no front, and must be covered all the same.
        others = objectives.risks(2.0 * rng.standard_normal((2000, d)))
        assert max(observed, _shortfall(front.points, others)) <= front.discretization + 1e-9
        if divisions >= 4:
            assert front.discretization <= 2.0 * observed


def test_bound_shrinks_with_the_grid(rng):
    for n in (2, 3):
        objectives = _objectives(rng, n=n, batch=(4,))
        coarse, fine = (discretization_error(objectives, simplex_grid(n, k)) for k in (5, 20))
        assert coarse.shape == (4,)
        assert (fine < 0.4 * coarse).all()


def test_equal_tasks_have_one_point_and_no_error():
    objectives = QuadraticObjectives([np.eye(2)] * 2, np.ones((2, 2)), [0.5, 0.5])
    assert discretization_error(objectives, simplex_grid(2, 3)) == pytest.approx(0.0, abs=1e-15)


# --- refusals -------------------------------------------------------------------------------------------------------


def test_refusals(refuses):
    eye = np.stack([np.eye(2)] * 2)
    zero, ones = np.zeros((2, 2)), np.ones(2)
    make, expand = QuadraticObjectives, QuadraticObjectives.from_expansion
    refuses("curvature", make, np.eye(2), zero, ones)
    refuses("curvature", make, np.ones((2, 2, 3)), zero, ones)
    refuses("curvature", make, [[[1, 2], [0, 1]]] * 2, zero, ones)
    refuses("curvature", make, -eye, zero, ones)
    refuses("curvature", make, eye * np.nan, zero, ones)
    refuses("center", make, eye, np.zeros((2, 3)), ones)
    refuses("offset", make, eye, zero, np.ones(3))
    refuses("names", make, eye, zero, ones, names=["a"])
    refuses("linear", expand, [[[1, 0], [0, 0]]] * 2, [[0, 1]] * 2, ones)
    refuses("curvature", expand, [[[1, 0], [0, -1]]] * 2, [[0, 0]] * 2, ones)
    refuses("linear", expand, eye, 2 * np.ones((2, 2)), ones)
    refuses("at", expand, eye, zero, ones, at=np.zeros(3))
    refuses("constant", expand, eye, zero, np.ones((2, 1)))
    objectives = make(eye, zero, ones)
    refuses("weights", objectives.minimisers, [[0.5, -0.5]])
    refuses("weights", objectives.minimisers, [[0.0, 0.0]])
    refuses("weights", objectives.minimisers, [0.5, 0.5])
    refuses("weights", objectives.front, [[0.5, 0.25, 0.25]])
    refuses("weights", objectives.front, [[0.5, np.inf]])
    refuses("hypotheses", objectives.risks, [0.0, 0.0])
    refuses("hypotheses", objectives.risks, [[0.0, 0.0, 0.0]])
    batched = make(np.stack([eye] * 3), np.zeros((3, 2, 2)), np.ones((3, 2)))
    refuses("hypotheses", batched.risks, np.zeros((2, 1, 2)))


def test_inputs_are_left_alone_and_results_are_read_only(rng):
    inputs = [np.stack([np.eye(2)] * 2), rng.standard_normal((2, 2)), rng.random(2)]
    weights = simplex_grid(2, 3)
    before = [array.copy() for array in (*inputs, weights)]
    objectives = QuadraticObjectives(*inputs, names=["a", "b"])
    front = objectives.front(weights)
    assert all(np.array_equal(a, b) for a, b in zip((*inputs, weights), before, strict=True))
    assert objectives.names == ("a", "b")
    assert objectives.data_dependent.all()
    assert "dimension=2" in repr(objectives)
    for array in (objectives.curvature, front.points, front.solutions, front.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0
