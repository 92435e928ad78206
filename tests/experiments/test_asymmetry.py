"""The asymmetry: what must hold in every sample, what holds with probability, and what does not hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

import moltheory as mt
from moltheory.experiments import FrontComparison, asymmetry, exact_errors, selection_errors
from moltheory.problems import (
    FiniteWorld,
    exchangeable_decoys,
    from_dataset,
    from_predictions,
    mirrored_decoys,
    near_tie,
    reference_world,
    tilted_line,
    two_coins,
)
from moltheory.scalarization import Chebyshev, WeightedSum
from tests.golden import assert_golden

_ROUNDING = 1e-12


def _predicted():
    rng = np.random.default_rng(3)
    predictions, target = rng.integers(0, 2, (40, 12)), rng.integers(0, 2, 40)
    costs = {"size": np.arange(12) / 12}
    return from_predictions(predictions, target, objectives=["error", "false_negative_rate"], costs=costs)


# Made where they are asked for: some train models.
_PROBLEMS = {
    "two_coins": two_coins,
    "mirrored_decoys": mirrored_decoys,
    "tilted_line": lambda: tilted_line(21),
    "reference_world": reference_world,
    "exchangeable_decoys": lambda: exchangeable_decoys(3),
    "near_tie": lambda: near_tie(0.3, 0.02),
    "predictions": _predicted,
    "breast_cancer": lambda: from_dataset("breast_cancer"),
}


@pytest.mark.parametrize("name", _PROBLEMS)
def test_coverage_stays_within_twice_the_deviation_in_every_sample(name):
    table = asymmetry(_PROBLEMS[name](), sizes=[2, 7, 50, 400], replicates=300, rng=1)
    claims = table[~table["undefined"]]
    assert len(claims) > 600
    assert (claims["coverage_error"] <= 2 * claims["uniform_deviation"] + _ROUNDING).all()
    # and within 2C except with probability delta (binomial tail above 1e-6)
    above = int((claims["coverage_error"] > claims["bound"]).sum())
    assert binom.sf(above - 1, len(claims), 0.05) > 1e-6


@given(st.data())
@settings(max_examples=60)
def test_coverage_stays_within_twice_the_deviation_in_every_type_of_random_worlds(data):
    """Exhaustive over all samples: the exact worst ratio is at most one."""
    s, h, m = data.draw(st.integers(2, 4)), data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    weights = data.draw(st.lists(st.integers(1, 5), min_size=s, max_size=s))
    flat = data.draw(st.lists(st.integers(0, 2), min_size=s * h * m, max_size=s * h * m))
    losses = np.array(flat).reshape(s, h, m)
    if (losses == losses[0]).all():
        return
    world = FiniteWorld(np.array(weights) / sum(weights), losses)
    table = exact_errors(world, sizes=[1, 4])
    assert (table["worst_ratio"] <= 1 + _ROUNDING).all()


def test_the_factor_two_is_attained():
    """L = (20,0),(0,1), Lhat = (10,0),(10,1): coverage in true risks is 20 = 2 * 10, so no smaller factor holds."""
    true, empirical = np.array([[20.0, 0], [0, 1]]), np.array([[10.0, 0], [10, 1]])
    selected = mt.nondominated(empirical)
    assert selected.tolist() == [True, False]
    assert mt.coverage_error(true[selected], true[mt.nondominated(true)]) == 20
    assert np.abs(true - empirical).max() == 10


@pytest.mark.parametrize("n", [1, 11, 1001, 10_001])
def test_purity_error_is_one_in_every_sample_of_odd_size(n):
    table = asymmetry(mirrored_decoys(), sizes=[n], replicates=1000, rng=2)
    assert (table["purity_error"] == 1).all()
    assert (table["coverage_error"] == 0).all()
    assert (table["n_front"] == 2).all()
    assert (table["n_spurious"] == 1).all()
    assert (table["hypervolume_deficit"] == 0).all()  # hypervolume is blind to purity


@pytest.mark.parametrize("n", [1, 10, 101, 10_001])
def test_exact_errors_of_mirrored_decoys(n):
    row = exact_errors(mirrored_decoys(), sizes=[n]).iloc[0]
    assert row["coverage_error"] == 0
    assert row["purity_error"] == pytest.approx(row["p_spurious"], rel=1e-13)
    if n % 2:
        assert row["purity_error"] == pytest.approx(1, rel=1e-12)
    else:
        assert_golden(row["purity_error"], f"mirrored_decoys.n{n}.p_decoy_on_front")


def test_simulation_agrees_with_the_oracle():
    world = reference_world()
    exact = exact_errors(world, sizes=[5, 20]).set_index("size")
    table = asymmetry(world, sizes=[5, 20], replicates=20_000, rng=4)
    for size, group in table.groupby("size"):
        for column in ("coverage_error", "purity_error", "uniform_deviation"):
            error = group[column].std() / np.sqrt(len(group))
            assert abs(group[column].mean() - exact.loc[size, column]) < 5 * error


def test_comparison_against_plain_definitions(rng):
    world = FiniteWorld.from_examples(rng.integers(0, 2, size=(9, 12, 3)))
    compare = FrontComparison(world)
    risks = world.sample_risks(15, replicates=40, rng=6)
    columns = compare(risks)
    truth = world.true_risks
    optimal = mt.nondominated(truth)
    for r in range(40):
        selected = mt.nondominated(risks[r])
        assert columns["coverage_error"][r] == mt.coverage_error(truth[selected], truth[optimal])
        assert columns["purity_error"][r] == mt.purity_error(truth[selected], truth[optimal])
        assert columns["n_front"][r] == selected.sum()
        assert columns["n_spurious"][r] == (selected & ~optimal).sum()
        assert columns["uniform_deviation"][r] == np.abs(risks[r] - truth).max()
        lost = mt.hypervolume(truth, reference=world.risk_limits) - mt.hypervolume(
            truth[selected], reference=world.risk_limits
        )
        assert columns["hypervolume_deficit"][r] == pytest.approx(lost, abs=1e-12)
        assert columns["hypervolume_deficit"][r] >= -1e-12


def test_columns_rows_and_types():
    table = asymmetry(two_coins(), sizes=[3, 5], replicates=7, rng=0)
    assert list(table.columns) == [
        "size",
        "replicate",
        "coverage_error",
        "purity_error",
        "n_front",
        "n_spurious",
        "hypervolume_deficit",
        "uniform_deviation",
        "bound",
        "undefined",
        "discretization",
    ]
    assert table["size"].tolist() == [3] * 7 + [5] * 7
    assert table["replicate"].tolist() == list(range(7)) * 2
    assert table["undefined"].dtype == bool
    assert (table["discretization"] == 0).all()


def test_undefined_replicates_are_counted_and_make_no_claim():
    problem = from_predictions(
        [[0, 1], [1, 1], [0, 0], [1, 0]], [1, 0, 0, 0], objectives=["false_negative_rate", "error"]
    )
    table = asymmetry(problem, sizes=[3], replicates=500, rng=0)
    undefined = table["undefined"]
    assert 0.3 < undefined.mean() < 0.55  # (3/4)^3 = .42
    errors = ["coverage_error", "purity_error", "hypervolume_deficit", "uniform_deviation"]
    assert table.loc[undefined, errors].isna().all().all()
    assert table.loc[~undefined, errors].notna().all().all()
    assert np.isinf(table.loc[undefined, "bound"]).all()
    assert (table.loc[undefined, "n_front"] == 0).all()


def test_bit_identical_for_any_number_of_processes():
    arguments = {"sizes": [5, 50], "replicates": 1203, "rng": 11}
    for problem in (reference_world(), exchangeable_decoys(2)):
        serial = asymmetry(problem, **arguments)
        pd.testing.assert_frame_equal(serial, asymmetry(problem, n_jobs=2, **arguments), check_exact=True)
        assert not serial.equals(asymmetry(problem, **{**arguments, "rng": 12}))


def test_a_size_does_not_depend_on_the_others_and_more_replicates_extend():
    world = reference_world()
    both = asymmetry(world, sizes=[5, 50], replicates=600, rng=1)
    alone = asymmetry(world, sizes=[50], replicates=1000, rng=1)
    part = both[both["size"] == 50].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.iloc[:500], alone.iloc[:500], check_exact=True)


@pytest.mark.parametrize(
    ("weights", "n", "u", "key"),
    [
        (
            (0.8, 0.2),
            101,
            Chebyshev([0.8, 0.2], augmentation=0.05),
            "mirrored_decoys.n101.weights_.8_.2.augmented_.05.p_decoy",
        ),
        ((0.8, 0.2), 101, WeightedSum([0.8, 0.2]), "mirrored_decoys.n101.weights_.8_.2.sum.p_decoy"),
        ((0.9, 0.1), 11, WeightedSum([0.9, 0.1]), "mirrored_decoys.n11.weights_.9_.1.sum.p_decoy"),
        ((0.9, 0.1), 101, WeightedSum([0.9, 0.1]), "mirrored_decoys.n101.weights_.9_.1.sum.p_decoy"),
    ],
)
def test_golden_scalarized_minimisers(weights, n, u, key):
    found = selection_errors(mirrored_decoys(), scalarizations={"u": u}, n=n).iloc[0]
    assert_golden(found["p_spurious"], key)
    assert found["purity_error"] == pytest.approx(found["p_spurious"], rel=1e-12)


def test_chebyshev_returns_a_decoy_at_no_excess():
    found = selection_errors(mirrored_decoys(), scalarizations={"u": Chebyshev([0.8, 0.2])}, n=101).iloc[0]
    assert found["p_spurious"] == pytest.approx(1, rel=1e-12)
    assert found["excess"] == 0


def test_interior_weights_certificate_becomes_informative_where_stated():
    from moltheory.bounds import finite_class
    from tests.golden import exact

    first = int(exact("mirrored_decoys.weights_.9_.1.interior_weights.informative_from_n"))
    right = [2 * 0.9 * float(finite_class(n, n_hypotheses=3, delta=0.05)) / 0.1 for n in (first - 1, first)]
    assert right[0] >= 1 > right[1]


def test_progress_bar_goes_to_standard_error(capsys):
    asymmetry(two_coins(), sizes=[3], replicates=5, rng=0, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "two_coins" in captured.err


def test_refusals(refuses):
    world = two_coins()
    good = {"sizes": [5], "replicates": 2, "rng": 0}
    for sizes in ([], [0], [-5], [5, 5], [2.5], 5):
        refuses("sizes", asymmetry, world, **{**good, "sizes": sizes})
    refuses("replicates", asymmetry, world, **{**good, "replicates": 0})
    refuses("rng", asymmetry, world, **{**good, "rng": -1})
    refuses("delta", asymmetry, world, delta=1.5, **good)
    refuses("n_jobs", asymmetry, world, n_jobs=0, **good)
    refuses("sizes", exact_errors, world, sizes=[])
    refuses("scalarizations", selection_errors, world, scalarizations={}, n=5)
    refuses("n", selection_errors, world, scalarizations={"u": WeightedSum([0.5, 0.5])}, n=0)
    for run in (asymmetry, exact_errors):
        message = refuses("sizes", run, world, **({**good, "sizes": [5, 0]} if run is asymmetry else {"sizes": [0]}))
        assert message == "`sizes` must hold integers >= 1, got 0."
    refuses("risks", FrontComparison(world), np.zeros((3, 2)))


@pytest.mark.parametrize("wrong", ["two_coins", pd.DataFrame({"a": [1]})])
def test_what_is_no_problem_is_refused(refuses, wrong):
    named, found = "`problem` must be a ", f" (see moltheory.problems), got {type(wrong).__name__}."
    message = refuses("problem", asymmetry, wrong, sizes=[5], replicates=2, rng=0)
    lacking = "must have `true`, true objectives, for asymmetry, as moltheory.FiniteWorld and every"
    assert (
        message == f"`problem` {lacking} moltheory.problems.ProblemLike has, got a {type(wrong).__name__} without it."
    )
    assert refuses("problem", exact_errors, wrong, sizes=[5]) == f"{named}FinitePopulation{found}"
    chosen = {"u": WeightedSum([0.5, 0.5])}
    assert refuses("problem", selection_errors, wrong, scalarizations=chosen, n=5) == f"{named}FinitePopulation{found}"
    refuses("problem", exact_errors, exchangeable_decoys(2), sizes=[5])


def test_scalarizations_that_do_not_fit_are_named(refuses):
    def words(scalarizations):
        return refuses("scalarizations", selection_errors, two_coins(), scalarizations=scalarizations, n=5)

    message = words({"good": WeightedSum([0.5, 0.5]), "sum": WeightedSum([0.2, 0.3, 0.5])})
    assert message == "`scalarizations` must be for the 2 objectives of the problem, got 'sum' for 3."
    assert words([WeightedSum([0.5, 0.5])]).endswith("got list.")
    assert words({"sum": [0.5, 0.5]}).endswith("got list for 'sum'.")


@pytest.mark.slow
@pytest.mark.parametrize("name", _PROBLEMS)
def test_no_violation_in_many_samples(name):
    import os

    replicates = 100_000 if os.environ.get("MOLTHEORY_FULL") else 10_000
    if name == "breast_cancer":
        replicates //= 10
    table = asymmetry(_PROBLEMS[name](), sizes=[5, 31, 301], replicates=replicates, rng=99, n_jobs=-1)
    claims = table[~table["undefined"]]
    assert (claims["coverage_error"] <= 2 * claims["uniform_deviation"] + _ROUNDING).all()
    for _, group in claims.groupby("size"):
        above = int((group["coverage_error"] > group["bound"]).sum())
        assert binom.sf(above - 1, len(group), 0.05) > 1e-6
