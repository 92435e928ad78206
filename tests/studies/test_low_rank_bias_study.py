"""The study of low-rank bias as it is run: with a tiny budget, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.images import ImageSource
from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies._machine import Machine
from moltheory.studies.low_rank_bias import (
    Cell,
    ImageCell,
    _study,
    certified_images,
    collapsed_network,
    end_shares,
    hypervolume_table,
    image_networks,
    layer_points,
    model_with,
    train_cell,
)
from moltheory.studies.low_rank_bias._claims import falling_ranks
from moltheory.studies.low_rank_bias._experiment import MARGIN, RANK_TOLERANCE
from moltheory.studies.low_rank_bias._image_networks import _balanced
from moltheory.studies.unconstrained_features import ReducedLoss
from tests.lab.tiny_images import write_mnist

pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")
# Whole runs, if small ones.
pytestmark = pytest.mark.slow


# Numbers of everything so small that the run takes seconds; what it finds does not matter.
_TINY = replace(
    _study._QUICK,
    batch=3,
    descent_steps=200,
    main_seeds=2,
    other_seeds=1,
    iterations=120,
    searched=((3, 3), (3, 4)),
    starts=1,
    image_steps=60,
    examples=300,
)


@pytest.fixture(scope="module")
def tiny():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_study, "_QUICK", _TINY)
        yield


@pytest.fixture(scope="module")
def ran(tiny, tmp_path_factory):
    store = tmp_path_factory.mktemp("low_rank")
    study = get_study("low-rank-bias")
    return study, study.compute(Settings(quick=True, store=store)), store


def test_networks_are_told_from_collapse_by_the_unrounded_loss(ran):
    networks = ran[1].networks
    for _, row in networks.iterrows():
        minimum = ReducedLoss.of_model(model_with(row["factor"], row["width"])).minimum
        assert (row["end"] == "below") == (row["loss"] < minimum - MARGIN)
        loss = row["fit"] + row["factor"] * row["norms"] / 2
        assert row["loss"] == pytest.approx(loss, rel=1e-12)
        assert row["norms"] == pytest.approx(sum(row[f"square_{k}"] for k in range(5)), rel=1e-12)


def test_near_the_written_networks(ran):
    networks = ran[1].networks.set_index("method")
    optima = ran[1].optima.set_index("network")["loss"]
    assert networks.loc["L-BFGS near collapse", "end"] == "collapsed"
    # Lower than their starts without noise: they are not minima.
    assert networks.loc["L-BFGS near graph", "loss"] < optima["graph"]
    assert networks.loc["L-BFGS near triangles", "loss"] < optima["triangles"]
    assert networks.loc["L-BFGS near triangles", "rank"] == 5


def test_shares_and_volumes(ran):
    result = ran[1]
    counted = result.widths[["collapsed", "below", "other"]].sum(axis=1)
    assert (counted == result.widths["networks"]).all()
    assert ((result.widths["low"] <= result.widths["share"]) & (result.widths["share"] <= result.widths["high"])).all()
    volumes = result.volumes.set_index("group")
    assert volumes["volume_so_far"].is_monotonic_increasing
    assert volumes.loc["collapse", "volume"] < volumes.loc["graph", "volume"] < volumes.loc["triangles", "volume"]
    for column in ("dominate_collapse", "dominate_equal_fit"):
        assert volumes.loc[["collapse", "graph", "triangles"], column].tolist() == [0, 1, 1]
    # The triangles' network is better than the graph's in fit and norms, at equal ranks.
    assert volumes.loc[["collapse", "graph"], "nondominated"].tolist() == [0, 0]
    pd.testing.assert_frame_equal(hypervolume_table(result.optima, result.main), result.volumes)
    pd.testing.assert_frame_equal(end_shares(result.networks), result.widths)


def test_a_box_is_its_own_volume(ran):
    row = ran[1].optima.iloc[0]
    # The reference point is a collapsed network with perfect fit.
    most = layer_points(model_with(), collapsed_network(10, 4), [1.0])[0, 1:].sum()
    assert most == pytest.approx(50 * 5**0.2)
    volume = (0.5 - row["fit"]) * (most - row["norms"]) * 1.0
    assert ran[1].volumes["volume"].iloc[0] == pytest.approx(volume, rel=1e-12)


def test_findings_quote_the_numbers_and_are_short(ran):
    study, result, _ = ran
    text = study.details(result)
    assert "2405.14468" in text
    assert "digits" in text
    for sentence in study.findings(result):
        assert re.search(r"\d", sentence) or "closed form" in sentence or "proves nothing" in sentence
        assert sentence.endswith(".")
        assert len(sentence.split()) <= 32
    assert "NOT" not in text
    assert "nan" not in text
    for row in result.optima.itertuples():
        assert f"{row.network} {row.loss:.7f}" in text
    below = int((result.headline["end"] == "below").sum())
    assert f"{below} of {len(result.headline)} (95%" in text
    assert f"The lowest loss is {result.main['loss'].min():.6f}" in text
    shares = ", ".join(f"{row.collapsed}/{row.networks} at {row.width}" for row in result.widths.itertuples())
    assert f"leaves collapsed, by width: {shares}." in text
    volumes = result.volumes
    for row in volumes.itertuples():
        assert f"{row.volume / volumes['volume_so_far'].iloc[-1]:.3f} ({row.group})" in text


def test_a_collapsed_point_that_is_not_dominated_would_be_told(ran):
    study, result, _ = ran
    wrong = result.domination.copy()
    wrong.loc[0, "dominated_by_next"] -= 1
    assert "NOT every collapsed point" in study.details(replace(result, domination=wrong))


def test_the_caption_is_short_and_says_the_data(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    assert "digits" in text
    assert f"{int((result.headline['end'] == 'below').sum())} of {len(result.headline)} gradient descents" in text


def test_panels_show_the_tables(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert set(tables) == {
        *("reach", "costs", "optima", "domination", "search", "networks", "widths", "volumes", "images", "certified")
    }
    assert all(len(table) for table in tables.values())
    _, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    reach, front, losses, ranks, widths, image_ranks, layers, image_front = axes
    for line, (_, part) in zip(reach.lines, result.reach.groupby("depth"), strict=False):
        np.testing.assert_array_equal(line.get_ydata(), part["rho"])
    optima = result.optima.set_index("network")
    for name, line in zip(optima.index, front.lines, strict=False):
        # At full scale the fit is 0 and every squared norm rho times that of collapse.
        assert line.get_xydata()[-1] == pytest.approx([0.0, optima.loc[name, "rho"] * 50.0 * 5**0.2])
    started = result.networks[result.networks["method"] == "L-BFGS"]
    drawn = np.concatenate([np.asarray(one.get_offsets()) for one in losses.collections])
    expected = (started["loss"] / started["collapse"]).to_numpy()
    np.testing.assert_array_equal(np.sort(drawn[:, 1]), np.sort(expected))
    means = next(line for line in ranks.lines if line.get_label() == "mean")
    np.testing.assert_array_equal(means.get_ydata(), started.groupby("factor")["rank"].mean())
    np.testing.assert_array_equal(widths.lines[0].get_ydata(), result.widths["share"])
    for line, end in zip(widths.lines[1:], ("below", "other"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), result.widths[end] / result.widths["networks"])
    for line, column in ((image_ranks.lines[0], "rank"), (image_ranks.lines[2], "loose_rank")):
        np.testing.assert_array_equal(line.get_ydata(), result.images.groupby("decay")[column].mean())
    first = result.images[result.images["decay"] == result.images["decay"].min()]
    expected = np.exp(np.log(first[[f"nc1_{k}" for k in range(5)]].to_numpy()).mean(axis=0))
    np.testing.assert_allclose(layers.lines[0].get_ydata(), expected)
    # One text for each weight decay, not one for each network.
    spans = [(int(part.min()), int(part.max())) for _, part in result.certified.groupby("decay")["rank"]]
    texts = [f"rank {low}" if low == high else f"rank {low} to {high}" for low, high in spans]
    shown = [text.get_text() for text in image_front.texts]
    assert 1 <= len(shown) <= len(texts)
    assert set(shown) <= set(texts)
    # A rank is described, not minimised.
    assert not any("better" in ax.get_ylabel() for ax in (ranks, image_ranks))


@pytest.mark.slow
def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    folders = sorted((tmp_path / "copy").iterdir())
    assert len(folders) == 3
    for folder in folders:
        parts = sorted(folder.rglob("part-*.npz"))
        assert len(parts) >= 2
        for part in (parts[0], parts[-1]):
            part.unlink()
    again = study.compute(Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name, table in study.tables(result).items():
        pd.testing.assert_frame_equal(table, study.tables(again)[name], check_exact=True)


def test_starts_do_not_depend_on_how_seeds_are_cut():
    whole = train_cell(Cell(0, 0.004, 10, 0, 3, 8), 5)
    parts = [train_cell(Cell(0, 0.004, 10, seed, 1, 8), 5) for seed in range(3)]
    for name, column in whole.items():
        np.testing.assert_allclose(np.concatenate([part[name] for part in parts]), column, rtol=1e-10)
    assert RANK_TOLERANCE == 0.01


@pytest.mark.slow
def test_most_seeds_end_below_collapse():
    # The paper's setting: ten classes, four layers, width 30, steps of 0.5. Descent stopped early is an upper bound.
    collapse = ReducedLoss.of_model(model_with()).minimum
    found = train_cell(Cell(0, 0.004, 30, 0, 10, 12_000), 0)
    below = found["loss"].astype(float) < collapse - MARGIN
    assert below.sum() >= 8
    assert (found["ranks"][below, 0] < 10).all()
    # Five examples of each class, which collapse to one point in every layer.
    assert found["nc1"].max() < 1e-5


def _made_up(result, *, ends, ranks, decays=(0.001, 0.01), falls=True, fitted=True):
    """The result with other trained networks: how ten descents end, and mid-layer ranks by decay for three seeds."""
    row = result.headline.iloc[[0]]
    rows = pd.concat([row] * 10, ignore_index=True)
    rows = rows.assign(seed=range(10), end=ends, rank=np.where(np.array(ends) == "below", 6, 10), nc1=1e-8)
    rows["gain"] = np.where(rows["end"] == "below", 0.01, -0.001)
    rows["loss"] = rows["collapse"] - rows["gain"]
    images = pd.concat([result.images.iloc[[0]]] * 6, ignore_index=True)
    images = images.assign(decay=np.repeat(decays, 3), seed=[0, 1, 2] * 2, rank=ranks, nc1_falls=falls, fitted=fitted)
    return replace(result, networks=rows, images=images)


def test_claims_agree_where_the_numbers_do(ran):
    study, result, _ = ran
    found = study.claims(_made_up(result, ends=["below"] * 9 + ["collapsed"], ranks=[10, 10, 9, 6, 6, 7]))
    assert [one.verdict for one in found] == ["agrees"] * 4
    assert "9 of 10 (95%: [0.555, 0.997]) below collapse" in found[2].found
    assert "rank 6 (95%: [6, 6], 9 seeds)" in found[2].found
    assert "falls by 3.33 (95%:" in found[3].found
    assert "at L = 3 for K = 10, 11, 12, 13, 14, 15" in found[0].found
    assert "digits" in found[3].checked
    assert len(study.lead(result)) == 4


def test_claims_differ_where_the_numbers_do(ran):
    study, result, _ = ran
    found = study.claims(_made_up(result, ends=["below"] * 7 + ["collapsed"] * 3, ranks=[10, 10, 9, 6, 10, 7]))
    assert [one.verdict for one in found] == ["agrees", "agrees", "differs", "differs"]
    assert all(one.why for one in found[2:])
    kept = study.claims(_made_up(result, ends=["below"] * 9 + ["other"], ranks=[10, 10, 9, 6, 6, 7], falls=False))
    assert kept[3].verdict == "differs"
    reach = result.reach.copy()
    reach.loc[(reach["n_classes"] == 7) & (reach["depth"] == 4), "below"] = False
    assert study.claims(replace(result, reach=reach))[0].verdict == "differs"
    none = study.claims(_made_up(result, ends=["collapsed"] * 10, ranks=[10, 10, 9, 6, 6, 7]))
    assert [one.verdict for one in none[1:3]] == ["differs", "differs"]


def test_networks_that_do_not_fit_do_not_count(ran):
    study, result, _ = ran
    fitted = [True] * 3 + [True, True, False]
    one = _made_up(result, ends=["below"] * 10, ranks=[10, 10, 9, 6, 6, 7], fitted=fitted)
    low, high, falls = falling_ranks(one.images)
    assert (low, high) == (0.001, 0.001)
    assert (falls == 0).all()
    assert study.claims(one)[3].verdict == "differs"
    assert "1 network with a training error above 5% left out" in " ".join(study.findings(one))
    nothing = _made_up(result, ends=["below"] * 10, ranks=[10, 10, 9, 6, 6, 7], fitted=False)
    assert study.claims(nothing)[3].verdict == "differs"


def test_the_certificate_is_that_of_the_wrong_answers(rng):
    images = pd.DataFrame(
        {"data": "digits", "decay": [0.1, 0.2, 0.3], "seed": 0, "nc1": [0.3, 0.2, 0.4], "rank": [5, 5, 9]}
    )
    wrong = rng.random((4000, 3)) < np.array([0.1, 0.5, 0.6])
    found = certified_images(images.assign(test_error=wrong.mean(axis=0)), wrong)
    # The second has the lowest NC1; the third is worst in all three.
    assert found["verdict"].tolist() == ["sure", "sure", "excluded"]
    assert ((found["low"] < found["test_error"]) & (found["test_error"] < found["high"])).all()


def test_images_of_a_folder(tmp_path):
    write_mnist(tmp_path / "data", n_train=160, n_test=50, side=9)
    source = ImageSource.of(tmp_path / "data")
    cells = [ImageCell(decay, 0, 12, 100) for decay in (0.001, 0.1)]
    options = {"source": source, "machine": Machine()}
    table, wrong = image_networks(cells, settings=Settings(store=tmp_path / "runs"), **options)
    assert table["data"].tolist() == ["MNIST", "MNIST"]
    assert wrong.shape == (50, 2)
    np.testing.assert_allclose(table["test_error"], wrong.mean(axis=0))
    assert (table["rank"] == table["rank_3"]).all()
    for settings in (Settings(), Settings(store=tmp_path / "runs")):
        again, same = image_networks(cells, settings=settings, **options)
        pd.testing.assert_frame_equal(again, table, check_exact=True)
        np.testing.assert_array_equal(same, wrong)
    # The trunk of the larger run: its features, and three hidden layers.
    (cell,) = (replace(cells[0], trunk="resnet20", steps=2),)
    large, _ = image_networks([cell], settings=Settings(), **options)
    assert [name for name in large.columns if name.startswith("rank_")] == [f"rank_{k}" for k in range(4)]
    assert (large["rank"] == large["rank_2"]).all()
    # The same number of images of every class, at most as many as the rarest has.
    chosen = _balanced(source.load(), 100, np.random.default_rng(0))
    counts = np.bincount(source.load().pool_labels[chosen], minlength=10)
    assert len(set(counts.tolist())) == 1
    assert len(set(chosen.tolist())) == len(chosen) <= 100
