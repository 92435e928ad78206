"""Statements about empirical and true fronts as objects: evaluated, checked exactly, and attacked.

`ledger` holds the statements. Each says what it assumes, evaluates its bound, and can be checked on a problem with
known truth (`check`, `check_all`), on any pair of risks (`check_pair`), or attacked by a search for a violation
(`falsify`). A conjecture of one's own is a `Theorem` with a function that says by how much it is violated.
"""

from moltheory.theorems._check import check, check_all
from moltheory.theorems._check_pair import PairResult, check_pair
from moltheory.theorems._falsify import Attack, falsify
from moltheory.theorems._ledger import Ledger, ledger
from moltheory.theorems._markdown import markdown_table
from moltheory.theorems._results import CheckResult, Level, Slack
from moltheory.theorems._statement import Assumption, Theorem

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
