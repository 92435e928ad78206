"""Training of the deep unconstrained-features model: gradient descent for all replicates at once, and L-BFGS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.studies._deep_features import DeepFeatures, Layers

__all__ = ["descend", "polish"]


def descend(
    model: DeepFeatures,
    layers: Layers,
    /,
    *,
    rate: float,
    steps: int,
    log_every: int = 0,
    watch: Callable[[int, Layers], None] | None = None,
) -> Layers:
    """Take steps of plain gradient descent from layers with any leading axes.

    Parameters
    ----------
    model : DeepFeatures
    layers : Layers
        Starting point; not changed.
    rate : float
        Step size, > 0; large ones diverge.
    steps : int
        Number of steps, >= 1.
    log_every : int, default 0
        How often to call `watch`; 0 is never.
    watch : callable, optional
        Called with the number of steps taken and the layers, at the start, every `log_every` steps and at the end.

    Returns
    -------
    Layers

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Examples
    --------
    >>> model = DeepFeatures(n_classes=2, per_class=1, depth=2, width=3, regularization=0.01)
    >>> start = model.random(np.random.default_rng(0))
    >>> bool(model.loss(descend(model, start, rate=0.1, steps=50)) < model.loss(start))
    True
    """
    check_real("rate", rate, low=0.0, strict=True)
    check_count("steps", steps)
    check_count("log_every", log_every, low=0)
    now = tuple(np.array(one) for one in layers)
    seen = log_every > 0 and watch is not None
    for step in range(steps):
        if seen and watch is not None and step % log_every == 0:
            watch(step, now)
        now = tuple(one - rate * slope for one, slope in zip(now, model.gradients(now), strict=True))
    if seen and watch is not None:
        watch(steps, now)
    return now


def polish(model: DeepFeatures, layers: Layers, /, *, iterations: int = 5000) -> tuple[Layers, bool]:
    """Minimise by L-BFGS from one starting point without leading axes.

    Parameters
    ----------
    model : DeepFeatures
    layers : Layers
        Without leading axes.
    iterations : int, default 5000
        At most this many.

    Returns
    -------
    layers : Layers
        Where it stopped.
    stationary : bool
        Whether it stopped because no further decrease was found, not because iterations ran out.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Examples
    --------
    >>> model = DeepFeatures(n_classes=2, per_class=5, depth=3, width=4, regularization=0.02)
    >>> best, stationary = polish(model, model.random(np.random.default_rng(0)))
    >>> round(float(model.loss(best)), 8)
    0.11778207
    """
    from scipy.optimize import minimize

    check_count("iterations", iterations)

    def value(vector: FloatArray) -> tuple[float, FloatArray]:
        at = model.split(vector)
        return float(model.loss(at)), model.joined(model.gradients(at))

    options = {"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 0.0, "gtol": 1e-10, "maxcor": 30}
    found = minimize(value, model.joined(layers), jac=True, method="L-BFGS-B", options=options)
    return model.split(np.asarray(found.x)), found.status != 1
