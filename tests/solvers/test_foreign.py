"""Scalarizations and objectives from outside: solved by what they declare, refused where they declare nothing."""

import ast
from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import minimize

import moltheory
from moltheory import solve_front
from moltheory.errors import InvalidInputError, SolverError
from moltheory.objectives import (
    BlackBoxObjectives,
    FiniteObjectives,
    NormBall,
    QuadraticObjectives,
    SmoothObjectives,
)
from moltheory.scalarization import EpsilonConstraint, PNorm, WeightedSum
from moltheory.solvers import Status
from tests.solvers._samples import convex, quadratics
from tests.testing import _foreign_scalarizations as foreign
from tests.testing._foreign_scalarizations import CertifiedSquares, Normalised, Squares, SquaresWithProgram, TwoLargest

CVXPY = "cvxpy.constraints.constraint.Constraint"
PROBLEMS = {
    "quadratic": lambda rng, n: quadratics(rng, n=n, d=3),
    "singular quadratic": lambda rng, n: quadratics(rng, n=n, d=3, rank=2),
    "logistic": lambda rng, n: convex(rng, tasks=n),
    "squared": lambda rng, n: convex(rng, tasks=n, losses="squared", ridge=0.0),
    "absolute": lambda rng, n: convex(rng, tasks=n, losses="absolute", ridge=0.1),
    "l2 ball": lambda rng, n: convex(rng, tasks=n, ridge=0.0, ball=NormBall(0.4, "l2")),
}


def smallest(objectives, u):
    """An upper bound on the smallest value, near it: simplices that start where others end, inside the ball."""
    ball = getattr(objectives, "ball", None)

    def value(theta):
        if ball is None:
            return float(u(objectives.risks(theta[None])[0]))
        outside = max(float(ball.size(theta)) - ball.radius, 0.0)
        return float(u(objectives.risks(ball.inside(theta)[None])[0])) + 10.0 * outside

    best = np.zeros(objectives.dimension)
    for method in ("BFGS", *["Nelder-Mead"] * 6):
        settings = {"xatol": 1e-10, "fatol": 1e-15, "maxiter": 1500} if method == "Nelder-Mead" else {"gtol": 1e-9}
        found = minimize(value, best, method=method, options=settings)
        best = found.x if found.fun <= value(best) else best
    return value(best)


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize(
    "u", [CertifiedSquares([0.3, 0.7]), CertifiedSquares([5.0, 0.5, 1.0]), TwoLargest(3)], ids=repr
)
def test_a_declared_program_with_multipliers_is_certified(kind, u):
    objectives = PROBLEMS[kind](np.random.default_rng(5), u.n_objectives)
    sweep = solve_front(objectives, scalarizations=[u], on_failure="mark")
    value, gap = float(sweep.values[0]), float(sweep.gap[0])
    assert value == pytest.approx(float(u(objectives.risks(sweep.solutions)[0])), rel=1e-14)
    reached = smallest(objectives, u)
    assert value <= reached + 1e-7
    if kind == "singular quadratic" and u.n_objectives == 2:
        # No sum of one weight vector is definite: the gap is an estimate, and says so.
        assert sweep.status[0] in (Status.UNCERTIFIED, Status.CERTIFIED)
    else:
        assert sweep.rigorous[0]
        assert sweep.status[0] == Status.CERTIFIED
        assert 0.0 <= gap <= 1e-8 * max(1.0, value)
        assert value - gap <= reached


def test_a_batch_and_a_mixture_are_solved_row_by_row():
    rng = np.random.default_rng(6)
    objectives = quadratics(rng, d=2, batch=(3,))
    mixed = [
        WeightedSum([0.5, 0.5]),
        CertifiedSquares([0.5, 0.5]),
        SquaresWithProgram([0.5, 0.5]),
        PNorm([1.0, 1.0], 2),
    ]
    sweep = solve_front(objectives, scalarizations=mixed)
    assert sweep.methods == ("closed-form", "cvxpy", "cvxpy", "cvxpy")
    assert sweep.rigorous[:, [0, 1, 3]].all()
    np.testing.assert_allclose(sweep.values[:, 1], sweep.values[:, 2], rtol=1e-7)
    # The 2-norm is the root of the sum of squares, and has the same minimiser.
    np.testing.assert_allclose(2.0 * sweep.values[:, 1], sweep.values[:, 3] ** 2, rtol=1e-7)
    for r in range(3):
        assert sweep.values[r, 1] <= smallest(objectives.entry(r), mixed[1]) + 1e-8


