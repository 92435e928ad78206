"""Measured costs: the guarantee with their intervals and without, their forms, and what is refused."""

import itertools
import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.certification import certificate_page, further_examples
from moltheory.errors import DataWarning
from moltheory.evaluation import LossTable, Timings, prediction_seconds
from moltheory.inference import mean_interval

from ._truth import exact_failure, says_something_false

_METHODS = ("auto", "boxes", "paired")


def _losses() -> Any:
    """Three models on 1000 examples: the second errs on 50 more than the first, the third on as many as the first."""
    losses = np.zeros((1000, 3), dtype=bool)
    losses[:200, 0] = losses[10:260, 1] = losses[400:600, 2] = True
    return losses


def _seconds(**changes: Any) -> mt.Measured:
    parts: dict[str, Any] = {"value": [0.3, 0.5, 0.9], "low": [0.2, 0.4, 0.8], "high": [0.4, 0.6, 1.0], "delta": 0.01}
    parts |= changes
    return mt.Measured(parts.pop("value"), parts.pop("low"), parts.pop("high"), **parts)


@pytest.mark.parametrize("method", _METHODS)
def test_false_claims_with_measured_costs_are_as_rare_as_promised(method: str) -> None:
    # Losses tie, and so do the costs, whose measurements miss by 1 with probability q each; intervals reach 1/2.
    total, spent = 0.4, Fraction(36, 100)
    q = Fraction(2, 10)  # 1 - (1 - q)^2 = spent
    losses = np.array([[[0.0], [1.0]], [[1.0], [0.0]]])
    true = np.array([[0.5, 2.0], [0.5, 2.0]])
    failure = 0.0
    for noise in itertools.product((-1, 0, 1), repeat=2):
        value = 2.0 + np.array(noise)
        cost = mt.Measured(value, value - 0.5, value + 0.5, delta=float(spent))

        def failed(counts: Any, cost: mt.Measured = cost) -> bool:
            certificate = mt.certify(
                np.repeat(losses, counts, axis=0), costs={"cost": cost}, delta=total, method=method
            )
            return says_something_false(certificate, true)

        chance = math.prod(float(q / 2 if step else 1 - q) for step in noise)
        failure += chance * exact_failure([Fraction(1, 2)] * 2, 12, failed)
    assert 0.3 < failure <= total


def _draw(rng: np.random.Generator) -> tuple[Any, Any]:
    """The first model dominates the second: fewer errors, and faster by a thousandth, which no measurement shows."""
    losses = np.zeros((300, 2), dtype=bool)
    both = rng.random(300) < 0.2
    losses[:, 0], losses[:, 1] = both, both | (rng.random(300) < 0.1)
    return losses, rng.uniform(0.0, 0.6, (40, 2)) + np.array([0.2, 0.201])


def _sure_of_the_dominated(cost: Any, draws: int) -> float:
    rng, found = np.random.default_rng(0), 0
    for _ in range(draws):
        losses, samples = _draw(rng)
        found += int(mt.certify(losses, costs={"seconds": cost(samples)}, delta=0.05).sure[1])
    return found / draws


def test_measurements_taken_as_exact_break_the_guarantee_and_measured_ones_do_not() -> None:
    assert _sure_of_the_dominated(lambda samples: samples.mean(axis=0), 60) > 0.3
    measured = _sure_of_the_dominated(
        lambda samples: mt.Measured.from_samples(samples, delta=0.02, value_range=(0.0, 1.0)), 60
    )
    assert measured <= 0.05


def test_its_delta_is_part_of_the_total() -> None:
    certificate = mt.certify(_losses(), costs={"price": [1.0, 2.0, 3.0], "seconds": _seconds()}, delta=0.05)
    shares = dict(certificate.delta_allocation)
    assert shares["intervals of measured costs"] == 0.01
    assert math.isclose(sum(shares.values()), 0.05)
    assert math.isclose(shares["simultaneous boxes"], 0.1 * 0.04)
    assert certificate.objectives == ("objective_1", "price", "seconds")
    assert certificate.data_dependent.tolist() == [True, False, True]
    assert certificate.measured.tolist() == [False, False, True]
    np.testing.assert_array_equal(certificate.boxes[:, 2], [[0.2, 0.4], [0.4, 0.6], [0.8, 1.0]])
    assert any("seconds" in text and "0.01" in text for text in certificate.assumptions)
    assert np.nanmax(certificate.adjusted_p_value) <= 0.05


