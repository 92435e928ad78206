"""No false certificate from what the package did not make: each is refused, or decided by a valid method."""

import json
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.errors import InvalidInputError
from moltheory.evaluation import CVaR, LossSource, LossTable
from moltheory.objectives import Mean, Rate

Array = np.ndarray[Any, Any]


def _refused_or(make: Callable[[], Any], right: Callable[[Any], bool]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = make()
        except InvalidInputError:
            return
    assert right(found)


def _groups(seed: int, n: int = 1500) -> tuple[Array, Array]:
    """Model 0 errs on .1 and .2 of two groups (gap .1), model 1 on .3 of both (gap 0)."""
    rng = np.random.default_rng(seed)
    group = rng.random(n) < 0.5
    return np.column_stack([rng.random(n) < np.where(group, 0.1, 0.2), rng.random(n) < 0.3]), group


def _accuracy() -> Array:
    rng = np.random.default_rng(0)
    return np.column_stack([rng.random(2000) < 0.9, rng.random(2000) < 0.6])


@pytest.mark.parametrize("how", ["select", "wrapped", "measures", "mapping"])
def test_a_direction_is_never_lost(how: str) -> None:
    right = _accuracy()
    both = np.stack([right, ~right], axis=2)
    table = LossTable(both, ["good", "bad"], ["accuracy", "error"], maximise=[True, False])
    makers: dict[str, Callable[[], Any]] = {
        "select": lambda: mt.certify(table.select(["accuracy"])),
        "wrapped": lambda: LossTable(LossTable(both[:, :, :1], maximise=[True])).certify(),
        "measures": lambda: LossTable(both[:, :, :1], measures={"accuracy": Mean(right)}, maximise=[True]).certify(),
        "mapping": lambda: LossTable(both, maximise={"accuracy": True, "error": False}).certify(),  # type: ignore[arg-type]
    }
    _refused_or(
        makers[how], lambda c: not c.excluded[0] and c.maximise[0] and (len(c.maximise) == 1 or not c.maximise[1])
    )


def test_selecting_objectives_keeps_what_is_known() -> None:
    rng = np.random.default_rng(0)
    table = LossTable(
        rng.random((50, 2, 2)) - 0.5,
        ["a", "b"],
        ["x", "y"],
        loss_range={"x": (-1, 1), "y": (-2, 1)},
        costs=[[1.0], [2.0]],
    )
    one = mt.certify(table.select(["y"]))
    assert one.objectives == ("y", "cost_1")
    np.testing.assert_array_equal(
        one.boxes[:, 0], LossTable(table.losses[:, :, 1:], loss_range=(-2, 1)).certify().boxes[:, 0]
    )


def test_other_names_do_not_turn_a_measure_into_the_losses_shown_beside_it() -> None:
    losses, group = _groups(0)
    table = mt.certification.from_predictions(
        losses.astype(int), np.zeros(1500, int), objectives=["error_gap"], group=group
    )
    _refused_or(
        lambda: mt.certify(table, objectives=["my gap"]),
        lambda c: np.array_equal(c.estimates, table.certify().estimates),
    )


class Clustered(LossSource):
    name, model_names, objective_names, has_clusters = "source", ("a", "b"), ("error",), True

    def __init__(self, losses: Array, codes: Array) -> None:
        self.data = losses, codes

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        yield self.data


def test_measures_beside_a_source_with_clusters_are_not_taken_for_independent_examples() -> None:
    losses = np.repeat(np.random.default_rng(0).random((40, 2, 1)) < 0.3, 50, axis=0)
    source, measures = Clustered(losses, np.repeat(np.arange(40), 50)), {"error": Mean(losses[:, :, 0])}
    _refused_or(lambda: LossTable(source, measures=measures).certify(), lambda c: not c.excluded.any())


def test_a_subclass_of_a_table_is_read_by_its_own_blocks() -> None:
    class First(LossTable):
        def blocks(self) -> Iterator[Any]:
            for losses, codes in super().blocks():
                yield losses[:100], codes

    losses, _ = _groups(0)
    _refused_or(lambda: First(losses[:, :, None]).certify(), lambda c: c.n_examples == 100)


@pytest.mark.parametrize("into", ["certify", "table", "mean", "cvar", "stream", "predictions"])
def test_masked_entries_are_not_losses(into: str) -> None:
    data = np.column_stack([np.r_[np.zeros(1950), np.ones(50)], np.r_[np.zeros(1400), np.ones(600)]])
    mask = np.zeros(data.shape, bool)
    mask[:1950, 0] = True
    masked = np.ma.array(data, mask=mask)

    def stream() -> Any:
        found = mt.certification.CertificateStream(2, 1, 0.05)
        found.update(masked[:, :, None])
        return found.certificate()

    makers: dict[str, Callable[[], Any]] = {
        "certify": lambda: mt.certify(masked),
        "table": lambda: LossTable(masked[:, :, None]).certify(),
        "mean": lambda: mt.certify(None, objectives={"e": Mean(masked)}),
        "cvar": lambda: mt.certify(None, objectives={"e": CVaR(masked)}),
        "stream": stream,
        "predictions": lambda: mt.certification.from_predictions(
            masked.astype(int), np.zeros(2000, int), objectives=["error"]
        ).certify(),
    }
    _refused_or(makers[into], lambda c: not c.excluded[1] and not c.sure[0])


@pytest.mark.parametrize("how", ["series", "mapping", "stream", "predictions", "table"])
def test_costs_with_labels_go_to_their_models(how: str) -> None:
    losses = np.random.default_rng(0).random((100, 2, 1)) < 0.3
    size, names = pd.Series({"big": 9.0, "small": 1.0}), ["small", "big"]
    makers: dict[str, Callable[[], Any]] = {
        "series": lambda: mt.certify(losses, names=names, costs=size),
        "mapping": lambda: mt.certify(losses, names=names, costs={"size": size}),
        "stream": lambda: mt.certification.CertificateStream(names, 1, 0.05, costs={"size": size}).certificate(),
        "predictions": lambda: mt.certification.from_predictions(
            losses[:, :, 0].astype(int), np.zeros(100, int), objectives=["error"], names=names, costs={"size": size}
        ).certify(),
        "table": lambda: LossTable(losses, names, costs=size.to_frame("size")).certify(),
    }
    _refused_or(makers[how], lambda c: c.estimates[:, 1].tolist() == [1.0, 9.0])


@pytest.mark.parametrize("second", ["nothing", "half", "twice", "outside"])
def test_a_large_source_that_reads_otherwise_the_second_time_is_refused(second: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("moltheory.evaluation._blocks._KEPT", 100)
    losses = np.random.default_rng(0).random((1000, 2, 1))
    again = {"nothing": losses[:0], "half": losses[:500], "twice": np.concatenate([losses] * 2), "outside": 7 * losses}

    class Changing:
        model_names, objective_names, has_clusters, reads = ("a", "b"), ("error",), False, 0

        def blocks(self) -> Iterator[Any]:
            self.reads += 1
            yield (losses if self.reads == 1 else again[second]), None

    with pytest.raises(InvalidInputError, match="losses"):
        mt.certify(Changing())


def test_measures_of_a_table_are_selected_renamed_and_compared_with_it() -> None:
    losses, group = _groups(0)
    rates = {"first": Rate(losses, group), "second": Rate(losses, ~group)}
    table = LossTable(losses[:, :, None], measures=rates, maximise={"second": True})
    assert table.certify().maximise == (False, True)
    one = table.select(["second"]).certify()
    assert one.objectives == ("second",)
    assert one.maximise == (True,)
    np.testing.assert_array_equal(one.estimates[:, 0], table.certify().estimates[:, 1])
    assert mt.certify(table, objectives=["a", "b"]).objectives == ("a", "b")
    for wrong in (lambda: mt.certify(table, objectives=["a"]), lambda: LossTable(losses[:7, :, None], measures=rates)):
        with pytest.raises(InvalidInputError):
            wrong()


@pytest.mark.parametrize(
    "blocks",
    [
        [np.zeros((4, 2, 1))],
        [(np.zeros((4, 2, 1)), None, None)],
        [(np.zeros((4, 2, 1)), None), (np.zeros((4, 2, 1)), np.arange(4))],
        [(np.zeros((4, 2, 1)), np.array([0.0, np.nan, 1.0, 2.0]))],
    ],
)
def test_malformed_blocks_are_refused_in_one_sentence(blocks: list[Any]) -> None:
    class Source:
        model_names, objective_names = ("a", "b"), ("error",)

        def blocks(self) -> Iterator[Any]:
            yield from blocks

    with pytest.raises(InvalidInputError, match="`losses` must come"):
        mt.certify(Source())


def test_names_in_an_iterator_costs_of_any_kind_and_classes_are_refused_or_read() -> None:
    class Source:
        objective_names = ("error",)
        in_memory = True

        def __init__(self, names: Any, costs: Any) -> None:
            self.model_names, self.costs = names, costs

        def blocks(self) -> Iterator[Any]:
            yield np.zeros((50, 2, 1)), None

    assert mt.certify(Source(["a", "b"], {"size": {"b": 1.0, "a": 2.0}})).estimates[:, 1].tolist() == [2.0, 1.0]
    assert mt.certify(Source(["a", "b"], [[1.0], [2.0]])).objectives == ("error", "cost_1")
    for wrong in (Source(iter("ab"), None), LossTable, Source("ab", None)):
        with pytest.raises(InvalidInputError, match="losses"):
            mt.certify(wrong)


def test_a_pickled_certificate_holds_sums_and_no_losses() -> None:
    losses, group = _groups(0)
    certificate = mt.certify(None, objectives={"rate": Rate(losses, group), "cvar": CVaR(losses)})
    assert len(pickle.dumps(certificate)) < 6000


@pytest.mark.parametrize("door", ["logs", "column of objects"])
def test_a_type_that_is_only_inferred_from_the_values_seen_is_no_type(door: str, tmp_path: Any) -> None:
    # Whole numbers so far, of a metric that may be fractional elsewhere.
    rows = [
        {"model": m, "example": i, "doc_id": i, "acc": int(i % k > 0)}
        for k, m in ((2, "a"), (3, "b"))
        for i in range(60)
    ]
    if door == "logs":
        (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
        table = mt.certification.from_harness_logs(tmp_path, metrics=["acc"], maximise=False)
    else:
        frame = pd.DataFrame(rows).astype({"acc": object})
        table = mt.certification.from_long_table(frame, loss="acc")
    assert table.losses.dtype == np.float64
    names, titles = table.model_names, table.objective_names
    assert table.certify() == mt.certify(table.losses.astype(float), names=names, objectives=titles)
    whole = mt.certify(table.losses.astype(bool), names=names, objectives=titles)
    assert (np.diff(whole.boxes, axis=2) < np.diff(table.certify().boxes, axis=2)).any()
