"""Fit against the norm of every layer: which networks dominate which, and what scalarizations return of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import hypervolume, nondominated
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.scalarization import Chebyshev, WeightedSum
from moltheory.solvers import solve_front
from moltheory.studies._deep_features import DeepFeatures
from moltheory.studies.low_rank_bias._constructions import Construction
from moltheory.studies.unconstrained_features import ReducedLoss

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dominates", "domination_table", "layer_names", "layer_objectives", "layer_points", "volume_below"]


def layer_names(depth: int) -> tuple[str, ...]:
    """Return the names of the L + 2 objectives.

    Examples
    --------
    >>> layer_names(3)
    ('fit', 'H_1', 'W_1', 'W_2', 'W_3')
    """
    return ("fit", "H_1", *(f"W_{layer}" for layer in range(1, check_count("depth", depth) + 1)))


def layer_points(model: DeepFeatures, network: Construction, scales: npt.ArrayLike, /) -> FloatArray:
    """Return the fit and the squared norms of H_1, W_1, ..., W_L of the cheapest networks of one shape, closed form.

    Parameters
    ----------
    model : DeepFeatures
        Of the same number of classes and layers.
    network : Construction
    scales : (k,) array_like
        a in [0, 1].

    Returns
    -------
    (k, L + 2) ndarray
        Networks of two shapes with the same scale have the same bits in their fit.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.
    """
    a = real_array("scales", scales, shape="(k,)", min_ndim=1, max_ndim=1)
    reduced = network.reduced(ReducedLoss.of_model(model))
    return np.column_stack([reduced.fit(a), reduced.layer_share(a)[:, None] / model.factors])


def layer_objectives(
    model: DeepFeatures, networks: Sequence[Construction], scales: npt.ArrayLike, /
) -> FiniteObjectives:
    """Return networks of several shapes and scales as a finite class with L + 2 objectives, one shape after the other.

    Parameters
    ----------
    model : DeepFeatures
    networks : sequence of Construction
    scales : (k,) array_like
        a in [0, 1].

    Returns
    -------
    FiniteObjectives
        len(networks) * k hypotheses; no objective depends on data.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.
    """
    if not networks:
        raise InvalidInputError("`networks` must hold at least one network, got none.")
    points = np.concatenate([layer_points(model, one, scales) for one in networks])
    names = layer_names(model.depth)
    return FiniteObjectives(points, names=names, data_dependent=[False] * len(names))


def dominates(points: npt.ArrayLike, others: npt.ArrayLike, /) -> npt.NDArray[np.bool_]:
    """Return whether each point dominates the other of the same row: nowhere worse, somewhere better.

    Parameters
    ----------
    points, others : (..., m) array_like
        Minimised.

    Returns
    -------
    (...) ndarray of bool

    Examples
    --------
    >>> dominates([[1.0, 2.0], [1.0, 2.0]], [[1.0, 3.0], [1.0, 2.0]])
    array([ True, False])
    """
    pairs = np.stack(np.broadcast_arrays(np.asarray(points), np.asarray(others)), axis=-2)
    return np.asarray(~nondominated(pairs)[..., 1])


def domination_table(
    model: DeepFeatures, networks: Sequence[Construction], /, *, scales: npt.ArrayLike, weights: int, rng: RandomSource
) -> pd.DataFrame:
    """Compare networks written down, in all L + 2 objectives.

    Parameters
    ----------
    model : DeepFeatures
    networks : sequence of Construction
        From the most to the least expensive.
    scales : (k,) array_like
        a in (0, 1]; zero networks of all shapes are one.
    weights : int
        Number of random weight vectors for weighted sums, and as many for Chebyshev scalarizations.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    pandas.DataFrame
        One row per shape: ``network``, ``rho``, ``points``, ``dominated_by_next`` (points dominated by the next shape
        at the same fit), ``nondominated`` (among all), ``weighted_sum`` and ``chebyshev`` (scalarizations whose
        minimiser is of this shape).

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.
    """
    import pandas as pd

    check_count("weights", weights)
    a = real_array("scales", scales, shape="(k,)", min_ndim=1, max_ndim=1)
    if not (a > 0).all():
        raise InvalidInputError(f"`scales` must be > 0, got {a.min():g}.")
    objectives = layer_objectives(model, networks, a)
    points = objectives.risks()
    shapes = points.reshape(len(networks), len(a), -1)
    best = nondominated(points).reshape(len(networks), len(a))
    stream = block_stream(as_seed_sequence(rng), "low-rank bias weights", model.depth)
    # Per unit of each objective's largest value, so that weights of all directions are drawn.
    drawn = stream.dirichlet(np.ones(points.shape[1]), size=weights) / points.max(axis=0)
    counts = {
        name: np.bincount(solve_front(objectives, scalarizations=family).solutions // len(a), minlength=len(networks))
        for name, family in (
            ("weighted_sum", [WeightedSum(w) for w in drawn]),
            ("chebyshev", [Chebyshev(w) for w in drawn]),
        )
    }
    rows = []
    for k, network in enumerate(networks):
        last = k + 1 == len(networks)
        rows.append(
            {
                "network": network.name,
                "rho": network.rho,
                "points": len(a),
                "dominated_by_next": 0 if last else int(dominates(shapes[k + 1], shapes[k]).sum()),
                "nondominated": int(best[k].sum()),
                **{name: int(count[k]) for name, count in counts.items()},
            }
        )
    return pd.DataFrame(rows)


def volume_below(points: npt.ArrayLike, reference: npt.ArrayLike, /) -> float:
    """Return the hypervolume of the points that the reference bounds, 0 if there are none."""
    given, corner = np.asarray(points, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    inside = given[(given <= corner).all(axis=1)]
    return hypervolume(inside, reference=corner) if len(inside) else 0.0
