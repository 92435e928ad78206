"""Finite classes whose hypotheses have independent losses: sampled, and known in closed form."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.problems._averaged import AveragedProblem
from moltheory.problems._base import SampleSize, check_sample_size
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["ExchangeableDecoys", "NearTie", "exchangeable_decoys", "near_tie", "near_tie_limit"]

_CHUNK = 2**21


class _Decoys(AveragedProblem):
    """h0 costs 0 and is the whole true front; every other hypothesis costs 1 and errs as much or more."""

    is_exact = True

    def __init__(self, name: str, errors: FloatArray, *, is_lattice: bool) -> None:
        self.name = name
        self.is_lattice = is_lattice
        self._cost = np.minimum(np.arange(errors.size), 1).astype(np.float64)
        self.true = FiniteObjectives(
            np.stack([errors, self._cost], axis=-1), names=("error", "cost"), data_dependent=[True, False]
        )
        self.risk_limits = as_readonly(np.ones(2))

    @abstractmethod
    def _empirical_errors(self, n: int, rows: int, rng: np.random.Generator) -> FloatArray:
        """Draw the first objective, (rows, H)."""

    @abstractmethod
    def decoy_probability(self, n: int) -> float:
        """Return P(some decoy is empirically Pareto-optimal) in closed form."""

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        """Draw samples and return the empirical objectives; see `FiniteProblem.sample`."""
        size = check_sample_size(n, self.true.data_dependent)
        first = size if isinstance(size, int) else size[0]
        rows = 1 if replicates is None else check_count("replicates", replicates)
        require_room(rows, 5.0 * self.n_hypotheses, of=f"{self.n_hypotheses} hypotheses")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        errors = self._empirical_errors(first, rows, generator)
        risks = np.stack([errors, np.broadcast_to(self._cost, errors.shape)], axis=-1)
        sizes = np.full((rows, 1), float(first))
        single = replicates is None
        return FiniteObjectives(
            risks[0] if single else risks,
            names=self.objective_names,
            data_dependent=self.true.data_dependent,
            cell_sizes=sizes[0] if single else sizes,
        )

    def _width_of_cells(self, widths: list[FloatArray], objective: int) -> FloatArray:
        return widths[0]

    def _cell_ranges(self) -> list[list[float]]:
        return [[1.0], []]


class ExchangeableDecoys(_Decoys):
    """See `exchangeable_decoys`.

    Notes
    -----
    Complexity: R samples of n examples take O(R n m) time and O(R m) memory beside a block of draws.
    """

    def __init__(self, m: int) -> None:
        self.m = check_count("m", m)
        super().__init__("exchangeable_decoys", np.full(m + 1, 0.5), is_lattice=False)

    def _empirical_errors(self, n: int, rows: int, rng: np.random.Generator) -> FloatArray:
        total = np.zeros((rows, self.m + 1))
        step = max(1, _CHUNK // total.size)
        for start in range(0, n, step):
            total += rng.random((min(step, n - start), *total.shape)).sum(axis=0)
        return total / n

    def decoy_probability(self, n: int) -> float:
        """Return m / (m + 1), for every n."""
        check_count("n", n)
        return self.m / (self.m + 1)


class NearTie(_Decoys):
    """See `near_tie`.

    Notes
    -----
    Complexity: R samples take O(R) time and memory, whatever n; the closed form O(n).
    """

    def __init__(self, p: float, gamma: float) -> None:
        self.p = check_real("p", p, low=0.0, high=1.0)
        self.gamma = check_real("gamma", gamma, low=0.0, high=1.0)
        if self.p + self.gamma > 1:
            raise InvalidInputError(f"`p` + `gamma` must be at most 1, got {self.p + self.gamma:g}.")
        super().__init__("near_tie", np.array([self.p, self.p + self.gamma]), is_lattice=True)

    def _empirical_errors(self, n: int, rows: int, rng: np.random.Generator) -> FloatArray:
        return rng.binomial(n, [self.p, self.p + self.gamma], size=(rows, 2)) / n

    def decoy_probability(self, n: int) -> float:
        """Return P(Bin(n, p + gamma) < Bin(n, p)), a sum over the n + 1 counts of h0."""
        from scipy.stats import binom

        counts = np.arange(check_count("n", n) + 1)
        terms = binom.pmf(counts, n, self.p) * binom.cdf(counts - 1, n, self.p + self.gamma)
        return math.fsum(terms.tolist())


def exchangeable_decoys(m: int) -> ExchangeableDecoys:
    """Decoys that are exactly as good as h0, and cost more.

    The first losses are independent and uniform on [0, 1] over hypotheses h0, ..., hm and examples; the second
    risks are (0, 1, ..., 1). The true front is {h0}; P(some decoy is empirically Pareto-optimal) = m / (m + 1)
    for every n.

    Parameters
    ----------
    m : int
        Number of decoys, >= 1.

    Returns
    -------
    ExchangeableDecoys
        With ``decoy_probability(n)`` in closed form.

    Notes
    -----
    Complexity: R samples of n examples take O(R n m) time.

    References
    ----------
    Derived (proof: decoys).

    Examples
    --------
    >>> exchangeable_decoys(4).decoy_probability(1000)
    0.8
    """
    return ExchangeableDecoys(m)


def near_tie(p: float, gamma: float) -> NearTie:
    r"""One decoy, worse by gamma, that costs more.

    Independent Bernoulli errors with means p and p + gamma; the second risks are (0, 1). The true front is {h0}.
    With :math:`\gamma = 1 / (2 \sqrt n)` the probability that the decoy is empirically Pareto-optimal stays away
    from 0 (see `near_tie_limit`): there is no distribution-free rate for the purity error.

    Parameters
    ----------
    p : float
        Error of h0, in [0, 1].
    gamma : float
        Gap, in [0, 1 - p].

    Returns
    -------
    NearTie
        With ``decoy_probability(n)`` in closed form.

    Notes
    -----
    Complexity: R samples take O(R) time and memory, whatever n; the closed form O(n).

    References
    ----------
    Derived (proof: decoys).

    Examples
    --------
    >>> round(near_tie(0.3, 1 / (2 * 400**0.5)).decoy_probability(400), 6)
    0.211468
    """
    return NearTie(p, gamma)


def near_tie_limit(p: float) -> float:
    r"""Return the limit of ``near_tie(p, 1 / (2 sqrt(n))).decoy_probability(n)`` as n grows.

    It is :math:`\Phi(-1 / (2 \sqrt{2 p (1 - p)}))`, by the central limit theorem (proof: decoys).

    Parameters
    ----------
    p : float
        In (0, 1).

    Returns
    -------
    float

    Examples
    --------
    >>> round(near_tie_limit(0.3), 4)
    0.2202
    """
    spread = check_real("p", p, low=0.0, high=1.0, strict=True)
    return 0.5 * math.erfc(1 / (2 * math.sqrt(2 * spread * (1 - spread))) / math.sqrt(2))
