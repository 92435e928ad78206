"""Predictions coded otherwise than the target are refused; labels that the target never holds are told."""

import warnings

import numpy as np
import pandas as pd
import pytest

from moltheory.errors import DataWarning
from moltheory.evaluation import from_estimators, from_predictions
from moltheory.problems import from_predictions as population

_Y = np.array([0, 1] * 20)
_P = np.column_stack([_Y, np.roll(_Y, 1), np.r_[_Y[:30], 1 - _Y[30:]]])
_TEXT = np.array(["No", "Yes"])
_RNG = np.random.default_rng(0)

# Case: (predictions, target).
_OTHERWISE = {
    "from 1": (_P + 1, _Y),
    "from 1, one model": (np.column_stack([_P, _Y + 1]), _Y),
    "signs": (2 * _P - 1, _Y),
    "signs in the target": (_P, 2 * _Y - 1),
    "case": (np.char.lower(_TEXT)[_P], _TEXT[_Y]),
    "blanks": (np.char.add(_TEXT, " ")[_P], _TEXT[_Y]),
    "bools as texts": (np.array(["False", "True"])[_P], np.array(["false", "true"])[_Y]),
    "numbers as texts": (np.array(["0", "1"])[_P], np.array(["0.0", "1.0"])[_Y]),
    "bytes": (np.array([b"No", b"Yes"])[_P], _TEXT[_Y]),
    "bytes as objects": (np.array([b"No", b"Yes"], dtype=object)[_P], _TEXT[_Y]),
    "other words": (np.array(["neg", "pos"])[_P], _TEXT[_Y]),
    "percentages": (_RNG.integers(0, 100, (40, 3)), _Y),
    "logits": (_RNG.integers(-5, 5, (40, 3)), _Y),
    "one model": (np.column_stack([_TEXT[_P[:, 0]], np.char.lower(_TEXT)[_P[:, 1]]]), _TEXT[_Y]),
}


@pytest.mark.parametrize("case", _OTHERWISE)
@pytest.mark.parametrize("door", [from_predictions, population])
def test_another_coding_is_refused(case, door, refuses):
    predictions, target = _OTHERWISE[case]
    argument = "predictions"
    refuses(argument, door, pd.DataFrame(predictions), target, objectives=["error"])


class _Shifted:
    def predict(self, x):
        return np.asarray(x)[:, 0] + 1


def test_estimators_of_another_coding_are_refused(refuses):
    refuses("predictions", from_estimators, {"a": _Shifted()}, _Y[:, None], _Y, objectives=["error"])


@pytest.mark.parametrize("door", [from_predictions, population])
def test_a_class_that_the_target_lacks_is_told(door):
    predictions = _P.copy()
    predictions[3, 1] = 7
    with pytest.warns(DataWarning, match="never holds: 7; they count as wrong"):
        door(predictions, _Y, objectives=["error"])


def test_the_same_labels_and_free_texts_say_nothing():
    answers = np.array([f"answer {i}" for i in range(40)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dtype in (bool, float, np.int8, str):
            from_predictions(_P.astype(dtype), _Y.astype(dtype), objectives=["error"])
        from_predictions(
            np.column_stack([answers, np.roll(answers, 1), np.full(40, "?")]), answers, objectives=["error"]
        )
