"""Worlds in which one hypothesis of each group is slightly better: those of the lower bound of the coverage error."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real, real_array
from moltheory.bounds._lower import by_lot
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.objectives import FiniteObjectives
from moltheory.problems._averaged import AveragedProblem
from moltheory.problems._base import SampleSize, check_sample_size
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["PlantedBest", "planted_best"]

# Most combinations of counts of one hypothesis that are enumerated.
_MOST_COUNTS = 2 * 10**6


class PlantedBest(AveragedProblem):
    """See `planted_best`.

    Notes
    -----
    Complexity: R samples take O(R H N) time and memory, whatever n; the exact probability O(n^N) for N data-dependent
    objectives.
    """

    name = "planted_best"
    is_exact = True
    is_lattice = True

    def __init__(
        self,
        group_size: int,
        gap: float,
        *,
        n_groups: int,
        n_objectives: int,
        best: npt.ArrayLike,
        objective: npt.ArrayLike,
    ) -> None:
        self.group_size = check_count("group_size", group_size)
        if self.group_size < 2:
            raise InvalidInputError(f"`group_size` must be at least 2, got {group_size}.")
        self.gap = check_real("gap", gap, low=0.0, high=0.5)
        if self.gap == 0.0:
            raise InvalidInputError("`gap` must be > 0, got 0.")
        self.n_groups = check_count("n_groups", n_groups)
        self.n_active = check_count("n_objectives", n_objectives)
        self.best = self._places("best", best, self.group_size)
        self.objective = self._places("objective", objective, self.n_active)
        require_room(1, self.n_groups * self.group_size * (self.n_active + 2), of="hypotheses and objectives")
        means = np.full((self.n_groups, self.group_size, self.n_active), 0.5)
        means[np.arange(self.n_groups), self.best, self.objective] -= self.gap
        self._means = as_readonly(means.reshape(-1, self.n_active))
        group = np.repeat(np.arange(self.n_groups, dtype=np.float64), self.group_size)
        # Two known objectives make the groups incomparable, further apart than any gap.
        self._known = np.stack([group, group[::-1]], axis=-1) if self.n_groups > 1 else np.empty((group.size, 0))
        n_known = self._known.shape[1]
        self.true = FiniteObjectives(
            np.concatenate([self._means, self._known], axis=-1),
            names=[f"error {i + 1}" for i in range(self.n_active)] + ["cost", "delay"][:n_known],
            data_dependent=[True] * self.n_active + [False] * n_known,
        )
        self.risk_limits = as_readonly(np.array([1.0] * self.n_active + [max(self.n_groups - 1.0, 1.0)] * n_known))

    def _places(self, name: str, given: npt.ArrayLike, size: int) -> npt.NDArray[np.int64]:
        values = real_array(name, given, shape="() or (n_groups,)", min_ndim=0, max_ndim=1)
        array = values.astype(np.int64)
        if array.ndim == 1 and array.size != self.n_groups:
            raise InvalidInputError(
                f"`{name}` must be one index or {self.n_groups} of them, one for each group, got shape {array.shape}."
            )
        if (array != values).any() or (array < 0).any() or (array >= size).any():
            raise InvalidInputError(f"`{name}` must hold indices in 0..{size - 1}, got {values.tolist()}.")
        return as_readonly(np.broadcast_to(array, (self.n_groups,)).copy())

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        """Draw samples and return the empirical objectives; see `FiniteProblem.sample`."""
        size = check_sample_size(n, self.true.data_dependent)
        sizes = np.array([size] * self.n_active if isinstance(size, int) else size[: self.n_active], dtype=np.int64)
        rows = 1 if replicates is None else check_count("replicates", replicates)
        require_room(rows, 5.0 * self._means.size, of=f"{self.n_hypotheses} hypotheses")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        errors = generator.binomial(sizes, self._means, size=(rows, *self._means.shape)) / sizes
        risks = np.concatenate([errors, np.broadcast_to(self._known, (rows, *self._known.shape))], axis=-1)
        cells = np.broadcast_to(sizes.astype(np.float64), (rows, self.n_active))
        single = replicates is None
        return FiniteObjectives(
            risks[0] if single else risks,
            names=self.objective_names,
            data_dependent=self.true.data_dependent,
            cell_sizes=cells[0] if single else cells,
        )

    def best_coverage_probability(self, n: int) -> float:
        """Return the largest P(coverage error 0) of any learner of n examples and `n_groups` hypotheses, exactly.

        Averaged over all worlds that differ in `best` and `objective` only. Attained by the hypothesis of largest
        likelihood in each group, which for one data-dependent objective is that of fewest errors.

        Raises
        ------
        TooLargeError
            If there are more than two million combinations of the counts of one hypothesis.
        """
        from scipy.stats import binom

        size = check_count("n", n)
        if (size + 1) ** self.n_active > _MOST_COUNTS:
            raise TooLargeError(
                f"`n` must leave at most {_MOST_COUNTS:,} combinations of counts of one hypothesis, got "
                f"{(size + 1) ** self.n_active:,}."
            )
        counts = np.arange(size + 1.0)
        plain, better = (binom.pmf(counts, size, mean) for mean in (0.5, 0.5 - self.gap))
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.where(counts > 0.0, counts * np.log1p(-2.0 * self.gap), 0.0)
        log_ratio = (size - counts) * math.log1p(2.0 * self.gap) + rest
        # Of all counts of one hypothesis: the logarithm of the likelihood ratio, and both probabilities.
        ratios, rival, planted = log_ratio, plain, better
        for _ in range(self.n_active - 1):
            ratios = np.logaddexp.outer(ratios, log_ratio).ravel()
            planted = (np.multiply.outer(planted, plain) + np.multiply.outer(rival, better)).ravel()
            rival = np.multiply.outer(rival, plain).ravel()
        order = np.argsort(ratios, kind="stable")
        win = by_lot(np.cumsum(rival[order]), rival[order], self.group_size)
        solved = math.fsum((planted[order] * win).tolist()) / self.n_active
        return min(1.0, solved) ** self.n_groups

    def _width_of_cells(self, widths: list[FloatArray], objective: int) -> FloatArray:
        return widths[0]

    def _cell_ranges(self) -> list[list[float]]:
        return [[1.0]] * self.n_active + [[]] * self._known.shape[1]


def planted_best(
    group_size: int,
    gap: float,
    *,
    n_groups: int = 1,
    n_objectives: int = 1,
    best: npt.ArrayLike = 0,
    objective: npt.ArrayLike = 0,
) -> PlantedBest:
    r"""One hypothesis of each group errs less by a gap, in one of the objectives.

    All errors are independent and happen half of the time, except that hypothesis ``best[k]`` of group k errs with
    probability 1/2 - gap in objective ``objective[k]``. Of several groups, group k of K has the known risks k and K - 1 - k
    besides, so that no group can stand for another. The true front has one hypothesis of each group; a selection
    without it has a coverage error of at least the gap, one with another member of the group a purity error of the gap.

    Parameters
    ----------
    group_size : int
        Hypotheses of a group, >= 2; group k has the indices ``k * group_size`` and following.
    gap : float
        In (0, 1/2].
    n_groups, n_objectives : int, default 1
        Numbers of groups and of data-dependent objectives.
    best, objective : int or (n_groups,) array_like of int, default 0
        Which hypothesis of each group is better, and in which objective.

    Returns
    -------
    PlantedBest
        With ``best_coverage_probability(n)``, exact.

    Notes
    -----
    Complexity: R samples take O(R H N) time and memory, whatever n.

    References
    ----------
    Derived (proof: coverage-minimax).

    Examples
    --------
    >>> problem = planted_best(4, 0.1, n_groups=2, best=[0, 3])
    >>> problem.true.risks([0, 1, 7])
    array([[0.4, 0. , 1. ],
           [0.5, 0. , 1. ],
           [0.4, 1. , 0. ]])
    >>> round(problem.best_coverage_probability(100), 4)
    0.6807
    """
    return PlantedBest(group_size, gap, n_groups=n_groups, n_objectives=n_objectives, best=best, objective=objective)
