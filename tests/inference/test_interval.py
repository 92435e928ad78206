"""The result type of the intervals."""

import json

import numpy as np
import pytest
from scipy import stats

from moltheory.inference import Interval, binomial_interval, confidence_sequence, mean_interval


def some(**changes):
    settings = {
        "lower": [0.1, 0.2],
        "upper": [0.5, 1.0],
        "range": [0.0, 1.0],
        "delta": 0.05,
        "event": "A",
        "method": "m",
        "source": "s",
        "assumptions": ("a",),
    }
    return Interval(**settings | changes)


def test_frozen():
    interval = some()
    with pytest.raises(AttributeError):
        interval.delta = 0.1
    with pytest.raises(ValueError, match="read-only"):
        interval.lower[0] = 0
    losses = np.array([0.25, 0.75])
    kept = some(lower=losses)
    losses[:] = 0
    assert kept.lower.tolist() == [0.25, 0.75]


def test_width_and_vacuous():
    interval = some(lower=[0, 0.2, 0], upper=[1, 1, 0.9])
    assert interval.length == pytest.approx([1, 0.8, 0.9])
    assert interval.vacuous.tolist() == [True, False, False]
    assert "says nothing" in repr(interval)
    assert "says nothing" not in repr(some())


def test_intersection_adds_the_deltas_of_different_events():
    one = some()
    other = some(lower=[0.2, 0.1], upper=[0.6, 0.7], event="B", delta=0.01, method="k", source="t", assumptions=("b",))
    both = one.intersect(other)
    assert both.lower.tolist() == [0.2, 0.2]
    assert both.upper.tolist() == [0.5, 0.7]
    assert both.delta == pytest.approx(0.06)
    assert both.method == "m and k"
    assert both.assumptions == ("a", "b")
    # Once paid for, an event is free.
    assert both.intersect(one).delta == pytest.approx(0.06)
    assert other.intersect(both).delta == pytest.approx(0.06)
    assert one.intersect(one).delta == 0.05
    assert one.intersect(one).event == "A"
    # Two intersections that share an event: the shares are not known, so all is added.
    third = some(event="C", delta=0.02)
    assert both.intersect(one.intersect(third)).delta == pytest.approx(0.13)
    assert some(delta=0.7).intersect(some(event="B", delta=0.6)).delta == 1.0


def test_events_of_different_samples_differ_and_times_of_one_sequence_share_theirs():
    rng = np.random.default_rng(0)
    first, second = (mean_interval(rng.random(50), delta=0.05) for _ in range(2))
    assert first.event != second.event
    assert first.intersect(second).delta == pytest.approx(0.1)
    sequence = confidence_sequence(rng.random(100), delta=0.05)
    assert sequence[10].intersect(sequence[99]).delta == 0.05
    upper = binomial_interval(3, 50, delta=0.02, side="upper")
    lower = binomial_interval(3, 50, delta=0.03, side="lower")
    both = upper.intersect(lower)
    assert both.side == "both"
    assert both.delta == pytest.approx(0.05)
    assert not both.vacuous


def test_slices_of_one_call_are_events_of_their_own():
    """Two samples of one probability: the price was that of one, at an exact failure probability of nearly both."""
    both = binomial_interval(np.array([3, 5]), 20, delta=0.05, side="upper")
    assert both[0].intersect(both[1]).delta == pytest.approx(0.1)
    assert both[0].intersect(both[0]).delta == both.intersect(both).delta == 0.05
    assert both.intersect(both[::-1]).delta == pytest.approx(0.1)
    # Equal counts of two samples too: nothing tells that they are one.
    equal = binomial_interval([3, 3], 20, delta=0.05)
    assert equal[0].intersect(equal[1]).delta == pytest.approx(0.1)
    p = np.nextafter(both.upper[0], 2.0)
    failure = 1.0 - (1.0 - stats.binom.cdf(3, 20, p)) ** 2
    assert 0.05 < failure <= both[0].intersect(both[1]).delta


