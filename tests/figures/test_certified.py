"""The zoo of classifiers is the same again, and the figure's count of false claims counts them."""

import numpy as np
import pytest
from scipy.stats import beta

from moltheory.certification import from_estimators
from moltheory.figures import Settings, get_figure
from moltheory.figures import _certified as certified
from moltheory.figures import _certified_claims as certified_claims
from moltheory.figures._certified_claims import METHODS, Budget, claims_table
from moltheory.figures._zoo import model_zoo
from moltheory.plotting import panels, styled


@pytest.fixture(scope="module")
def zoo():
    return model_zoo("breast_cancer", quick=True)


def test_the_zoo_is_the_same_again_bit_for_bit(zoo):
    again = model_zoo.__wrapped__("breast_cancer", quick=True)
    assert again.model_names == zoo.model_names
    for name in ("wrong", "size_in_bytes", "n_parameters", "target", "features"):
        assert getattr(again, name).tobytes() == getattr(zoo, name).tobytes()
        assert not getattr(zoo, name).flags.writeable


def test_the_zoo_has_many_kinds_and_no_model_is_trained_on_the_test_half(zoo):
    assert len(zoo.model_names) == len(set(zoo.model_names)) >= 36
    assert len(set(zoo.families)) >= 8
    assert zoo.wrong.shape == (285, len(zoo.model_names))
    assert set(np.unique(zoo.wrong)) == {0.0, 1.0}
    # A model that has seen the test half would be perfect on it.
    assert (zoo.wrong.mean(axis=0) > 0).all()


def test_the_zoo_is_what_the_adapter_says(zoo):
    models = from_estimators(zoo.estimators, zoo.features, zoo.target, costs=["size_in_bytes", "n_parameters"])
    np.testing.assert_array_equal(models.losses[:, :, 0], zoo.wrong)
    np.testing.assert_array_equal(models.costs[:, 1], zoo.n_parameters)
    # Search trees count their calls: used ones take a few bytes more.
    np.testing.assert_allclose(models.costs[:, 0], zoo.size_in_bytes, atol=16)


def test_claims_are_counted_against_the_truth():
    """Two models that tie in error and differ in size: every claim about the smaller one that is not `sure` is false."""
    wrong = np.array([[1, 0, 1], [0, 1, 1]] * 10, dtype=bool)
    claims = claims_table(wrong, np.array([1.0, 2.0, 1.0]), Budget((40, 90), 12, 50), seed=0, n_jobs=1, progress=False)
    assert (claims["samples"] == 12).all()
    assert claims["n"].tolist() == [40] * 4 + [90] * 4
    assert list(claims["method"][:4]) == list(METHODS)
    mine, boot = (claims[claims["method"] == method] for method in ("certify", "bootstrap"))
    assert (mine["failed"] == 0).all()
    # No failure in m samples: the largest p with (1 - p)^m >= 0.05.
    np.testing.assert_allclose(mine["failed_upper"], 1 - 0.05 ** (1 / 12), rtol=1e-9)
    hoeffding = claims.loc[claims["method"] == "boxes, Hoeffding", "decided_share"].to_numpy()
    assert (mine["decided_share"].to_numpy() >= hoeffding).all()
    np.testing.assert_array_equal(boot["failed_share"], boot["failed"] / 12)


def test_claims_are_bit_identical_for_any_number_of_processes():
    wrong = np.random.default_rng(0).random((50, 5)) < np.linspace(0.1, 0.5, 5)
    one, two = (
        claims_table(wrong, np.arange(5.0), Budget((30,), 25, 20), seed=1, n_jobs=n_jobs, progress=False)
        for n_jobs in (1, 2)
    )
    assert one.equals(two)


def test_upper_limits_are_those_of_clopper_and_pearson():
    scores = np.zeros((300, 4, 3))
    scores[:7, 3, 2] = 1.0
    rows = {row["method"]: row for row in certified_claims._rows(100, scores)}
    assert rows["certify"]["failed_upper"] == pytest.approx(1 - 0.05 ** (1 / 300))
    assert rows["bootstrap"]["failed_upper"] == pytest.approx(beta.ppf(0.95, 8, 293))
    assert rows["bootstrap"]["failed_share"] == 7 / 300


