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
from moltheory.studies.smoothing import Design, design_losses, design_points, open_designs, smoothed_sweep
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
    assert set(result.further["model"]) == {points["name"][i] for i in np.flatnonzero(one.undecided)}
    # The plan of the certificate, which keeps its statistics, is that of another look at its losses.
    again = open_designs(design_losses(result.sweep, points), one)
    np.testing.assert_array_equal(again["bound"], result.further["sufficient_additional"])


def test_more_votes_cost_more_and_certify_more(ran):
    _, result, _ = ran
    for _, part in result.points.groupby("design"):
        ordered = part.sort_values("votes")
        assert (np.diff(ordered["cost"]) > 0).all()
        assert (np.diff(ordered["mean_radius"]) > 0).all()


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    row = result.curse.query("dimension == 784 and p_other == 0.1").iloc[0]
    assert f"σ falls below {row['exact']:.1%} of its value (p = 0.1)" in text
    one = result.certificate
    assert f"{one.sure.sum()} of {len(one)} classifiers are certainly on the front" in text
    assert f"{one.excluded.sum()} certainly not, and for {one.undecided.sum()} they cannot tell." in text


def test_findings_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.details(result)
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


def test_findings_hold_the_counts_and_volumes_of_the_result(ran):
    _, result, _ = ran
    text, points = study_text(result), result.points
    most = points[points["votes"] == points["votes"].max()]
    for row in most.itertuples():
        assert f"r = {row.rate:g} {row.error:.3f} / {row.mean_radius:.3f} / {row.deviation:.3f}" in text
    front = points[points["front"]]
    assert f"Of {len(points)} points (design and number of votes) {len(front)} are non-dominated" in text
    assert f"weighted sums find {front['weighted'].sum()}" in text
    assert (
        f"of all points is {result.volume_all:.3f}, that of those with constant noise {result.volume_constant:.3f}"
        in text
    )
    one, fair = result.certificate, result.fair
    moving = points["rate"].to_numpy() > 0
    for mask, what in (
        (one.sure, "are on the true front"),
        (one.excluded, "are not"),
        (one.undecided, "are undecided"),
    ):
        assert f"{mask.sum()} ({(mask & moving).sum()} with input-dependent noise) {what}" in text
    assert f"{fair.sure.sum()}, {fair.excluded.sum()} and {fair.undecided.sum()}." in text
    assert f"Further digits for the {len(result.further)} undecided points" in text
    ratio = result.half_spaces["ratio"]
    assert f"(certified over true radius: at most {ratio.max():.4f}, median {ratio.median():.2f})" in text


@pytest.mark.parametrize(("bounds", "words"), [
    ((np.inf, np.inf), "no gap to a rival is observed"),
    ((50.0, np.inf), "decide 1 of them, with probability 0.8 each"),
    ((5000.0, 7000.0), "the median needs 6,000 more and the worst 7,000; 0 show no gap"),
])  # fmt: skip
def test_what_further_digits_would_decide_is_read_from_the_plan(ran, bounds, words):
    _, result, _ = ran
    further = result.further.iloc[:2].assign(sufficient_additional=bounds)
    assert words in study_text(replace(result, further=further))
    assert "Further digits" not in study_text(replace(result, further=further.iloc[:0]))


def test_designs_are_compared_with_constant_noise_of_their_own_base(ran):
    _, result, _ = ran
    moving = result.points["rate"] > 0
    better = result.points.assign(error=np.where(moving, 0.0, 0.5), deviation=np.where(moving, 0.3, 0.2))
    text = study_text(replace(result, points=better.assign(mean_radius=np.where(moving, 0.5, 0.4))))
    assert (
        "2 have a smaller error than constant noise of the same base, 0 a smaller deviation of classes and 2 a" in text
    )


def test_panels_draw_the_numbers_of_the_result(ran):
    study, result, _ = ran
    _, axes = panels(study.n_panels)
    study.draw(result, axes)
    curse, approximation, curves, deviation, front, further = axes
    lines = {line.get_label(): line for line in curse.get_lines()}
    rows = result.curse[result.curse["p_other"] == 0.1]
    np.testing.assert_array_equal(lines["exact, p = 0.1"].get_ydata(), rows["exact"])
    shares = np.concatenate([np.asarray(one.get_offsets())[:, 1] for one in approximation.collections])
    np.testing.assert_array_equal(np.sort(shares), np.sort(result.approximation["share"]))
    # At distance 0 the certified accuracy is the accuracy.
    sweep = result.sweep
    starts = [line.get_ydata()[0] for line in curves.get_lines() if len(line.get_ydata())]
    np.testing.assert_allclose(starts, sweep.correct[:, -1].mean(axis=1), rtol=1e-12)
    most = result.points[result.points["votes"] == max(sweep.budget.sizes)]
    for line, (_, part) in zip(deviation.get_lines(), most.groupby("sigma"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), part.sort_values("rate")["deviation"])
    marks = {one.get_label().split(":")[0]: np.asarray(one.get_offsets()) for one in front.collections}
    for label, mask in (
        ("not on the front", result.certificate.excluded),
        ("cannot tell yet", result.certificate.undecided),
    ):
        expected = np.stack([result.points["error"], -result.points["mean_radius"]], axis=1)[mask]
        np.testing.assert_array_equal(marks[label], expected)
    bounds = result.further["sufficient_additional"].to_numpy()
    drawn = [line for line in further.get_lines() if str(line.get_label()).startswith("suffices")]
    if np.isfinite(bounds).any():
        np.testing.assert_array_equal(drawn[0].get_ydata(), np.maximum(bounds[np.isfinite(bounds)], 1.0))


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


@pytest.mark.slow
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
