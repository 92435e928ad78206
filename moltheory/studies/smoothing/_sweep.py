"""Smoothed digits over designs of the noise: votes, certificates, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.errors import InvalidInputError
from moltheory.reports import Settings
from moltheory.runs import RunFolder, run_blocks
from moltheory.studies.smoothing._counting import certified_votes
from moltheory.studies.smoothing._digits import DigitsSplit, Network, digits_split, train_network
from moltheory.studies.smoothing._dimension_limits import check_design
from moltheory.studies.smoothing._noise_scale import ConstantSigma, NeighborSigma, Sigma, neighbor_distances
from moltheory.studies.smoothing._smoothed_classifier import SmoothedClassifier

__all__ = ["Budget", "Design", "SmoothedSweep", "smoothed_sweep", "vote_block"]

# Of scikit-learn's digits.
_CLASSES = 10
_BATCH = 4096


@dataclass(frozen=True)
class Design:
    """One design of the noise.

    Attributes
    ----------
    sigma : float
        Standard deviation at the center; networks are trained under it.
    rate : float
        r; 0 is constant noise, which ignores the rest.
    quantile : float
        The center m is this quantile of the training digits' mean distances to their k nearest others.
    k : int
        Neighbors.
    """

    sigma: float
    rate: float
    quantile: float = 0.5
    k: int = 20

    @property
    def name(self) -> str:
        """Name in tables."""
        base = f"σ={self.sigma:g} r={self.rate:g}"
        if self.rate == 0.0:
            return base
        center = "" if self.quantile == 0.5 else f" m={self.quantile:g}"
        return base + center + ("" if self.k == 20 else f" k={self.k}")

    def spread(self, points: FloatArray) -> Sigma:
        """Return the standard deviation as a function of the input."""
        if self.rate == 0.0:
            return ConstantSigma(self.sigma)
        center = float(np.quantile(neighbor_distances(points, k=self.k), self.quantile))
        return NeighborSigma(points, base=self.sigma, rate=self.rate, center=center, k=self.k)


@dataclass(frozen=True)
class Budget:
    """What the experiment costs.

    Attributes
    ----------
    designs : tuple of Design
    sizes : tuple of int
        Votes per point that certificates rest on, increasing; the first are shared.
    guesses : int
        Votes per point that choose the class.
    n_test : int
    epochs : int
        Of training.
    alpha : float
        Failure probability of each certificate.
    """

    designs: tuple[Design, ...]
    sizes: tuple[int, ...]
    guesses: int
    n_test: int
    epochs: int
    alpha: float = 0.001

    def __post_init__(self) -> None:
        if not self.designs:
            raise InvalidInputError("`designs` must hold at least one design, got none.")
        sizes = [check_count("sizes", size) for size in self.sizes]
        if not sizes or sizes != sorted(set(sizes)):
            raise InvalidInputError(f"`sizes` must be increasing numbers of votes, got {self.sizes!r}.")
        for name in ("guesses", "n_test", "epochs"):
            check_count(name, getattr(self, name))
        check_fraction("alpha", self.alpha)


@dataclass(frozen=True)
class SmoothedSweep:
    """Results over D designs, S numbers of votes and n test digits.

    Attributes
    ----------
    budget : Budget
    labels : (n,) ndarray
    classes : (D, S, n) ndarray
        Predicted, -1 where it abstained.
    radii : (D, S, n) ndarray
        Certified, 0 where it abstained.
    sigma : (D, n) ndarray
    base_accuracy : (D,) ndarray
        Of the network without noise.
    cost : (D, S) ndarray
        Million multiplications per point: passes through the network, and distances to the training digits.
    """

    budget: Budget
    labels: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    radii: FloatArray
    sigma: FloatArray
    base_accuracy: FloatArray
    cost: FloatArray

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """(D, S, n): whether the prediction is right; abstaining is not."""
        return np.asarray(self.classes == self.labels)


def vote_block(design: Design, network: Network, budget: Budget, seed: int) -> dict[str, npt.NDArray[np.generic]]:
    """Certify all test digits under one design.

    Returns
    -------
    dict of str to ndarray
        ``classes`` and ``radii`` (S, n), ``sigma`` (n,), ``base`` (n,): right without noise.

    Notes
    -----
    A digit's noise is the same for all designs, up to its scale: designs are compared in pairs.
    """
    split = digits_split(seed, n_test=budget.n_test)
    spread = design.spread(split.train)
    smoothed = SmoothedClassifier(network, spread, classes=range(_CLASSES), batch=_BATCH)
    sigma = spread(split.test)
    first = smoothed.vote(split.test, sizes=budget.guesses, rng=seed, stream=0, sigma=sigma)
    votes = smoothed.vote(split.test, sizes=budget.sizes, rng=seed, stream=1, sigma=sigma)
    found = [
        certified_votes(
            votes[:, stage],
            guess=first.argmax(axis=1),
            sigma=sigma,
            rate=design.rate,
            dimension=split.test.shape[1],
            alpha=budget.alpha,
        )
        for stage in range(len(budget.sizes))
    ]
    return {
        "classes": np.stack([one.classes for one in found]),
        "radii": np.stack([one.radii for one in found]),
        "sigma": sigma,
        "base": network(split.test) == split.test_labels,
    }


def smoothed_sweep(budget: Budget, settings: Settings) -> SmoothedSweep:
    """Train one network per standard deviation, then certify all test digits under every design.

    Parameters
    ----------
    budget : Budget
    settings : Settings

    Returns
    -------
    SmoothedSweep

    Raises
    ------
    InvalidInputError
        If the most votes cannot certify anything under one of the designs (`check_design`), before any network is
        trained.
    """
    seed = settings.seed
    dimension = digits_split(seed, n_test=budget.n_test).test.shape[1]
    for one in budget.designs:
        check_design(one.sigma, rate=one.rate, dimension=dimension, n=max(budget.sizes), alpha=budget.alpha)
    levels = tuple(sorted({design.sigma for design in budget.designs}))
    parameters = {
        "study": "smoothing",
        "designs": [[one.sigma, one.rate, one.quantile, one.k] for one in budget.designs],
        "sizes": list(budget.sizes),
        "guesses": budget.guesses,
        "n_test": budget.n_test,
        "epochs": budget.epochs,
        "alpha": budget.alpha,
    }

    def folder(name: str, keys: list[str]) -> RunFolder | None:
        path = settings.store_for("smoothing", name)
        if path is None:
            return None
        return RunFolder.open(path, parameters={**parameters, "part": name}, rng=seed, keys=keys)

    trained = run_blocks(
        _train_block,
        [(sigma, budget, seed) for sigma in levels],
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        description="smoothing: networks",
        store=folder("networks", [f"sigma-{sigma:g}" for sigma in levels]),
    )
    networks = {sigma: _network(part) for sigma, part in zip(levels, trained, strict=True)}
    parts = run_blocks(
        vote_block,
        [(design, networks[design.sigma], budget, seed) for design in budget.designs],
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        description="smoothing: votes",
        store=folder("votes", [f"design-{index}" for index in range(len(budget.designs))]),
    )
    split = digits_split(seed, n_test=budget.n_test)
    return SmoothedSweep(
        budget,
        split.test_labels,
        np.stack([part["classes"] for part in parts]),
        np.stack([part["radii"] for part in parts]),
        np.stack([part["sigma"] for part in parts]),
        np.array([part["base"].mean() for part in parts]),
        np.array([_cost(design, networks[design.sigma], budget, split) for design in budget.designs]),
    )


def _train_block(sigma: float, budget: Budget, seed: int) -> dict[str, npt.NDArray[np.generic]]:
    return train_network(digits_split(seed, n_test=budget.n_test), sigma, seed=seed, epochs=budget.epochs)


def _network(part: dict[str, npt.NDArray[np.generic]]) -> Network:
    pairs = [(part[f"weights_{i}"], part[f"offsets_{i}"]) for i in (1, 2)]
    weights, offsets = zip(*pairs, strict=True)
    return Network(tuple(np.asarray(one, dtype=np.float64) for one in weights), tuple(map(np.asarray, offsets)))


def _cost(design: Design, network: Network, budget: Budget, split: DigitsSplit) -> list[float]:
    distances = split.train.size if design.rate > 0.0 else 0
    return [((budget.guesses + n) * network.multiplications + distances) / 1e6 for n in budget.sizes]
