"""Configurations whose risks are known, and limits on them: the worlds in which tests of limits are judged.

Every world has M configurations with k limited risks and a known price, which is to be small. Examples are the same for
all configurations, and hard ones are hard for all (60 % of the variance of a latent normal variable is common to them; all
of it for thresholds on one score, whose losses are nested). A 0/1 loss is 1 where the latent uniform number u is below the
risk; a narrow one is r + 0.1 (u - 1/2), a wide one u^(1/r - 1), both of mean r.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count

__all__ = ["LIMIT_WORLDS", "LimitWorld", "limit_world"]

_COMMON = 0.6  # share of the latent variance that is common to the configurations
_HAIR = 1e-9  # by which configurations miss a limit where none meets it


@dataclass(frozen=True)
class LimitWorld:
    """Configurations in the order that was written down before the data.

    Attributes
    ----------
    risks : (M, k) ndarray
        True risks, in (0, 1).
    limits : (k,) ndarray
    prices : (M,) ndarray
        Known prices, smaller is better.
    loss : {"0/1", "narrow", "wide"}
    nested : bool
        Whether a configuration with a larger risk loses wherever one with a smaller risk does.
    """

    risks: FloatArray
    limits: FloatArray
    prices: FloatArray
    loss: str = "0/1"
    nested: bool = False

    @property
    def meets(self) -> npt.NDArray[np.bool_]:
        """Configurations that meet all limits, (M,)."""
        return np.asarray((self.risks <= self.limits).all(axis=1))

    @property
    def named_limits(self) -> dict[str, float]:
        """Limits by objective."""
        return {f"risk {i + 1}": float(limit) for i, limit in enumerate(self.limits)}

    def draw(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.bool_] | FloatArray:
        """Return losses of n examples, (n, M, k); of type bool where they are 0 or 1."""
        from scipy.special import ndtr

        check_count("n", n)
        models, k = self.risks.shape
        common = rng.standard_normal((n, 1, k))
        if not self.nested:
            common = np.sqrt(_COMMON) * common + np.sqrt(1.0 - _COMMON) * rng.standard_normal((n, models, k))
        u: FloatArray = ndtr(common)
        if self.loss == "0/1":
            return np.asarray(u < self.risks)
        return self.risks + 0.1 * (u - 0.5) if self.loss == "narrow" else u ** (1.0 / self.risks - 1.0)


def limit_world(name: str) -> LimitWorld:
    """Return a world by its name.

    Examples
    --------
    >>> for name in LIMIT_WORLDS:
    ...     world = limit_world(name)
    ...     print(f"{name}: {len(world.prices)} configurations, {world.meets.sum()} meet the limits")
    four in two limits: 4 configurations, 4 meet the limits
    thresholds: 100 configurations, 29 meet the limits
    no order: 100 configurations, 29 meet the limits
    rare errors: 50 configurations, 24 meet the limits
    near a half: 50 configurations, 33 meet the limits
    two limits: 100 configurations, 30 meet the limits
    three limits: 60 configurations, 20 meet the limits
    small variance: 50 configurations, 25 meet the limits
    large variance: 50 configurations, 25 meet the limits
    at the limit: 30 configurations, 0 meet the limits
    """
    check_choice("name", name, tuple(LIMIT_WORLDS))
    return LIMIT_WORLDS[name]()


def _line(low: float, high: float, models: int, limit: float, loss: str = "0/1", *, nested: bool = True) -> LimitWorld:
    """Return thresholds: the risk rises along the line, and the price falls."""
    risks = np.linspace(low, high, models)[:, None]
    return LimitWorld(risks, np.array([limit]), np.linspace(1.0, 0.0, models), loss, nested)


def _four() -> LimitWorld:
    counts = np.array([[12, 6], [16, 8], [20, 9], [24, 11]])
    return LimitWorld(counts / 200.0, np.array([0.15, 0.10]), np.arange(4.0)[::-1] / 3.0)


def _without_order() -> LimitWorld:
    line, order = _line(0.02, 0.3, 100, 0.1), np.random.default_rng(0).permutation(100)
    return LimitWorld(line.risks[order], line.limits, line.prices[order])


def _two_limits() -> LimitWorld:
    rising = np.linspace(0.01, 0.3, 100)
    return LimitWorld(
        np.column_stack([rising, rising[::-1]]), np.array([0.2, 0.2]), np.linspace(1.0, 0.0, 100), nested=True
    )


def _three_limits() -> LimitWorld:
    rng = np.random.default_rng(1)
    risks, limits = rng.uniform(0.01, 0.15, (60, 3)), np.array([0.11, 0.11, 0.11])
    return LimitWorld(risks, limits, 1.0 - np.argsort(np.argsort(risks.mean(axis=1))) / 59.0)


def _at_the_limit() -> LimitWorld:
    return LimitWorld(np.full((30, 1), 0.1 + _HAIR), np.array([0.1]), np.linspace(1.0, 0.0, 30))


LIMIT_WORLDS: Mapping[str, Callable[[], LimitWorld]] = {
    "four in two limits": _four,
    "thresholds": lambda: _line(0.02, 0.3, 100, 0.1),
    "no order": _without_order,
    "rare errors": lambda: _line(0.0005, 0.02, 50, 0.01),
    "near a half": lambda: _line(0.3, 0.6, 50, 0.5),
    "two limits": _two_limits,
    "three limits": _three_limits,
    "small variance": lambda: _line(0.1, 0.3, 50, 0.2, "narrow"),
    "large variance": lambda: _line(0.1, 0.3, 50, 0.2, "wide"),
    "at the limit": _at_the_limit,
}
