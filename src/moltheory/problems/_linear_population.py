"""Bounded linear predictors on a finite population: the infinite class whose widths are known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._deprecation import renamed_parameter
from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_names, check_real
from moltheory.bounds import Bound, linear_class
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, NormBall
from moltheory.problems._base import SampleSize, check_sample_size
from moltheory.problems._infinite import InfiniteProblem, ParametricObjectives, sizes_of
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["LinearPopulation"]


@renamed_parameter("names", "objective_names")
@document
class LinearPopulation(InfiniteProblem):
    r"""Linear predictors of norm at most W for several tasks, whose populations are finite sets of examples.

    A sample draws rows of each population with replacement, so that the true risks are exact averages. Inputs longer
    than X are shrunk to X at the start; then every prediction lies in [-WX, WX], losses are Lipschitz and bounded, and
    `bounds.linear_class` gives widths that hold for the same ball over which the solvers minimise.

    Parameters
    ----------
    designs : sequence of N arrays of shape (m_k, d)
        Features of the population of each task.
    targets : sequence of N arrays of shape (m_k,)
        Targets; see `ConvexObjectives`.
    losses : str or sequence of N str
        ``"logistic"``, ``"smoothed-hinge"``, ``"squared"`` or ``"poisson"``.
    radius : float
        W > 0, largest Euclidean norm of a predictor.
    input_norm : float
        X > 0, largest Euclidean norm of an input.
    ridge : float or (N,) array_like, default 0
        Factors >= 0 of the squared norm; known without data, so it does not enter the widths.
    {objective_names}
    {problem_name}

    Attributes
    ----------
    true : ConvexObjectives
        True risks on the ball, batch shape ().
    radius, input_norm : float
    n_clipped : tuple of int
        How many inputs of each population were shrunk.
    n_tasks, dimension : int

    {raises}

    Notes
    -----
    Complexity: O(m d) time and memory for m rows. R samples of n examples take O(R N n) time, and O(R N n d) memory
    where rows are copied.

    Examples
    --------
    >>> x = [[3.0, 4.0], [1.0, 0.0], [0.0, 1.0]]
    >>> problem = LinearPopulation([x, x], [[1, 0, 0], [0, 0, 1]], losses="logistic", radius=2.0, input_norm=1.0)
    >>> problem.n_clipped, problem.true.ball
    ((1, 1), NormBall(radius=2.0, norm='l2'))
    >>> problem.widths(10_000, delta=0.05).width.round(4)
    array([0.0696, 0.0696])
    """

    true: ConvexObjectives
    is_exact = True
    is_lattice = False

    def __init__(
        self,
        designs: Sequence[npt.ArrayLike],
        targets: Sequence[npt.ArrayLike],
        *,
        losses: str | Sequence[str],
        radius: float,
        input_norm: float,
        ridge: float | Sequence[float] = 0.0,
        objective_names: Iterable[str] | None = None,
        name: str = "linear_population",
    ) -> None:
        ball = NormBall(check_real("radius", radius, low=0.0, strict=True))
        self.radius, self.input_norm = ball.radius, check_real("input_norm", input_norm, low=0.0, strict=True)
        labels = check_names("objective_names", objective_names, length=len(designs), stem="objective")
        given: dict[str, Any] = {"losses": losses, "ridge": ridge, "names": labels}
        # Checks shapes and values before the features are touched.
        checked = ConvexObjectives(designs, targets, **given)
        if checked.batch_shape or checked.n_objectives < 2:
            raise InvalidInputError(
                f"`designs` must be N >= 2 arrays of shape (m, d), got {checked.n_objectives} with batch shape "
                f"{checked.batch_shape}."
            )
        x = [np.asarray(one, dtype=np.float64) for one in designs]
        long = [np.linalg.norm(one, axis=1) > self.input_norm for one in x]
        self.n_clipped = tuple(int(rows.sum()) for rows in long)
        self._x = [as_readonly(NormBall(self.input_norm).inside(one)) for one in x]
        self._y = [as_readonly(np.asarray(one, dtype=np.float64)) for one in targets]
        self.true = ConvexObjectives(self._x, self._y, ball=ball, **given)
        self.name = name

    @property
    def strong_convexity(self) -> FloatArray:
        """Moduli (N,) of the true risks that the ridge alone guarantees."""
        return np.asarray(self.true.ridge)

    @property
    def true_moduli(self) -> FloatArray:
        """Moduli of strong convexity (N,) of the true risks, from the ridge and the curvature of squared losses."""
        return np.asarray(self.true.part(slice(None)).strong_convexity[0], dtype=np.float64)

    @document
    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> ConvexObjectives:
        """Draw rows of each population with replacement, independently, and return the empirical objectives.

        Parameters
        ----------
        {sample_size}
        {repetitions}
        rng : int, SeedSequence, Generator or None
            Source of randomness. A replicate takes its variates in one piece.

        Returns
        -------
        ConvexObjectives
            On the same ball; batch shape () or (replicates,).

        {raises}
        TooLargeError
            If the samples do not fit into memory.
        """
        size = check_sample_size(n, self.true.data_dependent)
        sizes = [size] * self.n_tasks if isinstance(size, int) else list(size)
        rows = 1 if replicates is None else check_count("replicates", replicates)
        require_room(
            rows, 2.0 * sum(sizes) * (self.dimension + 1), of=f"{sum(sizes)} examples of {self.dimension} features"
        )
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        drawn = [np.empty((rows, m), dtype=np.int64) for m in sizes]
        for r in range(rows):
            for k, m in enumerate(sizes):
                drawn[k][r] = generator.integers(len(self._x[k]), size=m)
        chosen = [one[0] for one in drawn] if replicates is None else drawn
        found = ConvexObjectives(
            [x[index] for x, index in zip(self._x, chosen, strict=True)],
            [y[index] for y, index in zip(self._y, chosen, strict=True)],
            losses=self.true.losses,
            ridge=self.true.ridge.tolist(),
            ball=self.true.ball,
            names=self.objective_names,
        )
        found.sample_sizes = tuple(sizes)
        return found

    @document
    def widths(self, sample_or_n: ParametricObjectives | SampleSize, /, *, delta: float) -> Bound:
        """Return half-widths for all predictors in the ball and all tasks at once, by `bounds.linear_class`.

        Parameters
        ----------
        sample_or_n : ConvexObjectives, int or tuple of int
            What `sample` returned, or the sample size of every task, or one for each.
        {delta}

        Returns
        -------
        Bound
            ``width`` has shape (N,), with the batch axes of a sample in front.

        {raises}

        Notes
        -----
        With z = WX and targets in [-Y, Y] (Poisson: [0, Y]), Lipschitz constants and ranges of the losses are: logistic
        1 and z; smoothed hinge 1 and 1/2 + z; squared 2 (z + Y) and (z + Y)^2; Poisson L = max(exp(z), Y) and 2 z L.
        """
        sizes, lead = sizes_of(sample_or_n, self.n_tasks)
        z = self.radius * self.input_norm
        constants, ranges = [], []
        for name, y in zip(self.true.losses, self._y, strict=True):
            most = float(np.abs(y).max())
            constant, length = {
                "logistic": (1.0, z),
                "smoothed-hinge": (1.0, 0.5 + z),
                "squared": (2.0 * (z + most), (z + most) ** 2),
                "poisson": (max(math.exp(z), most), 2.0 * z * max(math.exp(z), most)),
            }[name]
            constants.append(constant)
            ranges.append(length)
        bound = linear_class(
            sizes,
            lipschitz=constants,
            weight_norm=self.radius,
            input_norm=self.input_norm,
            delta=delta,
            loss_range=ranges,
        )
        return replace(bound, width=np.broadcast_to(bound.width, (*lead, self.n_tasks)))

    def _line(self) -> str:
        """Name, losses and sizes."""
        return (
            f"LinearPopulation(name={self.name!r}, losses={self.true.losses}, dimension={self.dimension}, "
            f"radius={self.radius:g}, input_norm={self.input_norm:g})"
        )
