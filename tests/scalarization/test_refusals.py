"""Refusals with their messages; instances as immutable values; what importing the room costs."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

import moltheory.scalarization
from moltheory.errors import InvalidInputError
from moltheory.scalarization import (
    Chebyshev,
    EpsilonConstraint,
    PNorm,
    Scalarization,
    SmoothChebyshev,
    WeightedScalarization,
)

from ._samplers import MAKERS, one_of_each

INF = math.inf
WEIGHTED = pytest.mark.parametrize("make", [makers[0] for makers in MAKERS.values()], ids=MAKERS)


@WEIGHTED
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.0, 0.0], "`weights` must not all be zero, got 2 zeros"),
        ([1.0, -0.5], r"`weights` must be >= 0 everywhere, got -0\.5"),
        ([1.0, INF], "`weights` must be finite, got an infinity"),
        ([1.0, math.nan], "`weights` must be finite, got NaN"),
        ([], "`weights` must not be empty"),
        (1.0, "`weights` must have shape"),
        ([[1.0, 1.0]], "`weights` must have shape"),
        (["a", "b"], "`weights` must be real numbers"),
    ],
)
def test_weights(make: type[WeightedScalarization], weights: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make(weights)


@WEIGHTED
def test_values_and_widths(make: type[WeightedScalarization]) -> None:
    u = make([1.0, 2.0])
    with pytest.raises(InvalidInputError, match="`values` must be finite, got NaN"):
        u([1.0, math.nan])
    with pytest.raises(InvalidInputError, match="`values` must be finite, got an infinity"):
        u([1.0, INF])
    with pytest.raises(InvalidInputError, match=r"`values` must have 2 entries on its last axis, got shape \(3,\)"):
        u([1.0, 2.0, 3.0])
    with pytest.raises(InvalidInputError, match=r"`values` must have shape \(..., 2\)"):
        u(1.0)
    with pytest.raises(InvalidInputError, match="`values` must not be empty"):
        u(np.empty((0, 2)))
    with pytest.raises(InvalidInputError, match="`values` must be small enough"):
        u([1e308, 1.7e308])
    with pytest.raises(InvalidInputError, match="`widths` must not contain NaN"):
        u.width([1.0, math.nan])
    with pytest.raises(InvalidInputError, match=r"`widths` must be >= 0 everywhere, got -0\.1"):
        u.width([1.0, -0.1])
    with pytest.raises(InvalidInputError, match="`widths` must have 2 entries on its last axis"):
        u.width([[1.0], [2.0]])
    assert u.width([1e308, 1.7e308]) == INF  # too large for a float is vacuous, which is still valid


@pytest.mark.parametrize("p", [0.5, -INF, math.nan, "2", True])
def test_p(p: object) -> None:
    with pytest.raises(InvalidInputError, match="`p` must"):
        PNorm([1.0, 1.0], p)  # type: ignore[arg-type]


def test_p_norm_refuses_negative_values() -> None:
    with pytest.raises(InvalidInputError, match=r"`values` must be >= 0 everywhere for a p-norm, got -0\.25"):
        PNorm([1.0, 1.0], 2)([1.0, -0.25])


def test_other_arguments() -> None:
    with pytest.raises(InvalidInputError, match="`ideal` must have 2 entries, got 3"):
        Chebyshev([1.0, 1.0], ideal=[0.0, 0.0, 0.0])
    with pytest.raises(InvalidInputError, match="`ideal` must be finite"):
        Chebyshev([1.0, 1.0], ideal=[0.0, -INF])
    with pytest.raises(InvalidInputError, match="`augmentation` must lie in"):
        Chebyshev([1.0, 1.0], augmentation=-0.1)
    for smoothing in (0.0, -1.0, INF, math.nan):
        with pytest.raises(InvalidInputError, match="`smoothing` must lie in"):
            SmoothChebyshev([1.0, 1.0], smoothing)


def test_constraint() -> None:
    with pytest.raises(InvalidInputError, match="`bounds` must be finite or inf, got -inf"):
        EpsilonConstraint([1.0, -INF])
    with pytest.raises(InvalidInputError, match="`bounds` must not contain NaN"):
        EpsilonConstraint([1.0, math.nan])
    with pytest.raises(InvalidInputError, match="`objective` must be below 2, got 2"):
        EpsilonConstraint([1.0, 1.0], objective=2)
    with pytest.raises(InvalidInputError, match="`objective` must be an integer >= 0, got -1"):
        EpsilonConstraint([1.0, 1.0], objective=-1)
    u = EpsilonConstraint([1.0, 1.0])
    with pytest.raises(InvalidInputError, match="not Lipschitz in the risks; use `relaxed`"):
        u.width([0.1, 0.1])
    with pytest.raises(InvalidInputError, match="`values` must be finite, got NaN"):
        u([math.nan, 0.0])
    with pytest.raises(InvalidInputError, match="`widths` must have 2 entries, got 1"):
        u.relaxed([0.1])
    with pytest.raises(InvalidInputError, match="`widths` must be >= 0 everywhere"):
        u.relaxed([0.1, -0.1])
    assert u.relaxed([0.0, INF]).bounds == (1.0, INF)


def test_instances_are_values() -> None:
    first, second = one_of_each(), one_of_each()
    assert first == second
    assert len({*first, *second}) == len(first)
    for u in first:
        assert pickle.loads(pickle.dumps(u)) == u
        assert copy.deepcopy(u) == u
        assert eval(repr(u), {**vars(moltheory.scalarization), "inf": INF}) == u
        name = dataclasses.fields(u)[0].name  # type: ignore[arg-type]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(u, name, (1.0, 1.0))
    assert Chebyshev([0.5, 0.5]) == Chebyshev(np.array([0.5, 0.5]), ideal=[-0.0, 0.0], augmentation=0)


@WEIGHTED
def test_later_changes_of_the_argument_do_not_matter(make: type[WeightedScalarization]) -> None:
    weights = np.array([1.0, 2.0])
    u = make(weights)
    before = u([1.0, 1.0])
    weights[:] = 9.0
    assert u([1.0, 1.0]) == before
    assert u.weights == (1.0, 2.0)


def test_the_base_class_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Scalarization()  # type: ignore[abstract]


def test_import_needs_numpy_only() -> None:
    code = (
        "import sys, moltheory.scalarization\n"
        "heavy = {'scipy', 'pandas', 'numba', 'moocore', 'matplotlib', 'joblib', 'sklearn', 'cvxpy', 'pymoo'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
