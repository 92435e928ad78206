"""Finite worlds: outcomes with probabilities, and a table of losses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._rational import read_probabilities
from moltheory._core._validation import FloatArray, as_readonly, check_count, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives import Known, Mean
from moltheory.problems._population import FinitePopulation
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["FiniteWorld"]


@document
class FiniteWorld(FinitePopulation):
    """A population of s outcomes on which H hypotheses have losses in N objectives.

    An objective whose losses do not depend on the outcome is data-independent: its empirical and true risks are
    equal.

    Parameters
    ----------
    probabilities : (s,) sequence of float, int or fractions.Fraction
        Summing to one; floats are read as their shortest decimals.
    losses : (s, H, N) array_like
        Finite; in some objective they depend on the outcome. Losses that are fractions with small denominators (0/1
        losses above all) are kept exact.
    {objective_names}
    {problem_name}
    names : iterable of str, optional
        The same as `objective_names`, by its earlier name.

    Attributes
    ----------
    losses : (s, H, N) ndarray
    true_risks : (H, N) ndarray

    {raises}

    Notes
    -----
    Complexity: O(s H N) time and memory. R samples take O(R s H N) time, whatever n, and O(R H N) memory; an exact sum
    over T sample types O(T s H N) time.

    Examples
    --------
    >>> world = FiniteWorld([0.5, 0.5], [[[0, 0], [1, 1]], [[1, 0], [0, 1]]])
    >>> world.true_risks
    array([[0.5, 0. ],
           [0.5, 1. ]])
    >>> world.exact(3).probability(lambda risks: risks[:, 1, 0] < risks[:, 0, 0])
    0.5
    """

    def __init__(
        self,
        probabilities: Sequence[Any] | npt.NDArray[Any],
        losses: npt.ArrayLike,
        *,
        objective_names: Iterable[str] | None = None,
        name: str = "finite_world",
        names: Iterable[str] | None = None,
    ) -> None:
        table = real_array("losses", losses, shape="(s, H, N)", min_ndim=3, max_ndim=3)
        outcomes = read_probabilities(probabilities)
        if len(outcomes) != table.shape[0]:
            raise InvalidInputError(
                f"`losses` must have one row for each of {len(outcomes)} probabilities, got {table.shape[0]}."
            )
        possible = table[[p > 0 for p in outcomes]]
        constant = (possible == possible[0]).all(axis=(0, 1))
        if constant.all():
            raise InvalidInputError("`losses` must depend on the outcome in at least one objective, got none.")
        measures = [Known(possible[0, :, i]) if constant[i] else Mean(table[:, :, i]) for i in range(table.shape[2])]
        super().__init__(outcomes, measures, objective_names=_one_of(objective_names, names), name=name)
        self.losses = as_readonly(table)

    @classmethod
    def from_examples(
        cls,
        losses: npt.ArrayLike,
        *,
        objective_names: Iterable[str] | None = None,
        names: Iterable[str] | None = None,
    ) -> FiniteWorld:
        """Build the world in which every row of a table of losses is equally likely.

        Parameters
        ----------
        losses : (n, H, N) array_like
            Losses of H hypotheses on n examples.
        objective_names : iterable of str, optional
            Names of the objectives.
        names : iterable of str, optional
            The same, by its earlier name.

        Returns
        -------
        FiniteWorld

        Examples
        --------
        >>> FiniteWorld.from_examples([[[0, 1]], [[1, 1]], [[1, 1]]]).true_risks
        array([[0.66..., 1. ]])
        """
        table = real_array("losses", losses, shape="(n, H, N)", min_ndim=3, max_ndim=3)
        share = [Fraction(1, table.shape[0])] * table.shape[0]
        return cls(share, table, objective_names=_one_of(objective_names, names), name="examples")

    @property
    def true_risks(self) -> FloatArray:
        """True risks, (H, N)."""
        return self.true.risks()

    def sample_risks(self, n: int, *, replicates: int = 1, rng: RandomSource = None) -> FloatArray:
        """Return the empirical risks of independent samples, (replicates, H, N)."""
        return self.sample(n, replicates=replicates, rng=rng).risks()

    def sample_losses(self, n: int, *, rng: RandomSource = None) -> FloatArray:
        """Return the losses of one sample, example by example, (n, H, N)."""
        size = check_count("n", n) * self.losses[0].size
        require_room(1, size, of=f"{n} examples, {self.n_hypotheses} hypotheses and {self.losses.shape[2]} objectives")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        return self.losses[generator.choice(self.losses.shape[0], size=n, p=self._weights)]


def _one_of(objective_names: Iterable[str] | None, names: Iterable[str] | None) -> Iterable[str] | None:
    """Return the names of the objectives, given by either keyword."""
    if objective_names is not None and names is not None:
        raise InvalidInputError("`names` must be None beside `objective_names`, which is the same, got both.")
    return names if objective_names is None else objective_names
