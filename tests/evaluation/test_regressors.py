"""Regressions have losses of numbers; scores are no labels; cross-validation gives examples, not averages."""

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.errors import AggregateWarning
from moltheory.evaluation import from_cross_validation, from_estimators, from_predictions
from moltheory.problems import from_predictions as population
from moltheory.problems import from_table

_RNG = np.random.default_rng(0)
_X = _RNG.normal(size=(60, 2))
_Y = np.clip(_X[:, 0] + _RNG.normal(scale=0.1, size=60), -2, 2)
_LABELS = (_X[:, 0] > 0).astype(int)


class _Line:
    _estimator_type = "regressor"

    def __init__(self, slope):
        self.slope = slope

    def predict(self, x):
        return np.clip(self.slope * np.asarray(x)[:, 0], -2, 2)


_LINES = {"good": _Line(1.0), "bad": _Line(-1.0)}


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("squared_error", lambda e: e**2),
        ("absolute_error", np.abs),
        ("pinball", lambda e: np.abs(e) / 2),
        ("pinball:0.9", lambda e: np.maximum(0.9 * e, -0.1 * e)),
        ("pinball:.25", lambda e: np.maximum(0.25 * e, -0.75 * e)),
    ],
)
def test_losses_of_regressors(name, loss):
    models = from_estimators(_LINES, _X, _Y, objectives=[name], loss_range=(0, 16), costs=())
    short = _Y[:, None] - np.stack([line.predict(_X) for line in _LINES.values()], axis=1)
    np.testing.assert_allclose(models.losses[:, :, 0], loss(short), atol=1e-6)
    certificate = models.certify()
    assert certificate.objectives == (name,)
    assert certificate.boxes[:, 0, 1].max() > 1
    assert certificate == mt.certify(models.losses, names=["good", "bad"], objectives=[name], loss_range=(0, 16))
    same = from_predictions(pd.DataFrame({k: v.predict(_X) for k, v in _LINES.items()}), _Y, objectives=[name])
    np.testing.assert_array_equal(same.losses, models.losses)
    risks = population(np.c_[_LINES["good"].predict(_X)], _Y, objectives=[name]).true.risks()
    assert np.isfinite(risks).all()


def test_ranges_of_regressors(refuses):
    predictions = np.c_[_LINES["good"].predict(_X)]
    both = ["squared_error", "worst_group_squared_error"]
    models = from_predictions(predictions, _Y, objectives=both, group=_LABELS, loss_range=(0, 16))
    assert models.loss_range[1].tolist() == [16, 16]
    by_name = from_predictions(predictions, _Y, objectives=["squared_error"], loss_range={"squared_error": (0, 9)})
    assert by_name.loss_range[1].tolist() == [9]
    refuses("loss_range", from_predictions, _LABELS[:, None], _LABELS, loss_range=(0, 16))
    for name in ("pinball:", "pinball:1", "pinball:x", "pinball:nan", "quantile"):
        refuses("objectives", from_predictions, predictions, _Y, objectives=[name])


def test_table_problems_take_quantile_losses(refuses):
    frame = pd.DataFrame({"x": _X[:, 0], "z": _X[:, 1], "y": _Y})
    found = from_table(frame, target="y", objectives=["pinball:0.9", "squared_error"])
    assert found.objective_names == ("pinball:0.9", "squared_error")
    refuses("objectives", from_table, frame, target="y", objectives=["pinball:2"])
    refuses("objectives", from_table, frame, target="y", objectives=["pinball:0.9", "error"])


_CLASSES = ("error", "worst_class_error", "worst_group_error", "error_gap")


@pytest.mark.parametrize("objective", [*_CLASSES, "false_negative_rate", "demographic_parity_gap", "f1_error"])
@pytest.mark.parametrize("door", [from_predictions, population])
def test_scores_are_no_labels(objective, door, refuses):
    group = np.repeat(["x", "y"], 30)
    scores = 1 / (1 + np.exp(-_X))
    for predictions, target in (
        (scores, _LABELS),
        (scores.astype(np.float32), _LABELS.astype(bool)),
        (scores, _LABELS * 1.0),
    ):
        refuses("predictions", door, predictions, target, group=group, objectives=[objective])
    regressed = np.c_[_LINES["good"].predict(_X)]
    refuses("target", door, regressed, _Y, group=group, objectives=[objective])
    refuses("target", door, _Y[:, None], _Y, group=group, objectives=[objective])


