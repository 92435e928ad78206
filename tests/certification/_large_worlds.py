"""Worlds of twenty models with known truth, where false verdicts are likely: ties, near-ties, flat fronts, all equal."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ._truth import Array, beats

KINDS = ("trade-off", "ties", "near", "flat", "equal")
# Share of the latent variance that all models have in common: the difficulty of the example.
_COMMON = 0.6


@dataclass(frozen=True)
class LargeWorld:
    """True error rates (M, N) and known costs (M,) or None."""

    risk: Array
    cost: Array | None

    @property
    def true(self) -> Array:
        """All objectives, (M, m)."""
        return self.risk if self.cost is None else np.column_stack([self.risk, self.cost])

    @property
    def front(self) -> Array:
        """Models of the true front, (M,)."""
        return np.asarray(~beats(self.true).any(axis=0))

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """0/1 losses (n, M, N): a model errs where a normal variable, partly the example's, is low."""
        models, m = self.risk.shape
        example = rng.standard_normal((n, 1, 1))
        losses = np.empty((n, models, m), dtype=bool)
        for i in range(m):
            hard = np.sqrt(0.5) * (example[:, :, 0] + rng.standard_normal((n, 1)))
            latent = np.sqrt(_COMMON) * hard + np.sqrt(1.0 - _COMMON) * rng.standard_normal((n, models))
            losses[:, :, i] = latent < ndtri(self.risk[:, i])
        return losses


def large_world(kind: str, models: int, *, price: bool, rng: np.random.Generator) -> LargeWorld:
    """Make a world with one objective and distinct prices, or with two objectives.

    "flat": all on the front, by less than any data can show; "equal": the same risks, so that with prices all but one are
    dominated by nothing but the price.
    """
    cost = np.arange(1.0, models + 1.0) if price else None
    behind = np.where(rng.random(models) < 0.4, 0.0, rng.exponential(0.06, models))
    if price:
        x = np.sort(rng.random(models))
        risk = (0.15 + 0.35 * np.exp(-3.0 * x) + behind)[:, None]
        flat = 0.3 - 1e-7 * np.arange(models)[:, None]
    else:
        x = rng.random(models)
        risk = 0.10 + 0.35 * np.stack([x, 1.0 - x], axis=1) ** 2 + behind[:, None]
        flat = np.stack([np.linspace(0.05, 0.95, models), 0.3 - 1e-7 * np.arange(models)], axis=1)
    risk = {
        "trade-off": risk,
        "ties": np.round(risk / 0.05) * 0.05,
        "near": 0.30 + 0.01 * rng.random(risk.shape),
        "flat": flat,
        "equal": np.full(risk.shape, 0.3),
    }[kind]
    return LargeWorld(np.clip(risk, 0.02, 0.95), cost)
