"""The table of every bound that applies: rows agree with the bounds themselves, and the command line offers all of it."""

import inspect

import pytest

from moltheory._cli._bounds import QUANTITIES
from moltheory.bounds import (
    applicable_bounds,
    bernstein_class,
    bernstein_excess,
    coverage_lower_bound,
    expected_coverage,
    expected_linear_excess,
    fat_shattering_class,
    finite_class,
    finite_prior,
    linear_class,
    linear_excess_lower_bound,
    pac_bayes_empirical_bernstein,
    pac_bayes_unexpected_bernstein,
    required_sample_size_minimax,
    required_sample_size_vc,
    vc,
)


def _values(table):
    return {(row.bound, row.quantity): row.value for row in table.itertuples()}


def test_rows_are_the_bounds_themselves():
    common = {"delta": 0.1, "n_objectives": 3}
    found = _values(applicable_bounds(n=500, n_hypotheses=7, dimension=4, weight_norm=2.0, excess=0.3, **common))
    linear = linear_class(500, weight_norm=2.0, input_norm=1.0, lipschitz=1.0, **common)
    assert found["finite class", "width"] == finite_class(500, n_hypotheses=7, **common).width.max()
    assert found["VC dimension", "width"] == vc(500, dimension=4, **common).width.max()
    assert found["linear class", "width"] == linear.width.max()
    assert found["VC dimension", "sample size"] == required_sample_size_vc(excess=0.3, dimension=4, **common)


def test_rows_of_all_kinds_are_the_functions_themselves():
    ball = {"lipschitz": 1.0, "weight_norm": 2.0, "input_norm": 1.0}
    both = {"n_hypotheses": 64, "n_objectives": 3}
    table = applicable_bounds(
        n=400,
        delta=0.1,
        weight_norm=2.0,
        fat_dimension=1,
        prior=0.25,
        bernstein_constant=0.5,
        divergence=2.0,
        errors=40,
        excess=0.2,
        **both,
    )
    found = {(row.scope, row.bound, row.quantity): (row.value, row.lower, row.upper) for row in table.itertuples()}
    rates = {"divergence": 2.0, "delta": 0.1}
    largest = 0.1 * 0.9 * 400 / 399
    squares, variances = [
        pac_bayes_unexpected_bernstein([0.1] * 3, [0.1] * 3, 400, **rates),
        pac_bayes_empirical_bernstein([0.1] * 3, [largest] * 3, 400, **rates),
    ]
    low = coverage_lower_bound(400, **both)
    expected = {
        ("margin", "fat-shattering dimension", "width"): fat_shattering_class(
            400, dimension=1, delta=0.1, n_objectives=3
        ).width[0],
        ("per hypothesis", "prior weight", "width"): finite_prior(400, prior=[0.25], delta=0.1, n_objectives=3).width[
            0, 0
        ],
        ("per hypothesis", "finite class, empirical Bernstein", "width"): bernstein_class(
            [[largest] * 3], 400, n_hypotheses=64, delta=0.1
        ).width[0, 0],
        ("excess", "Bernstein condition", "excess"): bernstein_excess(400, constant=0.5, delta=0.1, **both).width[0],
        ("excess", "coverage error, finite class", "expected error"): expected_coverage(400, **both),
        ("excess", "excess, linear class", "expected error"): expected_linear_excess(400, **ball),
        ("every learner", "coverage error, finite class", "expected error"): low.expected,
        ("every learner", "coverage error, finite class", "error at delta"): coverage_lower_bound(
            400, probability=0.1, **both
        ).gap,
        ("every learner", "excess, linear class", "expected error"): linear_excess_lower_bound(
            400, n_objectives=3, **ball
        ),
        ("sample size", "worst objective, on demand", "total sample size"): required_sample_size_minimax(
            excess=0.2, delta=0.1, **both
        ),
        ("sample size", "worst objective, uniform sampling", "total sample size"): required_sample_size_minimax(
            excess=0.2, delta=0.1, sampling="uniform", **both
        ),
    }
    for key, value in expected.items():
        assert found[key][0] == pytest.approx(value, rel=1e-12), key
    for name, bound in (("unexpected", squares), ("empirical", variances)):
        assert found["posterior", f"PAC-Bayes, {name} Bernstein", "interval"][1:] == (bound.lower[0], bound.upper[0])
    # What cannot be avoided is below what is promised, and rows of one scope stand together.
    assert low.expected < expected_coverage(400, **both)
    assert table["scope"].drop_duplicates().size == (table["scope"] != table["scope"].shift()).sum()


