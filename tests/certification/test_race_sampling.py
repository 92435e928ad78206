"""What races ask for: objectives by themselves, challengers first; from earlier examples only; and what they keep."""

import subprocess
import sys

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification import race
from moltheory.certification._race_sampling import wanted
from moltheory.errors import InvalidInputError

_NAMES = ["a", "b", "c"]
_LABELS = ["error", "harm"]
# b and c are behind a, c clearly so in "error" and hardly in "harm".
_RATES = np.array([[0.1, 0.20], [0.2, 0.40], [0.5, 0.25]])


def _table(n=4000, seed=0):
    return np.random.default_rng(seed).random((n, 3, 2)) < _RATES


def _answering(table, asked=None):
    def evaluate(pairs, examples):
        if asked is not None:
            asked.append(pairs)
        found = [table[examples.start : examples.stop, _NAMES.index(h), _LABELS.index(k)] for h, k in pairs]
        return np.stack(found, axis=1)

    return evaluate


@pytest.mark.parametrize("sampling", ["elimination", "top-two"])
def test_objectives_that_are_settled_are_asked_for_no_more(sampling):
    table, asked = _table(), []
    options = {"objectives": _LABELS, "n_examples": 4000, "sampling": sampling}
    result = race(_NAMES, _answering(table, asked), ask="objectives", **options)
    whole = race(_NAMES, lambda m, e: table[e.start : e.stop, [_NAMES.index(h) for h in m]], **options)
    assert result.certificate.status == whole.certificate.status == ("sure", "excluded", "excluded")
    assert set(asked[0]) == {(h, k) for h in _NAMES for k in _LABELS}
    assert set(asked[-1]) == {("a", "harm"), ("c", "harm")}
    counted = {(h, k): 0 for h in _NAMES for k in _LABELS}
    start = 0
    for pairs, (size, *_) in zip(asked, result.history, strict=True):
        for pair in pairs:
            counted[pair] += size - start
        start = size
    assert result.evaluations_by_objective.ravel().tolist() == list(counted.values())
    assert result.evaluations.tolist() == result.evaluations_by_objective.max(axis=1).tolist()
    assert result.cost == sum(counted.values()) / 2 < whole.cost


def test_costs_are_those_of_models_or_of_objectives():
    by_model = {"a": 4, "b": 2.0, "c": 1.0}
    prices = {"a": 4.0, "b": {"error": 0.5, "harm": 1.5}, "c": {"error": 1.0, "harm": 3.0}}
    result = race(_NAMES, _table(), objectives=_LABELS, evaluation_costs=by_model)
    assert result.cost == result.evaluations @ [4.0, 2.0, 1.0]
    assert result.uniform_cost == 7.0 * result.n_examples
    result = race(_NAMES, _table(), objectives=_LABELS, evaluation_costs=prices, ask="objectives")
    each = np.array([[2.0, 2.0], [0.5, 1.5], [1.0, 3.0]])
    assert result.cost == (result.evaluations_by_objective * each).sum()
    assert list(result.to_frame()) == ["model", "status", "evaluations", "evaluations: error", "evaluations: harm"]
    spent = race(_NAMES, _table(), objectives=_LABELS, evaluation_costs=prices, ask="objectives", budget=3000.0)
    assert spent.reason == "budget"
    assert spent.cost <= 3000.0


def _asked_by_top_two(errors, prices=(1.0, 1.0, 1.0)):
    """Which of a, b and h are asked for after 40 examples, where h costs more than a and b, which do not compare."""
    stream = mt.CertificateStream(["a", "b", "h"], 1, 0.05, costs={"price": [1, 2, 3], "time": [2, 1, 3]})
    stream.update(np.arange(40)[:, None, None] < np.array(errors)[:, None])
    certificate = stream.certificate()
    assert certificate.status == ("sure", "sure", "undecided")
    each = np.array(prices)[:, None]
    assert wanted(stream, certificate, each, "elimination", apart=False).all()
    return wanted(stream, certificate, each, "top-two", apart=False)[:, 0].tolist()


def test_a_model_that_seems_excluded_meets_the_rival_that_excludes_it_at_the_least_cost():
    assert _asked_by_top_two([6, 4, 8]) == [False, True, True]
    assert _asked_by_top_two([4, 6, 8]) == [True, False, True]
    assert _asked_by_top_two([6, 4, 8], prices=(1.0, 1000.0, 1.0)) == [True, False, True]
    # It seems to be a member: all open rivals are met.
    assert _asked_by_top_two([6, 8, 4]) == [True, True, True]


