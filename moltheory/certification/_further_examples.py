"""What more data would buy: further examples that each undecided model needs, from another look at the losses."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_count
from moltheory.certification._binary_by_inspection import kept_level
from moltheory.certification._inputs import Evaluation
from moltheory.certification._power import more_examples
from moltheory.certification._problem import read_problem
from moltheory.errors import InvalidInputError
from moltheory.evaluation._blocks import BlockSource
from moltheory.inference._pairs import PairCounts, PairMoments

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["further_examples"]

# Pairs that are simulated; the others get their bound.
_SIMULATED = 60
_POWER = 0.8
_SIZES = ("more", "bound", "bound_low", "bound_high")


def further_examples(
    source: BlockSource | npt.ArrayLike,
    certificate: Certificate,
    /,
    *,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
    simulate: int = _SIMULATED,
    rng: int = 0,
) -> pd.DataFrame:
    """Estimate how many further examples would settle each undecided model.

    An undecided model is settled when it is settled against every rival: every model that is not excluded. This is
    a plan, **not a guarantee**, and leaves a slack out of account; with clusters it counts clusters. The true gaps may
    be smaller than the observed ones: ``bound_high`` is the size to rely on.

    Parameters
    ----------
    source : BlockSource or (n, M) or (n, M, N) array_like
        What was certified, an array only without clusters; it is read twice.
    certificate : Certificate
        Of that source.
    loss_range, largest_cluster, cluster_weights
        As given to `certify`.
    simulate : int, default 60
        Largest number of pairs that are simulated, those with the smallest bounds.
    rng : int, default 0
        Seed of the simulation.

    Returns
    -------
    pandas.DataFrame
        One row per undecided model, those that need least first. ``model``; ``open``, the rivals it is not settled
        against; ``hardest``, the one that takes most; ``now``, common examples with it; ``outcome``, what the
        observed gaps to it point to; ``more``, the expected number of further examples by simulation (NaN where it
        was not simulated), which settles about half of the runs, if the observed rates are the true ones; ``bound``,
        further examples that suffice with probability 0.8 if the observed rates are the true ones, infinite where no
        gap is seen; ``bound_low``, the same with gaps one standard error larger; ``bound_high``, with gaps one
        standard error smaller: a number that is finite and not enough with probability at most 0.2, whatever the true
        rates.

    Raises
    ------
    InvalidInputError
        If the source has other models or objectives than the certificate, or measures.

    Notes
    -----
    Each test is at the level of Holm's first step, the smaller of the shares of delta over M (M - 1) pairs to exclude
    and over M N claims to confirm, less what is paid for losses that are 0/1 by their looks only (`certify`), and half
    of it for bounded losses, where two tests share it. ``bound`` holds for all rivals and objectives at once (union
    bound): .2 is shared by them. Of the .2 of ``bound_high``, .16 is the probability that a gap (the hardest rival's,
    which is the smallest seen) is overestimated by a standard error or more, by the normal approximation.
    """
    check_count("simulate", simulate, low=0)
    names = getattr(source, "model_names", certificate.names)
    if tuple(names) != certificate.names:
        raise InvalidInputError("`source` must hold the models of the certificate, got other names.")
    measures = getattr(source, "measures", None)
    if measures:
        raise InvalidInputError(
            f"`source` must hold the losses of every objective, got measures ({', '.join(measures)}), whose sizes "
            "cannot be planned yet."
        )
    undecided = np.flatnonzero(certificate.undecided)
    kept = np.flatnonzero(~certificate.excluded)
    which = [(h, r) for h in undecided.tolist() for r in kept.tolist() if r > h or (r < h and certificate.sure[r])]
    if not which:
        return _per_model([], certificate)
    sizes = {"largest_cluster": largest_cluster, "cluster_weights": cluster_weights}
    evaluation, pairs = _pairs(source, certificate, loss_range=loss_range, **sizes)
    known = np.flatnonzero(~certificate.data_dependent)
    sign = np.where(np.asarray(certificate.maximise)[known], -1.0, 1.0)
    level = _level(certificate, evaluation)
    # Every claim that settles a model against its rivals has to come true.
    power = 1.0 - (1.0 - _POWER) / (len(pairs) * max(kept.size - 1, 1))

    def plan(chosen: Sequence[tuple[int, int]], simulated: int) -> list[dict[Hashable, Any]]:
        frame = more_examples(
            pairs,
            level=level,
            power=power,
            costs=certificate.estimates[:, known] * sign if known.size else None,
            names=certificate.names,
            which=chosen,
            simulate=simulated,
            rng=rng,
        )
        return frame.to_dict("records")

    bounds = _per_model(plan(which, 0), certificate)
    # Only the pair that takes most is shown, so only that one is worth simulating.
    place = {name: h for h, name in enumerate(certificate.names)}
    hardest = [(place[h], place[r]) for h, r in zip(bounds["model"], bounds["hardest"], strict=True)]
    if not hardest or simulate == 0:
        return bounds
    runs = {frozenset((row["model"], row["rival"])): row["more"] for row in plan(hardest, simulate)}
    bounds["more"] = [runs[frozenset((h, r))] for h, r in zip(bounds["model"], bounds["hardest"], strict=True)]
    return bounds


def _level(certificate: Certificate, evaluation: Evaluation) -> float:
    """Return the level of the first step of Holm's procedures, less what `_selection` and `_p_values` take of it."""
    size, spent = len(certificate), dict(certificate.spent)
    shares = [spent.get(name, certificate.delta) for name in ("paired tests that exclude", "paired tests that confirm")]
    planned = shares[0] / (size * (size - 1))
    level = min(planned, shares[1] / (size * len(evaluation.columns)))
    levels = []
    for column in evaluation.columns:
        kept, price = kept_level(column, -math.log(planned))
        levels.append(kept * (level - price) * (1.0 if column.binary else 0.5))
    return min(levels)


