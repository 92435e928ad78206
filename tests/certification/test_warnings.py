"""Warnings about directions, few examples, folds and averages: when, when not, how often, and that nothing changes."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.certification._data_warnings import gains_among
from moltheory.errors import AggregateWarning, DataWarning, DirectionWarning, FewExamplesWarning
from moltheory.evaluation import CVaR, LossTable, from_long_table, open_losses
from moltheory.objectives import Mean

_RNG = np.random.default_rng(0)
_LOSSES = _RNG.random((40, 3, 2)) < 0.4


def _warned(function: Any, *args: Any, **options: Any) -> tuple[Any, list[warnings.WarningMessage]]:
    """Call, and return the result with the warnings about data, each of which is one sentence."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", DataWarning)
        result = function(*args, **options)
    for entry in caught:
        text = str(entry.message)
        assert text.startswith("`")
        assert text.endswith(".")
        assert "\n" not in text
    return result, caught


def _kinds(function: Any, *args: Any, **options: Any) -> list[type[Warning]]:
    return [entry.category for entry in _warned(function, *args, **options)[1]]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "accuracy",
            "Accuracy",
            "ACC",
            "acc_norm",
            "test accuracy",
            "testAccuracy",
            "correct",
            "score",
            "mean reward",
        ),
        *("f1", "F1-macro", "AUC", "roc_auc", "r2", "pass", "pass@1", "pass@10", "win", "win_rate", "exact_match"),
        *("exactMatch", "em", "recall@5", "precision", "bleu", "BLEU4", "rougeL", "rouge1", "task/acc", "acc,none"),
    ],
)
def test_names_of_gains(name: str) -> None:
    assert gains_among([name]) == (name,)
    losses = _LOSSES[:, :, :1]
    (kind,) = _kinds(mt.certify, losses, objectives=[name])
    assert kind is DirectionWarning


