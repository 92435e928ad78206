"""The recipes of CONTRIBUTING.md, followed from outside of the package: one toy each, through the public entry points."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.evaluation import LossSource, LossTable, Reader, Request, open_losses, register_reader
from moltheory.objectives import Cell, FiniteObjectives, Measure, QuadraticObjectives
from moltheory.problems import FiniteProblem
from moltheory.scalarization import WeightedScalarization
from moltheory.testing import check_measure, check_problem, check_scalarization, check_source
from moltheory.theorems import Theorem, check_pair, falsify, ledger

Array = np.ndarray[Any, Any]
_TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
_RECIPES = dict(re.findall(r"^### (Add an? .+?)\n\n(.+?)(?=^#|\Z)", _TEXT, re.MULTILINE | re.DOTALL))


def test_there_is_a_recipe_for_each_kind_and_none_needs_more_than_four_files() -> None:
    kinds = ("interval", "bound", "theorem", "scalarization", "measure", "reader", "problem", "figure", "study")
    assert {name.rsplit(" ", 1)[1] for name in _RECIPES} == set(kinds)
    for text in _RECIPES.values():
        assert 1 <= len(re.findall(r"^\d\. ", text, re.MULTILINE)) <= 4


class EnergySum(WeightedScalarization):
    """U(v) = sum of w v^2 on risks >= 0: increasing there, convex, without a Lipschitz constant."""

    is_subadditive = is_homogeneous = False
    modulus = 0.0
    optimality = "weakly-pareto"

    def _evaluate(self, values: Array) -> Array:
        squares: Array = np.square(values) @ np.array(self.weights)
        return squares

    def _width(self, widths: Array) -> Array:
        return np.where((widths > 0.0).any(axis=-1), np.inf, 0.0)

    def program(self, risks: Any) -> Any:
        """Return the sum as an expression of cvxpy."""
        import cvxpy as cp

        return cp.sum(cp.multiply(np.array(self.weights), cp.square(risks)))

    def multipliers(self, values: Array, duals: Array) -> tuple[Array, float]:
        """Return the gradient at the values: by convexity U lies above its tangent plane."""
        return 2.0 * np.array(self.weights) * values, float(self(values))


class Brier(Measure):
    """Keeps the contract: mean squared difference of a probability and a label, twice."""

    is_increasing = True

    def __init__(self, probabilities: Array, target: Array) -> None:
        losses = (probabilities - target[:, None]) ** 2
        self.cells = (Cell(losses, np.ones(len(losses), dtype=bool)),)

    def value(self, means: Any) -> Array:
        return 2.0 * np.asarray(means[0])

    def interval(self, lower: Any, upper: Any) -> tuple[Array, Array]:
        return 2.0 * lower[0], 2.0 * upper[0]

    def width(self, widths: Any) -> Array:
        return 2.0 * np.asarray(widths[0])


class PipeFile(LossSource):
    """A reader of a format of one's own: a header of models, then losses of one objective, separated by pipes."""

    has_clusters = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self.model_names = tuple(path.read_text().split("\n", 1)[0].split("|"))
        self.objective_names = ("error",)

    def blocks(self) -> Iterator[tuple[Array, None]]:
        """Yield 16 examples at a time."""
        rows = np.loadtxt(self._path, delimiter="|", skiprows=1)
        for start in range(0, len(rows), 16):
            yield rows[start : start + 16, :, None], None


class Thermometers(FiniteProblem):
    """Three thermometers on two days: true and empirical shares of alarms missed, and of false ones."""

    name = "thermometers"
    is_exact = True
    is_lattice = False
    risk_limits = np.ones(2)

    def __init__(self) -> None:
        self.rates = np.array([[0.1, 0.6], [0.3, 0.3], [0.35, 0.4]])
        self.true = FiniteObjectives(self.rates, names=["missed", "false"])

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> FiniteObjectives:
        """Draw independent alarms."""
        size = np.broadcast_to(n, 2)  # one for each day, where a tuple is given
        generator = np.random.default_rng(mt.runs.as_seed_sequence(rng)) if not hasattr(rng, "binomial") else rng
        risks = generator.binomial(size, self.rates, size=(replicates or 1, *self.rates.shape)) / size
        return FiniteObjectives(risks if replicates else risks[0], names=self.true.names)


