"""Training on images over linear layers, weight decay, step size and first width, with every logged iterate measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.images import ImageSource
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import alignment, imbalance, mean_condition_number, variability
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.weight_decay._columns import ImageColumns, image_columns
from moltheory.studies.weight_decay._conditioning import condition_ceiling, conditioning_bound, norm_excess
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

__all__ = ["MOMENTUM", "PASS", "RATE", "WIDTH", "Cell", "Plan", "decay_sweep", "measured", "network_at", "train_block"]

RATE = 0.2
MOMENTUM = 0.9
# Batches per pass through the training set.
PASS = 10
WIDTH = 64
_MNIST_INPUTS = 785
# Most iterates that are logged after the start; closer together at first, where imbalance falls fast.
_N_LOGS = 20
# Weights beyond this size come from steps that are too large.
_LOST = 1e3


class Cell(NamedTuple):
    """A setting: linear layers, factor of weight decay, step size, units of the first layer, layers with ReLU."""

    linear: int
    decay: float
    rate: float
    first: int
    relu: int = 2


def network_at(cell: Cell, columns: ImageColumns, /) -> LinearEndNetwork:
    """Return the network of a setting for these images: ReLU layers, then linear ones, all but the first of 64 units."""
    k = columns.data.n_classes
    return LinearEndNetwork(
        n_relu=cell.relu,
        n_linear=cell.linear,
        width=max(WIDTH, k),
        n_inputs=columns.n_inputs,
        n_classes=k,
        decay=cell.decay,
        first=cell.first,
    )


def measured(network: LinearEndNetwork, weights: Weights, inputs: FloatArray, targets: FloatArray, /) -> Columns:
    """Return how well networks fit, how balanced and how collapsed they are, one entry per replicate.

    Weights have any leading axes, inputs are (..., n_inputs, N) and targets (K, N). ``fit``, ``train_error``, ``norm``
    (half the sum of squared norms); of the features Z_{L-1} that the last layer reads ``nc1``, ``nc2`` (condition
    number of the class means) and ``nc3`` (NaN if a feature is zero). ``kappa`` is the condition number of W_L,
    ``kappa_root`` the L_2-th root of that of the product of the linear layers, ``kappa_features`` the largest over the
    K-th singular value of the features before the linear layers; ``stable_ceiling`` and ``norm_ceiling`` bound the
    first two (`conditioning_bound`, `condition_ceiling`). Of the last layer with ReLU: ``negativity``, the share of the
    norm before ReLU that is negative, and ``relu_imbalance`` with the layer after it. NaN unless two layers are linear:
    ``bound`` and ``sharp_bound`` on NC1, ``operator_variant`` (false), ``imbalance`` (relative) and ``gap`` (absolute),
    the largest over pairs of linear layers in operator norm.
    """
    z = network.activations(weights, inputs)
    features, labels = np.swapaxes(z[-2], -1, -2), targets.argmax(axis=-2)
    linear = weights[network.n_relu :]
    spread = np.linalg.svd(z[network.n_relu], compute_uv=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        before = spread[..., 0] / spread[..., network.n_classes - 1]
    found = {
        "fit": np.square(z[-1] - targets).sum(axis=(-1, -2)) / (2 * targets.shape[-1]),
        "train_error": (z[-1].argmax(axis=-2) != labels).mean(axis=-1),
        "norm": network.squared_norm(weights) / 2.0,
        "nc1": variability(features, labels),
        "nc2": mean_condition_number(features, labels),
        "nc3": _aligned(features, labels, weights[-1]),
        "kappa": row_condition_number(weights[-1]),
        "kappa_root": row_condition_number(network.product(weights)) ** (1.0 / network.n_linear),
        "kappa_features": before,
        "stable_ceiling": conditioning_bound(weights[-1], z[-2], targets),
        # Rounding may leave an excess just below 1.
        "norm_ceiling": condition_ceiling(np.maximum(norm_excess(linear), 1.0), network.n_classes),
    }
    arriving = weights[network.n_relu - 1] @ z[network.n_relu - 1]
    found |= {
        "negativity": np.linalg.norm(np.minimum(arriving, 0.0), axis=(-1, -2))
        / np.linalg.norm(arriving, axis=(-1, -2)),
        "relu_imbalance": imbalance(linear[0], weights[network.n_relu - 1]),
    }
    missing = np.full(np.shape(found["fit"]), np.nan)
    found |= dict.fromkeys(("bound", "sharp_bound", "operator_variant", "imbalance", "gap"), missing)
    if network.n_linear > 1:
        ends = (weights[-1], weights[-2], z[-3], targets)
        pairs = list(zip(linear[1:], linear[:-1], strict=True))
        found |= {
            "bound": variability_bound(*ends),
            "sharp_bound": variability_bound(*ends, sharp=True),
            "operator_variant": operator_norm_variant(*ends),
            "imbalance": np.max([imbalance(*pair) for pair in pairs], axis=0),
            "gap": np.max([np.linalg.norm(balance_gap(*pair), ord=2, axis=(-1, -2)) for pair in pairs], axis=0),
        }
    return dict(found)


class _LostError(Exception):
    """Steps were too large: the weights are gone."""


def train_block(
    source: ImageSource,
    machine: Machine,
    cell: tuple[int, float, float, int, int],
    per_class: int,
    steps: int,
    seed: int,
    entropy: int,
    curved: bool,
) -> Columns:
    """Train one network by gradient descent with momentum on tenths of its training set.

    The columns of `measured`, (T,) over the logged iterates, the last one being the end; ``step`` (T,); ``errs``
    (n_test,) bool, which test images are misclassified; ``curvature`` of the loss at the end, if it is asked for. A
    network that is lost has NaN from there on.
    """
    columns, setting, root = image_columns(source), Cell(*cell), as_seed_sequence(entropy)
    network = network_at(setting, columns)
    # A seed has the same training set for all networks, and the same start at every decay and step size.
    inputs = columns.draw(per_class, block_stream(root, "images of weight decay", seed))
    targets = one_hot_targets(np.repeat(np.arange(network.n_classes), per_class), n_classes=network.n_classes)
    start = network.random(
        block_stream(root, "start of weight decay", setting.linear, setting.first, setting.relu, seed)
    )
    # Images have one mean squared norm whatever their size, so the first layer has one scale: that for MNIST.
    start = (start[0] * np.sqrt(columns.n_inputs / _MNIST_INPUTS), *start[1:])
    logged = sorted({int(step) for step in (steps * np.linspace(0.0, 1.0, _N_LOGS + 1) ** 2).round()})
    rows: list[Columns] = []
    end: Weights | None = None

    def watch(step: int, now: Weights) -> None:
        if step in logged:
            if not all(np.abs(one).max() < _LOST for one in now):
                raise _LostError
            rows.append(measured(network, tuple(one.astype(np.float64) for one in now), inputs, targets))

    try:
        end = network.train(
            start,
            inputs,
            targets,
            rate=setting.rate,
            momentum=MOMENTUM,
            steps=steps,
            watch=watch,
            batch=max(1, inputs.shape[-1] // PASS),
            rng=block_stream(root, "batches of weight decay", setting.linear, setting.first, setting.relu, seed),
            machine=machine,
        )
    except _LostError:
        missing = {name: np.full_like(value, np.nan) for name, value in rows[0].items()}
        rows += [missing] * (len(logged) - len(rows))
    found: Columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    wrong = np.ones(len(columns.data.test_labels), dtype=bool)
    curvature = np.nan
    if end is not None:
        # Weights and images in single precision, as in training.
        wrong = network.outputs(end, columns.test).argmax(axis=-2) != columns.data.test_labels
        if curved:
            turn = block_stream(root, "curvature of weight decay", setting.linear, setting.first, setting.relu, seed)
            curvature = network.curvature(end, inputs, targets, rng=turn, machine=machine)
    return {**found, "step": np.array(logged), "errs": wrong, "curvature": np.array(curvature)}


@dataclass(frozen=True)
class Plan:
    """What is trained, see `decay_sweep`: settings of the main sweep, and further ones beside it."""

    main: tuple[Cell, ...]
    rates: tuple[Cell, ...] = ()
    firsts: tuple[Cell, ...] = ()
    relus: tuple[Cell, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All settings, each once."""
        return tuple(dict.fromkeys((*self.main, *self.rates, *self.firsts, *self.relus)))


