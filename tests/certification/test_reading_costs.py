"""Costs of models from CSV and JSON."""

import json

import numpy as np
import pytest

from moltheory.errors import DataWarning
from moltheory.evaluation import read_costs


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("csv", "model,size,latency\nb,70,1.5\na,7,0.5\nc,1,1\n"),
        ("json", json.dumps({"b": {"size": 70, "latency": 1.5}, "a": {"size": 7, "latency": 0.5}})),
        ("json", json.dumps([{"model": "b", "size": 70, "latency": 1.5}, {"model": "a", "size": 7, "latency": 0.5}])),
    ],
)
def test_costs_are_read_in_the_order_of_the_models(suffix, content, tmp_path):
    path = tmp_path / f"costs.{suffix}"
    path.write_text(content)
    names, costs = read_costs(path, models=["a", "b"])
    assert names == ("size", "latency")
    np.testing.assert_array_equal(costs, [[7, 0.5], [70, 1.5]])


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        ("csv", "model,size\na,7\n", "none for 'b'"),
        ("csv", "model,size\na,7\nb,7\na,7\n", "'a' in line 2 and line 4"),
        ("csv", "model,size\na,7\nb\n", "2 fields in every row, got 1 in line 3"),
        ("csv", "model,size\na,7\nb,big\n", "'big' in line 3"),
        ("csv", "model,size\na,7\nb,inf\n", "'inf' in line 3"),
        ("csv", "model,size\na,7\n,1\n", "none in line 3"),
        ("csv", "name,size\na,7\n", "a column 'model'"),
        ("csv", "model\na\nb\n", "at least one cost"),
        ("csv", "model,size\n", "at least one cost"),
        ("csv", "", "an empty file"),
        ("json", "{", "must be JSON"),
        ("json", "3", "values without the name of a cost"),
        ("json", '{"a": 7, "b": 9}', 'such as {"model A": {"size": 7}'),
        ("json", "[7, 9]", "got a list"),
        (
            "json",
            '{"a": {"size": 7}, "b": {"cost": 7}}',
            "the same costs for all models, got 'cost', 'size' in one of entry 'a' and entry 'b'",
        ),
        ("json", '[{"model": "a", "size": true}, {"model": "b", "size": 1}]', "got True in entry 1"),
        ("json", '{"a": {"size": 7}, "b": {"size": 8}, "a": {"size": 9}}', "the key 'a' twice"),
        ("json", '{"a": {"size": 7, "size": 8}, "b": {"size": 8}}', "the key 'size' twice"),
        ("json", '[{"model": "a", "size": 7}, {"model": "b", "size": 8, "price": 9}]', "got 'price' in one of"),
        ("json", "[" * 100_000, "nested too deeply"),
        ("csv", 'model,size\na,7\nb,"8\nc,9\n', "unexpected end of data"),
        ("csv", "Unnamed: 0,model,size\n0,a,7\n1,b,8\n", "must hold costs only, got 'Unnamed: 0'"),
        (
            "json",
            '[{"index": 0, "model": "a", "size": 7}, {"index": 1, "model": "b", "size": 8}]',
            "leave the index out",
        ),
        ("txt", "", "must end in .csv or .json"),
    ],
)
def test_malformed_costs_are_refused(suffix, content, words, tmp_path, refuses):
    path = tmp_path / f"costs.{suffix}"
    path.write_text(content)
    assert words in refuses(path.name, read_costs, path, models=["a", "b"])


def test_a_missing_file_is_refused(tmp_path, refuses):
    refuses("costs.csv", read_costs, tmp_path / "costs.csv", models=["a"])
    refuses("costs.json", read_costs, tmp_path / "costs.json", models=["a"])


def test_costs_of_models_and_models_of_costs_are_the_same(tmp_path):
    by_model, by_cost = tmp_path / "by_model.json", tmp_path / "by_cost.json"
    by_model.write_text('{"a": {"size": 7, "price": 1}, "b": {"size": 9, "price": 2}}')
    by_cost.write_text('{"size": {"a": 7, "b": 9}, "price": {"b": 2, "a": 1}}')
    found = [read_costs(path, models=["a", "b"]) for path in (by_model, by_cost)]
    assert found[0][0] == found[1][0] == ("size", "price")
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("costs.csv", "model,size\na,7\nother,1\nb,9\n"),
        ("costs.json", '{"a": {"size": 7}, "other": {"size": 1}, "b": {"size": 9}}'),
        ("costs.json", '{"size": {"a": 7, "other": 1, "b": 9}}'),
        ("costs.json", '[{"model": "a", "size": 7}, {"model": "other"}, {"model": "b", "size": 9}]'),
    ],
)
def test_costs_of_models_that_do_not_occur_are_named(name, content, tmp_path):
    path = tmp_path / name
    path.write_text(content)
    with pytest.warns(DataWarning, match=r"costs of models that do not occur, 'other'"):
        names, costs = read_costs(path, models=["a", "b"])
    assert names == ("size",)
    np.testing.assert_array_equal(costs, [[7], [9]])