def test_a_scalarization_from_outside_is_solved_with_a_certificate() -> None:
    from scipy.optimize import minimize_scalar

    energy = EnergySum([0.5, 0.5])
    check_scalarization(energy)
    pair = QuadraticObjectives([[[1.0]], [[1.0]]], [[0.0], [1.0]], [0.0, 0.0], names=["a", "b"])
    sweep = mt.solve_front(pair, scalarizations=[energy])

    def value(x: float) -> float:
        return float(energy(pair.risks(np.array([[x]]))[0]))

    best = minimize_scalar(value, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-12})
    assert sweep.rigorous.all()
    assert sweep.values[0] == pytest.approx(best.fun, abs=1e-9)
    assert sweep.gap[0] <= 1e-6


def test_a_measure_from_outside_is_certified() -> None:
    rng = np.random.default_rng(0)
    target = rng.random(800) < 0.5
    probabilities = np.column_stack([np.where(target, 0.8, 0.2), np.where(target, 0.6, 0.4)])
    measure = Brier(probabilities, target)
    check_measure(measure)
    certificate = mt.certify(None, objectives={"brier": measure}, names=["sharp", "blunt"])
    assert certificate.status == ("sure", "excluded")
    np.testing.assert_allclose(certificate.estimates[:, 0], [0.08, 0.32])


def test_a_reader_from_outside_is_certified_like_the_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moltheory.evaluation._readers._REGISTERED", [])
    losses = (np.random.default_rng(1).random((90, 3)) < [0.1, 0.4, 0.6]).astype(float)
    path = tmp_path / "losses.pipe"
    lines = ["|".join(f"{entry:g}" for entry in row) for row in losses]
    path.write_text("\n".join(["a|b|c", *lines]))
    reader = PipeFile(path)
    check_source(reader, loss_range=(0.0, 1.0))
    expected = mt.certify(losses, names=["a", "b", "c"], objectives=["error"])
    assert LossTable(reader).certify() == expected == mt.certify(reader)

    def sniff(paths: tuple[Path, ...]) -> bool:
        return all(path.suffix == ".pipe" for path in paths)

    def open_pipes(paths: tuple[Path, ...], request: Request) -> LossSource:
        return PipeFile(paths[0])

    register_reader(Reader("pipes", "losses of one objective, separated by pipes", sniff, open_pipes))
    assert open_losses(path).certify() == expected
    assert open_losses(path, ignore=["c"]).model_names == ("a", "b")
    assert open_losses(path, models=["c", "a"], maximise=["error"]).certify().maximise == (True,)
    with pytest.raises(mt.InvalidInputError, match=r"`separator` must be left out for files of format pipes"):
        open_losses(path, separator="|")
    with pytest.raises(mt.InvalidInputError, match=r"a name that no other reader has, got 'pipes'"):
        register_reader(Reader("pipes", "others", sniff, open_pipes))
    with pytest.raises(mt.InvalidInputError, match=r"must be a Reader, got str"):
        register_reader("pipes")  # type: ignore[arg-type]


def test_a_problem_from_outside_is_simulated_and_checked() -> None:
    problem = Thermometers()
    check_problem(problem)
    table = mt.experiments.asymmetry(problem, sizes=[20, 2000], replicates=200, rng=0)
    # The third is dominated by the second; more data finds out.
    mean = table.groupby("size")["n_spurious"].mean()
    assert mean[20] > 0.1
    assert mean[2000] < 0.05
    found = ledger()["forward"].check(problem, n=20, delta=0.1)
    assert found.holds
    assert found.violations == 0


def test_a_theorem_from_outside_joins_the_ledger_and_a_false_one_is_falsified() -> None:
    def moved(true: Any, empirical: Any, widths: Any, *, factor: float = 1.0) -> Array:
        return np.asarray((np.abs(empirical - true) - factor * np.asarray(widths)[..., None, :]).max(axis=(-2, -1)))

    mine = Theorem(
        id="moves-by-widths", statement="|L - Lhat| <= C", source="mine", provenance="conjecture", violation=moved
    )
    extended = ledger().with_theorem(mine)
    assert list(extended)[-1] == "moves-by-widths"
    assert len(extended) == len(ledger()) + 1
    true = np.array([[0.2, 0.4], [0.6, 0.1]])
    assert check_pair(mine, true, true + 0.05, [0.05 + 1e-12, 0.05 + 1e-12]).holds
    problems = [mt.problems.two_coins(), Thermometers()]
    assert not falsify(mine, problems, budget=300, rng=0).falsified

    def half(true: Any, empirical: Any, widths: Any) -> Array:
        return moved(true, empirical, widths, factor=0.5)

    wrong = Theorem(id="half", statement="|L - Lhat| <= C / 2", source="mine", provenance="conjecture", violation=half)
    assert falsify(wrong, problems, budget=300, rng=0).falsified
