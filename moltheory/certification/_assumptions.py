"""What a certificate rests on, in words.

Some sentences quote the data (the largest cluster, equal sizes, types). That spoils nothing: in any one population such
a sentence is true for one outcome of the look only, and given that outcome the methods are those that one would have
fixed in advance. So the probability that all sentences are true and some claim is false is at most delta. (Derived.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from moltheory.certification._boxes import box_method
from moltheory.certification._inputs import Column
from moltheory.certification._problem import Problem

__all__ = ["assumptions_of"]

_OVER_EXAMPLES = "what is compared are means over examples: expected total over expected size of a cluster"


def assumptions_of(problem: Problem, *, tested: bool) -> tuple[str, ...]:
    """Return the assumptions of a certificate, and the estimand where it needs words."""
    columns = problem.evaluation.columns
    clustered = any(column.clustered for column in columns)
    said = [
        "models, costs, ranges, slack, delta and the number of examples were fixed before these examples were looked at "
        "(to look again and again, and stop when content, there is `CertificateStream`)"
    ]
    if not clustered and not problem.clustered:
        said.append("examples are independent draws from the population the certificate speaks of")
    elif any(column.averaged for column in columns):
        said.append(
            "clusters, of whatever sizes, are independent draws from the population the certificate speaks of; what is "
            "compared are means over clusters, of the mean loss in each: every cluster weighs the same"
        )
    elif problem.sizes_stated:
        said.append(
            "clusters are independent draws from the population, none of which has more examples than was stated in "
            f"advance: {columns[0].largest}; {_OVER_EXAMPLES}"
        )
    elif all(column.equal for column in columns):
        said.append(
            "clusters are independent draws from the population the certificate speaks of, each of the same number of "
            f"examples, not only here: {_sizes(columns)}; if some differ, however rare, nothing is guaranteed "
            "(`largest_cluster` states the largest size in advance)"
        )
    else:
        said.append(
            "clusters are independent draws from the population, none of which has more examples than the largest seen: "
            f"{_sizes(columns)}; if larger ones exist, however rare, nothing is guaranteed (`largest_cluster` states the "
            f"largest size in advance); {_OVER_EXAMPLES}"
        )
    whole = [column for column in columns if column.whole and not column.clustered]
    if whole:
        said.append(
            "losses are of the type they are given in, which leaves only the two ends of the range, not only here, in "
            f"{_listed(c.name for c in whole)}"
        )
    if len(whole) < len(columns):
        said.append(f"losses never leave their range in {_listed(c.name for c in columns if c not in whole)}")
    gaps = [column.name for column in columns if not column.complete]
    if gaps:
        what = (
            "whether a model was evaluated on all of a cluster depends on nothing about the cluster, its size included (it "
            "counts for those models only), nor on the losses"
            if clustered
            else "which models were evaluated on an example depends neither on the example nor on the losses"
        )
        said.append(f"{what}, in {_listed(gaps)}")
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
    seen = [column for column in columns if column not in whole and not column.clustered]
    if seen:
        said.append(
            "tests for 0/1 losses were used where no loss inside the range was seen, at a price that makes the guarantee "
            f"hold for all losses in the range (bools and integers 0/1 have none to pay), in {_listed(c.name for c in seen)}"
        )
    return tuple(said)


def _sizes(columns: Sequence[Column]) -> str:
    """Return the largest cluster, in each column where they differ."""
    largest = {column.largest for column in columns}
    return str(largest.pop()) if len(largest) == 1 else _listed(f"{c.largest} in {c.name}" for c in columns)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
