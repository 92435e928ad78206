"""The epsilon-constraint scalarization: one objective minimised, the others bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_vector
from moltheory.errors import InvalidInputError
from moltheory.scalarization._base import Optimality, Scalarization
from moltheory.scalarization._form_limits import ConstrainedForm

__all__ = ["EpsilonConstraint"]


@dataclass(frozen=True, init=False)
@document
class EpsilonConstraint(Scalarization):
    """Epsilon-constraint: ``v_objective`` where ``v_i <= b_i`` for all i, +inf elsewhere.

    Parameters
    ----------
    bounds : array_like of shape (N,)
        The bounds b_i, finite or ``inf`` (unbounded), in the units of the risks. The bound of the minimised
        objective applies like the others.
    objective : int, default 0
        The index of the minimised objective, from 0 to N - 1.

    {raises}

    Notes
    -----
    U is not Lipschitz: an arbitrarily small change of a bounded risk can move the value to +inf. So it has no
    `width`; the way from empirical to true risks is to relax the bounds, see `relaxed`.

    Source: Haimes, Lasdon and Wismer 1971, doi 10.1109/TSMC.1971.4308298.

    Complexity: O(K N) time and memory for the values of K points.

    Examples
    --------
    >>> u = EpsilonConstraint([float("inf"), 0.5])
    >>> u([[0.2, 0.5], [0.1, 0.6]])
    array([0.2, inf])
    >>> u.relaxed([0.1, 0.25])
    EpsilonConstraint(bounds=(inf, 0.75), objective=0)
    """

    bounds: tuple[float, ...]
    objective: int

    _may_be_infinite: ClassVar[bool] = True

    def __init__(self, bounds: npt.ArrayLike, *, objective: int = 0) -> None:
        array = check_vector("bounds", bounds, finite=False)
        if np.isneginf(array).any():
            raise InvalidInputError("`bounds` must be finite or inf, got -inf.")
        index = check_count("objective", objective, low=0)
        if index >= array.shape[0]:
            raise InvalidInputError(f"`objective` must be below {array.shape[0]}, got {index}.")
        object.__setattr__(self, "bounds", tuple((array + 0.0).tolist()))
        object.__setattr__(self, "objective", index)

    @property
    def n_objectives(self) -> int:
        """The number N of objectives."""
        return len(self.bounds)

    @property
    def is_monotone(self) -> bool:
        """True: a larger risk can only leave the feasible set."""
        return True

    @property
    def is_subadditive(self) -> bool:
        """False: two feasible rows can have an infeasible sum.

        Also reported for the degenerate bounds (all zero or infinite) where (S) holds, because what (S) is
        wanted for, a finite width, does not exist.
        """
        return False

    @property
    def is_homogeneous(self) -> bool:
        """False: scaling can leave the feasible set; reported for degenerate bounds too."""
        return False

    @property
    def modulus(self) -> float:
        """0: another objective can rise within its bound without changing the value.

        Also reported where no other objective has room to rise, because U takes the value +inf and its
        differences are not defined there.
        """
        return 0.0

    @property
    def optimality(self) -> Optimality:
        """``"pareto"`` if N = 1, else ``"weakly-pareto"``, for minimisers of finite value.

        If nothing is feasible, every row has the value +inf and the statement is empty.
        """
        return "pareto" if self.n_objectives == 1 else "weakly-pareto"

    @property
    def has_width(self) -> bool:
        """False: `relaxed` bounds take its place."""
        return False

    def form(self) -> ConstrainedForm:
        """Return the minimised objective and the bounds."""
        return ConstrainedForm(self.objective, self.bounds)

    @document
    def relaxed(self, widths: npt.ArrayLike, /) -> EpsilonConstraint:
        """Return the constraint with bounds ``b_i + C_i``.

        On the event that every empirical risk is within C_i of the true one, what satisfies ``b`` in true
        risks satisfies the relaxed bounds in empirical ones; so the empirical minimiser under the relaxed
        bounds exceeds the best true value under ``b`` by at most ``2 C_objective``, and each bound by at most
        ``2 C_i``.

        Parameters
        ----------
        widths : array_like of shape (N,)
            Half-widths C_i >= 0; an infinite one drops the bound.

        Returns
        -------
        EpsilonConstraint
            With the same `objective`.

        {raises}

        Examples
        --------
        >>> EpsilonConstraint([1.0, 0.5], objective=1).relaxed([0.5, 0.25]).bounds
        (1.5, 0.75)
        """
        # The minimised objective's own bound is relaxed too: left as it was, it could exclude every row that
        # satisfies `b` in true risks, and the statement above would fail. Where it is inf, nothing changes.
        array = check_vector("widths", widths, length=self.n_objectives, low=0.0, finite=False)
        return EpsilonConstraint(np.array(self.bounds) + array, objective=self.objective)

    def width(self, widths: npt.ArrayLike, /) -> FloatArray:
        """Refuse: an epsilon-constraint is not Lipschitz in the risks; see `relaxed`.

        Raises
        ------
        InvalidInputError
            Always.
        """
        raise InvalidInputError(
            "`EpsilonConstraint` has no width because it is not Lipschitz in the risks; "
            "use `relaxed` with the widths of the objectives instead."
        )

    def _evaluate(self, values: FloatArray) -> FloatArray:
        feasible = (values <= np.array(self.bounds)).all(axis=-1)
        return np.where(feasible, values[..., self.objective], np.inf)

    def _width(self, widths: FloatArray) -> FloatArray:
        return self.width(widths)
