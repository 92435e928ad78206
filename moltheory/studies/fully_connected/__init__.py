"""Fully-connected layers with little data: a refiner that is trained along and dropped at test time."""

from moltheory.studies.fully_connected._active import QUERIES, active_learning, predictive_entropy, queried
from moltheory.studies.fully_connected._backbones import multiply_adds, n_parameters, residual_backbone
from moltheory.studies.fully_connected._cifar import load_cifar10
from moltheory.studies.fully_connected._comparison import (
    CertifiedNetworks,
    certified_networks,
    gate_path,
    network_objectives,
    paired_differences,
)
from moltheory.studies.fully_connected._experiment import Trained, train_all
from moltheory.studies.fully_connected._folders import load_folder
from moltheory.studies.fully_connected._heads import feature_refiner, gradient_gate, n_refiner_parameters
from moltheory.studies.fully_connected._idx import load_mnist, read_idx
from moltheory.studies.fully_connected._images import Clutter, ImageData, cluttered, digit_images
from moltheory.studies.fully_connected._networks import METHODS, HeadedNetwork, headed_network
from moltheory.studies.fully_connected._plans import Plan
from moltheory.studies.fully_connected._study import FullyConnected, FullyConnectedResult, train_on_folder
from moltheory.studies.fully_connected._torch import TorchMissingError
from moltheory.studies.fully_connected._training import Recipe, logits, pixel_statistics, train_network

__all__ = [
    "METHODS",
    "QUERIES",
    "CertifiedNetworks",
    "Clutter",
    "FullyConnected",
    "FullyConnectedResult",
    "HeadedNetwork",
    "ImageData",
    "Plan",
    "Recipe",
    "TorchMissingError",
    "Trained",
    "active_learning",
    "certified_networks",
    "cluttered",
    "digit_images",
    "feature_refiner",
    "gate_path",
    "gradient_gate",
    "headed_network",
    "load_cifar10",
    "load_folder",
    "load_mnist",
    "logits",
    "multiply_adds",
    "n_parameters",
    "n_refiner_parameters",
    "network_objectives",
    "paired_differences",
    "pixel_statistics",
    "predictive_entropy",
    "queried",
    "read_idx",
    "residual_backbone",
    "train_all",
    "train_network",
    "train_on_folder",
]
