"""The study of fully-connected layers as it is run: a tiny plan, resumed, on a folder, and with two processes."""

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
    Recipe,
    certified_networks,
    gate_path,
    multiply_adds,
    network_objectives,
    paired_differences,
    residual_backbone,
    train_on_folder,
)
from tests.lab.tiny_images import write_cifar10_binary, write_mnist
from tests.studies.fully_connected_run import TINY, tiny_run

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
# Whole runs, if small ones.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran():
    return tiny_run()


def assert_same(one, other):
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name], check_exact=True)


def test_networks_are_paired(ran):
    _, result, _ = ran
    networks = result.trained.networks
    # The gate between 0 and 1 is a point too, at the budget of the sweep, and another trunk at the smallest one.
    assert len(networks) == 4 * 2 * 3 + 3 + 2 * 3 == len(result.trained.wrong)
    assert set(networks["method"]) == {*METHODS, "g = 0.3", "plain small", "OJKD small"}
    assert set(networks[networks["trunk"] == "small"]["labels"]) == {20}
    assert set(networks[networks["method"] == "g = 0.3"]["labels"]) == {30}
    for row in networks.itertuples():
        wrong = result.trained.wrong[row.data, row.method, row.labels, row.seed]
        assert wrong.shape == (797,)
        assert row.test_error == wrong.mean()
    sizes = networks.groupby("method")["inference_parameters"].agg(["min", "max"])
    assert sizes.loc["OJKD"].tolist() == sizes.loc["plain"].tolist() == sizes.loc["no gate"].tolist()
    assert sizes.loc["OJKD small"].tolist() == sizes.loc["plain small"].tolist()
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
    assert len(statuses) == 2 * 4 * 11
    further, first = result.certified["digits"].further, result.certified["digits"].first
    undecided = {name for name, status in zip(first.names, first.status, strict=True) if status == "undecided"}
    assert set(further["model"]) == undecided


def test_a_training_cost_is_three_passes_over_all_labelled_images(ran):
    """Of the trunk and every head that is trained: 3 x multiply-adds x labels x epochs."""
    _, result, _ = ran
    trunk, d = residual_backbone((1, 8, 8))
    products = {"plain": d * 10, "refiner": d * 32 + 2 * 32**2 + 32 * 10}
    for row in result.trained.networks.itertuples():
        if row.trunk == "small":
            continue
        heads = METHODS["OJKD" if row.method.startswith("g = ") else row.method][0]
        forward = multiply_adds(trunk, (1, 8, 8)) + sum(products[head] for head in heads)
        assert row.training_cost == 3 * forward * row.labels * 2


def test_panels_draw_the_numbers_of_the_result(ran):
    study, result, _ = ran
    _, axes = panels(study.n_panels)
    study.draw(result, axes)
    errors, differences, trunks, certificate, path, active = axes
    networks = result.trained.networks
    lines = {line.get_label(): line for line in errors.get_lines()}
    for method in METHODS:
        means = networks[networks["method"] == method].groupby("labels")["test_error"].mean()
        np.testing.assert_allclose(lines[method].get_ydata(), 100 * means, rtol=1e-12)
    ends = sorted(tuple(line.get_ydata()) for line in differences.get_lines() if len(line.get_ydata()) == 2)
    known = result.differences[result.differences["compared"]]
    expected = sorted((100 * row.low, 100 * row.high) for row in known.itertuples())
    np.testing.assert_allclose([pair for pair in ends if pair != (0.0, 0.0)], expected, rtol=1e-12)
    # The data's name stands below the middle of their budgets.
    budgets = differences.get_xticks()
    assert differences.get_xticks(minor=True).tolist() == [budgets.mean()]
    assert [text.get_text().strip() for text in differences.get_xticklabels(minor=True)] == ["digits"]
    first = result.certified["digits"].first
    drawn = sorted(line.get_ydata()[0] for line in certificate.get_lines() if len(line.get_ydata()) == 1)
    np.testing.assert_allclose(drawn[::2], np.sort(100 * first.estimates[:, 0]), rtol=1e-12)
    assert certificate.get_title(loc="left") + certificate.get_title() == "Certified front, 797 images"
    labels = [text.get_text() for text in certificate.get_legend().get_texts()]
    assert f"on the front: {first.status.count('sure')}" in labels
    np.testing.assert_array_equal(path.get_lines()[0].get_xdata(), result.path["loss_refiner"])
    np.testing.assert_array_equal(path.get_lines()[0].get_ydata(), result.path["loss_plain"])
    assert [label.get_text() for label in trunks.get_xticklabels()] == ["tiny\n20k", "small\n308k"]
    rows = result.trained.active.query("method == 'OJKD' and query == 'random' and labels == 30")
    lines = {line.get_label(): line for line in active.get_lines()}
    np.testing.assert_allclose(lines["OJKD"].get_ydata(), [100 * rows["test_error"].mean()], rtol=1e-12)


def test_tables_and_images(ran):
    study, result, _ = ran
    tables = study.tables(result)
    assert set(tables) >= {"networks", "differences", "trunks", "queries", "points", "certified", "duels", "further"}
    assert all(len(tables[name]) for name in tables if name != "further")
    figure, axes = panels(study.n_panels, narrow=True)
    assert len(study.draw(result, axes)) == study.n_panels == 6
    assert to_bytes(figure, "png").startswith(b"\x89PNG")


def test_same_bits_after_a_resume(ran, tmp_path):
    study, result, store = ran
    shutil.copytree(store, tmp_path / "copy")
    parts = sorted((tmp_path / "copy").rglob("part-*.npz"))
    assert len(parts) == 2 * 3 * 3 + 3 + 6 + 4
    for part in parts[::9]:
        part.unlink()
    again = study.compute(Settings(store=tmp_path / "copy"))
    assert_same(study.tables(result), study.tables(again))


