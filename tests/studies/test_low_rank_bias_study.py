"""The study of low-rank bias as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.low_rank_bias import Cell, end_shares, hypervolume_table, model_with, train_cell
from moltheory.studies.low_rank_bias._experiment import MARGIN, RANK_TOLERANCE
from moltheory.studies.unconstrained_features import ReducedLoss

pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
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
    volume = (0.5 - row["fit"]) * (50.0 - row["norms"]) * 1.0
    assert ran[1].volumes["volume"].iloc[0] == pytest.approx(volume, rel=1e-12)


def test_findings_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.details(result)
    assert "2405.14468" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "NOT" not in text
    assert "nan" not in text
    for row in result.optima.itertuples():
        assert f"{row.network} {row.loss:.7f}" in text
    main = result.main
    for method in ("L-BFGS", "gradient descent"):
        rows = main[main["method"] == method]
        assert f"By {method}, {int((rows['end'] == 'below').sum())} of {len(rows)} end below collapse" in text
    assert f"The lowest loss is {main['loss'].min():.6f}" in text
    shares = ", ".join(f"{row.collapsed} of {row.networks} at {row.width}" for row in result.widths.itertuples())
    assert f"leaves collapsed, by width: {shares}." in text
    volumes = result.volumes
    for row in volumes.itertuples():
        assert f"{row.volume / volumes['volume_so_far'].iloc[-1]:.3f} ({row.group})" in text


def test_a_collapsed_point_that_is_not_dominated_would_be_told(ran):
    study, result, _ = ran
    wrong = result.domination.copy()
    wrong.loc[0, "dominated_by_next"] -= 1
    assert "NOT every collapsed point" in study.details(replace(result, domination=wrong))


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    costs = result.costs.query("n_classes == 10 and depth == 4").iloc[0]
    assert f"need {costs['graph']:.0%} (graph) and {costs['triangles']:.0%} (triangles) of the norms" in text
    rows = result.main[result.main["method"] == "L-BFGS"]
    assert f"below collapse in {int((rows['end'] == 'below').sum())} of {len(rows)} runs" in text


def test_panels_show_the_tables(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert set(tables) == {"costs", "optima", "domination", "networks", "widths", "volumes"}
    assert all(len(table) for table in tables.values())
    _, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    costs, front, layers, losses, ranks, widths = axes
    for k, (_, part) in enumerate(result.costs.groupby("depth")):
        graph, triangles = costs.lines[2 * k : 2 * k + 2]
        np.testing.assert_array_equal(graph.get_ydata(), part["graph"])
        np.testing.assert_array_equal(triangles.get_ydata(), part["triangles"])
    optima = result.optima.set_index("network")
    for name, line in zip(optima.index, front.lines, strict=False):
        # At full scale the fit is 0 and every squared norm rho times K.
        assert line.get_xydata()[-1] == pytest.approx([0.0, optima.loc[name, "rho"] * 50.0])
    names = ["fit", *(f"square_{k}" for k in range(5))]
    shares = optima.loc["triangles", names].astype(float) / optima.loc["collapse", names].astype(float)
    np.testing.assert_array_equal(layers.lines[-1].get_ydata(), shares)
    started = result.networks[result.networks["method"] == "L-BFGS"]
    drawn = np.concatenate([np.asarray(one.get_offsets()) for one in losses.collections])
    expected = (started["loss"] / started["collapse"]).to_numpy()
    np.testing.assert_array_equal(np.sort(drawn[:, 1]), np.sort(expected))
    means = next(line for line in ranks.lines if line.get_label() == "mean")
    np.testing.assert_array_equal(means.get_ydata(), started.groupby("factor")["rank"].mean())
    np.testing.assert_array_equal(widths.lines[0].get_ydata(), result.widths["share"])
    for line, end in zip(widths.lines[1:], ("below", "other"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), result.widths[end] / result.widths["networks"])


@pytest.mark.slow
def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) == 10
    # Gradient descent at the smaller width, and L-BFGS.
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
    # Ten classes, four layers, width 30, ten starts; L-BFGS stopped early is an upper bound on where it ends.
    collapse = ReducedLoss.of_model(model_with()).minimum
    losses = train_cell(Cell(1, 0.004, 30, 0, 10, 700), 0)["loss"]
    assert (losses.astype(float) < collapse - MARGIN).sum() >= 8