def decay_sweep(
    plan: Plan,
    *,
    seeds: int,
    per_class: int,
    steps: int,
    source: ImageSource,
    settings: Settings,
    machine: Machine | None = None,
) -> DecaySweep:
    """Train networks of all settings of a plan, `seeds` each, for the time of `steps` steps of size `RATE`."""
    how = machine or Machine()
    for cell in plan.cells:
        for name in ("linear", "relu"):
            check_count(name, getattr(cell, name))
        for name, value in (("decay", cell.decay), ("rate", cell.rate)):
            check_real(name, value, low=0.0, strict=True)
    if not plan.main:
        raise InvalidInputError("`plan` must hold at least one setting, got none.")
    check_count("seeds", seeds)
    check_count("steps", steps)
    jobs = [(cell, seed) for cell in plan.cells for seed in range(seeds)]
    keys = [
        f"linear-{c.linear}-decay-{c.decay:g}-rate-{c.rate:g}-first-{c.first}-relu-{c.relu}-seed-{seed}"
        for c, seed in jobs
    ]
    taken = {cell: max(1, round(steps * RATE / cell.rate)) for cell in plan.cells}
    parts = run_study_blocks(
        train_block,
        {
            key: (source, how, tuple(cell), per_class, taken[cell], seed, settings.seed, cell in plan.rates)
            for key, (cell, seed) in zip(keys, jobs, strict=True)
        },
        store=("weight_decay", "sweep"),
        parameters={
            "cells": [list(cell) for cell in plan.cells],
            "seeds": seeds,
            "steps": steps,
            "momentum": MOMENTUM,
            "width": WIDTH,
            "per_class": per_class,
        },
        settings=settings,
        # The first layer costs most; measuring costs about as much as a hundred steps.
        weights={key: (taken[cell] + 100.0) * (100.0 + cell.first) for key, (cell, _) in zip(keys, jobs, strict=True)},
        needs_torch=True,
        source=source,
        machine=how,
    )
    return _gathered(plan, jobs, list(parts.values()))


