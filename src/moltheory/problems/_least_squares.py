"""Multi-task least squares: an infinite class whose true and empirical fronts are known in closed form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._deprecation import renamed_parameter
from moltheory._core._docs import document
from moltheory._core._validation import (
    FloatArray,
    as_readonly,
    check_choice,
    check_count,
    check_names,
    check_vector,
    real_array,
)
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError
from moltheory.objectives import QuadraticObjectives
from moltheory.problems._base import SampleSize, check_sample_size, unbounded_widths
from moltheory.problems._gaussians import cholesky_factors
from moltheory.problems._infinite import FrontGrid, InfiniteProblem, ParametricObjectives
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["MultiTaskLeastSquares"]

# Normal variates held at once: a megabyte, which stays in the cache.
_CHUNK = 1 << 17


@renamed_parameter("names", "objective_names")
@document
class MultiTaskLeastSquares(InfiniteProblem):
    r"""One linear predictor for N >= 2 regression tasks, each with its own features, target and noise.

    In task k, :math:`y = x' \beta_k + \sigma_k e` with x normal of mean 0 and covariance S_k and e standard normal,
    independent of x. The true risk of a parameter vector is
    :math:`L_k(\theta) = (\theta - \beta_k)' S_k (\theta - \beta_k) + \sigma_k^2`; minimising all of them at once is
    solved by :math:`\theta(w) = (\sum_k w_k S_k)^{-1} \sum_k w_k S_k \beta_k`, w on the simplex. An empirical risk is
    :math:`\|y - X \theta\|^2 / n` over the task's sample. Class and loss are unbounded, so no distribution-free width
    exists: compare with the realized uniform deviation.

    Parameters
    ----------
    covariances : (N, d, d) array_like
        Symmetric positive definite S_k, so that no features are collinear.
    targets : (N, d) array_like
        Parameters beta_k.
    noise : (N,) array_like
        Standard deviations sigma_k >= 0.
    {objective_names}
    {problem_name}

    Attributes
    ----------
    covariances, targets, noise : ndarray
        As given, read-only.
    true : QuadraticObjectives
        True risks, batch shape ().
    n_tasks, dimension : int

    {raises}

    Notes
    -----
    Complexity: O(N d^3) time and O(N d^2) memory. R samples of n examples take O(R N n d^2) time and O(R N d^2) memory
    beside a block of examples.

    References
    ----------
    Derived (proof: least-squares).

    Examples
    --------
    >>> covariances = [np.eye(3), [[2, 1, 0], [1, 2, 1], [0, 1, 2]]]
    >>> problem = MultiTaskLeastSquares(covariances, [[1, 0, 0], [0, 0, 1]], [0, 0])
    >>> theta = problem.true_solutions([[0.5, 0.5]])
    >>> (3 * theta + 1).round(12), (9 * problem.true.risks(theta)).round(12)
    (array([[2., 1., 3.]]), array([[8., 4.]]))
    >>> problem.sample(100, replicates=5, rng=0).batch_shape
    (5,)
    """

    true: QuadraticObjectives
    is_exact = True
    is_lattice = False
    # Members are known in closed form, so that many cost little.
    front_grid = FrontGrid(n_points=60, refinement=10, trials=20)
    holds_examples = False

    def __init__(
        self,
        covariances: npt.ArrayLike,
        targets: npt.ArrayLike,
        noise: npt.ArrayLike,
        *,
        objective_names: Iterable[str] | None = None,
        name: str = "multi_task_least_squares",
    ) -> None:
        matrices = real_array("covariances", covariances, shape="(N, d, d)", min_ndim=3, max_ndim=3)
        n_tasks, d = matrices.shape[:2]
        if n_tasks < 2 or matrices.shape[2] != d:
            raise InvalidInputError(
                f"`covariances` must have shape (N, d, d) with N >= 2 tasks, got shape {matrices.shape}."
            )
        beta = real_array("targets", targets, shape="(N, d)", min_ndim=2, max_ndim=2)
        if beta.shape != (n_tasks, d):
            raise InvalidInputError(f"`targets` must have shape {(n_tasks, d)}, got shape {beta.shape}.")
        sigma = check_vector("noise", noise, length=n_tasks, low=0.0)
        self._roots = cholesky_factors("covariances", matrices)
        self.covariances, self.targets, self.noise = as_readonly(matrices), as_readonly(beta), as_readonly(sigma)
        self.name = name
        labels = check_names("objective_names", objective_names, length=n_tasks, stem="objective")
        self.true = QuadraticObjectives(matrices, beta, sigma**2, names=labels)

    @document
    def sample(
        self,
        n: SampleSize,
        *,
        replicates: int | None = None,
        rng: RandomSource = None,
        method: Literal["data", "wishart"] = "data",
    ) -> QuadraticObjectives:
        r"""Draw one sample for each task, independent of each other, and return the empirical objectives.

        Parameters
        ----------
        {sample_size}
        {repetitions}
        {rng}
        method : {"data", "wishart"}, default "data"
            ``"data"`` draws every example; ``"wishart"`` draws the Gram matrix of features and noise, on which alone
            the risks depend, from the same distribution at a cost that does not depend on n. The two give
            different samples for the same seed.

        Returns
        -------
        QuadraticObjectives
            Batch shape () or (replicates,); singular curvature where n < d.

        {raises}
        TooLargeError
            If the samples do not fit into memory.

        Notes
        -----
        Time O(replicates n d^2) or O(replicates d^3), memory beyond the result bounded. Features are C z with
        CC' = S_k and z standard normal, so that only the Gram matrix of (z, e) is random: Wishart with n degrees of
        freedom. Its Bartlett factor is lower triangular with independent entries, normal below the diagonal and
        the root of a chi-square with n - i degrees of freedom at i = 0, 1, ... (M. S. Bartlett 1933); for n <= d
        its first n columns, of the same law, are all of it (M. S. Srivastava 2003, doi 10.1214/aos/1065705118). With
        ``"data"`` a replicate takes its variates in one piece, task after task, example after example, features
        before noise: the first replicates do not depend on how many follow.
        """
        size = check_sample_size(n, self.true.data_dependent)
        sizes = [size] * self.n_tasks if isinstance(size, int) else list(size)
        rows = 1 if replicates is None else check_count("replicates", replicates)
        require_room(
            rows,
            4.0 * self.n_tasks * (self.dimension + 1) ** 2,
            of=f"{self.n_tasks} moments of {self.dimension} features",
        )
        check_choice("method", method, ("data", "wishart"))
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        draw = _grams_of_data if method == "data" else _grams_by_bartlett
        gram = draw(generator, sizes, rows, self.dimension + 1)
        gram /= np.array(sizes, dtype=np.float64)[:, None, None]
        curvature = self._roots @ gram[..., :-1, :-1] @ np.swapaxes(self._roots, -1, -2)
        linear = self.noise[:, None] * (self._roots @ gram[..., :-1, -1:])[..., 0]
        constant = self.noise**2 * gram[..., -1, -1]
        # Expanded at the targets, where an empirical risk is the mean square of the noise alone.
        found = (curvature[0], linear[0], constant[0]) if replicates is None else (curvature, linear, constant)
        return QuadraticObjectives.from_expansion(*found, at=self.targets, names=self.objective_names)

    def simulate(self, n: int, *, replicates: int, rng: np.random.Generator) -> QuadraticObjectives:
        """Return empirical objectives distributed as those of `sample`, at a cost that does not grow with n."""
        return self.sample(n, replicates=replicates, rng=rng, method="wishart")

    @property
    def true_moduli(self) -> FloatArray:
        """Moduli of strong convexity (N,) of the true risks: twice the smallest eigenvalues of the covariances."""
        values = np.linalg.eigvalsh(self.true.curvature)
        moduli: FloatArray = 2.0 * np.maximum(values[:, 0] - 1e-14 * values[:, -1], 0.0)
        return moduli

    def widths(self, sample_or_n: ParametricObjectives | SampleSize, /, *, delta: float) -> Bound:
        """Return infinite half-widths, as class and losses are unbounded; see `Problem.widths`."""
        return unbounded_widths(sample_or_n, self.true.data_dependent, delta)

    @document
    def true_solutions(self, weights: npt.ArrayLike) -> FloatArray:
        """Return the minimisers of weighted sums of the true risks.

        Parameters
        ----------
        {weight_rows}

        Returns
        -------
        (K, d) ndarray

        {raises}
        """
        return self.true.minimisers(weights)

    def _points_at(self, weights: FloatArray) -> FloatArray:
        return self.true.risks(self.true_solutions(weights))

    def _line(self) -> str:
        """Name and sizes."""
        return f"MultiTaskLeastSquares(name={self.name!r}, n_tasks={self.n_tasks}, dimension={self.dimension})"


def _grams_of_data(rng: np.random.Generator, sizes: list[int], replicates: int, width: int) -> FloatArray:
    """Gram matrices (R, N, width, width) of standard normal rows, `sizes[k]` of them for task k."""
    grams = np.zeros((replicates, len(sizes), width, width))
    total = sum(sizes)
    together = _CHUNK // (total * width)
    if together >= 1:
        ends = np.cumsum(sizes).tolist()
        for start in range(0, replicates, together):
            block = grams[start : start + together]
            z = rng.standard_normal((block.shape[0], total, width))
            for k, (end, size) in enumerate(zip(ends, sizes, strict=True)):
                rows = z[:, end - size : end]
                np.matmul(np.swapaxes(rows, -1, -2), rows, out=block[:, k])
        return grams
    # One replicate is larger than a chunk: the same variates in the same order, a few rows at a time.
    step = max(1, _CHUNK // width)
    for gram in grams:
        for k, size in enumerate(sizes):
            for start in range(0, size, step):
                z = rng.standard_normal((min(step, size - start), width))
                gram[k] += z.T @ z
    return grams


def _grams_by_bartlett(rng: np.random.Generator, sizes: list[int], replicates: int, width: int) -> FloatArray:
    """Gram matrices of the same law, from their triangular factors."""
    grams = np.empty((replicates, len(sizes), width, width))
    below = np.tril_indices(width, -1)
    step = max(1, _CHUNK // width**2)
    for k, size in enumerate(sizes):
        columns = min(width, size)
        kept = below[1] < columns
        rows, diagonal = (below[0][kept], below[1][kept]), np.arange(columns)
        for start in range(0, replicates, step):
            block = grams[start : start + step, k]
            factor = np.zeros((block.shape[0], width, columns))
            factor[:, diagonal, diagonal] = np.sqrt(rng.chisquare(size - diagonal, (block.shape[0], columns)))
            factor[:, rows[0], rows[1]] = rng.standard_normal((block.shape[0], rows[0].size))
            np.matmul(factor, np.swapaxes(factor, -1, -2), out=block)
    return grams
