"""The study of unconstrained features as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.unconstrained_features import network_objectives

pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")


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
    text = study.details(result)
    assert "2305.13165" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "SOME" not in text
    assert "FAILED" not in text
    assert "nan" not in text
    sweep = result.sweep
    below, above = sweep[sweep["ratio"] < 1], sweep[sweep["ratio"] > 1]
    for depth, part in below.groupby("depth"):
        assert f"{int(part['is_optimal'].sum())} of {len(part)} at L = {depth}" in text
    assert f"learned one class (derived: (1/2 + F)/2; {int((below['learned'] == 1).sum())})" in text
    assert f"Above it {int((above['learned'] == 0).sum())} of {len(above)} networks end at zero" in text
    assert f"held at all {int(sweep['checked'].sum())} logged iterates" in text
    assert f"0 of the {int(result.reach['missed'].sum())} grid points" in text
    share = result.objectives["nondominated"].sum() / len(sweep)
    assert f"In fit and the L + 1 squared norms {share:.0%} of the trained networks are non-dominated" in text


def test_a_network_below_the_closed_form_would_be_told(ran):
    study, result, _ = ran
    wrong = result.sweep.assign(gap=-1e-3, product_ratio=0.5)
    text = study.details(replace(result, sweep=wrong))
    assert "SOME network is below it, by 1e-03" in text
    assert "FAILED at some of" in text


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    assert text.startswith(f"Of {len(result.sweep)} trained networks none is below the closed-form optimum")
    missed = int((~result.supported).sum())
    assert f"return 0 of the {missed} points in its hole, an ε-constraint returns every point" in text
    wrong = result.sweep.assign(gap=-1e-3)
    assert f"{len(wrong)} are below" in study.caption(replace(result, sweep=wrong))


def test_panels_show_the_tables(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert set(tables) == {"networks", "objectives", "reach", "budgets"}
    assert all(len(table) for table in tables.values())
    _, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    branches, jump, collapse, front = axes
    rows = result.sweep[result.sweep["depth"] == result.depth]
    words = [one.get_text() for one in branches.get_legend().get_texts()]
    for learned, name in ((2, "both classes"), (1, "one class"), (0, "zero"), (-1, "none of these")):
        assert f"{name}: {int((rows['learned'] == learned).sum())}" in words
    assert str(len(rows)) in branches.get_title(loc="left") + branches.get_title()
    # The closed form jumps from (L - 1)/L to 0 at the critical factor, and trained networks lie on it.
    for k, depth in enumerate(result.depths):
        curve, _, marks = jump.lines[3 * k : 3 * k + 3]
        np.testing.assert_array_equal(curve.get_ydata()[-2:], [(depth - 1) / depth, 0.0])
        part = result.sweep[(result.sweep["depth"] == depth) & (result.sweep["learned"] == 2)]
        np.testing.assert_array_equal(marks.get_xydata(), part[["ratio", "scale"]])
    assert [one.get_text() for one in collapse.get_xticklabels()][:2] == ["loss gap", "NC1"]
    np.testing.assert_array_equal(front.lines[0].get_xdata(), result.front[:, 0])
    shown = np.isfinite(front.lines[0].get_ydata().astype(float))
    np.testing.assert_array_equal(shown, result.supported)
    trained = front.lines[-1].get_xydata()
    np.testing.assert_array_equal(trained[:, 0], result.budgets["fit"])
    np.testing.assert_array_equal(trained[:, 1], result.budgets["norms"] / result.budget_factor)


def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    # Gradient descent of both depths, L-BFGS of four cells, two budgets.
    assert len(parts) == 8
    for part in (parts[0], parts[3], parts[-1]):
        part.unlink()
    again = study.compute(Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name, table in study.tables(result).items():
        pd.testing.assert_frame_equal(table, study.tables(again)[name], check_exact=True)


def test_objectives_refuse_a_depth_that_was_not_run(ran, refuses):
    refuses("depth", network_objectives, ran[1].sweep, 7)
    assert np.isfinite(ran[1].objectives["volume_trained"]).all()
