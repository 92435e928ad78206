"""The base classes of problems: what every problem offers, and what a finite class adds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError, NotDeclaredError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import Front, pareto_front
from moltheory.problems._cards import finite_card, finite_line, problem_line
from moltheory.runs import RandomSource

__all__ = ["FiniteProblem", "Problem", "SampleSize", "check_sample_size", "is_size", "unbounded_widths"]

SampleSize = int | tuple[int, ...]


class Problem(Printed, ABC):
    """Hypotheses with objectives whose true risks are known.

    A problem of your own derives from `FiniteProblem` or `InfiniteProblem`, or from nothing, if it has what `ProblemLike`
    lists; `moltheory.testing.check_problem` checks it.

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

    @property
    def unbiased(self) -> npt.NDArray[np.bool_]:
        """Objectives (N,) whose empirical risks have the true ones as expectation, where defined; all unless declared."""
        return np.ones(len(self.objective_names), dtype=np.bool_)

    @abstractmethod
    def true_front(self, *, n_points: int = 200) -> Front:
        """Return the true Pareto front.

        Parameters
        ----------
        n_points : int, default 200
            How many points to compute on a continuous front; a finite class returns all of its front.
        """

    @document
    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        """Return half-widths that hold for all hypotheses and objectives at once; refused unless a problem defines them.

        Parameters
        ----------
        sample_or_n : objectives, int or tuple of int
            What `sample` returned, of which the sizes enter and not the risks; or a sample size, one for all objectives
            or one for each.
        {delta}

        Returns
        -------
        Bound
            ``width`` has shape (*batch, N) for a sample and (N,) for a size: 0 for data-independent objectives, inf
            where nothing is claimed.

        Raises
        ------
        NotDeclaredError
            If the problem defines no widths.
        InvalidInputError
            If `sample_or_n` holds true risks, a size is not a positive integer, or delta is out of range.
        """
        raise NotDeclaredError(
            f"`problem` must define widths(sample_or_n, delta=) where half-widths are needed, got a "
            f"{type(self).__name__} without them."
        )

    def _line(self) -> str:
        return problem_line(self)


class FiniteProblem(Problem):
    """A problem with finitely many hypotheses, indexed ``0..H-1``.

    A subclass sets `name`, `true`, `risk_limits`, `is_exact` and `is_lattice` and defines `sample`. With `widths` its
    bounds are reported and their confidence is checked; without, whatever needs them is refused.

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
    @document
    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        """Draw samples and return the empirical objectives.

        Parameters
        ----------
        n : int or tuple of int
            Sample size, >= 1; a tuple has one entry per objective and draws independent samples.
        {repetitions}
        {rng}

        Returns
        -------
        FiniteObjectives
            Batch shape () or (replicates,).

        {raises}
        """

    def simulate(self, n: int, *, replicates: int, rng: np.random.Generator) -> FiniteObjectives:
        """Return empirical objectives distributed as those of `sample`, by the quickest way known; by default `sample`."""
        return self.sample(n, replicates=replicates, rng=rng)

    def true_front(self, *, n_points: int = 200) -> Front:
        """Return the true Pareto front; all of it, whatever `n_points`."""
        check_count("n_points", n_points)
        return pareto_front(self.true.risks())

    def n_types(self, n: int) -> int | None:
        """Return how many sample types of size n ``exact(n)`` enumerates; None where a problem cannot be enumerated.

        Only a problem whose widths are the same for all samples of one size can be.
        """
        return None

    def _line(self) -> str:
        return finite_line(self)

    def _card(self) -> Card:
        return finite_card(self)


def check_sample_size(n: SampleSize, data_dependent: npt.NDArray[np.bool_]) -> SampleSize:
    """Return a sample size in canonical form: an int, or a tuple with one entry per objective."""
    if not isinstance(n, tuple | list):
        return check_count("n", n)
    if len(n) != data_dependent.size:
        raise InvalidInputError(f"`n` must have one entry for each of {data_dependent.size} objectives, got {n!r}.")
    return tuple(check_count("n", size) for size in n)


def unbounded_widths(sample_or_n: Any, data_dependent: npt.NDArray[np.bool_], delta: float) -> Bound:
    """Return infinite half-widths of data-dependent objectives: class or losses are unbounded, nothing is claimed."""
    lead = () if is_size(sample_or_n) else tuple(sample_or_n.batch_shape)
    if is_size(sample_or_n):
        check_sample_size(sample_or_n, data_dependent)
    ranges = np.where(data_dependent, np.inf, 0.0)
    return Bound(
        width=np.broadcast_to(ranges, (*lead, ranges.size)),
        loss_range=ranges,
        delta=check_fraction("delta", delta),
        method="none",
        source="no distribution-free half-width exists for unbounded losses",
        assumptions=(),
    )


def is_size(sample_or_n: Any) -> bool:
    """Return whether an argument is a sample size rather than a sample; refuse what is neither."""
    if hasattr(sample_or_n, "risks") and hasattr(sample_or_n, "batch_shape"):
        return False
    if isinstance(sample_or_n, int | float | np.generic | tuple | list):
        return True
    raise InvalidInputError(
        f"`sample_or_n` must be what `sample` returned, or a sample size, got {type(sample_or_n).__name__}."
    )
