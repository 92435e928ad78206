"""Networks of scikit-learn trained under noise, and their votes under several deviations of the same noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.studies._runner import Columns
from moltheory.studies.smoothing._counting import IntArray

__all__ = ["Network", "network_of", "shared_votes", "train_network"]

# Votes per product of matrices: what fits a processor's cache.
_ROWS = 1024
_BATCH = 200


@dataclass(frozen=True)
class Network:
    """A network with hidden layers of ReLU: inputs to the number of the largest output.

    Weights are (N, width), ..., (width, K), offsets (width,), ..., (K,).
    """

    weights: tuple[FloatArray, ...]
    offsets: tuple[FloatArray, ...]

    def __call__(self, inputs: npt.NDArray[np.float64], /) -> npt.NDArray[np.intp]:
        """Return the classes of (m, N) inputs: (m,)."""
        return self.from_first(inputs @ self.weights[0] + self.offsets[0])

    def single(self) -> Network:
        """Return the network in single precision."""
        return Network(
            *(tuple(one.astype(np.float32) for one in some) for some in (self.weights, self.offsets))  # type: ignore[arg-type]
        )

    def from_first(self, values: npt.NDArray[np.floating], /) -> npt.NDArray[np.intp]:
        """Return the classes from what the first layer gives, (m, width), which is overwritten."""
        for weights, offsets in zip(self.weights[1:], self.offsets[1:], strict=True):
            np.maximum(values, 0.0, out=values)
            values = values @ weights
            values += offsets
        return np.asarray(values.argmax(axis=1))

    @property
    def multiplications(self) -> int:
        """Multiplications per input."""
        return sum(one.size for one in self.weights)


def train_network(
    inputs: npt.NDArray[np.floating],
    labels: npt.NDArray[np.int64],
    sigma: float,
    *,
    seed: int,
    steps: int,
    hidden: Sequence[int],
) -> Columns:
    """Return scikit-learn's MLPClassifier, trained on inputs (n, N) under fresh noise of deviation sigma in each epoch.

    ``weights_1``, ``offsets_1``, ... for `network_of`. Adam with its defaults, batches of 200, whole epochs of at least
    `steps` batches together; in single precision, which halves the time. The votes are in double precision.
    """
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng([7, check_count("seed", seed, low=0)])
    scale = np.float32(check_real("sigma", sigma, low=0.0))
    clean = np.asarray(inputs, dtype=np.float32)
    model = MLPClassifier(tuple(hidden), random_state=seed % 2**32, batch_size=min(_BATCH, len(clean)))
    per_epoch = -(-len(clean) // _BATCH)
    for _ in range(-(-check_count("steps", steps) // per_epoch)):
        noisy = rng.standard_normal(clean.shape, dtype=np.float32)
        noisy *= scale
        noisy += clean
        model.partial_fit(noisy, labels, classes=np.unique(labels))
    return {
        **{f"weights_{i + 1}": np.asarray(one, dtype=np.float64) for i, one in enumerate(model.coefs_)},
        **{f"offsets_{i + 1}": np.asarray(one, dtype=np.float64) for i, one in enumerate(model.intercepts_)},
    }


def network_of(parts: Columns) -> Network:
    """Return the network of what `train_network` gives."""
    layers = range(1, len(parts) // 2 + 1)
    return Network(
        tuple(np.asarray(parts[f"weights_{i}"], dtype=np.float64) for i in layers),
        tuple(np.asarray(parts[f"offsets_{i}"], dtype=np.float64) for i in layers),
    )


def shared_votes(
    network: Network,
    inputs: FloatArray,
    deviations: FloatArray,
    /,
    *,
    sizes: Sequence[int],
    rng: RandomSource,
    stream: int,
) -> IntArray:
    """Return the votes of a network (D, n, V, K) at inputs (n, N) under D deviations (D, n) of the same noise.

    `sizes` are V increasing numbers of votes, of which the first are shared. Noise e enters the first layer, of weights
    W, as W'e alone, and W'e = R'z in law for the triangular factor R of W and standard normal z: that is what is drawn,
    fewer numbers of the same law. Each input has its own stream. Noise and network are in single precision, the one that
    networks of `train_network` have; counts are exact.
    """
    spreads = np.asarray(deviations, dtype=np.float64)
    if spreads.ndim != 2 or spreads.shape[1] != len(inputs) or not (spreads > 0).all():
        raise InvalidInputError(f"`deviations` must be positive of shape (D, {len(inputs)}), got others.")
    edges = np.asarray([check_count("sizes", size) for size in sizes])
    if not len(edges) or (np.diff(edges) <= 0).any():
        raise InvalidInputError(f"`sizes` must be increasing numbers of votes, got {sizes!r}.")
    factor = np.asarray(np.linalg.qr(network.weights[0], mode="r"), dtype=np.float32)
    first = (inputs @ network.weights[0] + network.offsets[0]).astype(np.float32)
    single = network.single()
    n_classes = network.weights[-1].shape[1]
    found = np.zeros((len(spreads), len(inputs), len(edges) * n_classes), dtype=np.int64)
    root = as_seed_sequence(rng)
    for point, center in enumerate(first):
        source = block_stream(root, "smoothing", point, stream)
        for start in range(0, int(edges[-1]), _ROWS):
            votes = np.arange(start, min(start + _ROWS, int(edges[-1])))
            noise = source.standard_normal((len(votes), len(factor)), dtype=np.float32) @ factor
            stages = np.searchsorted(edges, votes, side="right") * n_classes
            for d, sigma in enumerate(spreads[:, point].astype(np.float32)):
                values = sigma * noise
                values += center
                codes = single.from_first(values)
                found[d, point] += np.bincount(stages + codes, minlength=found.shape[2])
    return found.reshape(len(spreads), len(inputs), len(edges), n_classes).cumsum(axis=2)
