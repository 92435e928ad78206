"""What a bound is about: stated by every function that returns one, and heeded by what is concluded from bounds."""

import dataclasses
import inspect
import json
from functools import partial

import numpy as np
import pytest

from moltheory import bounds
from moltheory.bounds import Bound
from moltheory.bounds._scope import SCOPES, joint_scope
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, WeightedSum
from moltheory.theorems import ledger

_PAC = {"divergence": 1.0, "delta": 0.1}
_BALL = {"weight_norm": 1.0, "input_norm": 1.0}
# One call of every public function that returns a bound, by what the bound is about.
CALLS = {
    "uniform": {
        "agnostic_class": lambda: bounds.agnostic_class([50, 50], [[0.5, 0.5]], n_hypotheses=3, delta=0.1),
        "conditional_rate": lambda: bounds.conditional_rate([50], n_hypotheses=3, delta=0.1),
        "finite_class": lambda: bounds.finite_class(50, n_hypotheses=3, delta=0.1),
        "joint_widths": lambda: bounds.joint_widths([50], n_hypotheses=3, delta=0.1),
        "linear_class": lambda: bounds.linear_class(50, lipschitz=1.0, delta=0.1, **_BALL),
        "lipschitz_class": lambda: bounds.lipschitz_class(50, lipschitz=1.0, dimension=1, delta=0.1),
        "multi_output_class": lambda: bounds.multi_output_class(50, n_outputs=2, lipschitz=1.0, delta=0.1, **_BALL),
        "rademacher": lambda: bounds.rademacher(50, complexity=0.1, delta=0.1),
        "vc": lambda: bounds.vc(50, dimension=2, delta=0.1),
    },
    "per hypothesis": {
        "bernstein_class": lambda: bounds.bernstein_class([0.1], 50, delta=0.1),
        "finite_prior": lambda: bounds.finite_prior(50, prior=[0.5], delta=0.1),
        "kl_class": lambda: bounds.kl_class([0.1], 50, delta=0.1),
        "localized_rademacher": lambda: bounds.localized_rademacher(
            [0.1], 50, local_complexity=lambda r: 0.1, delta=0.1
        ),
        "margin_limits": lambda: bounds.margin_limits([[0.5]], margin=0.5, delta=0.1, **_BALL),
        "relative_deviation_class": lambda: bounds.relative_deviation_class([0.1], 50, delta=0.1),
        "relative_deviation_vc": lambda: bounds.relative_deviation_vc([0.1], 50, dimension=2, delta=0.1),
        "shell_class": lambda: bounds.shell_class([3], 50, delta=0.1),
    },
    "learned": {
        "regularized_sum": lambda: bounds.regularized_sum(50, weights=[1.0], penalty=1.0, lipschitz=1.0, delta=0.1),
    },
    "posterior": {
        "gibbs_bound": lambda: bounds.gibbs_bound(np.full((50, 1, 1), 0.5), [1.0], delta=0.1),
        "pac_bayes_empirical_bernstein": lambda: bounds.pac_bayes_empirical_bernstein([0.1], [0.01], 50, **_PAC),
        "pac_bayes_kl": lambda: bounds.pac_bayes_kl([0.1], 50, **_PAC),
        "pac_bayes_split_kl": lambda: bounds.pac_bayes_split_kl([[0.1], [0.0]], 50, **_PAC),
        "pac_bayes_unexpected_bernstein": lambda: bounds.pac_bayes_unexpected_bernstein([0.1], [0.1], 50, **_PAC),
    },
    "margin": {
        "fat_shattering_class": lambda: bounds.fat_shattering_class(50, dimension=1, delta=0.1),
        "margin_class": lambda: bounds.margin_class(50, margin=0.5, delta=0.1, **_BALL),
    },
    "excess": {
        "bernstein_excess": lambda: bounds.bernstein_excess(50, n_hypotheses=3, constant=1.0, delta=0.1),
    },
}
MADE = [(scope, name) for scope, calls in CALLS.items() for name in calls]
_SUM = WeightedSum([1.0])
# Statements that compare hypotheses: what they say of the half-widths must hold for all at once.
COMPARING = {
    "boundary": bounds.boundary,
    "constrained_excess": partial(bounds.constrained_excess, constraint=EpsilonConstraint([0.5])),
    "forward": bounds.forward,
    "hypervolume_loss": partial(bounds.hypervolume_loss, reference=[1.0]),
    "hypervolume_sandwich": lambda c: bounds.hypervolume_sandwich([[0.1]], c, reference=[1.0]),
    "interior_weights": partial(bounds.interior_weights, weights=[1.0]),
    "p_norm_purity": partial(bounds.p_norm_purity, scalarization=PNorm([1.0], 2), value=0.5),
    "scalarized_excess": partial(bounds.scalarized_excess, scalarization=_SUM),
    "slack_guarantee": partial(bounds.slack_guarantee, t=0.1, loss_range=1.0),
    "slack_pruned": lambda c: bounds.slack_pruned([[0.1]], c, t=0.1),
    "strong_convexity": partial(bounds.strong_convexity, moduli=[1.0]),
    "strongly_monotone": partial(bounds.strongly_monotone, scalarization=Chebyshev([1.0], augmentation=0.5)),
    "weak_converse": bounds.weak_converse,
}
OF_EACH = {
    "nonuniform_forward": partial(bounds.nonuniform_forward, risks=[[0.1]]),
    "nonuniform_scalarized_excess": partial(bounds.nonuniform_scalarized_excess, scalarization=_SUM, risks=[[0.1]]),
    "nonuniform_weak_converse": partial(bounds.nonuniform_weak_converse, risks=[[0.1]]),
}


