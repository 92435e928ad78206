"""What a race saves: evaluations until its verdicts hold, beside those of all models on all examples until they hold.

Ten simulated worlds whose front is known, and the model zoo on digits. The alternative to a race evaluates all models on
every example and looks after the same batches. Costs are those until a number of models is decided: all, or the smallest
number that one of them has decided when the examples end. Beside the saved cost: models that are undecided at the end, and
runs with a false verdict (at most 5 % are allowed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moltheory import CertificateStream
from moltheory.certification import Certificate, race
from moltheory.figures._zoo import model_zoo

from ._protocol import Benchmark, Budget, Part, Table

DELTA, BATCH, GROWTH = 0.05, 100, 0.05
RULES = [(sampling, ask) for ask in ("models", "objectives") for sampling in ("elimination", "top-two")]
_COLUMNS = (
    *("world", "models", "cost of all models"),
    *(f"{sampling}, by {ask}" for sampling, ask in RULES),
    *("undecided", "examples", "false verdicts"),
)
_NOTES = (
    "Share of the cost that is saved, mean of the runs with its standard error. By models: a model is evaluated in all "
    "objectives or in none; by objectives: in each by itself. Undecided models and examples are means in the order of the "
    "columns, after those of evaluating all models; false verdicts are runs with one, of all runs of the four races."
)


@dataclass(frozen=True)
class World:
    """Models with these mean losses.

    `spread` > 0: large losses with probability 1 / spread, otherwise 0/1 losses; `prices` (M, N) of evaluations; `known`:
    exact costs (M,); `table` (n, M): a population of 0/1 losses of one objective.
    """

    means: np.ndarray
    spread: float = 0.0
    prices: np.ndarray | None = None
    epsilon: float = 0.0
    known: np.ndarray | None = None
    table: np.ndarray | None = None

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Losses of n examples; 60 % of them are as hard for all models."""
        if self.table is not None:
            return self.table[rng.integers(0, len(self.table), n)][:, :, None]
        u = np.where(rng.random((n, 1, 1)) < 0.6, rng.random((n, 1, 1)), rng.random((n, *self.means.shape)))
        if self.spread:
            return (u < 1.0 / self.spread) * self.means * self.spread * (0.5 + rng.random((n, 1, 1)))
        return u < self.means

    def is_false(self, certificate: Certificate) -> bool:
        """Whether the certificate has a false verdict."""
        points = self.means if self.known is None else np.column_stack([self.means, self.known])
        margin = np.r_[np.full(self.means.shape[1], self.epsilon), np.zeros(points.shape[1] - self.means.shape[1])]
        exact, near = (_dominated(points, shift) for shift in (0.0 * margin, margin))
        return bool((certificate.excluded & ~exact).any() or (certificate.sure & near).any())


def _dominated(points: np.ndarray, margin: np.ndarray) -> np.ndarray:
    better = points[:, None] + margin <= points[None]
    return (better.all(axis=2) & (points[:, None] < points[None]).any(axis=2)).any(axis=0)


def _line(k: int) -> np.ndarray:
    t = np.linspace(0.0, 1.0, k)
    return np.stack([0.1 + 0.3 * t, 0.4 - 0.3 * t], axis=1)


