"""Training of networks for two classes over depths and regularisation, against the closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.reports import Settings
from moltheory.runs import RunFolder, as_seed_sequence, block_stream, run_blocks
from moltheory.studies._collapse import mean_condition_number, variability
from moltheory.studies._deep_features import DeepFeatures, Layers
from moltheory.studies._descent import descend, polish
from moltheory.studies.unconstrained_features._reduced import ReducedLoss, least_norm_product

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["model_at", "norm_spread", "train_block", "training_sweep"]

N_CLASSES = 2
PER_CLASS = 5
WIDTH = 8
RATE = 0.05
# How close in loss a polished network is to a branch of the closed form to be called by its name. L-BFGS is not made
# for the kinks of ReLU and stops up to 1e-7 short of some optima.
NEAR = 1e-6
_LOGGED = 100
_RESTARTS = 5


def model_at(depth: int, ratio: float) -> DeepFeatures:
    """Return the model of two classes whose factors, all equal, are `ratio` times the critical ones.

    Parameters
    ----------
    depth : int
        Layers L >= 2.
    ratio : float
        > 0; below 1 the optimum is not zero.

    Returns
    -------
    DeepFeatures
        Five examples per class, eight hidden units.

    Examples
    --------
    >>> model = model_at(3, 0.5)
    >>> round(ReducedLoss.of_model(model).scale, 4)
    0.8526
    """
    check_real("ratio", ratio, low=0.0, strict=True)
    critical = ReducedLoss(N_CLASSES, check_count("depth", depth, low=2), 1.0).critical_product
    factor = ratio * (critical / PER_CLASS) ** (1.0 / (depth + 1))
    return DeepFeatures(
        n_classes=N_CLASSES, per_class=PER_CLASS, depth=depth, width=WIDTH, regularization=float(factor)
    )


def norm_spread(model: DeepFeatures, layers: Layers, /) -> FloatArray:
    """Return the largest over the smallest factor times squared norm of H_1, W_1, ..., W_L, less 1.

    Zero at an optimum; NaN for networks that are zero.

    Examples
    --------
    >>> model = model_at(3, 0.5)
    >>> float(norm_spread(model, (2 * np.eye(8, 10), np.eye(8), np.eye(8), np.eye(2, 8)))) > 10
    True
    """
    parts = model.squared_norms(layers) * model.factors
    small = parts.min(axis=-1)
    alive = small > 1e-12
    return np.where(alive, parts.max(axis=-1) / np.where(alive, small, 1.0) - 1.0, np.nan)


def train_block(depth: int, ratio: float, seeds: int, steps: int, entropy: int) -> dict[str, npt.NDArray[np.generic]]:
    """Train networks at one depth and regularisation: gradient descent for all at once, then L-BFGS for each.

    Returns
    -------
    dict of str to ndarray
        One row per seed. Names without suffix are after L-BFGS, those ending in ``_descent`` before it: ``loss``,
        ``spread`` (`norm_spread`), ``fit``, ``squares`` (squared norms of H_1, W_1, ..., W_L); ``nc1`` and
        ``condition`` of H_1 and the L - 1 activations; ``checked`` and ``product_ratio``: how many logged iterates of
        gradient descent and the end of L-BFGS are in the reach of `least_norm_product`, and the smallest ratio of
        their product of norms to it.
    """
    model = model_at(depth, ratio)
    root = as_seed_sequence(entropy)
    starts = [model.random(block_stream(root, "unconstrained features", depth, seed)) for seed in range(seeds)]
    layers = tuple(np.stack(parts) for parts in zip(*starts, strict=True))
    checked = np.zeros(seeds, dtype=np.int64)
    lowest = np.full(seeds, np.inf)

    def watch(_: int, now: Layers) -> None:
        fit = model.fit(now)
        inside = fit <= 1.0 / (2 * depth**2)
        checked[inside] += 1
        if inside.any():
            product = model.squared_norms(now)[inside].prod(axis=-1)
            ratios = product / least_norm_product(fit[inside], depth=depth, per_class=PER_CLASS)
            lowest[inside] = np.minimum(lowest[inside], ratios)

    descended = descend(model, layers, rate=RATE, steps=steps, log_every=_LOGGED, watch=watch)
    ends = [_polished(model, tuple(one[r] for one in descended)) for r in range(seeds)]
    polished = tuple(np.stack(parts) for parts in zip(*(found for found, _ in ends), strict=True))
    watch(0, polished)
    return {
        **{f"{name}_descent": column for name, column in _measured(model, descended).items()},
        **_measured(model, polished),
        "stationary": np.array([stopped for _, stopped in ends]),
        "checked": checked,
        "product_ratio": lowest,
    }


def training_sweep(
    depths: tuple[int, ...], ratios: tuple[float, ...], *, seeds: int, steps: int, settings: Settings
) -> pd.DataFrame:
    """Train at all depths and ratios, and compare every network with the closed form.

    Parameters
    ----------
    depths : tuple of int
        Layers L >= 2.
    ratios : tuple of float
        Factors as multiples of the critical ones.
    seeds : int
        Networks per depth and ratio; the start of a seed is the same at all ratios.
    steps : int
        Of gradient descent.
    settings : Settings

    Returns
    -------
    pandas.DataFrame
        One row per network: ``depth``, ``ratio``, ``factor``, ``seed``, ``optimum`` (closed form), ``loss_descent``,
        ``loss``, ``gap_descent`` and ``gap`` (less the optimum), ``learned`` (classes, by the branch of
        `ReducedLoss.branch_loss` that the loss is on; -1 if none), ``is_optimal``, ``scale`` (1 - sqrt(2 fit)),
        ``fit``, ``norms``, ``stationary``, the worst ``nc1``, ``condition`` (less 1) over the layers and ``spread``,
        before and after L-BFGS, ``checked``, ``product_ratio``, and per layer ``square_0``... and ``nc1_0``...
    """
    cells = [(depth, ratio) for depth in depths for ratio in ratios]
    folder = None
    path = settings.store_for("unconstrained_features", "sweep")
    if path is not None:
        parameters = {
            "study": "unconstrained features",
            "depths": list(depths),
            "ratios": list(ratios),
            "seeds": seeds,
            "steps": steps,
            "rate": RATE,
            "width": WIDTH,
            "per_class": PER_CLASS,
        }
        keys = [f"depth-{depth}-ratio-{ratio:g}" for depth, ratio in cells]
        folder = RunFolder.open(path, parameters=parameters, rng=settings.seed, keys=keys)
    parts = run_blocks(
        train_block,
        [(depth, ratio, seeds, steps, settings.seed) for depth, ratio in cells],
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        description="unconstrained features",
        weights=[float(depth) for depth, _ in cells],
        store=folder,
    )
    return _table(cells, parts)


def _polished(model: DeepFeatures, layers: Layers) -> tuple[Layers, bool]:
    """L-BFGS from where L-BFGS stopped, until that gains nothing: a kink of ReLU can end one run early."""
    loss = float(model.loss(layers))
    for _ in range(_RESTARTS):
        layers, stationary = polish(model, layers)
        before, loss = loss, float(model.loss(layers))
        if before - loss <= 1e-14:
            break
    return layers, stationary


def _measured(model: DeepFeatures, layers: Layers) -> dict[str, npt.NDArray[np.generic]]:
    features = [np.swapaxes(one, -1, -2) for one in model.activations(layers)]
    return {
        "loss": model.loss(layers),
        "fit": model.fit(layers),
        "squares": model.squared_norms(layers),
        "spread": norm_spread(model, layers),
        "nc1": np.stack([variability(one, model.labels) for one in features], axis=-1),
        "condition": np.stack([mean_condition_number(one, model.labels) for one in features], axis=-1),
    }


def _table(cells: list[tuple[int, float]], parts: list[dict[str, npt.NDArray[np.generic]]]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([_rows(*cell, part) for cell, part in zip(cells, parts, strict=True)], ignore_index=True)


def _rows(depth: int, ratio: float, part: Mapping[str, npt.NDArray[np.generic]]) -> pd.DataFrame:
    import pandas as pd

    model = model_at(depth, ratio)
    closed = ReducedLoss.of_model(model)
    values = {name: np.asarray(column, dtype=np.float64) for name, column in part.items()}
    branches = np.array([closed.branch_loss(learned) for learned in range(N_CLASSES + 1)])
    distance = np.abs(values["loss"][:, None] - branches)
    distance[np.isnan(distance)] = np.inf
    nearest = distance.argmin(axis=1)
    learned = np.where(distance.min(axis=1) <= NEAR, nearest, -1)
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
        }
    columns |= {f"square_{k}": column for k, column in enumerate(values["squares"].T)}
    for end in ("_descent", ""):
        columns |= {f"nc1{end}_{k}": column for k, column in enumerate(values[f"nc1{end}"].T)}
        columns |= {f"condition{end}_{k}": column for k, column in enumerate(values[f"condition{end}"].T)}
    return pd.DataFrame(columns)
