"""What is exact, checked in every run: balanced chains that interpolate, and a layer that breaks a false bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moltheory._core._validation import FloatArray, check_count
from moltheory.runs import block_stream
from moltheory.studies._collapse import mean_condition_number, variability
from moltheory.studies.weight_decay._conditioning import condition_ceiling, norm_excess
from moltheory.studies.weight_decay._model import (
    balanced_chain,
    cosine_floor,
    operator_norm_variant,
    row_condition_number,
    variability_bound,
)
from moltheory.studies.weight_decay._networks import one_hot_targets

__all__ = ["ExactChecks", "exact_checks"]


@dataclass(frozen=True)
class ExactChecks:
    """How far random balanced chains of m layers that interpolate are from what is exact.

    Attributes
    ----------
    chains : int
        Their number.
    nc1 : float
        Largest NC1, exactly 0.
    nc2_off : float
        Largest relative difference of NC2 and kappa^(1/m), kappa the condition number of the product; exactly 0.
    nc2_other : float
        Smallest such difference for the false exponent 1/(m + 1).
    cosine_off : float
        Largest distance of a cosine of NC3 below its floor, exactly 0.
    ceiling_off : float
        Largest ratio of kappa^(1/m) and its ceiling from the norm, at most 1.
    broken : float
        NC1 over the variant of its bound with operator norms, for one written network: above 1, so that is no bound.
    kept : float
        NC1 over its bound for the same network, at most 1.
    """

    chains: int
    nc1: float
    nc2_off: float
    nc2_other: float
    cosine_off: float
    ceiling_off: float
    broken: float
    kept: float


def exact_checks(chains: int, root: np.random.SeedSequence, /) -> ExactChecks:
    """Return the deviations over random chains of 2 to 5 layers, from inputs of 12 units to 3 to 10 classes."""
    rng = block_stream(root, "balanced chains", check_count("chains", chains))
    rows = np.array([_deviations(rng) for _ in range(chains)])
    nc1, off, other, cosine, ceiling = rows.T
    return ExactChecks(
        chains, nc1.max(), off.max(), other.min(), max(cosine.max(), 0.0), ceiling.max(), *_counterexample()
    )


def _deviations(rng: np.random.Generator) -> tuple[float, ...]:
    n_classes, layers, width = int(rng.integers(3, 11)), int(rng.integers(2, 6)), 12
    labels = np.repeat(np.arange(n_classes), 4)
    targets = one_hot_targets(labels, n_classes=n_classes)
    product = rng.normal(size=(n_classes, width))
    # Where the product is blind, features may be anything.
    blind = np.eye(width) - np.linalg.pinv(product) @ product
    features = np.linalg.pinv(product) @ targets + blind @ rng.normal(size=(width, len(labels)))
    chain = balanced_chain(product, layers, width=width)
    for one in chain[:-1]:
        features = one @ features
    condition = float(row_condition_number(product))
    nc2 = float(mean_condition_number(features.T, labels))
    rows = chain[-1][labels]
    cosines = (features.T * rows).sum(axis=1) / (np.linalg.norm(features, axis=0) * np.linalg.norm(rows, axis=1))
    root = condition ** (1.0 / layers)
    excess = np.maximum(norm_excess(_core(chain)), 1.0)
    return (
        float(variability(features.T, labels)),
        abs(nc2 / root - 1.0),
        abs(nc2 / condition ** (1.0 / (layers + 1)) - 1.0),
        float(cosine_floor(root) - cosines.min()),
        root / float(condition_ceiling(excess, n_classes)),
    )


def _core(chain: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    """The layers of a chain, unbalanced by a factor, which leaves their product as it is."""
    return (1.2 * chain[0], *chain[1:-1], chain[-1] / 1.2)


def _counterexample() -> tuple[float, float]:
    """Six orthogonal noises of one size, passed on by W_{L-1} and not read by W_L: an operator norm counts one."""
    n_classes, copies, noises, size = 3, 4, 6, 0.1
    n = n_classes * copies
    labels = np.repeat(np.arange(n_classes), copies)
    targets = one_hot_targets(labels, n_classes=n_classes)
    basis = np.linalg.svd(targets)[2][n_classes:][:noises]
    inputs = np.vstack([targets, 3.0 * basis])
    before = np.diag([1.0] * n_classes + [size] * noises)
    last = np.eye(n_classes, n_classes + noises)
    nc1 = (3.0 * size) ** 2 * noises / (n * (n_classes - 1) / n_classes)
    variant = float(operator_norm_variant(last, before, inputs, targets))
    return nc1 / variant, nc1 / float(variability_bound(last, before, inputs, targets))
