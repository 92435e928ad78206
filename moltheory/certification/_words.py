"""What a certificate rests on, in words."""

from __future__ import annotations

from collections.abc import Iterable

from moltheory.certification._boxes import box_method
from moltheory.certification._problem import Problem

__all__ = ["assumptions_of"]


def assumptions_of(problem: Problem, *, tested: bool) -> tuple[str, ...]:
    """Return the assumptions of a certificate, and the estimand where it needs words."""
    columns = problem.evaluation.columns
    largest = max(column.largest for column in columns)
    said = ["models, costs, ranges, slack and delta were fixed before these examples were looked at"]
    if largest == 1:
        said.append("examples are independent draws from the population the certificate speaks of")
    elif all(column.equal for column in columns):
        said.append(
            f"clusters are independent draws from the population the certificate speaks of, and all of {largest} "
            "examples, not only here"
        )
    else:
        said.append(
            f"clusters are independent draws from the population, none of which has more than {largest} examples, the "
            "largest seen; what is compared are means over examples: expected total over expected size of a cluster"
        )
    bounded = [column for column in columns if not column.binary]
    binary = [column for column in columns if column.binary]
    if binary:
        said.append(
            f"losses are one of the two ends of their range, not only here, in {_listed(c.name for c in binary)}"
        )
    if bounded:
        said.append(f"losses never leave their range in {_listed(c.name for c in bounded)}")
    gaps = [column.name for column in columns if not column.complete]
    if gaps:
        whole = "; a cluster counts for a model evaluated on all of it" if largest > 1 else ""
        said.append(
            "which models were evaluated on an example depends neither on the example nor on the losses, in "
            f"{_listed(gaps)}{whole}"
        )
    if len({column.n_examples for column in columns}) > 1:
        said.append(
            "an objective evaluated on some of the examples is the mean over those that it is evaluated on, given how "
            "many there are"
        )
    if not problem.data_dependent.all():
        known = [o.name for o in problem.objectives if o.values is not None]
        said.append(f"known exactly: {_listed(known)}")
    untested = [o.name for o in problem.objectives if o.values is None and not o.testable]
    if tested and untested:
        said.append(f"decided by boxes only, as differences of groups have no paired test: {_listed(untested)}")
    if any(box_method(problem.evaluation, c) == "betting" for c in range(len(columns))):
        said.append("boxes of bounded losses bet on the units in a random order, drawn with a fixed seed")
    return tuple(said)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
