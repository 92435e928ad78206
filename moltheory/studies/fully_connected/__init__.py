"""Fully-connected layers with little data: a refiner that is trained along and dropped at test time."""

from moltheory.studies.fully_connected._torch import TorchMissingError
from moltheory.studies.fully_connected.active import QUERIES, active_learning, predictive_entropy, queried
from moltheory.studies.fully_connected.backbones import multiply_adds, n_parameters, residual_backbone
from moltheory.studies.fully_connected.cifar import load_cifar10
from moltheory.studies.fully_connected.comparison import (
    CertifiedNetworks,
    certified_networks,
    gate_path,
    network_objectives,
    paired_differences,
)
from moltheory.studies.fully_connected.experiment import Trained, train_all
from moltheory.studies.fully_connected.folders import load_folder
from moltheory.studies.fully_connected.heads import feature_refiner, gradient_gate, n_refiner_parameters
from moltheory.studies.fully_connected.idx import load_mnist, read_idx
from moltheory.studies.fully_connected.images import Clutter, ImageData, cluttered, digit_images
from moltheory.studies.fully_connected.networks import METHODS, HeadedNetwork, headed_network
from moltheory.studies.fully_connected.plans import Plan
from moltheory.studies.fully_connected.study import FullyConnected, FullyConnectedResult, train_on_folder
from moltheory.studies.fully_connected.training import Recipe, logits, pixel_statistics, train_network

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
