"""Sizes per objective: whether a tuple of them is read as what it says, for `check_problem`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import Bound

if TYPE_CHECKING:
    from moltheory.testing._problem_samples import Samples

__all__ = ["check_size_tuples"]

_REPLICATES, _DELTA = 60, 0.1
# A problem that does not know what a tuple is fails in one of these ways: nothing wrong is computed then.
_REFUSALS = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)


def check_size_tuples(samples: Samples, sizes: tuple[int, int]) -> None:
    """Refuse a problem that takes one entry of a tuple of sizes for all objectives that depend on data.

    Whatever entry that is, some objective has another one: then its risks are, bit for bit, those of a sample of the
    wrong size. A problem may refuse the tuple instead.
    """
    depends = np.flatnonzero(np.asarray(samples.problem.true.data_dependent))
    if depends.size < 2 or sizes[0] == sizes[1]:
        return
    alone = {size: _drawn(samples, size) for size in sizes}
    for first, other in (sizes, sizes[::-1]):
        mixed = [other] * samples.problem.true.n_objectives
        mixed[depends[0]] = first
        asked = tuple(mixed)
        found = _drawn(samples, asked)
        if found is None:
            continue
        for i in depends:
            taken = first if asked[i] == other else other
            wrong, right = alone[taken], alone[asked[i]]
            if wrong is None or right is None or np.array_equal(wrong[..., i], right[..., i], equal_nan=True):
                continue  # the size makes no difference, or is refused
            _check_objective(samples, asked, int(i), taken, found[..., i], wrong[..., i])
        _check_stated(samples, asked, depends)


def _drawn(samples: Samples, n: Any) -> FloatArray | None:
    """Return risks (R, k, N) of samples with one seed; None for sizes that the problem refuses in whatever way."""
    try:
        return samples.risks(samples.problem.sample(n, replicates=_REPLICATES, rng=samples.seed))
    except _REFUSALS:
        return None


def _check_objective(
    samples: Samples, asked: tuple[int, ...], i: int, taken: int, column: FloatArray, wrong: FloatArray
) -> None:
    """Refuse risks (R, k) that are those of samples of another size; what does not vary shows nothing."""
    if np.array_equal(column, np.broadcast_to(column[0], column.shape), equal_nan=True):
        return
    if np.array_equal(column, wrong, equal_nan=True):
        raise samples.fail(
            f"sample must draw n[i] examples for objective i of a tuple n, or refuse unequal sizes, and draws {taken} for "
            f"{samples.problem.objective_names[i]!r} with n={asked}"
        )


def _check_stated(samples: Samples, asked: tuple[int, ...], depends: Any) -> None:
    """Refuse half-widths of an objective that are those of a larger sample, for sizes and for a sample of them."""
    for drawn in (False, True):
        small, large = (_width(samples, size, drawn) for size in (min(asked), max(asked)))
        mixed = _width(samples, asked, drawn)
        if mixed is None or small is None or large is None:
            continue
        for i in depends:
            if asked[i] == min(asked) and mixed[i] == large[i] < small[i]:
                raise samples.fail(
                    "widths must be those of n[i] examples for objective i of a tuple n, or refuse unequal sizes, and is "
                    f"that of {max(asked)} for {samples.problem.objective_names[i]!r} with "
                    f"{'a sample of ' if drawn else ''}n={asked}"
                )


def _width(samples: Samples, n: Any, drawn: bool) -> FloatArray | None:
    """Return the half-widths (N,) stated for sizes or for a sample of them; None where there are none."""
    try:
        given = samples.problem.sample(n, rng=samples.seed) if drawn else n
        bound = samples.problem.widths(given, delta=_DELTA)
    except _REFUSALS:
        return None
    return np.asarray(bound.width) if isinstance(bound, Bound) and np.ndim(bound.width) == 1 else None