def _pairs(
    source: BlockSource | npt.ArrayLike, certificate: Certificate, **given: Any
) -> tuple[Evaluation, list[PairCounts | PairMoments]]:
    """Count the pairs, on losses scaled to [0, 1] and minimised."""
    evaluation = read_problem(
        source,
        costs=None,
        objectives=None,
        names=certificate.names,
        maximise=False,
        epsilon=0.0,
        clusters=None,
        **given,
    ).evaluation
    estimated, size = int(certificate.data_dependent.sum()), len(certificate)
    if len(evaluation.columns) != estimated:
        raise InvalidInputError(
            f"`source` must hold the {estimated} estimated objectives of the certificate, got {len(evaluation.columns)}."
        )
    pairs: list[PairCounts | PairMoments] = [
        PairCounts(size) if column.binary else PairMoments(size) for column in evaluation.columns
    ]
    for units in evaluation.units():
        values, pair = units.values, pairs[units.column]
        if certificate.maximise[units.column]:
            # Moments enter by differences only, so that the sign is all that matters.
            values = (1 - values.astype(np.float32)) if isinstance(pair, PairCounts) else -values
        pair.update(values)
    return evaluation, pairs


def _per_model(rows: list[dict[Hashable, Any]], certificate: Certificate) -> pd.DataFrame:
    import pandas as pd

    columns = ("model", "open", "hardest", "now", "outcome", *_SIZES)
    found = []
    for h in np.flatnonzero(certificate.undecided).tolist():
        name = certificate.names[h]
        mine = [row for row in rows if name in (row["model"], row["rival"]) and row["bound"] != 0.0]
        if not mine:
            continue
        hardest = max(mine, key=lambda row: float(row["bound"]))
        rival = hardest["rival"] if hardest["model"] == name else hardest["model"]
        outcome = str(hardest["outcome"])
        if hardest["model"] != name and outcome != "neither dominates":
            outcome = {"model dominates": "rival dominates", "rival dominates": "model dominates"}.get(outcome, outcome)
        sizes = [hardest[key] for key in _SIZES]
        found.append((name, len(mine), rival, hardest["examples"], outcome, *sizes))
    frame = pd.DataFrame(found, columns=list(columns))
    return frame.sort_values("bound", kind="stable", ignore_index=True)
