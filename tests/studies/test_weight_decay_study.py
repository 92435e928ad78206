"""The study of weight decay as it is run: small, on digits and on files, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.images import ImageSource
from moltheory.pareto import nondominated
from moltheory.plotting import panels, to_bytes
from moltheory.reports import Settings
from moltheory.studies._machine import Machine
from moltheory.studies.weight_decay import WeightDecay, _study, certified_front, five_objectives, train_block
from tests.lab.tiny_images import write_mnist

pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")
# Whole runs, if small ones.
pytestmark = pytest.mark.slow

TINY = _study._Budget((1, 2, 3), (2e-3, 1e-2), (0.1, 0.2), (16,), (2, 3), 1e-2, seeds=3, images=100, steps=100)


def computed(store, data=None, n_jobs=1, budget=TINY):
    study = WeightDecay(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_study, "_QUICK", budget)
        return study, study.compute(Settings(quick=True, store=store, n_jobs=n_jobs))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    store = tmp_path_factory.mktemp("decay")
    return *computed(store), store


def changed(result, networks=None, iterates=None, **rest):
    """The result with other tables of networks and iterates."""
    sweep = result.sweep
    sweep = replace(sweep, networks=sweep.networks if networks is None else networks)
    return replace(result, sweep=replace(sweep, iterates=sweep.iterates if iterates is None else iterates), **rest)


def verdicts(study, result):
    return [claim.verdict for claim in study.claims(result)]


def test_the_bounds_hold_at_every_logged_iterate(ran):
    result = ran[1]
    logged = result.logged
    assert len(logged) >= 100
    assert (logged["nc1"] <= logged["sharp_bound"]).all()
    assert (logged["sharp_bound"] <= logged["bound"]).all()
    everything = result.sweep.iterates
    assert (everything["kappa"] <= everything["stable_ceiling"] * (1 + 1e-9)).all()
    assert (everything["kappa_root"] <= everything["norm_ceiling"] * (1 + 1e-9)).all()
    assert np.isfinite(everything["stable_ceiling"]).any()


def test_imbalance_decays_at_twice_the_decay(ran):
    rates = ran[1].balancing["ratio"].dropna()
    assert len(rates) > 10
    # One by what the data do at steps of finite size, together by momentum alone.
    assert rates.between(0.5, 1.6).all()
    assert rates.median() == pytest.approx(1.05, abs=0.1)


def test_every_setting_is_trained_once_with_its_role(ran):
    result = ran[1]
    networks = result.sweep.networks
    assert len(networks) == 3 * (3 * 2 + 1 + 1 + 1)
    assert networks["main"].sum() == 18
    assert sorted(networks[networks["rates"]]["rate"].unique()) == [0.1, 0.2]
    assert sorted(networks[networks["firsts"]]["first"].unique()) == [16, 100]
    assert sorted(networks[networks["relus"]]["relu"].unique()) == [2, 3]
    assert networks[networks["rates"]]["curvature"].gt(0).all()
    assert networks.loc[~networks["rates"], "curvature"].isna().all()
    # All step sizes train for the same time.
    assert networks["time"].to_numpy() == pytest.approx(np.full(len(networks), 200.0))
    np.testing.assert_array_equal(networks["test_error"], result.sweep.test_losses.mean(axis=0))


def test_networks_as_points(ran):
    result = ran[1]
    objectives, members = five_objectives(result.main)
    on = nondominated(objectives.risks())
    assert result.settings_table["front_five"].sum() == on.sum()
    # What the certificate calls sure is on the empirical front; what it excludes is dominated there too.
    assert on[result.five.sure].all()
    assert not on[result.five.excluded].any()
    assert len(result.two.sure) == len(result.main)
    assert len(members) < len(result.main)


def test_claims_agree_where_their_rules_say_so(ran):
    study, result, _ = ran
    claims = study.claims(result)
    assert len(claims) == 7
    assert claims[0].verdict == claims[1].verdict == "agrees"
    assert "0 of" in claims[0].found
    assert f"images ({result.images})" in claims[2].checked
    ends = result.sweep.networks.assign(train_error=0.0, imbalance=0.01, nc1=0.01, nc3=0.99, curvature=0.1)
    ends["nc2"] = 2.0 / ends["linear"] + 0.01 * ends["seed"]
    ends["negativity"] = ends["relu_imbalance"] = 1.0 / ends["relu"] + 0.01 * ends["seed"]
    good = changed(result, ends)
    assert verdicts(study, good) == ["agrees"] * 7
    assert set(study.lead(good)["verdict"]) == {"agrees"}


@pytest.mark.parametrize(
    ("column", "value", "wrong"),
    [
        ("train_error", 0.5, 2),
        ("imbalance", 0.5, 2),
        ("nc1", 0.5, 4),
        ("nc3", 0.1, 4),
        ("curvature", 1e9, 3),
        ("negativity", 0.5, 6),
    ],
)
def test_claims_can_fail(ran, column, value, wrong):
    study, result, _ = ran
    claim = study.claims(changed(result, result.sweep.networks.assign(**{column: value})))[wrong]
    assert claim.verdict == "differs"
    assert claim.why


def test_depth_without_effect_is_reported(ran):
    study, result, _ = ran
    flat = result.sweep.networks.copy()
    flat["nc2"] = 2.0 + 0.1 * flat["seed"] * flat["linear"]
    assert study.claims(changed(result, flat))[5].verdict == "differs"


def test_a_broken_bound_would_be_told(ran):
    study, result, _ = ran
    iterates = result.sweep.iterates.assign(sharp_bound=0.0, norm_ceiling=0.5)
    broken = changed(result, iterates=iterates)
    assert f"FAILED at 0 and {len(result.logged)} of" in study.details(broken)
    assert verdicts(study, broken)[0] == verdicts(study, broken)[3] == "differs"
    exact = replace(result.exact, nc2_off=1.0)
    assert verdicts(study, replace(result, exact=exact))[1] == "differs"


def test_a_lost_network_counts_against_the_claims(ran):
    study, result, _ = ran
    networks = result.sweep.networks.copy()
    networks.loc[networks.index[-1], ["fit", "nc1", "nc2", "curvature", "test_error"]] = np.nan
    rates = networks[networks["rates"]].index
    networks.loc[rates[-1], "fit"] = np.nan
    networks.loc[0, "fit"] = np.nan
    lost = changed(result, networks)
    two, five = certified_front(lost.sweep)
    lost = replace(lost, two=two, five=five)
    assert lost.lost >= 1
    assert verdicts(study, lost)[2] == verdicts(study, lost)[4] == "differs"
    assert "Lost, for steps too large" in study.details(lost)


def test_steps_that_are_too_large_lose_the_network():
    found = train_block(ImageSource(), Machine(), (3, 1e-3, 50.0, 32, 2), 10, 20, 0, 0, True)
    assert np.isnan(found["fit"][-1])
    assert np.isfinite(found["fit"][0])
    assert len(found["fit"]) == len(found["step"])
    assert np.isnan(found["curvature"])
    assert found["errs"].all()


def test_findings_are_short_and_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.details(result)
    assert "2410.04887" in text
    assert [one for one in study.findings(result) if len(one.split()) > 30 or not one.endswith(".")] == []
    assert "FAILED" not in text
    assert not re.search(r"\bnan\b", text)
    assert f"all {len(result.logged)} logged iterates" in text
    for one, words in ((result.two, "test error and norm"), (result.five, "the five objectives")):
        counts = f"{int(one.sure.sum())} on the front, {int(one.excluded.sum())} not, {int(one.undecided.sum())} open"
        assert f"Certified in {words} on 797 test images at 95%: {counts}." in text
    best = result.settings_table.loc[result.settings_table["test_error"].idxmin()]
    assert f"{best['test_error']:.1%} with L2 = {best['linear']:.0f} at decay {best['decay']:g}" in text


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    assert text.startswith("digits, 100 images.")
    assert f"fails at 0 of {len(result.logged):,} iterates" in text
    worse = changed(result, iterates=result.sweep.iterates.assign(bound=0.0))
    assert f"fails at {len(result.logged)} of" in study.caption(worse)
    assert f"{int(result.two.sure.sum())} of {len(result.two)} networks are certainly on the front." in text


def test_panels_show_the_tables(ran):
    study, result, _ = ran
    figure, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    assert set(study.tables(result)) == {
        *("settings", "networks", "correlations", "balance", "weights", "certificate", "certificate_five")
    }
    bound, balance, conditioning, certified = axes
    assert result.data in bound.get_title()
    # NC1 of the first depth: medians over seeds of the logged iterates after the start.
    rows = result.sweep.iterates.query(f"decay == {result.shown} and linear == {result.linear[0]} and step > 0")
    medians = rows.groupby("time")["nc1"].median()
    np.testing.assert_array_equal(bound.lines[0].get_xydata(), np.column_stack([medians.index, medians]))
    # The flow: exp(-2 decay t), dotted.
    flows = [line for line in balance.lines if line.get_linestyle() == ":"]
    assert len(flows) == len(result.decays)
    for decay, line in zip(result.decays, flows, strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.exp(-2.0 * decay * line.get_xdata()))
    by_depth, by_rate = conditioning.lines[:2]
    np.testing.assert_array_equal(by_depth.get_ydata(), result.ends.groupby("linear")["nc2"].median())
    rates = result.sweep.networks.query("rates")
    np.testing.assert_array_equal(by_rate.get_ydata(), rates.groupby("rate")["nc2"].median())
    words = [one.get_text() for one in certified.get_legend().get_texts()]
    for kind, verdict in (("sure", "on the front"), ("undecided", "cannot tell yet"), ("excluded", "not on the front")):
        assert f"{verdict}: {int(getattr(result.two, kind).sum())}" in words
    assert to_bytes(figure, "png").startswith(b"\x89PNG")


def test_files_are_trained_on_and_named(tmp_path):
    write_mnist(tmp_path / "images", n_train=100, n_test=40, side=12)
    budget = replace(TINY, linear=(1, 3), decays=(1e-2,), rates=(0.2,), narrow=(), relus=(2,), seeds=2, steps=10)
    study, result = computed(tmp_path / "store", tmp_path / "images", budget=budget)
    assert result.data in study.caption(result)
    assert result.sweep.test_losses.shape == (40, 4)
    assert result.images <= 50
    assert result.firsts == (result.images,)
    assert len(study.findings(result)) > 10


@pytest.mark.slow
def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) == len(result.sweep.networks)
    for part in parts[:2]:
        part.unlink()
    again = computed(tmp_path / "copy", n_jobs=2)[1]
    for name, table in study.tables(result).items():
        pd.testing.assert_frame_equal(table, study.tables(again)[name], check_exact=True)
