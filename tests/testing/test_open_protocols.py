"""Objects that derive from nothing go through everything; what they lack, or claim wrongly, is named."""

from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.errors import InvalidInputError, NotDeclaredError
from moltheory.experiments import asymmetry, check_converse, excess
from moltheory.objectives import (
    BlackBoxObjectives,
    ConvexObjectives,
    FiniteObjectives,
    NormBall,
    QuadraticObjectives,
    SmoothObjectives,
)
from moltheory.problems import InfiniteProblem, ProblemLike
from moltheory.scalarization import WeightedSum
from moltheory.testing import ContractError, check_problem
from moltheory.theorems import check, ledger

RULES = {"sum": WeightedSum([0.5, 0.5])}


def _lead(replicates: int | None) -> tuple[int, ...]:
    return () if replicates is None else (replicates,)


class Coins:
    """Independent errors; no base class, no name, no half-widths."""

    def __init__(self) -> None:
        self.errors = np.array([[0.2, 0.5], [0.4, 0.3], [0.5, 0.35]])
        self.true: Any = FiniteObjectives(self.errors)

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        sizes = np.broadcast_to(n, 2)
        found = np.random.default_rng(rng).binomial(sizes, self.errors, (*_lead(replicates), 3, 2))
        return FiniteObjectives(found / sizes)


class CoinsAsArrays(Coins):
    def __init__(self) -> None:
        super().__init__()
        self.true = self.errors

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        return super().sample(n, replicates=replicates, rng=rng).risks()


CENTERS = np.array([[0.0, 0.0], [1.0, 0.0]])


def quadratics(c: Any) -> QuadraticObjectives:
    return QuadraticObjectives(np.broadcast_to(np.eye(2), (*c.shape, 2)), c, np.zeros(c.shape[:-1]))


def cosh(c: Any, mu: Any = 1.0, gradient: float = 1.0, hessian: float = 1.0) -> SmoothObjectives:
    def off(x: Any) -> Any:
        return x[..., None, :] - c[..., None, :, :]

    return SmoothObjectives(
        lambda x: np.cosh(off(x)).sum(axis=-1),
        lambda x: gradient * np.sinh(off(x)),
        lambda x: hessian * np.cosh(off(x))[..., None] * np.eye(2),
        n_objectives=2,
        dimension=2,
        strong_convexity=mu,
        batch_shape=c.shape[:-2],
    )


class Springs:
    """Quadratics around means of normal numbers; the noise of a mean is in the offset, so that risks are unbiased."""

    unbiased = np.array([False, False])
    make = staticmethod(quadratics)

    def __init__(self) -> None:
        self.true: Any = self.make(CENTERS)

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        noise = np.random.default_rng(rng).standard_normal((*_lead(replicates), 2, 2))
        return self.make(CENTERS + 0.3 * noise / np.sqrt(np.broadcast_to(n, 2))[:, None])


class Cables(Springs):
    make = staticmethod(cosh)


class SpringsOfOurs(Springs, InfiniteProblem):
    """A subclass that sets nothing but what a protocol asks for."""

    true: Any


FINITE, INFINITE = (Coins, CoinsAsArrays), (Springs, Cables, SpringsOfOurs)


@pytest.mark.parametrize("kind", [*FINITE, *INFINITE])
def test_what_derives_from_nothing_goes_through_everything(kind: Any) -> None:
    problem = kind()
    assert isinstance(problem, ProblemLike)
    table = asymmetry(problem, sizes=[30, (10, 40)], replicates=4, rng=0)
    assert table["size"].tolist() == [30] * 4 + [(10, 40)] * 4
    assert (table["coverage_error"] <= 2 * table["uniform_deviation"] + table["discretization"] + 1e-12).all()
    assert np.isinf(table["bound"]).all()
    found = excess(problem, scalarizations=RULES, sizes=[30], replicates=4, rng=0)
    assert (found["excess"] <= found["deviation"] + found["gap"] + 1e-12).all()
    assert mt.plot.fronts(problem, 30).get_xlabel().startswith("←")
    np.testing.assert_array_equal(
        mt.solve_front(problem, scalarizations=list(RULES.values())).points,
        mt.solve_front(problem.true, scalarizations=list(RULES.values())).points,
    )
    if kind in FINITE:
        assert check(ledger()["forward"], problem, n=9, replicates=50).holds
        assert check(ledger()["forward"], problem, n=9, replicates=50).problem == kind.__name__
        with pytest.raises(NotDeclaredError, match=rf"widths.*'joint'.*{kind.__name__} without"):
            check(ledger()["joint"], problem, n=9)
        with pytest.raises(InvalidInputError, match=f"for check_converse, got a {kind.__name__} with"):
            check_converse(problem, sizes=[9], replicates=1, rng=0)
    else:
        checked = check_converse(problem, sizes=[30], replicates=2, rng=0, n_points=3)
        assert (checked[["interior_slack", "convexity_slack"]] >= 0).all(axis=None)
        # Moduli of quadratics are known, those of smooth objectives declared.
        assert np.isfinite(checked["convexity_bound"]).all() == (kind is not SpringsOfOurs)


