"""Linear predictors for several tasks with convex losses on normal designs: true risks without Monte Carlo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._deprecation import renamed_parameter
from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, as_readonly, check_choice, check_count, check_names, real_array
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, QuadraticObjectives, SmoothObjectives
from moltheory.problems._base import SampleSize, check_sample_size, unbounded_widths
from moltheory.problems._gaussian_risks import GaussianRisks
from moltheory.problems._gaussians import cholesky_factors
from moltheory.problems._infinite import InfiniteProblem, ParametricObjectives
from moltheory.problems._room import require_room
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["GaussianDesigns"]

_LOSSES = ("squared", "logistic", "poisson", "smoothed-hinge")
# Quadrature errors above this are refused.
_ACCURACY = 1e-8
_ROUNDING = 1e-15
# Largest standard deviations of x'beta: counts of rate exp(9 times that) must fit in a float, and labels that are all
# but certain would need many quadrature nodes.
_MOST_SPREAD = {"poisson": 4.0, "logistic": 20.0, "smoothed-hinge": 10.0}


@renamed_parameter("names", "objective_names")
@document
class GaussianDesigns(InfiniteProblem):
    r"""One linear predictor for N >= 2 tasks, each with its own normal features, target and convex loss.

    In task k, x ~ N(0, S_k) and the target y follows the model that fits the loss, at :math:`v = x'\beta_k`:
    ``"squared"`` y = v + noise_k e with e standard normal; ``"logistic"`` and ``"smoothed-hinge"`` y = +1 with
    probability 1 / (1 + exp(-v)), else -1; ``"poisson"`` y Poisson of rate exp(v). With a ridge the risks are those of
    `ConvexObjectives`: mean loss + ridge_k / 2 times the squared norm. Class and losses are unbounded, so no
    distribution-free width exists: compare with the realized uniform deviation. There is no intercept.

    Parameters
    ----------
    covariances : (N, d, d) array_like
        Symmetric positive definite S_k.
    coefficients : (N, d) array_like
        Parameters beta_k.
    losses : str or sequence of N str
        ``"squared"``, ``"logistic"``, ``"poisson"`` or ``"smoothed-hinge"``; see `ConvexObjectives`.
    noise : float or (N,) array_like, default 0
        Standard deviations of squared tasks; one number is for all of those, of N those of other tasks must be 0.
    ridge : float or (N,) array_like, default 0
        Factors r_k >= 0 of the squared norm, in true and empirical risks alike.
    shared : bool, default False
        Draw one sample for all tasks whose covariance, coefficients, kind of target and noise are equal: several losses
        of one task on the same examples. By default every task has its own.
    {objective_names}
    {problem_name}

    Attributes
    ----------
    covariances, coefficients, noise, ridge : ndarray
        Read-only.
    losses : tuple of str
    true : SmoothObjectives or QuadraticObjectives
        True risks, batch shape (); quadratic if all losses are squared.
    quadrature_error : float
        Largest change of a true risk, or of an entry of its gradient or Hessian, relative to max(1, its size), when the
        number of quadrature nodes is doubled, at predictors of standard deviation 0 to 100 in several directions; at
        least 1e-15 for rounding, and exactly 0 if all losses are squared or poisson (closed forms).
    strong_convexity : (N,) ndarray
        Moduli of the true risks: ridge, plus twice the smallest eigenvalue of S_k for squared, and that eigenvalue for
        poisson losses.
    n_tasks, dimension : int

    Raises
    ------
    InvalidInputError
        If shapes disagree, a covariance is not symmetric positive definite (collinear features), a noise or ridge is
        negative, or x'beta_k has a standard deviation above 20 (smoothed hinge: 10, poisson: 4).

    Notes
    -----
    Complexity: O(N d^3) time and O(N d^2) memory, and a fixed number of quadrature nodes. R samples of n examples take
    O(R N n d^2) time and O(R N n d) memory.

    References
    ----------
    Derived (proof: least-squares); the integrals are in ``problems/_gaussian_risks.py``.

    Examples
    --------
    >>> problem = GaussianDesigns([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], losses=["logistic", "poisson"], ridge=0.1)
    >>> problem.true.risks([[0.0, 0.0]]).round(6)
    array([[0.693147, 1.      ]])
    >>> problem.quadrature_error < 1e-11
    True
    >>> problem.sample(100, replicates=5, rng=0).batch_shape
    (5,)
    """

    is_exact = True
    is_lattice = False

    def __init__(
        self,
        covariances: npt.ArrayLike,
        coefficients: npt.ArrayLike,
        *,
        losses: str | Sequence[str],
        noise: float | npt.ArrayLike = 0.0,
        ridge: float | npt.ArrayLike = 0.0,
        shared: bool = False,
        objective_names: Iterable[str] | None = None,
        name: str = "gaussian_designs",
    ) -> None:
        matrices = real_array("covariances", covariances, shape="(N, d, d)", min_ndim=3, max_ndim=3)
        n, d = matrices.shape[:2]
        if n < 2 or matrices.shape[2] != d:
            raise InvalidInputError(
                f"`covariances` must have shape (N, d, d) with N >= 2 tasks, got shape {matrices.shape}."
            )
        self._roots = cholesky_factors("covariances", matrices)
        beta = real_array("coefficients", coefficients, shape="(N, d)", min_ndim=2, max_ndim=2)
        if beta.shape != (n, d):
            raise InvalidInputError(f"`coefficients` must have shape {(n, d)}, got shape {beta.shape}.")
        self.losses = (losses,) * n if isinstance(losses, str) else tuple(losses)
        for one in self.losses:
            check_choice("losses", one, _LOSSES)
        if len(self.losses) != n:
            raise InvalidInputError(f"`losses` must be one or {n}, got {len(self.losses)}.")
        spread = np.sqrt(np.einsum("ni,nij,nj->n", beta, matrices, beta))
        for one, size in zip(self.losses, spread.tolist(), strict=True):
            if size > _MOST_SPREAD.get(one, np.inf):
                raise InvalidInputError(
                    f"`coefficients` must give x'beta a standard deviation of at most {_MOST_SPREAD[one]:g} for the "
                    f"{one} loss, got {size:.3g}."
                )
        squared = np.array([one == "squared" for one in self.losses])
        sigma = _per_task("noise", noise, n)
        if np.ndim(noise) > 0 and (sigma[~squared] > 0.0).any():
            raise InvalidInputError(f"`noise` must be 0 where the loss is not squared, got {sigma.tolist()}.")
        self.covariances, self.coefficients = as_readonly(matrices), as_readonly(beta)
        self.noise, self.ridge = as_readonly(np.where(squared, sigma, 0.0)), as_readonly(_per_task("ridge", ridge, n))
        if not isinstance(shared, bool):
            raise InvalidInputError(f"`shared` must be a bool, got {shared!r}.")
        self.shared, self.name = shared, name
        smallest = np.maximum(np.linalg.eigvalsh(matrices)[:, 0], 0.0)
        factor = np.array([{"squared": 2.0, "poisson": 1.0}.get(one, 0.0) for one in self.losses])
        # Eigenvalues are computed up to a rounding error of this size.
        floor = d * np.finfo(np.float64).eps * np.abs(matrices).max(axis=(1, 2))
        self.strong_convexity = as_readonly(self.ridge + factor * np.maximum(smallest - floor, 0.0))
        risks = GaussianRisks(self.covariances, self.coefficients, self.losses, self.noise, self.ridge)
        self.quadrature_error = _quadrature_error(risks)
        if not self.quadrature_error <= _ACCURACY:
            raise InvalidInputError(
                f"`coefficients` must leave the true risks accurate to {_ACCURACY:g}, got a quadrature error of "
                f"{self.quadrature_error:.1e}."
            )
        labels = check_names("objective_names", objective_names, length=n, stem="objective")
        self.true: SmoothObjectives | QuadraticObjectives
        if squared.all():
            self.true = QuadraticObjectives.from_expansion(
                matrices + 0.5 * self.ridge[:, None, None] * np.eye(d),
                -0.5 * self.ridge[:, None] * beta,
                self.noise**2 + 0.5 * self.ridge * (beta * beta).sum(axis=1),
                at=beta,
                names=labels,
            )
        else:
            self.true = SmoothObjectives(
                risks.value,
                risks.gradient,
                risks.hessian,
                n_objectives=n,
                dimension=d,
                strong_convexity=self.strong_convexity,
                names=labels,
            )

    @document
    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> ConvexObjectives:
        """Draw one sample for each task and return the empirical objectives.

        Parameters
        ----------
        {sample_size}
        {repetitions}
        rng : int, SeedSequence, Generator or None
            Source of randomness. A replicate takes its variates in one piece: the first replicates do not depend on
            how many follow.

        Returns
        -------
        ConvexObjectives
            Batch shape () or (replicates,). Without ridge, samples of n < d examples, or separable ones, may have
            no minimiser; `moltheory.solve_front` says so.

        Raises
        ------
        InvalidInputError
            If a size is not a positive integer, or differs between tasks that share examples.
        TooLargeError
            If the samples do not fit into memory.
        """
        size = check_sample_size(n, self.true.data_dependent)
        sizes = [size] * self.n_tasks if isinstance(size, int) else list(size)
        rows = 1 if replicates is None else check_count("replicates", replicates)
        source = self._sources()
        if any(sizes[k] != sizes[j] for k, j in enumerate(source)):
            raise InvalidInputError(f"`n` must be equal for tasks that share examples, got {n!r}.")
        require_room(
            rows, 2.0 * sum(sizes) * (self.dimension + 1), of=f"{sum(sizes)} examples of {self.dimension} features"
        )
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        x = [np.empty((rows, m, self.dimension)) for m in sizes]
        y = [np.empty((rows, m)) for m in sizes]
        for r in range(rows):
            for k in range(self.n_tasks):
                if source[k] == k:
                    x[k][r], y[k][r] = self._draw(generator, k, sizes[k])
        x, y = [x[j] for j in source], [y[j] for j in source]
        if replicates is None:
            x, y = [one[0] for one in x], [one[0] for one in y]
        return ConvexObjectives(x, y, losses=self.losses, ridge=self.ridge.tolist(), names=self.objective_names)

    @property
    def true_moduli(self) -> FloatArray:
        """Moduli of strong convexity (N,) of the true risks: `strong_convexity`."""
        return np.asarray(self.strong_convexity)

    def widths(self, sample_or_n: ParametricObjectives | SampleSize, /, *, delta: float) -> Bound:
        """Return infinite half-widths, as class and losses are unbounded; see `Problem.widths`."""
        return unbounded_widths(sample_or_n, self.true.data_dependent, delta)

    def _sources(self) -> list[int]:
        """The task whose examples each task sees."""
        if not self.shared:
            return list(range(self.n_tasks))
        kinds = [{"logistic": "class", "smoothed-hinge": "class"}.get(one, one) for one in self.losses]
        keys = [
            (kind, s, self.covariances[k].tobytes(), self.coefficients[k].tobytes())
            for k, (kind, s) in enumerate(zip(kinds, self.noise.tolist(), strict=True))
        ]
        return [keys.index(key) for key in keys]

    def _draw(self, rng: np.random.Generator, k: int, n: int) -> tuple[FloatArray, FloatArray]:
        x = rng.standard_normal((n, self.dimension)) @ self._roots[k].T
        v, loss = x @ self.coefficients[k], self.losses[k]
        if loss == "squared":
            return x, v + self.noise[k] * rng.standard_normal(n)
        if loss == "poisson":
            return x, rng.poisson(np.exp(v)).astype(np.float64)
        # P(logistic variable < v) = sigmoid(v).
        return x, np.where(rng.logistic(size=n) < v, 1.0, -1.0)

    def _line(self) -> str:
        """Name, losses and sizes."""
        return f"GaussianDesigns(name={self.name!r}, losses={self.losses}, dimension={self.dimension})"


def _per_task(name: str, value: float | npt.ArrayLike, n: int) -> FloatArray:
    array = np.atleast_1d(real_array(name, value, shape="(N,)", min_ndim=0, max_ndim=1))
    if array.shape not in ((1,), (n,)) or array.min() < 0.0:
        raise InvalidInputError(f"`{name}` must be >= 0, one number or {n}, got {array.tolist()}.")
    return np.broadcast_to(array, (n,))


def _quadrature_error(risks: GaussianRisks) -> float:
    """Compare with twice as many nodes, at predictors along, against and across the coefficients of each task."""
    if set(risks.losses) <= {"squared", "poisson"}:
        return 0.0
    worst = _ROUNDING
    for k, name in enumerate(risks.losses):
        if name in ("squared", "poisson"):
            continue
        matrix, beta = risks.covariances[k], risks.coefficients[k]
        coarse, fine = (
            GaussianRisks(matrix[None], beta[None], (name,), np.zeros(1), np.zeros(1), nodes=nodes)
            for nodes in (risks.nodes, 2 * risks.nodes)
        )
        across = np.linalg.eigh(matrix)[1][:, -1]
        directions = [v for v in (beta, across, across - beta) if float(v @ matrix @ v) > 0.0]
        sizes = np.array([0.0, 0.3, 1.0, 5.0, 100.0])
        points = np.concatenate([sizes[:, None] * v / np.sqrt(v @ matrix @ v) for v in directions])
        for method in ("value", "gradient", "hessian"):
            first, second = getattr(coarse, method)(points), getattr(fine, method)(points)
            worst = max(worst, float((np.abs(first - second) / np.maximum(1.0, np.abs(second))).max()))
    return worst
