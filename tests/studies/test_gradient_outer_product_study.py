"""The study of gradient outer products as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from moltheory.pareto import nondominated
from moltheory.plotting import panels, rendered
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.gradient_outer_product import Budget, recursion_sweep, stage_ratios


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
    text = study.caption(result)
    assert "2402.13728" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "nan" not in text
    assert "NOT" not in text


def test_tables_and_images(ran):
    study, result, _ = ran
    assert all(len(table) for table in study.tables(result).values())
    figure, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert rendered(figure, "png").startswith(b"\x89PNG")


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