def test_every_function_that_returns_a_bound_is_listed():
    functions = {name: one for name in bounds.__all__ if inspect.isfunction(one := getattr(bounds, name))}
    found = {name for name, one in functions.items() if one.__annotations__["return"] == "Bound"}
    assert found == {name for _, name in MADE}


@pytest.mark.parametrize(("scope", "name"), MADE)
def test_scopes_are_stated_shown_and_written(scope, name):
    bound = CALLS[scope][name]()
    assert bound.scope == scope
    assert (f"scope={scope!r}" in bound._line()) == (scope != "uniform")
    assert SCOPES[scope] in str(bound._card())
    assert Bound.from_json(bound.to_json()).scope == scope
    # A text of the first version, without the field: what the function that made the bound is about.
    old = json.loads(bound.to_json())
    del old["scope"], old["version"]
    assert Bound.from_json(json.dumps(old)).scope == scope


@pytest.mark.parametrize(("scope", "name"), MADE)
def test_statements_refuse_bounds_from_which_they_do_not_follow(scope, name, refuses):
    bound = CALLS[scope][name]()
    for function in COMPARING.values():
        if scope == "uniform":
            function(bound.width)
            function(bound)
        else:
            text = refuses("widths", function, bound)
            assert f"scope {scope!r}" in text
            assert text.count(": ") == 1
    for function in OF_EACH.values():
        if scope in ("uniform", "per hypothesis"):
            function(dataclasses.replace(bound, width=[[0.1]], lower=None, upper=None))
        else:
            refuses("widths", function, bound)
    if scope in ("margin", "excess"):
        refuses("widths", bounds.scalarized, bound, scalarization=_SUM)
    else:
        assert np.array_equal(bounds.scalarized(bound, scalarization=_SUM), bound.width.sum(axis=-1))


def test_remedies_name_the_function_for_half_widths_of_each_hypothesis(refuses):
    bound = bounds.kl_class([0.1, 0.3], 50, delta=0.1)
    assert "`nonuniform_forward`" in refuses("widths", bounds.forward, bound)
    assert "`nonuniform_weak_converse`" in refuses("widths", bounds.weak_converse, bound)
    assert "`finite_class`" in refuses("widths", bounds.boundary, bound)
    # Doubled half-widths are no coverage for the rows: the front's own half-width may be the larger one.
    risks = [[0.3, 0.0], [0.3, 0.1]]
    each = bounds.bernstein_class([[0.2, 0.0], [0.01, 0.0]], [50, np.inf], delta=0.1)
    assert (bounds.nonuniform_forward(each, risks=risks)[1, 0]) > 2.0 * each.width[1, 0]


def test_scopes_of_several_bounds_together(refuses):
    wide, narrow = bounds.finite_class(50, n_hypotheses=3, delta=0.1), bounds.pac_bayes_kl([0.1], 50, **_PAC)
    assert wide.combine(wide).scope == "uniform"
    assert wide.combine(narrow).scope == narrow.combine(wide).scope == "posterior"
    assert wide.tightest(narrow).scope == "posterior"
    margin = CALLS["margin"]["margin_class"]()
    assert margin.combine(margin).scope == margin.tightest(margin, same_event=True).scope == "margin"
    mixed = margin.combine(wide)
    assert mixed.scope == "other"
    refuses("widths", bounds.forward, mixed)
    # The smaller of two numbers that are about different things says nothing.
    refuses("other", margin.tightest, wide)
    refuses("other", CALLS["learned"]["regularized_sum"]().tightest, narrow)
    assert joint_scope([]) == "uniform"
    assert joint_scope(["per hypothesis", "posterior"]) == "other"
    given = [CALLS["learned"]["regularized_sum"], 50]
    together = bounds.joint_widths(
        [lambda eta: bounds.regularized_sum(50, weights=[1.0], penalty=1.0, lipschitz=1.0, delta=eta), given[1]],
        n_hypotheses=3,
        delta=0.1,
    )
    assert together.scope == "learned"
    assert "learned hypotheses" in together.event


def test_an_event_of_ones_own_is_not_taken_for_uniform(refuses):
    own = {"width": np.array([0.1]), "loss_range": np.ones(1), "delta": 0.1, "method": "m", "source": "s"}
    assert Bound(**own, assumptions=()).scope == "uniform"
    other = Bound(**own, assumptions=(), event="the first hypothesis is within its half-width")
    assert other.scope == "other"
    refuses("widths", bounds.forward, other)
    assert bounds.forward(dataclasses.replace(other, scope="uniform")).tolist() == [0.2]
    with pytest.raises(InvalidInputError, match="`scope` must be"):
        dataclasses.replace(other, scope="all")
    with pytest.raises(InvalidInputError, match="version"):
        Bound.from_json(json.dumps({**json.loads(other.to_json()), "version": 3}))
    assert float(other._repr_html_().count("what the event says")) == 1


def test_the_ledger_takes_half_widths_of_each_hypothesis_where_they_belong():
    bound = bounds.kl_class([0.1, 0.3], 50, delta=0.1)
    found = ledger()["penalized-excess"].evaluate(widths=bound, scalarization=_SUM)
    assert found == pytest.approx(2.0 * bound.width[:, 0])
