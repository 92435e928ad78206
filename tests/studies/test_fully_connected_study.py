"""The study of fully-connected layers as it is run: a tiny plan, resumed, on a folder, and with two processes."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.cli import main
from moltheory.plotting import panels, to_bytes
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies.fully_connected import (
    METHODS,
    FullyConnected,
    Plan,
    Recipe,
    certified_networks,
    gate_path,
    multiply_adds,
    network_objectives,
    paired_differences,
    residual_backbone,
    train_on_folder,
)
from tests.studies.test_fully_connected_images import write_mnist

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

_TINY = Plan(
    sources=("digits",),
    labels=(20, 30),
    seeds=3,
    gates=(0.3,),
    sweep_labels=30,
    active_start=20,
    active_step=10,
    active_rounds=2,
    active_seeds=1,
    recipe=Recipe(epochs=2, batch=20),
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    study, store = FullyConnected(plan=_TINY), tmp_path_factory.mktemp("fully")
    return study, study.compute(Settings(store=store)), store


def assert_same(one, other):
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name], check_exact=True)


def test_networks_are_paired(ran):
    _, result, _ = ran
    networks = result.trained.networks
    # The gate between 0 and 1 is a point too, at the budget of the sweep.
    assert len(networks) == 4 * 2 * 3 + 3 == len(result.trained.wrong)
    assert set(networks["method"]) == {*METHODS, "g = 0.3"}
    assert set(networks[networks["method"] == "g = 0.3"]["labels"]) == {30}
    for row in networks.itertuples():
        wrong = result.trained.wrong[row.data, row.method, row.labels, row.seed]
        assert wrong.shape == (797,)
        assert row.test_error == wrong.mean()
    sizes = networks.groupby("method")["inference_parameters"].agg(["min", "max"])
    assert sizes.loc["OJKD"].tolist() == sizes.loc["plain"].tolist() == sizes.loc["no gate"].tolist()
    assert (sizes.loc["refiner"] > sizes.loc["plain"]).all()
    costs = networks.pivot_table(index=["labels", "seed"], columns="method", values="training_cost")
    assert (costs["plain"] < costs["refiner"]).all()
    assert (costs["refiner"] < costs["OJKD"]).all()
    assert (costs["OJKD"] == costs["no gate"]).all()


def test_gates_0_and_1_of_the_sweep_are_the_methods(ran):
    _, result, _ = ran
    networks = result.trained.networks.query("labels == 30").set_index(["method", "seed"])
    sweep = result.trained.sweep.set_index(["gate", "seed"])
    assert sorted(set(result.path["gate"])) == [0.0, 0.3, 1.0]
    for seed in range(3):
        assert sweep.loc[(0.0, seed), "error_plain"] == networks.loc[("OJKD", seed), "test_error"]
        assert sweep.loc[(0.0, seed), "error_refiner"] == networks.loc[("refiner", seed), "test_error"]
        assert sweep.loc[(1.0, seed), "error_plain"] == networks.loc[("no gate", seed), "test_error"]
        assert sweep.loc[(0.3, seed), "loss_plain"] != sweep.loc[(0.0, seed), "loss_plain"]
        assert sweep.loc[(0.3, seed), "error_plain"] == networks.loc[("g = 0.3", seed), "test_error"]
    assert ("g = 0.3", 30) in set(zip(result.points["method"], result.points["labels"], strict=True))
    assert "g = 0.3, 30" in result.certified["digits"].first.names


def test_what_costs_more_to_train_never_dominates(ran):
    _, result, _ = ran
    duels = result.certified["digits"].duels
    assert not duels[duels["costs"] == "to train and use"]["dominates"].any()
    assert not (duels["dominates"] & duels["is_dominated"]).any()
    # The refiner has more parameters, so it can never dominate.
    assert not duels[duels["method"] == "refiner"]["dominates"].any()
    statuses = result.certified["digits"].statuses
    assert len(statuses) == 2 * 4 * 9
    further, first = result.certified["digits"].further, result.certified["digits"].first
    undecided = {name for name, status in zip(first.names, first.status, strict=True) if status == "undecided"}
    assert set(further["model"]) == undecided


def test_findings_quote_the_numbers(ran):
    study, result, _ = ran
    text = study.details(result)
    assert "2210.05657" in text
    assert all(re.search(r"\d", sentence) and sentence.endswith(".") for sentence in study.findings(result))
    assert "nan" not in text
    assert "digits" in text


def test_the_caption_is_short_and_quotes_the_numbers(ran):
    study, result, _ = ran
    text = study.caption(result)
    assert len(text.split()) <= 60
    rows = result.differences
    assert f"{(rows['high'] < 0).sum()} of {len(rows)} differences in test error are below zero" in text
    assert f"and {(rows['low'] > 0).sum()} above" in text
    use = result.certified["digits"].statuses.query("costs == 'to use' and seed >= 0")["status"]
    assert f"{(use == 'sure').sum()} of {len(use)} networks are certainly on the front" in text


def test_signs_are_told_as_found(ran):
    study, result, _ = ran
    rows, networks = result.differences, result.trained.networks

    def told(**columns):
        return " ".join(study.findings(replace(result, differences=rows.assign(**columns))))

    shrinking = np.where(rows["labels"] == 20, -0.1, -0.02)
    text = told(difference=shrinking, low=-0.2, high=-0.01)
    assert "refiner is better at 20 labels and OJKD is better at 20 labels: such a gain is seen for both." in text
    text = told(difference=shrinking, low=-0.2, high=np.where(rows["method"] == "OJKD", 0.01, -0.01))
    assert "OJKD is not told apart from plain at 20 labels: such a gain is seen for refiner alone." in text
    text = told(difference=0.1, low=0.05, high=0.2)
    assert "OJKD is worse at 20 labels: such a gain is not seen." in text
    for plain, ojkd, words in (
        (0.1, 0.3, "has fitted its labelled images less well"),
        (0.1, 0.1, "fitted their labelled images about"),
        (2.3, 2.3, "not even the plain network has fitted"),
    ):
        losses = np.where(networks["method"] == "OJKD", ojkd, plain)
        changed = replace(result.trained, networks=networks.assign(train_loss=losses))
        assert words in " ".join(study.findings(replace(result, trained=changed)))


def test_findings_hold_the_numbers_of_the_result(ran):
    study, result, _ = ran
    text = " ".join(study.findings(result))
    networks, rows = result.trained.networks, result.differences
    for row in rows.itertuples():
        assert f"{100 * row.difference:+.1f} [{100 * row.low:+.1f}, {100 * row.high:+.1f}] at {row.labels}" in text
    assert f"{(rows['high'] < 0).sum()} of {len(rows)} intervals are below zero" in text
    losses = networks.groupby("method")["train_loss"].mean()
    assert f"plain {losses['plain']:.3f}, no gate {losses['no gate']:.3f}, refiner {losses['refiner']:.3f}" in text
    points = result.points
    assert f"{points['on_front'].sum()} of {len(points)} points are non-dominated" in text
    cost = networks.groupby("method")["training_cost"].max()
    assert f"Training OJKD costs {cost['OJKD'] / cost['plain']:.3f} times the multiply-adds" in text
    use = result.certified["digits"].statuses.query("costs == 'to use' and seed >= 0")["status"]
    assert (
        f"of {len(use)} networks {(use == 'sure').sum()} are on the front, {(use == 'excluded').sum()} are not" in text
    )
    first, last = result.path.iloc[0], result.path.iloc[-1]
    assert f"from {first['loss_refiner']:.3f} to {last['loss_refiner']:.3f} nats" in text


def test_a_training_cost_is_three_passes_over_all_labelled_images(ran):
    """Of the trunk and every head that is trained: 3 x multiply-adds x labels x epochs."""
    _, result, _ = ran
    trunk, d = residual_backbone((1, 8, 8))
    products = {"plain": d * 10, "refiner": d * 32 + 2 * 32**2 + 32 * 10}
    for row in result.trained.networks.itertuples():
        heads = METHODS["OJKD" if row.method.startswith("g = ") else row.method][0]
        forward = multiply_adds(trunk, (1, 8, 8)) + sum(products[head] for head in heads)
        assert row.training_cost == 3 * forward * row.labels * 2


def test_panels_draw_the_numbers_of_the_result(ran):
    study, result, _ = ran
    _, axes = panels(study.n_panels)
    study.draw(result, axes)
    errors, differences, certificate, path, active = axes
    networks = result.trained.networks
    lines = {line.get_label(): line for line in errors.get_lines()}
    for method in METHODS:
        means = networks[networks["method"] == method].groupby("labels")["test_error"].mean()
        np.testing.assert_allclose(lines[method].get_ydata(), 100 * means, rtol=1e-12)
    ends = sorted(tuple(line.get_ydata()) for line in differences.get_lines() if len(line.get_ydata()) == 2)
    expected = sorted((100 * row.low, 100 * row.high) for row in result.differences.itertuples())
    np.testing.assert_allclose([pair for pair in ends if pair != (0.0, 0.0)], expected, rtol=1e-12)
    first = result.certified["digits"].first
    drawn = sorted(line.get_ydata()[0] for line in certificate.get_lines() if len(line.get_ydata()) == 1)
    np.testing.assert_allclose(drawn[::2], np.sort(100 * first.estimates[:, 0]), rtol=1e-12)
    assert certificate.get_title(loc="left") + certificate.get_title() == "The certified front, 797 test images"
    labels = [text.get_text() for text in certificate.get_legend().get_texts()]
    assert f"on the front: {first.status.count('sure')}" in labels
    np.testing.assert_array_equal(path.get_lines()[0].get_xdata(), result.path["loss_refiner"])
    np.testing.assert_array_equal(path.get_lines()[0].get_ydata(), result.path["loss_plain"])
    lines = {line.get_label(): line for line in active.get_lines()}
    rows = result.trained.active.query("method == 'OJKD' and query == 'entropy'")
    np.testing.assert_allclose(lines["OJKD,\nentropy"].get_ydata(), 100 * rows["test_error"], rtol=1e-12)


def test_tables_and_images(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert set(tables) >= {"networks", "differences", "points", "certified", "duels", "further", "gates", "active"}
    assert all(len(tables[name]) for name in tables if name != "further")
    figure, axes = panels(study.n_panels, narrow=True)
    assert len(study.draw(result, axes)) == study.n_panels == 5
    assert to_bytes(figure, "png").startswith(b"\x89PNG")


def test_same_bits_after_a_resume(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) == 2 * 3 * 3 + 3 + 4
    for part in parts[::9]:
        part.unlink()
    again = study.compute(Settings(store=tmp_path / "copy"))
    assert_same(study.tables(result), study.tables(again))


@pytest.mark.slow
def test_two_processes_give_the_same_bits(ran):
    study, result, _ = ran
    assert_same(study.tables(result), study.tables(study.compute(Settings(n_jobs=2))))


@pytest.mark.parametrize("quick", [False, True])
def test_both_settings_compare_three_budgets_over_at_least_three_seeds(quick):
    study = get_study("fully-connected")
    plan = study.plan_of(Settings(quick=quick))
    assert plan.sources == ("digits", "cluttered digits")
    assert plan.labels == ((40, 80, 160) if quick else (250, 500, 1000))
    assert plan.seeds >= 3
    assert study.n_panels == 6


def test_the_study_trains_on_original_files_and_goes_on_from_checkpoints(tmp_path, rng):
    write_mnist(tmp_path / "mnist", rng, compressed=True)
    changes = {"active_start": 4, "active_step": 1, "active_rounds": 2, "active_seeds": 1, "gates": ()}
    settings = Settings(store=tmp_path / "store")
    recipe = Recipe(epochs=1, batch=4)
    result = train_on_folder(tmp_path / "mnist", settings=settings, labels=(4, 6), recipe=recipe, **changes)
    assert result.data == ("MNIST",)
    assert result.plan.sweep_labels == 6
    assert len(result.trained.networks) == 4 * 2 * 3
    assert len(list((tmp_path / "store").rglob("*.pt"))) == 3 * 2 * 3
    for path in (tmp_path / "store").iterdir():
        if "checkpoints" not in path.name:
            shutil.rmtree(path)
    again = train_on_folder(tmp_path / "mnist", settings=settings, labels=(4, 6), recipe=recipe, **changes)
    pd.testing.assert_frame_equal(result.trained.networks, again.trained.networks, check_exact=True)


@pytest.mark.slow
def test_the_command_trains_on_original_files(tmp_path, monkeypatch, capsys):
    generator = np.random.default_rng(3)
    write_mnist(tmp_path / "mnist", generator, compressed=False, sizes=(160, 30))
    monkeypatch.chdir(tmp_path)
    assert main(["study", "fully-connected", "--data", "mnist", "--quick", "--n-jobs", "1", "--out", "out"]) == 0
    told = capsys.readouterr().out
    assert "On MNIST, differences in test error from the plain network" in told
    assert "Certificates on 30 test images of MNIST" in told
    assert (tmp_path / "out" / "fully-connected.png").exists()


def test_wrong_requests_are_refused(tmp_path, rng, refuses):
    refuses("data", FullyConnected, tmp_path / "missing")
    refuses("plan", FullyConnected, tmp_path, plan=_TINY)
    refuses("folder", train_on_folder, tmp_path)
    write_mnist(tmp_path, rng, compressed=False)
    refuses("labels", train_on_folder, tmp_path, labels=(5, 8))
    refuses("changes", train_on_folder, tmp_path, labels=(5,), colour=1)


def test_paired_differences_against_scipy(rng, refuses):
    from scipy.stats import ttest_rel

    errors = rng.random((4, 3, 2))
    rows = [
        {"data": "d", "labels": 10 * (k + 1), "method": method, "seed": s, "test_error": errors[s, j, k]}
        for s in range(4)
        for j, method in enumerate(("plain", "refiner", "OJKD"))
        for k in range(2)
    ]
    table = pd.DataFrame(rows)
    before = table.copy()
    found = paired_differences(table)
    assert len(found) == 4
    for row in found.itertuples():
        j, k = ("plain", "refiner", "OJKD").index(row.method), row.labels // 10 - 1
        for level, ends in ((0.95, (row.low, row.high)), (1 - 0.05 / 4, (row.low_all, row.high_all))):
            peer = ttest_rel(errors[:, j, k], errors[:, 0, k]).confidence_interval(level)
            assert np.allclose(ends, peer, atol=1e-12)
    pd.testing.assert_frame_equal(table, before)
    refuses("baseline", paired_differences, table, baseline="other")
    refuses("networks", paired_differences, table[table["seed"] == 0])


def _made_up(rates):
    """Networks with given test errors on 2000 images: the plain one errs where the others do, and elsewhere."""
    rows, wrong = [], {}
    for method, rate in rates.items():
        for seed in range(3):
            wrong["d", method, 50, seed] = np.arange(2000) < rate * 2000
            parameters = 12.0 if method == "refiner" else 10.0
            cost = 5.0 if method == "plain" else 6.0
            rows.append(("d", method, 50, seed, rate, parameters, cost))
    columns = ["data", "method", "labels", "seed", "test_error", "inference_parameters", "training_cost"]
    return pd.DataFrame(rows, columns=columns), wrong


def test_a_large_gain_is_certified_and_a_small_one_is_not(refuses):
    networks, wrong = _made_up({"plain": 0.3, "OJKD": 0.2, "refiner": 0.15, "no gate": 0.3005})
    found = certified_networks(networks, wrong, data="d")
    duels = found.duels.set_index(["costs", "seed", "method"])
    for seed in (0, 1, 2, -1):
        assert duels.loc[("to use", seed, "OJKD"), "dominates"]
        assert not duels.loc[("to train and use", seed, "OJKD"), "dominates"]
        assert not duels.loc[("to use", seed, "no gate"), ["dominates", "is_dominated"]].any()
    status = found.statuses.query("costs == 'to use' and seed == 0").set_index("method")["status"]
    assert status["OJKD"] == status["refiner"] == "sure"
    assert status["plain"] == status["no gate"] == "excluded"
    assert found.further.empty
    refuses("data", certified_networks, networks, wrong, data="e")
    points, objectives = network_objectives(networks, data="d")
    assert objectives.data_dependent.tolist() == [True, False, False, False]
    assert points.set_index("method")["on_front"].to_dict() == {
        "OJKD": True,
        "no gate": False,
        "plain": True,
        "refiner": True,
    }


def test_along_exact_minimisers_every_gate_is_its_own_minimum():
    # Two tasks (t - 1)^2 and t^2: the weighted sum with weights (1, g) has its minimum at t = 1 / (1 + g).
    gates = np.array([0.0, 0.1, 0.5, 1.0])
    t = 1 / (1 + gates)
    losses = {f"{kind}_{head}": (t - 1) ** 2 if head == "refiner" else t**2 for kind in ("loss", "train_loss", "error")
              for head in ("refiner", "plain")}  # fmt: skip
    path = gate_path(pd.DataFrame({"gate": gates, "seed": 0, **losses}))
    assert path["own_minimum"].all()
    assert path["on_front"].all()
    assert np.allclose(path["weight_plain"], gates / (1 + gates))


def test_another_plan_is_another_run(ran, refuses):
    _, _, store = ran
    other = FullyConnected(plan=replace(_TINY, width=8))
    refuses("store", other.compute, Settings(store=store))
