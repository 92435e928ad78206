"""Statements about empirical and true fronts as objects: evaluated, checked exactly, and attacked.

`ledger` holds the statements. Each says what it assumes, evaluates its bound, and can be checked on a problem with
known truth (`check`, `check_all`), on any pair of risks (`check_pair`), or attacked by a search for a violation
(`falsify`). A conjecture of one's own is a `Theorem` with a function that says by how much it is violated.
"""

from moltheory._core._deprecation import renamed_names
from moltheory._core._listing import public_names
from moltheory.theorems._assumptions import Assumption, NotApplicableError
from moltheory.theorems._attack import Attack
from moltheory.theorems._check import check
from moltheory.theorems._check_pair import check_pair
from moltheory.theorems._falsify import falsify
from moltheory.theorems._inputs import Input
from moltheory.theorems._ledger import Ledger, check_all, ledger, markdown_table
from moltheory.theorems._proof_book import Proof, Proofs, proofs
from moltheory.theorems._proofs import proof_setting
from moltheory.theorems._results import CheckResult, FailureProbability, PairResult, Slack
from moltheory.theorems._statement import Theorem

__all__ = [
    "Assumption",
    "Attack",
    "CheckResult",
    "FailureProbability",
    "Input",
    "Ledger",
    "NotApplicableError",
    "PairResult",
    "Proof",
    "Proofs",
    "Slack",
    "Theorem",
    "check",
    "check_all",
    "check_pair",
    "falsify",
    "ledger",
    "markdown_table",
    "proof_setting",
    "proofs",
]

__dir__ = public_names(__name__)

__getattr__ = renamed_names(__name__, {"Level": "FailureProbability"})
