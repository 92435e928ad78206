"""Statements about empirical and true fronts as objects: evaluated, checked exactly, and attacked.

`ledger` holds the statements. Each says what it assumes, evaluates its bound, and can be checked on a problem with
known truth (`check`, `check_all`), on any pair of risks (`check_pair`), or attacked by a search for a violation
(`falsify`). A conjecture of one's own is a `Theorem` with a function that says by how much it is violated.
"""

from moltheory.theorems.book import Ledger, ledger
from moltheory.theorems.checking import check, check_all
from moltheory.theorems.falsification import Attack, falsify
from moltheory.theorems.pairs import PairResult, check_pair
from moltheory.theorems.results import CheckResult, Level, Slack
from moltheory.theorems.statement import Assumption, Theorem
from moltheory.theorems.table import markdown_table

__all__ = [
    "Assumption",
    "Attack",
    "CheckResult",
    "Ledger",
    "Level",
    "PairResult",
    "Slack",
    "Theorem",
    "check",
    "check_all",
    "check_pair",
    "falsify",
    "ledger",
    "markdown_table",
]
