"""Scalarized learning in finite classes: the inequality, the exact expectation, and samples without a claim."""

import numpy as np

import moltheory as mt
from moltheory.experiments import excess
from moltheory.scalarization import Chebyshev, WeightedSum

RULES = {"sum": WeightedSum([0.5, 0.5])}


def test_excess_of_a_world_is_that_of_its_table() -> None:
    world = mt.problems.reference_world()
    rules = {"sum": WeightedSum([0.5, 0.5]), "worst": Chebyshev([1.0, 1.0])}
    table = excess(world, scalarizations=rules, sizes=[5], replicates=300, rng=0)
    assert (table["gap"] == 0).all()
    assert table["rigorous"].all()
    assert (table["excess"] <= table["deviation"] + 1e-15).all()
    assert (table["excess"] <= table["bound"]).all()
    exact = world.exact(5).expectation(
        lambda risks: np.take(world.true_risks.mean(axis=1), risks.sum(axis=-1).argmin(axis=1)) - 0.3
    )
    # Rates have half-widths that depend on the sample, and none where a group is empty.
    rates = mt.problems.from_predictions(
        [[0, 1], [1, 1], [0, 0]], [0, 1, 1], objectives=["false_negative_rate", "error"]
    )
    few = excess(rates, scalarizations=RULES, sizes=[4], replicates=200, rng=0)
    assert 0 < few["excess"].isna().sum() < 100
    assert (few["excess"].isna() == np.isinf(few["bound"])).all()
    mean = table[table["scalarization"] == "sum"]["excess"]
    assert abs(mean.mean() - exact) < 5 * mean.std() / np.sqrt(300)
