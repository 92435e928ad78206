"""The study of smoothing as it is run, with a tiny budget: its tables, figure and fronts; resumed and in parallel."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.images import ImageSource
from moltheory.pareto import nondominated
from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.smoothing import (
    Budget,
    ceiling_of,
    certified_radius,
    chosen_images,
    class_accuracies,
    design_losses,
    design_points,
    neighbor_distances,
    open_designs,
    smoothed_sweep,
)
from moltheory.studies.smoothing._designs import CONSTANT, KINDS, MATCHED, MOVING
from moltheory.studies.smoothing._points import cap_of
from moltheory.studies.smoothing._study import FULL, LARGE, QUICK, Smoothing
from moltheory.studies.smoothing._summary import headline, trios
from tests.lab.tiny_images import write_mnist

# Whole runs, if small ones.
pytestmark = pytest.mark.slow

TINY = Budget((0.12, 0.25), (0.01,), (50, 200), 20, 120, 400, 60, 2, 400, hidden=(16,))
FEW = "ignore:.*independent examples:moltheory.errors.FewExamplesWarning"


class TinySmoothing(Smoothing):
    def budget(self, settings):
        return TINY


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    store = tmp_path_factory.mktemp("smoothing")
    study = TinySmoothing()
    with pytest.warns(match="independent examples"):
        return study, study.compute(Settings(quick=True, store=store)), store


def test_budgets():
    study = get_study("smoothing")
    assert study.budget(Settings(quick=True)) == QUICK
    assert study.budget(Settings()) == FULL
    assert FULL.levels == (0.12, 0.25, 0.5)
    assert FULL.rates == (0.005, 0.01)
    assert FULL.networks >= 3
    assert not study.needs_torch
    assert LARGE.residual is not None
    assert study.has_large


def test_certificates_hold_in_the_study(ran):
    _, result, _ = ran
    assert (result.half_spaces["ratio"] <= 1).all()
    assert (result.simulated[["z", "z_here"]].abs() <= 4).all(axis=None)


def test_sweep_is_certified_from_its_own_numbers(ran):
    _, result, _ = ran
    sweep = result.sweep
    assert (sweep.data, sweep.dimension) == ("digits", 64)
    assert sweep.classes.shape == (2, 6, 2, 120)
    for d, design in enumerate(sweep.designs):
        expected = certified_radius(
            sweep.p_other[:, d], sigma=sweep.sigma[d], rate=design.certified_rate, dimension=sweep.dimension
        )
        np.testing.assert_allclose(sweep.radii[:, d], expected, rtol=1e-12)
        np.testing.assert_array_equal(sweep.classes[:, d] < 0, sweep.p_other[:, d] >= 0.5)
    assert (sweep.base_accuracy > 0.7).all()


def test_noise_follows_the_distance_to_the_training_images(ran):
    _, result, _ = ran
    sweep = result.sweep
    images = chosen_images(ImageSource.of(None), TINY, 0)
    assert len(images.train) == 400
    rows = [one.reshape(len(one), -1) / 255.0 for one in (images.train, images.test)]
    for d, design in enumerate(sweep.designs):
        if design.kind == MOVING:
            np.testing.assert_allclose(sweep.sigma[d], design.spread(rows[0])(rows[1]), rtol=1e-12)
        if design.kind == MATCHED:
            held_out = neighbor_distances(rows[0], k=20)[:60]
            mean = np.mean(design.sigma * np.exp(design.rate * (held_out - design.center)))
            np.testing.assert_allclose(sweep.sigma[d], mean, rtol=1e-12)


def test_points_are_what_the_sweep_says(ran):
    _, result, _ = ran
    sweep, points = result.sweep, result.points
    assert len(points) == len(sweep.designs) * len(sweep.budget.sizes)
    right = np.moveaxis(sweep.correct, 0, 2).reshape(len(points), -1)
    np.testing.assert_allclose(points["error"], 1 - right.mean(axis=1), atol=1e-12)
    assert sweep.radii.max() < cap_of(sweep)
    table = np.stack([points["error"], -points["mean_radius"], points["deviation"], points["cost"]], axis=1)
    np.testing.assert_array_equal(points["front"], nondominated(table))
    assert (points["front"] | ~points["weighted"]).all()
    assert 0 < result.volume_constant <= result.volume_all <= 1
    for _, part in points.groupby("design"):
        ordered = part.sort_values("votes")
        assert (np.diff(ordered["cost"]) > 0).all()
        assert (np.diff(ordered["mean_radius"]) > 0).all()


def test_certificate_holds_the_objectives(ran):
    _, result, _ = ran
    one, points = result.certificate, result.points
    assert one.objectives == ("error", "lost radius", "cost")
    np.testing.assert_allclose(one.estimates[:, 0], points["error"], atol=1e-12)
    np.testing.assert_allclose(one.estimates[:, 1], 1 - points["mean_radius"] / cap_of(result.sweep), atol=1e-12)
    np.testing.assert_allclose(result.fair.estimates[:, 2], points["class_gap"], atol=1e-12)
    assert one.sure.any() or one.undecided.any()
    assert set(result.further["model"]) == {points["name"][i] for i in np.flatnonzero(one.undecided)}
    # The plan of the certificate, which keeps its statistics, is that of another look at its losses.
    again = open_designs(design_losses(result.sweep, points), one)
    np.testing.assert_array_equal(again["bound"], result.further["sufficient_additional"])


def test_waterfalls_are_certified_accuracies_at_ceilings(ran):
    _, result, _ = ran
    sweep, table = result.sweep, result.waterfalls
    assert len(table) == 6 * 2 * 2
    for row in table.itertuples():
        design = next(
            one for one in sweep.designs if (one.sigma, one.rate, one.kind) == (row.sigma, row.rate, row.kind)
        )
        d, v = sweep.place(design), sweep.budget.sizes.index(row.votes)
        right = sweep.correct[row.network, d, v]
        radii = sweep.radii[row.network, d, v] * right
        assert row.ceiling == pytest.approx(ceiling_of(sweep, row.sigma, row.votes))
        assert row.beyond_ceiling == np.mean(radii > row.ceiling * (1 + 1e-6))
        assert row.at_ceiling >= row.beyond_ceiling
        assert row.mean_radius == pytest.approx(radii.mean())
        assert row.deviation == pytest.approx(class_accuracies(right, sweep.labels).std())
        assert row.naive_radius >= row.mean_radius - 1e-12
        if row.kind == CONSTANT:
            # Equal votes certify the ceiling, and nothing more is certified.
            assert (row.beyond_ceiling, row.mean_ceiling) == (0, row.ceiling)
            assert row.naive_radius == pytest.approx(row.mean_radius)
            assert row.at_ceiling == np.mean(np.isclose(radii, row.ceiling, rtol=1e-9))
        if row.kind == MATCHED:
            assert row.beyond_mean_ceiling == 0


def test_pairs_are_differences_of_the_same_images(ran):
    _, result, _ = ran
    sweep = result.sweep
    assert len(result.pairs) == 2 * 2 * 2
    assert (
        (result.pairs["low"] <= result.pairs["difference"]) & (result.pairs["difference"] <= result.pairs["high"])
    ).all()
    row = result.pairs[(result.pairs["against"] == MATCHED) & (result.pairs["quantity"] == "mean_radius")].iloc[0]
    numbers = [d for d, one in enumerate(sweep.designs) if one.sigma == row["sigma"]]
    radii = (sweep.radii * sweep.correct)[:, numbers, -1].mean(axis=0)
    assert [sweep.designs[d].kind for d in numbers] == list(KINDS)
    assert row["difference"] == pytest.approx((radii[1] - radii[2]).mean())


def test_the_headline_is_the_middle_deviation(ran):
    _, result, _ = ran
    one = headline(result)
    assert one.sigma == pytest.approx(0.25 * 8 / 28)
    assert [len(rows) for rows in (one.constant, one.moving, one.matched)] == [2, 2, 2]
    assert set(one.moving["votes"]) == {200}
    assert set(headline(result, 50).moving["votes"]) == {50}
    assert [each.sigma for each in trios(result)] == sorted({each.sigma for each in result.sweep.designs})


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    assert text.startswith("digits, σ 0.0714: beyond the ceiling")
    one = result.certificate
    assert f"{one.sure.sum()} of {len(one)} classifiers are certainly on the front" in text


def test_tables_and_figure(ran):
    study, result, _ = ran
    assert all(len(table) for table in study.tables(result).values())
    for narrow in (False, True):
        _, axes = panels(study.n_panels, narrow=narrow)
        assert len(study.draw(result, axes)) == study.n_panels
        assert all(ax.get_title(loc="left") or ax.get_title() for ax in axes)
    curse, counter, curves, fall, deviation, front = axes
    lines = {line.get_label(): line for line in curse.get_lines()}
    rows = result.curse[result.curse["p_other"] == 0.1]
    np.testing.assert_array_equal(lines["exact, p = 0.1"].get_ydata(), rows["exact"])
    row = result.counterexamples.iloc[0]
    assert {f"certified: {row['certified']:.2f}", f"prediction changes: {row['changes']:.2f}"} <= {
        line.get_label() for line in counter.get_lines()
    }
    one = headline(result)
    drawn = {line.get_label(): line for line in curves.get_lines()}
    assert set(drawn) == set(KINDS)
    x, y = drawn[CONSTANT].get_data()
    np.testing.assert_allclose(y[x < one.constant["ceiling"].iloc[0]][-1], one.constant["at_ceiling"].mean(), atol=0.02)
    assert (y[x > 1.001 * one.constant["ceiling"].iloc[0]] == 0).all()
    for ax, column in ((fall, "beyond_ceiling"), (deviation, "deviation")):
        heights = np.concatenate([np.asarray(some.get_offsets())[:, 1] for some in ax.collections])
        shown = [getattr(each, kind)[column] for each in trios(result) for kind in ("constant", "moving", "matched")]
        np.testing.assert_array_equal(heights, np.concatenate(shown))
    marks = {some.get_label().split(":")[0]: np.asarray(some.get_offsets()) for some in front.collections}
    expected = np.stack([result.points["error"], -result.points["mean_radius"]], axis=1)
    np.testing.assert_array_equal(marks["cannot tell yet"], expected[result.certificate.undecided])


def test_a_design_that_cannot_certify_anything_is_refused_before_training(refuses):
    assert "64 dimensions" in refuses("rate", smoothed_sweep, replace(TINY, rates=(100.0,)), Settings(quick=True))
    refuses("levels", replace, TINY, levels=())
    refuses("levels", replace, TINY, levels=(0.5, 0.25))
    refuses("rates", replace, TINY, rates=(0.0,))
    refuses("sizes", replace, TINY, sizes=(300, 100))
    refuses("hidden", replace, TINY, hidden=())
    refuses("networks", replace, TINY, networks=0)
    refuses("n", smoothed_sweep, replace(TINY, sizes=(5, 9)), Settings(quick=True))


@pytest.mark.filterwarnings(FEW)
def test_images_of_a_folder_are_another_run(tmp_path):
    write_mnist(tmp_path / "data", n_train=120, n_test=60)
    study = TinySmoothing(tmp_path / "data")
    small = replace(TINY, levels=(0.25,), n_train=100, n_test=60, steps=30, sizes=(60,))
    sweep = smoothed_sweep(small, Settings(store=tmp_path / "store"), source=study.source)
    assert (sweep.data, sweep.dimension, sweep.labels.shape) == ("MNIST", 784, (60,))
    assert [one.center for one in sweep.designs] == [0.0, 1.5, 1.5]
    assert "MNIST" in study.setting
    names = {path.name for path in (tmp_path / "store").iterdir()}
    assert all("MNIST" in name for name in names)
    assert len(names) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings(FEW)
def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    _, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) == 9
    for part in parts[::2]:
        part.unlink()
    again = smoothed_sweep(TINY, Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name in ("labels", "classes", "radii", "p_other", "sigma", "base_accuracy", "cost"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result.sweep, name))
    # What is computed from the sweep takes no part in processes.
    pd.testing.assert_frame_equal(design_points(again), result.points, check_exact=True)


@pytest.mark.slow
def test_the_quick_study_shows_the_waterfall():
    study = get_study("smoothing")
    result = study.compute(Settings(quick=True, n_jobs=2))
    one = headline(result)
    assert (one.constant["beyond_ceiling"] == 0).all()
    assert (one.constant["at_ceiling"] > 0.5).all()
    assert (one.moving["beyond_ceiling"] > 0.5).all()
    assert (one.moving["beyond_mean_ceiling"] > 0).all()
    assert re.search(r"input-dependent noise keeps 0\.[5-9]", " ".join(study.findings(result)))
