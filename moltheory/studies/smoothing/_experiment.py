"""The experiment: networks trained under constant noise, and votes and certificates of digits under every design."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._shared_state import warnings_as
from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.reports import Settings
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.smoothing._counting import certified_votes
from moltheory.studies.smoothing._dimension_limits import check_design
from moltheory.studies.smoothing._result import Budget, Design, SmoothedSweep
from moltheory.studies.smoothing._smoothed_classifier import SmoothedClassifier

__all__ = ["DigitsSplit", "Network", "digits_split", "smoothed_sweep", "train_network"]

_HIDDEN = 64
_COPIES = 8
# Of scikit-learn's digits.
_CLASSES = 10
_BATCH = 4096


@dataclass(frozen=True)
class DigitsSplit:
    """Digits of scikit-learn, (n, 64) pixels in [0, 1], cut in two."""

    train: FloatArray
    train_labels: npt.NDArray[np.int64]
    test: FloatArray
    test_labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """A network with one hidden layer of ReLU: inputs to the number of the largest output.

    Weights are (N, width) and (width, K), offsets (width,) and (K,).
    """

    weights: tuple[FloatArray, ...]
    offsets: tuple[FloatArray, ...]

    def __call__(self, inputs: npt.NDArray[np.float64], /) -> npt.NDArray[np.intp]:
        """Return the classes of (m, N) inputs: (m,)."""
        values = inputs
        for layer, (weights, offsets) in enumerate(zip(self.weights, self.offsets, strict=True)):
            values = values @ weights
            values += offsets
            if layer + 1 < len(self.weights):
                np.maximum(values, 0.0, out=values)
        return np.asarray(values.argmax(axis=1))

    @property
    def multiplications(self) -> int:
        """Multiplications per input."""
        return sum(one.size for one in self.weights)


def digits_split(seed: int, *, n_test: int = 900) -> DigitsSplit:
    """Return the digits in a random order, the last `n_test` < 1797 - 100 of them for testing."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng([20_221, check_count("seed", seed, low=0)]).permutation(len(data.target))
    inputs, labels = data.data[order] / 16.0, data.target[order].astype(np.int64)
    cut = len(labels) - int(check_real("n_test", n_test, low=1, high=len(labels) - 100))
    return DigitsSplit(inputs[:cut], labels[:cut], inputs[cut:], labels[cut:])


def train_network(split: DigitsSplit, sigma: float, *, seed: int, epochs: int = 40) -> Columns:
    """Return scikit-learn's MLPClassifier, fitted to copies of the training digits with noise of deviation sigma >= 0.

    ``weights_1``, ``offsets_1``, ``weights_2``, ``offsets_2``, for `Network`.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng([7, seed])
    inputs = np.repeat(split.train, _COPIES, axis=0)
    inputs = inputs + check_real("sigma", sigma, low=0.0) * rng.standard_normal(inputs.shape)
    model = MLPClassifier((_HIDDEN,), max_iter=check_count("epochs", epochs), random_state=seed, batch_size=200)
    with warnings_as("ignore", ConvergenceWarning):  # a fixed number of epochs is meant
        model.fit(inputs, np.repeat(split.train_labels, _COPIES))
    return {
        **{f"weights_{i + 1}": one for i, one in enumerate(model.coefs_)},
        **{f"offsets_{i + 1}": one for i, one in enumerate(model.intercepts_)},
    }


def train_block(sigma: float, budget: Budget, seed: int) -> Columns:
    """Train the network of one standard deviation."""
    return train_network(digits_split(seed, n_test=budget.n_test), sigma, seed=seed, epochs=budget.epochs)


def vote_block(design: Design, network: Network, budget: Budget, seed: int) -> Columns:
    """Certify all test digits under one design: ``classes``, ``radii`` (S, n), ``sigma``, ``base`` (right without noise).

    The noise of a digit is the same for all designs, up to its scale: designs are compared in pairs.
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
    """Return all test digits certified under every design, with one network per standard deviation.

    A design under which the most votes cannot certify anything (`check_design`) is refused before any training.
    """
    seed = settings.seed
    split = digits_split(seed, n_test=budget.n_test)
    for one in budget.designs:
        check_design(one.sigma, rate=one.rate, dimension=split.test.shape[1], n=max(budget.sizes), alpha=budget.alpha)
    levels = tuple(sorted({design.sigma for design in budget.designs}))
    trained = run_study_blocks(
        train_block,
        {f"sigma-{sigma:g}": (sigma, budget, seed) for sigma in levels},
        store=("smoothing", "networks"),
        parameters=asdict(budget),
        settings=settings,
    )
    networks = {sigma: _network(part) for sigma, part in zip(levels, trained.values(), strict=True)}
    voted = run_study_blocks(
        vote_block,
        {
            f"design-{index}": (design, networks[design.sigma], budget, seed)
            for index, design in enumerate(budget.designs)
        },
        store=("smoothing", "votes"),
        parameters=asdict(budget),
        settings=settings,
    )
    parts = list(voted.values())
    return SmoothedSweep(
        budget,
        split.test_labels,
        np.stack([np.asarray(part["classes"], dtype=np.int64) for part in parts]),
        np.stack([np.asarray(part["radii"], dtype=np.float64) for part in parts]),
        np.stack([np.asarray(part["sigma"], dtype=np.float64) for part in parts]),
        np.array([np.asarray(part["base"], dtype=np.bool_).mean() for part in parts]),
        np.array([_cost(design, networks[design.sigma], budget, split) for design in budget.designs]),
    )


def _network(part: Columns) -> Network:
    pairs = [(part[f"weights_{i}"], part[f"offsets_{i}"]) for i in (1, 2)]
    weights, offsets = zip(*pairs, strict=True)
    return Network(tuple(np.asarray(one, dtype=np.float64) for one in weights), tuple(map(np.asarray, offsets)))


def _cost(design: Design, network: Network, budget: Budget, split: DigitsSplit) -> list[float]:
    distances = split.train.size if design.rate > 0.0 else 0
    return [((budget.guesses + n) * network.multiplications + distances) / 1e6 for n in budget.sizes]