@pytest.mark.parametrize(
    "name",
    [
        *("error", "inaccuracy", "passenger", "score_loss", "1-accuracy", "1 - acc", "one_minus_f1", "lossScore"),
        *("error_rate of the accuracy model", "brier_score", "accuracy gap", "score_time", "acc_stderr", "windows"),
        *("compass", "scoreboard", "surpass", "emission", "negative reward", "not_correct", "incorrect", "accident"),
        *("latency", "cost", "objective_1", "é", "…", "wer_score_error", "rank_test_score", "accelerations"),
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert gains_among([name]) == ()


_FRAME = pd.DataFrame(
    [
        {"model": f"m{j}", "example": f"x{i}", "objective": ("accuracy", "seconds")[k], "loss": float(_LOSSES[i, j, k])}
        for i, j, k in np.ndindex(_LOSSES.shape)
    ]
)
_NAMES = ["accuracy", "seconds"]


def _read(path: Any, **options: Any) -> mt.Certificate:
    return open_losses(path).certify(**options)


_DOORS: dict[str, Any] = {
    "array": lambda **options: mt.certify(_LOSSES, objectives=_NAMES, **options),
    "table": lambda **options: LossTable(_LOSSES, objective_names=_NAMES).certify(**options),
    "table of a table": lambda **options: mt.certify(LossTable(LossTable(_LOSSES, None, _NAMES)), **options),
    "selected": lambda **options: LossTable(_LOSSES, None, _NAMES).select(["accuracy"]).certify(**options),
    "long table": lambda **options: mt.certify(from_long_table(_FRAME), **options),
    "measures": lambda **options: mt.certify(None, objectives={"accuracy": Mean(_LOSSES[:, :, 0])}, **options),
    "tails": lambda **options: mt.certify(
        None, objectives={"accuracy": CVaR(_LOSSES[:, :, 0].astype(float), share=0.5)}, **options
    ),
    "costs": lambda **options: mt.certify(_LOSSES, costs={"accuracy": [0.5, 0.6, 0.7]}, **options),
    "measured costs": lambda **options: mt.certify(
        _LOSSES, costs={"accuracy": mt.Measured([0.5, 0.6, 0.7], 0.0, 1.0, delta=0.01)}, **options
    ),
}


@pytest.mark.parametrize("door", _DOORS)
def test_every_door_warns_once_and_names_the_option(door: str) -> None:
    certificate, caught = _warned(_DOORS[door])
    (entry,) = caught
    assert entry.category is DirectionWarning
    assert "`maximise`" in str(entry.message)
    assert "'accuracy'" in str(entry.message)
    assert "seconds" not in str(entry.message)
    assert entry.filename == __file__
    # Neither the warning nor its answer changes anything.
    for stated in ([], False, {}):
        silent, caught = _warned(_DOORS[door], maximise=stated)
        assert silent == certificate
        assert not caught
    assert not _warned(certificate.plan, simulate=0)[1]
    assert _warned(_DOORS[door], maximise=["accuracy"])[0].maximise[certificate.objectives.index("accuracy")]


def test_files_warn_too(tmp_path: Any) -> None:
    path = tmp_path / "losses.csv"
    _FRAME.to_csv(path, index=False)
    assert _kinds(_read, path) == [DirectionWarning]
    assert _kinds(_read, path, maximise=[]) == []


@pytest.mark.parametrize("stated", [[False, False], False, ["accuracy"], {"accuracy": True}])
def test_a_table_knows_whether_directions_were_stated(stated: Any) -> None:
    table = LossTable(_LOSSES, objective_names=_NAMES, maximise=stated)
    for each in (table, LossTable(table), table.select(["accuracy"])):
        assert each.directions_stated
        assert not _warned(each.certify)[1]


def test_sources_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Source:
        model_names, objective_names, has_clusters = ("a", "b", "c"), ("accuracy", "f1"), False

        def blocks(self) -> Any:
            yield _LOSSES, None

    assert _kinds(mt.certify, Source()) == [DirectionWarning]
    monkeypatch.setattr(Source, "maximise", (True, True), raising=False)
    assert _kinds(mt.certify, Source()) == []


@pytest.mark.parametrize(("n", "kinds"), [(1, [FewExamplesWarning]), (19, [FewExamplesWarning]), (20, [])])
def test_few_examples(n: int, kinds: list[type[Warning]]) -> None:
    assert _kinds(mt.certify, _LOSSES[:n]) == kinds
    assert _kinds(mt.certify, None, objectives={"cvar": CVaR(_LOSSES[:n, :, 0].astype(float), share=0.5)}) == kinds
    # One objective with few examples is enough.
    some = _LOSSES.astype(float)
    some[n:, :, 1] = np.nan
    assert _kinds(mt.certify, some) == kinds


def test_clusters_count_as_one() -> None:
    with pytest.warns(FewExamplesWarning, match=r"10 independent examples \(`clusters`"):
        mt.certify(_LOSSES, clusters=np.arange(40) // 4)
    assert _kinds(mt.certify, np.tile(_LOSSES, (2, 1, 1)), clusters=np.arange(80) // 4) == []
    with pytest.warns(FewExamplesWarning, match="one independent example"):
        mt.certify(_LOSSES, clusters=[7] * 40)


# Accuracies of five folds of 57 and 56 examples; rounded averages over tasks; and what is neither.
_FOLDS = np.array([[50, 51, 52, 53, 49], [47, 51, 50, 52, 48]]).T / np.array([57, 57, 57, 56, 56])[:, None]
_ROUNDED = np.array([[0.8132, 0.7719], [0.6401, 0.7203], [0.9128, 0.8877]])


@pytest.mark.parametrize("rows", [_FOLDS, _ROUNDED, np.tile(_FOLDS, (6, 1))])
def test_rows_that_look_like_averages(rows: Any) -> None:
    kinds = _kinds(mt.certify, rows)
    assert AggregateWarning in kinds
    assert kinds.count(AggregateWarning) == 1


@pytest.mark.parametrize(
    "rows",
    [
        _RNG.random((25, 2)),
        np.round(_RNG.random((25, 2)) * 4) / 4,
        _RNG.integers(1, 10, (25, 2)) / 10,
        np.tile(_FOLDS, (8, 1)),
        _LOSSES[:25, :, 0],
        _LOSSES[:25, :, 0].astype(float),
        np.full((25, 2), 0.5),
    ],
    ids=["continuous", "quarters", "ratings", "many", "bool", "0/1", "constant"],
)
def test_rows_that_do_not(rows: Any) -> None:
    assert _kinds(mt.certify, rows) == []


_LABELS: dict[str, Any] = {
    "folds": [f"fold_{i}" for i in range(25)],
    "cv": [f"cv fold {i}" for i in range(25)],
    "splits": [f"split{i}_test_score" for i in range(25)],
    "a mean at the end": [*(f"x{i}" for i in range(24)), "mean"],
    "an average": [*(f"x{i}" for i in range(24)), "macro avg"],
}


@pytest.mark.parametrize("kind", _LABELS)
def test_rows_that_are_called_so(kind: str) -> None:
    frame = pd.DataFrame(_RNG.random((25, 2)), index=_LABELS[kind], columns=["a", "b"])
    assert _kinds(mt.certify, frame) == [AggregateWarning]
    table = LossTable(frame.to_numpy()[:, :, None], examples=_LABELS[kind])
    assert _kinds(mt.certify, table) == [AggregateWarning]


def test_columns_of_a_cross_validation() -> None:
    losses = _LOSSES.astype(float)
    with pytest.warns(AggregateWarning, match="split0_test_score"):
        mt.certify(losses, names=["split0_test_score", "split1_test_score", "split2_test_score"])
    with pytest.warns(AggregateWarning, match="mean_test_score"):
        mt.certify(losses, objectives=["mean_test_score", "seconds"], maximise=[])
    with pytest.warns(AggregateWarning, match="fold_0"):
        mt.certify(losses, names=["fold_0", "fold_1", "fold_2"])


@pytest.mark.parametrize(
    ("models", "warned"),
    [
        (["accuracy", "f1", "auc"], True),
        (["accuracy", "log_loss", "latency"], True),
        (["regret", "error", "cost"], False),
        (["accuracy", "small", "large"], False),
        (["score > 3", "score > 5", "score >= 8"], False),
    ],
)
def test_columns_that_are_metrics_are_no_models(models: list[str], warned: bool) -> None:
    frame = pd.DataFrame(_RNG.random((25, 3)), columns=models)
    _, caught = _warned(mt.certify, frame)
    assert [entry.category for entry in caught] == [AggregateWarning] * warned
    assert all("`objectives`" in str(entry.message) for entry in caught)


@pytest.mark.parametrize("labels", [[f"unfold{i}" for i in range(25)], [f"meaning {i}" for i in range(25)], None])
def test_rows_with_other_names(labels: Any) -> None:
    frame = pd.DataFrame(_RNG.random((25, 2)), index=labels, columns=["a", "b"])
    assert _kinds(mt.certify, frame) == []


def test_words_among_many_examples_are_words() -> None:
    frame = pd.DataFrame(_RNG.random((40, 2)), index=[*(f"x{i}" for i in range(39)), "mean"], columns=["a", "b"])
    assert _kinds(mt.certify, frame) == []


def test_streams_do_not_warn() -> None:
    def run() -> mt.Certificate:
        stream = mt.CertificateStream(3, ["accuracy", "score"], 0.05)
        stream.update(_LOSSES[:5])
        return stream.certificate()

    assert not _warned(run)[1]


@pytest.mark.parametrize("seed", range(8))
def test_certificates_are_the_same_with_and_without_warnings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 25))
    losses = rng.integers(1, 50, (n, 4, 2)) / 50 if seed % 2 else rng.random((n, 4, 2)) < 0.5
    warned, caught = _warned(mt.certify, losses, objectives=["accuracy", "f1"], costs={"score": rng.random(4)})
    assert {entry.category for entry in caught} >= {DirectionWarning}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        rng = np.random.default_rng(seed)
        silent = mt.certify(losses, objectives=["accuracy", "f1"], costs={"score": warned.estimates[:, 2]}, maximise=[])
    assert silent == warned


def test_warnings_can_be_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", mt.DataWarning)
        with pytest.raises(FewExamplesWarning):
            mt.certify(_LOSSES[:5])


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_models_without_a_common_example_are_told(scale: float) -> None:
    losses = (np.random.default_rng(1).random((60, 3)) < 0.3) * scale
    losses[:30, 0] = losses[30:, 1] = np.nan
    with pytest.warns(DataWarning, match="'a' and 'b' have no example in common"):
        mt.certify(losses, names=["a", "b", "c"])
    losses[0, 0] = scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mt.certify(losses, names=["a", "b", "c"])
