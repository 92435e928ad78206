"""Mixtures of Gaussians with two classes: error and robustness of linear classifiers in closed form."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._card import names_text
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import (
    FloatArray,
    as_readonly,
    check_choice,
    check_count,
    check_real,
    check_vector,
    real_array,
)
from moltheory.errors import InvalidInputError
from moltheory.problems._gaussians import cholesky_factors

__all__ = ["GaussianMixture", "PerturbationNorm", "robust_classifiers"]

PerturbationNorm = Literal["l2", "linf"]


@document
class GaussianMixture(Shown):
    r"""Inputs from K Gaussians, each with a class and, if given, a group.

    Component k has probability p_k, mean m_k, covariance S_k and label y_k. The linear classifier (w, b) predicts the
    sign of :math:`w'x + b`. It errs under perturbations of norm at most eps iff
    :math:`y (w'x + b) \le \epsilon \|w\|_*` (dual norm; a margin of exactly 0 is an error), which has probability

    .. math:: \sum_k p_k \Phi\Bigl(\frac{\epsilon \|w\|_* - y_k (w'm_k + b)}{\sqrt{w'S_kw}}\Bigr).

    Parameters
    ----------
    weights : (K,) array_like
        Probabilities p_k > 0, normalised to sum 1.
    means : (K, d) array_like
    covariances : (K, d, d) or (d, d) array_like
        Symmetric positive definite; one matrix is shared by all components.
    labels : (K,) array_like
        Classes, -1 and +1 or 0 and 1; both must occur.
    groups : sequence of K hashable, optional
        Group of each component.

    Attributes
    ----------
    weights, means, covariances : ndarray
        Read-only.
    labels : (K,) ndarray
        -1 and +1.
    groups : tuple or None
    group_names : tuple of str
        Distinct groups in order of appearance; empty without groups.
    n_components, dimension : int

    {raises}

    Notes
    -----
    Complexity: O(K d^3) time and O(K d^2) memory; n examples are drawn in O(n d^2) time and O(n d) memory, and the
    errors of H classifiers take O(H K d^2).

    References
    ----------
    The shift of the margin by the dual norm: A. Ben-Tal, L. El Ghaoui, A. Nemirovski, Robust Optimization (2009).

    Examples
    --------
    >>> mixture = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], np.eye(2), [-1, 1])
    >>> mixture.errors([[1.0, 0.0, 0.0]]).round(6), mixture.errors([[1.0, 0.0, 0.0]], epsilon=0.5).round(6)
    (array([0.158655]), array([0.308538]))
    """

    def __init__(
        self,
        weights: npt.ArrayLike,
        means: npt.ArrayLike,
        covariances: npt.ArrayLike,
        labels: npt.ArrayLike,
        groups: Sequence[Hashable] | None = None,
    ) -> None:
        p = check_vector("weights", weights, low=0.0, strict=True)
        k = p.size
        centers = real_array("means", means, shape="(K, d)", min_ndim=2, max_ndim=2)
        if centers.shape[0] != k:
            raise InvalidInputError(f"`means` must have one row for each of {k} weights, got shape {centers.shape}.")
        d = centers.shape[1]
        matrices = real_array("covariances", covariances, shape="(K, d, d)", min_ndim=2, max_ndim=3)
        if matrices.shape not in ((d, d), (k, d, d)):
            raise InvalidInputError(
                f"`covariances` must have shape {(k, d, d)} or {(d, d)}, got shape {matrices.shape}."
            )
        matrices = np.broadcast_to(matrices, (k, d, d))
        y = check_vector("labels", labels, length=k)
        y = 2.0 * y - 1.0 if np.isin(y, (0.0, 1.0)).all() else y
        if not np.isin(y, (-1.0, 1.0)).all() or (y == y[0]).all():
            raise InvalidInputError("`labels` must be -1 and +1, or 0 and 1, and hold both, got other values.")
        if groups is not None and (isinstance(groups, str) or len(groups) != k):
            raise InvalidInputError(f"`groups` must hold one entry for each of {k} components, got {groups!r}.")
        self.weights, self.means = as_readonly(p / p.sum()), as_readonly(centers)
        self.covariances, self.labels = as_readonly(matrices), as_readonly(y)
        self.roots = as_readonly(cholesky_factors("covariances", matrices, each="component"))
        self.groups = None if groups is None else tuple(groups)
        self.group_names = tuple(dict.fromkeys(str(group) for group in groups or ()))

    @property
    def n_components(self) -> int:
        """Number K of components."""
        return int(self.weights.size)

    @property
    def dimension(self) -> int:
        """Number d of inputs."""
        return int(self.means.shape[1])

    def in_group(self, group: Hashable) -> npt.NDArray[np.bool_]:
        """Return which components belong to a group, (K,).

        Raises
        ------
        InvalidInputError
            If there is no such group.
        """
        if str(group) not in self.group_names or self.groups is None:
            raise InvalidInputError(f"`group` must be one of {list(self.group_names)}, got {group!r}.")
        return np.array([str(entry) == str(group) for entry in self.groups])

    @document
    def component_errors(
        self, classifiers: npt.ArrayLike, /, *, epsilon: float = 0.0, norm: PerturbationNorm = "l2"
    ) -> FloatArray:
        """Return the error of each classifier within each component.

        Parameters
        ----------
        classifiers : (H, d + 1) array_like
            Rows (w, b); w = 0 is a constant classifier.
        epsilon : float, default 0
            Size of the perturbations, >= 0.
        norm : {"l2", "linf"}
            Their norm.

        Returns
        -------
        (H, K) ndarray

        {raises}
        """
        from scipy.special import ndtr

        rows = self.check_classifiers(classifiers)
        shift = margin_shift(rows, epsilon, norm)
        w, b = rows[:, :-1], rows[:, -1:]
        short = shift[:, None] - self.labels * (w @ self.means.T + b)
        spread = np.sqrt((np.einsum("kij,hi->hkj", self.roots, w) ** 2).sum(axis=-1))
        constant = spread == 0.0
        found: FloatArray = ndtr(short / np.where(constant, 1.0, spread))
        return np.where(constant, (short >= 0.0).astype(np.float64), found)

    @document
    def errors(
        self,
        classifiers: npt.ArrayLike,
        /,
        *,
        epsilon: float = 0.0,
        norm: PerturbationNorm = "l2",
        group: Hashable | None = None,
    ) -> FloatArray:
        """Return the error of each classifier, (H,), or that within a group; see `component_errors`.

        {raises}
        """
        kept = np.ones(self.n_components, bool) if group is None else self.in_group(group)
        share = self.weights * kept
        return np.asarray(self.component_errors(classifiers, epsilon=epsilon, norm=norm) @ (share / share.sum()))

    def group_errors(
        self, classifiers: npt.ArrayLike, /, *, epsilon: float = 0.0, norm: PerturbationNorm = "l2"
    ) -> FloatArray:
        """Return the errors within the groups, (H, number of groups): worst group and gap follow from them.

        Raises
        ------
        InvalidInputError
            If there are no groups, or an argument breaks its rule.
        """
        if not self.group_names:
            raise InvalidInputError("`groups` must be given for errors of groups, got a mixture without groups.")
        columns = [self.errors(classifiers, epsilon=epsilon, norm=norm, group=name) for name in self.group_names]
        return np.stack(columns, axis=-1)

    def best_classifier(self) -> FloatArray:
        r"""Return the classifier (w, b) of smallest error, for two components that share their covariance.

        It is Fisher's direction :math:`w = S^{-1}(m_+ - m_-)` with
        :math:`b = -w'(m_+ + m_-)/2 + \log(p_+/p_-)`, best among all classifiers; at equal probabilities its error is
        :math:`\Phi(-\Delta/2)`, Delta the Mahalanobis distance of the means (R. A. Fisher 1936,
        doi 10.1111/j.1469-1809.1936.tb02137.x).

        Returns
        -------
        (d + 1,) ndarray

        Raises
        ------
        InvalidInputError
            If the mixture is another one: no closed form is known then.

        Examples
        --------
        >>> mixture = GaussianMixture([0.5, 0.5], [[0.0, 0.0], [2.0, 0.0]], np.eye(2), [-1, 1])
        >>> mixture.best_classifier()
        array([ 2.,  0., -2.])
        """
        if self.n_components != 2 or not np.array_equal(self.covariances[0], self.covariances[1]):
            raise InvalidInputError(
                f"`covariances` must be shared by exactly two components, got {self.n_components} components"
                f"{' of different covariances' if self.n_components == 2 else ''}."
            )
        up = int(self.labels.argmax())
        plus, minus = self.means[up], self.means[1 - up]
        w = np.linalg.solve(self.covariances[0], plus - minus)
        b = -0.5 * w @ (plus + minus) + np.log(self.weights[up] / self.weights[1 - up])
        return np.append(w, b)

    def draw(self, n: int, replicates: int, rng: np.random.Generator) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Draw inputs (replicates, n, d) and their components (replicates, n)."""
        component = rng.choice(self.n_components, size=(replicates, n), p=self.weights)
        z = rng.standard_normal((replicates, n, self.dimension))
        x = np.empty_like(z)
        for k in range(self.n_components):
            mine = component == k
            x[mine] = self.means[k] + z[mine] @ self.roots[k].T
        return x, component

    def check_classifiers(self, classifiers: npt.ArrayLike) -> FloatArray:
        """Return classifiers as an array (H, d + 1)."""
        rows = real_array("classifiers", classifiers, shape=f"(H, {self.dimension + 1})", min_ndim=2, max_ndim=2)
        if rows.shape[1] != self.dimension + 1:
            raise InvalidInputError(
                f"`classifiers` must have shape (H, {self.dimension + 1}), rows (w, b), got shape {rows.shape}."
            )
        return np.asarray(rows, dtype=np.float64)

    def _line(self) -> str:
        groups = names_text(self.group_names)
        return f"GaussianMixture(n_components={self.n_components}, dimension={self.dimension}, groups={groups})"


