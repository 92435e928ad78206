"""Training over the number of linear layers and weight decay, with the collapse of every logged iterate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.reports import Settings
from moltheory.runs import RunFolder, as_seed_sequence, block_stream, run_blocks
from moltheory.studies._collapse import alignment, imbalance, mean_condition_number, variability
from moltheory.studies.weight_decay._balanced import balance_gap, row_condition_number
from moltheory.studies.weight_decay._certified import operator_norm_variant, variability_bound
from moltheory.studies.weight_decay._digits import digits_split
from moltheory.studies.weight_decay._networks import LinearEndNetwork, Weights, one_hot_targets

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOMENTUM", "RATE", "DecaySweep", "decay_sweep", "measured", "network_at", "train_block"]

RATE = 0.05
MOMENTUM = 0.9
_CLASSES = 10
_WIDTH = 32
_RELU = 2
_PER_CLASS = 30
_N_LOGS = 40

Columns = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class DecaySweep:
    """All networks of a sweep, M in number.

    Attributes
    ----------
    networks : pandas.DataFrame
        One row per network at the end of training: ``linear`` (number of linear layers), ``decay``, ``seed``,
        ``time`` (steps times rate over 1 - momentum), the columns of `measured`, ``test_error``.
    iterates : pandas.DataFrame
        One row per logged iterate: ``network`` (row of `networks`), ``linear``, ``decay``, ``seed``, ``step``,
        ``time`` and the columns of `measured`.
    test_losses : (797, M) ndarray
        0/1 loss of every network on the test set.
    """

    networks: pd.DataFrame
    iterates: pd.DataFrame
    test_losses: FloatArray


def network_at(linear: int, decay: float, /) -> LinearEndNetwork:
    """Return the network of the study: two ReLU layers of 32 units, then `linear` linear layers, for digits.

    Examples
    --------
    >>> network_at(2, 1e-3).shapes
    ((32, 65), (32, 32), (32, 32), (10, 32))
    """
    return LinearEndNetwork(n_relu=_RELU, n_linear=linear, width=_WIDTH, n_inputs=65, n_classes=_CLASSES, decay=decay)


def measured(network: LinearEndNetwork, weights: Weights, inputs: FloatArray, targets: FloatArray, /) -> Columns:
    """Return how well networks fit, how balanced and how collapsed they are.

    Parameters
    ----------
    network : LinearEndNetwork
    weights : Weights
        With one leading axis of S replicates.
    inputs, targets : (S, n_inputs, N) and (K, N) ndarray
        Training data.

    Returns
    -------
    dict of str to (S,) ndarray
        ``fit``, ``norm`` (half the sum of squared norms); of the features Z_{L-1} that the last layer reads ``nc1``,
        ``nc2`` (condition number of the class means) and ``nc3`` (NaN if a feature is zero); ``kappa``, the condition
        number of W_L, and ``kappa_root``, the L_2-th root of that of the product of the linear layers. NaN unless two
        layers are linear: ``bound`` and ``sharp_bound`` on NC1, ``operator_variant`` (false), ``imbalance`` (relative)
        and ``gap`` (absolute), the largest over pairs of linear layers in operator norm.
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

    Returns
    -------
    dict of str to ndarray
        The columns of `measured`, (T, seeds) over T logged iterates, the last one being the end; ``step`` (T,); and
        ``errs`` (seeds, 797) bool, which test images are misclassified.
    """
    split, network, root = digits_split(), network_at(linear, decay), as_seed_sequence(entropy)
    # A seed has the same training set for all networks, and the same start at every decay.
    drawn = [split.draw(_PER_CLASS, block_stream(root, "digits of weight decay", seed)) for seed in range(seeds)]
    inputs = np.stack(drawn)
    targets = one_hot_targets(np.repeat(np.arange(_CLASSES), _PER_CLASS), n_classes=_CLASSES)
    starts = [network.random(block_stream(root, "weight decay", linear, seed)) for seed in range(seeds)]
    weights: Weights = tuple(np.stack(parts) for parts in zip(*starts, strict=True))
    speed: Weights = tuple(np.zeros_like(one) for one in weights)
    logged = {int(step) for step in np.linspace(0, steps, _N_LOGS + 1).round()}
    rows = [measured(network, weights, inputs, targets)]
    for step in range(1, steps + 1):
        slopes = network.gradients(weights, inputs, targets)
        speed = tuple(MOMENTUM * v - RATE * slope for v, slope in zip(speed, slopes, strict=True))
        weights = tuple(one + v for one, v in zip(weights, speed, strict=True))
        if step in logged:
            rows.append(measured(network, weights, inputs, targets))
    errs = network.outputs(weights, split.test).argmax(axis=-2) != split.test_labels
    columns: Columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return {**columns, "step": np.array(sorted(logged)), "errs": errs}


def decay_sweep(
    linear: tuple[int, ...], decays: tuple[float, ...], *, seeds: int, steps: int, settings: Settings
) -> DecaySweep:
    """Train networks of all numbers of linear layers at all decays.

    Parameters
    ----------
    linear : tuple of int
        Numbers of linear layers L_2 >= 1, all different.
    decays : tuple of float
        Factors of half the squared norms, > 0, all different.
    seeds : int
        Networks per pair.
    steps : int
        Of gradient descent with momentum, >= 1.
    settings : Settings

    Returns
    -------
    DecaySweep

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.
    """
    for name, values in (("linear", linear), ("decays", decays)):
        if not values or len(set(values)) < len(values):
            raise InvalidInputError(f"`{name}` must hold distinct values, at least one, got {values!r}.")
    cells = [(check_count("linear", k), check_real("decays", d, low=0.0, strict=True)) for k in linear for d in decays]
    check_count("seeds", seeds)
    check_count("steps", steps)
    folder = None
    path = settings.store_for("weight_decay", "sweep")
    if path is not None:
        parameters = {
            "study": "weight decay",
            "linear": list(linear),
            "decays": list(decays),
            "seeds": seeds,
            "steps": steps,
            "rate": RATE,
            "momentum": MOMENTUM,
            "width": _WIDTH,
            "relu": _RELU,
            "per_class": _PER_CLASS,
        }
        keys = [f"linear-{k}-decay-{decay:g}" for k, decay in cells]
        folder = RunFolder.open(path, parameters=parameters, rng=settings.seed, keys=keys)
    parts = run_blocks(
        train_block,
        [(k, decay, seeds, steps, settings.seed) for k, decay in cells],
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        description="weight decay",
        # A linear layer costs little beside the two with ReLU.
        weights=[6.0 + k for k, _ in cells],
        store=folder,
    )
    return _gathered(cells, parts)


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
