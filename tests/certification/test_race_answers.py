"""What races are given: names are matched, models that never answer are refused, and arguments before any work."""

import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr

from moltheory.certification import race
from moltheory.errors import InvalidInputError

_NAMES = ["a", "b", "c"]
_LABELS = ["error", "harm"]
_FRAME = pd.DataFrame(np.random.default_rng(0).random((3000, 3)) < [0.5, 0.3, 0.1], columns=["c", "b", "a"])
_ARRAY = _FRAME[_NAMES].to_numpy()


def _never(models, examples):
    raise AssertionError


def _same(one, other):
    assert one.certificate == other.certificate
    assert one.evaluations.tolist() == other.evaluations.tolist()


@pytest.mark.parametrize(
    "table",
    [
        _FRAME,
        pl.from_pandas(_FRAME),
        dict(_FRAME),
        xr.DataArray(_FRAME.to_numpy().T, dims=("model", "example"), coords={"model": ["c", "b", "a"]}),
        pd.DataFrame(_ARRAY),
    ],
    ids=["pandas", "polars", "mapping", "xarray", "numbered"],
)
def test_tables_with_names_are_matched_to_the_models(table):
    result = race(_NAMES, table)
    assert result.certificate.status == ("sure", "excluded", "excluded")
    _same(result, race(_NAMES, _ARRAY))


def test_answers_with_names_are_matched_to_what_was_asked_for():
    whole = race(_NAMES, lambda models, examples: _FRAME[list(models)].iloc[examples].to_numpy(), n_examples=3000)
    assert whole.certificate.status == ("sure", "excluded", "excluded")
    _same(race(_NAMES, lambda m, e: _FRAME.iloc[e][[x for x in _FRAME if x in m]], n_examples=3000), whole)
    two = np.random.default_rng(1).random((2000, 2, 3)) < [[0.1, 0.2, 0.5], [0.2, 0.4, 0.25]]
    labeled = xr.DataArray(two, dims=("example", "objective", "model"), coords={"objective": _LABELS, "model": _NAMES})
    turned = labeled.isel(objective=[1, 0], model=[2, 0, 1])
    _same(race(_NAMES, turned, objectives=_LABELS), race(_NAMES, two.transpose(0, 2, 1), objectives=_LABELS))


