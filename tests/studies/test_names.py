"""Names of three studies: at most four are public, and every name that was exported before 0.2 is still there."""

import importlib
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import moltheory

_BEFORE = {
    "smoothing": (
        "Budget ConstantSigma Design NeighborSigma Network Sigma SmoothedClassifier "
        "SmoothedPredictions SmoothedSweep Smoothing SmoothingResult approximate_radius approximation_table "
        "certifiable_probability certified_accuracy certified_radius certified_votes check_design "
        "class_accuracies class_deviation curse_table design_certificate design_losses design_objectives "
        "design_points fair_certificate half_spaces largest_radius neighbor_distances "
        "noncentral_quantile noncentral_tails open_designs simulated_certificates smallest_ratio "
        "smoothed_sweep train_network upper_other worst_probability "
    ),
    "gradient_outer_product": (
        "Budget GradientOuterProduct GradientOuterProductResult LaplaceRegression RecursiveFeatures "
        "ReluNetwork Variant collapsed_kernel_value digit_split geometric_mean linear_outer_product "
        "matrix_correlation matrix_root model_objectives network_shares network_sweep optimal_kernel "
        "pair_distances real_fronts recursion_sweep recursive_features right_half sign_targets stage_ratios "
        "train_network variants "
    ),
    "fully_connected": (
        "METHODS QUERIES CertifiedNetworks Clutter FullyConnected FullyConnectedResult HeadedNetwork "
        "ImageData Plan Recipe TorchMissingError Trained active_learning certified_networks cluttered "
        "digit_images feature_refiner gate_path gradient_gate headed_network load_cifar10 load_folder "
        "load_mnist logits multiply_adds n_parameters n_refiner_parameters network_objectives "
        "paired_differences pixel_statistics predictive_entropy queried read_idx residual_backbone train_all "
        "train_network train_on_folder "
    ),
}


@pytest.mark.parametrize("study", _BEFORE)
def test_every_name_of_before_is_reachable_without_a_warning(study):
    room = importlib.import_module(f"moltheory.studies.{study}")
    assert 1 <= len(room.__all__) <= 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in _BEFORE[study].split():
            value = getattr(room, name)
            # Loaded from its home once, and the same object there.
            assert getattr(value, "__module__", room.__name__).startswith(
                ("moltheory.studies.", "moltheory.images.", "builtins")
            )
            assert getattr(room, name) is value
    assert dir(room) == sorted(room.__all__)
    assert set(room.__all__) <= set(_BEFORE[study].split())
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = room.nonsense


@pytest.mark.parametrize("study", _BEFORE)
def test_the_face_is_light_and_needs_no_torch(study):
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        f"import moltheory.studies.{study} as room\n"
        "print(*(name for name in ('sklearn', 'pandas', 'matplotlib', 'cvxpy', 'scipy') if name in sys.modules))\n"
        "import importlib, pkgutil\n"
        "for info in pkgutil.iter_modules(room.__path__, room.__name__ + '.'):\n"
        "    importlib.import_module(info.name)\n"
        f"for name in {_BEFORE[study].split()!r}:\n"
        "    getattr(room, name)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("study", _BEFORE)
def test_a_study_is_made_of_its_template(study):
    folder = Path(moltheory.__file__).parent / "studies" / study
    names = {info.name for info in pkgutil.iter_modules([str(folder)])}
    assert {"_experiment", "_findings", "_panels", "_result", "_study"} <= names
    for path in folder.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    # The record knows neither the study nor what draws and describes it.
    record = (folder / "_result.py").read_text(encoding="utf-8")
    assert not any(f"{study}.{part} " in record for part in ("_study", "_panels", "_findings"))


def test_the_wheel_holds_no_conftest():
    assert not list(Path(moltheory.__file__).parent.rglob("conftest.py"))
