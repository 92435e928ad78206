"""Values per request become objectives that need no range; refusals of unbounded means say which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.errors import InvalidInputError
from moltheory.evaluation import CappedMean, ExceedanceRate, LossTable, Quantile, WinRate, from_predictions, open_losses
from moltheory.objectives import Average, Mean, Rate

_NAMED = (
    "Quantile(values",
    "ExceedanceRate(values",
    "CappedMean(values",
    "WinRate(values",
    "CVaR(values",
    "asymptotic",
)


def _seconds(n: int = 400, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(size=(n, 1)) + 0.3 * rng.normal(size=(n, 3)) + [0.0, 0.6, 1.2])


def test_service_levels_are_paired_means_of_bools() -> None:
    seconds = _seconds()
    late = ExceedanceRate(seconds, 3.0)
    assert late.cells[0].losses.dtype == np.bool_
    found = mt.certify(None, objectives={"late": late}, costs={"price": [3.0, 2.0, 1.0]})
    same = mt.certify((seconds > 3.0)[:, :, None], objectives=["late"], costs={"price": [3.0, 2.0, 1.0]})
    np.testing.assert_array_equal(found.boxes, same.boxes)
    assert found.status == same.status
    assert "McNemar" in found.methods[0]
    # A value equal to the limit is within it.
    assert ExceedanceRate([[1.0, 2.0], [2.0, 3.0]], 2.0).cells[0].losses.tolist() == [[False, False], [False, True]]


def test_requests_without_a_measurement_count_for_the_models_that_have_one() -> None:
    seconds = _seconds()
    gaps = seconds.copy()
    gaps[300:, 1] = np.nan
    objectives = {
        "late": ExceedanceRate(gaps, 3.0),
        "capped": CappedMean(gaps, 20.0),
        "slower": WinRate(gaps, seconds[:, 0]),
    }
    found = mt.certify(None, objectives=objectives)
    part = seconds[:300, 1]
    wanted = [(part > 3.0).mean(), np.minimum(part, 20.0).mean(), (part > seconds[:300, 0]).mean()]
    np.testing.assert_allclose(found.estimates[1], wanted, rtol=1e-12)
    assert "McNemar" in found.methods[0]
    assert any("evaluated on an example is independent" in sentence for sentence in found.assumptions)


def test_capped_means_bring_their_range() -> None:
    seconds = _seconds()
    seconds[0, 0] = np.inf
    found = mt.certify(None, objectives={"capped": CappedMean(seconds, 20.0)})
    assert found.estimates[0, 0] == pytest.approx(np.minimum(seconds[:, 0], 20.0).mean(), rel=1e-12)
    same = mt.certify(np.minimum(seconds, 20.0), loss_range=(0.0, 20.0))
    np.testing.assert_array_equal(found.boxes, same.boxes)
    wider = mt.certify(None, objectives={"capped": CappedMean(seconds, 20.0)}, loss_range=(0.0, 40.0))
    assert np.ptp(wider.boxes[0]) > np.ptp(found.boxes[0])
    assert CappedMean([[-3.0, 9.0]], 5.0, smallest=-4.0).default_range == (-4.0, 5.0)


def test_win_rates_leave_the_reference_out() -> None:
    seconds = _seconds()
    by_values = WinRate(seconds[:, 1:], seconds[:, 0])
    for by_column in (WinRate(seconds, 0), WinRate(seconds, "a", names=["a", "b", "c"])):
        np.testing.assert_array_equal(by_column.cells[0].losses, by_values.cells[0].losses)
    assert WinRate(seconds, "a", names=["a", "b", "c"]).names == ("b", "c")
    # A tie is no loss.
    assert WinRate([[1.0, 2.0], [np.inf, 0.5]], [1.0, np.inf]).cells[0].losses.tolist() == [
        [False, True],
        [False, False],
    ]
    gaps = WinRate(seconds, np.where(np.arange(400) < 100, np.nan, seconds[:, 0])).cells[0].losses
    assert np.isnan(gaps[:100]).all()
    assert not np.isnan(gaps[100:]).any()


def test_refusals_of_requests(refuses: Any) -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    refuses("limit", ExceedanceRate, values, np.nan)
    refuses("values", ExceedanceRate, [1.0, 2.0], 1.0)
    refuses("values", ExceedanceRate, [[np.nan, 1.0]], 1.0)
    refuses("cap", CappedMean, values, -1.0)
    refuses("values", CappedMean, values, 5.0, smallest=2.0)
    refuses("names", WinRate, values, "a")
    refuses("against", WinRate, values, "c", names=["a", "b"])
    refuses("against", WinRate, values, 2)
    refuses("against", WinRate, values, 0.5)
    refuses("against", WinRate, values, True)
    refuses("against", WinRate, values, [1.0, 2.0, 3.0])
    refuses("against", WinRate, values, [np.nan, np.nan])
    refuses("loss_range", mt.certify, None, objectives=[ExceedanceRate(values, 2.0)], loss_range=(0.0, 60.0))


@pytest.mark.parametrize(
    "use",
    [
        lambda x: mt.certify(x),
        lambda x: mt.certify(x, loss_range=(0.0, np.inf)),
        lambda x: mt.certify(None, objectives={"seconds": Mean(x)}),
        lambda x: LossTable(x).certify(),
        lambda x: mt.certify(None, objectives={"tail": mt.evaluation.CVaR(x)}),
    ],
)
def test_refusals_of_unbounded_objectives_list_what_can_be_certified(use: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        use(_seconds())
    message = str(caught.value)
    assert all(name in message for name in _NAMED)
    assert message.count(".\n") == 0
    assert message.endswith(".")


def test_columns_of_a_table_become_objectives_of_requests(tmp_path: Any) -> None:
    seconds = _seconds(200)
    wrong = np.random.default_rng(1).random((200, 3)) < 0.3
    lines = ["model,example,seconds,wrong"]
    lines += [f"m{m},e{e},{float(seconds[e, m])!r},{int(wrong[e, m])}" for e in range(200) for m in range(3)]
    path = tmp_path / "requests.csv"
    path.write_text("\n".join(lines))
    names = ["seconds", "wrong"]
    read = open_losses(path, model="model", example="example", objectives=names, loss_range={"seconds": (0.0, np.inf)})
    for table in (read, LossTable(np.stack([seconds, wrong], axis=2), ["m0", "m1", "m2"], names, maximise=["wrong"])):
        made = table.with_objectives(quantile={"seconds": 0.95}, limit={"seconds": 3.0}, cap={"seconds": 20.0})
        found = made.certify()
        assert found.objectives == ("seconds p95", "seconds above 3", "seconds capped at 20", "wrong")
        assert found.names == ("m0", "m1", "m2")
        assert found.maximise == (False, False, False, bool(table.maximise[1]))
        wanted = [np.sort(seconds, axis=0)[189], (seconds > 3.0).mean(axis=0), np.minimum(seconds, 20.0).mean(axis=0)]
        np.testing.assert_allclose(found.estimates[:, :3].T, wanted, rtol=1e-12)
        np.testing.assert_allclose(found.estimates[:, 3], wrong.mean(axis=0), rtol=1e-12)


def test_a_table_keeps_clusters_costs_and_ranges_of_the_other_columns(refuses: Any) -> None:
    losses = np.stack([_seconds(100), 5.0 * np.ones((100, 3))], axis=2)
    table = LossTable(
        losses,
        None,
        ["seconds", "points"],
        clusters=np.arange(100) // 2,
        costs=[[1.0], [2.0], [3.0]],
        cost_names=["price"],
        maximise=["points"],
        loss_range={"points": (0.0, 10.0)},
    )
    made = table.with_objectives(limit={"seconds": 2.0})
    assert made.has_clusters
    assert made.loss_range[1].tolist() == [1.0, 10.0]
    assert made.certify().objectives == ("seconds above 2", "points", "price")
    with pytest.raises(InvalidInputError, match="clusters"):
        table.with_objectives(quantile={"seconds": 0.5}).certify()
    refuses("quantile", table.with_objectives)
    refuses("limit", table.with_objectives, limit={"second": 2.0})
    refuses("limit", table.with_objectives, limit={"points": 2.0})
    refuses("quantile", table.with_objectives, quantile={"seconds": 95})
    refuses("quantile", table.with_objectives, quantile={"seconds": [0.5, 0.5]})
    refuses("limit", table.with_objectives, limit={"seconds": []})
    refuses("cap", table.with_objectives, cap={"seconds": "60"})
    taken = LossTable(losses, None, ["seconds", "seconds p50"])
    refuses("objective_names", taken.with_objectives, quantile={"seconds": 0.5})
    refuses("quantile", made.with_objectives, limit={"seconds": 2.0})


def test_macro_f1_and_balanced_error_are_those_of_sklearn() -> None:
    from sklearn.metrics import balanced_accuracy_score, f1_score

    rng = np.random.default_rng(2)
    target = rng.integers(0, 3, 900)
    predicted = np.where(rng.random((900, 2)) < [0.2, 0.5], rng.integers(0, 3, (900, 2)), target[:, None])
    found = from_predictions(predicted, target, objectives=["macro_f1_error", "balanced_error"]).certify()
    for model in range(2):
        wanted = [
            1.0 - f1_score(target, predicted[:, model], average="macro"),
            1.0 - balanced_accuracy_score(target, predicted[:, model]),
        ]
        np.testing.assert_allclose(found.estimates[model], wanted, rtol=1e-12)
    assert found.status == ("sure", "excluded")


def test_averages_hold_whenever_the_intervals_of_their_parts_do(refuses: Any) -> None:
    losses = np.random.default_rng(3).random((50, 2)) < 0.3
    parts = [Rate(losses, np.arange(50) % 3 == g) for g in range(3)]
    average = Average(parts)
    low, high = ([np.array([0.1 * g + shift]) for g in range(3)] for shift in (0.0, 0.3))
    np.testing.assert_allclose(average.interval(low, high), ([0.1], [0.4]))
    np.testing.assert_allclose(average.width([np.array([0.3])] * 3), [0.3])
    forms = average.linear_forms()
    assert forms is not None
    np.testing.assert_allclose(forms, np.full((1, 3), 1 / 3))
    assert Average([mt.objectives.F1Error(losses, losses[:, 0])]).linear_forms() is None
    refuses("Average", Average, [])
    refuses("Average", Average, parts[0])
    refuses("Average", Average, [mt.objectives.Known([1.0, 2.0])])


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("r2", "squared_error"),
        ("R2_score", "squared_error"),
        ("rmse", "squared_error"),
        ("bleu", "chrF"),
        ("corpus_bleu", "each sentence"),
        ("roc_auc", "AUCError"),
        ("perplexity", "log loss"),
    ],
)
def test_measures_without_a_guarantee_are_refused_by_name(name: str, remedy: str, refuses: Any) -> None:
    assert remedy in refuses("objectives", from_predictions, [[0, 1], [1, 0]], [0, 1], objectives=[name])


def test_a_quantile_takes_its_probability_by_place_or_by_name() -> None:
    assert Quantile([[1.0]], 0.5).probability == Quantile([[1.0]], probability=0.5).probability == 0.5
