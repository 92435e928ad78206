"""The command `theorems`: statements with their assumptions and proofs, their checks, and searches for counterexamples."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from moltheory._cli._console import say
from moltheory._cli._parser import CommandParser
from moltheory._cli._tables import print_table
from moltheory._core._validation import check_choice

if TYPE_CHECKING:
    from moltheory.theorems import Theorem

__all__ = ["add_theorems_options", "theorems_command"]

# What `--falsify` without a number stands for.
_DEFAULT = object()


def add_theorems_options(parser: CommandParser) -> None:
    """Add the options of `theorems`."""
    parser.add_argument("id", nargs="*", metavar="ID", help="statements (default: all)")
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--proof",
        action="store_true",
        help="print the notation of the proofs, and the proof of each; also of claims outside of the ledger",
    )
    action.add_argument("--check", action="store_true", help="check on a population with known truth, over all samples")
    action.add_argument(
        "--falsify",
        nargs="?",
        type=int,
        const=_DEFAULT,
        metavar="BUDGET",
        help="search for a violation, trying BUDGET pairs; a world counts as 100 (default: 500,000, or until --seconds)",
    )
    parser.add_argument("--seconds", type=float, help="stop each search of --falsify after so many seconds")
    parser.add_argument(
        "--world", default="reference_world", help="population from moltheory.problems (default: %(default)s)"
    )
    parser.add_argument("--n", type=int, default=20, help="sample size for --check (default: %(default)s)")
    parser.add_argument("--delta", type=float, default=0.05, help="failure probability (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of --falsify (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def theorems_command(options: argparse.Namespace) -> int:
    """Print statements, checks or attacks; return 1 if a statement fails."""
    import pandas as pd

    from moltheory.problems import small_world
    from moltheory.theorems import check_all, falsify, ledger, proof_setting, proofs

    statements = ledger()
    if options.proof and not options.json:
        # Claims outside of the ledger have proofs too.
        known = proofs()
        asked = [known[check_choice("ID", name, known)] for name in options.id or statements]
        say(proof_setting(), *(f"\n# {one.id}\n\n{one.text}" for one in asked))
        return 0
    chosen = [statements[check_choice("ID", name, statements)] for name in options.id or statements]
    holds = True
    if options.check:
        results = check_all(small_world(options.world), n=options.n, delta=options.delta, theorems=chosen)
        table = pd.concat([result.to_frame() for result in results.values()], ignore_index=True)
        holds = all(result.holds for result in results.values() if result.applicable)
    elif options.falsify is not None:
        budget = None if options.falsify is _DEFAULT else options.falsify
        attacks = [falsify(statement, budget=budget, seconds=options.seconds, rng=options.seed) for statement in chosen]
        table = pd.concat([attack.to_frame() for attack in attacks], ignore_index=True)
        holds = not any(attack.falsified for attack in attacks)
    else:
        rows = [
            {
                "id": s.id,
                "provenance": s.provenance,
                "statement": s.statement,
                "source": s.source,
                "assumptions": [one.text for one in s.assumptions] if options.json else _assumed(s),
            }
            | ({"proof": s.proof} if options.json else {})
            for s in chosen
        ]
        table = pd.DataFrame(rows)
    print_table(table, as_json=options.json, wrap=not options.check and options.falsify is None)
    return 0 if holds else 1


def _assumed(statement: Theorem) -> str:
    return f"assumes: {'; '.join(one.text for one in statement.assumptions) or 'nothing else'}"