class RareCoins(Coins):
    """Errors that no sample of the check may show."""

    def __init__(self) -> None:
        self.errors = np.array([[1e-5, 0.5], [0.4, 1e-4], [0.5, 0.35]])
        self.true = FiniteObjectives(self.errors)


@pytest.mark.parametrize("kind", [Coins, CoinsAsArrays, RareCoins, Springs, Cables])
def test_what_keeps_the_contract_passes(kind: Any) -> None:
    check_problem(kind(), replicates=300)


class NoSample:
    true = CENTERS


class NoTrue:
    def sample(self, n: Any, *, replicates: Any = None, rng: Any = None) -> Any: ...


class NoReplicates(Coins):
    def sample(self, n: Any, rng: Any = None) -> Any: ...  # type: ignore[override]


class WordsForTrue(Coins):
    def __init__(self) -> None:
        self.true = "risks"


class Black(Springs, InfiniteProblem):
    def __init__(self) -> None:
        self.true = BlackBoxObjectives(lambda x: np.c_[x[:, 0], 1 - x[:, 0]], [0], [1], n_objectives=2)


class OneSampleOnly(Coins):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        return super().sample(n, rng=rng)


class OtherClass(Coins):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        return super().sample(n, replicates=replicates, rng=rng).risks()[..., :2, :]


class OtherKind(Springs):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        return np.zeros((2, 2))


class Skewed(QuadraticObjectives):
    def risks(self, hypotheses: Any) -> Any:
        return super().risks(hypotheses) + 0.1 * np.abs(np.asarray(hypotheses)).sum(axis=-1)[..., None]


class ChangedRisks(Springs):
    @staticmethod
    def make(c: Any) -> Any:
        return Skewed(np.broadcast_to(np.eye(2), (*c.shape, 2)), c, np.zeros(c.shape[:-1]))


class LowLimits(Coins):
    risk_limits = (0.4, 1.0)


LACKING = [
    (NoSample, "problem", "`sample`"),
    (NoTrue, "problem", "`true`"),
    (NoReplicates, "problem", "no keyword `replicates`"),
    (WordsForTrue, "problem", "as `true`"),
    (Black, "problem", "got a Black with BlackBoxObjectives"),
    (OneSampleOnly, "sample", r"batch shape \(4,\)"),
    (OtherClass, "sample", "3 hypotheses, got 2"),
    (OtherKind, "sample", "must return QuadraticObjectives"),
    (ChangedRisks, "objectives", "Skewed, which redefines risks"),
    (LowLimits, "risk_limits", ">= all true risks"),
]


@pytest.mark.parametrize(("kind", "argument", "words"), LACKING, ids=[one[0].__name__ for one in LACKING])
def test_what_is_lacking_is_named(kind: Any, argument: str, words: str, refuses: Any) -> None:
    import re

    message = refuses(argument, asymmetry, kind(), sizes=[9], replicates=4, rng=0)
    assert re.search(words, message)
    if argument == "problem":
        assert "asymmetry" in message
        for name, call in (
            ("plot.fronts", lambda: mt.plot.fronts(kind(), 9)),
            ("Theorem.check", lambda: check(ledger()["forward"], kind(), n=3)),
            ("excess", lambda: excess(kind(), scalarizations=RULES, sizes=[9], replicates=1, rng=0)),
        ):
            assert f"for {name}" in refuses("problem", call)
    with pytest.raises(ContractError):
        check_problem(kind(), replicates=50)


class SteepGradient(Springs):
    make = staticmethod(lambda c: cosh(c, gradient=1.001))


class BentHessian(Springs):
    make = staticmethod(lambda c: cosh(c, hessian=1.01))


class TooConvex(Springs):
    make = staticmethod(lambda c: cosh(c, mu=1.3))


class TooConvexQuadratics(Springs):
    true_moduli = (2.0, 2.1)


class WrongGradientOfSamples(Springs):
    def __init__(self) -> None:
        self.true = cosh(CENTERS)

    make = staticmethod(lambda c: cosh(c, gradient=1.001))


def _saddle(c: Any) -> SmoothObjectives:
    square, turn = np.array([1.0, -0.2]), np.diag([2.0, -0.4])
    return SmoothObjectives(
        lambda x: ((x[..., None, :] - c[..., None, :, :]) ** 2 * square).sum(axis=-1),
        lambda x: 2 * (x[..., None, :] - c[..., None, :, :]) * square,
        lambda x: np.broadcast_to(turn, (*x.shape[:-1], 2, 2, 2)),
        n_objectives=2,
        dimension=2,
        batch_shape=c.shape[:-2],
    )


class Saddle(Springs):
    make = staticmethod(_saddle)


class SaddleInSamples(Springs):
    def __init__(self) -> None:
        self.true = cosh(CENTERS)

    make = staticmethod(_saddle)


class AlwaysTen(Coins):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        return super().sample(10, replicates=replicates, rng=rng)


