"""Random convex objectives."""

import numpy as np

from moltheory.objectives import ConvexObjectives, QuadraticObjectives


def quadratics(rng, *, n=2, d=4, batch=(), rank=None):
    factors = rng.standard_normal((*batch, n, d, rank or 2 * d))
    curvature = factors @ np.swapaxes(factors, -1, -2) / factors.shape[-1]
    return QuadraticObjectives(curvature, rng.standard_normal((*batch, n, d)), rng.random((*batch, n)))


def examples(rng, *, n=60, d=3, tasks=2, batch=()):
    x = [rng.standard_normal((*batch, n + 5 * k, d)) for k in range(tasks)]
    truth = rng.standard_normal((tasks, d))
    y = [(rng.random(a.shape[:-1]) < 1.0 / (1.0 + np.exp(-a @ t))).astype(float) for a, t in zip(x, truth, strict=True)]
    return x, y


def convex(rng, *, losses="logistic", ridge=0.01, ball=None, **shape):
    x, y = examples(rng, **shape)
    return ConvexObjectives(x, y, losses=losses, ridge=ridge, ball=ball)


def weight_path(k):
    t = np.linspace(0.0, 1.0, k)
    return np.stack([t, 1.0 - t], axis=1)
