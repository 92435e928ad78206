"""The ledger: all statements by id, and those that a user adds; their table, and their check at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._text import did_you_mean, named
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource
from moltheory.theorems import (
    _certificate_statements,
    _converse_statements,
    _convexity_statements,
    _dependent_width_statements,
    _front_statements,
    _generalization_statements,
    _lower_statements,
    _pruning_statements,
)
from moltheory.theorems._check import Method, Stated, check_many
from moltheory.theorems._inputs import read_inputs
from moltheory.theorems._ledger_view import ledger_card, ledger_html, matches
from moltheory.theorems._proofs import proof_of
from moltheory.theorems._results import CheckResult
from moltheory.theorems._statement import Theorem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ledger", "check_all", "ledger", "markdown_table"]

# The order of the ledger: by module, and within a module as its THEOREMS are written.
_MODULES = (
    _generalization_statements,
    _front_statements,
    _dependent_width_statements,
    _converse_statements,
    _convexity_statements,
    _pruning_statements,
    _certificate_statements,
    _lower_statements,
)


class Ledger(Printed, Mapping[str, Theorem]):
    """An immutable mapping from ids to theorems.

    In a notebook it is a table that can be filtered, and ids are completed: ``ledger()["<TAB>``.

    Notes
    -----
    Complexity: `search` and `to_frame` take time and memory linear in the length of all texts.

    Examples
    --------
    >>> mine = Theorem(id="nothing-moves", statement="L = Lhat", source="mine", provenance="conjecture",
    ...                violation=lambda true, empirical, widths: abs(true - empirical).max(axis=(-2, -1)))
    >>> extended = ledger().with_theorem(mine)
    >>> "nothing-moves" in extended, "nothing-moves" in ledger()
    (True, False)
    """

    def __init__(self, theorems: Iterable[Theorem]) -> None:
        self._theorems: dict[str, Theorem] = {}
        for theorem in theorems:
            if not isinstance(theorem, Theorem):
                raise InvalidInputError(f"`theorems` must hold Theorem objects, got {type(theorem).__name__}.")
            if theorem.id in self._theorems:
                raise InvalidInputError(f"`theorems` must have distinct ids, got {theorem.id!r} twice.")
            self._theorems[theorem.id] = theorem

    def with_theorem(self, theorem: Theorem, /) -> Ledger:
        """Return a ledger with one more theorem; this one is left as it is.

        Raises
        ------
        InvalidInputError
            If its id is taken, or it is not a Theorem.
        """
        return Ledger([*self._theorems.values(), theorem])

    def __getitem__(self, key: str) -> Theorem:
        """Return a theorem by id."""
        try:
            return self._theorems[key]
        except KeyError:
            near = did_you_mean(key, list(self._theorems)) if isinstance(key, str) else ""
            raise KeyError(f"no theorem {key!r}{near or '; there are ' + ', '.join(self._theorems)}") from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over ids."""
        return iter(self._theorems)

    def __len__(self) -> int:
        """Return the number of theorems."""
        return len(self._theorems)

    def search(self, text: str, /) -> Ledger:
        """Return the theorems in which every word of a text occurs: in the id, statement, source or assumptions.

        Parameters
        ----------
        text : str
            Words, or parts of words, separated by blanks; upper and lower case are the same. All theorems match no word.

        Returns
        -------
        Ledger
            Those that match, in the same order; it may be empty.

        Raises
        ------
        InvalidInputError
            If `text` is not a string.

        Examples
        --------
        >>> list(ledger().search("interior"))
        ['interior-weights']
        >>> list(ledger().search("hypervolume front"))
        ['hypervolume']
        """
        if not isinstance(text, str):
            raise InvalidInputError(f"`text` must be a string of words to find, got {type(text).__name__}.")
        words = text.casefold().split()
        return Ledger(theorem for theorem in self._theorems.values() if matches(theorem, words))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per theorem, with its statement, source, provenance, assumptions, inputs and function.

        Examples
        --------
        >>> ledger().search("interior").to_frame()["provenance"].tolist()
        ['derived']
        """
        from moltheory._core._frames import frame_with_names

        return frame_with_names(
            {
                "id": list(self._theorems),
                "statement": [one.statement for one in self._theorems.values()],
                "source": [one.source for one in self._theorems.values()],
                "provenance": [one.provenance for one in self._theorems.values()],
                "assumptions": ["; ".join(part.text for part in one.assumptions) for one in self._theorems.values()],
                "inputs": [", ".join(read_inputs(one.inputs)) for one in self._theorems.values()],
                "function": [one.function for one in self._theorems.values()],
                "deterministic": [one.deterministic for one in self._theorems.values()],
            }
        )

    def to_latex(self, *, caption: str = "") -> str:
        r"""Return a table of ids, statements, provenance and sources in LaTeX; with a caption it floats.

        Examples
        --------
        >>> print(ledger().search("interior").to_latex().splitlines()[2])
        id & statement & provenance & source \\
        """
        from moltheory.theorems._statement_latex import ledger_latex

        return ledger_latex(tuple(self.values()), caption=caption)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._theorems)

    def _line(self) -> str:
        return f"Ledger({', '.join(map(named, self._theorems))})"

    def _card(self) -> Card:
        return ledger_card(tuple(self._theorems.values()))

    def _repr_html_(self) -> str:
        return ledger_html(tuple(self._theorems.values()))


def ledger() -> Ledger:
    """Return all statements of the package.

    Returns
    -------
    Ledger
        A mapping from ids to `Theorem`; ``with_theorem`` extends a copy.

    Examples
    --------
    >>> ledger()["forward"].evaluate(widths=[0.125, 0.0])
    array([0.25, 0.  ])
    """
    return Ledger(_proved())


@cache
def _proved() -> tuple[Theorem, ...]:
    return tuple(replace(one, proof=proof_of(one.id)) for module in _MODULES for one in module.THEOREMS)


# IPython completes without calling anything; from these it knows what a call gives, and ``ledger()["<TAB>`` lists ids.
ledger.__annotations__["return"] = Ledger
ledger.__dict__["__inferred_return__"] = ledger()


def markdown_table(theorems: Mapping[str, Theorem] | None = None, /) -> str:
    """Return the ledger as a table in Markdown.

    Parameters
    ----------
    theorems : mapping of str to Theorem, optional
        By default the ledger.

    Returns
    -------
    str
        One row per theorem: id, function, assumptions, figure of the report, provenance.

    Notes
    -----
    Complexity: O(k) time and memory for k theorems.

    Examples
    --------
    >>> print(markdown_table().splitlines()[0])
    | theorem | function | assumptions | figure | provenance |
    """
    rows = ["| theorem | function | assumptions | figure | provenance |", "| --- | --- | --- | --- | --- |"]
    for theorem in (ledger() if theorems is None else theorems).values():
        assumptions = "; ".join(assumption.text for assumption in theorem.assumptions).replace("|", "\\|")
        function = f"`{theorem.function}`" if theorem.function else ""
        rows.append(f"| {theorem.id} | {function} | {assumptions} | {theorem.figure or '–'} | {theorem.provenance} |")
    return "\n".join(rows)


def check_all(
    problem: Any,
    /,
    *,
    n: int,
    delta: float = 0.05,
    theorems: Iterable[Theorem] | None = None,
    method: Method = "auto",
    replicates: int = 2000,
    rng: RandomSource = 0,
    stated: Stated | None = None,
) -> Mapping[str, CheckResult]:
    """Check many statements on one problem, which is enumerated or sampled once for all of them.

    Parameters
    ----------
    problem, n, delta, method, replicates, rng, stated
        As in `check`.
    theorems : iterable of Theorem, optional
        By default all of the ledger; those that are not about such a problem are reported as not applicable, with the
        assumption that fails.

    Returns
    -------
    dict of str to CheckResult

    Notes
    -----
    Complexity: one enumeration or sample; then as `check` for every statement.

    Examples
    --------
    >>> from moltheory.problems import two_coins
    >>> results = check_all(two_coins(), n=10)
    >>> all(result.holds for result in results.values() if result.applicable)
    True
    """
    chosen = list(ledger().values() if theorems is None else theorems)
    return check_many(
        chosen, problem, n=n, delta=delta, method=method, replicates=replicates, rng=rng, stated=stated, skip=True
    )