@pytest.mark.parametrize("kind", ["quadratic", "logistic", "absolute"])
def test_a_program_without_multipliers_is_solved_but_promises_nothing(kind):
    objectives = PROBLEMS[kind](np.random.default_rng(5), 2)
    u = SquaresWithProgram([0.3, 0.7])
    sweep = solve_front(objectives, scalarizations=[u])
    assert sweep.status[0] == Status.HEURISTIC
    assert "no bound on the suboptimality" in sweep.message(0)
    assert np.isnan(sweep.gap[0])
    assert not sweep.rigorous[0]
    assert sweep.certified_gap[0] == np.inf
    assert sweep.values[0] == pytest.approx(smallest(objectives, u), rel=1e-6)


def test_multipliers_of_a_parent_certify_no_other_value():
    u = foreign.StaleMultipliers([0.3, 0.7])
    sweep = solve_front(PROBLEMS["logistic"](np.random.default_rng(5), 2), scalarizations=[u])
    assert not sweep.rigorous.any()
    assert np.isnan(sweep.gap).all()


def test_constraints_of_the_user_hold_for_declared_programs():
    objectives = PROBLEMS["logistic"](np.random.default_rng(5), 2)
    u, box = CertifiedSquares([0.3, 0.7]), {"constraints": lambda theta: [theta <= 0.05, theta >= -0.05]}
    sweep = solve_front(objectives, scalarizations=[u], options=box)
    assert np.abs(sweep.solutions).max() <= 0.05 + 1e-8
    grid = np.stack(np.meshgrid(*[np.linspace(-0.05, 0.05, 21)] * 3), axis=-1).reshape(-1, 3)
    assert sweep.values[0] <= u(objectives.risks(grid)).min() + 1e-8
    assert sweep.rigorous[0]


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize(
    ("u", "why"),
    [
        (Squares([0.5, 0.5]), "got Squares, which declares neither; declare them in Squares, or use FiniteObjectives"),
        (foreign.ChangedSum([0.5, 0.5]), "got ChangedSum, which changes the value that WeightedSum declares"),
        (foreign.ChangedCall([0.5, 0.5]), "got ChangedCall, which changes the value that WeightedSum declares"),
        (foreign.MixedIn([0.5, 0.5]), "got MixedIn, which changes the value that WeightedSum declares"),
        (foreign.ChangedAfterProgram([0.5, 0.5]), "got ChangedAfterProgram, which changes the value that"),
        (foreign.WrongForm([0.5, 0.5]), "`form` of WrongForm must have the values of the scalarization"),
        (foreign.WrongMaximum([0.5, 0.5]), "`form` of WrongMaximum must have the values of the scalarization"),
        (foreign.WrongObjectives([0.5, 0.5]), "`form` of WrongObjectives must return a form of 2 objectives"),
        (foreign.TooSteep([0.5, 0.5]), "`multipliers` of TooSteep must give a lower bound"),
        (foreign.TooHigh([0.5, 0.5]), "`multipliers` of TooHigh must give a lower bound"),
        (foreign.NegativeMultipliers([0.5, 0.5]), "2 finite multipliers >= 0"),
        (foreign.OneNumber([0.5, 0.5]), "a pair"),
        (foreign.ConcaveProgram([0.5, 0.5]), "must return a convex"),
        (foreign.NoProgram([0.5, 0.5]), "must return a convex"),
        (foreign.WrongProgram([0.5, 0.5]), "`program` of WrongProgram must have the value of the scalarization"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_declares_nothing_or_something_false_is_refused(kind, u, why):
    objectives = PROBLEMS[kind](np.random.default_rng(5), 2)
    with pytest.raises(InvalidInputError, match=why):
        solve_front(objectives, scalarizations=[WeightedSum([0.5, 0.5]), u])


def test_a_program_of_a_function_that_falls_is_refused():
    class Distance(Squares):
        is_monotone = False

        def _evaluate(self, values):
            return ((values - 1.0) ** 2).sum(axis=-1)

        def program(self, risks):
            return cp.sum_squares(risks - 1.0)

    class Claimed(Distance):
        is_monotone = True

        def _evaluate(self, values):
            return ((values - 1.0) ** 2).sum(axis=-1)

        def program(self, risks):
            return cp.sum_squares(risks - 1.0)

    objectives = PROBLEMS["squared"](np.random.default_rng(5), 2)
    with pytest.raises(InvalidInputError, match="must be monotone for a convex program"):
        solve_front(objectives, scalarizations=[Distance([1.0, 1.0])])
    # Risks are below 1: the program, which may raise its bounds to 1, has another value than the call.
    with pytest.raises(InvalidInputError, match="`program` of Claimed must have the value"):
        solve_front(objectives, scalarizations=[Claimed([1.0, 1.0])])


def test_an_object_that_is_patched_is_no_longer_its_class():
    u = WeightedSum([0.5, 0.5])
    object.__setattr__(u, "_evaluate", lambda values: (values**2).sum(axis=-1))
    with pytest.raises(InvalidInputError, match="must declare `program`"):
        solve_front(quadratics(np.random.default_rng(0)), scalarizations=[u])


def test_a_declared_form_takes_the_fast_methods():
    rng = np.random.default_rng(8)
    weights = [[1.0, 3.0], [2.0, 2.0], [5.0, 1.0]]
    own, plain = [Normalised(w) for w in weights], [WeightedSum(np.array(w) / np.sum(w)) for w in weights]
    for objectives, method in ((quadratics(rng), "closed-form"), (convex(rng), "newton")):
        one, other = (solve_front(objectives, scalarizations=us) for us in (own, plain))
        assert set(one.methods) == {method}
        assert one.solutions.tobytes() == other.solutions.tobytes()
        assert one.gap.tobytes() == other.gap.tobytes()


def test_what_inherits_the_value_inherits_the_declaration():
    class Named(WeightedSum):
        def __repr__(self):
            return "named"

    objectives = quadratics(np.random.default_rng(0))
    one, other = (solve_front(objectives, scalarizations=[kind([0.5, 0.5])]) for kind in (Named, WeightedSum))
    assert one.method == other.method
    assert one.solutions.tobytes() == other.solutions.tobytes()


@pytest.mark.parametrize("u", [Squares([0.3, 0.7]), foreign.ChangedSum([0.3, 0.7]), TwoLargest(2)], ids=repr)
def test_values_are_enough_for_finite_classes_and_searches(u):
    rng = np.random.default_rng(9)
    table = rng.random((40, 2))
    sweep = solve_front(FiniteObjectives(table), scalarizations=[u])
    assert sweep.values[0] == u(table).min()
    assert sweep.rigorous[0]
    assert sweep.gap[0] == 0.0

    def risks(x):
        return np.stack([(x**2).sum(axis=-1), ((x - 1.0) ** 2).sum(axis=-1)], axis=-1)

    small = {"population": 20, "generations": 40}
    box = BlackBoxObjectives(risks, [-1.0, -1.0], [2.0, 2.0], n_objectives=2)
    found = solve_front(box, scalarizations=[u], options=small)
    assert found.status[0] == Status.HEURISTIC
    assert np.isnan(found.gap[0])

    smooth = SmoothObjectives(
        risks,
        lambda x: np.stack([2.0 * x, 2.0 * (x - 1.0)], axis=-2),
        lambda x: np.broadcast_to(2.0 * np.eye(2), (*x.shape[:-1], 2, 2, 2)),
        n_objectives=2,
        dimension=2,
        ball=NormBall(0.7, "l2"),
    )
    searched = solve_front(smooth, scalarizations=[u], method="nsga2", options=small)
    assert searched.status[0] == Status.HEURISTIC
    assert not searched.rigorous[0]
    assert np.linalg.norm(searched.solutions[0]) <= 0.7
    assert searched.values[0] == pytest.approx(smallest(smooth, u), abs=1e-2)
    with pytest.raises(
        InvalidInputError, match=r"must be weighted sums, or Chebyshev .* a search .* needs values only"
    ):
        solve_front(smooth, scalarizations=[u])


def test_searches_need_a_ball_and_no_batch():
    smooth = SmoothObjectives(
        lambda x: np.stack([(x**2).sum(axis=-1)] * 2, axis=-1),
        lambda x: np.stack([2.0 * x] * 2, axis=-2),
        lambda x: np.broadcast_to(2.0 * np.eye(2), (*x.shape[:-1], 2, 2, 2)),
        n_objectives=2,
        dimension=2,
    )
    with pytest.raises(InvalidInputError, match="must have a ball and no batch axes to be searched by 'nsga2'"):
        solve_front(smooth, scalarizations=[WeightedSum([0.5, 0.5])], method="nsga2")


def test_objectives_that_compute_something_else_are_refused():
    class Shifted(QuadraticObjectives):
        def risks(self, hypotheses):
            return super().risks(hypotheses) ** 2

    rng = np.random.default_rng(2)
    shifted = quadratics(rng)
    shifted.__class__ = Shifted
    with pytest.raises(InvalidInputError, match="what QuadraticObjectives do, got Shifted, which redefines risks;"):
        solve_front(shifted, scalarizations=[WeightedSum([0.5, 0.5])])
    patched = quadratics(rng)
    patched.risks = lambda hypotheses: np.zeros((1, 2))
    with pytest.raises(InvalidInputError, match="got QuadraticObjectives, which redefines risks"):
        solve_front(patched, scalarizations=[WeightedSum([0.5, 0.5])])
    with pytest.raises(InvalidInputError, match=r"must be Finite-, .* got object; objectives of your own are given by"):
        solve_front(object(), scalarizations=[WeightedSum([0.5, 0.5])])

    class Renamed(QuadraticObjectives):
        def __repr__(self):
            return "renamed"

    renamed = quadratics(rng)
    renamed.__class__ = Renamed
    assert solve_front(renamed, scalarizations=[WeightedSum([0.5, 0.5])]).rigorous.all()

    class Squared(FiniteObjectives):
        def risks(self, hypotheses=None):
            return super().risks(hypotheses) ** 2

    table = rng.random((10, 2))
    sweep = solve_front(Squared(table), scalarizations=[WeightedSum([0.5, 0.5])])
    assert sweep.values[0] == WeightedSum([0.5, 0.5])(table**2).min()


def test_infeasible_programs_from_outside_are_failures_not_proofs():
    class Impossible(Squares):
        def program(self, risks):
            return cp.sum(risks), [risks[0] <= -1.0]

        def _evaluate(self, values):
            return values.sum(axis=-1)

    with pytest.raises(SolverError, match="the solver gave no point"):
        solve_front(PROBLEMS["logistic"](np.random.default_rng(5), 2), scalarizations=[Impossible([1.0, 1.0])])
    with pytest.raises(SolverError, match="no hypothesis meets the bounds"):
        solve_front(
            PROBLEMS["logistic"](np.random.default_rng(5), 2), scalarizations=[EpsilonConstraint([np.inf, -1.0])]
        )


def test_methods_are_chosen_by_what_is_declared_not_by_class():
    """Where scalarizations are solved and bounded, `isinstance` asks for bases only, never for one kind."""
    root = Path(moltheory.__file__).parent
    files = [*(root / "solvers").glob("*.py"), *(root / "scalarization").glob("*.py")]
    files += [root / "bounds" / "_delta_allocation.py", root / "theorems" / "_scalarization_cache.py"]
    files += [root / "experiments" / f"_{name}.py" for name in ("excess_risks", "scalarized_selection")]
    kinds = [
        ast.unparse(node.args[1])
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
    ]
    words = (
        "Scalarization",
        "WeightedSum",
        "PNorm",
        "Chebyshev",
        "Constraint",
        "Objectives",
        "Part",
        "Form",
        "_Solvable",
    )
    found = [kind for kind in kinds if any(word in kind for word in words)]
    assert len(found) < 10
    assert set(found) <= {"Scalarization", "Form", "_Solvable", "WeightedSumProblem", CVXPY}
