"""What a problem must have, whatever its class, and how an object that has it is read as one of the package's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError, NotDeclaredError
from moltheory.objectives import ConvexObjectives, FiniteObjectives, QuadraticObjectives, SmoothObjectives
from moltheory.pareto import Front
from moltheory.problems._base import FiniteProblem, Problem, SampleSize
from moltheory.problems._infinite import InfiniteProblem, ParametricObjectives
from moltheory.runs import RandomSource

__all__ = ["ProblemLike", "as_finite", "as_infinite", "as_problem", "kind_of"]

_PARAMETRIC = (QuadraticObjectives, ConvexObjectives, SmoothObjectives)


@runtime_checkable
class ProblemLike(Protocol):
    """What an object must have to be simulated, checked and drawn: true objectives, and samples of them.

    No base class is needed. `moltheory.testing.check_problem` tells whether an object keeps the contract, beyond having
    the names. These attributes are used where an object has them, and have the defaults of the third column elsewhere:

    ==================  ====================================================  ========================================
    attribute           meaning                                               without it
    ==================  ====================================================  ========================================
    ``name``            names tables, and keys the random streams             the name of the class
    ``widths``          ``widths(sample_or_n, /, *, delta)``, half-widths     bounds are infinite, and what is about
                        of all risks at once (`Problem.widths`)               half-widths is refused
    ``risk_limits``     largest risks (N,), the reference of hypervolumes     the largest true risks (a finite class)
    ``true_moduli``     moduli of strong convexity (N,) of the true risks     those that quadratics have and smooth
                                                                              objectives declare, else 0
    ``is_exact``,       as in `Problem`                                       False
    ``is_lattice``
    ``unbiased``        as in `Problem`                                       all True
    ``simulate``        a quicker `sample`, of the same law                   `sample`
    ``front_grid``,     as in `InfiniteProblem`                               as there
    ``holds_examples``
    ``n_types``,        enumeration of all samples, as in `FinitePopulation`  samples are drawn
    ``exact``
    ==================  ====================================================  ========================================

    Attributes
    ----------
    true : FiniteObjectives, (H, N) array, QuadraticObjectives, ConvexObjectives or SmoothObjectives
        True risks, batch shape (). The first two make a finite class, the others are objectives of parameters.

    Examples
    --------
    >>> class Coins:
    ...     true = np.array([[0.3, 1.0], [0.5, 0.0]])
    ...     def sample(self, n, *, replicates=None, rng=None):
    ...         lead = () if replicates is None else (replicates,)
    ...         errors = np.random.default_rng(rng).binomial(n, self.true[:, 0], (*lead, 2)) / n
    ...         return np.stack([errors, np.broadcast_to([1.0, 0.0], errors.shape)], axis=-1)
    >>> isinstance(Coins(), ProblemLike)
    True
    >>> from moltheory.experiments import asymmetry
    >>> asymmetry(Coins(), sizes=[9], replicates=200, rng=0)["purity_error"].mean()
    np.float64(0.0)
    """

    @property
    def true(self) -> Any:
        """True objectives."""

    def sample(self, n: Any, /, *, replicates: int | None = None, rng: RandomSource = None) -> Any:
        """Return empirical objectives of the kind of `true`, of batch shape () or (replicates,), from n examples each.

        `rng` is an int, a SeedSequence, a Generator or None: ``numpy.random.default_rng(rng)`` reads all of them.
        """


def as_problem(problem: Any, /, *, needed_by: str) -> FiniteProblem | InfiniteProblem:
    """Return a problem as it is, or what reads another object as one; refuse what lacks something, in words.

    `needed_by` names the function in the message.
    """
    kind = kind_of(problem)
    if isinstance(problem, type):
        raise InvalidInputError(
            f"`problem` must be an object for {needed_by}, got the class {problem.__name__}: call it."
        )
    for name, what in (("true", "true objectives"), ("sample", "a method that draws samples")):
        if not hasattr(problem, name):
            raise InvalidInputError(
                f"`problem` must have `{name}`, {what}, for {needed_by}, as moltheory.FiniteWorld and every "
                f"moltheory.problems.ProblemLike has, got a {kind} without it."
            )
    if isinstance(problem, InfiniteProblem) and not isinstance(problem.true, _PARAMETRIC):
        raise InvalidInputError(
            f"`problem` must have QuadraticObjectives, ConvexObjectives or SmoothObjectives as `true` for {needed_by}, "
            f"since their weighted sums have certified minimisers, got a {kind} with {type(problem.true).__name__}."
        )
    if isinstance(problem, FiniteProblem | InfiniteProblem) and not _lacking(problem):
        return problem
    _check_signature(problem, kind, needed_by)
    return _ReadInfinite(problem) if isinstance(problem.true, _PARAMETRIC) else _ReadFinite(problem, needed_by)


def as_finite(problem: Any, /, *, needed_by: str) -> FiniteProblem:
    """Return a problem of a finite class; see `as_problem`."""
    objectives = "risks of a finite class (FiniteObjectives, or an array (H, N))"
    return cast(FiniteProblem, _of_kind(problem, FiniteProblem, objectives, needed_by))


def as_infinite(problem: Any, /, *, needed_by: str) -> InfiniteProblem:
    """Return a problem of parameters; see `as_problem`."""
    kinds = "QuadraticObjectives, ConvexObjectives or SmoothObjectives"
    return cast(InfiniteProblem, _of_kind(problem, InfiniteProblem, kinds, needed_by))


def _of_kind(problem: Any, kind: Any, objectives: str, needed_by: str) -> Any:
    found = as_problem(problem, needed_by=needed_by)
    if not isinstance(found, kind):
        raise InvalidInputError(
            f"`problem` must have {objectives} as `true` for {needed_by}, got a {kind_of(problem)} with "
            f"{type(found.true).__name__}."
        )
    return found


def kind_of(problem: Any) -> str:
    """Return the name of the class that the user wrote."""
    return type(problem.given if isinstance(problem, _ReadFinite | _ReadInfinite) else problem).__name__


def _lacking(problem: Problem) -> list[str]:
    """Return what a subclass does not set, or not as the base class says, and what is read like that of any object."""
    wanted = ["name", "is_exact", "is_lattice"]
    if isinstance(problem, FiniteProblem):
        wanted += ["risk_limits"] if isinstance(problem.true, FiniteObjectives) else ["risks"]
    return [name for name in wanted if not hasattr(problem, name)]


def _check_signature(problem: Any, kind: str, needed_by: str) -> None:
    try:
        parameters = inspect.signature(problem.sample).parameters
    except (TypeError, ValueError):
        return  # not callable, which the call will say, or compiled
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    for name in ("replicates", "rng"):
        if name not in parameters or parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY:
            raise InvalidInputError(
                f"`problem` must have sample(n, *, replicates=None, rng=None) for {needed_by}, got a {kind} whose `sample` "
                f"has no keyword `{name}`."
            )


class _Read:
    """What both kinds share: attributes of the given object, or their defaults."""

    given: Any

    def _take(self, given: Any) -> None:
        self.given = given
        self.name = str(getattr(given, "name", type(given).__name__))
        self.is_exact = bool(getattr(given, "is_exact", False))
        self.is_lattice = bool(getattr(given, "is_lattice", False))

    def _widths(self, sample_or_n: Any, delta: float) -> Bound:
        # Those of the base class refuse with the name of this class.
        found = getattr(self.given, "widths", None)
        if found is None or getattr(found, "__func__", None) is Problem.widths:
            raise NotDeclaredError(
                f"`problem` must define widths(sample_or_n, delta=) where half-widths are needed, got a "
                f"{type(self.given).__name__} without them."
            )
        return cast(Bound, found(sample_or_n, delta=delta))

    def _flags(self, default: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return np.asarray(getattr(self.given, "unbiased", default), dtype=np.bool_)

    def _checked(self, found: Any, replicates: int | None, true: Any) -> Any:
        """Refuse a sample of another batch shape, or of other objectives."""
        kind, lead = type(self.given).__name__, () if replicates is None else (int(replicates),)
        if tuple(found.batch_shape) != lead or found.n_objectives != true.n_objectives:
            raise InvalidInputError(
                f"`sample` of {kind} must return {true.n_objectives} objectives of batch shape {lead} for "
                f"replicates={replicates}, got {found.n_objectives} of batch shape {tuple(found.batch_shape)}."
            )
        return found

    def _simulator(self) -> Callable[..., Any]:
        return cast(Callable[..., Any], getattr(self.given, "simulate", self.given.sample))


class _ReadFinite(_Read, FiniteProblem):
    """A finite class that derives from nothing."""

    def __init__(self, given: Any, needed_by: str) -> None:
        self._take(given)
        true = _finite(given.true, type(given).__name__, "true", None, needed_by)
        if true.batch_shape or true.undefined.any():
            raise InvalidInputError(
                f"`true` of {type(given).__name__} must hold one table of finite risks (H, N), got batch shape "
                f"{true.batch_shape}."
            )
        self.true = true
        largest = true.risks().max(axis=0)
        limits = np.asarray(getattr(given, "risk_limits", largest), dtype=np.float64)
        if limits.shape != largest.shape or not (limits >= largest).all():
            raise InvalidInputError(
                f"`risk_limits` of {type(given).__name__} must be {largest.size} numbers >= all true risks, got "
                f"{limits.tolist()}."
            )
        self.risk_limits = as_readonly(limits)

    @property
    def unbiased(self) -> npt.NDArray[np.bool_]:
        return self._flags(np.ones(self.true.n_objectives, dtype=np.bool_))

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        return self._read(self.given.sample(n, replicates=replicates, rng=rng), replicates)

    def simulate(self, n: SampleSize, *, replicates: int, rng: np.random.Generator) -> FiniteObjectives:
        return self._read(self._simulator()(n, replicates=replicates, rng=rng), replicates)

    def _read(self, drawn: Any, replicates: int | None) -> FiniteObjectives:
        found = self._checked(
            _finite(drawn, type(self.given).__name__, "sample", self.true, "it"), replicates, self.true
        )
        if found.n_hypotheses != self.true.n_hypotheses:
            raise InvalidInputError(
                f"`sample` of {type(self.given).__name__} must return the risks of {self.true.n_hypotheses} hypotheses, "
                f"got {found.n_hypotheses}."
            )
        return cast(FiniteObjectives, found)

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        return self._widths(sample_or_n, delta)

    def true_front(self, *, n_points: int = 200) -> Front:
        own = getattr(self.given, "true_front", None)
        return super().true_front(n_points=n_points) if own is None else cast(Front, own(n_points=n_points))

    def n_types(self, n: int) -> int | None:
        if not (hasattr(self.given, "exact") and hasattr(self.given, "n_types")):
            return None
        return cast("int | None", self.given.n_types(n))

    def exact(self, n: int) -> Any:
        """Return the enumeration of all samples that the given object has."""
        return self.given.exact(n)

    def _line(self) -> str:
        return f"{type(self.given).__name__}(name={self.name!r}, n_hypotheses={self.n_hypotheses})"


class _ReadInfinite(_Read, InfiniteProblem):
    """A class of parameters that derives from nothing."""

    def __init__(self, given: Any) -> None:
        self._take(given)
        self.true = given.true
        if tuple(self.true.batch_shape) != ():
            raise InvalidInputError(
                f"`true` of {type(given).__name__} must have batch shape (), got {tuple(self.true.batch_shape)}."
            )
        for name in ("front_grid", "holds_examples"):
            if hasattr(given, name):
                setattr(self, name, getattr(given, name))

    @property
    def unbiased(self) -> npt.NDArray[np.bool_]:
        return self._flags(np.ones(self.true.n_objectives, dtype=np.bool_))

    @property
    def true_moduli(self) -> FloatArray:
        own = getattr(self.given, "true_moduli", None)
        if own is not None:
            return np.asarray(own, dtype=np.float64)
        if isinstance(self.true, SmoothObjectives):
            return self.true.strong_convexity
        if isinstance(self.true, QuadraticObjectives):
            values = np.linalg.eigvalsh(self.true.curvature)
            # Rounding of the eigenvalues is on the safe side.
            return np.asarray(2.0 * np.maximum(values[:, 0] - 1e-14 * values[:, -1], 0.0))
        return np.zeros(self.n_tasks)

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> ParametricObjectives:
        return self._read(self.given.sample(n, replicates=replicates, rng=rng), replicates)

    def simulate(self, n: SampleSize, *, replicates: int, rng: np.random.Generator) -> ParametricObjectives:
        return self._read(self._simulator()(n, replicates=replicates, rng=rng), replicates)

    def _read(self, drawn: Any, replicates: int | None) -> ParametricObjectives:
        if not isinstance(drawn, _PARAMETRIC) or drawn.dimension != self.dimension:
            raise InvalidInputError(
                f"`sample` of {type(self.given).__name__} must return QuadraticObjectives, ConvexObjectives or "
                f"SmoothObjectives of dimension {self.dimension}, got {type(drawn).__name__}."
            )
        return cast(ParametricObjectives, self._checked(drawn, replicates, self.true))

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        return self._widths(sample_or_n, delta)

    def true_front(self, *, n_points: int = 200) -> Front:
        own = getattr(self.given, "true_front", None)
        return super().true_front(n_points=n_points) if own is None else cast(Front, own(n_points=n_points))

    def _line(self) -> str:
        return f"{type(self.given).__name__}(name={self.name!r}, dimension={self.dimension})"


def _finite(given: Any, kind: str, what: str, true: FiniteObjectives | None, needed_by: str) -> FiniteObjectives:
    """Return risks of a finite class, given as FiniteObjectives, as what has a method `risks`, or as an array."""
    if isinstance(given, FiniteObjectives):
        return given
    risks = getattr(given, "risks", None)
    try:
        table = np.asarray(risks() if callable(risks) else given, dtype=np.float64)
    except (TypeError, ValueError):
        table = np.empty(0)
    if table.ndim < 2:
        if what == "true":
            raise InvalidInputError(
                f"`problem` must have FiniteObjectives, an array (H, N), QuadraticObjectives, ConvexObjectives or "
                f"SmoothObjectives as `true` for {needed_by}, got a {kind} with {type(given).__name__}."
            )
        raise InvalidInputError(
            f"`sample` of {kind} must return FiniteObjectives or risks (*batch, H, N), got {type(given).__name__}."
        )
    names = getattr(given, "names", None) if true is None else true.names
    depends = getattr(given, "data_dependent", None) if true is None else true.data_dependent
    return FiniteObjectives(table, names=names, data_dependent=depends)
