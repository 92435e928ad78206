"""The study of weight decay as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from moltheory.pareto import nondominated
from moltheory.plotting import panels, rendered
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.weight_decay import five_objectives


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    store = tmp_path_factory.mktemp("decay")
    study = get_study("weight-decay")
    return study, study.compute(Settings(quick=True, store=store)), store


def test_the_bound_holds_at_every_logged_iterate(ran):
    logged = ran[1].sweep.iterates.query("linear > 1")
    assert len(logged) >= 100
    assert (logged["nc1"] <= logged["sharp_bound"]).all()
    assert (logged["sharp_bound"] <= logged["bound"]).all()


def test_imbalance_decays_at_twice_the_decay(ran):
    rates = ran[1].rates
    assert rates["ratio"].notna().all()
    assert ((rates["ratio"] > 0.9) & (rates["ratio"] < 1.3)).all()


def test_networks_as_points(ran):
    _, result, _ = ran
    networks = result.sweep.networks
    objectives, members = five_objectives(networks)
    on = nondominated(objectives.risks())
    assert result.settings_table["front_five"].sum() == on.sum()
    np.testing.assert_array_equal(networks["test_error"], result.sweep.test_losses.mean(axis=0))
    # What the certificate calls sure is on the empirical front; what it excludes is dominated there too.
    assert on[result.five.sure].all()
    assert not on[result.five.excluded].any()
    assert len(result.two.sure) == len(networks)
    assert len(members) < len(networks)


def test_findings_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert "2410.04887" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "FAILED" not in text
    assert "nan" not in text


def test_tables_and_images(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert all(len(table) for table in tables.values())
    figure, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert rendered(figure, "png").startswith(b"\x89PNG")


def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) == 6
    for part in parts[:2]:
        part.unlink()
    again = study.compute(Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name, table in study.tables(result).items():
        pd.testing.assert_frame_equal(table, study.tables(again)[name], check_exact=True)
