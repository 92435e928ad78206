"""What stands in another order than it says is put right or refused: numbered rows, dimensions, levels, names."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import moltheory as mt
from moltheory.evaluation import LossTable, from_estimators, from_predictions
from moltheory.evaluation._no_models import is_no_model
from moltheory.problems import from_predictions as population

_RNG = np.random.default_rng(3)
_N = 48
_DF = pd.DataFrame(_RNG.integers(0, 2, (_N, 3)), columns=list("abc"))
_Y = pd.Series(_RNG.integers(0, 2, _N))
_C = pd.Series(np.repeat(np.arange(_N // 4), 4))
_SHUFFLED = _DF.sample(frac=1, random_state=1)


class _Sign:
    def predict(self, x):
        return np.asarray(x)[:, 0]


def _estimates(certificate):
    return certificate.estimates.round(12).tolist(), certificate.status, certificate.boxes.round(9).tolist()


def _of_predictions(frame, target):
    return _estimates(from_predictions(frame, target, objectives=["error"]).certify())


# Door: (function of a frame and a Series, the Series).
_DOORS = {
    "certify": (lambda f, s: _estimates(mt.certify(f, clusters=s)), _C),
    "LossTable": (lambda f, s: _estimates(LossTable(f, clusters=s).certify()), _C),
    "certify of a table": (lambda f, s: _estimates(mt.certify(LossTable(f), clusters=s)), _C),
    "from_predictions": (_of_predictions, _Y),
    "mapping": (lambda f, s: _of_predictions({"a": f.a, "b": f.b}, s), _Y),
    "population": (lambda f, s: population(f, s, objectives=["error"]).true.risks().round(12).tolist(), _Y),
    "from_estimators": (
        lambda f, s: _estimates(
            from_estimators({"p": _Sign(), "q": _Sign()}, f, s, objectives=["error"], costs=()).certify()
        ),
        _Y,
    ),
}


@pytest.mark.parametrize("door", _DOORS)
def test_a_numbered_index_is_matched_by_the_same_numbers(door, refuses):
    call, series = _DOORS[door]
    right = call(_DF, series)
    assert call(_SHUFFLED, series) == right
    assert call(_DF, series.sample(frac=1, random_state=2)) == right
    assert call(_SHUFFLED, series.sample(frac=1, random_state=2)) == right
    # Numbers of other rows are no labels of these.
    assert call(_DF, series.set_axis(range(100, 100 + _N))) == right


def test_cross_validation_matches_numbered_rows():
    from sklearn.dummy import DummyClassifier
    from sklearn.model_selection import KFold, cross_validate

    options = {"cv": KFold(4), "return_estimator": True, "return_indices": True}
    results = {name: cross_validate(DummyClassifier(), _DF, _Y, **options) for name in "pq"}
    with pytest.warns(mt.errors.AggregateWarning):
        found = [mt.evaluation.from_cross_validation(results, _DF, y).losses for y in (_Y, _Y[::-1])]
    np.testing.assert_array_equal(*found)


def test_series_of_a_mapping_are_matched_or_refused(refuses):
    mixed = {"a": _DF.a, "b": _DF.b.sample(frac=1, random_state=1), "c": _SHUFFLED.c}
    assert mt.certify(mixed) == mt.certify(_DF)
    assert _of_predictions(mixed, _Y) == _of_predictions(_DF, _Y)
    for other in (_DF.b.set_axis(range(1, _N + 1)), _DF.b.set_axis([f"e{i}" for i in range(_N)])):
        refuses("losses", mt.certify, {"a": _DF.a, "b": other})
        refuses("predictions", from_predictions, {"a": _DF.a, "b": other}, _Y)
    refuses("losses", mt.certify, {"a": _DF.a.to_numpy(), "b": _SHUFFLED.b})
    assert mt.certify({"a": _DF.a.tolist(), "b": _DF.b, "c": _DF.c.to_numpy()}) == mt.certify(_DF)


_CUBE = np.stack([_DF.to_numpy(), 1 - _DF.to_numpy()], axis=2)


@pytest.mark.parametrize(
    "dims", ["example model objective", "objectives models samples", "metric row model", "model x metrics"]
)
def test_dimensions_are_put_in_the_order_that_they_name(dims):
    roles = {"e": 0, "s": 0, "r": 0, "x": 0, "o": 2}
    names = dims.split()
    axes = [1 if name.startswith("model") else 2 if name[:3] in ("met", "obj") else roles[name[0]] for name in names]
    labels = {1: list("abc"), 2: ["error", "other"]}
    coords = {name: labels[axis] for name, axis in zip(names, axes, strict=True) if axis}
    held = xr.DataArray(_CUBE.transpose(axes), dims=names, coords=coords)
    right = mt.certify(_CUBE, names=list("abc"), objectives=["error", "other"])
    assert mt.certify(held) == LossTable(held).certify() == right


def test_dimensions_of_two_axes(refuses):
    turned = xr.DataArray(_DF.to_numpy().T, dims=("model", "example"), coords={"model": list("abc")})
    assert mt.certify(turned) == mt.certify(_DF)
    assert _of_predictions(turned, _Y) == _of_predictions(_DF, _Y)
    refuses("losses", mt.certify, xr.DataArray(_DF.to_numpy(), dims=("model", "metric")))
    refuses("losses", mt.certify, xr.DataArray(_DF.to_numpy(), dims=("model", "models")))


@pytest.mark.parametrize(
    ("argument", "door"),
    [
        ("losses", mt.certify),
        ("losses", LossTable),
        ("predictions", lambda x: from_predictions(x, _Y)),
        ("samples", lambda x: mt.Measured.from_samples(x, delta=0.1, value_range=(0, 1))),
    ],
)
def test_columns_of_several_levels_are_refused(argument, door, refuses):
    levels = pd.concat({"err": _DF, "lat": _DF / 2}, axis=1)
    for frame in (levels, _DF.set_axis(pd.MultiIndex.from_product([["e"], list("abc")]), axis=1)):
        assert "(n, M, N)" in refuses(argument, door, frame)


def test_names_do_not_reorder(refuses):
    names = ["c", "b", "a"]
    for losses in (_DF, LossTable(_DF), {name: _DF[name] for name in _DF}):
        assert "select" in refuses("names", mt.certify, losses, names=names)
    refuses("model_names", LossTable, _DF, names)
    refuses("names", from_predictions, _DF, _Y, names=names)
    refuses("hypothesis_names", population, _DF, _Y, objectives=["error"], hypothesis_names=names)
    assert mt.certify(_DF, names=["a", "b", "c"]) == mt.certify(_DF)
    assert mt.certify(_DF, names=["a", "b", "d"]).names == ("a", "b", "d")
    assert mt.certify(_DF, names={"a": "b", "b": "a", "c": "c"}).names == ("b", "a", "c")


def test_objectives_are_selected_by_their_names(refuses):
    table = LossTable(_CUBE, list("abc"), ["error", "acc"], maximise=["acc"], loss_range={"acc": (0, 2)})
    right = table.certify()
    turned = table.certify(objectives=["acc", "error"])
    assert turned.objectives == ("acc", "error")
    assert turned.maximise == (True, False)
    assert turned.estimates[:, ::-1].tolist() == right.estimates.tolist()
    assert table.certify(objectives=["acc"]) == table.certify(objectives="acc") == table.select(["acc"]).certify()
    assert table.certify(objectives=["x", "y"]).objectives == ("x", "y")
    refuses("objectives", mt.certify, _CUBE, objectives={"error", "acc"})
    refuses("objectives", table.certify, objectives=frozenset({"error", "acc"}))
    refuses("objective_names", LossTable, _CUBE, list("abc"), {"error", "acc"})
    refuses("objective_names", LossTable, table, objective_names=["acc", "error"])
    held = xr.DataArray(_CUBE, dims=("example", "model", "objective"), coords={"objective": ["error", "acc"]})
    assert mt.certify(held, objectives=["acc", "error"]).estimates[:, ::-1].tolist() == right.estimates.tolist()


@pytest.mark.parametrize(
    "name",
    ["y true", "Y_True", "Label", "prompt_hash", "num tokens", "run_id", "Unnamed: 0", "level_0", " idx", "seed"],
)
def test_columns_that_are_no_models_are_the_same_in_memory_and_in_files(name, refuses, tmp_path):
    frame = _DF.assign(**{name: _DF["a"]})
    assert is_no_model(name)
    refuses("losses", mt.certify, frame)
    path = tmp_path / "losses.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(mt.errors.InvalidInputError, match="columns of models only"):
        mt.certification.open_losses(path)
    assert not is_no_model("gpt-4")
