"""The study of gradient outer products as it is run: at the quick setting, resumed, with other numbers of processes."""

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
from moltheory.studies.gradient_outer_product import Budget, recursion_sweep, stage_ratios

pytest.importorskip("torch", reason="torch is not installed: pip install torch")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
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


def test_findings_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.details(result)
    assert "2402.13728" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "nan" not in text
    assert "NOT" not in text


def _says(result, **changes):
    return " ".join(get_study("average-gradient-outer-product").findings(replace(result, **changes)))


def _geometric(values):
    return float(np.exp(np.log(np.asarray(values)).mean()))


def _rows(table, feature_map, matrix="gradients"):
    return table[(table["feature_map"] == feature_map) & (table["matrix"] == matrix)]


def test_findings_hold_the_means_counts_and_errors_of_the_result(ran):
    _, result, _ = ran
    text, relu = _says(result), _rows(result.ratios, "relu")
    assert f"goes from {_geometric(relu['first']):.3g} to {_geometric(relu['last']):.3g} over 4 layers" in text
    assert f"by a factor of {_geometric(relu['matrix_ratio']):.3f} (geometric mean" in text
    assert f"in {relu['lowered'].sum()} of {relu['layers'].sum()} layers" in text
    for bandwidth, part in _rows(result.ratios, "fourier").groupby("bandwidth"):
        assert f"{bandwidth:g}: {_geometric(part['matrix_ratio']):.3f} x {_geometric(part['map_ratio']):.3f}" in text
    means = _rows(result.models, "relu").groupby("depth")["test_error"].mean()
    assert f"ReLU features from {means[0]:.2%} without layers to {means[4]:.2%} at depth 4" in text
    for decay, part in result.shares.groupby("decay"):
        share = part["share"]
        assert f"At decay {decay:g} NC1 goes from {_geometric(part['first']):.3g}" in text
        assert (
            f"carries {share.mean():.0%} of the drop of its logarithm ({share.min():.0%} to {share.max():.0%})" in text
        )
    total = result.fronts[["models", "front", "front_3", "sure_of_front", "excluded_of_front"]].sum()
    assert f"{total['front']} of {total['models']} models" in text
    assert f"{total['front_3']} models are on the empirical fronts" in text
    assert f"{total['sure_of_front']} of them are real, {total['excluded_of_front']} are not" in text


def test_findings_follow_results_that_differ_from_the_paper(ran):
    _, result, _ = ran
    assert "S V' carries most of the drop" in _says(result)
    assert "does NOT always carry" in _says(result, shares=result.shares.assign(share=0.4))
    ratios = result.ratios
    assert "So no control decays" in _says(result)
    decayed = ratios.assign(last=np.where(ratios["matrix"] == "identity", 0.5 * ratios["first"], ratios["last"]))
    assert "So 4 control runs DO decay" in _says(result, ratios=decayed)
    assert "differs from the paper's division" in _says(result, ratios=ratios.assign(lowered=0))


def test_panels_draw_the_numbers_of_the_result(ran):
    study, result, _ = ran
    _, axes = panels(study.n_panels)
    study.draw(result, axes)
    decay, bandwidths, _, correlation, errors, front = axes
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
    for decay_of, part in result.networks.groupby("decay"):
        means = part.groupby("layer")["correlation"].mean()
        np.testing.assert_allclose(lines[f"decay {decay_of:g}"].get_ydata(), means, rtol=1e-12)
    lines = {line.get_label(): line for line in errors.get_lines()}
    means = _rows(result.models, "relu").groupby("depth")["test_error"].mean()
    np.testing.assert_allclose(lines["ReLU"].get_ydata(), means, rtol=1e-12)
    first = result.compared[result.compared["seed"] == 0]
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
    assert f"Test error goes from {errors.iloc[0]:.1%} to {errors.iloc[-1]:.1%}." in text
    status = result.compared["status"]
    assert f"Of {len(status)} models {(status == 'sure').sum()} are certainly on the front" in text
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


@pytest.mark.slow
def test_matrix_halves_nc1_over_five_seeds_and_eight_layers():
    budget = Budget(5, 500, 400, 8, 256, (1.0,), (32,), (1e-4,), 1)
    ratios = stage_ratios(recursion_sweep(budget, Settings())[0])
    relu = ratios[(ratios["feature_map"] == "relu") & (ratios["matrix"] == "gradients")]
    assert len(relu) == 5
    assert (relu["matrix_ratio"] < 0.5).all()
    assert (relu["map_ratio"] > 1).all()
    assert (relu["last"] < 0.02 * relu["first"]).all()
    controls = ratios[ratios["matrix"] != "gradients"]
    assert (controls["last"] > controls["first"]).all()
