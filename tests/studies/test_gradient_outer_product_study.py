"""The study of gradient outer products as it is run: at a small budget, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.pareto import nondominated
from moltheory.plotting import panels, to_bytes
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.gradient_outer_product import (
    Budget,
    LargeBudget,
    _study,
    finite_sizes,
    recursion_sweep,
    stage_ratios,
)
from tests.lab.tiny_images import write_mnist

pytest.importorskip("torch", reason="torch is not installed: pip install torch")
# Whole runs, if small ones.
pytestmark = pytest.mark.slow

_BUDGET = Budget(2, 150, 300, 4, 96, (0.25, 1.0), (48, 48, 48), (0.4, 1.0), 120, 5e-3)
_QUICK, _LINEAR = _study._QUICK, _study._LINEAR
_TINY = Budget(2, 40, 30, 1, 16, (1.0,), (8, 8), (0.5, 1.0), 2, 1e-3)


def _small(patch, budget, linear):
    patch.setattr(_study, "_QUICK", budget)
    patch.setattr(_study, "_LINEAR", {True: linear})
    patch.setattr(_study, "finite_sizes", lambda seed: finite_sizes(seed, dimensions=(40, 80), repeats=4))


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        _small(patch, _BUDGET, (60, 40, 2))
        yield patch


@pytest.fixture(scope="module")
def ran(tmp_path_factory, patched):
    store = tmp_path_factory.mktemp("outer_product")
    study = get_study("average-gradient-outer-product")
    return study, study.compute(Settings(quick=True, store=store)), store


def test_gradients_collapse_and_controls_do_not(ran):
    ratios = ran[1].ratios
    relu = ratios[(ratios["feature_map"] == "relu") & (ratios["matrix"] == "gradients")]
    assert (relu["matrix_ratio"] < 0.5).all()
    assert (relu["map_ratio"] > 1).all()
    assert (relu["lowered"] == relu["layers"]).all()
    assert (relu["last"] < 0.2 * relu["first"]).all()
    assert (relu["last_nc2"] < relu["first_nc2"]).all()
    controls = ratios[ratios["matrix"] != "gradients"]
    assert set(controls["feature_map"]) == {"relu", "fourier"}
    assert (controls["last"] > controls["first"]).all()


def test_half_a_layer_carries_most_of_the_drop(ran):
    shares = ran[1].shares
    assert (shares["share"] > 0.5).all()
    assert (shares["last"] < shares["first"]).all()


def test_fronts_are_those_of_the_points(ran):
    compared = ran[1].compared
    for _, part in compared.groupby("seed"):
        points = part[["train_nc1", "test_nc1", "test_error", "rank"]].to_numpy()
        assert np.array_equal(part["on_front"], nondominated(points))
        # A sure model may not be beaten on this very sample, an excluded one must be.
        three = nondominated(points[:, [0, 2, 3]])
        assert three[part["status"] == "sure"].all()
        assert not three[part["status"] == "excluded"].any()
    # The model without layers is compared once.
    assert (compared[compared["depth"] == 0].groupby("seed").size() == 1).all()


def test_findings_are_short_and_quote_numbers(ran):
    study, result, _ = ran
    found = study.findings(result)
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in found)
    assert max(len(sentence.split()) for sentence in found) <= 30
    text = study.details(result)
    assert "2402.13728" in text
    assert "Data: digits" in text
    assert "nan" not in text


def _says(result, **changes):
    return " ".join(get_study("average-gradient-outer-product").findings(replace(result, **changes)))


def _geometric(values):
    return float(np.exp(np.log(np.asarray(values)).mean()))


def _rows(table, feature_map, matrix="gradients"):
    return table[(table["feature_map"] == feature_map) & (table["matrix"] == matrix)]


def test_findings_hold_the_means_counts_and_errors_of_the_result(ran):
    _, result, _ = ran
    text, relu = _says(result), _rows(result.ratios, "relu")
    assert f"train NC1 goes from {_geometric(relu['first']):.3g} to {relu['last'].median():.3g}" in text
    assert f"√M multiplies train NC1 by {relu['matrix_ratio'].mean():.3g} (95%:" in text
    assert f"√M lowers NC1 in {relu['lowered'].sum()} of {relu['layers'].sum()} layers" in text
    means = _rows(result.models, "relu").groupby("depth")["test_error"].mean()
    assert f"{means[0]:.1%} without layers, {means[4]:.1%} at depth 4" in text
    for gain, part in result.shares.groupby("gain"):
        assert f"Networks from gain {gain:g}: NC1 goes from {_geometric(part['first']):.3g}" in text
        assert f"S Vᵀ has {part['share'].mean():.3g}".rstrip("0") in text
        assert f"√M at gain {gain:g}, mean over hidden layers: {part['correlation'].mean():.3g}".rstrip("0") in text
    total = result.fronts[["models", "front", "front_3", "sure_of_front", "excluded_of_front"]].sum()
    assert f"are {total['front']} of {total['models']} models" in text
    assert f"rank {total['front_3']} are: {total['sure_of_front']} certainly" in text


def test_findings_follow_results_that_differ(ran):
    _, result, _ = ran
    ratios = result.ratios
    assert "none of 8 control runs falls" in _says(result)
    decayed = ratios.assign(last=np.where(ratios["matrix"] == "identity", 0.5 * ratios["first"], ratios["last"]))
    assert "4 of 8 control runs DO fall" in _says(result, ratios=decayed)
    assert "there is no drop" in _says(result, shares=result.shares.assign(share=np.nan))


def _verdicts(result, **changes):
    found = get_study("average-gradient-outer-product").claims(replace(result, **changes))
    return [one.verdict for one in found], [one.why for one in found]


# A result that agrees with all claims, whatever the small networks of the tests learned.
def _agreeing(result):
    shares = result.shares.assign(share=0.8, correlation=0.9, start_correlation=0.5, train_error=0.0)
    ratios = result.ratios.assign(
        last=np.where(result.ratios["matrix"] == "gradients", 0.05, 9.0) * result.ratios["first"]
    )
    return replace(result, shares=shares, ratios=ratios)


def test_every_claim_agrees_or_differs_by_its_rule(ran):
    good = _agreeing(ran[1])
    assert _verdicts(good) == (["agrees"] * 6, [""] * 6)

    def differs(*which, **changes):
        verdicts, why = _verdicts(good, **changes)
        assert [i for i, verdict in enumerate(verdicts) if verdict == "differs"] == list(which)
        assert all(bool(why[i]) == (i in which) for i in range(6))

    ratios, shares, linear = good.ratios, good.shares, good.linearized
    ours = ratios["matrix"] == "gradients"
    differs(0, ratios=ratios.assign(last=np.where(ours, 0.2 * ratios["first"], ratios["last"])))
    differs(0, ratios=ratios.assign(last_nc2=2.0 * ratios["first_nc2"]))
    differs(1, ratios=ratios.assign(last=0.05 * ratios["first"]))
    differs(1, ratios=ratios.assign(matrix_ratio=1.1))
    differs(2, linearized=linear.assign(tangent=1.01 * linear["bound"]))
    differs(2, linearized=linear.assign(limit=0.5 * linear["limit"]))
    differs(2, sizes=good.sizes.assign(gap=good.sizes["dimension"]))
    differs(3, kernels=good.kernels.assign(value=good.kernels["value"] + 0.01))
    differs(3, kernels=good.kernels.assign(deviation=0.01))
    differs(4, shares=shares.assign(share=0.4))
    differs(4, shares=shares.assign(share=np.nan))
    differs(5, shares=shares.assign(correlation=0.7))
    differs(5, shares=shares.assign(start_correlation=0.95))
    # Networks that do not fit their images count for nothing.
    differs(4, 5, shares=shares.assign(train_error=0.5))


def test_claims_are_shown_as_a_table_with_intervals(ran):
    study, result, _ = ran
    table = study.lead(result)
    assert len(table) == 6
    assert table.astype(str).apply(" ".join, axis=1).str.contains("digits, 150 images")[0]
    found = [one.found for one in study.claims(result)]
    # Intervals over seeds where there are seeds.
    assert ["95%" in text or "range" in text for text in found] == [True, True, False, False, True, True]


def test_panels_draw_the_numbers_of_the_result(ran):
    study, result, _ = ran
    _, axes = panels(study.n_panels)
    study.draw(result, axes)
    decay, grams, bandwidths, linear, _, correlation, errors, front = axes
    lines = {line.get_label(): line for line in decay.get_lines()}
    layers = _rows(result.layers, "relu")
    expected = [
        _geometric(layers[layers["layer"] == layer][name])
        for layer in range(1, 5)
        for name in ("nc1_x", "nc1_mixed", "nc1_phi")
    ]
    np.testing.assert_allclose(lines["ReLU"].get_ydata(), expected, rtol=1e-12)
    lines = {line.get_label(): line for line in bandwidths.get_lines()}
    fourier = _rows(result.ratios, "fourier").groupby("bandwidth")["matrix_ratio"].apply(_geometric)
    np.testing.assert_allclose(lines["√M"].get_xdata(), fourier.index)
    np.testing.assert_allclose(lines["√M"].get_ydata(), fourier, rtol=1e-12)
    lines = {line.get_label(): line for line in correlation.get_lines()}
    for gain, part in result.networks.groupby("gain"):
        means = part.groupby("layer")["correlation"].mean()
        np.testing.assert_allclose(lines[f"gain {gain:g}"].get_ydata(), means, rtol=1e-12)
    lines = {line.get_label(): line for line in errors.get_lines()}
    means = _rows(result.models, "relu").groupby("depth")["test_error"].mean()
    np.testing.assert_allclose(lines["ReLU"].get_ydata(), means, rtol=1e-12)
    first = result.compared[result.compared["seed"] == 0]
    (picture,) = grams.get_images()
    shown = np.asarray(picture.get_array())
    (scale,) = grams.child_axes
    assert scale.get_ylabel() == "cosine"
    assert scale.get_ylim() == (-1.0, 1.0)
    side = result.grams["gradients"].shape[1]
    np.testing.assert_array_equal(shown[:side, -side:], result.grams["gradients"][-1])
    np.testing.assert_array_equal(shown[-side:, :side], result.grams["identity"][0])
    lines = {line.get_label(): line for line in linear.get_lines()}
    means = result.linearized.groupby("layer")["nc1"].apply(_geometric)
    np.testing.assert_allclose(lines["linearized"].get_ydata(), means, rtol=1e-12)
    marked = {line.get_label(): line for line in front.get_lines()}
    sure = first[first["status"] == "sure"]
    np.testing.assert_array_equal(
        np.sort(marked[f"on the front ({len(sure)})"].get_ydata()), np.sort(sure["test_error"])
    )
    excluded = first[first["status"] == "excluded"]
    assert len(marked[f"not on the front ({len(excluded)})"].get_xdata()) == len(excluded)


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    errors = _rows(result.models, "relu").groupby("depth")["test_error"].mean()
    assert text.startswith("digits, 150 images: ")
    assert f"Test error: {errors.iloc[0]:.1%} to {errors.iloc[-1]:.1%}." in text
    status = result.compared["status"]
    assert f"{(status == 'sure').sum()} of {len(status)} models are certainly on the front" in text
    assert f"{(status == 'excluded').sum()} certainly not." in text


def test_tables_and_images(ran):
    study, result, _ = ran
    assert all(len(table) for table in study.tables(result).values())
    figure, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert to_bytes(figure, "png").startswith(b"\x89PNG")


def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) >= 10
    # Two of the recursion are left to two processes, one network to this one.
    for part in (parts[0], parts[-1], parts[-5]):
        part.unlink()
    again = study.compute(Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name, table in study.tables(result).items():
        pd.testing.assert_frame_equal(table, study.tables(again)[name], check_exact=True)


def test_a_folder_of_images_from_end_to_end(tmp_path, monkeypatch):
    write_mnist(tmp_path / "data", n_train=120, n_test=40, side=28)
    _small(monkeypatch, _TINY, (40, 8, 2))
    study = get_study("average-gradient-outer-product", tmp_path / "data")
    result = study.compute(Settings(quick=True, store=tmp_path / "runs"))
    assert result.data == "MNIST, 40 images"
    assert "Data: MNIST" in study.details(result)
    assert len(study.claims(result)) == 6
    assert len(list((tmp_path / "runs").iterdir())) == 2
    # Digits with the same store are another run.
    other = get_study("average-gradient-outer-product").compute(Settings(quick=True, store=tmp_path / "runs"))
    assert other.data == "digits, 40 images"
    assert len(list((tmp_path / "runs").iterdir())) == 4


def test_the_larger_run_takes_a_few_steps(tmp_path, monkeypatch):
    """A trunk under the same layers: the recipe of the larger run at the size of a test."""
    write_mnist(tmp_path / "data", n_train=120, n_test=40, side=28)
    _small(monkeypatch, _TINY, (40, 8, 2))
    monkeypatch.setattr(_study, "_LARGE", LargeBudget("small", 2, 60, 40, 30, (8, 8), (0.5, 0.7), 2, 0.05))
    study = get_study("average-gradient-outer-product", tmp_path / "data", large=True)
    result = study.compute(Settings(quick=True, store=tmp_path / "runs"))
    assert set(result.networks["gain"]) == {0.7}
    assert len(result.networks) == 2 * 3
    assert result.networks["correlation"].between(-1, 1).all()
    claims = study.claims(result)
    assert len(claims) == 6
    assert "gain 0.7" in claims[4].found
    # Nothing is computed again.
    again = study.compute(Settings(quick=True, store=tmp_path / "runs"))
    pd.testing.assert_frame_equal(result.networks, again.networks, check_exact=True)


@pytest.mark.slow
def test_the_quick_budget_shows_the_effect(monkeypatch):
    # As it is, not as the other tests of this file have it.
    monkeypatch.setattr(_study, "_QUICK", _QUICK)
    monkeypatch.setattr(_study, "_LINEAR", _LINEAR)
    study = get_study("average-gradient-outer-product")
    result = study.compute(Settings(quick=True, n_jobs=2))
    assert all(one.verdict == "agrees" for one in study.claims(result))


@pytest.mark.slow
def test_matrix_halves_nc1_over_five_seeds_and_eight_layers():
    budget = Budget(5, 500, 400, 8, 256, (1.0,), (32,), (1.0,), 1, 1e-3)
    ratios = stage_ratios(recursion_sweep(budget, Settings())[0])
    relu = ratios[(ratios["feature_map"] == "relu") & (ratios["matrix"] == "gradients")]
    assert len(relu) == 5
    assert (relu["matrix_ratio"] < 0.5).all()
    assert (relu["map_ratio"] > 1).all()
    assert (relu["last"] < 0.02 * relu["first"]).all()
    controls = ratios[ratios["matrix"] != "gradients"]
    assert (controls["last"] > controls["first"]).all()
