"""The table of every bound that applies: rows agree with the bounds themselves, and the command line offers all of it."""

import inspect

import pytest

from moltheory._cli._bounds import QUANTITIES
from moltheory.bounds import applicable_bounds, finite_class, linear_class, required_sample_size_vc, vc


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
    ],
)
def test_refusals(refuses, argument, quantities):
    refuses(argument, applicable_bounds, **quantities)
