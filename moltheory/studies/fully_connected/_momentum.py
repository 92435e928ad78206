"""Stochastic gradient descent with momentum and weight decay, bit for bit that of ``torch.optim.SGD``.

That one loads torch's compiler at its first step, which takes longer than a small training.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moltheory.studies.fully_connected._torch import require_torch

__all__ = ["MomentumDescent"]


class MomentumDescent:
    """Steps v <- momentum v + (gradient + weight_decay w), w <- w - rate v.

    Parameters
    ----------
    parameters : iterable of torch.Tensor
    momentum, weight_decay : float

    Attributes
    ----------
    velocities : list of torch.Tensor or None
        One per parameter, None before its first step.
    """

    def __init__(self, parameters: Iterable[Any], *, momentum: float, weight_decay: float) -> None:
        self._parameters = list(parameters)
        self._momentum, self._weight_decay = momentum, weight_decay
        self.velocities: list[Any] = [None] * len(self._parameters)

    def clear(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient, in place."""
        with require_torch().no_grad():
            for i, parameter in enumerate(self._parameters):
                if parameter.grad is None:
                    continue
                slope = parameter.grad
                if self._weight_decay:
                    slope = slope.add(parameter, alpha=self._weight_decay)
                if self._momentum:
                    before = self.velocities[i]
                    slope = slope.clone() if before is None else before.mul_(self._momentum).add_(slope)
                    self.velocities[i] = slope
                parameter.add_(slope, alpha=-rate)