def test_a_mean_loss_takes_the_place_of_a_number_of_errors():
    counts, means = ({"n": 50, "n_hypotheses": 4, "divergence": 1.0, **one} for one in ({"errors": 5}, {"risk": 0.1}))
    first, second = applicable_bounds(**counts), applicable_bounds(**means)
    kept = first[first["scope"] != "fixed model"].reset_index(drop=True)
    assert kept.equals(second)
    narrow = applicable_bounds(**means, variance=0.001)
    widths = [t.loc[t["bound"] == "finite class, empirical Bernstein", "value"].item() for t in (second, narrow)]
    assert widths[1] < widths[0]


@pytest.mark.parametrize("n", [1, 2, 2**53])
@pytest.mark.parametrize("delta", [1e-300, 0.999])
def test_rows_at_the_ends(n, delta):
    """One example or as many as there can be, one hypothesis, no error or nothing else."""
    for errors in (0, n):
        table = applicable_bounds(n=n, delta=delta, n_hypotheses=1, fat_dimension=0, divergence=0.0, errors=errors)
        inside = table[["lower", "upper"]].dropna()
        assert ((inside["lower"] >= 0.0) & (inside["lower"] <= errors / n) & (errors / n <= inside["upper"])).all()
        assert "every learner" not in set(table["scope"])
        assert (table["value"].dropna() >= 0.0).all()


def test_the_command_line_has_an_option_for_every_quantity():
    options = {one.parameter or one.option.replace("-", "_"): one.default for one in QUANTITIES}
    assert options == {name: p.default for name, p in inspect.signature(applicable_bounds).parameters.items()}


@pytest.mark.parametrize(
    ("argument", "quantities"),
    [
        ("n", {}),
        ("n", {"n": 10}),
        ("n", {"errors": 3}),
        ("margin", {"n": 10, "n_hypotheses": 3, "margin": 0.1}),
        ("n_outputs", {"n": 10, "n_outputs": 3}),
        ("penalty", {"n": 10, "penalty": 0.0}),
        ("input_dimension", {"n": 10, "input_dimension": 0}),
        ("n_hypotheses", {"n": 10, "n_hypotheses": 0}),
        ("dimension", {"n": 10, "dimension": 0}),
        ("dimension", {"excess": 0.1, "dimension": 0}),
        ("delta", {"n": 10, "n_hypotheses": 2, "delta": 1.0}),
        ("n_objectives", {"n": 10, "n_hypotheses": 2, "n_objectives": 0}),
        ("excess", {"excess": 0.0, "n_hypotheses": 2}),
        ("risk", {"n": 10, "n_hypotheses": 2, "risk": 1.5}),
        ("risk", {"n": 10, "n_hypotheses": 2, "risk": 0.5, "errors": 5}),
        ("risk", {"n": 10, "risk": 0.5}),
        ("variance", {"n": 10, "n_hypotheses": 2, "variance": 0.1}),
        ("variance", {"n": 10, "n_hypotheses": 2, "risk": 0.1, "variance": 0.5}),
        ("prior", {"n": 10, "prior": 0.0}),
        ("prior", {"n": 10, "prior": 1.5}),
        ("fat_dimension", {"n": 10, "fat_dimension": -1}),
        ("n", {"excess": 0.1, "fat_dimension": 1}),
        ("bernstein_constant", {"n": 10, "bernstein_constant": 1.0}),
        ("bernstein_constant", {"n": 10, "n_hypotheses": 2, "bernstein_constant": -1.0}),
    ],
)
def test_refusals(refuses, argument, quantities):
    refuses(argument, applicable_bounds, **quantities)
