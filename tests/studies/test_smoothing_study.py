"""The study of smoothing as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.pareto import nondominated
from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.smoothing import Design, design_points, smoothed_sweep
from moltheory.studies.smoothing._points import CAP
from moltheory.studies.smoothing._study import QUICK


def study_text(result):
    return " ".join(get_study("smoothing").findings(result))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    store = tmp_path_factory.mktemp("smoothing")
    study = get_study("smoothing")
    return study, study.compute(Settings(quick=True, store=store)), store


def test_certificates_hold_in_the_study(ran):
    _, result, _ = ran
    assert (result.half_spaces["ratio"] <= 1).all()
    assert (result.simulated[["z", "z_here"]].abs() <= 4).all(axis=None)


def test_points_are_what_the_sweep_says(ran):
    _, result, _ = ran
    sweep, points = result.sweep, result.points
    assert len(points) == len(sweep.budget.designs) * len(sweep.budget.sizes)
    right = sweep.correct.reshape(len(points), -1)
    np.testing.assert_allclose(points["error"], 1 - right.mean(axis=1), atol=1e-12)
    assert sweep.radii.max() < CAP
    table = np.stack([points["error"], -points["mean_radius"], points["deviation"], points["cost"]], axis=1)
    np.testing.assert_array_equal(points["front"], nondominated(table))
    assert (points["front"] | ~points["weighted"]).all()
    assert 0 < result.volume_constant <= result.volume_all <= 1


def test_certificate_holds_the_objectives(ran):
    _, result, _ = ran
    one, points = result.certificate, result.points
    assert one.objectives == ("error", "lost radius", "cost")
    np.testing.assert_allclose(one.estimates[:, 0], points["error"], atol=1e-12)
    np.testing.assert_allclose(one.estimates[:, 1], 1 - points["mean_radius"] / CAP, atol=1e-12)
    np.testing.assert_allclose(result.fair.estimates[:, 2], points["worst_class"], atol=1e-12)
    assert one.sure.any() or one.undecided.any()
    assert set(result.further["model"]) <= {points["name"][i] for i in np.flatnonzero(one.undecided)}


def test_more_votes_cost_more_and_certify_more(ran):
    _, result, _ = ran
    for _, part in result.points.groupby("design"):
        ordered = part.sort_values("votes")
        assert (np.diff(ordered["cost"]) > 0).all()
        assert (np.diff(ordered["mean_radius"]) > 0).all()


def test_findings_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert "2110.05365" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "UNSOUND" not in text
    assert "nan" not in text


def test_tables_and_images(ran):
    study, result, _ = ran
    assert all(len(table) for table in study.tables(result).values())
    _, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert all(ax.get_title(loc="left") or ax.get_title() for ax in axes)


def test_the_curse_is_told_with_its_probabilities(ran):
    _, result, _ = ran
    text = study_text(result)
    for row in result.curse.query("dimension in (784, 150_528)").itertuples():
        digits = 3 if row.dimension == 784 else 4
        assert f"{row.exact:.{digits}f} at p = {row.p_other:g}" in text


def test_what_disagrees_with_simulation_is_told(ran):
    _, result, _ = ran
    assert "certificate agrees with simulation" in study_text(result)
    off = replace(result, simulated=result.simulated.assign(z=5.0))
    assert "certificate DISAGREES with simulation" in study_text(off)
    assert "UNSOUND: 15 radii" in study_text(replace(result, half_spaces=result.half_spaces.assign(ratio=1.01)))


def test_a_design_that_cannot_certify_anything_is_refused_before_training(refuses):
    useless = replace(QUICK, designs=(*QUICK.designs, Design(0.5, 100.0)))
    assert "64 dimensions" in refuses("rate", smoothed_sweep, useless, Settings(quick=True))
    refuses("designs", replace, QUICK, designs=())
    refuses("sizes", replace, QUICK, sizes=(300, 100))
    refuses("n", smoothed_sweep, replace(QUICK, sizes=(5, 9)), Settings(quick=True))


def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    _, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) == 6
    for part in parts[::2]:
        part.unlink()
    again = smoothed_sweep(QUICK, Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name in ("labels", "classes", "radii", "sigma", "base_accuracy", "cost"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result.sweep, name))
    # What is computed from the sweep takes no part in processes.
    pd.testing.assert_frame_equal(design_points(again), result.points, check_exact=True)
