"""The command `bound`: every bound that applies to the given quantities."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from moltheory._cli._console import say
from moltheory._cli._parser import CommandParser
from moltheory._cli._tables import print_table

__all__ = ["QUANTITIES", "add_bound_options", "bound_command"]


class Quantity(NamedTuple):
    """An option of the command and the parameter of `applicable_bounds` that it sets."""

    option: str
    kind: type[int] | type[float]
    help: str
    default: float | None = None
    # The option's own name by default.
    parameter: str | None = None


QUANTITIES = (
    Quantity("n", int, "number of examples; gives half-widths and intervals"),
    Quantity("delta", float, "total failure probability", 0.05),
    Quantity("objectives", int, "number of data-dependent objectives", 1, "n_objectives"),
    Quantity("hypotheses", int, "size of a finite class", None, "n_hypotheses"),
    Quantity("dimension", int, "VC dimension of a class with 0/1 loss"),
    Quantity("weight-norm", float, "radius of a class of linear predictors"),
    Quantity("input-norm", float, "upper bound on the norm of an input", 1.0),
    Quantity("lipschitz", float, "Lipschitz constant of the loss", 1.0),
    Quantity("margin", float, "margin of linear classifiers, with --weight-norm"),
    Quantity("fat-dimension", int, "fat-shattering dimension at half of a margin"),
    Quantity("prior", float, "weight of one hypothesis under a prior fixed before the data"),
    Quantity("outputs", int, "number of outputs of linear predictors, with --weight-norm", None, "n_outputs"),
    Quantity("input-dimension", int, "dimension of a unit box on which losses are Lipschitz functions"),
    Quantity("penalty", float, "factor of the squared norm added to the average of the objectives"),
    Quantity("bernstein-constant", float, "constant of the Bernstein condition with exponent 1, with --hypotheses"),
    Quantity("divergence", float, "divergence of a randomised model from its prior, in nats, with --errors or --risk"),
    Quantity("errors", int, "number of errors on the n examples of one fixed model, or of a member of the class"),
    Quantity("risk", float, "in place of --errors: mean loss of a member of the class, or of a randomised model"),
    Quantity("variance", float, "sample variance of its losses; the largest possible one by default"),
    Quantity("excess", float, "target for twice the half-width; gives sample sizes"),
)
# Above the rows of each scope, and what their numbers are.
_HEADINGS = {
    "uniform": "All hypotheses at once, with the same half-width",
    "per hypothesis": "All hypotheses at once, with half-widths and limits of the one that is given",
    "learned": "The learned model only",
    "posterior": "Randomised models: averages under all posteriors at once",
    "margin": "Error rates, from losses or fractions of margins",
    "excess": "Excess of what minimises the empirical risk, and coverage error of the empirical front",
    "fixed model": "One model that was fixed before the data",
    "every learner": "What no learner can avoid",
    "sample size": "Examples needed",
}


def add_bound_options(parser: CommandParser) -> None:
    """Add the options of `bound`."""
    for one in QUANTITIES:
        shown = one.help if one.default is None else f"{one.help} (default: %(default)s)"
        parser.add_argument(f"--{one.option}", type=one.kind, default=one.default, help=shown)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def bound_command(options: argparse.Namespace) -> int:
    """Print one row per bound, interval and sample size, below a heading for what they are about."""
    from moltheory.bounds import applicable_bounds

    given = {
        one.parameter or one.option.replace("-", "_"): vars(options)[one.option.replace("-", "_")] for one in QUANTITIES
    }
    table = applicable_bounds(**given)
    if options.json:
        print_table(table, as_json=True)
        return 0
    for place, (scope, rows) in enumerate(table.groupby("scope", sort=False)):
        say(*([""] if place else []), f"{_HEADINGS[str(scope)]}:")
        print_table(rows.drop(columns=["scope", "source"]).dropna(axis="columns", how="all"), as_json=False)
    return 0
