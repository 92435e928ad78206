"""The study of unconstrained features as it is run: at a tiny setting, resumed, with other numbers of processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.plotting import panels
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.unconstrained_features import _study as module
from moltheory.studies.unconstrained_features import network_objectives

pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")

_FEATURES, _WEIGHTS = module.FEATURES, module.WEIGHTS


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One tiny run: the quick setting with fewer steps, on the digits."""
    tiny = replace(
        module._QUICK,
        width_seeds=2,
        widths=(8, 16),
        width_steps=60,
        recipes=(
            module.Recipe(_FEATURES, 1, (0.1, 1.5), first=150, later=60, hidden=32, width=16, per_class=20),
            module.Recipe(_WEIGHTS, 1, (0.1,), first=60, later=0, hidden=32, width=16, per_class=20),
        ),
        pairs=31,
        per_part=12,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_QUICK", tiny)
        store = tmp_path_factory.mktemp("unconstrained")
        study = get_study("unconstrained-features")
        yield study, study.compute(Settings(quick=True, store=store)), store


def test_no_network_beats_the_closed_form(ran):
    _, result, _ = ran
    sweep = result.sweep
    assert (sweep["gap"] >= -1e-12).all()
    assert (result.widths["gap"] >= -1e-12).all()
    assert (sweep["gap"] <= sweep["gap_descent"] + 1e-12).all()
    assert (sweep["product_ratio"] >= 1 - 1e-9).all()
    assert sweep["checked"].sum() > 0
    assert sweep.groupby(["depth", "ratio"]).size().min() >= 5
    # The images' networks are networks of the model, too: the theorem bounds them for any features.
    assert (result.networks["gap"] >= -1e-6).all()


def test_the_best_seed_reaches_it(ran):
    _, result, _ = ran
    assert (result.sweep.groupby(["depth", "ratio"])["gap"].min() <= 1e-12).all()


def test_networks_at_the_optimum_are_collapsed(ran):
    _, result, _ = ran
    best = result.sweep[(result.sweep["learned"] == 2) & result.sweep["is_optimal"]]
    assert len(best) >= 3
    assert (best["nc1"] < 1e-6).all()
    assert (best["spread"] < 1e-3).all()


def test_findings_quote_the_numbers_in_short_sentences(ran):
    study, result, _ = ran
    found = study.findings(result)
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in found)
    assert max(len(sentence.split()) for sentence in found) <= 45
    text = study.details(result)
    assert "2305.13165" in text
    assert "Data: digits" in text
    for word in ("SOME", "FAILED", "nan", "memory", "remembered"):
        assert word not in text
    sweep = result.sweep
    below, above = sweep[sweep["ratio"] < 1], sweep[sweep["ratio"] > 1]
    assert f"No network of {len(sweep) + len(result.widths)} is below" in text
    assert (
        f"{int((below['learned'] == 1).sum())} with one (loss (1/2 + F)/2, derived; proof: study-separated-networks)"
        in text
    )
    assert f"Above it {int((above['learned'] == 0).sum())} of {len(above)} networks end at zero" in text
    assert f"held at all {int(sweep['checked'].sum())} logged iterates" in text
    assert f"0 of the {int(result.reach['missed'].sum())} grid points" in text
    assert f"classes {result.classes[0]} and {result.classes[1]} of digits" in text
    one = result.certificate
    assert f"Of {len(one.names)} trained networks {int(one.sure.sum())} are certainly on the front" in text


def test_a_network_below_the_closed_form_would_be_told(ran):
    study, result, _ = ran
    wrong = replace(result, sweep=result.sweep.assign(gap=-1e-3, product_ratio=0.5))
    text = study.details(wrong)
    assert "SOME (by 1e-03) network of" in text
    assert "FAILED at some of" in text
    assert study.claims(wrong)[0].verdict == "differs"
    assert f"{len(result.sweep)} are below" in study.caption(wrong)


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    total = len(result.sweep) + len(result.widths)
    assert text.startswith(f"Of {total} networks with free features none is below the optimum")
    missed = int((~result.supported).sum())
    assert f"return 0 of {missed} points in the hole" in text
    assert "digits" in text


