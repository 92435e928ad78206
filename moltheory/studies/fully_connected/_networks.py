"""A trunk with its heads: plain, with the refiner, or with both, one of them behind a gradient gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moltheory._core._validation import check_choice, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence
from moltheory.studies.fully_connected._heads import feature_refiner, gradient_gate
from moltheory.studies.fully_connected._torch import require_torch, seeded

__all__ = ["HEADS", "METHODS", "HeadedNetwork", "headed_network"]

METHODS: Mapping[str, tuple[tuple[str, ...], str, float]] = {
    "plain": (("plain",), "plain", 1.0),
    "refiner": (("refiner",), "refiner", 0.0),
    "OJKD": (("refiner", "plain"), "plain", 0.0),
    "no gate": (("refiner", "plain"), "plain", 1.0),
}
"""Name -> heads that are trained, the head that is used at test time, gate."""

HEADS = ("refiner", "plain")


@dataclass(frozen=True)
class HeadedNetwork:
    """A backbone and one or two heads on its features.

    The plain head sees the features through `gradient_gate` where there is a refiner too, so that the gradient of the
    trunk is that of the refiner's loss plus g times that of the plain head's.

    Attributes
    ----------
    backbone : torch.nn.Module
        From images (n, ...) to features (n, D).
    heads : dict of str to torch.nn.Module
        ``"refiner"``, ``"plain"`` or both, from features to logits (n, K).
    gate : float
        g >= 0.
    n_features : int
    """

    backbone: Any
    heads: Mapping[str, Any]
    gate: float
    n_features: int

    @property
    def n_classes(self) -> int:
        """K, the outputs of each head."""
        head = next(iter(self.heads.values()))
        # The refiner ends in the same kind of layer as the plain head is.
        return int((head if hasattr(head, "out_features") else head[-1]).out_features)

    def parameters(self) -> list[Any]:
        """Return the trainable tensors of the backbone and of all heads."""
        modules = (self.backbone, *self.heads.values())
        return [parameter for module in modules for parameter in module.parameters()]

    def features(self, images: Any) -> Any:
        """Return the features (n, D) of images.

        Raises
        ------
        InvalidInputError
            If the backbone returns another shape than `n_features` says.
        """
        features = self.backbone(images)
        if features.ndim != 2 or features.shape[1] != self.n_features:
            raise InvalidInputError(
                f"`backbone` must return features of shape (n, {self.n_features}), got {tuple(features.shape)}."
            )
        return features

    def losses(self, images: Any, labels: Any) -> dict[str, Any]:
        """Return the mean cross-entropy of each head; their sum is what is minimised."""
        cross_entropy = require_torch().nn.functional.cross_entropy
        features = self.features(images)
        found = {}
        for name, head in self.heads.items():
            seen = gradient_gate(features, self.gate) if name == "plain" and "refiner" in self.heads else features
            found[name] = cross_entropy(head(seen), labels)
        return found

    def inference(self, head: str) -> Any:
        """Return what is used at test time, the backbone and one head; the other one is dropped.

        Raises
        ------
        InvalidInputError
            If there is no such head.
        """
        return require_torch().nn.Sequential(self.backbone, self.heads[check_choice("head", head, tuple(self.heads))])

    def set_training(self, training: bool) -> None:
        """Switch between training and evaluation."""
        for module in (self.backbone, *self.heads.values()):
            module.train(training)


def headed_network(
    backbone: Any,
    n_features: int,
    /,
    *,
    n_classes: int,
    heads: tuple[str, ...] = HEADS,
    gate: float = 0.0,
    width: int = 64,
    rng: RandomSource,
) -> HeadedNetwork:
    """Put heads on any backbone.

    Parameters
    ----------
    backbone : torch.nn.Module
        From images to features (n, D).
    n_features : int
        D >= 1.
    n_classes : int
        K >= 2.
    heads : tuple of str
        Of ``"refiner"`` and ``"plain"``; see `METHODS` for the heads of each method.
    gate : float, default 0
        g >= 0: 0 is online joint distillation, 1 trains the trunk on both losses.
    width : int, default 64
        Of the refiner.
    rng : int, SeedSequence, Generator or None
        Each head is initialised by its own stream, so that it does not depend on the other one.

    Returns
    -------
    HeadedNetwork

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.
    TorchMissingError
        If torch is not installed.
    """
    torch = require_torch()
    if not isinstance(backbone, torch.nn.Module):
        raise InvalidInputError(f"`backbone` must be a torch.nn.Module, got {type(backbone).__name__}.")
    d, k = check_count("n_features", n_features), check_count("n_classes", n_classes, low=2)
    names = tuple(heads)
    if not names or len(set(names)) != len(names) or not set(names) <= set(HEADS):
        raise InvalidInputError(f"`heads` must be one or both of {HEADS}, got {names!r}.")
    check_real("gate", gate, low=0.0)
    made, root = {}, as_seed_sequence(rng)
    for name in (head for head in HEADS if head in names):
        with seeded(root, name):
            made[name] = feature_refiner(d, width=width, n_classes=k) if name == "refiner" else torch.nn.Linear(d, k)
    return HeadedNetwork(backbone, made, float(gate), d)
