"""The paper's two explanations in theory as tables: the linearized recursion with its rate, and optimal kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.images import ImageSource
from moltheory.studies.gradient_outer_product._images import image_split
from moltheory.studies.gradient_outer_product._linearized import (
    RELU_IDENTITY,
    finite_size_gap,
    laplace_identity,
    linearized_features,
    linearized_rate,
)
from moltheory.studies.gradient_outer_product._model import collapsed_kernel_value, optimal_kernel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["finite_sizes", "linearized_layers", "optimal_kernels"]

_BANDWIDTH = 2.0
_DIMENSIONS = (100, 200, 400)
_REPEATS = 5
_KERNELS = ((2, 3, 0.5), (3, 2, 0.1), (4, 2, 1.0), (5, 2, 0.3))


def linearized_layers(source: ImageSource, *, entropy: int, seeds: int, n_train: int, depth: int) -> pd.DataFrame:
    r"""Return the linearized recursion on subsets of the images, one row per seed and layer.

    ``tangent``, ``bound`` (the first tangent times the proven factors), ``nc1`` behind M^{1/2}, ``nc1_phi``; ``limit``
    is the factor on tangents that layers tend to and ``most`` the largest that is possible,
    :math:`\lambda / (\lambda + b)`. The kernel is Laplace's of bandwidth 2, the map ReLU's.
    """
    import pandas as pd

    kernel = laplace_identity(_BANDWIDTH)
    tables = []
    for seed in range(seeds):
        x, labels, _, _ = image_split(source, entropy, seed, n_train, 1)
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        found = linearized_features(x @ x.T, labels, kernel_identity=kernel, map_identity=RELU_IDENTITY, depth=depth)
        limit = linearized_rate(len(x), int(labels.max()) + 1, kernel_identity=kernel, map_identity=RELU_IDENTITY)
        tables.append(
            pd.DataFrame(
                {
                    "seed": seed,
                    "layer": np.arange(1, depth + 1),
                    "tangent": found.tangents,
                    "bound": found.tangents[0] * np.cumprod([1.0, *found.factors]),
                    "nc1": found.variability,
                    "nc1_phi": found.feature_variability,
                    "limit": limit,
                    "most": kernel / (kernel + RELU_IDENTITY),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def finite_sizes(entropy: int, *, dimensions: tuple[int, ...] = _DIMENSIONS, repeats: int = _REPEATS) -> pd.DataFrame:
    """Return by ``dimension`` and ``seed`` the ``gap`` of log NC1 between the real first layer and the linearized one."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "dimension": d,
                "seed": seed,
                "gap": finite_size_gap(d, bandwidth=_BANDWIDTH, rng=np.random.SeedSequence([entropy, seed])),
            }
            for d in dimensions
            for seed in range(repeats)
        ]
    )


def optimal_kernels() -> pd.DataFrame:
    """Return the solver's optimal kernels for labels of 0 and 1 beside the collapsed kernel.

    ``value`` and ``collapsed_value``, and ``deviation``, the largest difference of an entry.
    """
    import pandas as pd

    rows = []
    for n_classes, per_class, ridge in _KERNELS:
        targets = np.repeat(np.eye(n_classes), per_class, axis=0)
        kernel, value = optimal_kernel(targets, ridge=ridge)
        rows.append(
            {
                "n_classes": n_classes,
                "per_class": per_class,
                "ridge": ridge,
                "value": value,
                "collapsed_value": collapsed_kernel_value(n_classes, per_class, ridge),
                "deviation": float(np.abs(kernel - targets @ targets.T).max()),
            }
        )
    return pd.DataFrame(rows)
