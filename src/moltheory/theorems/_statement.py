"""A statement as an object: what it says, what it assumes, what it evaluates to, and when it is violated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._text import named, visible
from moltheory._core._validation import FloatArray, check_choice
from moltheory.errors import InvalidInputError
from moltheory.theorems._assumptions import Assumption
from moltheory.theorems._cards import theorem_card
from moltheory.theorems._inputs import Input, read_inputs
from moltheory.theorems._protocols import Cases, Draw, Failure, Inputs, Pairs, Value, Violation
from moltheory.theorems._results import CheckResult, PairResult

__all__ = ["Theorem", "no_inputs"]

_NOTHING: Inputs = MappingProxyType({})


def no_inputs(true: Any, limits: FloatArray) -> Sequence[Inputs]:
    """Return the one case of a statement without inputs."""
    return (_NOTHING,)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Theorem(Printed):
    """A statement that can be evaluated, checked and attacked.

    Attributes
    ----------
    id, statement, source : str
    provenance : {"paper", "reproduction", "derived", "conjecture"}
        Whether it stands in its source, is a counterpart of what stands there with constants of our own, is
        this project's own, or is not known to be true.
    violation : Violation or None
        ``violation(true, empirical, widths, **inputs)`` from risks (..., H, N) and widths (..., N) to numbers (...):
        positive where the statement fails, minus the slack where it holds, -inf where it says nothing. None where
        the statement is not about such a pair.
    assumptions : tuple of Assumption
    inputs : mapping of str to Input
        What `evaluate` takes. Given as `Input` objects, or as a mapping of names to meanings, all required.
    value : Value or None
        What `evaluate` calls.
    function : str
        Where `value` lives, for the table.
    figure : str
        The figure of the report that shows it, if any.
    deterministic : bool
        Whether the statement holds wherever E does, so that it is checked with realized widths.
    failure : Failure or None
        ``failure(problem, n, delta)``: the probability that the statement fails, for statements that are not about E:
        a number (exact), a `FailureProbability` (with an interval), or a pair of one of them and how many sample
        types were enumerated.
    cases : Cases
        From true risks and largest risks to inputs to try in `check`.
    draw : Draw or None
        ``draw(rng, true, limits)``: random inputs for `falsify`.
    pairs : Pairs or None
        ``pairs(rng, count)``: random (true, empirical, widths, inputs) for `falsify`, for statements that are not
        about tables of risks.
    proof : str
        Markdown with LaTeX between dollars, in the notation of `proof_setting`; empty where there is none, as for a
        conjecture.

    Raises
    ------
    InvalidInputError
        If a field is missing or of the wrong kind, or a conjecture has a proof.

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
    violation: Violation | None = None
    assumptions: tuple[Assumption, ...] = ()
    inputs: Mapping[str, Input] | Mapping[str, str] | Iterable[Input] = ()
    value: Value | None = None
    function: str = ""
    figure: str = ""
    deterministic: bool = True
    failure: Failure | None = None
    cases: Cases = no_inputs
    draw: Draw | None = None
    pairs: Pairs | None = None
    proof: str = ""

    def __post_init__(self) -> None:
        for name in ("id", "statement", "source"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise InvalidInputError(f"`{name}` must be a non-empty string, got {getattr(self, name)!r}.")
        if not isinstance(self.proof, str):
            raise InvalidInputError(f"`proof` must be a text, got {type(self.proof).__name__}.")
        check_choice("provenance", self.provenance, ("paper", "reproduction", "derived", "conjecture"))
        if self.proof and self.provenance == "conjecture":
            raise InvalidInputError(
                '`proof` must be empty for a conjecture, got a proof: write proof="", and a source of your own, where '
                "`replace` copies a statement that has one."
            )
        if not callable(self.violation) and not callable(self.failure):
            raise InvalidInputError(f"`violation` must be a function of pairs of risks, got {self.violation!r}.")
        object.__setattr__(self, "assumptions", tuple(self.assumptions))
        object.__setattr__(self, "inputs", read_inputs(self.inputs))

    @property
    def example(self) -> dict[str, Any]:
        """Inputs to evaluate the statement with, from the examples of its inputs."""
        return {name: one.example for name, one in read_inputs(self.inputs).items() if one.example is not None}

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
            If an input is unknown or missing.
        NotApplicableError
            If an assumption about the inputs fails.
        """
        if self.value is None:
            raise InvalidInputError(f"`id` must name a theorem with a bound to evaluate, got {self.id!r}.")
        known = read_inputs(self.inputs)
        missing = [name for name, one in known.items() if name not in inputs and not one.optional]
        if missing or not set(inputs) <= set(known):
            wanted = ", ".join(f"{name} (optional)" if one.optional else name for name, one in known.items())
            raise InvalidInputError(f"`inputs` must be {wanted}, got {', '.join(inputs) or 'nothing'}.")
        for assumption in self.assumptions:
            if not assumption.per_sample:
                assumption.require(inputs)
        return self.value(**inputs)

    def check(self, problem: Any, *, n: int, delta: float = 0.05, **options: Any) -> CheckResult:
        """Check the statement on a problem with known truth; see `moltheory.theorems.check`."""
        from moltheory.theorems._check import check

        return check(self, problem, n=n, delta=delta, **options)

    def check_pair(self, true: Any, empirical: Any, widths: Any = None, **inputs: Any) -> PairResult:
        """Test the statement on given risks; see `moltheory.theorems.check_pair`."""
        from moltheory.theorems._check_pair import check_pair

        return check_pair(self, true, empirical, widths, **inputs)

    def to_latex(self, *, standalone: bool = False) -> str:
        r"""Return id, statement, provenance, assumptions and proof in LaTeX, for amsmath and amssymb.

        Parameters
        ----------
        standalone : bool, default False
            Return a whole document, with the notation of the proofs.

        Examples
        --------
        >>> from moltheory.theorems import ledger
        >>> print(ledger()["forward"].to_latex().splitlines()[0])
        \subsection*{forward}
        """
        from moltheory.theorems._statement_latex import statement_latex

        return statement_latex(self, standalone=standalone)

    def to_bibtex(self) -> str:
        r"""Return an entry for BibTeX: the statement, and the versions of the package and of the proof.

        Examples
        --------
        >>> from moltheory.theorems import ledger
        >>> print(ledger()["forward"].to_bibtex().splitlines()[2])
          title = {Statement \texttt{forward} of the ledger of moltheory},
        """
        from moltheory.theorems._statement_latex import statement_bibtex

        return statement_bibtex(self)

    def _line(self) -> str:
        """Id, provenance and statement."""
        return f"Theorem({named(self.id)!r}, {self.provenance}: {visible(self.statement)})"

    def _card(self) -> Card:
        return theorem_card(self)
