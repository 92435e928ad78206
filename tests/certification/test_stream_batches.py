"""What a stream takes and refuses: measures, clusters, models that come and go; after a refusal it is as before."""

import numpy as np
import pytest

from moltheory import CertificateStream, Measured
from moltheory.errors import InvalidInputError
from moltheory.evaluation import CVaR, LossTable
from moltheory.objectives import F1Error, Gap, Known, Mean, Rate, Worst


def _stream(**options):
    stream = CertificateStream(["a", "b", "c"], ["x", "y"], 0.05, **options)
    stream.update((np.random.default_rng(0).random((30, 3, 2)) < 0.3).astype(float))
    return stream


def _everything(stream):
    """All that a stream holds."""
    own = [stream.models, stream._names, stream._labels, stream._n, stream._n_units, sorted(stream._ids)]
    arrays = [stream._costs, stream._cohorts, stream._active]
    for objective in stream._objectives:
        arrays += [array for _, array in sorted(objective.state().items())]
    return [*own, *(array.tolist() for array in arrays)]


def test_means_and_rates_in_groups_are_losses_with_gaps(rng):
    losses = (rng.random((50, 3)) < 0.4).astype(float)
    young = rng.random(50) < 0.3
    by_measure, by_array = (CertificateStream(3, ["error", "error, young"], 0.05) for _ in range(2))
    by_measure.update({"error, young": Rate(losses, where=young), "error": Mean(losses)})
    by_measure.update([Mean(losses), Rate(losses, where=young)])
    gaps = np.stack([losses, np.where(young[:, None], losses, np.nan)], axis=2)
    for _ in range(2):
        by_array.update(gaps)
    assert by_measure.certificate() == by_array.certificate()
    np.testing.assert_allclose(by_measure.certificate().estimates[:, 1], losses[young].mean(axis=0))


@pytest.mark.parametrize(
    ("measure", "named"),
    [
        (Gap(Mean([[0, 1]]), Mean([[1, 0]])), "Gap"),
        (Worst([Mean([[0, 1]]), Mean([[1, 0]])]), "Worst"),
        (F1Error([[True, False]], [True]), "F1Error"),
        (Known([1.0, 2.0]), "Known"),
        (CVaR(np.ones((5, 2)), share=0.5), "CVaR"),
        (Rate([[0, 1]], where=[[True, True]]), "Rate whose condition depends on the model"),
    ],
)
def test_other_measures_are_refused_by_name_with_a_remedy(measure, named):
    stream = CertificateStream(2, ["error"], 0.05)
    with pytest.raises(InvalidInputError, match=f"got {named} for 'error': make a mean over each group"):
        stream.update([measure])
    with pytest.raises(InvalidInputError, match="one measure for each"):
        stream.update({"other": Mean([[0, 1]])})
    with pytest.raises(InvalidInputError, match="some of each"):
        stream.update([Mean([[0, 1]]), 3.0])
    assert stream.n_examples == 0


_ROWS = np.zeros((4, 3, 2))


@pytest.mark.parametrize(
    ("options", "call", "sentence"),
    [
        ({}, lambda s: s.update(_ROWS[:, :2]), r"shape \(b, 3, 2\), got shape \(4, 2, 2\)"),
        ({}, lambda s: s.update(_ROWS[:, :, :1]), "`losses` must be real numbers of shape"),
        ({}, lambda s: s.update(_ROWS + np.inf), "`losses` must lie in `loss_range`"),
        ({}, lambda s: s.update(_ROWS, clusters=[1, 1, 2, 2]), "`clusters` must come with a `largest_cluster`"),
        ({"largest_cluster": 2}, lambda s: s.update(_ROWS, clusters=[1, 1, 1, 2]), "at most 2 examples each"),
        ({"largest_cluster": 4}, lambda s: s.update(_ROWS, clusters=[1, 2]), r"`clusters` must have shape \(4,\)"),
        ({"cluster_weights": "equal"}, lambda s: s.update(_ROWS, clusters=[1, None, 1, 2]), "missing values"),
        ({}, lambda s: s.add_models(["d"]), "keeps no part of delta for them, got 'd'"),
        ({"joining": 0.5}, lambda s: s.add_models(["d", "a"]), "names of new models, got 'a'"),
        ({"joining": 0.5}, lambda s: s.add_models(["d", "d"]), "`models`"),
        ({"joining": 0.5}, lambda s: s.add_models(3), "list of names of new models, got 3"),
        ({"joining": 0.5}, lambda s: s.add_models([]), "got an empty list"),
        ({"joining": 0.5}, lambda s: s.add_models("d"), "got one string"),
        ({"joining": 0.5}, lambda s: s.add_models(["d"], costs=[1.0]), "`costs` must be exact ones named"),
        ({"joining": 0.5, "costs": {"price": [1, 2, 3]}}, lambda s: s.add_models(["d"]), "'price', got none"),
        (
            {"joining": 0.5, "costs": {"price": [1, 2, 3]}},
            lambda s: s.add_models(["d"], costs={"price": [np.nan]}),
            "`costs`",
        ),
        ({}, lambda s: s.drop_models(["b", "c"]), "at least two models in the stream, got 2 of 3"),
        ({}, lambda s: s.drop_models(["z"]), "must be names of models in the stream, got 'z'"),
        ({}, lambda s: s.drop_models("a"), "got one string"),
        ({}, lambda s: s.drop_models([]), "got an empty list"),
        ({}, lambda s: s.drop_models(None), "list of names of models in the stream, got None"),
        ({}, lambda s: s.update(None), r"shape \(b, 3, 2\), got None\.$"),
        ({}, lambda s: s.update(LossTable(_ROWS)), r"got LossTable: its losses are `table\.losses`"),
        ({}, lambda s: s.update(_ROWS + 1 + 1e-9), r"got 1\.000000001\.$"),
    ],
)
def test_a_refusal_changes_nothing(options, call, sentence):
    stream = _stream(**options)
    before = _everything(stream)
    with pytest.raises(InvalidInputError, match=sentence) as refusal:
        call(stream)
    assert "\n" not in str(refusal.value)
    assert _everything(stream) == before