@pytest.mark.parametrize("epsilon", [0.0, 0.02])
def test_top_two_asks_for_nothing_that_elimination_has_settled(epsilon):
    table, stream, fewer = _table(seed=2), mt.CertificateStream(_NAMES, 2, 0.05, epsilon=epsilon), 0
    # Objectives that are settled here are nearly free.
    prices = np.ones((3, 2)) * [0.01, 1.0]
    for start in range(0, 800, 100):
        stream.update(table[start : start + 100])
        certificate = stream.certificate()
        if not certificate.undecided.any():
            break
        needed, chosen = (wanted(stream, certificate, prices, rule, apart=True) for rule in ("elimination", "top-two"))
        assert chosen.any()
        assert not (chosen & ~needed).any()
        fewer += chosen.sum() < needed.sum()
    assert fewer


def test_what_is_asked_for_does_not_depend_on_the_losses_it_brings():
    table, other = _table(), _table(seed=1)
    for sampling in ("elimination", "top-two"):
        asked = [[], []]
        for k, later in enumerate((table, other)):
            mixed = np.concatenate([table[:300], later[300:]])
            options = {"ask": "objectives", "sampling": sampling, "n_examples": 400}
            race(_NAMES, _answering(mixed, asked[k]), objectives=_LABELS, **options)
        assert asked[0][:4] == asked[1][:4]


def test_answers_that_do_not_come_are_paid():
    table = _table(300).astype(float)
    table[7:, 0] = np.nan
    result = race(_NAMES, table, objectives=_LABELS, batch=300)
    assert result.evaluations.tolist() == [300, 300, 300]
    assert result.cost == 900.0


@pytest.mark.parametrize("sampling", ["elimination", "top-two"])
@pytest.mark.parametrize("ask", ["models", "objectives"])
def test_a_race_goes_on_as_if_it_had_not_been_stopped(tmp_path, sampling, ask):
    table, path = _table(1200, seed=3), tmp_path / "race.npz"
    options = {"objectives": _LABELS, "sampling": sampling, "ask": ask, "rng": 5, "batch": 200}
    whole = race(_NAMES, table, **options)
    assert len(whole.history) > 3
    # Stopped after every batch.
    for size, *_ in whole.history:
        part = race(_NAMES, table, state=path, n_examples=size, **options)
    assert part.certificate == whole.certificate
    assert part.cost == whole.cost
    np.testing.assert_array_equal(part.evaluations_by_objective, whole.evaluations_by_objective)


def test_files_of_other_races_and_damaged_ones_are_refused(tmp_path):
    table, path = _table(seed=3), tmp_path / "race.npz"
    race(_NAMES, table, objectives=_LABELS, state=path, n_examples=100)
    kept = path.read_bytes()
    for wrong in ({"rng": 1}, {"objectives": ["error", "speed"]}, {"maximise": True}, {"loss_range": (0.0, 2.0)}):
        with pytest.raises(InvalidInputError, match="`state` must be of the same race, got one"):
            race(_NAMES, table, **{"objectives": _LABELS, "state": path} | wrong)
    with pytest.raises(InvalidInputError, match="other examples: of another table or `rng`, or of a function"):
        race(_NAMES, _table(seed=4), objectives=_LABELS, state=path)
    with pytest.raises(InvalidInputError, match="other examples"):
        race(_NAMES, _answering(table), objectives=_LABELS, ask="objectives", state=path)
    assert path.read_bytes() == kept
    stream = mt.CertificateStream(_NAMES, _LABELS, 0.05)
    stream.save(tmp_path / "stream.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "half.npz").write_bytes(kept[: len(kept) // 2])
    place = kept.index(b"asked.npy") + 160
    (tmp_path / "changed.npz").write_bytes(kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :])
    for name in ("stream", "empty", "half", "changed"):
        with pytest.raises(InvalidInputError, match=r"file that a race wrote"):
            race(_NAMES, table, objectives=_LABELS, state=tmp_path / f"{name}.npz")


_KILLED = """
import os, sys
import numpy as np
from moltheory.certification import race
table = np.random.default_rng(3).random((4000, 3)) < [0.2, 0.22, 0.4]
def evaluate(models, examples):
    if examples.start >= 300 and len(sys.argv) > 2:
        os._exit(9)
    return table[examples.start : examples.stop, ["abc".index(name) for name in models]]
result = race(list("abc"), evaluate, n_examples=4000, state=sys.argv[1])
sys.stdout.write(result.certificate.to_json() + str(result.cost))
"""


@pytest.mark.slow
def test_a_race_whose_process_dies_goes_on(tmp_path):
    def run(*arguments):
        command = [sys.executable, "-c", _KILLED, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    whole = run(tmp_path / "whole.npz")
    assert whole.returncode == 0
    assert run(tmp_path / "killed.npz", "die").returncode == 9
    again = run(tmp_path / "killed.npz")
    assert again.stdout == whole.stdout
