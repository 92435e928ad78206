"""Measures: values, intervals and widths are consistent for every measure and every nesting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltheory.objectives import Gap, Known, Mean, Rate, Worst

_LOSSES = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0]], float)
_A = np.array([True, True, False, False])


def _measures():
    a, b = Rate(_LOSSES, _A), Rate(_LOSSES, ~_A)
    whole = Mean(_LOSSES)
    return {
        "mean": whole,
        "rate": a,
        "gap": Gap(a, b),
        "worst": Worst([a, b, whole]),
        "gap of worst": Gap(Worst([a, b]), whole),
        "worst gap": Worst([Gap(a, b), Gap(b, whole)]),
    }


def _vectors(k):
    return st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=k, max_size=k)


@pytest.mark.parametrize("name", _measures())
@given(st.data())
def test_interval_and_width_hold_whenever_those_of_the_cells_do(name, data):
    """If every cell's mean lies in its interval, the measure lies in its own; the same for widths."""
    measure = _measures()[name]
    k = len(measure.cells)
    true = [np.array(row) for row in data.draw(_vectors(k))]
    seen = [np.array(row) for row in data.draw(_vectors(k))]
    low = [np.minimum(t, s) for t, s in zip(true, seen, strict=True)]
    high = [np.maximum(t, s) for t, s in zip(true, seen, strict=True)]
    lower, upper = measure.interval(low, high)
    for inside in (true, seen):
        assert (lower <= measure.value(inside)).all()
        assert (measure.value(inside) <= upper).all()
    width = measure.width([np.abs(t - s) for t, s in zip(true, seen, strict=True)])
    assert (np.abs(measure.value(true) - measure.value(seen)) <= width + 1e-15).all()


@given(st.tuples(st.floats(0, 1), st.floats(0, 1)), st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_gap_interval_is_the_exact_range(a, b):
    (al, ah), (bl, bh) = sorted(a), sorted(b)
    gap = _measures()["gap"]
    lower, upper = gap.interval([np.array([al]), np.array([bl])], [np.array([ah]), np.array([bh])])
    corners = [abs(x - y) for x in (al, ah) for y in (bl, bh)]
    overlap = al <= bh and bl <= ah
    assert upper[0] == max(corners)
    assert lower[0] == (0 if overlap else min(corners))


def test_known_values_have_no_cells_and_no_width():
    known = Known([3, 1, 2])
    assert not known.data_dependent
    assert known.value([]).tolist() == [3, 1, 2]
    assert known.width([]).tolist() == [0]
    assert [end.tolist() for end in known.interval([], [])] == [[3, 1, 2]] * 2


def test_inputs_are_copied_and_kept_read_only():
    losses = _LOSSES.copy()
    measure = Mean(losses)
    losses[:] = 7
    assert measure.cells[0].losses.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        measure.cells[0].losses[0, 0] = 5


def test_refusals(refuses):
    refuses("losses", Mean, [1.0, 2.0])
    refuses("losses", Mean, [[np.nan, 1.0]])
    refuses("losses", Mean, np.empty((0, 3)))
    refuses("where", Rate, _LOSSES, [1, 0, 1, 0])
    refuses("where", Rate, _LOSSES, [True, False])
    refuses("where", Rate, _LOSSES, [False] * 4)
    refuses("Gap", Gap, Mean(_LOSSES), Known([1, 2, 3]))
    refuses("Gap", Gap, Mean(_LOSSES), Mean(_LOSSES[:2]))
    refuses("Worst", Worst, [])
    refuses("values", Known, [[1.0]])
    refuses("values", Known, [np.inf])