def test_intervals_decide_where_they_are_apart_and_only_there() -> None:
    # The first beats the second in both; against the third only the cost decides, and equal losses do not.
    certificate = mt.certify(_losses(), costs={"seconds": _seconds()})
    assert certificate.dominates.tolist() == [[False, True, False], [False] * 3, [False] * 3]
    assert certificate.adjusted_p_value[1] == 0.05  # needs the boxes
    open_ended = mt.certify(_losses(), costs={"seconds": _seconds(low=-np.inf, high=np.inf)})
    assert not open_ended.dominates.any()
    with pytest.raises(mt.InvalidInputError, match="finite boxes"):
        open_ended.hypervolume([1.0, 2.0])
    assert open_ended.plot().get_title(loc="left")


@pytest.mark.parametrize("maximise", [["speed"], {"speed": True}, [False, True]])
def test_directions_and_tolerances(maximise: Any) -> None:
    fast = mt.Measured([-0.3, -0.5, -0.9], [-0.4, -0.6, -1.0], [-0.2, -0.4, -0.8], delta=0.01)
    upward = mt.certify(_losses(), costs={"speed": fast}, maximise=maximise, epsilon=0.3)
    downward = mt.certify(_losses(), costs={"speed": _seconds()}, epsilon=0.3)
    assert upward.status == downward.status
    np.testing.assert_array_equal(upward.dominates, downward.dominates)
    # One number is a tolerance of the losses only.
    assert upward.epsilon.tolist() == [0.3, 0.0]
    both = mt.certify(_losses(), costs={"speed": _seconds()}, epsilon=[0.3, 10.0])
    assert both.within_slack.all()
    assert both.replaceable_by.tolist() == [-1, -1, -1]


_NAMES = ["a", "b", "c"]
_FORMS: dict[str, Any] = {
    "arrays": {"models": _NAMES},
    "mappings": {
        name: dict(reversed(list(zip(_NAMES, values, strict=True))))
        for name, values in {"value": [0.3, 0.5, 0.9], "low": [0.2, 0.4, 0.8], "high": [0.4, 0.6, 1.0]}.items()
    },
    "series": {
        "value": pd.Series([0.9, 0.3, 0.5], ["c", "a", "b"]),
        "low": pd.Series([0.2, 0.8, 0.4], ["a", "c", "b"]),
        "high": pd.Series([0.4, 0.6, 1.0], ["a", "b", "c"]),
    },
    "mixed": {"value": pd.Series([0.9, 0.3, 0.5], ["c", "a", "b"]), "low": [0.8, 0.2, 0.4], "high": [1.0, 0.4, 0.6]},
    "numbered": {"value": pd.Series([0.3, 0.5, 0.9])},
}


@pytest.mark.parametrize("form", _FORMS)
def test_labels_are_matched(form: str) -> None:
    expected = mt.certify(_losses(), names=_NAMES, costs={"seconds": _seconds()})
    assert mt.certify(_losses(), names=_NAMES, costs={"seconds": _seconds(**_FORMS[form])}) == expected


def test_models_that_are_not_certified_are_left_out_with_a_warning() -> None:
    cost = mt.Measured([9.0, 0.9, 0.5, 0.3], 0.0, 10.0, delta=0.01, models=["x", "c", "b", "a"])
    with pytest.warns(DataWarning, match="'x'"):
        certificate = mt.certify(_losses(), names=_NAMES, costs={"seconds": cost})
    assert certificate.estimates[:, 1].tolist() == [0.3, 0.5, 0.9]


@pytest.mark.parametrize(
    ("argument", "changes"),
    [
        ("value", {"value": [0.3, 0.5, np.inf]}),
        ("value", {"value": [0.3, 0.5, np.nan]}),
        ("value", {"value": 0.3}),
        ("value", {"value": []}),
        ("value", {"value": ["fast", "slow", "slow"]}),
        ("value", {"low": [0.2, 0.4, 0.95]}),
        ("value", {"high": [0.1, 0.6, 1.0]}),
        ("value", {"low": np.inf}),
        ("value", {"value": np.ma.masked_array([0.3, 0.5, 0.9], mask=[1, 0, 0])}),
        ("low", {"low": [0.2, 0.4]}),
        ("low", {"low": {"a": 0.2, "b": 0.4, "c": 0.8}}),
        ("high", {"high": np.ones((3, 1))}),
        ("value", {"value": pd.Series([0.3, 0.5, 0.9], ["a", "a", "b"])}),
        ("low", {"value": dict(zip(_NAMES, [0.3, 0.5, 0.9], strict=True)), "low": {"a": 0.2, "b": 0.4, "d": 0.8}}),
        ("models", {"value": dict(zip(_NAMES, [0.3, 0.5, 0.9], strict=True)), "models": _NAMES}),
        ("models", {"models": ["a", "b"]}),
        ("delta", {"delta": 0.0}),
        ("delta", {"delta": 1}),
        ("delta", {"delta": None}),
    ],
)
def test_refused_when_it_is_made(refuses: Any, argument: str, changes: dict[str, Any]) -> None:
    refuses(argument, _seconds, **changes)


