"""Growth of `moltheory.runs`, `moltheory.theorems`, `moltheory.experiments` and `moltheory.testing`."""

from __future__ import annotations

import numpy as np

from moltheory import experiments, problems, runs, testing, theorems
from moltheory.scalarization import Chebyshev, WeightedSum

from ._case import Work, grows
from ._inputs import bits, floats, folder, front, world

CHOSEN = {"sum": WeightedSum([0.5, 0.5]), "Chebyshev": Chebyshev([0.5, 0.5])}


# Runs.


@grows("runs.run_blocks", "number of blocks", first=500, largest=64_000)
def _(k: int) -> Work:
    arguments = [(7, 2)] * k
    return lambda: runs.run_blocks(divmod, arguments)


def stored(k: int) -> tuple[runs.RunFolder, list[tuple[dict[str, list[int]]]]]:
    keys = [f"block_{i}" for i in range(k)]
    store = runs.RunFolder.open(folder() / "run", parameters={"what": "squares"}, rng=0, keys=keys)
    return store, [({"x": [i]},) for i in range(k)]


@grows("runs.RunFolder", "number of blocks", first=20, largest=2_560)
def _(k: int) -> Work:
    def work() -> object:
        store, arguments = stored(k)
        return runs.run_blocks(dict, arguments, store=store)

    return work


@grows("runs.read_record", "number of blocks", first=20, largest=1_280)
def _(k: int) -> Work:
    store, arguments = stored(k)
    runs.run_blocks(dict, arguments, store=store)
    return lambda: runs.read_record(store.path).columns()


def finished(k: int) -> runs.RunFolder:
    store, arguments = stored(k)
    runs.run_blocks(dict, arguments, store=store)
    return store


@grows("runs.list_runs", "number of blocks", first=80, largest=2_560)
def _(k: int) -> Work:
    store = finished(k)
    return lambda: runs.list_runs(store.path)


@grows("runs.check_run", "number of blocks", first=20, largest=1_280)
def _(k: int) -> Work:
    store = finished(k)
    return lambda: runs.check_run(store.path)


@grows("runs.export_run", "number of blocks", first=20, largest=1_280)
def _(k: int) -> Work:
    store = finished(k)
    return lambda: runs.export_run(store.path, store.path.parent / "table.csv")


@grows("runs.merge_runs", "number of blocks", first=20, largest=640)
def _(k: int) -> Work:
    one, other = finished(k), finished(k)
    return lambda: runs.merge_runs([one.path, other.path], into=folder() / "both")


@grows("runs.clean_runs", "number of blocks", first=80, largest=2_560)
def _(k: int) -> Work:
    store = finished(k)
    return lambda: runs.clean_runs(store.path)


@grows("runs.fingerprint", "bytes of an array", first=100_000, largest=51_200_000)
def _(size: int) -> Work:
    value = {"a": np.zeros(size, np.uint8)}
    return lambda: runs.fingerprint(value)


@grows("runs.fingerprint", "objects in a list", first=1_000, largest=256_000)
def _(k: int) -> Work:
    value = [(i, str(i)) for i in range(k)]
    return lambda: runs.fingerprint(value)


@grows("runs.write_atomically", "bytes", first=500_000, memory=1, largest=32_000_000)
def _(size: int) -> Work:
    path, content = folder() / "file", "x" * size
    return lambda: runs.write_atomically(path, content)


@grows("runs.block_lengths", "number of blocks", first=20_000, largest=2_560_000)
def _(k: int) -> Work:
    return lambda: runs.block_lengths(10 * k, 10)


# Theorems.


@grows("theorems.check", "replicates", first=500, largest=128_000)
def _(r: int) -> Work:
    found, forward = world(6, 10), theorems.ledger()["forward"]
    return lambda: theorems.check(forward, found, n=50, method="monte-carlo", replicates=r)


@grows("theorems.check", "T types, exact", first=500, largest=64_000)
def _(count: int) -> Work:
    found, forward, n = world(3, 10), theorems.ledger()["forward"], round((2 * count) ** 0.5)
    return lambda: theorems.check(forward, found, n=n, method="exact")


@grows("theorems.check", "H hypotheses", first=20, time=2, largest=2_560)
def _(h: int) -> Work:
    found, forward = world(6, h), theorems.ledger()["forward"]
    return lambda: theorems.check(forward, found, n=50, method="monte-carlo", replicates=50)


@grows("theorems.check_all", "replicates", first=100, largest=12_800)
def _(r: int) -> Work:
    found = world(6, 5)
    return lambda: theorems.check_all(found, n=50, method="monte-carlo", replicates=r)


@grows("theorems.check_pair", "pairs of tables", first=500, largest=256_000)
def _(k: int) -> Work:
    true, empirical, forward = floats(k, 10, 2), floats(k, 10, 2, seed=1), theorems.ledger()["forward"]
    return lambda: theorems.check_pair(forward, true, empirical)


@grows("theorems.check_pair", "H hypotheses, forward", first=50, time=2, memory=2, largest=3_200)
def _(h: int) -> Work:
    true, empirical, forward = front(h, 2), front(h, 2) + 0.01, theorems.ledger()["forward"]
    return lambda: theorems.check_pair(forward, true, empirical)


