"""Predictions as a person hands them over: pandas, costs, labels, and what is said where they do not fit."""

import numpy as np
import pandas as pd
import pytest

from moltheory.problems import from_predictions

_Y = [0, 1, 1, 0, 1]
_TABLE = np.array([[0, 1], [1, 1], [1, 0], [0, 0], [1, 1]])
_MIXED = np.where(_TABLE, 1, np.array("no", dtype=object))


@pytest.fixture
def frame():
    return pd.DataFrame(_TABLE, columns=["tree", "line"], index=list("abcde"))


def test_columns_of_a_frame_name_the_models(frame):
    y = pd.Series(_Y, index=frame.index)
    before = frame.copy()
    problem = from_predictions(frame, y, group=y, objectives=["error", "worst_group_error"])
    assert problem.hypothesis_names == ("tree", "line")
    assert problem.true.risks()[:, 0].tolist() == [0, 0.4]
    pd.testing.assert_frame_equal(frame, before)
    assert from_predictions(frame, _Y, objectives=["error"], hypothesis_names=["a", "b"]).hypothesis_names[0] == "a"
    assert from_predictions(pd.DataFrame(_TABLE), _Y, objectives=["error"]).hypothesis_names == ("h0", "h1")
    assert from_predictions(frame.set_axis([1, 2], axis=1), _Y, objectives=["error"]).hypothesis_names == ("1", "2")


def test_rows_are_matched_by_their_labels(frame, refuses):
    y = pd.Series(_Y, index=frame.index)
    group = pd.Series(list("xyxyx"), index=frame.index)
    objectives = ["error", "worst_group_error"]
    right = from_predictions(frame, y, group=group, objectives=objectives).true.risks().tolist()
    shuffled = from_predictions(frame, y[::-1], group=group.sample(frac=1, random_state=0), objectives=objectives)
    assert shuffled.true.risks().tolist() == right
    assert from_predictions(_TABLE, y, group=group[::-1], objectives=objectives).true.risks().tolist() == right
    # an array, and an index that only numbers the rows, have no labels: the rows are taken as they come
    assert from_predictions(frame, np.array(_Y), objectives=["error"]).true.risks()[0, 0] == 0
    assert from_predictions(frame, pd.Series(_Y), objectives=["error"]).true.risks()[0, 0] == 0
    other = y.rename({"a": "f"})
    assert "got 'f' that `predictions` lacks" in refuses("target", from_predictions, frame, other, objectives=["error"])
    numbered = pd.Series(_Y, index=[4, 3, 2, 1, 0])
    assert "another order" in refuses("target", from_predictions, _TABLE, numbered, objectives=["error"])
    double = frame.set_axis(["tree", "tree"], axis=1)
    assert "'tree' twice" in refuses("predictions", from_predictions, double, _Y, objectives=["error"])


def test_missing_values_of_pandas_are_refused(frame, refuses):
    y = pd.Series([0, 1, None, 0, 1], index=frame.index, dtype="Int64")
    refuses("target", from_predictions, frame, y, objectives=["error"])


@pytest.mark.parametrize(
    ("cost", "found"),
    [
        ([1, 2, 3], "got 3 for 'size'"),
        ([1, np.nan], "got NaN for 'size'"),
        ([1, np.inf], "got an infinity for 'size'"),
        (7, "got shape () for 'size'"),
        (["1", "2"], "numbers for 'size'"),
        ([[1], [1, 2]], "numbers for 'size'"),
    ],
)
def test_bad_costs_are_named(refuses, cost, found):
    message = refuses("costs", from_predictions, _TABLE, _Y, objectives=["error"], costs={"time": [1, 2], "size": cost})
    assert message.startswith("`costs` must have 2 finite values for each name, ")
    assert message.endswith(found + ".")


