"""What a typed project may write: no checker finds an error here, and no public name is Any."""

from __future__ import annotations

from typing import assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import moltheory as mt
from moltheory.bounds import finite_class, vc
from moltheory.scalarization import Chebyshev, Scalarization, WeightedSum


def verdicts(losses: NDArray[np.float64], names: list[str]) -> dict[str, str]:
    """Return the verdict on each model."""
    certificate = mt.certify(losses, names=names, delta=0.05, costs={"size": [1.0, 2.0]})
    assert_type(certificate, mt.Certificate)
    assert_type(certificate.to_frame(), pd.DataFrame)
    again = mt.Certificate.from_json(certificate.to_json())
    return dict(zip(names, again.status, strict=True))


def spurious(world: mt.FiniteWorld, n: int) -> float:
    """Return the probability that a dominated model is on the empirical front."""

    def event(risks: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(mt.nondominated(risks)[:, 1:].any(axis=1))

    return float(world.exact(n).probability(event))


def errors(world: mt.FiniteWorld) -> pd.DataFrame:
    """Return both errors of simulated samples."""
    return mt.experiments.asymmetry(world, sizes=[11, 101], replicates=10, rng=0)


def widths(n: int) -> list[mt.Bound]:
    """Return bounds of one kind."""
    found: list[mt.Bound] = [finite_class(n, n_hypotheses=10, delta=0.1), vc(n, dimension=3, delta=0.1)]
    assert_type(found[0].width, NDArray[np.float64])
    return found


def sweep(weights: list[list[float]]) -> mt.Front:
    """Return the front that scalarizations reach."""
    family: list[Scalarization] = [*map(WeightedSum, weights), *map(Chebyshev, weights)]
    found = mt.solve_front(mt.problems.two_coins().true, scalarizations=family)
    assert_type(found, mt.Sweep)
    return found.front()


def refused(theorem: str) -> bool:
    """Return whether the ledger has no such statement; errors and versions have types as well."""
    assert_type(mt.__version__, str)
    assert_type(mt.show_versions().packages, dict[str, str])
    try:
        assert_type(mt.theorems.ledger()[theorem], mt.Theorem)
    except (KeyError, mt.InvalidInputError):
        return True
    return False
