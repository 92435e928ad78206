"""What is no losses is named with its type, and with the function that takes it."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

import moltheory as mt
from moltheory.bounds import mean_interval
from moltheory.evaluation import LossTable, from_predictions, prediction_seconds
from moltheory.problems import FiniteWorld

_LOSSES = np.zeros((4, 2))
_WIDE = pd.DataFrame(_LOSSES, columns=["a", "b"])
_LONG = pd.DataFrame({"model": ["a", "b"], "example": [1, 1], "loss": [0, 1]})


def _estimator():
    from sklearn.dummy import DummyClassifier

    return DummyClassifier().fit([[0], [1]], [0, 1])


def _tensors():
    import torch

    return {
        "tensor elsewhere": (torch.empty((2, 2), device="meta"), ".cpu()"),
        "sparse tensor": (torch.eye(2).to_sparse(), ".to_dense()"),
    }


def _cases():
    study = SimpleNamespace(trials=[], best_trials=[], directions=["minimize"])
    return {
        "file": ("file.csv", "open_losses"),
        "path": (Path("file.csv"), "open_losses"),
        "long": (_LONG, "from_long_table"),
        "long, numbered": (_LONG.assign(model=[0, 1]), "from_long_table"),
        "long, polars": (pl.from_pandas(_LONG), "from_long_table"),
        "text": (_WIDE.assign(prompt="why?"), "the text 'why?' in column 'prompt'"),
        "dates": (_WIDE.assign(day=pd.Timestamp(0)), "in column 'day'"),
        "predictions": (pd.DataFrame({"target": ["x"], "m": ["y"]}), "from_predictions"),
        "estimator": (_estimator(), "from_estimators"),
        "estimators": ({"m": _estimator()}, "from_estimators"),
        "study": (study, "fresh data"),
        "metric frame": (SimpleNamespace(by_group=1, overall=2), "from_predictions(..., group=...)"),
        "cross-validation": ({"fit_time": [1.0], "test_score": [0.9]}, "from_cross_validation"),
        "search": (SimpleNamespace(cv_results_={}), "from_cross_validation"),
        "results of a search": ({"params": [], "mean_test_score": [0.9]}, "from_cross_validation"),
        "averages": ({"a": 0.1, "b": 0.2}, "averages are no examples"),
        "tables": ({"a": _LOSSES, "b": _LOSSES}, "numpy.stack"),
        "uneven": ({"a": [0, 1], "b": [1]}, "NaN marks"),
        "frames": ([_WIDE, _WIDE], "numpy.stack"),
        "sparse": (sparse.csr_array(_LOSSES), ".toarray()"),
        "lazy": (pl.from_pandas(_WIDE).lazy(), "collect it"),
        "two columns of one name": (_WIDE.astype("Int64").set_axis(["a", "a"], axis=1), "'a' twice"),
        "nothing": (None, "got None"),
        "class": (LossTable, "LossTable"),
        "generator": ((row for row in _LOSSES), "generator"),
        "set": ({0, 1}, "got set"),
        "object": (object(), "object"),
        "number": (3, "int"),
        "vector": (pd.Series([0, 1]), "shape (2,)"),
        "empty": (_WIDE.iloc[:0], "empty"),
        "empty mapping": ({}, "empty"),
        "index": (_WIDE.assign(**{"Unnamed: 0": 0}), "'Unnamed: 0'"),
        "index of parquet": (_WIDE.assign(__index_level_0__=0), "'__index_level_0__'"),
        "label": (_WIDE.assign(label=0), "'label'"),
        "complex": (_LOSSES + 1j, "complex128"),
        "texts": ([["0", "1"]], "<U1"),
        "ragged": ([[0, 1], [1]], "ragged"),
    }


@pytest.fixture(scope="module")
def cases():
    # torch takes a second to import, so it is done where it is needed, not where tests are collected.
    return _cases() | (_tensors() if importlib.util.find_spec("torch") else {})


_TENSORS = ["tensor elsewhere", "sparse tensor"] if importlib.util.find_spec("torch") else []  # an extra


@pytest.mark.parametrize("case", [*_cases(), *_TENSORS])
def test_other_things_are_named_with_what_takes_them(case, cases, refuses):
    value, words = cases[case]
    assert words in refuses("losses", mt.certify, value)
    refuses("losses", LossTable, value)


def test_a_column_of_labels_is_a_model_where_it_is_named():
    frame = _WIDE.assign(label=0)
    assert mt.certify(frame, names=["a", "b", "c"]).names == ("a", "b", "c")
    assert LossTable(frame, ["a", "b", "c"]).model_names == ("a", "b", "c")


class _Hostile:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no\nmore")


class _Subclass(np.ndarray):
    pass


@pytest.mark.parametrize(
    ("argument", "door"),
    [
        ("losses", mt.certify),
        ("losses", LossTable),
        ("points", mt.nondominated),
        ("points", mt.pareto_rank),
        ("points", mt.pareto_front),
        ("losses", lambda x: mean_interval(x, delta=0.1)),
        ("losses", FiniteWorld.from_examples),
        ("predictions", lambda x: from_predictions(x, [0, 1])),
    ],
)
def test_hostile_inputs_are_refused_in_one_sentence(argument, door, refuses):
    for value in (_Hostile(), [[_Hostile(), 1]], sparse.csr_matrix(_LOSSES), pl.LazyFrame({"a": [1]}), [[1, 2], [3]]):
        refuses(argument, door, value)
    refuses(argument, door, np.array([[object(), 1], [1, {}]]) if argument != "predictions" else [[None, 1], [1, 0]])


def test_subclasses_are_the_arrays_that_they_are():
    values = np.random.default_rng(0).random((24, 2))
    assert mt.certify(values.view(_Subclass)) == mt.certify(values)
    assert (mt.pareto_rank(values.view(np.matrix)) == mt.pareto_rank(values)).all()


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "coo_array", "csc_array"])
def test_sparse_features_are_passed_on(kind):
    from sklearn.linear_model import LogisticRegression

    x = np.random.default_rng(0).normal(size=(30, 3))
    y = (x[:, 0] > 0).astype(int)
    held = getattr(sparse, kind)(x)
    models = {"m": LogisticRegression().fit(x, y)}
    found = mt.certification.from_estimators(models, held, y, objectives=["error"])
    assert found.losses.tolist() == mt.certification.from_estimators(models, x, y, objectives=["error"]).losses.tolist()
    assert len(prediction_seconds(models, held)) == 1
