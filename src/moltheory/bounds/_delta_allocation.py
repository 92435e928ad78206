"""Joint widths of N objectives: how a failure probability is split among them.

Only marginal validity of each objective's width is used, so samples may coincide, overlap or be independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count, check_fraction, check_real, check_vector
from moltheory.bounds._bound import UNIFORM, Bound
from moltheory.bounds._finite import finite_class
from moltheory.bounds._scope import joint_scope
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Scalarization
from moltheory.scalarization._declared import declared_form

__all__ = ["WidthFunction", "joint_widths"]

WidthFunction: TypeAlias = Callable[[float], Bound | float]

# No objective is left with less than this part of delta: its width stays finite at next to no cost.
_FLOOR = 1e-6


@document
def joint_widths(
    widths: Sequence[WidthFunction | float | None],
    /,
    *,
    delta: float,
    split: Literal["equal", "optimal"] | npt.ArrayLike = "equal",
    scalarization: Scalarization | None = None,
    n_hypotheses: int | None = None,
) -> Bound:
    r"""Joint half-widths of N objectives, for any allocation of the failure probability among them.

    :math:`C_i = C_i(\delta_i)` with :math:`\sum_i \delta_i = \delta` over the data-dependent objectives.

    Parameters
    ----------
    widths : sequence of N entries
        One per objective: a function from its failure probability to its width (a number or a `Bound` with one
        entry, and of that delta); or its sample size, for a finite class of `n_hypotheses`; or None (or the size
        ``inf``) for a data-independent objective, which has width 0 and no share.
    {delta}
    split : "equal", "optimal" or (N,) array_like
        Equal shares; the shares that minimise ``scalarization.width(C)``, found before any data are seen; or
        shares in proportion to given weights, > 0 for every data-dependent objective.
    scalarization : Scalarization, optional
        Required by ``"optimal"``, not used otherwise.
    n_hypotheses : int, optional
        Size of the class, where `widths` holds sample sizes.

    Returns
    -------
    Bound
        Its width has shape (N,); its `shares` say how delta was split.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, a function returns no width >= 0 or a bound that spends more than its
        share, or `scalarization` has no width (`EpsilonConstraint`).

    Notes
    -----
    Valid for every split fixed before the data, so functions, weights and scalarization must not depend on them. The
    widths hold for every scalarization, not only the one they were optimised for. ``"optimal"`` minimises
    numerically and deterministically from the equal split, to which it is never inferior, and leaves every
    data-dependent objective at least 1e-6 delta.

    Complexity: one call of each function for given shares. ``"optimal"``: O(N^2) calls and O(N^3) further time for
    each of at most 1,000 steps, typically some ten; O(N^2) memory.

    References
    ----------
    The union bound; optimised splits: derived (proof: split-of-delta). P. Súkeník and C. H. Lampert, arXiv 2208.13499,
    use equal ones.

    Examples
    --------
    >>> from moltheory.scalarization import WeightedSum
    >>> joint_widths([1000, 1000, None], n_hypotheses=100, delta=0.05).width
    array([0.0670..., 0.0670..., 0.        ])
    >>> bound = joint_widths(
    ...     [lambda eta: finite_class(1000, n_hypotheses=100, delta=eta), 50],
    ...     n_hypotheses=100, delta=0.05, split="optimal", scalarization=WeightedSum([0.5, 0.5]),
    ... )
    >>> bound.shares.round(3)
    array([0.009, 0.041])
    """
    check_fraction("delta", delta)
    functions = [_function(entry, n_hypotheses) for entry in widths]
    if not functions:
        raise InvalidInputError("`widths` must hold at least one entry, got none.")
    counted = np.array([function is not None for function in functions])
    shares = np.zeros(len(functions))
    n_counted = max(int(counted.sum()), 1)
    if isinstance(split, str):
        check_choice("split", split, ("equal", "optimal"))
        shares[counted] = delta / n_counted
        if split == "optimal":
            u = _checked(scalarization, len(functions))
            shares = _optimal(functions, counted, shares, delta, u)
        how = f"{split} shares of delta"
    else:
        weights = check_vector("split", split, length=len(functions), low=0.0)
        if (weights[counted] == 0).any():
            raise InvalidInputError("`split` must be > 0 for every data-dependent objective, got 0.")
        if counted.any():
            shares[counted] = delta * (weights[counted] / weights[counted].sum())
        how = "weighted shares of delta"
    parts = [None if f is None else _evaluate(f, share) for f, share in zip(functions, shares.tolist(), strict=True)]
    bounds = [part for part in parts if isinstance(part, Bound)]
    assumptions = dict.fromkeys(text for bound in bounds for text in bound.assumptions)
    methods = list(dict.fromkeys(bound.method for bound in bounds)) or ["given widths"]
    events = list(dict.fromkeys(bound.event for bound in bounds)) or [UNIFORM]
    sources = list(dict.fromkeys(bound.source for bound in bounds)) or ["given widths"]
    return Bound(
        width=np.array([0.0 if part is None else float(part) for part in parts]),
        loss_range=np.array([float(part.loss_range.item()) if isinstance(part, Bound) else 1.0 for part in parts]),
        delta=delta,
        method=f"{' & '.join(methods)}, {how}",
        source=f"union bound over objectives; {'; '.join(sources)}",
        assumptions=(*assumptions, "widths and split fixed before the data"),
        event=events[0] if len(events) == 1 else " and ".join(f"({event})" for event in events),
        shares=shares,
        scope=joint_scope(bound.scope for bound in bounds),
    )


def _function(entry: WidthFunction | float | None, n_hypotheses: int | None) -> WidthFunction | None:
    if entry is None or callable(entry):
        return entry
    if isinstance(entry, float) and entry == np.inf:
        return None
    size = check_count("widths", entry)
    if n_hypotheses is None:
        raise InvalidInputError("`n_hypotheses` must be given where `widths` holds sample sizes, got None.")
    check_count("n_hypotheses", n_hypotheses)
    return lambda eta: finite_class(size, n_hypotheses=n_hypotheses, delta=eta)


def _evaluate(function: WidthFunction, share: float) -> Bound | float:
    found = function(share)
    if isinstance(found, Bound):
        if found.width.size != 1:
            raise InvalidInputError(f"`widths` must return one width each, got {found.width.size}.")
        if found.delta > share * (1.0 + 1e-12):
            raise InvalidInputError(
                f"`widths` must return bounds that spend no more than their share {share:g}, got {found.delta:g}."
            )
        return found
    if found == np.inf:
        return float("inf")
    return check_real("widths", found, low=0.0)


def _checked(scalarization: Scalarization | None, n_objectives: int) -> Scalarization:
    if not isinstance(scalarization, Scalarization) or not scalarization.has_width:
        raise InvalidInputError(
            f"`scalarization` must be one that has a width for split 'optimal', got {scalarization!r}."
        )
    if scalarization.n_objectives != n_objectives:
        raise InvalidInputError(
            f"`scalarization` must have {n_objectives} objectives, got {scalarization.n_objectives}."
        )
    return scalarization


def _optimal(
    functions: Sequence[WidthFunction | None],
    counted: npt.NDArray[np.bool_],
    equal: FloatArray,
    delta: float,
    u: Scalarization,
) -> FloatArray:
    """Shares that minimise u.width(C); the equal ones where nothing better is found."""
    from scipy.optimize import minimize

    k = int(counted.sum())
    if k < 2:
        return equal
    active = [function for function in functions if function is not None]

    def spread(x: FloatArray) -> FloatArray:
        powers = np.exp(x - x.max())
        shares: FloatArray = delta * (_FLOOR + (1.0 - k * _FLOOR) * powers / powers.sum())
        return shares

    def width(x: FloatArray) -> FloatArray:
        found = np.zeros(counted.size)
        found[counted] = [
            float(_evaluate(function, share)) for function, share in zip(active, spread(x).tolist(), strict=True)
        ]
        return found

    start = np.zeros(k)
    first = width(start)
    scale = float(u.width(first))
    if not 0.0 < scale < np.inf:
        return equal
    settings = {"method": "SLSQP", "options": {"ftol": 1e-12, "maxiter": 500}}
    # Where the width is known to be a maximum; the result is judged by the width itself.
    form = declared_form(u)
    peaks = None if form is None else form.width_peaks
    # Starts: equal shares, and shares that favor the objectives that weigh most.
    gains = np.array([float(u.width(row)) for row in np.diag(first)])[counted] / scale
    best, value = start, scale
    for x0 in (start, np.log(np.maximum(gains, 1e-3))):
        if peaks is None:
            found = minimize(lambda x: float(u.width(width(x))) / scale, x0, **settings).x
        else:
            # A maximum has kinks: minimise t + rho sum C_i with w_i C_i <= t instead.
            weights, rho = peaks
            now = float((weights * width(x0)).max()) / scale
            found = minimize(
                lambda z, rho=rho: z[-1] + rho * float(width(z[:-1]).sum()) / scale,
                np.append(x0, now),
                constraints={
                    "type": "ineq",
                    "fun": lambda z, weights=weights: z[-1] - (weights * width(z[:-1]))[counted] / scale,
                },
                **settings,
            ).x[:-1]
        if np.isfinite(found).all() and (reached := float(u.width(width(found)))) < value:
            best, value = found, reached
    shares = np.zeros(counted.size)
    shares[counted] = spread(best)
    return shares