def test_members_to_within_the_tolerance_are_those_of_bare_comparisons():
    rng = np.random.default_rng(2)
    errors, sizes = rng.integers(0, 12, 40), rng.integers(0, 6, 40).astype(float)
    found = certified._within(errors, sizes, 3.5)
    for h in range(40):
        better = [b for b in range(40) if sizes[b] <= sizes[h] and errors[b] <= errors[h] - 3.5]
        assert found[h] == (not better)
    np.testing.assert_array_equal(certified._within(errors, sizes, 0.5), ~dominated_strictly(errors, sizes))


def dominated_strictly(errors, sizes):
    """Models than which another one of at most their size has fewer errors."""
    return np.array([((sizes <= s) & (errors < e)).any() for e, s in zip(errors, sizes, strict=True)])


def test_the_first_panel_shows_every_model_and_no_verdict_is_false(results, drawn):
    result = results["certified"]
    models, certificate = result.models, result.certificate
    ax = drawn("certified")[0]
    marks = [line for line in ax.lines if line.get_gid() and line.get_gid() != "front"]
    shown = sorted({tuple(map(float, point)) for line in marks for point in line.get_xydata()})
    expected = sorted(set(zip(models["error"], models["size_in_bytes"] / 1024.0, strict=True)))
    np.testing.assert_allclose(shown, expected, rtol=1e-12)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left < x < right and bottom < y < top for x, y in shown)
    for verdict, truth in (("sure", "on_true_front_to_tolerance"), ("excluded", "on_true_front")):
        part = models.loc[models["verdict"] == verdict, truth]
        assert len(part)
        assert part.all() if verdict == "sure" else not part.any()
    # The tool shows what it can do.
    assert certificate.sure.sum() >= 1
    assert (models["verdict"] != "undecided").mean() > 0.5
    front = next(line for line in ax.lines if line.get_gid() == "front").get_xydata()
    points = models[["error"]].assign(size=models["size_in_bytes"] / 1024.0).to_numpy()
    members = [p for p in points.tolist() if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points.tolist())]
    corners = {tuple(np.round(corner, 9)) for corner in front}
    assert {tuple(np.round(p, 9)) for p in members} <= corners


@pytest.mark.slow
def test_the_texts_of_the_key_hide_no_model_of_the_report(monkeypatch):
    monkeypatch.setattr(certified, "_BUDGET", Budget((100,), 10, 10))
    figure = get_figure("certified")
    result = figure.compute(Settings())
    assert len(result.models) == 150
    for narrow in (False, True):
        with styled():
            picture, axes = panels(3, narrow=narrow)
            figure.draw(result, axes)
            picture.draw_without_rendering()
        pixels = axes[0].transData.transform(result.certificate.estimates)
        for text in axes[0].get_legend().get_texts():
            box = text.get_window_extent()
            assert not any(box.contains(x, y) for x, y in pixels)


def test_bars_end_at_the_upper_limits(results, drawn):
    claims = results["certified"].claims
    ax = drawn("certified")[2]
    ends = [segment for collection in ax.collections for segment in collection.get_segments()]
    tops = sorted(float(segment[1, 1]) for segment in ends)
    np.testing.assert_allclose(tops, np.sort(claims["failed_upper"]), rtol=1e-12)


def test_the_full_budget_is_what_the_report_promises():
    assert certified._BUDGET.samples >= 300
    # Zero failures of 300 leave less than one in a hundred.
    assert 1 - 0.05 ** (1 / certified._BUDGET.samples) < 0.01
    assert max(certified._BUDGET.sizes) == certified._EXAMPLES


def test_caption_and_details_say_what_was_fixed_beforehand(results):
    figure, result = get_figure("certified"), results["certified"]
    assert "fixed before this sample was drawn" in figure.caption(result)
    assert len(figure.caption(result).split()) <= 60
    details = figure.details(result)
    before = result.models["verdict_from_test_set"].value_counts()
    assert f"put {before.get('sure', 0)} on the front" in details
    assert "; 0 of these verdicts are false" in details