def _with_dominated(front: np.ndarray, number: int, low: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    worse = front[rng.integers(0, len(front), number)] + rng.uniform(low, 0.3, (number, front.shape[1]))
    return np.concatenate([front, worse])


def worlds() -> dict[str, World]:
    """Return the simulated worlds by name."""
    t = np.linspace(0.0, 1.0, 8)
    convex = np.stack([0.1 + 0.4 * t**2, 0.1 + 0.4 * (1 - t) ** 2], axis=1)
    line, between = _with_dominated(_line(6), 14, 0.05, 1), 0.5 * (_line(6)[:-1] + _line(6)[1:])
    ties = [[0.2, 0.4], [0.2, 0.4], [0.205, 0.395], [0.3, 0.3], [0.3, 0.305], [0.4, 0.2], [0.4, 0.21], [0.5, 0.5]]
    simplex = [[0.1, 0.3, 0.5], [0.3, 0.5, 0.1], [0.5, 0.1, 0.3], [0.2, 0.2, 0.5], [0.5, 0.2, 0.2], [0.2, 0.5, 0.2]]
    unequal = np.random.default_rng(2).choice([1.0, 1.0, 1.0, 10.0, 30.0], (20, 1))
    return {
        "convex front": World(convex),
        "concave front": World(0.6 - convex[:, ::-1]),
        "straight front, 14 dominated": World(line),
        "straight front, 40 dominated": World(_with_dominated(_line(5), 40, 0.02, 3)),
        "one objective": World(np.linspace(0.1, 0.5, 20)[:, None]),
        "three objectives": World(_with_dominated(np.array(simplex), 8, 0.05, 4)),
        "near ties, tolerance 0.03": World(np.array(ties), epsilon=0.03),
        "close behind the front": World(np.concatenate([_line(6), between + 0.04, between + 0.05])),
        "unequal costs of models": World(line, prices=unequal * [[0.5, 0.5]]),
        "rare large losses, one objective costly": World(
            _with_dominated(_line(4), 8, 0.05, 5) / 5.0, spread=4.0, prices=np.ones((12, 1)) * [[0.1, 1.9]]
        ),
    }


def zoo_worlds(budget: Budget) -> dict[str, World]:
    """Return the model zoo on digits: error, and size in bytes that is known."""
    zoo = model_zoo("digits", quick=budget.pick(False, True))
    wrong = zoo.wrong.astype(bool)
    means = wrong.mean(axis=0)[:, None]
    return {"digits zoo, tolerance 0.02": World(means, epsilon=0.02, known=zoo.size_in_bytes, table=wrong)}


def _all_models(world: World, losses: np.ndarray) -> list[tuple[int, int]]:
    """Return numbers of examples and of decided models at the looks of a stream that evaluates all models."""
    n, m, k = losses.shape
    stream = CertificateStream(m, k, DELTA, costs=_costs(world), epsilon=_slack(world, k))
    found = []
    while stream.n_examples < n:
        done = stream.n_examples
        stream.update(losses[done : done + max(BATCH, int(GROWTH * done))])
        found.append((stream.n_examples, int(np.count_nonzero(~stream.certificate().undecided))))
        if found[-1][1] == m:
            break
    return found


def _costs(world: World) -> dict[str, np.ndarray] | None:
    return None if world.known is None else {"size": world.known}


def _slack(world: World, k: int) -> list[float]:
    return [world.epsilon] * k + [0.0] * (world.known is not None)


def _row(name: str, world: World, n: int, runs: int) -> list[object]:
    m, k = world.means.shape
    names, labels = [f"model {h}" for h in range(m)], [f"objective {i}" for i in range(k)]
    prices = np.full((m, k), 1.0 / k) if world.prices is None else world.prices
    costs = {name: dict(zip(labels, map(float, each), strict=True)) for name, each in zip(names, prices, strict=True)}
    saved, left, examples = np.empty((runs, len(RULES))), np.empty((runs, 5)), np.empty((runs, 5))
    spent, false = np.empty(runs), 0
    for run in range(runs):
        losses = world.draw(n, np.random.default_rng([run, m, k]))
        found = [
            race(
                *(names, losses),
                objectives=labels,
                evaluation_costs=costs,
                sampling=sampling,
                ask=ask,
                batch=BATCH,
                delta=DELTA,
                costs=_costs(world),
                epsilon=_slack(world, k),
                rng=run,
            )
            for sampling, ask in RULES
        ]
        order = np.random.default_rng(np.random.SeedSequence(run)).permutation(n)
        looks = _all_models(world, losses[order])
        goal = min(looks[-1][1], *(one.history[-1][2] for one in found))
        until = next(size for size, number in looks if number >= goal)
        spent[run] = until * prices.sum()
        paid = [next(cost for _, _, number, cost in one.history if number >= goal) for one in found]
        saved[run] = 1.0 - np.array(paid) / spent[run]
        left[run] = [m - looks[-1][1], *(int(one.certificate.undecided.sum()) for one in found)]
        examples[run] = [looks[-1][0], *(one.n_examples for one in found)]
        false += sum(world.is_false(one.certificate) for one in found)
    errors = saved.std(axis=0, ddof=1) / np.sqrt(runs)
    shares = [f"{100 * a:.0f} ± {100 * e:.0f} %" for a, e in zip(saved.mean(axis=0), errors, strict=True)]
    undecided = " / ".join(f"{one:.1f}" for one in left.mean(axis=0))
    sizes = " / ".join(f"{one:,.0f}" for one in examples.mean(axis=0))
    return [name, m, f"{spent.mean():,.0f}", *shares, undecided, sizes, f"{false} of {runs * len(RULES)}"]


def _measured(found: dict[str, World], n: int, runs: int) -> Part:
    rows = [_row(name, world, n, runs) for name, world in found.items()]
    last = f"At most {n:,} examples; {runs} runs of each world, confidence {1 - DELTA:.0%}."
    return Part([Table(_COLUMNS, rows, [_NOTES, last])])


def _simulated(budget: Budget, half: slice) -> Part:
    found = dict(list(worlds().items())[half])
    return _measured(found, budget.pick(20_000, 4_000, 600), budget.pick(5, 2))


BENCHMARK = Benchmark(
    name="race",
    title="What a race saves",
    compares="Evaluations that a race needs, by two rules of sampling, beside those of all models on all examples.",
    parts={
        "simulated worlds": lambda budget: _simulated(budget, slice(0, 5)),
        "further simulated worlds": lambda budget: _simulated(budget, slice(5, None)),
        "digits zoo": lambda budget: _measured(zoo_worlds(budget), budget.pick(5_000, 2_000, 600), 2),
    },
    seconds=(150, 30),
)
