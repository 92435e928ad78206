"""Training on digits over the number of linear layers and weight decay, with the collapse of every logged iterate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import alignment, imbalance, mean_condition_number, variability
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.weight_decay._model import (
    balance_gap,
    operator_norm_variant,
    row_condition_number,
    variability_bound,
)
from moltheory.studies.weight_decay._networks import LinearEndNetwork, Weights, one_hot_targets
from moltheory.studies.weight_decay._result import DecaySweep

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOMENTUM", "RATE", "DigitsSplit", "decay_sweep", "digits_split", "measured", "network_at", "train_block"]

RATE = 0.05
MOMENTUM = 0.9
_CLASSES = 10
_WIDTH = 32
_RELU = 2
_PER_CLASS = 30
_N_LOGS = 40
# Root of the mean squared norm of the centered images of the pool.
_SCALE = 3.0
_POOL = 100
_SPLIT_SEED = 0


@dataclass(frozen=True)
class DigitsSplit:
    """Digits as columns, 64 centered pixels and a constant 1: a pool (65, 1000) sorted by class, and a test set (65, 797).

    The pool has 100 images per class; the test images are seen in training by no seed.
    """

    pool: FloatArray
    pool_labels: npt.NDArray[np.intp]
    test: FloatArray
    test_labels: npt.NDArray[np.intp]

    def draw(self, per_class: int, rng: np.random.Generator) -> FloatArray:
        """Return the columns of a training set with this many images of each class, at most 100, sorted by class."""
        if check_count("per_class", per_class) > _POOL:
            raise InvalidInputError(f"`per_class` must be at most {_POOL}, the images per class, got {per_class}.")
        chosen = [c * _POOL + rng.permutation(_POOL)[:per_class] for c in range(10)]
        return self.pool[:, np.concatenate(chosen)]


@cache
def digits_split() -> DigitsSplit:
    """Return the split, always the same, centered at the pool's mean and scaled to a mean squared norm of 9 in the pool.

    Images by E. Alpaydin, C. Kaynak (1998), doi 10.24432/C50P49, as bundled with scikit-learn.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(_SPLIT_SEED)
    rows = [rng.permutation(np.flatnonzero(labels == c)) for c in range(10)]
    pool = np.concatenate([one[:_POOL] for one in rows])
    test = np.sort(np.concatenate([one[_POOL:] for one in rows]))
    center = images[pool].mean(axis=0)
    size = _SCALE / np.sqrt(np.square(images[pool] - center).sum(axis=1).mean())

    def columns(chosen: npt.NDArray[np.intp]) -> FloatArray:
        pixels = (images[chosen] - center) * size
        return as_readonly(np.vstack([pixels.T, np.ones(len(chosen))]))

    return DigitsSplit(columns(pool), as_readonly(labels[pool]), columns(test), as_readonly(labels[test]))


def network_at(linear: int, decay: float, /) -> LinearEndNetwork:
    """Return the network of the study: two ReLU layers of 32 units, then `linear` linear layers, for digits."""
    return LinearEndNetwork(n_relu=_RELU, n_linear=linear, width=_WIDTH, n_inputs=65, n_classes=_CLASSES, decay=decay)


def measured(network: LinearEndNetwork, weights: Weights, inputs: FloatArray, targets: FloatArray, /) -> Columns:
    """Return how well networks fit, how balanced and how collapsed they are, one entry per replicate.

    Weights have one leading axis of S replicates, inputs are (S, n_inputs, N) and targets (K, N). ``fit``, ``norm``
    (half the sum of squared norms); of the features Z_{L-1} that the last layer reads ``nc1``, ``nc2`` (condition
    number of the class means) and ``nc3`` (NaN if a feature is zero); ``kappa``, the condition number of W_L, and
    ``kappa_root``, the L_2-th root of that of the product of the linear layers. NaN unless two layers are linear:
    ``bound`` and ``sharp_bound`` on NC1, ``operator_variant`` (false), ``imbalance`` (relative) and ``gap``
    (absolute), the largest over pairs of linear layers in operator norm.
    """
    z = network.activations(weights, inputs)
    features = np.swapaxes(z[-2], -1, -2)
    labels = targets.argmax(axis=-2)
    product = row_condition_number(network.product(weights))
    found = {
        "fit": network.fit(weights, inputs, targets),
        "norm": network.squared_norm(weights) / 2.0,
        "nc1": variability(features, labels),
        "nc2": mean_condition_number(features, labels),
        "nc3": _aligned(features, labels, weights[-1]),
        "kappa": row_condition_number(weights[-1]),
        "kappa_root": product ** (1.0 / network.n_linear),
    }
    missing = np.full(found["fit"].shape, np.nan)
    found |= dict.fromkeys(("bound", "sharp_bound", "operator_variant", "imbalance", "gap"), missing)
    if network.n_linear > 1:
        ends = (weights[-1], weights[-2], z[-3], targets)
        pairs = list(zip(weights[network.n_relu + 1 :], weights[network.n_relu : -1], strict=True))
        found |= {
            "bound": variability_bound(*ends),
            "sharp_bound": variability_bound(*ends, sharp=True),
            "operator_variant": operator_norm_variant(*ends),
            "imbalance": np.max([imbalance(*pair) for pair in pairs], axis=0),
            "gap": np.max([np.linalg.norm(balance_gap(*pair), ord=2, axis=(-1, -2)) for pair in pairs], axis=0),
        }
    return dict(found)