def _streamed(costs: Any, delta: float = 0.05) -> mt.CertificateStream:
    return mt.CertificateStream(3, 1, delta, costs=costs)


def _certified(costs: Any, delta: float = 0.05) -> mt.Certificate:
    return mt.certify(_losses(), costs=costs, delta=delta)


@pytest.mark.parametrize("door", [_certified, _streamed])
def test_refused_where_it_is_used(refuses: Any, door: Any) -> None:
    assert "0.05 and 0.05" in refuses("delta", door, {"s": _seconds(delta=0.02), "t": _seconds(delta=0.03)})
    refuses("delta", door, {"s": _seconds(delta=0.1)})
    refuses("costs", door, {"s": mt.Measured([1.0, 2.0], 0.0, 3.0, delta=0.01)})
    refuses("costs", door, {"s": _seconds(models=["a", "b", "c"])})
    for unnamed in (_seconds(), [_seconds()]):
        assert "name" in refuses("costs", door, unnamed)
    timings = Timings(("model_1", "model_2", "model_3"), np.ones((3, 2)))
    for costs in (timings, {"seconds": timings}):
        assert "measured" in refuses("costs", door, costs)


def test_a_table_holds_exact_costs_only_and_takes_others_when_it_is_certified(refuses: Any) -> None:
    assert "certify" in refuses("costs", LossTable, _losses(), costs={"seconds": _seconds()})
    table = LossTable(_losses(), costs={"price": [1.0, 2.0, 3.0]})
    costs = {"price": [1.0, 2.0, 3.0], "seconds": _seconds()}
    assert table.certify(costs=costs) == mt.certify(_losses(), costs=costs)


def test_streams_use_the_intervals_too() -> None:
    stream = _streamed({"price": [1.0, 1.0, 2.0], "seconds": _seconds(low=-np.inf)})
    stream.update(np.tile(_losses()[:, :, None], (5, 1, 1)))
    certificate = stream.certificate()
    assert certificate.measured.tolist() == [False, False, True]
    assert certificate.boxes[:, 2, 0].tolist() == [-np.inf] * 3
    assert not certificate.excluded.any()
    assert math.isclose(sum(share for _, share in certificate.delta_allocation), 0.05)
    assert mt.Certificate.from_json(certificate.to_json()) == certificate
    plain = mt.CertificateStream(3, 1, 0.04, costs={"seconds": [0.3, 0.5, 0.9]})
    apart = _streamed({"seconds": _seconds(low=[0.3, 0.5, 0.9], high=[0.3, 0.5, 0.9])})
    for each in (plain, apart):
        each.update(np.tile(_losses()[:, :, None], (5, 1, 1)))
    assert apart.certificate().excluded.tolist() == [False, True, False]
    np.testing.assert_allclose(apart.certificate().boxes[:, 0], plain.certificate().boxes[:, 0], rtol=1e-12)


def test_written_and_read_back() -> None:
    costs = {"price": [1.0, 2.0, 3.0], "seconds": _seconds(low=[-np.inf, 0.4, 0.8], high=[0.4, np.inf, 1.0])}
    certificate = mt.certify(_losses(), costs=costs)
    text = certificate.to_json()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name))["measured"] == [False, False, True]
    assert mt.Certificate.from_json(text) == certificate
    frame = certificate.to_frame()
    assert frame["seconds (high)"].tolist() == [0.4, np.inf, 1.0]
    assert "price (low)" not in frame
    assert "measured" not in json.loads(mt.certify(_losses(), costs={"price": [1, 2, 3]}).to_json())
    damaged = json.loads(text)
    damaged["boxes"][0][1][1] = None
    with pytest.raises(mt.InvalidInputError, match="infinite ends"):
        mt.Certificate.from_json(json.dumps(damaged))
    page = certificate_page(certificate, further=certificate.plan(simulate=2))
    assert "intervals of measured costs" in page


