"""Methods of intervals for one mean, by name: a new one is a function and a row of `METHODS`.

Docstrings, tests of levels, the table of applicable bounds and the figure of intervals read this table.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from moltheory._core._validation import FloatArray
from moltheory.inference._betting import betting_ends
from moltheory.inference._concentration import (
    Ends,
    Summary,
    both_ends,
    clopper_pearson_end,
    empirical_bernstein_end,
    hoeffding_bentkus_end,
    hoeffding_end,
    kl_end,
)

__all__ = ["METHODS", "Method", "described", "interval_methods"]

_IID = "independent, identically distributed examples"


@dataclass(frozen=True)
class Method:
    """One method: how it computes the ends for losses in [0, 1], from their sums or from the losses in order."""

    label: str
    """As figures write it."""
    description: str
    """As docstrings write it, without a full stop."""
    source: str
    find: Callable[..., Ends]
    """Upper end and its complement from a `Summary` and -log of the failure probability. Where `in_order` is set: both
    ends from the losses (n, m), the failure probabilities (m,) and the side."""
    in_order: bool = False
    """Whether the order of the losses matters, so that their sums are not enough."""
    two_valued: bool = False
    """Whether every loss must be an end of its range."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions of the interval."""
        return _IID, "losses at one of the two ends of their range" if self.two_valued else "losses inside their range"

    def ends(self, losses: Summary | FloatArray, delta: FloatArray, side: str) -> Ends:
        """Return lower and upper ends from the losses (n, m) themselves where `in_order` is set, else from their sums."""
        return self.find(losses, delta, side) if self.in_order else both_ends(losses, delta, self.find, side)  # type: ignore[arg-type]


METHODS: Mapping[str, Method] = {
    "clopper-pearson": Method(
        "Clopper-Pearson",
        "exact binomial tails, for losses at the two ends of their range only",
        "Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404",
        clopper_pearson_end,
        two_valued=True,
    ),
    "hoeffding-bentkus": Method(
        "Hoeffding-Bentkus",
        "the smaller of the Chernoff and the Bentkus p-value, inverted",
        "Bates et al. 2021, arXiv 2101.02703; Bentkus 2004, doi 10.1214/009117904000000360",
        hoeffding_bentkus_end,
    ),
    "kl": Method(
        "Chernoff-kl",
        "Chernoff's bound, inverted exactly",
        "Hoeffding 1963, doi 10.1080/01621459.1963.10500830, theorem 1 (Chernoff's bound)",
        kl_end,
    ),
    "empirical-bernstein": Method(
        "empirical Bernstein",
        "Maurer and Pontil, with the unbiased variance; the whole range at n = 1",
        "Maurer and Pontil 2009, arXiv 0907.3740, theorem 4",
        empirical_bernstein_end,
    ),
    "hoeffding": Method(
        "Hoeffding",
        "Hoeffding's inequality",
        "Hoeffding 1963, doi 10.1080/01621459.1963.10500830",
        hoeffding_end,
    ),
    "betting": Method(
        "betting",
        "hedged capital with bets recalculated toward the level, which depends on the order of the examples",
        "Waudby-Smith and Ramdas 2024, doi 10.1093/jrsssb/qkad009, arXiv 2010.09686; bets as in Voracek and Orabona "
        "2025, arXiv 2505.22422",
        betting_ends,
        in_order=True,
    ),
}


def interval_methods(*, from_counts: bool = False) -> tuple[str, ...]:
    """Names of the methods of `mean_interval`, tightest for 0/1 losses first.

    Parameters
    ----------
    from_counts : bool, default False
        Return only those that `binomial_interval` has too: of 0/1 losses they need the total alone.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> interval_methods()[-1], "betting" in interval_methods(from_counts=True)
    ('betting', False)
    """
    return tuple(name for name, method in METHODS.items() if not (method.in_order and from_counts))


def described(*, default: str, from_counts: bool = False, more: str = "") -> str:
    """Return the entry of the parameter `method` for a docstring."""
    lines = [f'``"{name}"``: {METHODS[name].description};' for name in interval_methods(from_counts=from_counts)]
    text = " ".join(lines)[:-1] + f".{more}"
    body = textwrap.fill(text, 112, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return f'method : str, default "{default}"\n{body}'
