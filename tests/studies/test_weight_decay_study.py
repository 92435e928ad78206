"""The study of weight decay as it is run: at the quick setting, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.pareto import nondominated
from moltheory.plotting import panels, to_bytes
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.weight_decay import five_objectives

pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")


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
    text = study.details(result)
    assert "2410.04887" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "FAILED" not in text
    assert "nan" not in text
    networks, logged = result.sweep.networks, result.sweep.iterates.query("linear > 1")
    false = int((logged["nc1"] > logged["operator_variant"]).sum())
    assert f"all {len(logged)} logged iterates" in text
    assert f"broken by {false} iterates" in text
    counts = [
        f"{int(one.sure.sum())}, {int(one.excluded.sum())} and {int(one.undecided.sum())} in {words}"
        for one, words in ((result.two, "test error and norm"), (result.five, "the five objectives"))
    ]
    assert "; ".join(counts) in text
    assert f"{result.weights['returned'].mean():.0%} of the networks minimise the sum" in text
    best = result.settings_table.loc[result.settings_table["test_error"].idxmin()]
    assert f"(L2 = {best['linear']:.0f}, decay {best['decay']:g}: {best['test_error']:.3f})" in text
    assert text.startswith(f"{study.paper}.\n{len(networks)} networks of two ReLU layers")


def test_a_broken_bound_would_be_told(ran):
    study, result, _ = ran
    iterates = result.sweep.iterates.copy()
    iterates.loc[iterates["linear"] > 1, "sharp_bound"] = 0.0
    broken = replace(result, sweep=replace(result.sweep, iterates=iterates))
    assert f"FAILED at 0 and {int((iterates['linear'] > 1).sum())} of" in study.details(broken)


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    chains = result.sweep.iterates.query("linear > 1")
    assert f"fails at 0 of {len(chains):,} iterates" in text
    worse = result.sweep.iterates.assign(bound=0.0)
    assert f"fails at {len(chains)} of" in study.caption(replace(result, sweep=replace(result.sweep, iterates=worse)))
    assert f"{int(result.two.sure.sum())} of {len(result.two)} networks are certainly on the front" in text
    assert f"{int(result.two.excluded.sum())} certainly not." in text


def test_panels_show_the_tables(ran):
    study, result, _ = ran
    figure, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert set(study.tables(result)) == {
        *("settings", "networks", "correlations", "balance", "weights", "certificate", "certificate_five")
    }
    bound, balance, conditioning, certified = axes
    # NC1 of the first depth: medians over seeds of the logged iterates after the start.
    rows = result.sweep.iterates.query(f"decay == {result.shown} and linear == {result.linear[0]} and step > 0")
    medians = rows.groupby("time")["nc1"].median()
    np.testing.assert_array_equal(bound.lines[0].get_xydata(), np.column_stack([medians.index, medians]))
    # The flow: exp(-2 decay t), dotted.
    flows = [line for line in balance.lines if line.get_linestyle() == ":"]
    assert len(flows) == len(result.decays)
    for decay, line in zip(result.decays, flows, strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.exp(-2.0 * decay * line.get_xdata()))
    kept = result.sweep.networks.query("nc2 < 1e6")
    for decay, line in zip(result.decays, conditioning.lines, strict=True):
        expected = kept[kept["decay"] == decay].groupby("linear")["nc2"].median()
        np.testing.assert_array_equal(line.get_ydata(), expected)
    words = [one.get_text() for one in certified.get_legend().get_texts()]
    for kind, verdict in (("sure", "on the front"), ("undecided", "cannot tell yet"), ("excluded", "not on the front")):
        assert f"{verdict}: {int(getattr(result.two, kind).sum())}" in words
    drawn = np.concatenate([line.get_xydata() for line in certified.lines if line.get_marker() not in ("", "None")])
    networks = result.sweep.networks[["norm", "test_error"]].to_numpy()
    np.testing.assert_array_equal(np.sort(drawn[:, 0])[: len(networks)], np.sort(networks[:, 0])[: len(drawn)])
    assert to_bytes(figure, "png").startswith(b"\x89PNG")


@pytest.mark.slow
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
