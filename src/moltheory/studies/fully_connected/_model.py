"""Backbone, feature refiner and gradient gate of the paper, with exact counts of parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moltheory._core._validation import check_choice, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence
from moltheory.studies._backbones import residual_backbone as residual_backbone
from moltheory.studies._torch import require_torch, seeded

__all__ = [
    "HEADS",
    "METHODS",
    "HeadedNetwork",
    "feature_refiner",
    "gradient_gate",
    "headed_network",
    "multiply_adds",
    "n_parameters",
    "n_refiner_parameters",
]

METHODS: Mapping[str, tuple[tuple[str, ...], str, float]] = {
    "plain": (("plain",), "plain", 1.0),
    "refiner": (("refiner",), "refiner", 0.0),
    "OJKD": (("refiner", "plain"), "plain", 0.0),
    "no gate": (("refiner", "plain"), "plain", 1.0),
}
"""Name -> heads that are trained, the head that is used at test time, gate."""

HEADS = ("refiner", "plain")


def feature_refiner(n_features: int, /, *, width: int, n_classes: int) -> Any:
    """Return the fully-connected layers that refine features (n, D) into logits (n, K), a ``torch.nn.Sequential``.

    Linear(D, f), LayerNorm, Linear(f, f), ReLU, Linear(f, f), LayerNorm, Linear(f, K), after P. Kocsis et al. (2022),
    arXiv 2210.05657; initialised by torch's generator.
    """
    d, f, k = _check_sizes(n_features, width, n_classes)
    nn = require_torch().nn
    return nn.Sequential(
        nn.Linear(d, f), nn.LayerNorm(f), nn.Linear(f, f), nn.ReLU(), nn.Linear(f, f), nn.LayerNorm(f), nn.Linear(f, k)
    )


def n_refiner_parameters(n_features: int, /, *, width: int, n_classes: int) -> int:
    """Return the number of parameters of `feature_refiner`: D f + 2 f^2 + 7 f + (f + 1) K."""
    d, f, k = _check_sizes(n_features, width, n_classes)
    return d * f + 2 * f * f + 7 * f + (f + 1) * k


def gradient_gate(features: Any, gate: float, /) -> Any:
    """Return a tensor equal to `features` whose gradient comes back multiplied by `gate` >= 0.

    At 0 the features are detached: nothing comes back at all, not even an infinity times zero.
    """
    g = check_real("gate", gate, low=0.0)
    if g == 0.0:
        return features.detach()
    seen = features.view_as(features)
    if g != 1.0 and seen.requires_grad:
        seen.register_hook(lambda gradient: gradient * g)
    return seen


@dataclass(frozen=True)
class HeadedNetwork:
    """A backbone from images (n, ...) to features (n, D), and heads ``"refiner"``, ``"plain"`` or both to logits (n, K).

    The plain head sees the features through `gradient_gate` where there is a refiner too, so that the gradient of the
    trunk is that of the refiner's loss plus g times that of the plain head's.
    """

    backbone: Any
    heads: Mapping[str, Any]
    gate: float
    n_features: int

    @property
    def n_classes(self) -> int:
        """K, the outputs of each head."""
        # Every head is, or ends in, a linear layer.
        return int([*next(iter(self.heads.values())).modules()][-1].out_features)

    @property
    def module(self) -> Any:
        """The backbone and all heads as one ``torch.nn.ModuleDict``, which shares their tensors."""
        return require_torch().nn.ModuleDict({"backbone": self.backbone, **self.heads})

    def parameters(self) -> list[Any]:
        """Return the trainable tensors of the backbone and of all heads."""
        return list(self.module.parameters())

    def set_training(self, training: bool) -> None:
        """Switch backbone and heads between training and evaluation."""
        self.module.train(training)

    def features(self, images: Any) -> Any:
        """Return the features (n, D) of images, refused if the backbone returns another shape."""
        features = self.backbone(images)
        if features.ndim != 2 or features.shape[1] != self.n_features:
            raise InvalidInputError(
                f"`backbone` must return features of shape (n, {self.n_features}), got {tuple(features.shape)}."
            )
        return features

    def outputs(self, images: Any) -> dict[str, Any]:
        """Return the logits (n, K) of each head, that of the plain one behind the gate if there is a refiner."""
        features = self.features(images)
        gated = "refiner" in self.heads
        return {
            name: head(gradient_gate(features, self.gate) if name == "plain" and gated else features)
            for name, head in self.heads.items()
        }

    def losses(self, images: Any, labels: Any) -> dict[str, Any]:
        """Return the mean cross-entropy of each head; their sum is the training objective."""
        cross_entropy = require_torch().nn.functional.cross_entropy
        return {name: cross_entropy(found, labels) for name, found in self.outputs(images).items()}

    def inference(self, head: str) -> Any:
        """Return the network used at test time, the backbone and one head; the other head is dropped."""
        return require_torch().nn.Sequential(self.backbone, self.heads[check_choice("head", head, tuple(self.heads))])


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
    """Return any backbone, a torch module from images to features (n, D), with the heads of a method on its features.

    `METHODS` lists the heads of each method. A gate of 0 is online joint distillation, 1 trains the trunk on both
    losses; `width` is that of the refiner. Each head is initialised by its own stream, so that it does not depend on
    the other one.
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


def n_parameters(module: Any, /) -> int:
    """Return the number of trainable numbers in a torch module."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def multiply_adds(module: Any, shape: Sequence[int], /) -> int:
    """Return the multiply-adds of linear layers and convolutions in one forward pass of one example of this shape.

    Half of the operations that ``torch.utils.flop_counter`` counts, which takes a product and a sum as two. The module
    is left in its mode, and running averages do not change.
    """
    torch = require_torch()
    from torch.utils.flop_counter import FlopCounterMode

    training = {layer: layer.training for layer in module.modules()}
    first = next(iter(module.parameters()), torch.zeros(()))
    try:
        module.eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(torch.zeros((1, *shape), dtype=first.dtype))
    finally:
        for layer, mode in training.items():
            layer.training = mode
    return int(counter.get_total_flops()) // 2


def _check_sizes(n_features: int, width: int, n_classes: int) -> tuple[int, int, int]:
    return (
        check_count("n_features", n_features),
        check_count("width", width),
        check_count("n_classes", n_classes, low=2),
    )
