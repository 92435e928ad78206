"""The front as a value: sorted, complete, immutable, and the same after a round trip through JSON."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.pareto import Front, nondominated, pareto_front


@pytest.mark.parametrize("maximise", [False, True, [True, False, True]])
@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.uint64])
def test_the_front_is_the_nondominated_rows_sorted(maximise, dtype, unchanged):
    rng = np.random.default_rng(1)
    points = unchanged(rng.integers(0, 7, (80, 3)).astype(dtype))
    front = pareto_front(points, maximise=maximise)
    assert front.points.dtype == dtype
    assert len(front) == nondominated(points, maximise=maximise).sum()
    np.testing.assert_array_equal(np.sort(front.members), np.flatnonzero(nondominated(points, maximise=maximise)))
    np.testing.assert_array_equal(front.points, points[front.members])
    rows = [(*row, member) for row, member in zip(front.points.tolist(), front.members.tolist(), strict=True)]
    assert rows == sorted(rows)
    turned = np.broadcast_to(maximise, 3)
    np.testing.assert_array_equal(front.ideal, np.where(turned, points[front.members].max(0), front.points.min(0)))
    np.testing.assert_array_equal(front.nadir, np.where(turned, points[front.members].min(0), front.points.max(0)))
    assert nondominated(np.concatenate([front.points, front.ideal[None]]), maximise=maximise)[-1]


def test_golden():
    front = pareto_front([[1, 9], [5, 5], [9, 1], [5, 5], [6, 6]])
    assert front.points.tolist() == [[1, 9], [5, 5], [5, 5], [9, 1]]
    assert front.members.tolist() == [0, 1, 3, 2]
    assert front.ideal.tolist() == [1, 1]
    assert front.nadir.tolist() == [9, 9]
    assert front.maximise == (False, False)


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint64])
def test_json_round_trip_is_exact(dtype):
    rng = np.random.default_rng(2)
    if dtype is np.float64:
        points = rng.random((50, 3)) * 10.0 ** rng.integers(-300, 300, (50, 3))
    else:
        points = rng.integers(0, np.iinfo(np.int64).max, (50, 3)).astype(dtype)
    front = pareto_front(points, maximise=[True, False, False])
    again = Front.from_json(front.to_json())
    assert again == front
    assert again.points.tobytes() == front.points.tobytes()
    assert again.to_json() == front.to_json()


def test_equality_sees_every_part():
    front = pareto_front([[1.0, 2.0], [2.0, 1.0]])
    assert front != dataclasses.replace(front, maximise=(True, True))
    assert front != dataclasses.replace(front, members=np.array([0, 5]))
    assert front != pareto_front([[1, 2], [2, 1]])
    assert front != "front"
    with pytest.raises(TypeError):
        hash(front)


def test_nothing_can_be_changed():
    points = np.array([[1.0, 2.0], [2.0, 1.0]])
    front = pareto_front(points)
    for array in (front.points, front.members, front.ideal, front.nadir):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        front.points = points
    points[0] = 7.0
    assert front.points[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"kind": "other"}', "3"])
def test_foreign_text_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"`text` must be what Front\.to_json writes"):
        Front.from_json(text)


def test_infinities_come_back():
    front = pareto_front([[np.inf, -np.inf], [0, 1], [-np.inf, 2]])
    assert front.members.tolist() == [2, 1, 0]
    assert Front.from_json(front.to_json()) == front
    assert (front.ideal.tolist(), front.nadir.tolist()) == ([-np.inf, -np.inf], [np.inf, 2.0])


def test_damaged_json_is_refused():
    fields = json.loads(pareto_front([[1.0, 2.0], [2.0, 1.0]]).to_json())
    with pytest.raises(InvalidInputError, match="`members` must be 2 row numbers"):
        Front.from_json(json.dumps({**fields, "members": [0]}))
    with pytest.raises(InvalidInputError, match="`points` must not contain NaN"):
        Front.from_json(json.dumps({**fields, "points": [[float("nan"), 1.0], [0.0, 1.0]]}))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "`points` must have shape"),
        ([[[1.0, 2.0]]], r"`points` must have shape \(n, m\), got shape \(1, 1, 2\)"),
        ([[1.0, np.nan]], "`points` must not contain NaN"),
    ],
)
def test_refusals(points, message):
    with pytest.raises(InvalidInputError, match=message):
        pareto_front(points)
