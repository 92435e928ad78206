"""Names are looked up once each, however many there are: what was quadratic in them took minutes at these sizes."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from moltheory._core._places import first_repeated, places_of
from moltheory.errors import InvalidInputError
from moltheory.evaluation import LossTable, Measured, from_long_table, open_losses, read_costs

_MANY = 40_000
_NAMES = [f"model_{i}" for i in range(_MANY)]
# Processor time. Linear work takes a tenth of it, and quadratic work ten times as much.
_LIMIT = 8.0


@pytest.fixture(autouse=True)
def _in_time():
    start = time.process_time()
    yield
    assert time.process_time() - start < _LIMIT


def test_places():
    assert places_of("abca") == {"a": 0, "b": 1, "c": 2}
    assert first_repeated("abcba") == "b"
    assert first_repeated(()) is None


def test_objectives_of_a_table():
    table = LossTable(np.zeros((1, 1, _MANY), bool), objective_names=_NAMES)
    assert table.select(_NAMES[::-1]).objective_names == tuple(_NAMES[::-1])


def test_costs_in_files(tmp_path):
    (tmp_path / "costs.csv").write_text("model,size\n" + "".join(f"{name},1\n" for name in _NAMES))
    (tmp_path / "costs.json").write_text(json.dumps({name: {"size": 1} for name in _NAMES}))
    for file in ("costs.csv", "costs.json"):
        assert read_costs(tmp_path / file, models=_NAMES[::-1])[1].shape == (_MANY, 1)


def test_costs_in_memory():
    values = pd.Series(1.0, index=_NAMES)
    assert Measured(values, values - 1, values + 1, delta=0.1).of(_NAMES[::-1]).models == tuple(_NAMES[::-1])
    table = LossTable(np.zeros((1, _MANY, 1), bool), _NAMES, costs=values[::-1].to_frame("size"))
    assert table.costs.shape == (_MANY, 1)


def test_names_in_an_archive(tmp_path):
    np.savez(tmp_path / "losses.npz", losses=np.zeros((2, _MANY), bool), models=np.array(_NAMES))
    table = open_losses(tmp_path / "losses.npz", models=_NAMES[::-1], ignore=())
    assert table.model_names == tuple(_NAMES[::-1])


def test_objectives_in_headers(tmp_path):
    few = _NAMES[:20_000]
    row = ",".join("01"[i % 2] for i in range(len(few)))
    (tmp_path / "wide.csv").write_text(",".join(f"m/{name}" for name in few) + f"\n{row}\n{row}\n")
    assert open_losses(tmp_path / "wide.csv").objective_names == tuple(few)
    (tmp_path / "tidy.csv").write_text("model,example," + ",".join(few) + f"\na,x,{row}\nb,x,{row}\n")
    assert open_losses(tmp_path / "tidy.csv", objectives=few).objective_names == tuple(few)


def test_a_name_that_occurs_twice_is_found_at_once():
    names = pd.Series([*_NAMES, 1, "1"], dtype=object)
    with pytest.raises(InvalidInputError, match="'1' twice"):
        from_long_table(pd.DataFrame({"model": names, "example": "x", "loss": 0.5}))