@grows("theorems.falsify", "budget of pairs", first=256, memory=0, largest=65_536)
def _(budget: int) -> Work:
    forward = theorems.ledger()["forward"]
    return lambda: theorems.falsify(forward, budget=budget)


@grows("theorems.markdown_table", "number of theorems", first=100, largest=25_600)
def _(k: int) -> Work:
    forward = theorems.ledger()["forward"]
    given = {f"forward-{i}": forward for i in range(k)}
    return lambda: theorems.markdown_table(given)


# Experiments.


@grows("experiments.asymmetry", "replicates, finite class", first=500, largest=64_000)
def _(r: int) -> Work:
    found = world(8, 20)
    return lambda: experiments.asymmetry(found, sizes=[50], replicates=r, rng=0)


@grows("experiments.asymmetry", "number of sizes", first=4, largest=512)
def _(k: int) -> Work:
    found = world(8, 20)
    return lambda: experiments.asymmetry(found, sizes=range(1, k + 1), replicates=10, rng=0)


@grows("experiments.asymmetry", "H hypotheses", first=50, time=2, largest=6_400)
def _(h: int) -> Work:
    found = world(20, h)
    return lambda: experiments.asymmetry(found, sizes=[50], replicates=20, rng=0)


def tasks() -> problems.MultiTaskLeastSquares:
    return problems.MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])


@grows("experiments.asymmetry", "replicates, infinite class", first=8, largest=1_024)
def _(r: int) -> Work:
    found = tasks()
    return lambda: experiments.asymmetry(found, sizes=[50], replicates=r, rng=0)


@grows("experiments.FrontComparison", "replicates", first=500, largest=64_000)
def _(r: int) -> Work:
    found = world(8, 20)
    compare, risks = experiments.FrontComparison(found), found.sample_risks(50, replicates=r, rng=0)
    return lambda: compare(risks)


@grows("experiments.WeightedFrontComparison", "replicates", first=8, largest=1_024)
def _(r: int) -> Work:
    found = tasks()
    compare, sample = experiments.WeightedFrontComparison(found), found.sample(50, replicates=r, rng=0)
    return lambda: compare(sample)


@grows("experiments.check_converse", "replicates", first=4, largest=512)
def _(r: int) -> Work:
    found = tasks()
    return lambda: experiments.check_converse(found, sizes=[20], replicates=r, rng=0)


@grows("experiments.exact_errors", "T types", first=500, memory=1, largest=64_000)
def _(count: int) -> Work:
    found, n = world(3, 10), round((2 * count) ** 0.5)
    return lambda: experiments.exact_errors(found, sizes=[n])


@grows("experiments.excess", "replicates", first=20, largest=5_120)
def _(r: int) -> Work:
    found = tasks()
    return lambda: experiments.excess(found, scalarizations=CHOSEN, sizes=[50], replicates=r, rng=0)


@grows("experiments.flat_directions", "replicates", first=10, largest=2_560)
def _(r: int) -> Work:
    return lambda: experiments.flat_directions(sizes=[100], replicates=r, rng=0)


@grows("experiments.selection_errors", "T types", first=500, memory=1, largest=64_000)
def _(count: int) -> Work:
    found, n = world(3, 10), round((2 * count) ** 0.5)
    return lambda: experiments.selection_errors(found, scalarizations=CHOSEN, n=n)


@grows("experiments.semi_supervised", "replicates", first=200, largest=12_800)
def _(r: int) -> Work:
    found = problems.cell_tasks(40)
    return lambda: experiments.semi_supervised(found, sizes=[50], replicates=r, rng=0, unlabeled=[1000])


@grows("experiments.two_stage", "replicates", first=2, largest=128)
def _(r: int) -> Work:
    found = problems.sparse_multi_task(10, sparsity=2)
    return lambda: experiments.two_stage(found, sizes=[50], replicates=r, rng=0)


@grows("experiments.on_demand_sampling", "replicates", first=5, largest=320)
def _(r: int) -> Work:
    found = problems.reference_world()
    return lambda: experiments.on_demand_sampling(found, sizes=[100], replicates=r, rng=0)


@grows("experiments.three_way_trade_off", "replicates", first=25, largest=1_600)
def _(r: int) -> Work:
    found = problems.MultiTaskLeastSquares([np.eye(2)] * 2, np.eye(2), [0.1, 0.1])
    return lambda: experiments.three_way_trade_off(found, sizes=[20], replicates=r, rng=0, steps=[20])


# Checks of contracts.


@grows("testing.check_problem", "replicates", first=1_000, largest=64_000)
def _(r: int) -> Work:
    found = problems.two_coins()
    return lambda: testing.check_problem(found, replicates=r)


@grows("testing.check_measure", "draws", first=100, largest=12_800)
def _(draws: int) -> Work:
    from moltheory.objectives import Mean

    measure = Mean(bits(50, 5))
    return lambda: testing.check_measure(measure, draws=draws)


@grows("testing.check_source", "n examples", first=5_000, largest=640_000)
def _(n: int) -> Work:
    from moltheory.evaluation import LossTable

    table = LossTable(floats(n, 3, 1))
    return lambda: testing.check_source(table)


@grows("testing.check_scalarization", "N objectives", first=2, time=2, largest=64)
def _(n: int) -> Work:
    chosen = WeightedSum(np.full(n, 1 / n))
    return lambda: testing.check_scalarization(chosen)
