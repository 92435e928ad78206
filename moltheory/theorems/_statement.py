"""A statement as an object: what it says, what it assumes, what it evaluates to, and when it is violated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from moltheory._core._validation import FloatArray, check_choice
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from moltheory.theorems._check_pair import PairResult
    from moltheory.theorems._results import CheckResult

__all__ = ["Assumption", "Cases", "Inputs", "Theorem", "no_inputs"]

Inputs = Mapping[str, Any]
# From the number of objectives, true risks (..., H, N) and largest risks (N,) to inputs worth trying.
Cases = Callable[[FloatArray, FloatArray], Sequence[Inputs]]
_NOTHING: Inputs = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Assumption:
    """A condition that is evaluated, not only stated.

    Attributes
    ----------
    text : str
        The condition in words.
    argument : str
        The argument that is refused where it fails.
    needs : tuple of str
        What the predicate is computed from: ``"true"``, ``"empirical"``, ``"widths"`` or names of inputs.
    holds : callable
        Gets those as keyword arguments; returns a bool, or one per pair.
    """

    text: str
    argument: str
    needs: tuple[str, ...]
    holds: Callable[..., Any]

    @property
    def per_sample(self) -> bool:
        """Whether the condition depends on the sample, so that it may hold in some samples only."""
        return bool({"empirical", "widths"} & set(self.needs))

    def evaluate(self, known: Inputs) -> Any:
        """Return whether it holds, as one bool or one per pair; True where its arguments are not known."""
        if not set(self.needs) <= set(known):
            return np.True_
        return np.asarray(self.holds(**{name: known[name] for name in self.needs}), dtype=np.bool_)

    def require(self, known: Inputs) -> None:
        """Refuse if it fails anywhere.

        Raises
        ------
        InvalidInputError
            Naming the argument and the assumption.
        """
        holds = self.evaluate(known)
        if not holds.all():
            raise InvalidInputError(
                f"`{self.argument}` must satisfy the assumption '{self.text}', "
                f"got {int((~holds).sum())} of {holds.size} for which it fails."
            )

    def __repr__(self) -> str:
        """The condition in words."""
        return f"Assumption({self.text!r})"


def no_inputs(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    """Return the one case of a statement without inputs."""
    return (_NOTHING,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Theorem:
    """A statement that can be evaluated, checked and attacked.

    Attributes
    ----------
    id, statement, source : str
    provenance : {"paper", "reproduction", "derived", "conjecture"}
        Whether it stands in its source, is a counterpart of what stands there with constants of our own, is
        this project's own, or is not known to be true.
    violation : callable or None
        ``violation(true, empirical, widths, **inputs)`` from risks (..., H, N) and widths (..., N) to numbers (...):
        positive where the statement fails, minus the slack where it holds, -inf where it says nothing. None where
        the statement is not about such a pair.
    assumptions : tuple of Assumption
    inputs : mapping of str to str
        What `evaluate` takes, and what it means.
    value : callable or None
        What `evaluate` calls.
    function : str
        Where `value` lives, for the table.
    figure : str
        The figure of the report that shows it, if any.
    deterministic : bool
        Whether the statement holds wherever E does, so that it is checked with realized widths.
    failure : callable or None
        ``failure(problem, n, delta)``: the exact probability that the statement fails, for statements that are
        not about E; `checking` describes it.
    cases : callable
        From true risks and largest risks to inputs to try in `check`.
    draw : callable or None
        ``draw(rng, true, limits)``: random inputs for `falsify`.
    pairs : callable or None
        ``pairs(rng, count)``: random (true, empirical, widths, inputs) for `falsify`, for statements that are not
        about tables of risks.

    Raises
    ------
    InvalidInputError
        If a field is missing or of the wrong kind.

    Examples
    --------
    A conjecture of one's own, that the best empirical risk of each objective is within its width, and its check:

    >>> import numpy as np
    >>> def violation(true, empirical, widths):
    ...     return (np.abs(true.min(axis=-2) - empirical.min(axis=-2)) - widths).max(axis=-1)
    >>> mine = Theorem(
    ...     id="ideal-point", statement="|min L_i - min Lhat_i| <= C_i", source="mine",
    ...     provenance="conjecture", violation=violation)
    >>> mine.check_pair([[0.5, 1.0], [0.75, 0.0]], [[0.25, 1.0], [0.5, 0.0]]).holds
    True
    """

    id: str
    statement: str
    source: str
    provenance: Literal["paper", "reproduction", "derived", "conjecture"]
    violation: Callable[..., Any] | None = None
    assumptions: tuple[Assumption, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    value: Callable[..., Any] | None = None
    function: str = ""
    figure: str = ""
    deterministic: bool = True
    failure: Callable[..., Any] | None = None
    cases: Cases = no_inputs
    draw: Callable[..., Inputs] | None = None
    pairs: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        for name in ("id", "statement", "source"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise InvalidInputError(f"`{name}` must be a non-empty string, got {getattr(self, name)!r}.")
        check_choice("provenance", self.provenance, ("paper", "reproduction", "derived", "conjecture"))
        if not callable(self.violation) and not callable(self.failure):
            raise InvalidInputError(f"`violation` must be a function of pairs of risks, got {self.violation!r}.")
        object.__setattr__(self, "assumptions", tuple(self.assumptions))
        object.__setattr__(self, "inputs", MappingProxyType(dict(self.inputs)))

    def evaluate(self, **inputs: Any) -> Any:
        """Evaluate the statement's bound.

        Parameters
        ----------
        **inputs
            As `inputs` says.

        Returns
        -------
        Bound, float or ndarray
            What the function of the theorem returns.

        Raises
        ------
        InvalidInputError
            If an input is unknown or missing, or an assumption about the inputs fails.
        """
        if self.value is None:
            raise InvalidInputError(f"`id` must name a theorem with a bound to evaluate, got {self.id!r}.")
        unknown = sorted(set(inputs) - set(self.inputs))
        missing = sorted(
            name for name, meaning in self.inputs.items() if name not in inputs and not meaning.endswith("(optional)")
        )
        if unknown or missing:
            raise InvalidInputError(f"`inputs` must be {', '.join(self.inputs)}, got {', '.join(inputs) or 'nothing'}.")
        for assumption in self.assumptions:
            if not assumption.per_sample:
                assumption.require(inputs)
        return self.value(**inputs)

    def check(self, problem: Any, *, n: int, delta: float = 0.05, **options: Any) -> CheckResult:
        """Check the statement on a problem with known truth; see `moltheory.theorems.check`."""
        from moltheory import theorems

        return theorems.check(self, problem, n=n, delta=delta, **options)

    def check_pair(self, true: Any, empirical: Any, widths: Any = None, **inputs: Any) -> PairResult:
        """Test the statement on given risks; see `moltheory.theorems.check_pair`."""
        from moltheory import theorems

        return theorems.check_pair(self, true, empirical, widths, **inputs)

    def __repr__(self) -> str:
        """Id, provenance and statement."""
        return f"Theorem({self.id!r}, {self.provenance}: {self.statement})"
