"""Fully-connected layers with little data: a refiner that is trained with the network and dropped at test time.

Further names are the workings of the study, loaded when asked for; they may change.
"""

from moltheory.studies._torch import TorchMissingError as TorchMissingError
from moltheory.studies._workings import lazy_names
from moltheory.studies.fully_connected._result import FullyConnectedResult
from moltheory.studies.fully_connected._study import FullyConnected, train_on_folder

__all__ = ["FullyConnected", "FullyConnectedResult", "train_on_folder"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_active": "active_learning",
        "_comparison": "MOST_APART certified_networks gate_path network_objectives paired_differences "
        "trunk_differences",
        "_experiment": "train_all",
        "_loss_prediction": "LossPredictor",
        "_model": "METHODS HeadedNetwork feature_refiner gradient_gate headed_network multiply_adds n_parameters "
        "n_refiner_parameters residual_backbone",
        "_plan": "QUERIES Plan",
        "_queries": "core_set predictive_entropy queried",
        "_result": "CertifiedNetworks Trained",
        "_training": "Recipe logits pixel_statistics train_network",
        "moltheory.images": "Clutter ImageData cluttered digit_images load_cifar10 load_mnist read_idx",
        "moltheory.images._find": "load_folder",
    },
)