def _gathered(plan: Plan, jobs: Sequence[tuple[Cell, int]], parts: Sequence[Columns]) -> DecaySweep:
    import pandas as pd

    tables: list[pd.DataFrame] = []
    ends: list[dict[str, Any]] = []
    for network, ((cell, seed), part) in enumerate(zip(jobs, parts, strict=True)):
        steps = np.asarray(part["step"], dtype=np.int64)
        fixed = {"network": network, **cell._asdict(), "seed": seed, "step": steps}
        time = steps * cell.rate / (1.0 - MOMENTUM)
        logs = {name: column for name, column in part.items() if name not in ("step", "errs", "curvature")}
        tables.append(pd.DataFrame({**fixed, "time": time, **logs}))
        roles = {role: cell in getattr(plan, role) for role in ("main", "rates", "firsts", "relus")}
        ends.append({**roles, "curvature": float(part["curvature"]), "test_error": float(part["errs"].mean())})
    iterates = pd.concat(tables, ignore_index=True)
    networks = iterates.groupby("network").tail(1).set_index("network").drop(columns="step")
    networks = networks.join(pd.DataFrame(ends)).rename_axis(None)
    # Lost too: features that are zero, or one point for all classes.
    lost = ~np.isfinite(networks["nc1"])
    networks.loc[lost, [*logs, "test_error", "curvature"]] = np.nan
    losses = np.stack([np.asarray(part["errs"], dtype=np.float64) for part in parts], axis=1)
    return DecaySweep(networks, iterates, losses)


def _aligned(features: FloatArray, labels: npt.NDArray[np.intp], last: FloatArray) -> FloatArray:
    """NC3, NaN where a feature or a row of the last layer is zero, as of an example that no unit responds to."""
    alive = (np.abs(features).max(axis=-1) > 0).all(axis=-1) & (np.abs(last).max(axis=-1) > 0).all(axis=-1)
    found = np.full(alive.shape, np.nan)
    if alive.any():
        found[alive] = alignment(features[alive], labels, last[alive])
    return found
