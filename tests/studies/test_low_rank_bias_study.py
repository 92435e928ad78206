"""The study of low-rank bias as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.low_rank_bias import Cell, end_shares, hypervolume_table, model_with, train_cell
from moltheory.studies.low_rank_bias._training import MARGIN, RANK_TOLERANCE
from moltheory.studies.unconstrained_features import ReducedLoss


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
    text = study.caption(result)
    assert "2405.14468" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "NOT" not in text
    assert "nan" not in text
    assert "0.0991799" in text
    assert "0.0894709" in text


def test_tables_and_panels(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert set(tables) == {"costs", "optima", "domination", "networks", "widths", "volumes"}
    assert all(len(table) for table in tables.values())
    _, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert all(ax.get_title(loc="left") or ax.get_title() for ax in axes)


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
