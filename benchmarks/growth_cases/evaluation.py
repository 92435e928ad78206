"""Growth of `moltheory.evaluation`: tables and measures in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from moltheory import evaluation
from moltheory.evaluation import LossTable

from ._case import Work, grows
from ._inputs import bits, floats, long_frame, names


@grows("evaluation.LossTable", "n examples", first=50_000, largest=1_600_000)
def _(n: int) -> Work:
    losses = floats(n, 5, 2)
    return lambda: LossTable(losses)


@grows("evaluation.LossTable", "n names of examples, and clusters", first=5_000)
def _(n: int) -> Work:
    losses, examples = floats(n, 2, 1), names(n, "example")
    clusters = [f"cluster {i // 3}" for i in range(n)]
    return lambda: LossTable(losses, examples=examples, clusters=clusters)


@grows("evaluation.LossTable", "M names of models", first=5_000, time=1.1, largest=160_000)
def _(m: int) -> Work:
    losses, models = floats(3, m, 1), names(m)
    return lambda: LossTable(losses, models, costs=np.ones((m, 2)))


@grows("evaluation.LossTable.select", "N objectives", first=1_000, largest=64_000)
def _(n: int) -> Work:
    table = LossTable(floats(3, 2, n), objective_names=names(n, "objective"))
    chosen = table.objective_names[::-2]
    return lambda: table.select(chosen)


@grows("evaluation.LossTable.with_objectives", "n examples", first=20_000, largest=1_280_000)
def _(n: int) -> Work:
    table = LossTable(floats(n, 3, 1), objective_names=["seconds"])
    return lambda: table.with_objectives(quantile={"seconds": 0.95}, limit={"seconds": 0.5})


def measure_of_tail(kind: Callable[[Any], Any], span: tuple[float, float] = (0.0, 1.0)) -> Callable[[int], Work]:
    """Return the work of value and interval of one model's losses."""

    def make(n: int) -> Work:
        losses = floats(n, 1)

        def work() -> object:
            tail = kind(losses)
            column = tail.losses[:, 0]
            return tail.value(column), tail.interval(column, delta=0.05, loss_range=span)

        return work

    return make


grows("evaluation.CVaR", "n examples", first=10_000, largest=2_560_000)(measure_of_tail(evaluation.CVaR))
grows("evaluation.Quantile", "n examples", first=10_000, largest=2_560_000)(measure_of_tail(evaluation.Quantile))
grows("evaluation.AUCError", "n examples", time=1.1, memory=1, first=10_000, largest=2_560_000)(
    measure_of_tail(lambda losses: evaluation.AUCError(losses, np.arange(len(losses)) % 3 == 0))
)


@grows("evaluation.Quantile.paired_p_values", "n examples", first=500, time=1.5, memory=1)
def _(n: int) -> Work:
    tail = evaluation.Quantile(floats(n, 3), 0.9)
    return lambda: tail.paired_p_values(0.1)


@grows("evaluation.CappedMean", "n requests", first=50_000, largest=3_200_000)
def _(n: int) -> Work:
    values = floats(n, 5)
    return lambda: evaluation.CappedMean(values, 0.5)


@grows("evaluation.ExceedanceRate", "n requests", first=50_000, largest=3_200_000)
def _(n: int) -> Work:
    values = floats(n, 5)
    return lambda: evaluation.ExceedanceRate(values, 0.5)


@grows("evaluation.WinRate", "n requests", first=50_000, largest=3_200_000)
def _(n: int) -> Work:
    values = floats(n, 5)
    return lambda: evaluation.WinRate(values, 0)


@grows("evaluation.Measured", "M models", first=2_000)
def _(m: int) -> Work:
    values = dict(zip(names(m), floats(m).tolist(), strict=True))
    return lambda: evaluation.Measured(values, -1.0, 2.0, delta=0.01)


@grows("evaluation.Measured.from_samples", "samples of each model", first=500, largest=64_000)
def _(n: int) -> Work:
    samples = floats(n, 4)
    return lambda: evaluation.Measured.from_samples(samples, delta=0.01, value_range=(0, 1))


@grows("evaluation.from_predictions", "n examples", first=10_000, largest=1_280_000)
def _(n: int) -> Work:
    predictions, target = bits(n, 5).astype(int), bits(n, seed=1).astype(int)
    return lambda: evaluation.from_predictions(predictions, target)


@grows("evaluation.from_predictions", "number of classes, of 20,000 examples", first=20, largest=1_280)
def _(k: int) -> Work:
    target = np.arange(20_000) % k
    predictions = np.stack([target, (target * 7) % k], axis=1)
    return lambda: evaluation.from_predictions(predictions, target)


@grows("evaluation.from_predictions", "M models", first=20)
def _(m: int) -> Work:
    predictions, target = bits(500, m).astype(int), bits(500, seed=1).astype(int)
    return lambda: evaluation.from_predictions(predictions, target)


@grows("evaluation.from_estimators", "n examples", first=5_000, largest=640_000)
def _(n: int) -> Work:
    from sklearn.dummy import DummyClassifier

    features, target = floats(n, 3), bits(n).astype(int)
    fitted = {"a": DummyClassifier().fit(features, target)}
    return lambda: evaluation.from_estimators(fitted, features, target)


@grows("evaluation.from_cross_validation", "n examples", first=2_000, largest=128_000)
def _(n: int) -> Work:
    from sklearn.dummy import DummyClassifier
    from sklearn.model_selection import cross_validate

    features, target = floats(n, 3), bits(n).astype(int)
    found = cross_validate(DummyClassifier(), features, target, cv=5, return_estimator=True, return_indices=True)
    return lambda: evaluation.from_cross_validation({"a": found}, features, target)


@grows("evaluation.prediction_seconds", "n examples", first=50_000, largest=3_200_000)
def _(n: int) -> Work:
    from sklearn.dummy import DummyClassifier

    features = floats(n, 3)
    fitted = {"a": DummyClassifier().fit(features[:10], np.arange(10) % 2)}
    return lambda: evaluation.prediction_seconds(fitted, features)


@grows("evaluation.pickled_bytes", "numbers in the estimator", first=100_000, largest=6_400_000)
def _(k: int) -> Work:
    weights = {"weights": floats(k)}
    return lambda: evaluation.pickled_bytes(weights)


@grows("evaluation.stored_numbers", "arrays in the estimator", first=500)
def _(k: int) -> Work:
    trees = [floats(3) for _ in range(k)]
    return lambda: evaluation.stored_numbers(trees)


@grows("evaluation.from_long_table", "rows", first=2_000)
def _(rows: int) -> Work:
    frame = long_frame(rows)
    return lambda: evaluation.from_long_table(frame)


@grows("evaluation.from_long_table", "M models, of three examples", first=500)
def _(m: int) -> Work:
    frame = long_frame(3 * m, m)
    return lambda: evaluation.from_long_table(frame)
