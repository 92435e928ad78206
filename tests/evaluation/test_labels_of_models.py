"""Numbers may be the names of models; costs are known exactly, so that no index, flag or name of a model is one."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr

import moltheory as mt
from moltheory.cli import main
from moltheory.evaluation import LossTable, Measured, from_predictions, read_costs
from moltheory.problems import from_predictions as population

_LOSSES = (np.random.default_rng(0).random((60, 3)) < [0.1, 0.3, 0.5]).astype(float)
_NAMED = pd.DataFrame(_LOSSES, columns=list("abc"))
_NUMBERED = _NAMED.set_axis([2, 0, 1], axis=1)
_BY_NUMBER = pd.Series([10.0, 20.0, 30.0])
_RIGHT = [30.0, 10.0, 20.0]
_DIMS = xr.DataArray([10.0, 20.0, 30.0], dims="m", coords={"m": [0, 1, 2]})


@pytest.mark.parametrize(
    "costs",
    [
        {"usd": _BY_NUMBER},
        _BY_NUMBER,
        _BY_NUMBER.to_frame("usd"),
        {"usd": _BY_NUMBER.to_dict()},
        {"usd": _DIMS},
        _DIMS,
        {"usd": Measured(_BY_NUMBER, _BY_NUMBER, _BY_NUMBER, delta=0.01)},
        {"usd": Measured(_BY_NUMBER, 0.0, 99.0, delta=0.01)},
        {"usd": Measured(_BY_NUMBER[::-1], _BY_NUMBER, 99.0, delta=0.01)},
    ],
    ids=lambda costs: str(type(costs).__name__),
)
def test_numbers_that_name_models_are_labels_of_costs(costs):
    assert mt.certify(_NUMBERED, costs=costs).estimates[:, 1].tolist() == _RIGHT
    stream = mt.CertificateStream(["2", "0", "1"], 1, 0.1, costs=costs)
    assert stream.certificate().estimates[:, 1].tolist() == _RIGHT
    # Names of other kinds: the index only numbers the models.
    if not isinstance(costs["usd"] if isinstance(costs, dict) else costs, dict | Measured):
        assert mt.certify(_NAMED, costs=costs).estimates[:, 1].tolist() == [10.0, 20.0, 30.0]
        assert LossTable(_NUMBERED, costs=costs).costs[:, 0].tolist() == _RIGHT


def test_ends_of_measured_costs_are_matched_by_numbers(refuses):
    value = pd.Series({"2": 3.0, "0": 1.0, "1": 2.0})
    found = Measured(value, pd.Series([0.5, 1.5, 2.5]), 9.0, delta=0.1)
    assert found.low.tolist() == [2.5, 0.5, 1.5]
    for models in (["1", "0"], np.array(["1", "0"])):
        refuses("models", Measured, pd.Series([1.0, 2.0]), 0.0, 9.0, delta=0.1, models=models)
    plain = Measured(pd.Series([1.0, 2.0]), 0.0, 9.0, delta=0.1)
    assert plain.of(["x", "y"]).value.tolist() == [1.0, 2.0]


def test_numbers_that_name_models_are_labels_of_names_directions_and_streams():
    assert mt.certify(_NUMBERED, names=pd.Series(["A", "B", "C"])).names == ("C", "A", "B")
    both = np.stack([_LOSSES, _LOSSES], axis=2)
    found = mt.certify(both, objectives=["1", "0"], maximise=pd.Series([True, False]))
    assert found.maximise == (False, True)
    rows = pd.DataFrame([[0.1, 0.3], [0.2, 0.5], [0.4, 0.6]])
    streams = [mt.CertificateStream(["2", "0", "1"], ["1", "0"], 0.1) for _ in range(3)]
    for stream, given in zip(
        streams, (rows, rows.iloc[[2, 0, 1], [1, 0]], rows.to_numpy()[[2, 0, 1]][:, [1, 0]]), strict=True
    ):
        stream.update(given)
    first, *others = (stream.certificate().estimates.tolist() for stream in streams)
    assert others == [first, first]


@pytest.mark.parametrize("door", [mt.certify, LossTable])
@pytest.mark.parametrize(
    "flags",
    [
        pd.Series({"seconds": False, "hits": True}),
        xr.DataArray([False, True], dims="o", coords={"o": ["seconds", "hits"]}),
        {"seconds": False, "hits": True},
        pd.Series([True, False]),
        pd.Series(["hits"]),
        pd.Series(["hits"], index=["seconds"]),
        pl.Series([True, False]),
        [True, False],
        ["hits"],
    ],
    ids=lambda flags: f"{type(flags).__module__}",
)
def test_directions_are_read_alike_at_every_door(door, flags):
    both = np.stack([_LOSSES, _LOSSES], axis=2)
    key = {"objectives": ["hits", "seconds"]} if door is mt.certify else {"objective_names": ["hits", "seconds"]}
    assert door(both, maximise=flags, **key).maximise == (True, False)


@pytest.mark.parametrize(
    ("costs", "name"),
    [
        ({"usd": xr.DataArray([1, 2, 3], dims="m", coords={"m": ["c", "b", "a"]})}, "usd"),
        (xr.DataArray([1, 2, 3], dims="m", coords={"m": ["c", "b", "a"]}, name="usd"), "usd"),
        (xr.DataArray([1, 2, 3], dims="m", coords={"m": ["c", "b", "a"]}), "cost_1"),
        (xr.DataArray([[1], [2], [3]], dims=["m", "k"], coords={"m": ["c", "b", "a"], "k": ["usd"]}), "usd"),
        (xr.DataArray([[1], [2], [3]], dims=["m", "k"], coords={"m": ["c", "b", "a"]}), "cost_1"),
        (xr.Dataset({"usd": ("m", [1, 2, 3])}, coords={"m": ["c", "b", "a"]}), "usd"),
    ],
)
def test_costs_are_matched_by_coordinates(costs, name, refuses):
    target = np.zeros(60, dtype=int)
    for found in (
        LossTable(_NAMED, costs=costs),
        from_predictions(_NAMED.astype(int), target, objectives=["error"], costs=costs),
    ):
        assert found.cost_names == (name,)
        assert found.costs[:, 0].tolist() == [3, 2, 1]
    found = mt.certify(_NAMED, costs=costs)
    assert found.objectives[1] == name
    assert found.estimates[:, 1].tolist() == [3, 2, 1]
    assert "none for" in refuses("costs", mt.certify, _NAMED.set_axis(list("abd"), axis=1), costs=costs)


_INDEX = ["id", "ID", "Unnamed: 0", "index", "__index_level_0__", "idx", "level_0", "run_id"]


@pytest.mark.parametrize("name", _INDEX)
def test_the_index_of_a_table_is_no_cost(name, refuses, tmp_path):
    table = pd.DataFrame({name: [2, 1, 0], "model": [*"abc"], "usd": [5, 5, 5]})
    for costs in (table, table.set_index("model"), pl.from_pandas(table), pl.from_pandas(table).to_arrow()):
        assert f"{name!r}, which looks like an index: drop it" in refuses("costs", mt.certify, _NAMED, costs=costs)
        refuses("costs", LossTable, _NAMED, costs=costs)
    for path, content in (("c.csv", table.to_csv(index=False)), ("c.json", table.to_json(orient="records"))):
        (tmp_path / path).write_text(content)
        assert "leave the index out" in refuses(path, read_costs, tmp_path / path, models=[*"abc"])
    assert mt.certify(_NAMED, costs=table.drop(columns=name)).objectives[1:] == ("usd",)


@pytest.mark.parametrize(
    "costs",
    [
        {"a": [1, 2, 3], "b": [3, 4, 5], "c": [5, 6, 7]},
        {"a": {"a": 1, "b": 2, "c": 3}, "b": {"a": 1, "b": 2, "c": 3}, "c": {"a": 1, "b": 2, "c": 3}},
        {"a": {"usd": 1}, "b": {"usd": 2}, "c": {"usd": 3}},
        {"a": 1, "b": 2, "c": 3},
        pd.DataFrame({"a": [1, 2, 3], "b": [3, 4, 5], "c": [5, 6, 7]}, index=list("abc")),
        pd.DataFrame({"a": [1, 2, 3], "b": [3, 4, 5], "c": [5, 6, 7]}),
    ],
)
def test_models_are_no_names_of_costs(costs, refuses):
    for door in (mt.certify, LossTable):
        assert "got the names of models: 'a', 'b', 'c'" in refuses("costs", door, _NAMED, costs=costs)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("c.json", json.dumps({m: {"a": 1, "b": 2, "c": 3} for m in "abc"})),
        ("c.json", json.dumps([{"model": m, "a": 1, "b": 2, "c": 3} for m in "abc"])),
        ("c.csv", "model,a,b,c\na,1,2,3\nb,1,2,3\nc,1,2,3\n"),
    ],
)
def test_models_are_no_names_of_costs_in_files(path, content, refuses, tmp_path):
    (tmp_path / path).write_text(content)
    assert "the names of models as costs" in refuses(path, read_costs, tmp_path / path, models=[*"abc"])


@pytest.mark.parametrize(
    "costs",
    [
        {"usd": [True, False, True]},
        {"usd": [True, 2, 3]},
        {"usd": np.array([True, False, True])},
        {"usd": {"a": True, "b": 2.0, "c": 3.0}},
        {"usd": pd.Series([True, 2, 3], dtype=object)},
        {"usd": pd.Series([True, False, True], dtype="boolean")},
        pd.DataFrame({"usd": [True, False, True]}, index=list("abc")),
        pl.DataFrame({"model": list("abc"), "usd": [True, False, True]}),
        np.array([[True], [False], [True]]),
        [[True], [False], [True]],
    ],
)
def test_truth_values_are_no_costs(costs, refuses):
    for door in (mt.certify, LossTable):
        assert "got bools" in refuses("costs", door, _NAMED, costs=costs)


@pytest.mark.parametrize("pair", ["01", b"01", ("0", "1"), (["0"], ["1"]), {0, 1}, {0: 0, 1: 1}])
def test_texts_and_sets_are_no_range(pair, refuses):
    refuses("loss_range", mt.certify, _NAMED, loss_range=pair)
    refuses("loss_range", mt.CertificateStream, 2, 1, 0.1, loss_range=pair)


def test_a_population_matches_numbers_too():
    predictions = pd.DataFrame([[0, 1, 1], [1, 1, 0]], columns=[2, 0, 1])
    found = population(predictions, [0, 1], objectives=["error"], costs={"usd": _BY_NUMBER})
    assert found.true.risks()[:, 1].tolist() == _RIGHT


@pytest.mark.parametrize("given", [["a=.1", "a=.2"], [".1", ".2"]])
def test_a_tolerance_is_given_once(given, tmp_path, capsys):
    path = tmp_path / "losses.csv"
    path.write_text("x/a,y/a,x/b,y/b\n" + "0,1,1,0\n" * 9)
    options = [part for entry in given for part in ("--epsilon", entry)]
    assert main(["certify", str(path), *options]) == 2
    assert "`epsilon` must be given once" in capsys.readouterr().err


def test_a_share_of_delta_is_given_once(tmp_path, capsys):
    path, costs = tmp_path / "losses.csv", tmp_path / "costs.csv"
    path.write_text("p,q\n" + "0,1\n" * 9)
    costs.write_text("model,usd,usd_low,usd_high\np,1,0,2\nq,2,1,3\n")
    twice = ["--cost-delta", "usd=0.01", "--cost-delta", "usd=0.02"]
    assert main(["certify", str(path), "--costs", str(costs), *twice]) == 2
    assert "`cost-delta` must be given once" in capsys.readouterr().err
