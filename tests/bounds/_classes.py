"""The bounds of classes, one row each: a new one gets the tests of monotonicity, objectives and levels by a row."""

import math
from functools import partial

import numpy as np

from moltheory.bounds import (
    bernstein_class,
    finite_class,
    finite_prior,
    kl_class,
    linear_class,
    lipschitz_class,
    margin_class,
    multi_output_class,
    pac_bayes_kl,
    pac_bayes_split_kl,
    rademacher,
    relative_deviation_class,
    relative_deviation_vc,
    vc,
)


def _count(n, n_objectives):
    return n_objectives if np.ndim(n) == 0 else len(n)


def _sizes(n, n_objectives):
    return np.broadcast_to(np.asarray(n, dtype=float), (_count(n, n_objectives),))


# bound(n, *, delta, n_objectives=1) for n a size or one per objective.
LINEAR = partial(linear_class, lipschitz=1.0, weight_norm=1.0, input_norm=1.0)
CLASSES = {
    "finite": partial(finite_class, n_hypotheses=50),
    "prior": partial(finite_prior, prior=[0.7, 0.2, 0.1]),
    "vc": partial(vc, dimension=3),
    "rademacher": partial(rademacher, complexity=0.1),
    "empirical": partial(rademacher, complexity=0.1, empirical=True),
    "l2": LINEAR,
    "l1": partial(LINEAR, norm="l1", dimension=20),
    "lipschitz": partial(lipschitz_class, lipschitz=1.0, dimension=2),
    "margin": partial(margin_class, margin=0.3, weight_norm=1.0, input_norm=1.0),
    "outputs": partial(multi_output_class, lipschitz=1.0, weight_norm=1.0, input_norm=1.0, n_outputs=3),
    "kl": lambda n, *, delta, n_objectives=1: kl_class(np.full((2, _count(n, n_objectives)), 0.2), n, delta=delta),
    "relative": lambda n, *, delta, n_objectives=1: relative_deviation_class(
        np.full((2, _count(n, n_objectives)), 0.2), n, delta=delta
    ),
    "relative-vc": lambda n, *, delta, n_objectives=1: relative_deviation_vc(
        np.full((2, _count(n, n_objectives)), 0.2), n, dimension=3, delta=delta
    ),
    "bernstein": lambda n, *, delta, n_objectives=1: bernstein_class(
        np.where(_sizes(n, n_objectives) < math.inf, 0.1, 0.0)[None], n, delta=delta
    ),
    "pac-bayes": lambda n, *, delta, n_objectives=1: pac_bayes_kl(
        np.full(_count(n, n_objectives), 0.2), n, divergence=2.0, delta=delta
    ),
    "pac-bayes, parts": lambda n, *, delta, n_objectives=1: pac_bayes_split_kl(
        np.full((2, _count(n, n_objectives)), 0.1), n, divergence=2.0, delta=delta
    ),
}
# bound(k, n, *, n_hypotheses, delta) of one hypothesis that errs k times, valid for all hypotheses at once.
OF_ONE = {
    "finite": lambda k, n, **size: finite_class(n, **size),
    "kl": lambda k, n, **size: kl_class([k / n], n, **size),
    "relative": lambda k, n, **size: relative_deviation_class([k / n], n, **size),
    "bernstein or hoeffding": lambda k, n, **size: bernstein_class(
        [k * (n - k) / (n * (n - 1))], n, uniform_share=0.5, **size
    ),
    "bernstein": lambda k, n, **size: bernstein_class([k * (n - k) / (n * (n - 1))], n, **size),
    "pac-bayes": lambda k, n, *, n_hypotheses, delta: pac_bayes_kl(
        [k / n], n, divergence=math.log(n_hypotheses), delta=delta
    ),
}