_LEVELS = pd.DataFrame(_ARRAY, columns=pd.MultiIndex.from_product([["x"], _NAMES]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            _FRAME.rename(columns={"c": "d"}),
            "^`evaluate` must have the labels of `models`, got 'd' that `models` lacks",
        ),
        (_FRAME.assign(example=1.0), "'example' that `models` lacks"),
        (_FRAME[["a", "b"]], "none for 'c'"),
        (_FRAME[["a", "b", "b"]], "labels of `models`|distinct"),
        (_FRAME["a"], "`evaluate` must have shape"),
        (_LEVELS, "2 levels of names"),
        ("losses.csv", "must be a function, or losses .* got str"),
        (None, "must be a function, or losses .* got NoneType"),
        (np.where([False, True, False], np.nan, _ARRAY), "only NaN for 'b'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(table, message):
    with pytest.raises(InvalidInputError, match=message):
        race(_NAMES, table)


def test_answers_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match="what `evaluate` returns must have the labels of `models`, got 'c'"):
        race(["a", "b"], lambda models, examples: _FRAME.iloc[examples][["b", "c"]])
    with pytest.raises(InvalidInputError, match="what `evaluate` returns must have shape"):
        race(["a", "b"], lambda models, examples: _FRAME.iloc[examples]["b"])
    with pytest.raises(InvalidInputError, match="returns must be real numbers"):
        race(["a", "b"], lambda models, examples: None)
    named = _FRAME[["a", "b"]]
    with pytest.raises(InvalidInputError, match=r"losses of the pairs in their order, without names, .* 'a': give"):
        race(["a", "b"], lambda pairs, examples: named.iloc[examples], ask="objectives")
    numbered = race(["a", "b"], lambda p, e: pd.DataFrame(named.iloc[e].to_numpy()), ask="objectives", n_examples=100)
    assert numbered.n_examples == 100


@pytest.mark.parametrize("batch", [10, 100])
@pytest.mark.parametrize("ask", ["models", "objectives"])
def test_a_model_that_never_answers_is_refused(tmp_path, batch, ask):
    rng, silent, asked = np.random.default_rng(0), ["b"], []

    def evaluate(wanted, examples):
        asked.append(examples)
        models = [entry[0] if ask == "objectives" else entry for entry in wanted]
        answers = (rng.random((len(examples), len(models))) < 0.3).astype(float)
        answers[:, [name in silent for name in models]] = np.nan
        return answers

    options = {"ask": ask, "batch": batch, "state": tmp_path / "race.npz"}
    with pytest.raises(InvalidInputError, match="must answer for every model, got only NaN for 'b' on 100 examples"):
        race(_NAMES, evaluate, **options)
    assert asked[-1].stop == 100
    # It goes on once the model answers.
    silent.clear()
    assert race(_NAMES, evaluate, n_examples=200, **options).n_examples == 200


def test_an_objective_of_a_rare_group_is_waited_for_but_no_model_in_it():
    table = np.random.default_rng(0).random((400, 3, 2))
    table[:150, :, 1] = np.nan
    options = {"objectives": _LABELS, "n_examples": 400}

    def evaluate(models, examples):
        return table[examples.start : examples.stop, [_NAMES.index(name) for name in models]]

    assert race(_NAMES, evaluate, **options).n_examples == 400
    table[:, 2, 1] = np.nan
    with pytest.raises(InvalidInputError, match="only NaN for 'c' in 'harm' on 300 examples"):
        race(_NAMES, evaluate, **options)


def test_a_state_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    for state, message in (
        (tmp_path / "no" / "x.npz", "`state` must be a file in a folder that is there and can be written to"),
        ("/proc/x.npz", "`state` must be a file in a folder"),
        (tmp_path / f"{'x' * 300}.npz", "`state`"),
        ("x\0.npz", "`state`"),
        (tmp_path, "`state` must be the path of a file of a race, got a folder"),
        ("", "`state` must be the path of a file, got an empty text"),
        (3, "`state` must be the path of a file, got int"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            race(_NAMES, _never, state=state)
    (tmp_path / "text.npz").write_text("losses")
    with pytest.raises(InvalidInputError, match=r"^`state` must be"):
        race(_NAMES, _never, state=tmp_path / "text.npz")


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        (_NAMES, {"budget": "600"}, "`budget` must be a real number, got '600'"),
        (_NAMES, {"budget": True}, "`budget` must be a real number"),
        (_NAMES, {"budget": None}, "`budget` must be a real number"),
        (_NAMES, {"budget": decimal.Decimal(600)}, "`budget` must be a real number"),
        (_NAMES, {"rng": "x"}, "`rng` must be an int"),
        (["a"], {}, "`models` must name at least 2 models, got 1"),
        ([], {}, "`models` must name at least 2 models, got 0"),
    ],
)
def test_arguments_are_refused_before_any_work(models, options, message):
    with pytest.raises(InvalidInputError, match=message):
        race(models, _never, **options)


def test_a_race_keeps_its_costs(tmp_path):
    table = np.random.default_rng(2).random((600, 3, 2)) < 0.3
    path, prices = tmp_path / "race.npz", {"a": 1.0, "b": 2.0, "c": 3.0}
    options = {"objectives": _LABELS, "state": path}
    part = race(_NAMES, table, evaluation_costs=prices, budget=600.0, **options)
    for other in ({"a": 1.0, "b": 2.0, "c": 4.0}, None):
        with pytest.raises(InvalidInputError, match="`evaluation_costs` must be those of the race in `state`"):
            race(_NAMES, table, evaluation_costs=other, **options)
    # Another budget and another way to ask do not change the past.
    more = race(_NAMES, table, evaluation_costs=prices, ask="objectives", budget=1500.0, **options)
    assert part.cost == 600.0 < more.cost <= 1500.0
    again = race(_NAMES, table, evaluation_costs=prices, n_examples=1, **options)
    assert again.cost == more.cost