def train_block(linear: int, decay: float, seeds: int, steps: int, entropy: int) -> Columns:
    """Train networks of all seeds at once by gradient descent with momentum on the regularised loss.

    The columns of `measured`, (T, seeds) over T logged iterates, the last one being the end; ``step`` (T,); and
    ``errs`` (seeds, 797) bool, which test images are misclassified.
    """
    split, network, root = digits_split(), network_at(linear, decay), as_seed_sequence(entropy)
    # A seed has the same training set for all networks, and the same start at every decay.
    drawn = [split.draw(_PER_CLASS, block_stream(root, "digits of weight decay", seed)) for seed in range(seeds)]
    inputs = np.stack(drawn)
    targets = one_hot_targets(np.repeat(np.arange(_CLASSES), _PER_CLASS), n_classes=_CLASSES)
    starts = [network.random(block_stream(root, "weight decay", linear, seed)) for seed in range(seeds)]
    logged = {int(step) for step in np.linspace(0, steps, _N_LOGS + 1).round()}
    rows: list[Columns] = []

    def watch(step: int, now: Weights) -> None:
        if step in logged:
            rows.append(measured(network, now, inputs, targets))

    weights = network.train(
        tuple(np.stack(parts) for parts in zip(*starts, strict=True)),
        inputs,
        targets,
        rate=RATE,
        momentum=MOMENTUM,
        steps=steps,
        watch=watch,
    )
    errs = network.outputs(weights, split.test).argmax(axis=-2) != split.test_labels
    columns: Columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return {**columns, "step": np.array(sorted(logged)), "errs": errs}


def decay_sweep(
    linear: tuple[int, ...], decays: tuple[float, ...], *, seeds: int, steps: int, settings: Settings
) -> DecaySweep:
    """Train networks of all numbers >= 1 of linear layers at all decays > 0, each all different, `seeds` per pair."""
    for name, values in (("linear", linear), ("decays", decays)):
        if not values or len(set(values)) < len(values):
            raise InvalidInputError(f"`{name}` must hold distinct values, at least one, got {values!r}.")
    cells = [(check_count("linear", k), check_real("decays", d, low=0.0, strict=True)) for k in linear for d in decays]
    check_count("seeds", seeds)
    check_count("steps", steps)
    keys = [f"linear-{k}-decay-{decay:g}" for k, decay in cells]
    parts = run_study_blocks(
        train_block,
        {key: (k, decay, seeds, steps, settings.seed) for key, (k, decay) in zip(keys, cells, strict=True)},
        store=("weight_decay", "sweep"),
        parameters={
            "linear": linear,
            "decays": decays,
            "seeds": seeds,
            "steps": steps,
            "rate": RATE,
            "momentum": MOMENTUM,
            "width": _WIDTH,
            "relu": _RELU,
            "per_class": _PER_CLASS,
        },
        settings=settings,
        # A linear layer costs little beside the two with ReLU.
        weights={key: 6.0 + k for key, (k, _) in zip(keys, cells, strict=True)},
        needs_torch=True,
    )
    return _gathered(cells, list(parts.values()))


def _gathered(cells: list[tuple[int, float]], parts: list[Columns]) -> DecaySweep:
    import pandas as pd

    tables: list[pd.DataFrame] = []
    errs: list[FloatArray] = []
    for (linear, decay), part in zip(cells, parts, strict=True):
        columns: Mapping[str, Any] = part
        steps = np.asarray(columns["step"])
        n_logs, seeds = len(steps), len(columns["errs"])
        fixed = {
            "network": np.tile(np.arange(seeds) + len(errs), n_logs),
            "linear": linear,
            "decay": decay,
            "seed": np.tile(np.arange(seeds), n_logs),
            "step": np.repeat(steps, seeds),
            "time": np.repeat(steps * RATE / (1.0 - MOMENTUM), seeds),
        }
        rest = {name: np.ravel(column) for name, column in columns.items() if name not in ("step", "errs")}
        tables.append(pd.DataFrame({**fixed, **rest}))
        errs.extend(np.asarray(columns["errs"], dtype=np.float64))
    iterates = pd.concat(tables, ignore_index=True)
    networks = iterates[iterates["step"] == iterates["step"].max()].set_index("network").drop(columns="step")
    losses = np.stack(errs, axis=1)
    networks["test_error"] = losses.mean(axis=0)
    return DecaySweep(networks.rename_axis(None), iterates, losses)


def _aligned(features: FloatArray, labels: npt.NDArray[np.intp], last: FloatArray) -> FloatArray:
    """NC3, NaN where a feature or a row of the last layer is zero, as of an example that no unit responds to."""
    alive = (np.abs(features).max(axis=-1) > 0).all(axis=-1) & (np.abs(last).max(axis=-1) > 0).all(axis=-1)
    found = np.full(alive.shape, np.nan)
    if alive.any():
        found[alive] = alignment(features[alive], labels, last[alive])
    return found
