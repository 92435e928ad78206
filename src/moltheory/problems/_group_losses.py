"""Logistic regression with one loss per group, on real data as the population: an infinite class with known truth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from moltheory._core._card import cell_text
from moltheory._core._docs import document
from moltheory._core._labels import aligned_labels, order_of, row_labels
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real, real_array
from moltheory.bounds import Bound, linear_class
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, NormBall
from moltheory.problems._base import SampleSize, check_sample_size, unbounded_widths
from moltheory.problems._infinite import InfiniteProblem, ParametricObjectives, sizes_of
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence
from moltheory.scalarization import WeightedSum
from moltheory.solvers import Sweep, solve_front

__all__ = ["LogisticGroups"]


@document
class LogisticGroups(InfiniteProblem):
    r"""One linear classifier for N >= 2 groups, with the logistic loss of each group as an objective.

    The rows are the population, so the true risk of theta in group k, with m_k rows,

    .. math:: L_k(\theta) = \frac{1}{m_k} \sum_{i \in k} \log(1 + e^{-y_i x_i'\theta}) + \frac{r}{2} \|\theta\|^2,

    is a finite sum. The ridge r > 0 belongs to the objectives, true and empirical; it makes all of them r-strongly
    convex, so that minimisers exist and certificates are rigorous.

    Parameters
    ----------
    features : (n, d) array_like
    target : (n,) array_like
        Two classes: -1 and +1, or 0 and 1.
    group : sequence of n hashable
        Group of each row; at least two groups, ordered by their names.
    ridge : float, default 0.01
        r > 0.
    ball : NormBall, optional
        Restricts the class, which is then solved by cvxpy (slow) and has widths.
    standardize : bool, default True
        Give every feature mean 0 and variance 1 over all rows; constant features are dropped.
    intercept : bool, default True
        Append a feature of ones, whose parameter is under the ridge and in the ball like the others.
    {problem_name}

    Attributes
    ----------
    true : ConvexObjectives
        True risks, batch shape ().
    features, target : ndarray
        As used, with the column of ones.
    group_names : tuple of str
    ridge : float
    ball : NormBall or None
    n_tasks, dimension : int
        Numbers of groups and of parameters.

    {raises}

    Notes
    -----
    Complexity: O(n d) time and memory. R samples of n examples take O(R N n d) time and memory at most.

    References
    ----------
    The class is this project's own; the population point of view makes the truth of P. Súkeník and C. H. Lampert, arXiv
    2208.13499, exact.

    Examples
    --------
    >>> x = [[0.0], [1.0], [2.0], [0.0], [1.0], [2.0]]
    >>> problem = LogisticGroups(x, [0, 1, 1, 1, 0, 0], list("aaabbb"), ridge=0.1)
    >>> problem.objective_names, problem.true_solutions([[0.5, 0.5]]).round(6) + 0.0
    (('logistic_loss[a]', 'logistic_loss[b]'), array([[0., 0.]]))
    >>> problem.sample(20, replicates=5, rng=0).batch_shape
    (5,)
    """

    true: ConvexObjectives
    is_exact = True
    is_lattice = False

    def __init__(
        self,
        features: npt.ArrayLike,
        target: npt.ArrayLike,
        group: Sequence[Hashable] | npt.NDArray[np.generic],
        *,
        ridge: float = 0.01,
        ball: NormBall | None = None,
        standardize: bool = True,
        intercept: bool = True,
        name: str = "logistic_groups",
    ) -> None:
        x = real_array("features", features, shape="(n, d)", min_ndim=2, max_ndim=2)
        y = real_array("target", target, shape="(n,)", min_ndim=1, max_ndim=1)
        n = x.shape[0]
        rows = row_labels(features)
        order = order_of("target", row_labels(target), rows, n, of="features")
        y = y if order is None else y[order]
        entries = aligned_labels("group", group, rows, n, of="features")
        labels = np.array([str(entry) for entry in entries.tolist()])
        if y.shape != (n,) or labels.shape != (n,):
            raise InvalidInputError(
                f"`target` and `group` must have one entry for each of {n} rows, got {y.size} and {labels.size}."
            )
        if not (np.isin(y, (0.0, 1.0)).all() or np.isin(y, (-1.0, 1.0)).all()) or np.ptp(y) == 0.0:
            raise InvalidInputError("`target` must hold two classes, -1 and +1 or 0 and 1, got other values.")
        self.group_names = tuple(sorted(set(labels.tolist())))
        if len(self.group_names) < 2:
            raise InvalidInputError(f"`group` must hold at least two groups, got {self.group_names}.")
        self.ridge = check_real("ridge", ridge, low=0.0, strict=True)
        self.features = as_readonly(_prepared(x, standardize, intercept))
        self.target = as_readonly(np.where(y > 0.0, 1.0, -1.0))
        self.ball, self.name = ball, name
        self._rows = [np.flatnonzero(labels == entry) for entry in self.group_names]
        self._names = tuple(f"logistic_loss[{entry}]" for entry in self.group_names)
        self.true = self._objectives(self._rows)

    @property
    def objective_names(self) -> tuple[str, ...]:
        """Names of the objectives."""
        return self._names

    @property
    def n_tasks(self) -> int:
        """Number N of groups."""
        return len(self.group_names)

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return int(self.features.shape[1])

    @property
    def strong_convexity(self) -> FloatArray:
        """Moduli (N,) of the risks, true and empirical: the ridge."""
        return np.full(self.n_tasks, self.ridge)

    @property
    def true_moduli(self) -> FloatArray:
        """Moduli of strong convexity (N,) of the true risks: the ridge."""
        return self.strong_convexity

    def _objectives(
        self, rows: Sequence[npt.NDArray[np.int64]], counts: Sequence[npt.NDArray[np.int64] | None] | None = None
    ) -> ConvexObjectives:
        return ConvexObjectives(
            [self.features[chosen] for chosen in rows],
            [self.target[chosen] for chosen in rows],
            losses="logistic",
            ridge=self.ridge,
            example_weights=counts,
            ball=self.ball,
            names=self._names,
        )

    @document
    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> ConvexObjectives:
        """Draw rows with replacement within each group and return the empirical objectives.

        Parameters
        ----------
        n : int or tuple of int
            Rows drawn from each group, >= 1; a tuple has one entry per group. Groups are drawn independently.
        replicates : int, optional
            Number of independent repetitions; None draws one, without a batch axis. The features of all of them are
            held at once, at most as many rows of each as the group has.
        {rng}

        Returns
        -------
        ConvexObjectives
            Batch shape () or (replicates,).

        {raises}
        TooLargeError
            If the samples do not fit into memory.
        """
        size = check_sample_size(n, self.true.data_dependent)
        sizes = [size] * self.n_tasks if isinstance(size, int) else list(size)
        lead = () if replicates is None else (check_count("replicates", replicates),)
        held = sum(min(rows.size, count) for rows, count in zip(self._rows, sizes, strict=True))
        numbers = 2.0 * held * (self.dimension + 1)
        require_room(lead[0] if lead else 1, numbers, of=f"{held} examples of {self.dimension} features")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        drawn: list[npt.NDArray[np.int64]] = []
        counts: list[npt.NDArray[np.int64] | None] = []
        for rows, count in zip(self._rows, sizes, strict=True):
            if count <= rows.size:
                drawn.append(rows[generator.integers(rows.size, size=(*lead, count))])
                counts.append(None)
            else:
                # How often each row was drawn says the same, and takes less room.
                drawn.append(np.broadcast_to(rows, (*lead, rows.size)))
                counts.append(generator.multinomial(count, np.full(rows.size, 1.0 / rows.size), size=lead or None))
        found = self._objectives(drawn, counts)
        found.sample_sizes = tuple(sizes)
        return found

    @document
    def solve(self, objectives: ConvexObjectives, weights: npt.ArrayLike) -> Sweep:
        """Minimise weighted sums of true or empirical objectives, each with its certificate.

        Parameters
        ----------
        objectives : ConvexObjectives
            `true`, or what `sample` returned.
        {weight_rows}

        Returns
        -------
        Sweep

        Raises
        ------
        InvalidInputError
            If the weights break their rule.
        SolverError
            If a minimum is not certified.
        """
        w = real_array("weights", weights, shape=f"(K, {self.n_tasks})", min_ndim=2, max_ndim=2)
        return solve_front(objectives, scalarizations=[WeightedSum(row) for row in w])

    def true_solutions(self, weights: npt.ArrayLike) -> FloatArray:
        """Return the minimisers (K, d) of weighted sums of the true risks; see `solve`."""
        return np.asarray(self.solve(self.true, weights).solutions, dtype=np.float64)

    @document
    def widths(self, sample_or_n: ParametricObjectives | SampleSize, /, *, delta: float) -> Bound:
        r"""Return half-widths that hold for all parameters of the ball and all groups at once.

        `moltheory.bounds.linear_class` with the logistic loss, 1-Lipschitz and of range W X over margins of at most
        W X, where W is the radius and X the largest norm of a row (dual to that of the ball). The ridge is known and
        adds nothing.

        Parameters
        ----------
        sample_or_n : ConvexObjectives, int or tuple of int
            What `sample` returned, or the rows drawn from each group.
        {delta}

        Returns
        -------
        Bound
            ``width`` has shape (N,), with the batch axes of a sample in front; inf without a ball.

        {raises}
        """
        sizes, lead = sizes_of(sample_or_n, self.n_tasks)
        if self.ball is None:
            return unbounded_widths(sample_or_n, self.true.data_dependent, delta)
        dual = 2 if self.ball.norm == "l2" else np.inf
        largest = float(np.linalg.norm(self.features, ord=dual, axis=1).max())
        bound = linear_class(
            sizes,
            lipschitz=1.0,
            weight_norm=self.ball.radius,
            input_norm=largest,
            delta=delta,
            loss_range=self.ball.radius * largest,
            norm="l2" if self.ball.norm == "l2" else "l1",
            dimension=self.dimension,
        )
        return replace(bound, width=np.broadcast_to(bound.width, (*lead, self.n_tasks)))

    def _line(self) -> str:
        """Name and sizes."""
        sizes = dict(zip(self.group_names, (rows.size for rows in self._rows), strict=True))
        return (
            f"LogisticGroups(name={self.name!r}, dimension={self.dimension}, rows={cell_text(sizes, 200, nested=True)})"
        )


def _prepared(x: FloatArray, standardize: bool, intercept: bool) -> FloatArray:
    """Standardise the columns and append ones."""
    if standardize:
        spread = x.std(axis=0)
        # The spread of a constant column may be rounding.
        kept = spread > 1e-12 * np.abs(x).max(axis=0)
        if not kept.any():
            raise InvalidInputError("`features` must hold a column that is not constant, got none.")
        x = (x[:, kept] - x[:, kept].mean(axis=0)) / spread[kept]
    return np.append(x, np.ones((x.shape[0], 1)), axis=1) if intercept else x
