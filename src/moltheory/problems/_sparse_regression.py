"""Sparse linear regression, fit against sparsity: all supports, each with its best coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._rational import read_rational
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real, check_vector, real_array
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.objectives import FiniteObjectives
from moltheory.problems._base import FiniteProblem, SampleSize, check_sample_size, is_size, unbounded_widths
from moltheory.problems._gaussians import cholesky_factors, standard_moments
from moltheory.problems._room import require_room
from moltheory.problems._supports import residuals_exactly, residuals_of_supports, support_masks
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["FittedSupports", "SparseRegression"]

# All supports of this many features are 16384 hypotheses.
_MOST_FEATURES = 14
_CHUNK = 1 << 21
_NAMES = ("squared_error", "n_features")


@dataclass(frozen=True, eq=False, repr=False)
class FittedSupports(Shown):
    """Least squares on every support, from R samples.

    Attributes
    ----------
    coefficients : (R, H, d) ndarray
        0 outside the support.
    empirical : FiniteObjectives
        Training error and number of features, as `SparseRegression.sample` gives them.
    true : FiniteObjectives
        True risk of the fitted coefficients, and number of features.
    """

    coefficients: FloatArray
    empirical: FiniteObjectives
    true: FiniteObjectives


class SparseRegression(FiniteProblem):
    r"""Squared error against the number of features, over all supports of a linear model.

    :math:`y = x'\beta + \sigma e` with x normal of mean 0 and covariance S, e standard normal. Hypothesis A is a set of
    features with its best coefficients: for the truth

    .. math:: L(A) = \sigma^2 + \beta'S\beta - b_A' S_{AA}^{-1} b_A,\quad b = S\beta,

    and the same with sample moments for a sample: the smallest training error of any coefficients on A. So a
    hypothesis is the whole linear space of its coefficients, and its empirical risk is a minimum, biased downwards;
    `fits` gives the true risk of the coefficients that were fitted.

    Parameters
    ----------
    covariance : (d, d) array_like
        Symmetric positive definite S; d <= 14, as there are 2^d supports.
    coefficients : (d,) array_like
        beta.
    noise : float
        Standard deviation sigma >= 0.
    max_features : int, optional
        Largest support in the class; by default d.
    name : str, default "sparse_regression"
        Names the problem in tables, and keys its random streams.

    Attributes
    ----------
    covariance, coefficients : ndarray
        As given, read-only.
    noise : float
    supports : (H, d) ndarray of bool
        The hypotheses.
    true : FiniteObjectives
        ``squared_error`` and ``n_features`` (data-independent).
    risk_limits : (2,) ndarray
        Largest true risks, as empirical ones are unbounded.

    Raises
    ------
    InvalidInputError
        If shapes disagree, S is not symmetric positive definite, or a value is out of range.
    TooLargeError
        If d > 14.

    Notes
    -----
    Features that add nothing make exact ties, which must not turn into dominance by rounding. True risks are therefore
    computed in rationals, from the floats' shortest decimals, and rounded once. Empirical risks that vanish (as many
    features as examples; no noise and all relevant features) are exact zeros; all others differ almost surely.
    Complexity: O(2^d) for each sample, after its d x d moments. Class and loss are unbounded: no width exists.

    References
    ----------
    L. Breiman and D. Freedman (1983), How many variables should be entered in a regression equation?, Journal of the
    American Statistical Association 78, 131-136. The recursion over supports is derived (proof:
    least-squares).

    Examples
    --------
    >>> problem = SparseRegression(np.eye(3), [2.0, 1.0, 0.0], 1.0)
    >>> problem.true_front().points
    array([[1., 2.],
           [2., 1.],
           [6., 0.]])
    >>> problem.sample(50, replicates=4, rng=0).batch_shape
    (4,)
    """

    is_exact = True
    is_lattice = True

    def __init__(
        self,
        covariance: npt.ArrayLike,
        coefficients: npt.ArrayLike,
        noise: float,
        *,
        max_features: int | None = None,
        name: str = "sparse_regression",
    ) -> None:
        s = real_array("covariance", covariance, shape="(d, d)", min_ndim=2, max_ndim=2)
        d = s.shape[0]
        if s.shape != (d, d):
            raise InvalidInputError(f"`covariance` must have shape (d, d), got shape {s.shape}.")
        if d > _MOST_FEATURES:
            raise TooLargeError(f"`covariance` must be of at most {_MOST_FEATURES} features (2^d supports), got {d}.")
        self._root = as_readonly(cholesky_factors("covariance", s))
        beta = check_vector("coefficients", coefficients, length=d)
        self.covariance, self.coefficients, self.name = as_readonly(s), as_readonly(beta), name
        self.noise = check_real("noise", noise, low=0.0)
        most = d if max_features is None else check_count("max_features", max_features, low=0)
        if most > d:
            raise InvalidInputError(f"`max_features` must be at most {d}, got {most}.")
        masks = support_masks(d)
        self._kept = np.flatnonzero(masks.sum(axis=1) <= most)
        self.supports = as_readonly(masks[self._kept])
        self._sizes = self.supports.sum(axis=1)
        self.true = self._objectives(self._true_errors(), None)
        self.risk_limits = as_readonly(self.true.risks().max(axis=0))

    @property
    def unbiased(self) -> npt.NDArray[np.bool_]:
        """The number of features alone: a smallest training error is biased downwards."""
        return np.array([False, True])

    @property
    def dimension(self) -> int:
        """Number d of features."""
        return int(self.coefficients.size)

    def _true_errors(self) -> FloatArray:
        """True risks of all supports, exact up to one rounding."""
        d = self.dimension
        # Symmetric to the last digit, as the check allows for rounding.
        s = [[read_rational(self.covariance[max(i, j), min(i, j)]) for j in range(d)] for i in range(d)]
        beta = [read_rational(value) for value in self.coefficients]
        b = [sum((s[i][j] * beta[j] for j in range(d)), Fraction(0)) for i in range(d)]
        total = sum((b[i] * beta[i] for i in range(d)), read_rational(self.noise) ** 2)
        whole = residuals_exactly([[*s[i], b[i]] for i in range(d)] + [[*b, total]])
        return np.array([float(whole[h]) for h in self._kept])

    def _objectives(self, errors: FloatArray, n: int | None) -> FiniteObjectives:
        risks = np.stack([errors, np.broadcast_to(self._sizes.astype(np.float64), errors.shape)], axis=-1)
        cells = None if n is None else np.full((*errors.shape[:-1], 1), float(n))
        return FiniteObjectives(risks, names=_NAMES, data_dependent=[True, False], cell_sizes=cells)

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        """Draw samples and return the smallest training error of every support; see `FiniteProblem.sample`.

        A pair of sizes has its second entry for the number of features, where it is without effect.
        """
        size, rows, generator = self._request(n, replicates, rng)
        errors = np.concatenate([self._training_errors(m, size) for m in self._moments(size, rows, generator)])
        return self._objectives(errors[0] if replicates is None else errors, size)

    @document
    def fits(self, n: int, *, replicates: int = 1, rng: RandomSource = None) -> FittedSupports:
        """Draw the samples that `sample` draws from the same seed, and keep the fitted coefficients.

        Parameters
        ----------
        n : int
            Sample size, at least the largest support.
        replicates : int, default 1
        {rng}

        Returns
        -------
        FittedSupports

        {raises}

        Notes
        -----
        Complexity O(2^d d^3) for each sample.

        Examples
        --------
        >>> problem = SparseRegression(np.eye(3), [2.0, 1.0, 0.0], 1.0)
        >>> fitted = problem.fits(50, rng=0)
        >>> bool((fitted.true.risks() >= problem.true.risks()).all())
        True
        """
        size, rows, generator = self._request(check_count("n", n, low=max(int(self._sizes.max()), 1)), replicates, rng)
        require_room(rows, 4.0 * self.n_hypotheses * self.dimension, of=f"coefficients on {self.n_hypotheses} supports")
        training, coefficients = [], []
        for moments in self._moments(size, rows, generator):
            training.append(self._training_errors(moments, size))
            coefficients.append(self._coefficients(moments))
        theta = np.concatenate(coefficients)
        off = theta - self.coefficients
        truth = self.noise**2 + np.einsum("rhi,ij,rhj->rh", off, self.covariance, off, optimize=True)
        return FittedSupports(
            as_readonly(theta),
            self._objectives(np.concatenate(training), size),
            # The best coefficients bound the risk from below, in floating point too.
            self._objectives(np.maximum(truth, self.true.risks()[:, 0]), size),
        )

    @document
    def expected_training_errors(self, n: int) -> FloatArray:
        """Return the expectations of `sample`'s errors, (H,): (n - k)_+ / n times the true risk, for k features.

        The residuals of the best coefficients on A are normal and independent of the features in A, so n times the
        training error is the risk times a chi-square variable of n - k degrees of freedom. The sample size n is >= 1.

        {raises}
        """
        size = check_count("n", n)
        return np.asarray(self.true.risks()[:, 0] * np.maximum(size - self._sizes, 0) / size)

    @document
    def expected_fitted_risks(self, n: int) -> FloatArray:
        """Return the expected true risks of `fits`, (H,): (n - 1) / (n - k - 1) times the risk of k best coefficients.

        From the mean of the inverse Wishart matrix (Breiman and Freedman 1983); inf for 0 < k and n <= k + 1, if the
        risk is not 0. The sample size n is >= 1.

        {raises}
        """
        size, risks = check_count("n", n), self.true.risks()[:, 0]
        left = size - self._sizes - 1
        factor = np.where(left > 0, (size - 1) / np.maximum(left, 1), np.inf)
        factor[self._sizes == 0] = 1.0
        return np.multiply(risks, factor, out=np.zeros_like(risks), where=risks > 0.0)

    def widths(self, sample_or_n: FiniteObjectives | SampleSize, /, *, delta: float) -> Bound:
        """Return infinite half-widths of the error and 0 for the number of features: class and loss are unbounded.

        Raises
        ------
        InvalidInputError
            If `sample_or_n` holds true risks, or delta is out of range.
        """
        if not is_size(sample_or_n) and getattr(sample_or_n, "cell_sizes", None) is None:
            raise InvalidInputError(
                "`sample_or_n` must be drawn from the problem, got objectives without sample sizes."
            )
        return unbounded_widths(sample_or_n, self.true.data_dependent, delta)

    def _request(
        self, n: SampleSize, replicates: int | None, rng: RandomSource
    ) -> tuple[int, int, np.random.Generator]:
        size = check_sample_size(n, self.true.data_dependent)
        rows = 1 if replicates is None else check_count("replicates", replicates)
        require_room(rows, 3.0 * self.n_hypotheses, of=f"{self.n_hypotheses} supports")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        return size if isinstance(size, int) else size[0], rows, generator

    def _moments(self, n: int, rows: int, rng: np.random.Generator) -> list[FloatArray]:
        """Second moments of (x, y) in samples of size n, (R, d + 1, d + 1), in pieces."""
        d = self.dimension
        mixing = np.zeros((d + 1, d + 1))
        mixing[:d, :d] = self._root
        mixing[d, :d], mixing[d, d] = self.coefficients @ mixing[:d, :d], self.noise
        found = mixing @ standard_moments(rng, n, rows, d + 1) @ mixing.T
        step = max(1, _CHUNK // 2 ** (d + 1))
        return [found[start : start + step] for start in range(0, rows, step)]

    def _training_errors(self, moments: FloatArray, n: int) -> FloatArray:
        errors = residuals_of_supports(moments)[:, self._kept]
        errors[:, self._sizes >= n] = 0.0
        if self.noise == 0.0:
            errors[:, ~(~self.supports & (self.coefficients != 0.0)).any(axis=1)] = 0.0
        return errors

    def _coefficients(self, moments: FloatArray) -> FloatArray:
        """Least-squares coefficients of every support, (R, H, d)."""
        found = np.zeros((moments.shape[0], self.n_hypotheses, self.dimension))
        for k in range(1, int(self._sizes.max()) + 1):
            rows = np.flatnonzero(self._sizes == k)
            chosen = np.nonzero(self.supports[rows])[1].reshape(-1, k)
            grams = moments[:, chosen[:, :, None], chosen[:, None, :]]
            solved = np.linalg.solve(grams, moments[:, chosen, -1, None])[..., 0]
            found[:, rows[:, None], chosen] = solved
        return found