@pytest.mark.slow
def test_two_processes_give_the_same_bits(ran):
    study, result, _ = ran
    assert_same(study.tables(result), study.tables(study.compute(Settings(n_jobs=2))))


@pytest.mark.parametrize("quick", [False, True])
def test_both_settings_compare_two_budgets_over_at_least_three_seeds(quick):
    study = get_study("fully-connected")
    plan = study.plan_of(Settings(quick=quick))
    assert plan.sources[-1] == "cluttered digits"
    assert len(plan.labels) >= 2
    assert plan.seeds >= 3
    assert study.n_panels == 6


_SMALL = {"active_start": 4, "active_step": 1, "active_seeds": 1, "gates": (), "trunks": (), "queries": ("random",)}


def test_the_study_trains_on_original_files_and_goes_on_from_checkpoints(tmp_path):
    write_mnist(tmp_path / "mnist", n_train=40, n_test=30)
    changes = {**_SMALL, "active_seeds": 2, "backbone": "tiny"}
    settings = Settings(store=tmp_path / "store")
    recipe = Recipe(epochs=1, batch=4)
    result = train_on_folder(tmp_path / "mnist", settings=settings, labels=(4, 6), recipe=recipe, **changes)
    assert result.data == ("MNIST",)
    assert result.plan.sweep_labels == 4
    assert len(result.trained.networks) == 4 * 2 * 3
    assert len(list((tmp_path / "store").rglob("*.pt"))) == 3 * 2 * 3
    for path in (tmp_path / "store").iterdir():
        if "checkpoints" not in path.name:
            shutil.rmtree(path)
    again = train_on_folder(tmp_path / "mnist", settings=settings, labels=(4, 6), recipe=recipe, **changes)
    pd.testing.assert_frame_equal(result.trained.networks, again.trained.networks, check_exact=True)


def test_a_folder_with_few_images_labels_fewer(tmp_path):
    write_mnist(tmp_path, n_train=60, n_test=10, side=8)
    plan = FullyConnected(tmp_path).plan_of(Settings())
    assert plan.labels == (15, 30)
    assert plan.sweep_labels == plan.active_start == plan.active_step == 15


def test_the_large_run_has_the_paper_s_recipe(tmp_path, refuses):
    refuses("data", FullyConnected, large=True)
    write_mnist(tmp_path, n_train=2000, n_test=10, side=4)
    plan = FullyConnected(tmp_path, large=True).plan_of(Settings())
    assert (plan.backbone, plan.width, plan.labels, plan.seeds) == ("resnet18", 64, (1000, 2000), 3)
    assert plan.recipe == Recipe(200, 100, 0.1, 0.9, 5e-4, 0.8, 0.1)
    assert plan.augment
    # What the docstring counts: steps of 100 images, multiply-adds of three passes, and hours on one core.
    runs = plan.recipe.epochs * plan.seeds * len(plan.methods)
    steps = sum(labels // 100 for labels in plan.labels) * runs
    assert (steps, plan.trunks, plan.labels[0] // 100 * runs) == (36_000, ("resnet20", "vgg11"), 12_000)
    assert round(300 * (36_000 * 0.5554e9 + 12_000 * (0.0406e9 + 0.1528e9)), -15) == 7e15
    assert round((36_000 * 4 + 12_000 * (0.3 + 0.9)) / 3600) == 44


@pytest.mark.slow
def test_the_command_of_the_large_run_makes_a_few_steps(tmp_path, capsys):
    write_cifar10_binary(tmp_path / "cifar", n_per_batch=10)
    options = ["--data", str(tmp_path / "cifar"), "--large", "--quick", "--n-jobs", "1", "--out", str(tmp_path / "out")]
    assert main(["study", "fully-connected", *options]) == 0
    told = capsys.readouterr().out
    assert "main trunk of 11.2M parameters" in told
    assert "Active learning was not run." in told
    assert (tmp_path / "out" / "fully-connected.png").exists()


@pytest.mark.slow
def test_the_command_trains_on_original_files(tmp_path, capsys):
    write_mnist(tmp_path / "mnist", n_train=160, n_test=30)
    options = ["--data", str(tmp_path / "mnist"), "--quick", "--n-jobs", "1", "--out", str(tmp_path / "out")]
    assert main(["study", "fully-connected", *options]) == 0
    told = capsys.readouterr().out
    assert "networks on MNIST" in told
    assert "MNIST, 30 test images" in told
    assert (tmp_path / "out" / "fully-connected.png").exists()


def test_wrong_requests_are_refused(tmp_path, refuses):
    refuses("data", FullyConnected, tmp_path / "missing")
    refuses("plan", FullyConnected, tmp_path, plan=TINY)
    refuses("data", train_on_folder, tmp_path)
    write_mnist(tmp_path, n_train=60, n_test=30, side=8)
    refuses("labels", train_on_folder, tmp_path, labels=(5, 80))
    refuses("changes", train_on_folder, tmp_path, labels=(5,), colour=1)


def test_paired_differences_against_scipy(rng, refuses):
    from scipy.stats import ttest_rel

    errors = rng.random((4, 3, 2))
    rows = [
        {
            "data": "d",
            "labels": 10 * (k + 1),
            "method": method,
            "seed": s,
            "test_error": errors[s, j, k],
            "train_accuracy": 1.0 if s else 0.96,
        }
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
        gains = (errors[:, 0, k] - errors[:, j, k]) / (1 - errors[:, 0, k])
        assert np.isclose(row.gain, gains.mean())
        assert row.compared
        assert row.apart == 0
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
    other = FullyConnected(plan=replace(TINY, width=8))
    refuses("store", other.compute, Settings(store=store))
