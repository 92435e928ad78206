"""Training under a budget for the norms: an ε-constraint on networks, where no weighted sum of them goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.reports import Settings
from moltheory.runs import RunFolder, as_seed_sequence, block_stream, run_blocks
from moltheory.studies._deep_features import DeepFeatures, Layers
from moltheory.studies.unconstrained_features._configurations import separated_layers
from moltheory.studies.unconstrained_features._reduced import ReducedLoss
from moltheory.studies.unconstrained_features._trade_off import collapsed_fit
from moltheory.studies.unconstrained_features._training import model_at

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["budget_block", "budget_sweep", "fit_within"]

_NOISE = 0.05


def fit_within(
    model: DeepFeatures, layers: Layers, /, *, budget: float, stiffness: float = 100.0, iterations: int = 5000
) -> Layers:
    r"""Minimise the fit while the norms stay near a budget.

    With f_1 the fit and f_2 half the sum of factors times squared norms, L-BFGS minimises
    :math:`f_1 + \frac s2 \max(0, f_2 - b)^2`. Where it stops, f_1 is stationary among networks of equal f_2, which is
    above b by the multiplier of the constraint over the stiffness s.

    Parameters
    ----------
    model : DeepFeatures
    layers : Layers
        Starting point without leading axes; not changed.
    budget : float
        b > 0.
    stiffness : float, default 100.0
        s > 0.
    iterations : int, default 5000
        At most this many.

    Returns
    -------
    Layers

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Examples
    --------
    >>> model = DeepFeatures(n_classes=2, per_class=5, depth=2, width=4, regularization=0.01)
    >>> start = separated_layers(model, 0.5)
    >>> spent = float(model.loss(start) - model.fit(start))
    >>> found = fit_within(model, start, budget=spent, stiffness=1e4)
    >>> round(float(model.fit(start)), 4), round(float(model.fit(found)), 4)
    (0.125, 0.1123)
    """
    from scipy.optimize import minimize

    check_real("budget", budget, low=0.0, strict=True)
    check_real("stiffness", stiffness, low=0.0, strict=True)
    check_count("iterations", iterations)

    def value(vector: FloatArray) -> tuple[float, FloatArray]:
        at = model.split(vector)
        loss, fit = float(model.loss(at)), float(model.fit(at))
        over = max(0.0, loss - fit - budget)
        # The model's gradient holds that of the norms once; the penalty wants it times s (f_2 - b).
        slope = model.gradients(at)
        missing = stiffness * over - 1.0
        parts = [g + missing * f * one for g, f, one in zip(slope, model.factors, at, strict=True)]
        return fit + stiffness * over**2 / 2.0, model.joined(tuple(parts))

    options = {"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 0.0, "gtol": 1e-9, "maxcor": 30}
    found = minimize(value, model.joined(layers), jac=True, method="L-BFGS-B", options=options)
    return model.split(np.asarray(found.x))


def budget_block(
    depth: int, ratio: float, scale: float, seeds: int, entropy: int
) -> dict[str, npt.NDArray[np.generic]]:
    """Train with the norms of a collapsed network of one scale as the budget.

    Returns
    -------
    dict of str to ndarray
        ``fit`` and ``norms``, (2, seeds): from the collapsed network with noise, and from random layers.
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
    """Train under the norms of collapsed networks of several scales.

    Parameters
    ----------
    depth : int
        Layers L >= 2.
    ratio : float
        Factors as a multiple of the critical ones; sets the unit of the norms.
    scales : tuple of float
        In (0, 1).
    seeds : int
    settings : Settings

    Returns
    -------
    pandas.DataFrame
        One row per network: ``budget_scale``, ``start`` (collapsed or random), ``seed``, ``fit``, ``norms``,
        ``collapsed_fit`` (of a collapsed network with the same norms) and ``gain``, the latter less the fit: positive
        where the network dominates the collapsed one.
    """
    import pandas as pd

    folder = None
    path = settings.store_for("unconstrained_features", "budgets")
    if path is not None:
        parameters = {"study": "norm budgets", "depth": depth, "ratio": ratio, "scales": list(scales), "seeds": seeds}
        keys = [f"scale-{scale:g}" for scale in scales]
        folder = RunFolder.open(path, parameters=parameters, rng=settings.seed, keys=keys)
    parts = run_blocks(
        budget_block,
        [(depth, ratio, scale, seeds, settings.seed) for scale in scales],
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        description="norm budgets",
        store=folder,
    )
    closed = ReducedLoss.of_model(model_at(depth, ratio))
    rows = []
    for scale, part in zip(scales, parts, strict=True):
        for row, start in enumerate(("collapsed", "random")):
            fit, norms = part["fit"][row].astype(np.float64), part["norms"][row].astype(np.float64)
            collapsed = collapsed_fit(closed, norms)
            columns = {"fit": fit, "norms": norms, "collapsed_fit": collapsed, "gain": collapsed - fit}
            rows.append(pd.DataFrame({"budget_scale": scale, "start": start, "seed": np.arange(seeds), **columns}))
    return pd.concat(rows, ignore_index=True)
