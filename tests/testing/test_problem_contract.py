"""Problems from outside: what keeps the contract is simulated and checked like any other, what does not is named."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from moltheory.bounds import Bound, finite_class, linear_class
from moltheory.errors import InvalidInputError, NotDeclaredError
from moltheory.experiments import asymmetry, check_converse, excess
from moltheory.objectives import ConvexObjectives, FiniteObjectives, Known, Mean, NormBall, QuadraticObjectives
from moltheory.pareto import Front, pareto_front
from moltheory.problems import (
    FinitePopulation,
    FiniteProblem,
    FiniteWorld,
    GaussianDesigns,
    GaussianMixture,
    GaussianMixtureClassifiers,
    InfiniteProblem,
    LinearPopulation,
    LogisticGroups,
    MultiTaskLeastSquares,
    SparseRegression,
    exchangeable_decoys,
    from_dataset,
    from_predictions,
    linear_classifier_grid,
    mirrored_decoys,
    near_tie,
    reference_world,
    tilted_line,
    two_coins,
)
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.scalarization import Chebyshev, WeightedSum
from moltheory.testing import ContractError, check_problem
from moltheory.theorems import check, check_all, falsify, ledger

S2 = [[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]]


def _generator(rng: Any) -> np.random.Generator:
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))


def _predictions(**given: Any) -> FinitePopulation:
    rng = np.random.default_rng(0)
    predictions, target, group = rng.integers(0, 2, (40, 5)), rng.integers(0, 2, 40), rng.integers(0, 2, 40)
    names = ["error", "false_negative_rate", "error_gap"]
    costs = {"size": np.arange(5) / 5}
    return from_predictions(predictions, target, group=group, objectives=names, costs=costs, **given)


def _mixture() -> GaussianMixtureClassifiers:
    mixture = GaussianMixture([1, 1], [[-1.0, 0.0], [1.0, 0.0]], np.eye(2), [-1, 1], groups=["a", "b"])
    rows = linear_classifier_grid(mixture, n_directions=4, n_offsets=3)
    return GaussianMixtureClassifiers(mixture, rows, objectives=["error", "gap", "worst_group_error", "n_features"])


def _designs(losses: Any, **given: Any) -> GaussianDesigns:
    return GaussianDesigns([np.eye(3), S2], [[1, 0, 0], [0, 0, 0.5]], losses=losses, **given)


def _rows() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 3))
    return x, (x[:, 0] + rng.standard_normal(60) > 0).astype(int), np.arange(60) % 2


def _linear(losses: Any, **given: Any) -> LinearPopulation:
    x, y, _ = _rows()
    return LinearPopulation([x, x], [y, 1 - y], losses=losses, radius=1.5, input_norm=1.0, **given)


BUILT_IN = {
    "two_coins": two_coins,
    "mirrored_decoys": mirrored_decoys,
    "tilted_line": lambda: tilted_line(21),
    "reference_world": reference_world,
    "exchangeable_decoys": lambda: exchangeable_decoys(3),
    "near_tie": lambda: near_tie(0.3, 0.1),
    "predictions": _predictions,
    "stratified": lambda: _predictions(stratify=True),
    "data set": lambda: from_dataset("breast_cancer"),
    "mixture": _mixture,
    "sparse regression": lambda: SparseRegression(np.eye(3), [2.0, 1.0, 0.0], 1.0),
    "least squares": lambda: MultiTaskLeastSquares([np.eye(3), S2], [[1, 0, 0], [0, 0, 1]], [0.5, 0.5]),
    "designs": lambda: _designs(("logistic", "smoothed-hinge"), ridge=0.05),
    "designs, squared and poisson": lambda: _designs(("squared", "poisson"), noise=0.5),
    "linear": lambda: _linear("logistic"),
    "linear, squared and poisson": lambda: _linear(("squared", "poisson"), ridge=0.1),
    "groups": lambda: LogisticGroups(*_rows()),
    "groups in a ball": lambda: LogisticGroups(*_rows(), ball=NormBall(1.0)),
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_keeps_the_contract(name: str) -> None:
    check_problem(BUILT_IN[name]())


@pytest.mark.parametrize("name", BUILT_IN)
def test_widths_have_one_signature(name: str, refuses: Any) -> None:
    problem: Any = BUILT_IN[name]()
    sample = problem.sample(9, replicates=3, rng=0)
    bound = problem.widths(sample, delta=0.1)
    assert isinstance(bound, Bound)
    assert bound.width.shape == (3, sample.n_objectives)
    assert bound.delta == 0.1
    assert (bound.width[:, ~np.asarray(problem.true.data_dependent)] == 0).all()
    single = problem.widths(problem.sample(9, rng=0), delta=0.1)
    assert single.width.shape == (sample.n_objectives,)
    refuses("delta", problem.widths, sample, delta=1.0)
    refuses("sample_or_n", problem.widths, "many", delta=0.1)
    if name in ("predictions", "mixture", "data set"):
        refuses("sample_or_n", problem.widths, 9, delta=0.1)
    else:
        assert problem.widths(9, delta=0.1).width.tolist() == single.width.tolist()
        refuses("n", problem.widths, 0, delta=0.1)
    # What was an array is one still, wherever an array is expected.
    array = np.asarray(bound)
    np.testing.assert_array_equal(array, bound.width)
    np.testing.assert_array_equal(2.0 * bound, 2.0 * array)
    np.testing.assert_array_equal(bound[:, None, :], array[:, None, :])
    np.testing.assert_array_equal(bound > 0.1, array > 0.1)
    np.testing.assert_array_equal(array >= bound, array >= array)
    np.testing.assert_array_equal(bound == array, array == array)
    np.testing.assert_array_equal(bound != array, array != array)
    np.testing.assert_array_equal(1.0 - bound / 2.0, 1.0 - array / 2.0)
    np.testing.assert_array_equal(np.isinf(bound), np.isinf(array))
    assert bound.max() == array.max()
    assert bound == bound
    assert bound != single
    assert len({bound, single}) == 2


def test_gaps_are_on_no_lattice() -> None:
    """1 - 2/3 and 1/3 - 0 are one gap and two floats."""
    assert 1 - 2 / 3 != 1 / 3 - 0
    assert not _predictions().is_lattice
    plain = from_predictions([[0, 1], [1, 1]], [0, 1], objectives=["error", "false_negative_rate"])
    assert plain.is_lattice


class Dice(FiniteProblem):
    """Bets on a loaded die, from outside: bet h loses unless the die shows more than h; high bets pay more.

    The first objective is the loss, in closed form; the second, the price, is known. Nothing else is defined.
    """

    is_exact = True
    is_lattice = False

    def __init__(self, name: str = "dice") -> None:
        self.name = name
        self.face = np.array([0.1, 0.1, 0.2, 0.2, 0.2, 0.2])
        self.price = np.array([3.0, 2.0, 2.0, 1.0, 0.5])
        losing = np.cumsum(self.face)[:5]
        self.true = FiniteObjectives(
            np.stack([losing, self.price], axis=1), names=["loses", "price"], data_dependent=[True, False]
        )
        self.risk_limits = np.array([1.0, 3.0])

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        size = n if isinstance(n, int) else n[0]
        counts = _generator(rng).multinomial(size, self.face, size=replicates or 1)
        losing = np.cumsum(counts, axis=1)[:, :5] / size
        risks = np.stack([losing, np.broadcast_to(self.price, losing.shape)], axis=-1)
        return FiniteObjectives(
            risks if replicates else risks[0], names=self.true.names, data_dependent=[True, False], cell_sizes=None
        )


class BoundedDice(Dice):
    """States half-widths too: those of a finite class of losses in [0, 1], whose sizes it remembers."""

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        found = super().sample(n, replicates=replicates, rng=rng)
        return FiniteObjectives(
            found.risks(),
            names=found.names,
            data_dependent=found.data_dependent,
            cell_sizes=np.full((*found.batch_shape, 1), float(n)),
        )

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        lead = () if isinstance(sample_or_n, int) else sample_or_n.batch_shape
        n = sample_or_n if isinstance(sample_or_n, int) else int(sample_or_n.cell_sizes.flat[0])
        bound = finite_class([n, np.inf], n_hypotheses=5, delta=delta)
        return replace(bound, width=np.broadcast_to(bound.width, (*lead, 2)))


class TwoSprings(InfiniteProblem):
    """Positions on a line between two springs, one of which rests at the mean of normal numbers, the other at 1."""

    is_exact = True
    is_lattice = False
    name = "two springs"

    def __init__(self) -> None:
        self.true = QuadraticObjectives([[[1.0]], [[1.0]]], [[0.0], [1.0]], [1.0, 0.0], names=["first", "second"])

    @property
    def true_moduli(self) -> Any:
        return np.array([2.0, 2.0])

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> QuadraticObjectives:
        size = n if isinstance(n, int) else n[0]
        z = _generator(rng).standard_normal((replicates or 1, size))
        mean, offset = z.mean(axis=1), z.var(axis=1)
        count = len(z)
        found = np.stack([mean, np.ones(count)], axis=1)[..., None], np.stack([offset, np.zeros(count)], axis=1)
        center, least = found if replicates else (found[0][0], found[1][0])
        curvature = np.ones((*center.shape, 1))
        return QuadraticObjectives(curvature, center, least, names=self.true.names)


class BallOfRidge(InfiniteProblem):
    """Two logistic tasks on a ball, from outside, with the half-widths of linear classes."""

    is_exact = True
    is_lattice = False
    name = "ball of ridge"

    def __init__(self) -> None:
        self.x, y, _ = _rows()
        self.x = NormBall(1.0).inside(self.x)
        self.y = [2.0 * y - 1.0, 1.0 - 2.0 * y]
        self.true = self._objectives([np.arange(60)] * 2)

    def _objectives(self, rows: Any) -> ConvexObjectives:
        return ConvexObjectives(
            [self.x[one] for one in rows],
            [y[one] for y, one in zip(self.y, rows, strict=True)],
            losses="logistic",
            ball=NormBall(1.0),
        )

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> ConvexObjectives:
        sizes = [n, n] if isinstance(n, int) else n
        generator = _generator(rng)
        lead = () if replicates is None else (replicates,)
        return self._objectives([generator.integers(60, size=(*lead, size)) for size in sizes])

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        drawn = hasattr(sample_or_n, "n_examples")
        n = sample_or_n.n_examples if drawn else np.broadcast_to(sample_or_n, 2)
        lead = sample_or_n.batch_shape if drawn else ()
        bound = linear_class(list(n), lipschitz=1.0, weight_norm=1.0, input_norm=1.0, delta=delta, loss_range=1.0)
        return replace(bound, width=np.broadcast_to(bound.width, (*lead, 2)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem", [Dice(), BoundedDice(), TwoSprings(), BallOfRidge()], ids=lambda p: type(p).__name__
)
def test_what_is_foreign_and_right_passes(problem: Any) -> None:
    check_problem(problem)
    table = asymmetry(problem, sizes=[5, 80], replicates=40, rng=0)
    assert (table["coverage_error"] <= 2 * table["uniform_deviation"] + table["discretization"] + 1e-12).all()
    assert table.equals(asymmetry(problem, sizes=[5, 80], replicates=40, rng=0, n_jobs=2))
    stated = isinstance(problem, BoundedDice | BallOfRidge)
    assert np.isfinite(table["bound"]).all() == stated
    if stated:
        widths = {n: problem.widths(n, delta=0.05).width.max() for n in (5, 80)}
        assert table["bound"].tolist() == [2 * widths[n] for n in table["size"]]


def test_a_foreign_front_shrinks_to_the_true_one() -> None:
    """The springs: the front is [m, 1] for the mean m, which is purely too good for m < 0, by (1 - m)^2 - 1."""
    problem = TwoSprings()
    table = asymmetry(problem, sizes=[400], replicates=30, rng=1)
    stream = block_stream(as_seed_sequence(1), problem.name, 400, 0)
    mean = np.asarray(problem.sample(400, replicates=30, rng=stream).minimisers([[1.0, 0.0]]))[:, 0, 0]
    below = np.minimum(mean, 0.0)
    off = table["purity_error"] - ((1.0 - below) ** 2 - 1.0)
    assert (mean < 0).any()
    assert np.abs(off).max() <= table["discretization"].max() + 1e-12
    assert not table["undefined"].any()
    front = problem.true_front(n_points=11)
    np.testing.assert_allclose(np.sqrt(front.points[:, 0] - 1.0) + np.sqrt(front.points[:, 1]), 1.0, atol=1e-9)


def test_theorems_on_a_foreign_finite_problem(refuses: Any) -> None:
    """Without half-widths the constants are checked with realized ones, and what needs stated ones is refused."""
    book = ledger()
    found = check(book["forward"], Dice(), n=20)
    assert found.holds
    assert found.method == "monte-carlo"
    assert found.event_failure is None
    assert found.slack is not None
    message = refuses("problem", check, book["joint"], Dice(), n=20)
    assert "'joint'" in message
    assert "Dice" in message
    results = check_all(Dice(), n=20)
    assert not results["joint"].applicable
    assert "widths" in results["joint"].reason
    silent = {name for name, result in results.items() if not result.applicable}
    assert silent == {"joint", "strong-convexity", "paired-dominance", "impurity", "coverage-minimax"}
    assert all(result.holds for result in results.values() if result.applicable)
    bounded = check_all(BoundedDice(), n=20, delta=0.2)
    assert {name for name, result in bounded.items() if not result.applicable} == silent - {"joint"}
    assert bounded["joint"].event_failure.probability <= 0.2
    assert bounded["forward"].event_failure == bounded["joint"].event_failure
    assert not falsify(book["forward"], [Dice()], budget=600).falsified
    # Widths of one's own for a problem that states none.
    given = check(book["joint"], Dice(), n=20, stated=lambda problem, n, delta: np.array([0.9, 0.0]))
    assert given.holds
    # The constants can fail on a foreign problem: halved widths do.
    forward = book["forward"]
    halved = replace(forward, violation=lambda t, e, c: forward.violation(t, e, 0.25 * c))
    assert check(halved, Dice(), n=3, replicates=2000).violations > 0


def test_theorems_on_a_foreign_problem_of_quadratics() -> None:
    result = check(ledger()["strong-convexity"], TwoSprings(), n=15, replicates=60)
    assert result.holds
    assert result.slack is not None


@pytest.mark.slow
def test_other_experiments_on_foreign_infinite_problems() -> None:
    rules = {"sum": WeightedSum([0.5, 0.5]), "worst": Chebyshev([0.5, 0.5])}
    for problem in (TwoSprings(), BallOfRidge()):
        table = excess(problem, scalarizations=rules, sizes=[30], replicates=5, rng=0)
        assert (table["excess"] <= table["deviation"] + table["gap"] + 1e-12).all()
        assert np.isfinite(table["bound"]).all() == isinstance(problem, BallOfRidge)
    found = check_converse(TwoSprings(), sizes=[30], replicates=5, rng=0)
    assert (found[["interior_slack", "convexity_slack"]] >= 0).all(axis=None)
    assert np.isfinite(found["convexity_bound"]).all()
    # Moduli that are not declared are 0, which promises nothing.
    flat = check_converse(BallOfRidge(), sizes=[30], replicates=2, rng=0)
    assert np.isinf(flat["convexity_bound"]).all()


def test_widths_that_are_not_stated_are_refused(refuses: Any) -> None:
    message = refuses("problem", Dice().widths, 10, delta=0.1)
    assert "Dice without them" in message
    with pytest.raises(NotImplementedError):
        TwoSprings().widths(10, delta=0.1)
    with pytest.raises(NotDeclaredError):
        TwoSprings().widths(10, delta=0.1)

    class Unfinished(Dice):
        def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
            raise NotImplementedError

    assert np.isinf(asymmetry(Unfinished(), sizes=[5], replicates=3, rng=0)["bound"]).all()
    assert not check_all(Unfinished(), n=5)["joint"].applicable

    class Broken(Dice):
        def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
            raise InvalidInputError("`delta` must be a mistake, got one.")

    # A mistake is no missing declaration.
    with pytest.raises(InvalidInputError, match="mistake"):
        asymmetry(Broken(), sizes=[5], replicates=3, rng=0)


# Problems that lie, and what is said about them.


class Biased(Dice):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        found = super().sample(n, replicates=replicates, rng=rng)
        return FiniteObjectives(
            np.clip(found.risks() + np.array([0.04, 0.0]), 0, [1.0, 3.0]),
            names=found.names,
            data_dependent=[True, False],
        )


class BiasedDesigns(GaussianDesigns):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        wrong = GaussianDesigns(1.5 * self.covariances, self.coefficients, losses=self.losses, ridge=self.ridge)
        return wrong.sample(n, replicates=replicates, rng=rng)


class Narrow(BoundedDice):
    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        bound = super().widths(sample_or_n, delta=delta)
        return replace(bound, width=0.4 * bound.width)


class NarrowWorld(FiniteWorld):
    """Forgets the number of hypotheses, which enumeration sees at small deltas."""

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        bound = super().widths(sample_or_n, delta=delta)
        return replace(bound, width=0.75 * bound.width)


class FrontWithoutOne(Dice):
    def true_front(self, *, n_points: int = 200) -> Front:
        return pareto_front(self.true.risks()[:4])


class WrongFrontPoints(Dice):
    def true_front(self, *, n_points: int = 200) -> Front:
        front = pareto_front(self.true.risks())
        return replace(front, points=front.points * 1.01)


class ShortFront(TwoSprings):
    def true_front(self, *, n_points: int = 200) -> Front:
        points = super().true_front(n_points=n_points).points
        return pareto_front(np.delete(points, 4, axis=0))


class TooGoodFront(TwoSprings):
    def true_front(self, *, n_points: int = 200) -> Front:
        return pareto_front(super().true_front(n_points=n_points).points - 0.01)


class Forgetful(Dice):
    calls = 0

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        Forgetful.calls += 1
        return super().sample(n, replicates=replicates, rng=Forgetful.calls)


class Copies(Dice):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        one = super().sample(n, rng=rng)
        if replicates is None:
            return one
        table = np.broadcast_to(one.risks(), (replicates, *one.risks().shape))
        return FiniteObjectives(table, names=one.names, data_dependent=[True, False])


class Frozen(Dice):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        seed = 3 if isinstance(rng, np.random.Generator) else rng
        return super().sample(n, replicates=replicates, rng=seed)


class OtherNames(Dice):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        found = super().sample(n, replicates=replicates, rng=rng)
        return FiniteObjectives(found.risks(), names=["price", "loses"], data_dependent=[True, False])


class OtherShape(Dice):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        found = super().sample(n, replicates=replicates, rng=rng)
        return FiniteObjectives(found.risks()[..., :4, :], names=found.names, data_dependent=[True, False])


class WanderingCost(Dice):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        found = super().sample(n, replicates=replicates, rng=rng)
        return FiniteObjectives(found.risks() * [1.0, 1.001], names=found.names, data_dependent=[True, False])


class NoLattice(Dice):
    is_lattice = True

    def __init__(self) -> None:
        super().__init__()
        # The second bet twice, written in another way.
        twice = np.array([0.1, 0.3, 0.1 + 0.2, 0.6, 0.8])
        self.true = FiniteObjectives(
            np.stack([twice, self.price], axis=1), names=["loses", "price"], data_dependent=[True, False]
        )


class LowLimits(Dice):
    def __init__(self) -> None:
        super().__init__()
        self.risk_limits = np.array([0.5, 3.0])


class ArrayWidths(BoundedDice):
    def widths(self, sample_or_n: Any, /, *, delta: float) -> Any:
        return super().widths(sample_or_n, delta=delta).width


class SpendsMore(BoundedDice):
    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        return super().widths(sample_or_n, delta=0.9)


class OneWidthForAll(BoundedDice):
    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        return super().widths(7, delta=delta)


class Nameless(Dice):
    def __init__(self) -> None:
        super().__init__(name="")


class TooConvex(TwoSprings):
    @property
    def true_moduli(self) -> Any:
        return np.array([2.0, 2.5])


class NoSizes(Dice):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        raise InvalidInputError("`n` must be prime and large, got another.")


LYING = {
    "biased sample": (Biased, "sample must be unbiased .* 'loses'"),
    "half-widths too small": (Narrow, "widths at delta=.* must hold"),
    "half-widths too small, enumerated": (
        lambda: NarrowWorld([0.5, 0.5], [[[0.0]], [[1.0]]]),
        "widths at delta=.* with at most this probability",
    ),
    "biased designs": (
        lambda: BiasedDesigns([np.eye(3), S2], [[1, 0, 0], [0, 0, 0.5]], losses="squared", noise=0.5),
        "sample must be unbiased",
    ),
    "front without a point": (FrontWithoutOne, r"true_front must hold the Pareto-optimal hypotheses \[0, 1, 3, 4\]"),
    "front with other points": (WrongFrontPoints, "true_front must have the true risks"),
    "continuous front without a point": (ShortFront, "misses that of"),
    "front that is too good": (TooGoodFront, "attainable"),
    "a seed that repeats nothing": (Forgetful, "repeat its bits"),
    "replicates that are copies": (Copies, "copies of one sample"),
    "a generator that stands still": (Frozen, "advance the generator"),
    "other names": (OtherNames, "names of `true`"),
    "another shape": (OtherShape, "risks of shape"),
    "a cost that varies": (WanderingCost, "data-independent"),
    "no lattice": (NoLattice, "is_lattice must be False"),
    "low limits": (LowLimits, "risk_limits"),
    "widths as an array": (ArrayWidths, "must return a Bound, got ndarray"),
    "widths at another delta": (SpendsMore, "state the delta"),
    "widths of one shape": (OneWidthForAll, "widths must have shape"),
    "no name": (Nameless, "name must be a non-empty text"),
    "moduli too large": (TooConvex, "true_moduli"),
    "no size accepted": (NoSizes, "sample must accept some of the sizes"),
}


@pytest.mark.parametrize("name", LYING)
def test_what_is_wrong_is_named(name: str) -> None:
    kind, words = LYING[name]
    problem: Any = kind()
    with pytest.raises(ContractError, match=words) as caught:
        check_problem(problem)
    assert type(problem).__name__ in str(caught.value)


def test_other_objects_are_no_problems() -> None:
    for wrong in (3, two_coins, two_coins().true):
        with pytest.raises(ContractError, match=r"`problem` must (have `true`|be an object)"):
            check_problem(wrong)  # type: ignore[arg-type]


def test_declared_bias_is_allowed() -> None:
    class Declared(Biased):
        @property
        def unbiased(self) -> Any:
            return np.array([False, True])

    check_problem(Declared())


def test_the_true_front_is_computed_once_per_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from moltheory.experiments import _asymmetry

    made = []
    for name in ("FrontComparison", "WeightedFrontComparison"):
        kind = getattr(_asymmetry, name)
        monkeypatch.setattr(
            _asymmetry, name, lambda problem, kind=kind, **k: made.append(problem) or kind(problem, **k)
        )
    asymmetry(Dice(), sizes=[3, 5], replicates=1100, rng=0)
    asymmetry(TwoSprings(), sizes=[3, 5], replicates=510, rng=0)
    assert len(made) == 2


def test_populations_enumerate_where_a_size_fixes_the_half_widths() -> None:
    means = FinitePopulation([0.5, 0.5], [Mean([[0, 1], [1, 0]]), Known([0, 1])])
    assert means.n_types(4) == 5
    assert _predictions().n_types(4) is None
    assert _predictions(stratify=True).n_types(9) is None
    assert Dice().n_types(4) is None
