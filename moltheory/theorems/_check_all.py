"""Checking many statements on one problem, which is enumerated or sampled once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moltheory.runs import RandomSource
from moltheory.theorems._check import Method, Stated, check_many
from moltheory.theorems._ledger import ledger
from moltheory.theorems._results import CheckResult
from moltheory.theorems._statement import Theorem

__all__ = ["check_all"]


def check_all(
    problem: Any,
    /,
    *,
    n: int,
    delta: float = 0.05,
    theorems: Iterable[Theorem] | None = None,
    method: Method = "auto",
    replicates: int = 2000,
    rng: RandomSource = 0,
    stated: Stated | None = None,
) -> Mapping[str, CheckResult]:
    """Check many statements on one problem, which is enumerated or sampled once for all of them.

    Parameters
    ----------
    problem, n, delta, method, replicates, rng, stated
        As in `check`.
    theorems : iterable of Theorem, optional
        By default all of the ledger; those that are not about such a problem are reported as not applicable, with the
        assumption that fails.

    Returns
    -------
    dict of str to CheckResult

    Examples
    --------
    >>> from moltheory.problems import two_coins
    >>> results = check_all(two_coins(), n=10)
    >>> all(result.holds for result in results.values() if result.applicable)
    True
    """
    chosen = list(ledger().values() if theorems is None else theorems)
    return check_many(
        chosen,
        problem,
        n=n,
        delta=delta,
        method=method,
        replicates=replicates,
        rng=rng,
        stated=stated,
        skip=True,
    )
