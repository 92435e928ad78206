"""Training of networks for two classes: over depths and regularization, and under a budget for the norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import mean_condition_number, outside_means, variability
from moltheory.studies._deep_features import DeepFeatures, Layers, descend, polish, stacked
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.unconstrained_features._model import (
    ReducedLoss,
    collapsed_fit,
    least_norm_product,
    separated_layers,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "NEAR",
    "N_CLASSES",
    "PER_CLASS",
    "RATE",
    "WIDTH",
    "budget_sweep",
    "fit_within",
    "model_at",
    "norm_spread",
    "training_sweep",
]

N_CLASSES = 2
PER_CLASS = 5
WIDTH = 8
RATE = 0.05
# How close in loss a polished network is to a branch of the closed form to be called by its name. L-BFGS is not made
# for the kinks of ReLU and stops up to 1e-7 short of some optima.
NEAR = 1e-6
_LOGGED = 100
_RESTARTS = 5
# Of the start of training under a budget, in shares of each layer's largest entry.
_NOISE = 0.05


def model_at(depth: int, ratio: float, *, width: int = WIDTH) -> DeepFeatures:
    """Return the model of two classes with factors `ratio` > 0 times the critical one; below 1 the optimum is not zero."""
    check_real("ratio", ratio, low=0.0, strict=True)
    critical = ReducedLoss(N_CLASSES, check_count("depth", depth, low=2), 1.0).critical_product
    factor = ratio * (critical / PER_CLASS) ** (1.0 / (depth + 1))
    return DeepFeatures(
        n_classes=N_CLASSES, per_class=PER_CLASS, depth=depth, width=width, regularization=float(factor)
    )


def norm_spread(model: DeepFeatures, layers: Layers, /) -> FloatArray:
    """Return the largest over the smallest factor times squared norm of a layer, less 1: 0 at an optimum.

    NaN for networks that are zero.
    """
    parts = model.squared_norms(layers) * model.factors
    small = parts.min(axis=-1)
    alive = small > 1e-12
    return np.where(alive, parts.max(axis=-1) / np.where(alive, small, 1.0) - 1.0, np.nan)


def descent_block(depth: int, ratios: tuple[float, ...], seeds: int, steps: int, entropy: int) -> Columns:
    """Train networks of one depth by gradient descent, those of all R ratios and S seeds at once.

    ``layers`` (R, S, P), see `DeepFeatures.joined`; ``checked`` and ``product_ratio`` (R, S): how many logged iterates
    are in the reach of `least_norm_product`, and the smallest ratio of their product of norms to it.
    """
    root = as_seed_sequence(entropy)
    models = [model_at(depth, ratio) for ratio in ratios]
    model = models[0]
    # The start of a seed is the same at all ratios.
    starts = stacked([model.random(block_stream(root, "unconstrained features", depth, s)) for s in range(seeds)])
    checked = np.zeros((len(ratios), seeds), dtype=np.int64)
    lowest = np.full((len(ratios), seeds), np.inf)

    def watch(_: int, now: Layers) -> None:
        _check_product(model, now, checked, lowest)

    layers = descend(
        model,
        tuple(np.broadcast_to(one, (len(ratios), *one.shape)) for one in starts),
        rate=RATE,
        steps=steps,
        factors=np.stack([one.factors for one in models])[:, None],
        log_every=_LOGGED,
        watch=watch,
    )
    return {"layers": model.joined(layers), "checked": checked, "product_ratio": lowest}


def polish_block(depth: int, ratio: float, descended: Mapping[str, npt.NDArray[Any]]) -> Columns:
    """Continue S networks of one depth and ratio, a row of `descent_block`, by L-BFGS.

    One row per seed: ``loss``, ``spread`` (`norm_spread`), ``fit``, ``squares`` (of H_1, W_1, ..., W_L), ``nc1`` and
    ``condition`` of H_1 and the L - 1 activations, ``outside`` (`outside_means` of the worst layer), ``checked`` and
    ``product_ratio``; those ending in ``_descent`` are before L-BFGS.
    """
    model = model_at(depth, ratio)
    before = model.split(descended["layers"])
    ends = [_polished(model, tuple(one[r] for one in before)) for r in range(len(descended["layers"]))]
    polished = stacked([found for found, _ in ends])
    checked, lowest = descended["checked"].copy(), descended["product_ratio"].copy()
    _check_product(model, polished, checked, lowest)
    return {
        **{f"{name}_descent": column for name, column in _measured(model, before).items()},
        **_measured(model, polished),
        "stationary": np.array([stopped for _, stopped in ends]),
        "checked": checked,
        "product_ratio": lowest,
    }


def training_sweep(
    depths: tuple[int, ...], ratios: tuple[float, ...], *, seeds: int, steps: int, settings: Settings
) -> pd.DataFrame:
    """Train at all depths and ratios, and compare every network with the closed form: one row per network.

    ``depth``, ``ratio``, ``factor``, ``seed``, ``optimum`` (closed form), ``loss_descent``, ``loss``, ``gap_descent``
    and ``gap`` (less the optimum), ``learned`` (classes, by the branch of `ReducedLoss.branch_loss` that the loss is
    on; -1 if none), ``is_optimal``, ``scale`` (1 - sqrt(2 fit)), ``fit``, ``norms``, ``stationary``, the worst
    ``nc1``, ``condition`` (less 1) and ``outside`` over the layers and ``spread``, before and after L-BFGS, ``checked``,
    ``product_ratio``, and per layer ``square_0``... and ``nc1_0``...
    """
    import pandas as pd

    same = {"seeds": seeds, "rate": RATE, "width": WIDTH, "per_class": PER_CLASS, "ratios": ratios}
    parameters = {"depths": depths, "steps": steps, **same}
    descended = run_study_blocks(
        descent_block,
        {f"depth-{depth}": (depth, ratios, seeds, steps, settings.seed) for depth in depths},
        store=("unconstrained_features", "descent"),
        parameters=parameters,
        settings=settings,
        weights={f"depth-{depth}": float(depth) for depth in depths},
        needs_torch=True,
    )
    cells = [(depth, k) for depth in depths for k in range(len(ratios))]
    starts = [{name: column[k] for name, column in descended[f"depth-{depth}"].items()} for depth, k in cells]
    keys = [f"depth-{depth}-ratio-{ratios[k]:g}" for depth, k in cells]
    parts = run_study_blocks(
        polish_block,
        {key: (depth, ratios[k], start) for key, (depth, k), start in zip(keys, cells, starts, strict=True)},
        store=("unconstrained_features", "sweep"),
        parameters=parameters,
        settings=settings,
        weights={key: float(depth) for key, (depth, _) in zip(keys, cells, strict=True)},
        needs_torch=True,
    )
    rows = [_rows(depth, ratios[k], part) for (depth, k), part in zip(cells, parts.values(), strict=True)]
    return pd.concat(rows, ignore_index=True)


def fit_within(
    model: DeepFeatures, layers: Layers, /, *, budget: float, stiffness: float = 100.0, iterations: int = 5000
) -> Layers:
    r"""Minimise the fit while the norms stay near a budget: an ε-constraint on networks, layers without leading axes.

    With f_1 the fit and f_2 half the sum of factors times squared norms, L-BFGS minimises
    :math:`f_1 + \frac s2 \max(0, f_2 - b)^2`. Where it stops, f_1 is stationary among networks of equal f_2, which is
    above the budget b by the multiplier of the constraint over the stiffness s.
    """
    check_real("budget", budget, low=0.0, strict=True)
    check_real("stiffness", stiffness, low=0.0, strict=True)

    def penalised(fit: Any, norms: Any) -> Any:
        return fit + stiffness / 2.0 * (norms - budget).relu() ** 2

    return polish(model, layers, penalised, iterations=iterations, tolerance=1e-9)[0]


def budget_block(depth: int, ratio: float, scale: float, seeds: int, entropy: int) -> Columns:
    """Train with the norms of a collapsed network of one scale as the budget.

    ``fit`` and ``norms`` are (2, seeds): from the collapsed network with noise, and from random layers.
    """
    model = model_at(depth, ratio)
    budget = float(ReducedLoss.of_model(model).norms(scale))
    root = as_seed_sequence(entropy)
    found = np.empty((2, 2, seeds))
    for seed in range(seeds):
        rng = block_stream(root, "norm budgets", depth, round(1e6 * scale), seed)
        collapsed = separated_layers(model, scale)
        noisy = tuple(one + _NOISE * np.abs(one).max() * rng.normal(size=one.shape) for one in collapsed)
        for row, start in enumerate((noisy, model.random(rng))):
            end = fit_within(model, start, budget=budget)
            fit = float(model.fit(end))
            found[:, row, seed] = fit, float(model.loss(end)) - fit
    return {"fit": found[0], "norms": found[1]}


def budget_sweep(
    depth: int, ratio: float, scales: tuple[float, ...], *, seeds: int, settings: Settings
) -> pd.DataFrame:
    """Train under the norms of collapsed networks of several scales in (0, 1); the ratio sets the unit of the norms.

    One row per network: ``budget_scale``, ``start`` (collapsed or random), ``seed``, ``fit``, ``norms``,
    ``collapsed_fit`` (of a collapsed network with the same norms) and ``gain``, the latter less the fit: positive
    where the network dominates the collapsed one.
    """
    import pandas as pd

    parts = run_study_blocks(
        budget_block,
        {f"scale-{scale:g}": (depth, ratio, scale, seeds, settings.seed) for scale in scales},
        store=("unconstrained_features", "budgets"),
        parameters={"depth": depth, "ratio": ratio, "scales": scales, "seeds": seeds},
        settings=settings,
        needs_torch=True,
    )
    closed = ReducedLoss.of_model(model_at(depth, ratio))
    rows = []
    for scale, part in zip(scales, parts.values(), strict=True):
        for row, start in enumerate(("collapsed", "random")):
            fit, norms = part["fit"][row].astype(np.float64), part["norms"][row].astype(np.float64)
            collapsed = collapsed_fit(closed, norms)
            columns = {"fit": fit, "norms": norms, "collapsed_fit": collapsed, "gain": collapsed - fit}
            rows.append(pd.DataFrame({"budget_scale": scale, "start": start, "seed": np.arange(seeds), **columns}))
    return pd.concat(rows, ignore_index=True)


def _check_product(
    model: DeepFeatures, now: Layers, checked: npt.NDArray[np.int64], lowest: npt.NDArray[np.float64]
) -> None:
    """Count the networks in the reach of `least_norm_product`, and keep the smallest ratio to it, in place."""
    fit = model.fit(now)
    inside = fit <= 1.0 / (2 * model.depth**2)
    checked[inside] += 1
    if inside.any():
        product = model.squared_norms(now)[inside].prod(axis=-1)
        ratios = product / least_norm_product(fit[inside], depth=model.depth, per_class=PER_CLASS)
        lowest[inside] = np.minimum(lowest[inside], ratios)


def _polished(model: DeepFeatures, layers: Layers) -> tuple[Layers, bool]:
    """L-BFGS from where L-BFGS stopped, until that gains nothing: a kink of ReLU can end one run early."""
    loss = float(model.loss(layers))
    for _ in range(_RESTARTS):
        layers, stationary = polish(model, layers)
        before, loss = loss, float(model.loss(layers))
        if before - loss <= 1e-14:
            break
    return layers, stationary


def _measured(model: DeepFeatures, layers: Layers) -> Columns:
    features = [np.swapaxes(one, -1, -2) for one in model.activations(layers)]
    return {
        "loss": model.loss(layers),
        "fit": model.fit(layers),
        "squares": model.squared_norms(layers),
        "spread": norm_spread(model, layers),
        "nc1": np.stack([variability(one, model.labels) for one in features], axis=-1),
        "condition": np.stack([mean_condition_number(one, model.labels) for one in features], axis=-1),
        "outside": np.max(
            [outside_means(weight, one, model.labels) for weight, one in zip(layers[1:], features, strict=True)], axis=0
        ),
    }


def _rows(depth: int, ratio: float, part: Columns) -> pd.DataFrame:
    import pandas as pd

    model = model_at(depth, ratio)
    closed = ReducedLoss.of_model(model)
    values = {name: np.asarray(column, dtype=np.float64) for name, column in part.items()}
    branches = np.array([closed.branch_loss(learned) for learned in range(N_CLASSES + 1)])
    distance = np.abs(values["loss"][:, None] - branches)
    distance[np.isnan(distance)] = np.inf
    learned = np.where(distance.min(axis=1) <= NEAR, distance.argmin(axis=1), -1)
    columns: dict[str, object] = {
        "depth": depth,
        "ratio": ratio,
        "factor": float(model.factors[0]),
        "seed": np.arange(len(learned)),
        "optimum": closed.minimum,
        "learned": learned,
        "is_optimal": values["loss"] - closed.minimum <= NEAR,
        "scale": 1.0 - np.sqrt(2.0 * values["fit"]),
        "fit": values["fit"],
        # At factors of 1, so that networks trained with different ones can be compared.
        "norms": values["squares"].sum(axis=1) / 2.0,
        "stationary": part["stationary"],
        "checked": part["checked"],
        "product_ratio": values["product_ratio"],
    }
    for end in ("_descent", ""):
        columns |= {
            f"loss{end}": values[f"loss{end}"],
            f"gap{end}": values[f"loss{end}"] - closed.minimum,
            f"nc1{end}": values[f"nc1{end}"].max(axis=1),
            f"condition{end}": values[f"condition{end}"].max(axis=1) - 1.0,
            f"spread{end}": values[f"spread{end}"],
            f"outside{end}": values[f"outside{end}"],
        }
    columns |= {f"square_{k}": column for k, column in enumerate(values["squares"].T)}
    for end in ("_descent", ""):
        for name in ("nc1", "condition"):
            columns |= {f"{name}{end}_{k}": column for k, column in enumerate(values[f"{name}{end}"].T)}
    return pd.DataFrame(columns)
