"""What every problem offers, and what those with a finite class share."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.bounds import conditional_rate
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import Front, pareto_front
from moltheory.runs import RandomSource

__all__ = ["FiniteProblem", "Problem", "SampleSize", "check_sample_size"]

SampleSize = int | tuple[int, ...]


class Problem(ABC):
    """Hypotheses with objectives whose true risks are known.

    Attributes
    ----------
    name : str
        Names the problem in tables, and keys its random streams.
    is_exact : bool
        Whether the true risks are exact (up to one rounding) rather than estimated.
    is_lattice : bool
        Whether equal risks, true or empirical, are bitwise equal.
    """

    name: str
    is_exact: bool
    is_lattice: bool

    @property
    @abstractmethod
    def objective_names(self) -> tuple[str, ...]:
        """Names of the objectives."""

    @abstractmethod
    def true_front(self, *, n_points: int = 200) -> Front:
        """Return the true Pareto front.

        Parameters
        ----------
        n_points : int, default 200
            How many points to compute on a continuous front; a finite class returns all of its front.
        """


class FiniteProblem(Problem):
    """A problem with finitely many hypotheses, indexed ``0..H-1``.

    Attributes
    ----------
    true : FiniteObjectives
        True risks, batch shape ().
    risk_limits : (N,) ndarray
        Largest risk that any hypothesis can have in any sample; the reference point of hypervolumes.
    """

    true: FiniteObjectives
    risk_limits: FloatArray

    @property
    def objective_names(self) -> tuple[str, ...]:
        """Names of the objectives."""
        return self.true.names

    @property
    def n_hypotheses(self) -> int:
        """Number of hypotheses."""
        return self.true.n_hypotheses

    @abstractmethod
    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        """Draw samples and return the empirical objectives.

        Parameters
        ----------
        n : int or tuple of int
            Sample size, >= 1; a tuple has one entry per objective and draws independent samples.
        replicates : int, optional
            Number of independent repetitions; None draws one, without a batch axis.
        rng : int, SeedSequence, Generator or None
            Source of randomness.

        Returns
        -------
        FiniteObjectives
            Batch shape () or (replicates,).

        Raises
        ------
        InvalidInputError
            If a size is not a positive integer.
        """

    def true_front(self, *, n_points: int = 200) -> Front:
        """Return the true Pareto front; all of it, whatever `n_points`."""
        check_count("n_points", n_points)
        return pareto_front(self.true.risks())

    @abstractmethod
    def _width_of_cells(self, widths: list[FloatArray], objective: int) -> FloatArray:
        """Return the width of one objective from those of its cells."""

    @abstractmethod
    def _cell_ranges(self) -> list[list[float]]:
        """Return the length of the range of losses of each cell of each objective."""

    def widths(self, sample: FiniteObjectives, *, delta: float) -> FloatArray:
        """Return widths that hold for all hypotheses and objectives at once.

        Hoeffding's inequality per average, with delta split equally over data-dependent objectives and then over
        the averages of each; rates are conditional on their denominators (derived).

        Parameters
        ----------
        sample : FiniteObjectives
            What `sample` returned; its sizes enter, not its risks.
        delta : float
            Total failure probability, in (0, 1).

        Returns
        -------
        (*batch, N) ndarray
            0 for data-independent objectives, inf where a group is empty.

        Raises
        ------
        InvalidInputError
            If `sample` holds true risks, or delta is out of range.
        """
        if sample.cell_sizes is None:
            raise InvalidInputError("`sample` must be drawn from the problem, got objectives without sample sizes.")
        n_objectives = max(int(self.true.data_dependent.sum()), 1)
        widths = np.zeros((*sample.batch_shape, self.true.n_objectives))
        start = 0
        for objective, ranges in enumerate(self._cell_ranges()):
            cells = []
            for loss_range in ranges:
                bound = conditional_rate(
                    sample.cell_sizes[..., start],
                    n_hypotheses=self.n_hypotheses,
                    delta=delta,
                    n_objectives=n_objectives,
                    n_rates=len(ranges),
                    loss_range=loss_range,
                )
                cells.append(bound.width)
                start += 1
            if cells:
                widths[..., objective] = self._width_of_cells(cells, objective)
        return widths

    def __repr__(self) -> str:
        """Name and sizes."""
        return (
            f"{type(self).__name__}(name={self.name!r}, n_hypotheses={self.n_hypotheses}, "
            f"objectives={self.objective_names})"
        )


def check_sample_size(n: SampleSize, data_dependent: npt.NDArray[np.bool_]) -> SampleSize:
    """Return a sample size in canonical form: an int, or a tuple with one entry per objective."""
    if not isinstance(n, tuple | list):
        return check_count("n", n)
    if len(n) != data_dependent.size:
        raise InvalidInputError(f"`n` must have one entry for each of {data_dependent.size} objectives, got {n!r}.")
    return tuple(check_count("n", size) for size in n)
