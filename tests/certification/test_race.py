"""Races: right whenever they stop, whatever was asked for; resumed; and what is refused."""

import itertools

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification import race
from moltheory.errors import InvalidInputError

_NAMES = ["a", "b", "c", "d"]


def _table(n=3000, seed=0):
    return (np.random.default_rng(seed).random((n, 4)) < [0.1, 0.2, 0.4, 0.5])[:, :, None]


def test_models_that_are_decided_are_asked_for_no_more():
    table, asked = _table(), []

    def evaluate(models, examples):
        asked.append(models)
        return table[examples.start : examples.stop, [_NAMES.index(name) for name in models]]

    result = race(_NAMES, evaluate, n_examples=3000, objectives=["error"])
    assert result.certificate.status == ("sure", "excluded", "excluded", "excluded")
    assert asked[0] == tuple(_NAMES)
    assert all(set(later) <= set(sooner) for sooner, later in itertools.pairwise(asked))
    assert result.evaluations.tolist() == sorted(result.evaluations.tolist(), reverse=True)
    assert result.cost == result.evaluations.sum()
    assert 0.0 < result.saved < 1.0
    assert result.reason == "decided"
    assert result.history[-1][:3] == (result.n_examples, len(asked[-1]), 4)


def test_the_certificate_is_that_of_a_stream_of_the_same_losses():
    table = _table(400)
    result = race(_NAMES, lambda models, examples: table[examples.start : examples.stop, : len(models)], n_examples=100)
    stream = mt.CertificateStream(_NAMES, 1, 0.05)
    stream.certificate()
    stream.update(table[:100])
    assert result.certificate == stream.certificate()
    assert result.reason == "examples"


def test_a_budget_is_kept():
    prices = {"a": 1.0, "b": 2.0, "c": 5.0, "d": 10.0}
    result = race(_NAMES, _table(seed=1), budget=2000.0, evaluation_costs=prices, batch=50)
    assert result.reason == "budget"
    assert 1900 < result.cost <= 2000
    assert result.cost == pytest.approx(result.evaluations @ list(prices.values()))
    assert result.uniform_cost == pytest.approx(18.0 * result.n_examples)


def test_a_race_that_is_broken_off_goes_on_from_its_file(tmp_path):
    table, path = _table(seed=2), tmp_path / "race.npz"
    whole = race(_NAMES, lambda m, e: table[e.start : e.stop, [_NAMES.index(x) for x in m]], n_examples=3000)
    left = 3

    def failing(models, examples):
        nonlocal left
        left -= 1
        if left < 0:
            raise ConnectionError("gone")
        return table[examples.start : examples.stop, [_NAMES.index(name) for name in models]]

    with pytest.raises(ConnectionError):
        race(_NAMES, failing, n_examples=3000, state=path)
    left = 10**6
    again = race(_NAMES, failing, n_examples=3000, state=path)
    assert again.certificate == whole.certificate
    np.testing.assert_array_equal(again.evaluations, whole.evaluations)
    # It is over; nothing more is asked for.
    left = 0
    assert race(_NAMES, failing, n_examples=3000, state=path).certificate == whole.certificate
    with pytest.raises(InvalidInputError, match="another models"):
        race(["a", "b", "c", "e"], failing, state=path)
    with pytest.raises(InvalidInputError, match=r"another delta: 0\.05"):
        race(_NAMES, failing, delta=0.1, state=path)
    with pytest.raises(InvalidInputError, match="another tolerance"):
        race(_NAMES, failing, epsilon=0.1, state=path)


def test_a_tolerance_ends_a_race_of_equal_models():
    table = np.random.default_rng(3).random((20_000, 3, 1)) < 0.3
    assert race(list("abc"), table).reason == "examples"
    result = race(list("abc"), table, epsilon=0.05)
    assert result.reason == "decided"
    assert result.certificate.sure.all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0.0}, "`budget` must be > 0"),
        ({"budget": np.nan}, "`budget` must be > 0"),
        ({"batch": 0}, "batch"),
        ({"n_examples": 0}, "n_examples"),
        ({"evaluation_costs": {"a": 1.0}}, "must map every model"),
        ({"evaluation_costs": [1, 1, 1, 1]}, "got list"),
        ({"evaluation_costs": dict.fromkeys(_NAMES, 0.0)}, "must be > 0"),
        ({"evaluation_costs": dict.fromkeys(_NAMES, np.nan)}, "must be finite"),
        ({"evaluation_costs": dict.fromkeys(_NAMES, True)}, "must be a real number"),
        (
            {"evaluation_costs": {name: {"speed": 1.0} for name in _NAMES}},
            "'objective_1', 'speed' missing or unknown in 'a'",
        ),
        ({"evaluation_costs": {name: {"objective_1": -1.0} for name in _NAMES}}, "must be > 0, got -1"),
        ({"sampling": "thompson"}, "`sampling` must be one of elimination, top-two"),
        ({"ask": "cells"}, "`ask` must be one of models, objectives"),
        ({"delta": 2.0}, "delta"),
        ({"objectives": 2}, "must be a function, or losses of shape"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(InvalidInputError, match=message):
        race(_NAMES, _table(), **options)


def test_losses_of_another_shape_are_refused_and_what_was_read_is_kept(tmp_path):
    path, table = tmp_path / "race.npz", _table(400)
    answers = iter([table[:100], np.zeros((3, 4)), table[100:200]])

    def evaluate(models, examples):
        return next(answers)[:, : len(models)]

    with pytest.raises(InvalidInputError, match=r"must return losses of shape \(100, 3, 1\)"):
        race(_NAMES, evaluate, state=path)
    again = race(_NAMES, evaluate, n_examples=200, state=path)
    assert again.n_examples == 200
    with pytest.raises(InvalidInputError, match="loss_range"):
        race(_NAMES, lambda models, examples: np.full((100, 4), 2.0))
    with pytest.raises(InvalidInputError, match=r"must return losses of shape \(100, 4\) .* shape \(100, 4, 1\)"):
        race(_NAMES, lambda pairs, examples: table[:100], ask="objectives")