def test_columns_that_change_are_matched_or_refused():
    pandas = pytest.importorskip("pandas")
    stream = CertificateStream(["a", "b"], ["x", "y"], 0.05)
    frame = pandas.DataFrame([[0.0, 1.0], [1.0, 1.0]], index=["a", "b"], columns=["x", "y"])
    stream.update(frame)
    stream.update(frame.loc[["b", "a"], ["y", "x"]])
    assert stream.certificate().estimates.tolist() == [[0.0, 1.0], [1.0, 1.0]]
    for other in (frame.rename(columns={"y": "z"}), frame.rename(index={"b": "c"}), frame[["x"]]):
        with pytest.raises(InvalidInputError):
            stream.update(other)
    assert stream.n_examples == 2


def test_a_frame_of_examples_and_models_is_one_objective():
    pandas = pytest.importorskip("pandas")
    stream, other = (CertificateStream(["a", "b"], ["x"], 0.05) for _ in range(2))
    frame = pandas.DataFrame([[0.0, 1.0], [0.5, 1.0]], index=["q1", "q2"], columns=["b", "a"])
    stream.update(frame)
    other.update(frame.to_numpy()[:, ::-1, None])
    assert stream.certificate() == other.certificate()
    for wrong in (frame.rename(columns={"b": "c"}), frame[["a"]], frame.assign(c=0.0)):
        with pytest.raises(InvalidInputError, match="labels of `models`"):
            stream.update(wrong)
    with pytest.raises(InvalidInputError, match="got one for each model, which says nothing of several objectives"):
        CertificateStream(["a", "b"], ["x", "y"], 0.05).update(frame)
    assert stream.n_examples == 2


def test_a_cluster_comes_in_one_update():
    stream = _stream(largest_cluster=3)
    stream.update(_ROWS, clusters=["p1", "p1", "p2", "p3"])
    before = _everything(stream)
    with pytest.raises(InvalidInputError, match="must be complete, all examples of one in one update, got p2 again"):
        stream.update(_ROWS, clusters=["p4", "p4", "p4", "p2"])
    assert _everything(stream) == before
    stream.update(_ROWS, clusters=[4, 4, 4, 5])
    with pytest.raises(InvalidInputError, match=r"got 5\.0 again"):
        stream.update(_ROWS[:1], clusters=[5.0])
    assert stream._n_units == 30 + 3 + 2


def test_parameters_are_refused(refuses):
    for wrong in (1.0, -0.1, np.nan, True, "half"):
        refuses("joining", CertificateStream, 2, 1, 0.05, joining=wrong)
    assert CertificateStream(2, 1, 0.05, joining=np.int64(0)).models == ("model_1", "model_2")
    with pytest.raises(InvalidInputError, match=r"`joining` must lie in \[0, 1\)"):
        CertificateStream(2, 1, 0.05, joining=-0.1)
    for wrong in (["a"], [], 1, "ab", None, {"a", "b"}):
        with pytest.raises(
            InvalidInputError, match="`models` must be a list of names, or their number, at least 2, got"
        ):
            CertificateStream(wrong, 1, 0.05)
    with pytest.raises(InvalidInputError, match=r"such as that of a stream, which keeps no losses.*further_examples"):
        CertificateStream(2, 1, 0.05).certificate().plan()
    for wrong in (0, 1.5, True):
        refuses("largest_cluster", CertificateStream, 2, 1, 0.05, largest_cluster=wrong)
    refuses("cluster_weights", CertificateStream, 2, 1, 0.05, cluster_weights="none")
    refuses("largest_cluster", CertificateStream, 2, 1, 0.05, largest_cluster=3, cluster_weights="equal")
    measured = {"latency": Measured([1.0, 2.0], [0.9, 1.9], [1.1, 2.1], delta=0.01)}
    stream = CertificateStream(["a", "b"], 1, 0.05, costs=measured, joining=0.5)
    refuses("costs", stream.add_models, ["c"], costs={"latency": [1.0]})


@pytest.mark.parametrize("options", [{}, {"largest_cluster": 2, "epsilon": 0.1}], ids=["examples", "clusters"])
def test_memory_does_not_depend_on_the_number_of_examples(options, rng):
    stream = CertificateStream(4, 2, 0.05, **options)
    sizes = []
    for n in (50, 5000):
        stream.update(rng.random((n, 4, 2)))
        stream.certificate()
        sizes.append(sum(array.nbytes for objective in stream._objectives for array in objective.state().values()))
    assert sizes[0] == sizes[1]
    assert all(array.size <= 16 for objective in stream._objectives for array in objective.state().values())
