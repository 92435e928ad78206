"""What a reader can do with a certificate: which models to drop and to keep, which are open, and the cheapest next step.

Nothing here is a claim of its own: it is the verdicts, `dominates`, `excluded_by` and a plan in the order of use.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.certification._cliques import groups_among
from moltheory.certification._plan import EARLIER_COLUMNS
from moltheory.certification._words import reading_order

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["Advice", "NextStep", "Substitution", "Tier", "advice_of", "next_step_of"]


@dataclass(frozen=True)
class Substitution:
    """Models to drop, and the one to use instead: it certainly dominates them, or is the likeliest to; -1 = not known."""

    models: tuple[int, ...]
    use: int
    certain: bool


@dataclass(frozen=True)
class Tier:
    """Open models between which the data show no certain difference, and those of them with the lowest known costs."""

    models: tuple[int, ...]
    cheapest: tuple[int, ...]


@dataclass(frozen=True)
class Advice:
    """Models to drop, to keep, and open ones in tiers, the best in the first objective with data first."""

    drop: tuple[Substitution, ...]
    keep: tuple[int, ...]
    open: tuple[Tier, ...]


@dataclass(frozen=True)
class NextStep:
    """The undecided model that needs fewest further examples, or why no number of examples is known.

    Attributes
    ----------
    model, rival : str
        The model, and the rival that needs most examples; empty if no number is known.
    n_rivals : int
        Number of rivals against which more examples are needed.
    sufficient : float
        Further examples (of clustered ones: clusters) that suffice with probability 0.8, by simulation or at the observed
        rates; infinite if no number is known.
    measure : tuple of (str, str, str)
        Model, rival and measured costs whose intervals overlap where no number of examples suffices.
    is_bound : bool
        Whether the number is a bound at the observed rates; else it is from simulations.
    """

    model: str = ""
    rival: str = ""
    n_rivals: int = 0
    sufficient: float = math.inf
    measure: tuple[tuple[str, str, str], ...] = ()
    is_bound: bool = False


def advice_of(certificate: Certificate) -> Advice:
    """Return what to drop, what to keep and what is open.

    Examples
    --------
    >>> import numpy as np, moltheory as mt
    >>> losses = np.zeros((1000, 3), dtype=bool)
    >>> losses[:200, 0] = losses[10:215, 1] = losses[:400, 2] = True
    >>> advice = advice_of(mt.certify(losses))
    >>> advice.drop, advice.keep, advice.open
    ((Substitution(models=(2,), use=0, certain=True),), (), (Tier(models=(0, 1), cheapest=(0, 1)),))
    """
    order = reading_order(certificate)
    instead: dict[tuple[int, bool], list[int]] = {}
    for h in order:
        if certificate.excluded[h]:
            use = _replacement(certificate, h)
            instead.setdefault((use, use >= 0 and bool(certificate.dominates[use, h])), []).append(h)
    place = {h: k for k, h in enumerate(order)}
    drop = [Substitution(tuple(models), use, certain) for (use, certain), models in instead.items()]
    # Certain ones first, then the longest lists.
    drop.sort(key=lambda entry: (not entry.certain, -len(entry.models), place.get(entry.use, len(order))))
    rows = np.flatnonzero(certificate.undecided)
    groups = groups_among(certificate, rows) if rows.size else []
    return Advice(
        tuple(drop),
        tuple(h for h in order if certificate.sure[h]),
        tuple(Tier(tuple(members), _cheapest(certificate, members)) for members in groups),
    )


def _replacement(certificate: Certificate, h: int) -> int:
    """Return the model named as the dominator of an excluded one, or the one named for that if it is excluded itself."""
    use, seen = int(certificate.excluded_by[h]), {h}
    while use >= 0 and certificate.excluded[use] and use not in seen:
        seen.add(use)
        use = int(certificate.excluded_by[use])
    return use if use not in seen else int(certificate.excluded_by[h])


def _cheapest(certificate: Certificate, members: list[int]) -> tuple[int, ...]:
    """Return the members that no other member dominates in the known costs; all of them if there are no costs."""
    known = np.flatnonzero(~certificate.data_dependent)
    if not known.size:
        return tuple(members)
    from moltheory.pareto import nondominated

    values = certificate.estimates[members][:, known]
    kept = nondominated(values, maximise=[certificate.maximise[i] for i in known.tolist()])
    return tuple(h for h, keep in zip(members, kept.tolist(), strict=True) if keep)


def next_step_of(plan: pd.DataFrame) -> NextStep:
    """Return the cheapest next step of what `Certificate.plan` or `further_examples` returned."""
    plan = plan.rename(columns={earlier: name for name, earlier in EARLIER_COLUMNS.items()})
    rows = plan.to_dict("records")
    possible = [row for row in rows if row["n_open_rivals"] > 0 and math.isfinite(_number_of(row))]
    if possible:
        row = min(possible, key=_number_of)
        return NextStep(
            str(row["model"]),
            str(row["hardest_rival"]),
            int(row["n_open_rivals"]),
            _number_of(row),
            is_bound=not math.isfinite(_simulated(row)),
        )
    blocked = [
        (str(row["model"]), str(row["hardest_rival"]), str(row["blocked_by"]))
        for row in rows
        if isinstance(row.get("blocked_by"), str)
    ]
    return NextStep(measure=tuple(blocked))


def _simulated(row: dict[Hashable, Any]) -> float:
    """Return the simulated number that is enough in 80 % of cases; NaN or infinite if there is none."""
    size = float(row.get("additional_80", math.nan))
    return size if math.isnan(size) else max(size, 1.0)


def _number_of(row: dict[Hashable, Any]) -> float:
    """Return the simulated number, where there is one, else the bound."""
    simulated = _simulated(row)
    return simulated if math.isfinite(simulated) else float(row["sufficient_additional"])
