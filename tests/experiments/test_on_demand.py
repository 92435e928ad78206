"""Sampling on demand: the game step by step, exact values of games, promises, and where it saves examples."""

import math

import numpy as np
import pytest
from scipy.stats import binom

import moltheory as mt
from moltheory.bounds import required_sample_size_minimax
from moltheory.bounds._on_demand import Rounds, best_rounds, uniform_excess
from moltheory.errors import InvalidInputError
from moltheory.experiments import on_demand_sampling
from moltheory.experiments._on_demand import _minimax, _play, _refit_excess, _smallest_worst
from moltheory.problems import reference_world


def _world(n_hypotheses=6, n_objectives=3, *, seed=0, n_outcomes=40):
    losses = np.random.default_rng(seed).random((n_outcomes, n_hypotheses, n_objectives)).round(2)
    return mt.FiniteWorld([1 / n_outcomes] * n_outcomes, losses, name=f"random {seed}")


def one_hard(n_objectives, n_hypotheses, *, n_outcomes=200):
    """Every hypothesis errs rarely under all distributions but the first, where one is better than guessing."""
    rng = np.random.default_rng(0)
    losses = (rng.random((n_outcomes, n_hypotheses, n_objectives)) < 0.1).astype(float)
    losses[:, :, 0] = rng.random((n_outcomes, n_hypotheses)) < np.append(0.2, np.full(n_hypotheses - 1, 0.5))
    return mt.FiniteWorld([1 / n_outcomes] * n_outcomes, losses, name="one hard")


def test_values_of_games():
    pennies = np.array([[0.0, 1.0], [1.0, 0.0]])
    weights, prices = _minimax(pennies)
    assert np.allclose([weights, prices], 0.5)
    assert _smallest_worst(pennies) == pytest.approx(0.5)
    assert _smallest_worst(np.array([[0.3, 0.2], [0.4, 0.1]])) == pytest.approx(0.3)
    # Two hypotheses: the smallest maximum of two lines, on a grid.
    risks = np.array([[0.7, 0.1], [0.2, 0.9]])
    share = np.linspace(0, 1, 100_001)[:, None]
    assert _smallest_worst(risks) == pytest.approx(
        (share * risks[0] + (1 - share) * risks[1]).max(axis=1).min(), abs=1e-5
    )


def test_the_game_step_by_step():
    """A plain loop with the same draws."""
    rng = np.random.default_rng(1)
    losses, chances = rng.random((2, 3, 4)), np.array([0.2, 0.3, 0.5])
    plan = Rounds(rounds=7, steps=5, excess=1.0)
    found, counts = _play(losses, np.cumsum(chances), plan, 1, np.random.default_rng(2))
    draws = np.random.default_rng(2)
    eta, gamma = math.sqrt(8 * math.log(4) / 35), math.sqrt(8 * math.log(2) / 7)
    a, g, everything, seen = np.zeros(4), np.zeros(2), [], np.zeros((2, 3), int)
    for _ in range(7):
        q = np.exp(-gamma * g) / np.exp(-gamma * g).sum()
        here = []
        for u, w in zip(draws.random((1, 5))[0], draws.random((1, 5))[0], strict=True):
            here.append(np.exp(-eta * a) / np.exp(-eta * a).sum())
            i, z = int(u > q[0]), int((w >= np.cumsum(chances)).sum())
            a = a + losses[i, z]
            seen[i, z] += 1
        everything += here
        for i, w in enumerate(draws.random((1, 2))[0]):
            z = int((w >= np.cumsum(chances)).sum())
            g[i] += 1 - losses[i, z] @ np.mean(here, axis=0)
            seen[i, z] += 1
    assert np.allclose(found[0], np.mean(everything, axis=0), atol=1e-13)
    assert np.array_equal(counts[0], seen)


def test_the_columns_of_a_table():
    world = _world()
    table = on_demand_sampling(world, sizes=[50, 200], replicates=3, rng=0)
    assert table["method"].tolist() == ["on-demand", "refit", "uniform"] * 6
    assert table["replicate"].tolist() == np.repeat([0, 1, 2] * 2, 3).tolist()
    drawn = table[["examples_1", "examples_2", "examples_3"]].sum(axis=1)
    assert (drawn <= table["size"]).all()
    assert (drawn > 0.7 * table["size"]).all()
    assert (table["excess"] >= -1e-12).all()
    plan = best_rounds(200, 6, 3, 0.05)
    last = table[table["size"] == 200].set_index("method")
    assert (last.loc["on-demand", "bound"] == plan.excess).all()
    assert (last.loc["uniform", "bound"] == uniform_excess(66, 6, 3, 0.05)).all()
    ones = last.loc["refit", ["examples_1", "examples_2", "examples_3"]].to_numpy()
    assert np.allclose(last.loc["refit", "bound"].to_numpy(float), _refit_excess(ones, 6, 0.05))


def test_the_same_seed_gives_the_same_table(tmp_path):
    given = {"sizes": [60], "replicates": 22, "rng": 3}
    one = on_demand_sampling(_world(), **given)
    stored = on_demand_sampling(_world(), store=tmp_path / "run", **given)
    again = on_demand_sampling(_world(), store=tmp_path / "run", **given)
    assert one.equals(stored)
    assert stored.equals(again)
    assert not one.equals(on_demand_sampling(_world(), **{**given, "rng": 4}))


