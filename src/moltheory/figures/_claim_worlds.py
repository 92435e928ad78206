"""Comparisons of models whose true front is known: the worlds in which procedures that name the front are judged.

Each world has M models with losses in N objectives, as they are met in practice: all models are compared on the same
examples, and hard examples are hard for all of them (60 % of the variance of a latent normal variable is common to the
models). With one objective, a known price per model is the second. Risks are drawn anew for each run where the kind
leaves them open:

trade-off
    A front, and models behind it by an exponential distance of mean .06; four in ten are not moved.
ties
    The same with risks rounded to multiples of .05: exact ties, weak dominance.
near-ties
    All risks within .01 of .3.
equal
    All risks .3. With a price, only the cheapest model is on the front: the hardest case for claims that a model is on
    it, as no rival that dominates is better by anything. With two objectives all models are on the front.
flat
    All models are on the front, by 1e-7 per model: the hardest case for claims that a model is not on it.

A 0/1 loss is ``latent < quantile of the risk``, a bounded one ``u^(1/r - 1)`` of a uniform u, of mean r. Equal risks are
equal floats, and give equal thresholds and exponents, so ties of the true means are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count
from moltheory.pareto import nondominated

__all__ = ["LOSSES", "WORLDS", "ComparedModels", "compared_models"]

WORLDS = ("trade-off", "ties", "near-ties", "equal", "flat")
LOSSES = ("0/1", "bounded", "clusters of five")
_CLUSTER = 5
_COMMON = 0.6  # share of the latent variance that is common to the models
_HAIR = 1e-7  # differences of a flat world: far above rounding, far below what any sample shows

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ComparedModels:
    """Models with known true risks.

    Attributes
    ----------
    risks : (M, N) ndarray
        True mean losses, in (0, 1).
    costs : (M, 1) ndarray or None
        Known prices.
    """

    risks: FloatArray
    costs: FloatArray | None

    @cached_property
    def on_front(self) -> Flags:
        """The true front, (M,) bool; exact comparisons of the floats."""
        points = self.risks if self.costs is None else np.hstack([self.risks, self.costs])
        return nondominated(points)

    def draw(self, n: int, loss: str, rng: np.random.Generator) -> tuple[FloatArray, npt.NDArray[np.intp] | None]:
        """Return losses (n, M, N) of the kind `loss`, and the cluster of each example, (n,), or None.

        Clusters of five examples share half of the difficulty and seven tenths of what is a model's own.
        """
        check_choice("loss", loss, LOSSES)
        check_count("n", n)
        models, objectives = self.risks.shape
        clusters = np.arange(n) // _CLUSTER if loss == "clusters of five" else None
        hard = _shared(rng, (n, 1), clusters, 0.5)
        losses = np.empty((n, models, objectives))
        for i in range(objectives):
            difficulty = np.sqrt(0.5) * hard + np.sqrt(0.5) * rng.standard_normal((n, 1))
            own = _shared(rng, (n, models), clusters, 0.7)
            latent = np.sqrt(_COMMON) * difficulty + np.sqrt(1.0 - _COMMON) * own
            losses[:, :, i] = _losses(latent, self.risks[:, i], loss)
        return losses, clusters


def compared_models(kind: str, models: int, objectives: int, rng: np.random.Generator) -> ComparedModels:
    """Return the models of a world of that kind.

    Parameters
    ----------
    kind : {"trade-off", "ties", "near-ties", "equal", "flat"}
    models : int
        M >= 2.
    objectives : int
        1 (and a price, 1 to M) or 2.
    rng : numpy.random.Generator

    Examples
    --------
    >>> import numpy as np
    >>> for objectives in (1, 2):
    ...     for kind in ("equal", "flat"):
    ...         print(kind, compared_models(kind, 4, objectives, np.random.default_rng(0)).on_front.sum())
    equal 1
    flat 4
    equal 4
    flat 4
    """
    check_choice("kind", kind, WORLDS)
    check_count("models", models, low=2)
    check_choice("objectives", str(objectives), ("1", "2"))
    if objectives == 1:
        return ComparedModels(_one_objective(kind, models, rng)[:, None], np.arange(1.0, models + 1.0)[:, None])
    return ComparedModels(_two_objectives(kind, models, rng), None)


def _one_objective(kind: str, models: int, rng: np.random.Generator) -> FloatArray:
    if kind == "equal":
        return np.full(models, 0.3)
    if kind == "flat":
        return 0.3 - _HAIR * np.arange(models, dtype=np.float64)
    if kind == "near-ties":
        return 0.30 + 0.01 * rng.random(models)
    curve = 0.15 + 0.35 * np.exp(-3.0 * np.sort(rng.random(models)))
    risks: FloatArray = curve + _behind(models, rng)
    return _rounded(risks) if kind == "ties" else _inside(risks)


def _two_objectives(kind: str, models: int, rng: np.random.Generator) -> FloatArray:
    if kind == "equal":
        return np.full((models, 2), 0.3)
    if kind == "flat":  # far apart in the first, worse by a hair in the second
        return np.stack([np.linspace(0.05, 0.95, models), 0.3 - _HAIR * np.arange(models)], axis=1)
    if kind == "near-ties":
        return 0.30 + 0.01 * rng.random((models, 2))
    t = rng.random(models)
    behind = _behind(models, rng)
    first, second = 0.10 + 0.35 * t**2, 0.10 + 0.35 * (1.0 - t) ** 2
    risks = np.stack([first + behind, second + behind * rng.uniform(0.5, 1.5, models)], axis=1)
    return _rounded(risks) if kind == "ties" else _inside(risks)


def _behind(models: int, rng: np.random.Generator) -> FloatArray:
    """How far each model lies behind the curve; zero for four in ten."""
    distance: FloatArray = np.where(rng.random(models) < 0.4, 0.0, rng.exponential(0.06, models))
    return distance


def _inside(risks: FloatArray) -> FloatArray:
    return np.clip(risks, 0.02, 0.95)


def _rounded(risks: FloatArray) -> FloatArray:
    """Round to multiples of 1/20: one integer, one float."""
    rounded: FloatArray = np.clip(np.rint(20.0 * risks), 1.0, 19.0) / 20.0
    return rounded


def _shared(
    rng: np.random.Generator, shape: tuple[int, int], clusters: npt.NDArray[np.intp] | None, share: float
) -> FloatArray:
    """Draw standard normal values, of which the examples of a cluster have that share of the variance in common."""
    own = rng.standard_normal(shape)
    if clusters is None:
        return own
    common = rng.standard_normal((int(clusters[-1]) + 1, shape[1]))[clusters]
    mixed: FloatArray = np.sqrt(share) * common + np.sqrt(1.0 - share) * own
    return mixed


def _losses(latent: FloatArray, risks: FloatArray, loss: str) -> FloatArray:
    from scipy.special import ndtr, ndtri

    if loss == "bounded":
        bounded: FloatArray = ndtr(latent) ** (1.0 / risks - 1.0)
        return bounded
    return np.asarray(latent < ndtri(risks), dtype=np.float64)