def test_events_are_kept_apart_entry_by_entry_and_through_json():
    interval = binomial_interval([[1, 2, 3], [4, 5, 6]], 10, delta=[0.01, 0.02, 0.03])
    again = Interval.from_json(interval.to_json())
    assert np.array_equal(again.intersect(interval).delta, np.broadcast_to([0.01, 0.02, 0.03], (2, 3)))
    assert again[0, 1].intersect(interval[0, 1]).delta == 0.02
    assert again[0, 1].intersect(interval[1, 1]).delta == pytest.approx(0.04)
    mixed = interval[0].intersect(interval[[0, 1, 0], [0, 1, 2]])
    assert mixed.delta == pytest.approx([0.01, 0.04, 0.03])
    assert Interval.from_json(mixed.to_json()).intersect(interval[0]).delta == pytest.approx([0.01, 0.04, 0.03])
    sequence = confidence_sequence(np.random.default_rng(0).random((60, 2)), delta=0.05)
    assert sequence[10, 0].intersect(Interval.from_json(sequence[59, 0].to_json())).delta == 0.05
    assert sequence[10, 0].intersect(sequence[59, 1]).delta == pytest.approx(0.1)


@pytest.mark.parametrize("text", ["", "3", "{}", '{"lower": 1}', "[1, 2]", '{"lower": [1], "upper": [2], "range": 0}'])
def test_json_of_nonsense_is_refused(refuses, text):
    refuses("text", Interval.from_json, text)


def test_an_empty_intersection_is_shown():
    both = some(upper=[0.3, 0.9]).intersect(some(lower=[0.4, 0.2], event="B"))
    assert both.empty.tolist() == [True, False]
    assert both.length[0] == 0
    assert "empty" in repr(both)


def test_failing_sequences_are_shown_empty():
    drifting = np.repeat([0.0, 1.0], 500)
    assert confidence_sequence(drifting, delta=0.05).empty[-1]


def test_json_and_frame():
    rng = np.random.default_rng(0)
    losses = np.stack([rng.integers(0, 2, (30, 2)), rng.random((30, 2))], axis=1)
    for interval in (
        mean_interval(losses, delta=[[0.1], [0.2]], loss_range=(0, [[1, 2], [3, 4]])),
        mean_interval(losses[:, 0, 0], delta=0.1),
        confidence_sequence(losses, delta=0.1, side="lower"),
    ):
        again = Interval.from_json(interval.to_json())
        json.loads(interval.to_json())
        for name in Interval.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(again, name), getattr(interval, name))
        frame = interval.to_frame()
        assert len(frame) == interval.lower.size
        np.testing.assert_array_equal(frame["upper"], interval.upper.ravel())
        np.testing.assert_array_equal(frame["vacuous"], interval.vacuous.ravel())
    frame = mean_interval(losses, delta=0.1).to_frame()
    assert frame["axis_0"].tolist() == [0, 0, 1, 1]
    assert frame["method"].tolist() == ["clopper-pearson"] * 2 + ["betting"] * 2


def test_slices():
    interval = binomial_interval([[1, 2, 3], [4, 5, 6]], 10, delta=[0.1, 0.2, 0.3])
    assert interval[1].delta.tolist() == [0.1, 0.2, 0.3]
    assert interval[1, 2].delta == 0.3
    assert interval[:, 0].upper.tolist() == interval.upper[:, 0].tolist()
    assert interval[0].event == interval.event


def test_refusals(refuses):
    refuses("side", some, side="x")
    refuses("upper", some, upper=[0.5])
    refuses("range", some, upper=[0.5, 1.1])
    refuses("lower", some, lower=[0.1, np.nan])
    refuses("other", some().intersect, 3)
    refuses("other", some().intersect, some(lower=0.1, upper=0.2))
    refuses("other", some().intersect, some(range=[0.0, 2.0]))