def test_verdicts_follow_their_rules(ran):
    study, result, _ = ran
    reached = result.shares.assign(reached=result.shares["starts"])
    none = result.shares.assign(reached=0)
    assert study.claims(replace(result, shares=reached))[1].verdict == "agrees"
    assert study.claims(replace(result, shares=none))[1].verdict == "differs"
    for name, k in ((_FEATURES, 2), (_WEIGHTS, 3)):
        rows = result.networks
        near = rows.assign(gap=0.01, **{f"nc1_{j}": 1e-3 for j in range(3)})
        assert study.claims(replace(result, networks=near))[k].verdict == "agrees"
        far = near.assign(gap=np.where(near["kind"] == name, 0.5, 0.01))
        spread = near.assign(nc1_2=np.where(near["kind"] == name, 0.1, 1e-3))
        for worse in (far, spread):
            found = study.claims(replace(result, networks=worse))
            assert [one.verdict for one in found[2:4]] == ["differs" if j == k else "agrees" for j in (2, 3)]
            assert found[k].why
    # A shallower trunk that misses the rule is named, whatever the deepest one does.
    rows = near[near["kind"] == _WEIGHTS]
    deeper = pd.concat([near.assign(gap=np.where(near["kind"] == _WEIGHTS, 0.5, 0.01)), rows.assign(trunk=4)])
    claim = study.claims(replace(result, networks=deeper.reset_index(drop=True)))[3]
    assert claim.verdict == "agrees"
    assert claim.why.startswith("Trunks of depth 1 miss the rule.")
    exact = result.exact.assign(gradient=1e-3)
    found = study.claims(replace(result, exact=exact))
    assert (found[0].verdict, found[4].verdict) == ("differs", "differs")


def test_claims_cover_the_abstract(ran):
    study, result, _ = ran
    found = study.claims(result)
    assert [one.where for one in found] == ["abstract", "abstract, (i)", "abstract, (ii)", "abstract, (ii)", "abstract"]
    assert all("digits classes" in one.checked for one in found[2:3])
    assert (found[0].verdict, found[4].verdict) == ("agrees", "agrees")
    assert list(study.lead(result)["verdict"]) == [one.verdict for one in found]


def test_panels_show_the_tables(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert {"networks", "success", "image_networks", "certificate", "exact"} <= set(tables)
    assert all(len(table) for table in tables.values())
    _, axes = panels(study.n_panels)
    assert len(study.draw(result, axes)) == study.n_panels
    branches, success, jump, images, collapse, layers, front, certified = axes
    rows = result.sweep[result.sweep["depth"] == result.depth]
    words = [one.get_text() for one in branches.get_legend().get_texts()]
    for learned, name in ((2, "both classes"), (1, "one class"), (0, "zero"), (-1, "none of these")):
        assert f"{name}: {int((rows['learned'] == learned).sum())}" in words
    assert [one.get_text() for one in success.get_legend().get_texts()] == ["width 8", "width 16"]
    # The closed form jumps from (L - 1)/L to 0 at the critical factor, and trained networks lie on it.
    for k, depth in enumerate(result.depths):
        curve, _, marks = jump.lines[3 * k : 3 * k + 3]
        np.testing.assert_array_equal(curve.get_ydata()[-2:], [(depth - 1) / depth, 0.0])
        part = result.sweep[(result.sweep["depth"] == depth) & (result.sweep["learned"] == 2)]
        np.testing.assert_array_equal(marks.get_xydata(), part[["ratio", "scale"]])
    trained = result.networks[result.networks["kind"] == _FEATURES]
    np.testing.assert_array_equal(images.lines[2].get_xydata(), trained[["ratio", "scale"]])
    assert "digits" in images.get_title(loc="left") + images.get_title()
    assert [one.get_text() for one in layers.get_xticklabels()] == ["trunk", "ReLU 1", "ReLU 2"]
    assert [one.get_text() for one in collapse.get_xticklabels()][:2] == ["loss gap", "NC1"]
    np.testing.assert_array_equal(front.lines[0].get_xdata(), result.front[:, 0])
    shown = np.isfinite(front.lines[0].get_ydata().astype(float))
    np.testing.assert_array_equal(shown, result.supported)
    trained = front.lines[-1].get_xydata()
    np.testing.assert_array_equal(trained[:, 0], result.budgets["fit"])
    np.testing.assert_array_equal(trained[:, 1], result.budgets["norms"] / result.budget_factor)
    words = [one.get_text() for one in certified.get_legend().get_texts()]
    assert f"certainly on it: {int(result.certificate.sure.sum())}" in words


def test_same_bits_after_a_resume_with_two_processes(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    # Gradient descent of both depths, L-BFGS of four cells, two budgets, four cells of widths, four networks.
    assert len(parts) == 16
    for part in (parts[0], parts[3], parts[7], parts[9], parts[-1]):
        part.unlink()
    again = study.compute(Settings(quick=True, n_jobs=2, store=tmp_path / "copy"))
    for name, table in study.tables(result).items():
        pd.testing.assert_frame_equal(table, study.tables(again)[name], check_exact=True)


def test_objectives_refuse_a_depth_that_was_not_run(ran, refuses):
    refuses("depth", network_objectives, ran[1].sweep, 7)
    assert np.isfinite(ran[1].objectives["volume_trained"]).all()
