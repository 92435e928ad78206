"""Wrong uses fail and right ones do not; what is counted is what the package's own functions say."""

import numpy as np
import pytest
from scipy import stats

from moltheory.certification import certify_limits
from moltheory.figures import _limit_procedures, _wrong_uses_numbers, get_figure
from moltheory.figures._limit_worlds import LIMIT_WORLDS, limit_world
from moltheory.figures._wrong_uses_numbers import NEVER, TUNED, looks_until_false, passed_at, tuned_limits


@pytest.mark.parametrize("name", LIMIT_WORLDS)
def test_means_of_the_worlds_are_their_risks(name):
    world = limit_world(name)
    losses = world.draw(4000, np.random.default_rng(0))
    assert losses.min() >= 0
    assert losses.max() <= 1
    assert (losses.dtype == bool) == (world.loss == "0/1")
    assert np.abs(losses.mean(axis=0) - world.risks).max() < 5 * 0.5 / np.sqrt(4000)
    np.testing.assert_array_equal(world.meets, (world.risks <= world.limits).all(axis=1))
    if world.nested and world.loss == "0/1":
        # An example that a safer threshold loses, every one with a larger risk loses too.
        order = np.argsort(world.risks[:, 0], kind="stable")
        assert (np.diff(losses[:, order, 0].astype(int), axis=1) >= 0).all()


def test_what_passes_at_a_limit_is_what_certify_limits_says():
    apart = np.linspace(0.1, 0.9, 5)
    losses = np.random.default_rng(0).random((_wrong_uses_numbers.SAMPLE, 5, 1)) < apart[:, None]
    limits = np.array([0.12, 0.31, 0.5, 0.72])
    found = passed_at(losses[:, :, 0].sum(axis=0), limits, 0.05)
    for row, limit in zip(found, limits, strict=True):
        mine = certify_limits(losses, {"error": limit}, objectives=["error"], delta=0.05)
        np.testing.assert_array_equal(row, mine.certified)


def test_runs_do_not_depend_on_their_block():
    np.testing.assert_array_equal(tuned_limits(2, 0, 3, 1, 0.05)[2:], tuned_limits(2, 2, 3, 1, 0.05))
    one = looks_until_false(3, 0, 2, 1, 0.05)
    np.testing.assert_array_equal(one[1:], looks_until_false(3, 1, 2, 1, 0.05))
    assert ((one == NEVER) | ((one >= 1) & (one <= 3))).all()


def test_wrong_uses_fail_and_right_ones_do_not(results):
    limits = results["wrong_uses"].limits.set_index(["use", "models"])
    for use in TUNED:
        count, runs = limits.loc[(use, 20), ["wrong", "runs"]]
        tail = stats.binom.sf(count - 1, int(runs), 0.05)
        assert (tail < 1e-6) if use in TUNED[:2] else (tail > 1e-6)
    looks = results["wrong_uses"].looks
    stream = looks[looks["use"] == "stream"]
    assert stats.binom.sf(stream["wrong"].max() - 1, int(stream["runs"].iloc[0]), 0.05) > 1e-6
    for _, part in looks.groupby("use"):
        assert part["wrong"].is_monotonic_increasing


@pytest.mark.slow
def test_a_certificate_that_is_computed_again_until_it_decides_breaks_its_promise():
    when = looks_until_false(64, 0, 60, 3, 0.05)
    again, stream = (when != NEVER).sum(axis=0)
    assert stats.binom.sf(again - 1, 60, 0.05) < 1e-6
    assert stats.binom.sf(stream - 1, 60, 0.05) > 1e-6


def test_counts_of_certified_configurations_are_judged_by_the_truth():
    world = limit_world("four in two limits")
    everything = {"all": lambda losses, world, delta: np.ones(4, bool), "none": lambda *_: np.zeros(4, bool)}
    streams = [np.random.default_rng(0)] * 2
    found = _limit_procedures.count_certified(everything, world, 30, streams, delta=0.05)
    assert found["all"].tolist() == [[4, 0, 0]] * 2
    assert found["none"].tolist() == [[0, 0, 1]] * 2
    beyond = limit_world("at the limit")
    row = next(
        iter(
            _limit_procedures.rows_of_limits(
                {"n": 30},
                _limit_procedures.count_certified(
                    {"all": lambda *_: np.ones(30, bool)}, beyond, 30, streams, delta=0.05
                ),
            )
        )
    )
    assert (row["wrong"], row["runs"], row["certified"], row["n"]) == (2, 2, 30.0, 30)


def test_bets_certify_more_than_hoeffding_bentkus_where_losses_vary_little(results):
    table = results["limit_power"].table
    part = table[table["world"] == "small variance"].set_index(["procedure", "n"])["share"]
    for n in (200, 1000):
        assert part["limits after looking", n] > part["Holm, Hoeffding-Bentkus", n]
    mixed = table[table["world"] == "no order"].groupby("procedure")["share"].max()
    assert mixed["fixed sequence"] == 0.0
    assert mixed["graph"] > 0.5
    assert get_figure("limit_power").n_panels == 3