def test_costs_that_are_no_mapping_or_of_other_models_are_refused(frame, refuses):
    message = refuses("costs", from_predictions, _TABLE, _Y, objectives=["error"], costs=[1, 2])
    assert message == "`costs` must map names to arrays of shape (H,), got list."
    swapped = pd.Series([1, 2], index=["line", "tree"])
    for size in (swapped, swapped[::-1], swapped.to_dict()):
        problem = from_predictions(frame, _Y, objectives=["error"], costs={"size": size})
        assert problem.true.risks()[:, 1].tolist() == [2, 1]
    other = swapped.rename({"tree": "bush"})
    assert "'bush'" in refuses("costs", from_predictions, frame, _Y, objectives=["error"], costs={"size": other})


def test_transposed_predictions_are_told(refuses):
    message = refuses("predictions", from_predictions, _TABLE.T, _Y, objectives=["error"])
    assert "shape (n, H)" in message
    assert "looks transposed" in message


@pytest.mark.parametrize(("objective", "label"), [("false_negative_rate", 1), ("false_positive_rate", 0)])
def test_a_rate_needs_an_example(refuses, objective, label):
    message = refuses("target", from_predictions, _TABLE, np.full(5, 1 - label), objectives=[objective])
    assert message == f"`target` must hold at least one {label} for {objective}, got none."


@pytest.mark.parametrize("objective", ["false_negative_rate", "demographic_parity_gap"])
def test_what_is_no_label_is_refused_with_what_to_do(refuses, objective):
    def words(predictions, target=_Y, argument="predictions"):
        return refuses(argument, from_predictions, predictions, target, group=list("ababa"), objectives=[objective])

    message = words(np.array([[0.1], [0.25], [1 / 3], [0.7], [1.0]]))
    assert f"0 or 1 for {objective}" in message
    assert "got 0.1, 0.25, 0.333333, 0.7, ...: cut" in message
    assert "(predictions > 0.5).astype(int)" in message
    message = words(2 * _TABLE - 1)
    assert "got -1, 1: recode, for example with (predictions == positive).astype(int)" in message
    assert "got 'no', 'yes': recode" in words(np.where(_TABLE, "yes", "no"))
    assert "got 1, 'no': recode" in words(_MIXED)
    assert "(target == positive)" in words(_TABLE, np.array(_Y) * 2 - 1, "target")


def test_errors_of_what_is_no_label_are_refused(refuses):
    message = refuses("predictions", from_predictions, [[0.2], [0.7]], [0, 1], objectives=["error"])
    assert "labels for error, got 0.2, 0.7: cut" in message
    message = refuses("predictions", from_predictions, [["0"], ["1"]], [0, 1], objectives=["worst_class_error"])
    assert "for worst_class_error, got text for numbers" in message
    # labels may be any: text for text, halves for halves, and classes that the target never takes
    assert from_predictions([["a"], ["b"]], ["a", "c"], objectives=["error"]).true.risks()[0, 0] == 0.5
    assert from_predictions([[0.5], [1.0]], [0.5, 1.5], objectives=["error"]).true.risks()[0, 0] == 0.5
    # but another coding of the target's labels is no error
    assert "got -1, 1 for 0, 1" in refuses("predictions", from_predictions, [[-1], [1]], [0, 1], objectives=["error"])


def test_regressions_name_their_objective(refuses):
    message = refuses("target", from_predictions, [[0.2], [0.7]], [1.0, 1.0], objectives=["squared_error"])
    assert message == "`target` must not be constant for squared_error, got 1 only."
    message = refuses("predictions", from_predictions, [[np.inf], [0.7]], [0, 1], objectives=["absolute_error"])
    assert message == "`predictions` must be finite numbers for absolute_error, got NaN or an infinity."


def test_squared_error_of_probabilities_is_the_brier_score_over_the_variance():
    p = np.array([0.25, 0.5, 0.75, 0.0, 1.0])
    found = from_predictions(p[:, None], _Y, objectives=["squared_error"]).true.risks()[0, 0]
    assert found == pytest.approx(np.mean((p - _Y) ** 2) / np.var(_Y), abs=1e-6)
