"""Claim by claim: what a paper says, what is checked here, what was found, and whether the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from moltheory._core._html_repr import Shown
from moltheory._core._validation import check_choice
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AGREES", "CHECKS", "DIFFERS", "NOT_TESTED", "VERDICTS", "Claim", "claims_table"]

AGREES, DIFFERS, NOT_TESTED = VERDICTS = ("agrees", "differs", "not tested here")
CHECKS = ("proof", "exact value", "experiment")
_MOST_WORDS = 45


@dataclass(frozen=True, repr=False)
class Claim(Shown):
    """One claim of a paper beside what was found here.

    Attributes
    ----------
    says : str
        What the paper says, in our words; 45 words at most, as in all texts.
    where : str
        Where it says so, such as "abstract" or "section 5".
    check : {"proof", "exact value", "experiment"}
        How it is checked: by a proof whose steps tests follow, by a number that is known exactly, or by an experiment.
    checked : str
        What is computed or trained, on which data.
    found : str
        Numbers, with intervals over seeds where there are seeds; empty if nothing was tested.
    verdict : {"agrees", "differs", "not tested here"}
        By a rule fixed before the run: `checked` says which.
    why : str
        Why it differs or is not tested: data, size or recipe. Needed unless it agrees.

    Raises
    ------
    InvalidInputError
        If a text has too many words or is missing, or a verdict or a kind of check is none of these.

    Notes
    -----
    Complexity: constant.

    Examples
    --------
    >>> claim = Claim(
    ...     "Larger radii cost accuracy.", "abstract", "experiment", "Agrees if accuracy falls in every run.",
    ...     "10 of 10 (95%: [0.692, 1])", "agrees",
    ... )  # fmt: skip
    >>> claim.verdict
    'agrees'
    """

    says: str
    where: str
    check: str
    checked: str
    found: str
    verdict: str
    why: str = ""

    def __post_init__(self) -> None:
        check_choice("verdict", self.verdict, VERDICTS)
        check_choice("check", self.check, CHECKS)
        for name, text in asdict(self).items():
            if len(text.split()) > _MOST_WORDS:
                raise InvalidInputError(
                    f"`{name}` must have {_MOST_WORDS} words at most, got {len(text.split())}: {text!r}."
                )
        for name in ("says", "where", "checked"):
            if not getattr(self, name):
                raise InvalidInputError(f"`{name}` must be a sentence, got none.")
        if self.verdict != AGREES and not self.why:
            raise InvalidInputError(f"`why` must say why the claim {self.says!r} {self.verdict}, got nothing.")
        if self.verdict != NOT_TESTED and not self.found:
            raise InvalidInputError(f"`found` must hold what was found for the claim {self.says!r}, got nothing.")

    def as_dict(self) -> dict[str, str]:
        """Return all attributes by name."""
        return asdict(self)


def claims_table(claims: Sequence[Claim], /) -> pd.DataFrame:
    """Return the claims as a table, one row each, as a page shows them."""
    import pandas as pd

    return pd.DataFrame(
        {
            "the paper says": [f"{one.says} ({one.where})" for one in claims],
            "verdict": [one.verdict for one in claims],
            "found here": [one.found or "–" for one in claims],
            "why": [one.why or "–" for one in claims],
            "how it is checked": [f"{one.check.capitalize()}: {one.checked}" for one in claims],
        }
    )