def test_labels_with_halves_are_labels():
    ratings = np.array([0.5, 1.0, 1.5] * 4)
    assert from_predictions(ratings[::-1, None], ratings, objectives=["error"]).losses.mean() == 2 / 3


def test_regressors_are_refused_where_labels_are_due(refuses):
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeRegressor

    for model in (LinearRegression(), DecisionTreeRegressor(), make_pipeline(StandardScaler(), LinearRegression())):
        message = refuses("objectives", from_estimators, {"m": model.fit(_X, _LABELS)}, _X, _LABELS)
        assert "squared_error" in message
    refuses("objectives", from_estimators, _LINES, _X, _LABELS, objectives=["squared_error", "error"])


@pytest.mark.parametrize("dtype", [int, bool, float, object, str])
def test_categories_are_what_they_hold(dtype):
    frame = pd.DataFrame({"x": _X[:, 0], "y": pd.Series(_LABELS).astype(dtype)})
    categories = frame.assign(y=frame["y"].astype("category"))
    rates = ["error"] if dtype is str else ["error", "false_negative_rate"]
    found, right = (from_table(one, target="y", objectives=rates).true.risks() for one in (categories, frame))
    np.testing.assert_array_equal(found, right)
    predictions = pd.DataFrame({"m": frame["y"].to_numpy()[::-1]})
    losses = [from_predictions(p, y, objectives=rates).losses for p, y in _pairs(predictions, frame["y"])]
    assert all(np.array_equal(one, losses[0], equal_nan=True) for one in losses)


def _pairs(predictions, target):
    """The same labels as they are and as categories, on both sides."""
    return [
        (predictions, target),
        (predictions.astype("category"), target),
        (predictions, target.astype("category")),
        (predictions.astype("category"), target.astype("category")),
    ]


def _validated(model, x, y, **options):
    from sklearn.model_selection import KFold, cross_validate

    cv = KFold(5, shuffle=True, random_state=options.pop("seed", 0))
    return cross_validate(model, x, y, cv=cv, return_estimator=True, return_indices=True, **options)


def test_cross_validation_against_a_loop(refuses):
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, cross_validate
    from sklearn.tree import DecisionTreeClassifier

    index = [f"e{i}" for i in range(60)]
    frame, target = pd.DataFrame(_X, index=index), pd.Series(_LABELS, index=index)
    results = {"tree": _validated(DecisionTreeClassifier(max_depth=1), _X, _LABELS)}
    results["line"] = _validated(LogisticRegression(), _X, _LABELS)
    with pytest.warns(AggregateWarning, match="5 folds share training data"):
        models = from_cross_validation(results, _X, _LABELS)
    for j, result in enumerate(results.values()):
        for k, (_, test) in enumerate(KFold(5, shuffle=True, random_state=0).split(_X)):
            wrong = result["estimator"][k].predict(_X[test]) != _LABELS[test]
            assert models.losses[test, j, 0].tolist() == wrong.tolist()
            assert set(models.clusters[test]) == {k}
    framed = {"tree": _validated(DecisionTreeClassifier(max_depth=1, random_state=0), frame, target)}
    with pytest.warns(AggregateWarning):
        assert from_cross_validation(framed, frame, target[::-1]).losses.shape == (60, 1, 1)
    ridge = {"ridge": _validated(Ridge(), _X, _Y)}
    with pytest.warns(AggregateWarning):
        found = from_cross_validation(ridge, _X, _Y, objectives=["squared_error"], loss_range=(0, 16))
    assert found.loss_range[1].tolist() == [16]
    refuses("objectives", from_cross_validation, ridge, _X, _LABELS)
    other = {**results, "other": _validated(LogisticRegression(), _X, _LABELS, seed=1)}
    assert "same folds" in refuses("results", from_cross_validation, other, _X, _LABELS)
    refuses("results", from_cross_validation, results["tree"], _X, _LABELS)
    refuses("results", from_cross_validation, {"m": {"test_score": [1.0]}}, _X, _LABELS)
    refuses("results", from_cross_validation, {"params": [], "mean_test_score": []}, _X, _LABELS)
    refuses("results", from_cross_validation, [], _X, _LABELS)
    refuses("results", from_cross_validation, results, _X[:50], _LABELS[:50])
    for cv in (RepeatedKFold(n_splits=3, n_repeats=2), ShuffleSplit(2)):
        options = {"cv": cv, "return_estimator": True, "return_indices": True}
        odd = {"m": cross_validate(LogisticRegression(), _X, _LABELS, **options)}
        assert "in one fold" in refuses("results", from_cross_validation, odd, _X, _LABELS)
