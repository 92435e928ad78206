"""Sources of losses from outside: any object that keeps the contract is certified like the array it holds."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.certification import EvaluatedModels, from_estimators, from_long_table, from_predictions, open_losses
from moltheory.evaluation import LossTable
from moltheory.testing import ContractError, check_source

Array = np.ndarray[Any, Any]
_LOSSES = np.random.default_rng(0).integers(0, 2, (40, 3, 2))
_CODES = np.arange(40) // 4


class Foreign:
    """No subclass of anything, and no other attribute than the contract names."""

    model_names = ("a", "b", "c")
    objective_names = ("error", "other")

    def __init__(self, losses: Array = _LOSSES, codes: Array | None = None, step: int = 8) -> None:
        self.losses, self.codes, self.step = losses, codes, step

    def blocks(self) -> Any:
        for start in range(0, len(self.losses), self.step):
            rows = slice(start, start + self.step)
            yield self.losses[rows], None if self.codes is None else self.codes[rows]


class Once(Foreign):
    """Can be read once only."""

    def __init__(self) -> None:
        super().__init__()
        self._left = list(super().blocks())

    def blocks(self) -> Any:
        while self._left:
            yield self._left.pop(0)


@pytest.mark.parametrize("codes", [None, _CODES])
def test_a_foreign_source_is_certified_like_its_array(codes: Array | None) -> None:
    source = Foreign(codes=codes)
    check_source(source, loss_range=(0.0, 1.0))
    certificate = mt.certify(source)
    expected = mt.certify(_LOSSES, names=["a", "b", "c"], objectives=["error", "other"], clusters=codes)
    assert certificate == expected
    assert certificate.plan(simulate=3).equals(expected.plan(simulate=3))


class OneBuffer(Foreign):
    """Fills the same array again and again."""

    def blocks(self) -> Any:
        buffer = np.empty((self.step, *self.losses.shape[1:]), self.losses.dtype)
        for losses, codes in super().blocks():
            buffer[:] = losses
            yield buffer, codes


def test_a_source_may_fill_the_same_buffer_again() -> None:
    source = OneBuffer()
    check_source(source)
    assert mt.certify(source) == mt.certify(Foreign())


def test_what_a_foreign_source_brings_is_used() -> None:
    source = Foreign()
    source.costs, source.cost_names = np.array([[1.0], [2.0], [3.0]]), ("price",)  # type: ignore[attr-defined]
    source.maximise = (True, False)  # type: ignore[attr-defined]
    check_source(source)
    certificate = mt.certify(source)
    assert certificate.objectives == ("error", "other", "price")
    assert certificate.maximise == (True, False, False)


def _with(**changed: Any) -> Foreign:
    source = Foreign()
    for name, value in changed.items():
        setattr(source, name, value)
    return source


@pytest.mark.parametrize(
    ("source", "named"),
    [
        (Once(), "at every call"),
        (_with(model_names="abc"), "model_names"),
        (_with(objective_names=("error", "error")), "objective_names must be distinct"),
        (_with(model_names=("a", "b")), r"losses \(b, 2, 2\)"),
        (Foreign(codes=_CODES, step=6), "together and in one block"),
        (Foreign(codes=np.arange(40) % 4, step=40), "together and in one block"),
        (Foreign(codes=_CODES[:, None]), "one cluster code per example"),
        (Foreign(_LOSSES.astype(str)), "real numbers"),
        (Foreign(np.where(_LOSSES == 1, np.inf, 0.0)), "infinity"),
        (Foreign(_LOSSES * 2), r"losses in \(0.0, 1.0\)"),
        (_with(has_clusters=False, codes=_CODES), "has_clusters is False"),
        (_with(costs=np.ones((2, 1)), cost_names=("price",)), "costs must be finite"),
        (_with(maximise=[True]), "maximise"),
        (SimpleNamespace(model_names=("a",), objective_names=("b",)), "blocks must be a method"),
    ],
)
def test_lying_sources_are_named(source: Any, named: str) -> None:
    with pytest.raises(ContractError, match=named):
        check_source(source, loss_range=(0.0, 1.0))


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.uint8, np.float32, np.float64])
def test_the_type_of_the_losses_is_kept(dtype: type) -> None:
    losses = _LOSSES.astype(dtype)
    names, titles = list("abc"), ["error", "other"]
    table = LossTable(losses, names, titles)
    assert table.losses.dtype == losses.dtype
    assert mt.certify(table) == mt.certify(losses, names=names, objectives=titles)
    check_source(table)
    whole = np.dtype(dtype).kind in "biu"
    assert any("only the two ends" in text for text in mt.certify(table).assumptions) == whole


def test_bools_and_integers_are_one_certificate_and_floats_pay_the_price() -> None:
    found = [mt.certify(_LOSSES.astype(dtype)) for dtype in (bool, np.int32, np.float64)]
    assert (found[0].boxes == found[1].boxes).all()
    length = [np.diff(certificate.boxes, axis=2) for certificate in found]
    assert (length[2] >= length[0]).all()
    assert (length[2] > length[0]).any()


def test_adapters_give_the_certificates_of_their_arrays(tmp_path: Any) -> None:
    rng = np.random.default_rng(7)
    target = rng.integers(0, 2, 300)
    predicted = np.where(rng.random((300, 3)) < [0.1, 0.2, 0.3], 1 - target[:, None], target[:, None])
    wrong = predicted != target[:, None]
    names = ["a", "b", "c"]
    expected = mt.certify(wrong, names=names, objectives=["error"])
    frame = pd.DataFrame(predicted, columns=names)
    assert from_predictions(frame, target, objectives=["error"]).certify() == expected

    class Fixed:
        def __init__(self, column: int) -> None:
            self.column = column

        def predict(self, features: Array) -> Array:
            return predicted[features[:, 0], self.column]

    models = {name: Fixed(i) for i, name in enumerate(names)}
    found = from_estimators(models, np.arange(300)[:, None], target, objectives=["error"], costs=())
    assert found.certify() == expected
    long = pd.DataFrame(
        {
            "model": np.repeat(names, 300),
            "example": np.tile([f"e{i}" for i in range(300)], 3),
            "error": wrong.T.ravel(),
        }
    )
    assert from_long_table(long, loss="error").certify() == expected
    np.savez(tmp_path / "losses.npz", losses=wrong[:, :, None], models=names, objectives=["error"])
    assert open_losses(tmp_path / "losses.npz").certify() == expected
    # A rate within a class keeps the type too: the price of unknown losses is not charged.
    rate = from_predictions(frame, target, objectives=["false_negative_rate"]).certify()
    positives = mt.certify(wrong[target == 1], names=names, objectives=["false_negative_rate"])
    np.testing.assert_array_equal(rate.boxes, positives.boxes)
    assert rate.status == positives.status


def test_a_file_brings_its_range(tmp_path: Any) -> None:
    np.save(tmp_path / "seconds.npy", np.random.default_rng(0).random((50, 2, 1)) * 30.0)
    table = open_losses(tmp_path / "seconds.npy", loss_range=(0.0, 30.0))
    assert mt.certify(table).boxes.max() > 1.0
    with pytest.raises(mt.errors.InvalidInputError, match="loss_range"):
        mt.certify(table, loss_range=(0.0, 1.0))


def test_evaluated_models_are_tables() -> None:
    assert EvaluatedModels is LossTable
    with pytest.raises(mt.errors.InvalidInputError, match="losses"):
        LossTable([["a"]], ["a"], ["b"])
    with pytest.raises(mt.errors.InvalidInputError, match="clusters"):
        LossTable(LossTable(_LOSSES), clusters=_CODES)