def test_a_plan_names_the_cost_that_examples_cannot_decide() -> None:
    losses = _losses()[:, :2]
    overlapping = mt.Measured([0.31, 0.32], [0.28, 0.29], [0.34, 0.35], delta=0.01)
    certificate = mt.certify(losses, costs={"seconds": overlapping})
    assert certificate.status == ("sure", "undecided")
    plan = certificate.plan(simulate=2)
    assert plan.blocked_by.tolist() == ["seconds"]
    assert np.isinf(plan.sufficient_additional).all()
    assert "seconds" in certificate_page(certificate, further=plan).partition('id="more"')[2]
    again = further_examples(losses, mt.Certificate.from_json(certificate.to_json()), simulate=2)
    assert again.blocked_by.tolist() == ["seconds"]
    assert np.isinf(again.bound).all()
    # Where the intervals are apart, examples decide the rest.
    fewer = mt.certify(losses[::10], costs={"seconds": mt.Measured([0.3, 0.9], [0.2, 0.8], [0.4, 1.0], delta=0.01)})
    assert fewer.undecided[1]
    rest = fewer.plan(simulate=5)
    assert rest.blocked_by.isna().all()
    assert np.isfinite(rest.sufficient_additional).all()
    assert "blocked_by" not in mt.certify(losses[::10]).plan(simulate=0)


@pytest.mark.parametrize("kind", ["array", "mapping", "pandas", "nullable", "polars"])
def test_intervals_of_samples(kind: str) -> None:
    table = np.random.default_rng(1).uniform(0.0, 2.0, (60, 2))
    table[::7, 1] = np.nan
    made: dict[str, Any] = {
        "array": lambda: table,
        "mapping": lambda: {"a": table[:, 0], "b": table[~np.isnan(table[:, 1]), 1]},
        "pandas": lambda: pd.DataFrame(table, columns=["a", "b"]),
        "nullable": lambda: pd.DataFrame(table, columns=["a", "b"]).convert_dtypes(),
        "polars": lambda: pytest.importorskip("polars").DataFrame({"a": table[:, 0], "b": table[:, 1]}),
    }
    before = table.copy()
    cost = mt.Measured.from_samples(made[kind](), delta=0.1, value_range=(0.0, 2.0))
    np.testing.assert_array_equal(table, before)
    assert cost.models == (None if kind == "array" else ("a", "b"))
    kept = table[~np.isnan(table[:, 1]), 1]
    order = np.random.default_rng([0, kept.size]).permutation(kept)
    expected = mean_interval(order, delta=0.05, loss_range=(0.0, 2.0))
    assert (cost.low[1], cost.high[1]) == (float(expected.lower), float(expected.upper))
    assert math.isclose(cost.value[1], kept.mean())


@pytest.mark.parametrize(
    ("argument", "samples", "value_range"),
    [
        ("samples", [[0.5, 3.0]], (0, 2)),
        ("samples", [[-0.5, 1.0]], (0, 2)),
        ("samples", [[np.nan, 1.0]], (0, 2)),
        ("samples", [0.5, 1.0], (0, 2)),
        ("samples", np.empty((0, 2)), (0, 2)),
        ("samples", {}, (0, 2)),
        ("samples", {"a": [0.5], "b": []}, (0, 2)),
        ("samples", [["fast", "slow"]], (0, 2)),
        ("value_range", [[0.5, 1.0]], (0, math.inf)),
        ("value_range", [[0.5, 1.0]], (2, 0)),
        ("value_range", [[0.5, 1.0]], 2.0),
        ("samples", {1: [0.5], "1": [0.5]}, (0, 2)),
    ],
)
def test_samples_that_are_refused(refuses: Any, argument: str, samples: Any, value_range: Any) -> None:
    refuses(argument, mt.Measured.from_samples, samples, delta=0.1, value_range=value_range)


def test_intervals_of_samples_hold_at_once_as_often_as_promised(rng: np.random.Generator) -> None:
    # Three models, 0/1 measurements with mean 1/20 of ten draws: misses are likely.
    missed = 0
    for _ in range(200):
        samples = (rng.random((10, 3)) < 0.05).astype(float)
        cost = mt.Measured.from_samples(samples, delta=0.3, value_range=(0.0, 1.0))
        missed += bool(((cost.low > 0.05) | (cost.high < 0.05)).any())
    assert missed / 200 <= 0.3


def test_times_of_predictions_are_measurements() -> None:
    from sklearn.dummy import DummyClassifier

    models = {name: DummyClassifier().fit([[0], [1]], [0, 1]) for name in ("a", "b")}
    timings = prediction_seconds(models, np.zeros((50, 1)), repeats=4)
    assert timings.names == ("a", "b")
    assert timings.seconds.shape == (2, 4)
    assert (timings.seconds > 0).all()
    assert not timings.seconds.flags.writeable
    np.testing.assert_array_equal(timings.fastest, timings.seconds.min(axis=1))
    assert timings.to_frame().index.tolist() == ["a", "b"]
    with pytest.warns(DeprecationWarning, match="fastest"):
        assert np.asarray(timings).tolist() == timings.fastest.tolist()
