"""The assumptions of a certificate, as sentences.

Some of these sentences depend on the data (largest cluster, equal sizes, dtype). The guarantee is unaffected: for a
given population only one outcome of the inspection makes the sentences true, and given that outcome the procedure is
the one that would have been fixed in advance. So the probability that all sentences are true and some claim is false is
at most delta. (Derived; proof: data-dependent-assumptions.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from moltheory.certification._boxes import box_method
from moltheory.certification._format import CAUTION
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._scan import Column, Scan
from moltheory.evaluation._tails import Tail

__all__ = ["assumptions_of"]

_POPULATION = "independent draws from the population to which the certificate refers"
_OF_CLUSTERS = ", and total losses and sizes of clusters,"
_OVER_EXAMPLES = (
    "the compared quantity is the mean over examples, that is, the expected total loss of a cluster divided by its "
    "expected size"
)


def assumptions_of(
    problem: Comparison, scan: Scan, *, sizes_stated: bool, tested: bool, approximate: bool = False
) -> tuple[str, ...]:
    """Return the assumptions of a certificate, and the compared quantity if it is not a plain mean.

    Of an `approximate` one, it is said first that nothing is guaranteed.
    """
    columns = scan.columns
    clustered = any(column.clustered for column in columns)
    sentences = [
        "models, objectives, costs, ranges, tolerance, method, delta and the number of examples were fixed before these "
        "examples were inspected (`CertificateStream` permits repeated inspection and stopping at any time)"
    ]
    if approximate:
        sentences.insert(0, f"{CAUTION}; losses{_OF_CLUSTERS if clustered else ''} have finite variances")
    if not clustered and not problem.clustered:
        sentences.append(f"examples are {_POPULATION}")
    elif any(column.averaged for column in columns):
        sentences.append(
            f"clusters, of any size, are {_POPULATION}; the compared quantity is the mean over clusters of the mean loss "
            "in each cluster, so every cluster weighs the same"
        )
    elif approximate:
        sentences.append(f"clusters, of any size, are {_POPULATION}; {_OVER_EXAMPLES}")
    elif sizes_stated:
        sentences.append(
            f"clusters are {_POPULATION}, in which no cluster has more examples than was stated in advance: "
            f"{columns[0].max_cluster_size}; {_OVER_EXAMPLES}"
        )
    elif all(column.equal_cluster_sizes for column in columns):
        sentences.append(
            f"clusters are {_POPULATION}, in which every cluster has the observed number of examples: {_sizes(columns)}; "
            "if clusters of another size exist, however rare, nothing is guaranteed (`largest_cluster` states a bound in "
            "advance)"
        )
    else:
        sentences.append(
            f"clusters are {_POPULATION}, in which no cluster has more examples than the largest observed one: "
            f"{_sizes(columns)}; if larger ones exist, however rare, nothing is guaranteed (`largest_cluster` states a "
            f"bound in advance); {_OVER_EXAMPLES}"
        )
    whole = [column for column in columns if column.is_binary_dtype and not column.clustered]
    if whole:
        sentences.append(
            "losses take only the two ends of the range in the whole population, as their type implies for these "
            f"examples (bools, or integers in a range of length one): {_listed(c.name for c in whole)}"
        )
    tails = [o for o in problem.objectives if o.tail is not None]
    ranged = [
        *(c.name for c in columns if c not in whole and c.bounded),
        *(o.name for o in tails if np.isfinite(o.loss_range).all()),
    ]
    if ranged:
        sentences.append(f"losses never leave their range, in the whole population: {_listed(ranged)}")
    gaps = [column.name for column in columns if not column.complete and column.paired]
    if gaps:
        what = (
            "whether a model was evaluated on all examples of a cluster is independent of the losses and of the cluster, "
            "its size included (a cluster counts only for models evaluated on all of it)"
            if clustered
            else "which models were evaluated on an example is independent of the example and of the losses"
        )
        sentences.append(f"{what}: {_listed(gaps)}")
    unmeasured = [o.name for o in tails if o.tail is not None and _has_gaps(o.tail)]
    if unmeasured:
        sentences.append(
            "which models were evaluated on an example is independent of the example and of the losses: "
            f"{_listed(unmeasured)}"
        )
    own = [column.name for column in columns if not column.paired]
    if own:
        sentences.append(
            "a condition that depends on the model (such as being predicted positive) selects the examples over which "
            f"that model's mean is taken, and the claims are conditional on their number: {_listed(own)}"
        )
    if len({column.n_examples for column in columns if column.paired}) > 1:
        sentences.append(
            "an objective evaluated on some of the examples is the mean over such examples, and the claims are "
            "conditional on their number"
        )
    if not problem.data_dependent.all():
        known = [o.name for o in problem.objectives if o.values is not None]
        sentences.append(f"known exactly: {_listed(known)}")
    sentences += [
        f"the intervals of the measured cost {o.name} hold for all models at once, except with probability "
        f"{o.measured.delta:g}, which is part of delta"
        for o in problem.objectives
        if o.measured is not None
    ]
    untested = [o.name for o in problem.objectives if o.of_losses and not o.tested]
    if tested and untested:
        sentences.append(f"decided by boxes only, since no paired test applies: {_listed(untested)}")
    contrasts = [o.name for o in problem.objectives if o.forms is not None]
    if tested and contrasts:
        sentences.append(
            "groups are compared by bets on matched units, one example of the smallest group beside some of each other, in "
            "a random order drawn with a fixed seed; the claims are conditional on the sizes of groups: "
            f"{_listed(contrasts)}"
        )
    if not approximate and any(box_method(scan, c) == "betting" for c in range(len(columns))):
        sentences.append(
            "boxes of bounded losses are betting intervals on the examples (or clusters) in a random order, drawn with a "
            "fixed seed"
        )
    seen = [column for column in columns if column not in whole and not column.clustered and column.paired]
    if approximate:
        seen = [column for column in seen if column.binary]
    if seen:
        sentences.append(
            "tests for 0/1 losses were used where no loss inside the range was observed, at a reduced level so that the "
            "guarantee holds for all losses in the range (bools and integers 0/1 need no reduction): "
            f"{_listed(c.name for c in seen)}"
        )
    return tuple(sentences)


def _sizes(columns: Sequence[Column]) -> str:
    """Return the size of the largest cluster, by column if the columns differ."""
    largest = {column.max_cluster_size for column in columns}
    return str(largest.pop()) if len(largest) == 1 else _listed(f"{c.max_cluster_size} in {c.name}" for c in columns)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _has_gaps(tail: Tail) -> bool:
    """Whether some examples were measured with some models only; those that were measured with none are of others."""
    measured = ~np.isnan(tail.losses)
    return bool((measured.any(axis=1) & ~measured.all(axis=1)).any())