class Learns(Coins):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        found = super().sample(n, replicates=replicates, rng=rng)
        self.true.risks().flags.writeable = True
        self.true.risks()[0, 0] += 1e-3
        return found


class QuickAndWrong(Coins):
    """Simulates with the right mean and a quarter of the variance."""

    def simulate(self, n: int, *, replicates: int, rng: Any) -> Any:
        return super().sample(4 * n, replicates=replicates, rng=rng)


class Raises(Coins):
    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        raise KeyError("no such size")


class Rim(Springs):
    """Half-widths that hold inside the ball and fail at its rim."""

    def __init__(self) -> None:
        self.true = self._on(np.array([0.0, 0.0]))

    def _on(self, means: Any) -> ConvexObjectives:
        x = np.stack([np.ones(means.shape[:-1]), means[..., 0]], axis=-1)[..., None, :]
        y = np.zeros((*means.shape[:-1], 1))
        return ConvexObjectives([x, x], [y, y + 1.0], losses="squared", ball=NormBall(3.0))

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        noise = np.random.default_rng(rng).standard_normal((*_lead(replicates), 2))
        return self._on(0.5 * noise / np.sqrt(np.max(n)))

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Any:
        lead = getattr(sample_or_n, "batch_shape", ())
        return mt.Bound(
            width=np.full((*lead, 2), 2.0 / np.sqrt(delta)),
            loss_range=np.full(2, 100.0),
            delta=delta,
            method="none",
            source="none",
            assumptions=(),
        )


WRONG = [
    (SteepGradient, "SteepGradient.true.gradient must be that of the values"),
    (BentHessian, "BentHessian.true.hessian must be that of the gradients"),
    (TooConvex, "moduli of (true_moduli|strong_convexity)"),
    (TooConvexQuadratics, "moduli of true_moduli"),
    (WrongGradientOfSamples, "the sample of WrongGradientOfSamples.gradient"),
    (Saddle, "Saddle.true must be convex"),
    (SaddleInSamples, "the sample of SaddleInSamples must be convex"),
    (AlwaysTen, "draws the same for n=1 and n=7"),
    (Learns, "true must stay what it is|must be unbiased|the same at every call"),
    (QuickAndWrong, "simulate must have the law of `sample`"),
    (Raises, "raised KeyError"),
    (Rim, "widths at delta="),
]


@pytest.mark.parametrize(("kind", "words"), WRONG, ids=[one[0].__name__ for one in WRONG])
def test_a_wrong_problem_is_named(kind: Any, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        check_problem(kind(), replicates=2000)


@pytest.mark.parametrize("experiment", ["asymmetry", "check_converse"])
def test_processes_and_stores_change_no_bit(experiment: str, tmp_path: Any) -> None:
    def run(**more: Any) -> Any:
        if experiment == "asymmetry":
            return asymmetry(Springs(), sizes=[20, (5, 9)], replicates=600, rng=3, n_points=5, refine=2, **more)
        return check_converse(Springs(), sizes=[20], replicates=25, rng=3, n_points=2, **more)

    first = run()
    assert first.equals(run(store=tmp_path / "run"))
    assert first.equals(run(store=tmp_path / "run"))
    assert len(list((tmp_path / "run").iterdir())) > 2


@pytest.mark.slow
def test_more_processes_change_no_bit() -> None:
    run: dict[str, Any] = {"sizes": [20, 30], "replicates": 25, "rng": 3, "n_points": 2}
    assert check_converse(Springs(), **run).equals(check_converse(Springs(), **run, n_jobs=2))
    run = {"sizes": [20, (5, 9)], "replicates": 600, "rng": 3}
    assert asymmetry(Coins(), **run).equals(asymmetry(Coins(), **run, n_jobs=2))


def test_options_are_refused_where_they_mean_nothing(refuses: Any) -> None:
    run: dict[str, Any] = {"sizes": [9], "replicates": 1, "rng": 0}
    refuses("n_points", asymmetry, Coins(), **run, n_points=9)
    refuses("refine", asymmetry, Coins(), **run, refine=2)
    refuses("n_points", asymmetry, Springs(), **run, n_points=1)
    refuses("refine", asymmetry, Springs(), **run, refine=0)
    for sizes in ([(9,)], [(9, 0)], [(9, True)], [(9, 9), (9, 9)], [((9,), 9)], 9, []):
        refuses("sizes", asymmetry, Springs(), **run | {"sizes": sizes})


class OneSpring(Springs):
    def __init__(self) -> None:
        self.true = quadratics(CENTERS[:1])

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        noise = np.random.default_rng(rng).standard_normal((*_lead(replicates), 1, 2))
        return quadratics(CENTERS[:1] + noise / np.sqrt(n))


def test_one_objective_is_refused_or_right(refuses: Any) -> None:
    refuses("problem", asymmetry, OneSpring(), sizes=[9], replicates=2, rng=0)
    found = check_converse(OneSpring(), sizes=[9], replicates=2, rng=0)
    assert (found["interior_slack"] >= 0).all()
    refuses("table", mt.plot.asymmetry, asymmetry(Coins(), sizes=[(5, 9)], replicates=2, rng=0))
