"""Convex objectives of linear predictors: risks, gradients and curvatures, batched over replicates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card, names_text
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, as_readonly, check_choice, check_names, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives._cards import parametric_card
from moltheory.objectives._convex_part import ConvexPart
from moltheory.objectives._coordinates import Coordinates
from moltheory.objectives._losses import LOSSES, check_targets
from moltheory.objectives._norm_ball import NormBall

__all__ = ["ConvexObjectives", "ConvexPart", "NormBall"]

# Objectives without examples, and the one of group scores: each is a core loss of some linear map of the parameters.
_NORMS = {"l1-norm": "absolute", "squared-norm": "squared"}
_GAP = "score-gap"


@document
class ConvexObjectives(Shown):
    r"""Objectives :math:`L_k(\theta) = \sum_i c_{ki} \ell_k(x_{ki}'\theta, y_{ki}) + \frac{r_k}{2}\|\theta\|^2`.

    Each objective has its own examples, convex loss and ridge; hypotheses are vectors of d parameters. The same form
    serves empirical risks (c = 1/n) and the true risks of a finite population (c its probabilities).

    Parameters
    ----------
    designs : sequence of N arrays of shape (*batch, n_k, d)
        Features; the batch is the same for all. None for the norms.
    targets : sequence of N arrays of shape (*batch, n_k)
        For classification -1 and +1 or 0 and 1; for poisson >= 0; the groups for the score gap. None for the norms.
    losses : str or sequence of N str
        ``"logistic"`` log(1 + exp(-yz)), ``"squared"`` (z - y)^2, ``"poisson"`` exp(z) - yz, ``"smoothed-hinge"``
        (quadratic for margins from 0 to 1) or ``"absolute"`` abs(z - y); or one of the kinds of the Notes,
        ``"score-gap"``, ``"l1-norm"`` and ``"squared-norm"``.
    ridge : float or sequence of N float, default 0
        Factors r_k >= 0; L_k is r_k-strongly convex, so a positive one makes every certificate rigorous.
    example_weights : sequence of N arrays of shape (n_k,) or (*batch, n_k), optional
        Weights c_k >= 0, normalised to sum 1; by default 1/n_k. With a batch, (counts of) resamples share the designs'
        values. None stands for equal weights.
    {ball}
    {names}

    Attributes
    ----------
    names, losses : tuple of str
    ridge : (N,) ndarray
    ball : NormBall or None
    data_dependent : (N,) ndarray of bool
        False for the norms.
    batch_shape : tuple of int
    n_objectives, dimension : int
    sample_sizes : tuple of int or None
        How many examples a problem drew for each objective, which may differ from the rows kept; None for true risks.

    Raises
    ------
    InvalidInputError
        If shapes disagree or a value is outside its range, or a group of a score gap is empty.

    Notes
    -----
    Further convex objectives, each plus its ridge: ``"l1-norm"`` :math:`\sum_j |\theta_j|` and ``"squared-norm"``
    :math:`\sum_j \theta_j^2`, against which the fit can be traded, and ``"score-gap"``, the absolute difference of two
    groups' (weighted) mean scores :math:`x'\theta`. The gap of two groups' risks or rates is not convex; the score gap
    is its convex surrogate: times the product of the shares of the groups it is the covariance of the group with the
    score whose size Zafar, Valera, Gomez Rodriguez and Gummadi 2017 (arXiv 1507.05259) bound. It implies no bound on
    the gap of rates.

    The absolute loss, the l1 norm and the score gap are not smooth; `solve_front` takes them by convex programs.

    Complexity: O(n d) time and memory for n examples of all objectives, checked once; risks and gradients of K points
    take O(K n d) time.

    Examples
    --------
    >>> x = [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    >>> objectives = ConvexObjectives([x, x], [[0, 1, 0], [1.0, 2.0, 4.0]], losses=["logistic", "squared"], ridge=0.1)
    >>> objectives.risks([[0.0, 0.0]]).round(6)
    array([[0.693147, 7.      ]])
    >>> sparse = ConvexObjectives([x, x, None], [[0, 1, 0], [0, 1, 1], None], losses=["logistic", "score-gap", "l1-norm"])
    >>> sparse.risks([[-1.0, 2.0]]).round(6)
    array([[1.044446, 1.5     , 3.      ]])
    """

    sample_sizes: tuple[int, ...] | None = None

    def __init__(
        self,
        designs: Sequence[npt.ArrayLike | None],
        targets: Sequence[npt.ArrayLike | None],
        *,
        losses: str | Sequence[str],
        ridge: float | Sequence[float] = 0.0,
        example_weights: Sequence[npt.ArrayLike | None] | None = None,
        ball: NormBall | None = None,
        names: Iterable[str] | None = None,
    ) -> None:
        n = len(designs)
        self.losses = (losses,) * n if isinstance(losses, str) else tuple(losses)
        for name in self.losses:
            check_choice("losses", name, (*LOSSES, _GAP, *_NORMS))
        given: Sequence[npt.ArrayLike | None] = [None] * n if example_weights is None else example_weights
        if len(given) != n:
            raise InvalidInputError(f"`example_weights` must hold {n} arrays, got {len(given)}.")
        if len(self.losses) != n or len(targets) != n:
            raise InvalidInputError(
                f"`targets` must fit the {n} designs with one loss each, got {len(targets)} and {len(self.losses)} losses."
            )
        x, y = _examples(designs, targets, self.losses)
        batch, d = next(((a.shape[:-2], a.shape[-1]) for a in x if a is not None), ((), 0))
        self._terms = []
        for k, name in enumerate(self.losses):
            a, b, c = x[k], y[k], given[k]
            if a is None or b is None:
                if c is not None:
                    raise InvalidInputError(f"`example_weights` must be None for the {name}, got weights.")
                eye = np.broadcast_to(np.eye(d), (*batch, d, d))
                self._terms.append(_Term(eye, np.zeros((*batch, d)), np.ones(d), _NORMS[name], is_norm=True))
            else:
                share = _shares(c, b.shape)
                self._terms.append(_gap(a, b, share) if name == _GAP else _Term(a, b, share, name, is_data=True))
        r = np.atleast_1d(real_array("ridge", ridge, shape="(N,)", min_ndim=0, max_ndim=1))
        if r.shape not in ((1,), (n,)) or r.min() < 0.0:
            raise InvalidInputError(f"`ridge` must be >= 0, one number or {n}, got {r.tolist()}.")
        self.ridge = as_readonly(np.broadcast_to(r, (n,)))
        if ball is not None and not isinstance(ball, NormBall):
            raise InvalidInputError(f"`ball` must be a NormBall or None, got {ball!r}.")
        self.ball = ball
        self.names = check_names("names", names, length=n, stem="objective")
        self.data_dependent = as_readonly(np.array([name not in _NORMS for name in self.losses]))

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes, for example ``(replicates,)``."""
        return self._terms[0].x.shape[:-2]

    @property
    def n_objectives(self) -> int:
        """Number N of objectives."""
        return len(self._terms)

    @property
    def dimension(self) -> int:
        """Number d of parameters."""
        return int(self._terms[0].x.shape[-1])

    @property
    def n_examples(self) -> tuple[int, ...]:
        """Number n_k of terms of each objective: its examples; 1 for a score gap, d for a norm."""
        return tuple(int(one.x.shape[-2]) for one in self._terms)

    @property
    def is_smooth(self) -> bool:
        """Whether all objectives are differentiable."""
        return all(LOSSES[one.loss].smooth for one in self._terms)

    def part(self, entries: slice) -> ConvexPart:
        """Return some entries of the flattened batch in the form that solvers work on, points being parameters."""
        x = [one.x.reshape(-1, *one.x.shape[-2:])[entries] for one in self._terms]
        y = [one.y.reshape(-1, one.y.shape[-1])[entries] for one in self._terms]
        c = [
            one.shares.reshape(-1, one.shares.shape[-1])[entries] if one.shares.ndim > 1 else one.shares[None]
            for one in self._terms
        ]
        return ConvexPart(x, y, c, tuple(one.loss for one in self._terms), self.ridge, self.ball)

    def only(self, kept: Sequence[int]) -> ConvexObjectives:
        """Return some of the objectives, for solvers, without a check.

        Examples
        --------
        >>> two = ConvexObjectives([[[1.0]], [[2.0]]], [[1.0], [0.0]], losses="squared", names=["a", "b"])
        >>> two.only([1]).names
        ('b',)
        """
        made = copy(self)
        made.__dict__.pop("_coordinates", None)
        made._terms = [self._terms[k] for k in kept]
        made.losses, made.names = (tuple(old[k] for k in kept) for old in (self.losses, self.names))
        made.ridge, made.data_dependent = (as_readonly(old[list(kept)]) for old in (self.ridge, self.data_dependent))
        return made

    def standardized(self, entries: slice) -> ConvexPart:
        """Return `part` in coordinates in which features are centered and of unit size, where that matters."""
        part = self.part(entries)
        frame = None if self._coordinates is None else self._coordinates.entries(entries)
        if frame is None:
            return part
        norms = tuple(k for k, one in enumerate(self._terms) if one.is_norm)
        y = list(part.y)
        if frame.origin.any():
            y = [b if k in norms else frame.residual_targets(part.x[k], b) for k, b in enumerate(y)]
        return replace(part, x=[frame.features(x) for x in part.x], y=y, frame=frame, norms=norms)

    @cached_property
    def _coordinates(self) -> Coordinates | None:
        # Norms and score gaps are no data of their own: their one row or unit matrix says nothing of the features.
        part = self.part(slice(None))
        data = [k for k, one in enumerate(self._terms) if one.is_data]
        if not data:
            return None
        residuals = all(LOSSES[part.losses[k]].of_residuals for k in data)
        targets = [part.y[k] for k in data] if residuals else None
        return Coordinates.of([part.x[k] for k in data], [part.shares[k] for k in data], targets)

    @document
    def risks(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the risks of some hypotheses.

        Parameters
        ----------
        hypotheses : (k, d) or (*batch, k, d) array_like
            Parameters; (k, d) is shared by the whole batch. Membership of the ball is not asked for.

        Returns
        -------
        (*batch, k, N) ndarray

        {raises}
        """
        theta = self._flat(hypotheses)
        part = self.standardized(slice(None))
        return part.values(part.points(theta)).reshape(*self.batch_shape, theta.shape[1], self.n_objectives)

    @document
    def gradients(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the gradients of all objectives, one subgradient where there is no gradient.

        Parameters
        ----------
        hypotheses : (k, d) or (*batch, k, d) array_like
            As in `risks`.

        Returns
        -------
        (*batch, k, N, d) ndarray

        {raises}
        """
        theta = self._flat(hypotheses)
        part = self.standardized(slice(None))
        found = part.slopes(part.gradients(part.points(theta)))
        return found.reshape(*self.batch_shape, *found.shape[1:])

    def _flat(self, hypotheses: npt.ArrayLike) -> FloatArray:
        theta = real_array("hypotheses", hypotheses, shape="(..., k, d)", min_ndim=2)
        if theta.shape[-1] != self.dimension or theta.shape[:-2] not in ((), self.batch_shape):
            raise InvalidInputError(
                f"`hypotheses` must have shape (k, {self.dimension}) with leading axes () or {self.batch_shape}, "
                f"got shape {theta.shape}."
            )
        lead = math.prod(self.batch_shape)
        flat: FloatArray = np.broadcast_to(theta, (*self.batch_shape, *theta.shape[-2:])).reshape(
            lead, -1, self.dimension
        )
        return flat

    def _line(self) -> str:
        """Shapes and names."""
        return (
            f"ConvexObjectives(batch_shape={self.batch_shape}, dimension={self.dimension}, losses={self.losses}, "
            f"ridge={self.ridge.tolist()}, ball={self.ball}, names={names_text(self.names)})"
        )

    def _card(self) -> Card:
        return parametric_card(self)


@dataclass(frozen=True, eq=False)
class _Term:
    """One objective in core form: examples x (*batch, n, d), y (*batch, n), weights (n,) or (*batch, n)."""

    x: FloatArray
    y: FloatArray
    shares: FloatArray
    loss: str
    is_data: bool = False
    is_norm: bool = False

    def __post_init__(self) -> None:
        for name in ("x", "y", "shares"):
            object.__setattr__(self, name, as_readonly(getattr(self, name)))


def _examples(
    designs: Sequence[npt.ArrayLike | None], targets: Sequence[npt.ArrayLike | None], losses: Sequence[str]
) -> tuple[list[FloatArray | None], list[FloatArray | None]]:
    """Return designs and targets as arrays, None for the norms."""
    x: list[FloatArray | None] = []
    y: list[FloatArray | None] = []
    for a, b, name in zip(designs, targets, losses, strict=True):
        if (a is None) != (name in _NORMS) or (b is None) != (name in _NORMS):
            raise InvalidInputError(
                f"`designs` and `targets` must be None for a norm and only there, not so for {name}."
            )
        x.append(None if a is None else real_array("designs", a, shape="(*batch, n, d)", min_ndim=2))
        y.append(None if b is None else real_array("targets", b, shape="(*batch, n)", min_ndim=1))
    shapes = [a.shape for a in x if a is not None]
    if not shapes or any(one[:-2] + one[-1:] != shapes[0][:-2] + shapes[0][-1:] for one in shapes):
        raise InvalidInputError(f"`designs` must be arrays (*batch, n, d) that share batch and d, got shapes {shapes}.")
    if [b.shape for b in y if b is not None] != [shape[:-1] for shape in shapes]:
        raise InvalidInputError(
            f"`targets` must fit the designs of shapes {shapes}, got {[b.shape for b in y if b is not None]}."
        )
    checked = [None if b is None else check_targets("targets", name, b) for b, name in zip(y, losses, strict=True)]
    return x, checked


def _gap(x: FloatArray, group: FloatArray, shares: FloatArray) -> _Term:
    """Return the absolute difference of two groups' mean scores as one example of the absolute loss."""
    first = np.where(group > 0.0, shares, 0.0)
    second = np.where(group > 0.0, 0.0, shares)
    sizes = [one.sum(axis=-1, keepdims=True) for one in (first, second)]
    if min(size.min() for size in sizes) <= 0.0:
        raise InvalidInputError("`targets` must hold both groups of a score gap, got a group that is empty.")
    # The weights sum to 0, so features may be centered first: a common offset leaves no rounding.
    center = shares[..., None, :] @ x
    slope = (first / sizes[0] - second / sizes[1])[..., None, :] @ (x - center)
    return _Term(slope, np.zeros(slope.shape[:-1]), np.ones(1), "absolute")


def _shares(weights: npt.ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    """Return example weights of sum 1, for targets of some shape."""
    if weights is None:
        return np.full(shape[-1], 1.0 / shape[-1])
    c = real_array("example_weights", weights, shape=f"{shape[-1:]} or {shape}", min_ndim=1)
    if c.shape not in (shape, shape[-1:]) or c.min() < 0.0 or not c.any(axis=-1).all():
        raise InvalidInputError(
            f"`example_weights` must be numbers >= 0 of shape {shape[-1:]} or {shape} for each objective, not all zero, "
            f"got shape {c.shape} and a smallest entry {c.min():g}."
        )
    shares: FloatArray = c / c.sum(axis=-1, keepdims=True)
    return shares
