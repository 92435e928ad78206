"""The feature refiner, and the gate that lets a share of a gradient through."""

from __future__ import annotations

import functools
from typing import Any

from moltheory._core._validation import check_count, check_real
from moltheory.studies.fully_connected._torch import require_torch

__all__ = ["feature_refiner", "gradient_gate", "n_refiner_parameters"]


def feature_refiner(n_features: int, /, *, width: int, n_classes: int) -> Any:
    """Make the fully-connected layers that refine the features of a backbone.

    Linear(D, f), LayerNorm, Linear(f, f), ReLU, Linear(f, f), LayerNorm, Linear(f, K), after J. Kocsis et al. (2022),
    arXiv 2210.05657.

    Parameters
    ----------
    n_features : int
        D >= 1.
    width : int
        f >= 1.
    n_classes : int
        K >= 2.

    Returns
    -------
    torch.nn.Sequential
        From (n, D) to logits (n, K); initialised by torch's generator.

    Raises
    ------
    InvalidInputError
        If a size is out of its range.
    TorchMissingError
        If torch is not installed.

    Examples
    --------
    >>> refiner = feature_refiner(512, width=64, n_classes=10)
    >>> sum(parameter.numel() for parameter in refiner.parameters())
    42058
    """
    sizes = _check_sizes(n_features, width, n_classes)
    nn = require_torch().nn
    d, f, k = sizes
    return nn.Sequential(
        nn.Linear(d, f), nn.LayerNorm(f), nn.Linear(f, f), nn.ReLU(), nn.Linear(f, f), nn.LayerNorm(f), nn.Linear(f, k)
    )


def n_refiner_parameters(n_features: int, /, *, width: int, n_classes: int) -> int:
    """Return the number of parameters of `feature_refiner`: D f + 2 f^2 + 7 f + (f + 1) K.

    Examples
    --------
    >>> n_refiner_parameters(512, width=64, n_classes=10)
    42058
    """
    d, f, k = _check_sizes(n_features, width, n_classes)
    return d * f + 2 * f * f + 7 * f + (f + 1) * k


def gradient_gate(features: Any, gate: float, /) -> Any:
    """Return `features` unchanged, while gradients that come back are multiplied by `gate`.

    Parameters
    ----------
    features : torch.Tensor
    gate : float
        g >= 0; at 0 nothing comes back at all, not even an infinity times zero.

    Returns
    -------
    torch.Tensor

    Raises
    ------
    InvalidInputError
        If `gate` is negative or not finite.

    Examples
    --------
    >>> import torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> (3 * gradient_gate(x, 0.25)).sum().backward()
    >>> x.grad
    tensor([0.7500, 0.7500])
    """
    return _gate_function().apply(features, check_real("gate", gate, low=0.0))


@functools.cache
def _gate_function() -> Any:
    # Made when first used: the class needs torch, the module must not.
    torch = require_torch()

    class GradientGate(torch.autograd.Function):  # type: ignore[misc,name-defined,unused-ignore]
        @staticmethod
        def forward(ctx: Any, features: Any, gate: float) -> Any:
            ctx.gate = gate
            return features.view_as(features)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> tuple[Any, None]:
            if ctx.gate == 0.0:
                return None, None
            return gradient if ctx.gate == 1.0 else gradient * ctx.gate, None

    return GradientGate


def _check_sizes(n_features: int, width: int, n_classes: int) -> tuple[int, int, int]:
    return (
        check_count("n_features", n_features),
        check_count("width", width),
        check_count("n_classes", n_classes, low=2),
    )
