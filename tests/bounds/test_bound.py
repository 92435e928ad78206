"""The result type: it composes, spends what it uses, and survives being written down."""

import dataclasses
import math

import numpy as np
import pytest

from moltheory.bounds import Bound, finite_class, finite_prior, kl_class, vc
from moltheory.errors import InvalidInputError


def test_combining_joins_objectives_and_adds_deltas():
    first = finite_class([300, math.inf], n_hypotheses=4, delta=0.02)
    second = vc(10_000, dimension=2, delta=0.03)
    both = first.combine(second)
    assert both.width.tolist() == [*first.width, *second.width]
    assert both.delta == pytest.approx(0.05)
    assert both.confidence == pytest.approx(0.95)
    assert both.shares is not None
    assert both.shares.tolist() == [0.02, 0.0, 0.03]
    assert both.shares.sum() == pytest.approx(both.delta)
    assert set(both.assumptions) == {*first.assumptions, *second.assumptions}
    assert first.source in both.source
    assert second.source in both.source


def test_combining_broadcasts_over_hypotheses():
    each = finite_prior(100, prior=[0.5, 0.5], delta=0.01)
    both = each.combine(finite_class([50, 60], n_hypotheses=2, delta=0.01))
    assert both.width.shape == (2, 3)
    assert (both.width[0, 1:] == both.width[1, 1:]).all()


def test_the_tightest_of_two_costs_both_deltas():
    first = finite_class([1000, 10**6], n_hypotheses=10**6, delta=0.02)
    second = vc([1000, 10**6], dimension=1, delta=0.03)
    best = first.tightest(second)
    assert best.width.tolist() == np.minimum(first.width, second.width).tolist()
    assert best.delta == pytest.approx(0.05)
    again = first.tightest(first, same_event=True)
    assert again.delta == first.delta
    assert again.width.tolist() == first.width.tolist()


def test_bounds_for_other_numbers_of_examples_are_other_events(refuses):
    """Their texts are equal; what they were made of is not."""
    first, second = (finite_class(n, n_hypotheses=10, delta=0.05) for n in ([100, 50], [50, 100]))
    refuses("same_event", first.tightest, second, same_event=True)
    assert first.tightest(second).delta == pytest.approx(0.1)
    # What follows from an event is of it, also after it was written down.
    wider = dataclasses.replace(first, width=2.0 * first.width)
    assert wider.tightest(first, same_event=True).width.tolist() == first.width.tolist()
    again = Bound.from_json(first.to_json())
    assert again.tightest(wider, same_event=True).delta == 0.05
    refuses("same_event", first.combine(second).tightest, second.combine(first), same_event=True)


@pytest.mark.parametrize("text", ["", "3", "{}", '{"width": 1}', "[1, 2]"])
def test_json_of_nonsense_is_refused(refuses, text):
    refuses("text", Bound.from_json, text)


def test_tightest_intersects_limits():
    wide, narrow = kl_class([0.1, 0.3], 50, delta=0.02), kl_class([0.1, 0.3], 50, delta=0.2)
    both = wide.tightest(narrow)
    assert (both.lower == narrow.lower).all()
    assert (both.upper == narrow.upper).all()


def test_frames_have_one_row_per_width():
    frame = finite_class([300, math.inf], n_hypotheses=4, delta=0.1).to_frame()
    assert frame["objective"].tolist() == [0, 1]
    assert frame["width"].tolist()[1] == 0
    assert frame["confidence"].tolist() == [0.9, 0.9]
    grid = kl_class([[0.1, 0.2], [0.3, 0.4], [0.0, 1.0]], [10, 20], delta=0.1).to_frame()
    assert len(grid) == 6
    assert grid["hypothesis"].tolist() == [0, 0, 1, 1, 2, 2]
    assert {"lower", "upper"} <= set(grid.columns)


def test_json_restores_every_field():
    bound = kl_class([0.1, 0.2], 30, delta=0.1).combine(kl_class([0.5, 0.0], 9, delta=0.2))
    again = Bound.from_json(bound.to_json())
    for field in dataclasses.fields(bound):
        found, expected = getattr(again, field.name), getattr(bound, field.name)
        same = np.array_equal(found, expected) if isinstance(expected, np.ndarray) else found == expected
        assert same, field.name
    infinite = finite_prior(10, prior=[1.0, 0.0], delta=0.1)
    assert np.array_equal(Bound.from_json(infinite.to_json()).width, infinite.width)


def test_repr_says_how_much_is_vacuous():
    assert repr(finite_class(1, n_hypotheses=1, delta=0.1)).endswith("says nothing (above 1))")
    assert repr(finite_class([1, 10**6], n_hypotheses=1, delta=0.1)).endswith("says nothing in 1 entry)")


def test_refusals(refuses):
    one = finite_class(10, n_hypotheses=1, delta=0.5)
    two = finite_class([10, 10], n_hypotheses=1, delta=0.1)
    refuses("other", one.combine, one)
    refuses("other", one.tightest, one)
    refuses("other", one.combine, 3.0)
    refuses("other", one.tightest, two)
    refuses("other", two.tightest, finite_class([10, 10], n_hypotheses=1, delta=0.1, loss_range=2.0))
    refuses("same_event", one.tightest, finite_class(10, n_hypotheses=1, delta=0.1), same_event=True)
    refuses("width", float, two)
    three, four = (finite_prior(10, prior=[1 / k] * k, delta=0.1) for k in (3, 4))
    refuses("other", three.combine, four)
    with pytest.raises(InvalidInputError, match="`width` must be >= 0"):
        dataclasses.replace(one, width=np.array([-1.0]))
    with pytest.raises(InvalidInputError, match="`delta` must lie"):
        dataclasses.replace(one, delta=1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.delta = 0.1
