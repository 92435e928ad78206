"""Gaussian posteriors over linear classifiers, chosen by minimising their own PAC-Bayes bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, as_readonly, bools_in, check_fraction, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._cards import gaussian_card
from moltheory.bounds._pac_bayes import pac_bayes_kl
from moltheory.bounds._pac_bayes_parts import kl_moment
from moltheory.errors import InvalidInputError
from moltheory.inference._kl import kl_inverse
from moltheory.scalarization import Chebyshev, Scalarization

__all__ = ["GaussianPosterior", "gaussian_posterior"]

# Lengths of the first guess, in standard deviations of the posterior: from hardly committed to almost deterministic.
_STARTS = (1.0, 10.0, 100.0)
_STEPS = 300
_RIDGE = 1e-3
_SLOPE = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class GaussianPosterior(Printed):
    """A normal distribution of linear classifiers, with a bound on its true errors.

    Attributes
    ----------
    mean : (d,) ndarray
        Mean weights; a new classifier x -> sign(<w, x>) is drawn for every prediction.
    scale : float
        Standard deviation of every weight; that of the prior is 1.
    risks : (N,) ndarray
        Empirical error of every objective under the posterior, exact but for rounding.
    divergence : float
        KL(posterior || prior) in nats.
    bound : Bound
        On the true errors; it holds for all normal distributions of this form at once.
    value : float
        U(upper limits), an upper bound on U(true errors); what was minimised.
    names : tuple
        Groups, in the order of the objectives; empty for one objective.
    """

    mean: FloatArray
    scale: float
    risks: FloatArray
    divergence: float
    bound: Bound
    value: float
    names: tuple[Any, ...]

    def error_probabilities(self, inputs: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
        """Return the probability that a drawn classifier errs on each example, (n,).

        Parameters
        ----------
        inputs : (n, d) array_like
        labels : (n,) array_like
            As in `gaussian_posterior`.
        """
        return _errors(_signed(inputs, labels, self.mean.size) @ (self.mean / self.scale))

    def _line(self) -> str:
        parts = f"risks={np.round(self.risks, 6).tolist()}, upper={np.round(_upper(self.bound), 6).tolist()}"
        return f"GaussianPosterior({parts}, divergence={self.divergence:.6g}, delta={self.bound.delta:g})"

    def _card(self) -> Card:
        return gaussian_card(self)


@document
def gaussian_posterior(
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike,
    /,
    *,
    delta: float,
    group: npt.ArrayLike | None = None,
    scalarization: Scalarization | None = None,
) -> GaussianPosterior:
    r"""Normal distribution of linear classifiers whose PAC-Bayes bound was minimised, with that bound.

    The bound of `pac_bayes_kl` holds for all posteriors at once, with probability at least 1 - delta, whatever the
    optimiser does.

    Parameters
    ----------
    inputs : (n, d) array_like
        Without a row of zeros; append a constant column for an intercept. Center and scale them with numbers that do
        not come from these examples.
    labels : (n,) array_like
        Two classes: bools, 0 and 1, or -1 and 1.
    {delta}
    group : (n,) array_like, optional
        The error in each group becomes an objective, with the examples of the group as its sample. Groups may be the
        labels themselves: then the objectives are the error rates in the two classes.
    scalarization : Scalarization, optional
        Monotone U of the N objectives, of whose value at the upper limits the smallest is sought; their largest by
        default.

    Returns
    -------
    GaussianPosterior
        With `mean`, `scale`, `risks`, `bound` and `error_probabilities`.

    {raises}

    Notes
    -----
    With weights from :math:`N(s v, s^2 I)`, example (x, y) is misclassified with probability
    :math:`\Phi(-y \langle v, x \rangle / \|x\|)`, whatever s. Of all s the one with the smallest divergence from the
    prior :math:`N(0, I)` has :math:`s^2 = d/(d + \|v\|^2)` and :math:`KL = \frac d2 \log(1 + \|v\|^2/d)`: so only v is
    optimised. A grid of prior scales would change nothing, since :math:`N(0, s_0^2 I)` has the same classifiers for every
    :math:`s_0`. Derived (proof: gaussian-posterior).

    The function is not convex: L-BFGS starts at three multiples of the ridge solution, without randomness. Group sizes
    are random; the bound holds given them.

    Complexity: O(n d) time for each of at most a thousand steps.

    References
    ----------
    The error of a Gaussian posterior: J. Langford (2005), JMLR 6.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 1000)
    >>> inputs = rng.normal(size=(1000, 5)) + 2.0 * np.outer(2 * labels - 1, [1, 0, 0, 0, 0])
    >>> gaussian_posterior(inputs, labels, delta=0.05)
    GaussianPosterior(risks=[0.0...], upper=[0.0...], divergence=..., delta=0.05)
    """
    rows = _signed(inputs, labels)
    check_fraction("delta", delta)
    members, names = _groups(group, rows.shape[0])
    n_objectives = members.shape[0]
    chosen = Chebyshev(np.ones(n_objectives)) if scalarization is None else scalarization
    if not isinstance(chosen, Scalarization) or chosen.n_objectives != n_objectives:
        raise InvalidInputError(f"`scalarization` must be one of {n_objectives} objectives, got {scalarization!r}.")
    if not chosen.is_monotone or not chosen.has_width:
        raise InvalidInputError(f"`scalarization` must be monotone and finite everywhere, got {scalarization!r}.")
    v = _minimised(rows, members, chosen, delta)
    d = v.size
    divergence = 0.5 * d * math.log1p(float(v @ v) / d)
    scale = math.sqrt(d / (d + float(v @ v)))
    risks = members @ _errors(rows @ v)
    bound = pac_bayes_kl(risks, _sizes(members), divergence=divergence, delta=delta)
    return GaussianPosterior(
        mean=as_readonly(scale * v),
        scale=scale,
        risks=as_readonly(risks),
        divergence=divergence,
        bound=bound,
        value=float(chosen(_upper(bound))),
        names=names,
    )


def _minimised(rows: FloatArray, members: FloatArray, chosen: Scalarization, delta: float) -> FloatArray:
    """The best v found for the smallest U(upper limits)."""
    from scipy.optimize import minimize

    d, sizes = rows.shape[1], _sizes(members)
    costs = np.log([kl_moment(size) for size in sizes.tolist()]) + math.log(sizes.size / delta)

    def value(v: FloatArray) -> tuple[float, FloatArray]:
        margins = rows @ v
        risks = np.clip(members @ _errors(margins), 1e-300, 1.0 - 1e-9)
        budgets = (0.5 * d * math.log1p(float(v @ v) / d) + costs) / sizes
        upper = np.minimum(kl_inverse(risks, budgets), 1.0 - 1e-12)
        slopes = _slopes(chosen, upper)
        # Of kl(p, q) = budget: dq/dbudget = 1/kl_q and dq/dp = -kl_p/kl_q.
        by_upper = (upper - risks) / (upper * (1.0 - upper))
        by_risk = np.log(risks / upper) - np.log((1.0 - risks) / (1.0 - upper))
        density = np.exp(-0.5 * margins**2) / math.sqrt(2.0 * math.pi)
        of_risk = -slopes * by_risk / by_upper
        gradient = -((of_risk @ members) * density) @ rows
        gradient += float((slopes / (by_upper * sizes)).sum()) * v / (1.0 + float(v @ v) / d)
        return float(chosen(upper)), gradient

    # Least squares of margins to 1, for the direction; zero only where nothing can be learnt.
    first = np.linalg.solve(rows.T @ rows / rows.shape[0] + _RIDGE * np.eye(d), rows.mean(axis=0))
    length = float(np.linalg.norm(first))
    best, best_value = np.zeros(d), value(np.zeros(d))[0]
    for start in _STARTS if length > 0.0 else ():
        found = minimize(value, first * (start / length), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
        if np.isfinite(found.x).all() and found.fun < best_value:
            best, best_value = found.x, float(found.fun)
    return best


def _slopes(chosen: Scalarization, at: FloatArray) -> FloatArray:
    """Central differences of U; where it has a kink, between its slopes."""
    steps = _SLOPE * np.eye(at.size)
    slopes: FloatArray = (chosen(at + steps) - chosen(np.maximum(at - steps, 0.0))) / (2.0 * _SLOPE)
    return slopes


def _errors(margins: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    found: FloatArray = ndtr(-margins)
    return found


def _sizes(members: FloatArray) -> FloatArray:
    counts: FloatArray = (members > 0).sum(axis=1).astype(np.float64)
    return counts


def _upper(bound: Bound) -> FloatArray:
    return bound.width if bound.upper is None else bound.upper


def _signed(inputs: npt.ArrayLike, labels: npt.ArrayLike, dimension: int | None = None) -> FloatArray:
    """Rows y x / |x|, (n, d)."""
    x = real_array("inputs", inputs, shape="(n, d)", min_ndim=2, max_ndim=2)
    if dimension is not None and x.shape[1] != dimension:
        raise InvalidInputError(f"`inputs` must have {dimension} columns, got {x.shape[1]}.")
    y = real_array("labels", labels, shape="(n,)", min_ndim=1, max_ndim=1)
    if y.size != x.shape[0]:
        raise InvalidInputError(f"`labels` must have {x.shape[0]} entries, one per row of `inputs`, got {y.size}.")
    values = np.unique(y)
    if not (np.isin(values, (0.0, 1.0)).all() or np.isin(values, (-1.0, 1.0)).all()):
        raise InvalidInputError(f"`labels` must be bools, 0 and 1, or -1 and 1, got {values[:4].tolist()}.")
    largest = np.abs(x).max(axis=1, keepdims=True)
    if (largest == 0.0).any():
        raise InvalidInputError("`inputs` must not have a row of zeros (append a constant column), got one.")
    x = x / largest
    signed: FloatArray = x * (np.where(y > 0.0, 1.0, -1.0)[:, None] / np.linalg.norm(x, axis=1, keepdims=True))
    return signed


def _groups(group: npt.ArrayLike | None, n: int) -> tuple[FloatArray, tuple[Any, ...]]:
    """Rows that average over the members of a group, (N, n), and the names of the groups."""
    if group is None:
        return np.full((1, n), 1.0 / n), ()
    labels = bools_in("group", group)
    if labels.shape != (n,):
        raise InvalidInputError(f"`group` must have shape ({n},), one entry per row of `inputs`, got {labels.shape}.")
    values, codes = np.unique(labels, return_inverse=True)
    members = (codes == np.arange(values.size)[:, None]).astype(np.float64)
    return members / members.sum(axis=1, keepdims=True), tuple(values.tolist())
