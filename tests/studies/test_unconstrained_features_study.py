"""The study of unconstrained features as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.unconstrained_features import network_objectives


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    store = tmp_path_factory.mktemp("unconstrained")
    study = get_study("unconstrained-features")
    return study, study.compute(Settings(quick=True, store=store)), store


def test_no_network_beats_the_closed_form(ran):
    _, result, _ = ran
    sweep = result.sweep
    assert (sweep["gap"] >= -1e-12).all()
    assert (sweep["gap"] <= sweep["gap_descent"] + 1e-12).all()
    assert (sweep["product_ratio"] >= 1 - 1e-9).all()
    assert sweep["checked"].sum() > 0
    assert sweep.groupby(["depth", "ratio"]).size().min() >= 5


def test_the_best_seed_reaches_it(ran):
    _, result, _ = ran
    assert (result.sweep.groupby(["depth", "ratio"])["gap"].min() <= 1e-12).all()


def test_networks_at_the_optimum_are_collapsed(ran):
    _, result, _ = ran
    best = result.sweep[(result.sweep["learned"] == 2) & result.sweep["is_optimal"]]
    assert len(best) >= 3
    assert (best["nc1"] < 1e-6).all()
    assert (best["spread"] < 1e-3).all()


def test_findings_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert "2305.13165" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "SOME" not in text
    assert "FAILED" not in text
    assert "nan" not in text


def test_tables_and_panels(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert set(tables) == {"networks", "objectives", "reach", "budgets"}
    assert all(len(table) for table in tables.values())
    _, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert all(ax.get_title(loc="left") or ax.get_title() for ax in axes)


def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) >= 5
    for part in parts[-2:]:
        part.unlink()
    again = study.compute(Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name, table in study.tables(result).items():
        pd.testing.assert_frame_equal(table, study.tables(again)[name], check_exact=True)


def test_objectives_refuse_a_depth_that_was_not_run(ran, refuses):
    refuses("depth", network_objectives, ran[1].sweep, 7)
    assert np.isfinite(ran[1].objectives["volume_trained"]).all()
