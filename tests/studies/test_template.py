"""What all studies share: the runner, names that are loaded when asked for, and life without torch."""

import importlib.util
import json
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from moltheory.cli import main
from moltheory.reports import Settings
from moltheory.studies import TorchMissingError, get_study, study_names
from moltheory.studies._runner import run_study_blocks

# Names that the faces of studies had before 0.2: all are still attributes of their packages.
_BEFORE = {
    "unconstrained_features": (
        "MissedPart ReducedLoss UnconstrainedFeatures UnconstrainedResult budget_sweep collapsed_fit fit_within "
        "front_norms front_objectives least_norm_product missed_part model_at network_objectives norm_spread "
        "reach_of_front returned_points scale_grid separated_front separated_layers training_sweep unit_loss"
    ),
    "low_rank_bias": (
        "Cell Construction LowRankBias LowRankResult collapsed_network cost_table dominates domination_table "
        "edge_incidence end_shares graph_network graph_shrinks hypervolume_table incidence_nuclear_norm "
        "incidence_singular_values layer_names layer_objectives layer_points model_with optimum_table rho_graph "
        "rho_triangles signed_triangle_network train_cell trained_networks triangle_gram_eigenvalues "
        "triangle_incidence triangle_network vertices_for volume_below written_networks"
    ),
    "weight_decay": (
        "DecaySweep DigitsSplit LinearEndNetwork WeightDecay WeightDecayResult balance_gap balance_rates "
        "balanced_chain certified_front cosine_floor decay_sweep decayed_gap digits_split five_objectives "
        "gap_after_step interpolating_features measured momentum_rate network_at networks_by_setting one_hot_targets "
        "operator_norm_variant own_weights rank_correlation rank_correlations row_condition_number variability_bound"
    ),
}
# Those of modules that all studies share.
_SHARED = (
    "alignment class_means etf_deviation imbalance mean_condition_number numerical_rank variability DeepFeatures Layers "
    "descend polish"
)


def _square(value: int) -> dict[str, np.ndarray]:
    return {"square": np.array([value**2])}


def _packages() -> list[str]:
    return sorted({type(get_study(name)).__module__.rsplit(".", 1)[0] for name in study_names()})


@pytest.mark.parametrize("package", _packages())
def test_a_study_has_at_most_four_public_names(package):
    module = import_module(package)
    assert 1 <= len(module.__all__) <= 4
    assert dir(module) == sorted(module.__all__)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nonsense'"):
        module.nonsense  # noqa: B018


@pytest.mark.parametrize("name", _BEFORE)
def test_no_name_is_lost(name):
    module = import_module(f"moltheory.studies.{name}")
    for one in _BEFORE[name].split():
        assert getattr(module, one).__module__.startswith("moltheory.studies.")


def test_what_the_studies_share_is_public():
    module = import_module("moltheory.studies")
    assert module.__all__ == ["Claim", "Study", "get_study", "run_study", "study_names"]
    for one in _SHARED.split():
        assert getattr(module, one) is getattr(module, one)


def test_blocks_come_back_by_key_stored_or_not(tmp_path):
    blocks = {f"value-{value}": (value,) for value in (3, 1, 2)}
    for settings in (Settings(), Settings(store=tmp_path), Settings(store=tmp_path, n_jobs=2)):
        found = run_study_blocks(
            _square, blocks, store=("some_study", "part"), parameters={"width": 4}, settings=settings
        )
        assert list(found) == list(blocks)
        assert [int(part["square"][0]) for part in found.values()] == [9, 1, 4]
    (folder,) = tmp_path.iterdir()
    assert folder.name == "some_study-part-full-seed0"
    record = json.dumps([json.loads(path.read_text()) for path in folder.glob("*.json")])
    assert "some study part" in record
    assert '"width": 4' in record


def test_another_version_of_torch_is_another_run(tmp_path):
    torch = pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")
    run_study_blocks(
        _square,
        {"one": (1,)},
        store=("some_study",),
        parameters={},
        settings=Settings(store=tmp_path),
        needs_torch=True,
    )
    assert f'"{torch.__version__}"' in "".join(path.read_text() for path in tmp_path.glob("*/*.json"))


@pytest.mark.parametrize("name", [name for name in study_names() if get_study(name).needs_torch])
def test_without_torch_one_sentence_says_how_to_install_it(name, monkeypatch, tmp_path, capsys):
    # Imported before: scipy looks for torch among the modules, and takes None for it.
    importlib.import_module("sklearn.datasets")
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TorchMissingError, match="python -m pip install torch --index-url") as caught:
        get_study(name).compute(Settings(quick=True))
    assert main(["study", name, "--quick", "--n-jobs", "1"]) == 2
    assert capsys.readouterr().err == f"moltheory: {caught.value}\n"
    assert not list(tmp_path.iterdir())


def test_the_report_leaves_out_what_needs_torch(monkeypatch, tmp_path, capsys):
    left = [name for name in study_names() if get_study(name).needs_torch]
    assert "weight-decay" in left
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    monkeypatch.setattr("moltheory.studies.study_names", lambda: tuple(left))
    options = ["--quick", "--only", "weight_cells", "--n-jobs", "1", "--studies", "--out", str(tmp_path)]
    assert main(["reproduce", *options]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"left out because torch is not installed: {', '.join(left)} (")
    assert not (tmp_path / "weight-decay.png").exists()


def test_everything_imports_without_torch_and_loads_nothing_heavy():
    code = (
        "import sys, pkgutil, importlib\n"
        "sys.modules['torch'] = None\n"
        "import moltheory.studies as room\n"
        "for info in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "    importlib.import_module(info.name)\n"
        "print(room.get_study('weight-decay').n_panels, 'sklearn' in sys.modules, 'scipy' in sys.modules)\n"
        "loss = room.unconstrained_features.ReducedLoss(2, 3, 5 * 0.02**4)\n"
        "print(round(loss.minimum, 8), round(room.low_rank_bias.rho_graph(5, 4), 4))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["4", "False", "False", "0.11778207", "0.9014"]