@pytest.mark.parametrize("world", [reference_world(), _world(), one_hard(4, 10)], ids=lambda world: world.name)
def test_the_excess_is_as_promised_at_the_stated_number_of_examples(world):
    n_hypotheses, n_objectives = world.true_risks.shape
    given = {"excess": 0.4, "n_hypotheses": n_hypotheses, "n_objectives": n_objectives, "delta": 0.2}
    for method in ("on-demand", "uniform"):
        size = required_sample_size_minimax(sampling=method, **given)
        table = on_demand_sampling(world, sizes=[size], replicates=20, rng=5, delta=0.2)
        rows = table[table["method"] == method]
        assert rows["bound"].max() <= 0.4
        assert binom.sf((rows["excess"] > 0.4).sum() - 1, 20, 0.2) >= 1e-6
        assert ((table["excess"] <= table["bound"]) | (table["method"] != "refit")).all()


def test_on_demand_saves_examples_where_one_distribution_decides():
    table = on_demand_sampling(one_hard(50, 100), sizes=[1000], replicates=10, rng=0)
    mean = table.groupby("method")[["excess", "examples_1"]].mean()
    assert mean.loc["on-demand", "examples_1"] > 4 * mean.loc["uniform", "examples_1"]
    assert mean.loc["refit", "excess"] < 0.5 * mean.loc["uniform", "excess"]


def test_a_promise_without_the_adversary_is_caught():
    """In one long round the adversary never moves, and the learner hardly sees the distribution that decides."""
    world, steps = one_hard(50, 20), 4000
    losses, outcomes = np.ascontiguousarray(world.losses.transpose(2, 0, 1)), np.arange(1, 201) / 200
    mixed, _ = _play(losses, outcomes, Rounds(1, steps, 1.0), 20, np.random.default_rng(0))
    excess = (mixed @ world.true_risks).max(axis=1) - _smallest_worst(world.true_risks)
    learner = math.sqrt(math.log(20) / 2 / steps) + math.sqrt(2 * math.log(2 / 0.05) / steps)
    assert binom.sf((excess > learner).sum() - 1, 20, 0.05) < 1e-6
    adversary = math.sqrt(math.log(50) / 2) + math.sqrt(math.log(2 * 50 / 0.05))
    assert (excess <= learner + adversary).all()


def test_sample_sizes_are_the_smallest_of_their_kind():
    for n_hypotheses, n_objectives in ((1, 1), (1, 3), (50, 1), (20, 4), (10**30, 40)):
        given = {"n_hypotheses": n_hypotheses, "n_objectives": n_objectives, "delta": 0.1}
        size = required_sample_size_minimax(excess=0.2, **given)
        assert best_rounds(size, **given).excess <= 0.2
        if n_hypotheses > 1:
            assert size == n_objectives + 1 or best_rounds(size - 1, **given).excess > 0.2
        uniform = required_sample_size_minimax(excess=0.2, sampling="uniform", **given) // n_objectives
        assert uniform_excess(uniform, **given) <= 0.2 < uniform_excess(uniform - 1, **given)


def test_rounds_and_steps_by_trying_them_all():
    a = math.sqrt(math.log(30) / 2) + math.sqrt(2 * math.log(2 / 0.1))
    b = math.sqrt(math.log(7) / 2) + math.sqrt(math.log(2 * 7 / 0.1))
    tried = [a / math.sqrt(s * r) + b / math.sqrt(s) for r in range(1, 494) for s in (500 // (r + 7),)]
    found = best_rounds(500, 30, 7, 0.1)
    assert found.excess == pytest.approx(min(tried), rel=1e-12)
    assert found.rounds * (found.steps + 7) <= 500


def test_on_demand_is_the_smaller_promise_for_large_classes_only():
    def sizes(n_hypotheses, n_objectives):
        given = {"excess": 0.1, "n_hypotheses": n_hypotheses, "n_objectives": n_objectives, "delta": 0.05}
        return [required_sample_size_minimax(sampling=kind, **given) for kind in ("on-demand", "uniform")]

    small, large = sizes(100, 100), sizes(10**100, 100)
    assert small[0] > small[1]
    assert 2.5 * large[0] < large[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"world": mt.problems.exchangeable_decoys(2)}, "`world`|`problem`"),
        ({"world": mt.FiniteWorld([0.5, 0.5], [[[2.0]], [[0.0]]])}, r"losses in \[0, 1\]"),
        ({"sizes": [2]}, "larger than the 3 objectives"),
        ({"sizes": []}, "`sizes`"),
        ({"replicates": 0}, "`replicates`"),
        ({"delta": 1.0}, "`delta`"),
        ({"n_jobs": 0}, "`n_jobs`"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(given, said):
    call = {"world": _world(), "sizes": [50], "replicates": 1, "rng": 0, **given}
    with pytest.raises(InvalidInputError, match=said):
        on_demand_sampling(call.pop("world"), **call)


@pytest.mark.parametrize(
    "given", [{"excess": 0.0}, {"excess": 1.0}, {"n_objectives": 0}, {"n_hypotheses": True}, {"sampling": "best"}]
)
def test_bad_sample_sizes_are_refused(given):
    call = {"excess": 0.1, "n_hypotheses": 10, "n_objectives": 2, "delta": 0.05, **given}
    with pytest.raises(InvalidInputError, match=f"`{next(iter(given))}`"):
        required_sample_size_minimax(**call)


@pytest.mark.slow
@pytest.mark.parametrize("world", [reference_world(), _world(), one_hard(4, 10)], ids=lambda world: world.name)
def test_promises_at_length(world):
    given = {"sizes": [100, 600], "replicates": 100, "rng": 6, "delta": 0.3}
    table = on_demand_sampling(world, **given)
    misses = (table["excess"] > table["bound"]).groupby([table["size"], table["method"]]).sum()
    assert (binom.sf(misses - 1, 100, 0.3) >= 1e-6).all()
    if world.name == "one hard":
        assert table.equals(on_demand_sampling(world, n_jobs=2, **given))
