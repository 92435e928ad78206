"""Simulated sample sizes: the same certificate of new samples, at sizes of a growing grid.

Each run draws a population from the losses at hand (a bootstrap sample of them), and its sample from that population. So the
share of runs that decide averages over what the population may be, given those losses: their luck counts, to the accuracy
of the bootstrap. What comes out is an estimate all the same. It knows nothing that the losses at hand do not show: models
that never differ there never differ in a run, and few clusters are spread less than the population. The finite number of
runs adds an error that `SizeCurves.needed` can allow for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._contrasts import with_contrasts
from moltheory.certification._kept_losses import LossSample
from moltheory.certification._promises import Promise
from moltheory.certification._shares import Shares
from moltheory.certification._statistics import PairStatistics, summaries
from moltheory.errors import InvalidInputError
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["LARGEST_FACTOR", "SizeCurves", "simulated_curves"]

Bools = npt.NDArray[np.bool_]

# Sizes grow by this factor, up to this multiple of the size at hand.
_STEP = math.sqrt(2.0)
LARGEST_FACTOR = 1000.0
# Runs after which a size has no more if none of them met a target, or all runs met what some met.
_NONE, _ALL = 8, 20
# Fewest runs of a size, where there is work for fewer than asked for.
_FEWEST = 12
# Work in entries of bool losses, about 5 ns each, for 60 runs per size: some 5 s.
_WORK = 1e9
_RUNS = 60
# The same for one run without losses, for a pair of models, for one difference of losses that are not 0/1, and largest
# number of those (bets end there).
_FIXED, _PAIR, _DIFFERENCE, _BETS = 1.2e6, 300.0, 7.0, 2e8
_KEY = "certification plan"


@dataclass(frozen=True)
class SizeCurves:
    """Shares of runs that met each of T targets, at S sizes.

    Attributes
    ----------
    sizes : (S,) ndarray of int64
        Numbers of examples, or clusters, in all.
    runs : (S,) ndarray of int64
    met : (S, T) ndarray of int64
        Numbers of runs that met a target.
    """

    sizes: npt.NDArray[np.int64]
    runs: npt.NDArray[np.int64]
    met: npt.NDArray[np.int64]

    def needed(self, share: float, *, errors: float = 0.0) -> FloatArray:
        """Return the size (T,) at which a target is met in a share of the runs; infinite if at no simulated size.

        With `errors`, the size at which the observed share exceeds it by as many standard errors.
        """
        from scipy.optimize import isotonic_regression

        found = np.full(self.met.shape[1], math.inf)
        for k, met in enumerate(self.met.T):
            fitted = isotonic_regression(met / self.runs, weights=self.runs).x
            bar = share + errors * np.sqrt(share * (1.0 - share) / self.runs)
            # More than all runs cannot be asked for.
            reached = np.flatnonzero(fitted >= np.minimum(bar, 1.0) - 1e-12)
            if reached.size:
                found[k] = self._between(int(reached[0]), fitted, float(min(bar[reached[0]], 1.0)))
        return found

    def _between(self, first: int, fitted: FloatArray, bar: float) -> float:
        """Return the size at which the line between two sizes, in their logarithms, reaches a share."""
        if first == 0:
            return float(self.sizes[0])
        low, high = np.log(self.sizes[first - 1 : first + 1])
        below, above = fitted[first - 1 : first + 1]
        part = 1.0 if above <= below else min(max((bar - below) / (above - below), 0.0), 1.0)
        return float(np.exp(low + part * (high - low)))


def simulated_curves(
    sample: LossSample,
    certificate: Certificate,
    statistics: PairStatistics,
    targets: Callable[[Certificate], Bools],
    n_targets: int,
    *,
    runs: int,
    rng: int,
) -> SizeCurves:
    """Return how often each target is met, at growing sizes until all runs meet all.

    Parameters
    ----------
    sample : LossSample
    certificate : Certificate
        Whose promise, tolerances and engine apply.
    statistics : PairStatistics
        Its shares of delta and columns.
    targets : callable
        From a certificate to whether it meets each target, (T,).
    n_targets : int
    runs : int
        Largest number of runs per size.
    rng : int

    Notes
    -----
    A size has fewer runs where they would take more than half of the work that is left, and sizes end where there is
    work for fewer than `_FEWEST`, perhaps before the first. The work is counted, not timed, so results do not depend on
    the machine.
    """
    root = as_seed_sequence(rng)
    left = _WORK * runs / _RUNS
    sizes: list[int] = []
    done: list[int] = []
    met: list[npt.NDArray[np.int64]] = []
    size = sample.n_units
    while size <= LARGEST_FACTOR * sample.n_units:
        cost = _cost(sample, size, certificate, statistics)
        total = min(runs, int(left / 2.0 / cost))
        if total < min(runs, _FEWEST):
            break
        count = np.zeros(n_targets, dtype=np.int64)
        made = 0
        while made < total and _undecided(count, made):
            again = _certificate_at(sample, size, certificate, statistics.shares, block_stream(root, _KEY, size, made))
            count += np.zeros(n_targets, dtype=np.bool_) if again is None else targets(again)
            made += 1
        left -= cost * made
        sizes.append(size)
        done.append(made)
        met.append(count)
        if (count == made).all():
            break
        size = max(math.ceil(size * _STEP), size + 1)
    return SizeCurves(np.array(sizes), np.array(done), np.array(met).reshape(len(sizes), n_targets))


def _undecided(met: npt.NDArray[np.int64], made: int) -> bool:
    """Return whether more runs of a size tell more."""
    mixed = (met > 0) & (met < made)
    return bool(made < _NONE or mixed.any() or (made < _ALL and met.any()))


def _certificate_at(
    sample: LossSample, n_units: int, certificate: Certificate, shares: Shares, rng: np.random.Generator
) -> Certificate | None:
    """Return the certificate of a drawn sample; None if it has no loss of some model or group."""
    problem = with_contrasts(sample.draw(n_units, rng))
    try:
        scan = sample.scan(problem, unbounded=certificate.engine == "asymptotic")
    except InvalidInputError:
        return None
    return sample.certified(
        problem,
        scan,
        summaries(scan),
        slack=certificate.epsilon,
        shares=shares,
        promise=Promise(certificate.error, certificate.dependence, certificate.verdicts),
        delta=min(shares.total, certificate.delta),
        engine=certificate.engine,
        sizes_stated=sample.largest_cluster is not None,
    )


def _cost(sample: LossSample, n_units: int, certificate: Certificate, statistics: PairStatistics) -> float:
    """Return the work of one run."""
    n_models = len(certificate)
    pairs = n_units * n_models**2
    found = _FIXED + _PAIR * n_models**2
    for column in statistics.columns:
        found += n_units * sample.mean_size * n_models
        found += 0.0 if column.binary else _DIFFERENCE * min(pairs, _BETS)
    for objective in statistics.objectives:
        if objective.forms is not None:
            found += _DIFFERENCE * min(pairs * len(objective.forms) ** 2, _BETS)
        elif objective.of_losses and not objective.columns:
            found += _DIFFERENCE * n_units * n_models
    # With a tolerance there are two tests of each pair.
    return 2.0 * found if certificate.epsilon.any() else found
