"""What belongs together is matched by its labels, or refused: at every door the same."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import moltheory as mt
from moltheory.errors import DataWarning
from moltheory.evaluation import LossTable, from_estimators, from_predictions
from moltheory.problems import LogisticGroups
from moltheory.problems import from_predictions as population

_ROWS = [f"e{i}" for i in range(24)]
_RNG = np.random.default_rng(3)
_FRAME = pd.DataFrame(_RNG.integers(0, 2, (24, 2)), columns=["a", "b"], index=_ROWS)
_TARGET = pd.Series(_RNG.integers(0, 2, 24), index=_ROWS)
_GROUP = pd.Series(_RNG.choice(["x", "y"], 24), index=_ROWS)
_CLUSTERS = pd.Series(np.repeat(np.arange(12), 2), index=_ROWS)


class _Sign:
    def predict(self, x):
        return (np.asarray(x)[:, 0] > 0).astype(int)


_FEATURES = pd.DataFrame(_RNG.normal(size=(24, 2)), index=_ROWS)
_OBJECTIVES = ["error", "worst_group_error"]


def _risks(problem):
    return problem.true.risks().tolist()


# Door: (argument that is matched, its Series, function of the argument, returning something that compares).
_DOORS = {
    "certify, clusters": ("clusters", _CLUSTERS, lambda s: mt.certify(_FRAME, clusters=s)),
    "certify of a table, clusters": ("clusters", _CLUSTERS, lambda s: mt.certify(LossTable(_FRAME), clusters=s)),
    "LossTable, clusters": ("clusters", _CLUSTERS, lambda s: LossTable(_FRAME, clusters=s).certify()),
    "from_predictions, target": ("target", _TARGET, lambda s: from_predictions(_FRAME, s).certify()),
    "from_predictions, group": (
        "group",
        _GROUP,
        lambda s: from_predictions(_FRAME, _TARGET, group=s, objectives=_OBJECTIVES).certify(),
    ),
    "from_predictions, clusters": (
        "clusters",
        _CLUSTERS,
        lambda s: from_predictions(_FRAME, _TARGET, objectives=["error"], clusters=s).certify(),
    ),
    "from_estimators, target": (
        "target",
        _TARGET,
        lambda s: from_estimators({"p": _Sign(), "q": _Sign()}, _FEATURES, s, objectives=["error"]).certify(),
    ),
    "population, target": ("target", _TARGET, lambda s: _risks(population(_FRAME, s, objectives=["error"]))),
    "population, group": (
        "group",
        _GROUP,
        lambda s: _risks(population(_FRAME, _TARGET, group=s, objectives=_OBJECTIVES)),
    ),
    "LogisticGroups, group": (
        "group",
        _GROUP,
        lambda s: LogisticGroups(_FEATURES, _TARGET, s).true.risks([[0.1, 0.2, 0.3]]).tolist(),
    ),
}


@pytest.mark.parametrize("door", _DOORS)
def test_rows_are_matched_by_their_labels(door, refuses):
    argument, series, call = _DOORS[door]
    right = call(series.to_numpy())
    shuffled = series.sample(frac=1, random_state=1)
    for labelled in (series, shuffled, shuffled.to_dict(), shuffled.astype("category"), pl.Series(series.to_list())):
        assert call(labelled) == right
    # An index that only numbers the rows, and an array, have no labels.
    assert call(series.reset_index(drop=True)) == right
    message = refuses(argument, call, shuffled.rename({"e0": "f0"}))
    assert "'f0'" in message
    assert "none for 'e0'" in message
    refuses(argument, call, series.iloc[1:])
    refuses(argument, call, shuffled.rename({"e0": "e1"}))
    refuses(argument, call, series.astype(object).where(series.index != "e3"))
    refuses(argument, call, set(series))


@pytest.mark.parametrize("door", ["certify, clusters", "from_predictions, group", "population, group"])
@pytest.mark.parametrize("labels", [["a", None], ["a", np.nan], [1, "1"], [1, np.nan], [True, "True"]], ids=str)
def test_missing_and_mixed_labels_are_refused(door, labels, refuses):
    argument, _, call = _DOORS[door]
    refuses(argument, call, labels * 12)
    refuses(argument, call, np.array(labels * 12, dtype=object))
    refuses(argument, call, pd.Series(labels * 12, index=_ROWS, dtype=object))


def test_numbers_in_another_order_are_no_guess(refuses):
    losses = _FRAME.reset_index(drop=True)
    clusters = _CLUSTERS.reset_index(drop=True)
    message = refuses("clusters", mt.certify, losses.to_numpy(), clusters=clusters[::-1])
    assert "another order" in message
    # Labels that number other rows, as those of a split do, are no labels of these.
    assert mt.certify(losses, clusters=clusters.set_axis(range(100, 124))) == mt.certify(losses, clusters=clusters)
    target = pd.Series([0, 1] * 12)
    refuses("target", from_predictions, losses.to_numpy(), target[::-1])


def test_repeated_labels_are_matched_by_position_only_where_they_agree(refuses):
    index = ["e"] * 2 + _ROWS[2:]
    losses, clusters = _FRAME.set_axis(index), _CLUSTERS.set_axis(index)
    assert mt.certify(losses, clusters=clusters) == mt.certify(_FRAME, clusters=_CLUSTERS)
    assert "'e' more than once" in refuses("clusters", mt.certify, losses, clusters=clusters[::-1])


_COSTS = pd.Series({"b": 2.0, "a": 1.0})


@pytest.mark.parametrize(
    "costs",
    [
        _COSTS,
        _COSTS.to_frame("size"),
        {"size": _COSTS},
        {"size": _COSTS.to_dict()},
        pd.DataFrame({"model": ["b", "a"], "size": [2, 1]}),
        pl.DataFrame({"model": ["b", "a"], "size": [2, 1]}),
        pl.DataFrame({"model": ["b", "a"], "size": [2, 1]}).to_arrow(),
        {"size": pd.Series([1, 2], dtype="Int64")},
        np.array([1.0, 2.0]),
    ],
    ids=lambda costs: type(costs).__module__.split(".")[0],
)
def test_costs_are_matched_by_the_names_of_models(costs):
    right = [1.0, 2.0]
    assert mt.certify(_FRAME, costs=costs).estimates[:, 1].tolist() == right
    assert from_predictions(_FRAME, _TARGET, objectives=["error"], costs=costs).costs[:, 0].tolist() == right
    stream = mt.CertificateStream(["a", "b"], 1, 0.1, costs=costs)
    assert stream.certificate().estimates[:, 1].tolist() == right


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: c.to_frame("size"), lambda c: {"size": c.to_dict()}])
def test_costs_of_other_models_are_told_and_missing_ones_refused(wrap, refuses):
    more = pd.Series({"c": 3.0, "b": 2.0, "a": 1.0})
    with pytest.warns(DataWarning, match="costs of 'c' are left out"):
        assert mt.certify(_FRAME, costs=wrap(more)).estimates[:, 1].tolist() == [1.0, 2.0]
    refuses("costs", mt.certify, _FRAME, costs=wrap(_COSTS.rename({"b": "c"})))


def test_names_and_directions_are_matched(refuses):
    names = {"b": "B", "a": "A"}
    for given in (
        names,
        pd.Series(names),
        ["A", "B"],
        pd.Index(["A", "B"]),
        pl.Series(["A", "B"]),
        np.array(["A", "B"]),
    ):
        assert mt.certify(_FRAME, names=given).names == ("A", "B")
    refuses("names", mt.certify, _FRAME, names={"a": "A", "c": "C"})
    refuses("names", mt.certify, _FRAME.to_numpy(), names=names)
    refuses("names", mt.certify, _FRAME, names={"A", "B"})
    both = np.stack([_FRAME, _FRAME], axis=2)
    flags = pd.Series({"seconds": False, "hits": True})
    found = mt.certify(both, objectives=["hits", "seconds"], maximise=flags)
    assert found.maximise == (True, False)
    refuses(
        "epsilon", mt.certify, both, objectives=["hits", "seconds"], epsilon=pd.Series({"seconds": 0.0, "hits": 0.1})
    )


def test_a_stream_matches_models_and_objectives(refuses):
    rows = pd.DataFrame([[0.1, 0.2], [0.3, 0.4]], index=["a", "b"], columns=["error", "seconds"])
    right, found = (mt.CertificateStream(["a", "b"], ["error", "seconds"], 0.1) for _ in range(2))
    right.update(rows.to_numpy())
    found.update(rows.iloc[::-1, ::-1])
    np.testing.assert_array_equal(found.certificate().estimates, right.certificate().estimates)
    refuses("losses", found.update, rows.rename(index={"a": "c"}))
    refuses("losses", found.update, rows.rename(columns={"error": "cost"}))
    assert found.n_examples == 1


def test_a_mapping_of_models_to_losses():
    series = {name: _FRAME[name].sample(frac=1, random_state=i) for i, name in enumerate(_FRAME)}
    right = mt.certify(_FRAME)
    for losses in (
        series,
        {name: list(_FRAME[name]) for name in _FRAME},
        {name: _FRAME[name].to_dict() for name in _FRAME},
    ):
        assert mt.certify(losses) == right
        assert LossTable(losses).certify() == right
    assert mt.certify(series, clusters=_CLUSTERS[::-1]) == mt.certify(_FRAME.loc[series["a"].index], clusters=_CLUSTERS)
    predictions = from_predictions(series, _TARGET, objectives=["error"])
    assert predictions.certify() == from_predictions(_FRAME, _TARGET, objectives=["error"]).certify()


def test_a_dataset_is_a_mapping():
    import xarray as xr

    held = xr.Dataset({name: ("example", _FRAME[name].to_numpy()) for name in _FRAME}, coords={"example": _ROWS})
    assert mt.certify(held, clusters=_CLUSTERS[::-1]) == mt.certify(_FRAME, clusters=_CLUSTERS)


def test_matching_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_predictions(_FRAME, _TARGET[::-1], group=_GROUP.to_dict(), objectives=_OBJECTIVES)