def margin_shift(classifiers: FloatArray, epsilon: float, norm: str) -> FloatArray:
    """Return how far perturbations of size epsilon can lower the score, (H,)."""
    size = check_real("epsilon", epsilon, low=0.0)
    dual = 2 if check_choice("norm", norm, ("l2", "linf")) == "l2" else 1
    found: FloatArray = size * np.linalg.norm(classifiers[:, :-1], ord=dual, axis=1)
    return found


@document
def robust_classifiers(mean: npt.ArrayLike, *, epsilon: float, n_points: int = 200) -> FloatArray:
    r"""Return the whole front of error against robustness to linf perturbations, for two symmetric classes.

    For classes N(m, s^2 I) and N(-m, s^2 I) of equal probability, the Pareto-optimal linear classifiers for the error
    and the error under linf perturbations of size eps are :math:`w_t = \mathrm{soft}(m, t)`, b = 0, for t in
    [0, eps], where soft shrinks each entry towards 0 by t.

    Parameters
    ----------
    mean : (d,) array_like
        m, with :math:`\|m\|_2^2 > \epsilon \|m\|_1`, so that no classifier of the front does worse than chance.
    epsilon : float
        Size of the perturbations, >= 0.
    n_points : int, default 200
        Number of values of t, evenly spaced, >= 2.

    Returns
    -------
    (n_points, d + 1) ndarray
        Unit vectors w and b = 0, from smallest error to smallest robust error.

    {raises}

    Notes
    -----
    For unit w both errors at b = 0 are decreasing functions of :math:`w'm` and :math:`w'm - \epsilon\|w\|_1`, concave
    in w, so the front is that of their weighted sums :math:`w'm - t \|w\|_1`, maximal on the unit ball at soft(m, t).
    Moving b off 0 raises both errors while the two are positive; where the second is not, the robust error is at least
    1/2 for all b and t = 0 dominates. Derived (proof: robust-classifiers).

    Complexity: O(K d) time and memory for K members.

    Examples
    --------
    >>> robust_classifiers([3.0, 1.0], epsilon=1.0, n_points=2).round(6)
    array([[0.948683, 0.316228, 0.      ],
           [1.      , 0.      , 0.      ]])
    """
    m = check_vector("mean", mean)
    size = check_real("epsilon", epsilon, low=0.0)
    count = check_count("n_points", n_points, low=2)
    if m @ m <= size * np.abs(m).sum():
        raise InvalidInputError(
            f"`epsilon` must be below {m @ m / max(np.abs(m).sum(), 1e-300):g}, the squared norm of `mean` over its l1 "
            f"norm, got {size:g}."
        )
    steps = np.linspace(0.0, size, count)[:, None]
    w = np.sign(m) * np.maximum(np.abs(m) - steps, 0.0)
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    return np.append(w, np.zeros((count, 1)), axis=1)
