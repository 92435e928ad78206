"""Claims and findings of the study of fully-connected layers: each verdict, and what is refused a comparison."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.plotting import panels
from moltheory.studies.fully_connected import paired_differences, trunk_differences
from moltheory.studies.fully_connected._claims import PAPER_GAIN
from tests.studies.fully_connected_run import tiny_run

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
# Whole runs, if small ones.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran():
    return tiny_run()


def test_findings_are_short_and_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.details(result)
    assert "2210.05657" in text
    assert "P. Kocsis" in text
    assert "Data: digits (1,000 images" in text
    for sentence in study.findings(result):
        assert re.search(r"\d", sentence)
        assert sentence.endswith(".")
        assert len(sentence.split()) <= 30
    assert "nan" not in text


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    rows = result.differences
    known = rows[rows["compared"]]
    below, above = (known["high"] < 0).sum(), (known["low"] > 0).sum()
    assert f"Of {len(known)} differences to plain, {below} are below zero with 95% confidence and {above} above" in text
    use = result.certified["digits"].statuses.query("costs == 'to use' and seed >= 0")["status"]
    assert f"{(use == 'sure').sum()} of {len(use)} networks are certainly on the front" in text


def _claims(ran, **columns):
    study, result, _ = ran
    changed = replace(result, differences=result.differences.assign(**columns))
    return study.claims(changed)


def test_five_claims_of_which_the_number_of_weights_is_exact(ran):
    study, result, _ = ran
    first, weights, *_ = found = study.claims(result)
    assert len(found) == 5
    assert "fully-connected layers" in first.says
    assert (weights.check, weights.verdict) == ("exact value", "agrees")
    sizes = result.trained.networks.groupby("method")["inference_parameters"].first()
    assert f"OJKD {sizes['OJKD']:,}, plain {sizes['plain']:,}; with the refiner {sizes['refiner']:,}" in weights.found
    assert len(study.lead(result)) == 5
    networks = result.trained.networks
    grown = networks.assign(
        inference_parameters=networks["inference_parameters"] + networks["method"].str.startswith("OJKD")
    )
    worse = study.claims(replace(result, trained=replace(result.trained, networks=grown)))[1]
    assert worse.verdict == "differs"


def test_gains_agree_differ_or_are_not_tested(ran):
    known = {"compared": True, "difference": -0.1, "low": -0.2, "high": -0.01}
    gains = {"gain": 0.2, "gain_low": 0.1, "gain_high": 0.3}
    refiner, _, joint, _, relative = _claims(ran, **known, **gains)
    assert refiner.verdict == joint.verdict == relative.verdict == "agrees"
    assert "−10.0 [−20.0, −1.0] points at 20; −10.0 [−20.0, −1.0] points at 30 labels" in joint.found
    assert "+20.0 % [+10.0, +30.0]" in relative.found
    for high, side in ((0.01, "covers zero"), (0.3, "is above zero")):
        low = 0.1 if high > 0.2 else -0.2
        claim = _claims(ran, **{**known, "low": low, "high": high}, **gains)[2]
        assert claim.verdict == "differs"
        assert side in claim.why
    for change in ({"gain_low": -0.1}, {"gain_high": 0.15}):
        assert _claims(ran, **known, **{**gains, **change})[4].verdict == "differs"
    unalike = {"compared": False, "train_accuracy": 0.58, "baseline_train_accuracy": 1.0, "apart": 0.5}
    refiner, weights, joint, _, relative = _claims(ran, **unalike, **gains)
    assert refiner.verdict == joint.verdict == relative.verdict == "not tested here"
    assert "training accuracy 58.0% against 100.0%, up to 50.0% apart in a pair at 20 labels" in joint.why
    assert weights.verdict == "agrees"


def test_the_smallest_budget_that_can_be_compared_decides(ran):
    _, result, _ = ran
    compared = result.differences["labels"] == 30
    known = {"compared": compared, "difference": -0.1, "low": -0.2, "high": -0.01}
    claim = _claims(ran, **known)[2]
    assert claim.verdict == "agrees"
    assert "not compared at 20; −10.0" in claim.found


def test_breadth_needs_every_comparable_case(ran):
    study, result, _ = ran

    def told(error, compared=True):
        tables = {
            name: getattr(result, name).assign(compared=compared, error=error, baseline_error=0.5, low=-1.0, high=-0.1)
            for name in ("trunks", "queries")
        }
        return study.claims(replace(result, **tables))[3]

    assert told(0.4).verdict == "agrees"
    assert told(0.4).found.startswith(
        "OJKD's mean error is smaller in 6 of 6 comparable cases (6 in all), with 95 % confidence in 6"
    )
    assert told(0.6).verdict == "differs"
    assert "random queries" in told(0.6).why
    assert told(0.4, compared=False).verdict == "not tested here"


def test_the_paper_s_gain_is_16_percent():
    assert round(PAPER_GAIN, 4) == 0.1628


def test_what_fits_unalike_is_left_out_of_findings_and_panels(ran):
    study, result, _ = ran
    networks = result.trained.networks.copy()
    networks["train_accuracy"] = np.where(networks["method"] == "plain", 1.0, 0.9)
    differences = paired_differences(networks)
    assert not differences["compared"].any()
    assert differences[["difference", "low", "high", "low_all", "gain"]].isna().all().all()
    changed = replace(result, differences=differences, trained=replace(result.trained, networks=networks))
    text = " ".join(study.findings(changed))
    assert (
        "OJKD at 20 labels: not compared, training accuracy 90.0% against 100.0%, up to 10.0% apart in a pair." in text
    )
    assert "nan" not in text
    _, axes = panels(study.n_panels)
    study.draw(changed, axes)
    assert sum(line.get_marker() == "x" and len(line.get_xdata()) for line in axes[1].get_lines()) == len(differences)


def test_findings_hold_the_numbers_of_the_result(ran):
    study, result, _ = ran
    text = " ".join(study.findings(result)).replace("−", "-")
    networks, rows = result.trained.networks, result.differences
    for row in rows[rows["compared"]].itertuples():
        assert f"{100 * row.difference:+.1f} [{100 * row.low:+.1f}, {100 * row.high:+.1f}] at {row.labels}" in text
    fits = networks.groupby("method")["train_accuracy"].mean()
    assert f"plain {fits['plain']:.1%}, no gate {fits['no gate']:.1%}, refiner {fits['refiner']:.1%}" in text
    points = result.points
    assert f"{points['on_front'].sum()} of {len(points)} points are non-dominated" in text
    cost = networks.groupby("method")["training_cost"].max()
    assert f"Training OJKD costs {cost['OJKD'] / cost['plain']:.3f} times the multiply-adds" in text
    use = result.certified["digits"].statuses.query("costs == 'to use' and seed >= 0")["status"]
    assert f"of {len(use)} networks {(use == 'sure').sum()} certainly on the front" in text
    first, last = result.path.iloc[0], result.path.iloc[-1]
    assert f"test loss of the refiner {first['loss_refiner']:.3f} to {last['loss_refiner']:.3f}" in text


def test_trunks_are_compared_at_the_smallest_budget(ran):
    _, result, _ = ran
    networks = result.trained.networks
    rows = trunk_differences(networks, data="digits", labels=20)
    assert rows["trunk"].tolist() == ["tiny", "small"]
    assert rows["inference_parameters"].is_monotonic_increasing
    table = networks.set_index(["method", "labels", "seed"])["test_error"].sort_index()
    for row, suffix in zip(rows.itertuples(), ("", " small"), strict=True):
        gaps = table.loc[f"OJKD{suffix}", 20] - table.loc[f"plain{suffix}", 20]
        assert np.isclose(row.error - row.baseline_error, gaps.mean())
    pd.testing.assert_frame_equal(rows, result.trunks)


def test_each_query_starts_from_the_same_labels_and_is_compared(ran):
    _, result, _ = ran
    active = result.trained.active
    assert len(active) == 2 * 2 * 4 * 2
    first = active[active["labels"] == 20].pivot_table(index=["method", "seed"], columns="query", values="test_error")
    assert (first["random"] == first["entropy"]).all()
    assert (first["random"] == first["core-set"]).all()
    assert result.queries["query"].tolist() == ["core-set", "entropy", "learning-loss", "random"]
    assert set(result.queries["labels"]) == {30}
