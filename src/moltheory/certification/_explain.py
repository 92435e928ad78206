"""A certificate in words: what is promised, what is known about one model, and what keeps it undecided.

The confidence of an undecided model is one minus the total failure probability at which the tests would settle it. It is
not the probability of being on the front, which no data give: equal models are on the front together.
"""

from __future__ import annotations

import math
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._frames import frame_with_names, texts_or_missing
from moltheory._core._text import few, joined, named, quoted
from moltheory.certification._format import CAUTION, confidence_text, examples_text
from moltheory.certification._words import VERDICTS, WITHIN, verdict_words, verdicts_of
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = [
    "alternatives_sentences",
    "counted_text",
    "described",
    "explained",
    "frame_of",
    "lean_text",
    "open_rivals_text",
    "promise_sentence",
    "still_text",
    "threatening",
    "tolerance_scope",
    "tolerance_sentence",
    "tolerances",
]

_SHOWN = 8
# Rivals that are named; of more than this number, one less is named.
_NAMED = 3
_LISTED = 4
# Number of models up to which texts give tolerances, which take O(M^2) tests.
_TESTED = 300


def promise_sentence(delta: float, error: str, engine: str = "exact") -> str:
    """Return what is promised about the verdicts together.

    Examples
    --------
    >>> promise_sentence(0.05, "any")
    'With probability at least 95%, none of these verdicts is wrong.'
    >>> promise_sentence(0.05, "share")
    'On average at most 5% of these verdicts are wrong.'
    >>> promise_sentence(0.05, "one", "asymptotic")
    'As the sample grows, with probability at least 95%, at most one of these verdicts is wrong; nothing is guaranteed at
    this sample size.'
    """
    wrong = "at most one" if error == "one" else "none"
    text = f"With probability at least {confidence_text(delta)}, {wrong} of these verdicts is wrong"
    if error == "share":
        text = f"On average at most {100.0 * delta:g}% of these verdicts are wrong"
    if engine == "asymptotic":
        return f"As the sample grows, {text[0].lower()}{text[1:]}; nothing is guaranteed at this sample size."
    return f"{text}."


def explained(certificate: Certificate, model: str | int) -> str:
    """Return `Certificate.explain`."""
    h = _index(certificate, model)
    name, within = named(certificate.names[h]), WITHIN if certificate.epsilon.any() else ""
    if certificate.excluded[h]:
        by = named(certificate.names[certificate.excluded_by[h]])
        if certificate.dominates[certificate.excluded_by[h], h]:
            return f"{name} is not on the front: {by} dominates it."
        return f"{name} is not on the front: another model dominates it, probably {by}."
    if certificate.sure[h]:
        others = "no other model is better by it everywhere" if within else "no other model dominates it"
        return f"{name} is on the front{within}: {others}."
    parts = [part for part in (still_text(certificate, h), lean_text(certificate, h)) if part]
    return f"{name}: {'; '.join([VERDICTS['undecided'], *parts])}."


def lean_text(certificate: Certificate, h: int) -> str:
    """Return on which side, and at what confidence, an undecided model would be decided; empty if that is not known."""
    at, side = float(certificate.decided_at[h]), int(certificate.leaning[h])
    if np.isnan(at):
        return ""
    if side == 0 or at > 0.5:
        return "no direction yet"
    where = VERDICTS["sure" if side > 0 else "excluded"]
    return f"would be decided as {where} at {confidence_text(at)}"


def open_rivals_text(certificate: Certificate, h: int) -> str:
    """Return the models that may still dominate a model, the most threatening first: "B", "B or C", "B, C or 3 others"."""
    count = int(np.count_nonzero(certificate.open_rivals[h]))
    first = count if count <= _NAMED else _NAMED - 1
    names = [named(certificate.names[b]) for b in threatening(certificate, h, max(first, 1))]
    more = [f"{count - first:,} others"] if count > first else []
    return joined([*names, *more], last=" or ")


def tolerances(certificate: Certificate) -> list[str]:
    """Return for each model the smallest tolerance as a share of the range, rounded up; empty texts where it is unknown.

    It is unknown without statistics, with many models, and where no objective is a mean with a paired test.
    """
    unknown = [""] * len(certificate)
    if len(certificate) > _TESTED or certificate.engine != "exact" or not hasattr(certificate, "_statistics"):
        return unknown
    try:
        found = certificate.smallest_tolerance()
    except InvalidInputError:
        return unknown
    return [f"{math.ceil(1000.0 * t - 1e-9) / 10.0:g}%" if t < 1.0 else "" for t in found.tolist()]


def tolerance_scope(certificate: Certificate) -> tuple[str, str]:
    """Return in which objectives tolerances hold, and at which costs, as parts of a sentence."""
    cost = " at no higher cost" if not certificate.data_dependent.all() else ""
    from moltheory.certification._smallest_tolerance import counted_objectives

    counted = counted_objectives(certificate)
    n_estimated = int(certificate.data_dependent.sum())
    every = " in every estimated objective" if n_estimated > 1 else ""
    if len(counted) < n_estimated:
        # Quantiles, gaps and the like have no range that counts: the statement holds whatever they are.
        all_of = " every one of" if len(counted) > 1 else ""
        left = [
            named(name)
            for name, estimated in zip(certificate.objectives, certificate.data_dependent, strict=True)
            if estimated and name not in counted
        ]
        others = joined(left) if len(left) <= _NAMED else "other estimated objectives"
        every = f" in{all_of} {few(counted, 6, describe=lambda name: named(str(name)))}, whatever its {others}"
    return every, cost


def tolerance_sentence(certificate: Certificate) -> str:
    """Return what the tolerances mean, and with what probability."""
    every, cost = tolerance_scope(certificate)
    return (
        f"'tolerance X%': no other model{cost} is better by more than X% of the range{every}, with probability at least "
        f"{confidence_text(certificate.delta)} for all models at once (a statement beside the verdicts)."
    )


def counted_text(certificate: Certificate) -> str:
    """Return the estimated objectives as text: the first ones by name."""
    names = [name for name, data in zip(certificate.objectives, certificate.data_dependent, strict=True) if data]
    return joined([named(name) for name in names]) if len(names) <= _NAMED else "the estimated objectives"


def alternatives_sentences(certificate: Certificate) -> list[str]:
    """Return the statements about several models at once: pairs and few, numbers on the front."""
    within = WITHIN if certificate.epsilon.any() else ""
    # With weaker promises the verdicts do not hold on the same event, so these have their own.
    own = certificate.error != "any" or certificate.engine == "asymptotic"
    nominal = "As the sample grows, with" if certificate.engine == "asymptotic" else "With"
    opening = f"{nominal} probability at least {confidence_text(certificate.delta)}, at" if own else "At"
    found = [
        f"{opening} least one of {_names(certificate, models)} is on the front{within}."
        for models in certificate.alternatives(most=_LISTED)[:_LISTED]
        # A set that holds a model of the front for sure says nothing.
        if not certificate.sure[list(models)].any()
    ]
    low, high = certificate.front_size
    if (low, high) == (1, len(certificate)):
        return found
    size = f"{low:,}" if low == high else f"{low:,} {'or' if high == low + 1 else 'to'} {high:,}"
    opening = opening.removesuffix("at") + "the" if own else "The"
    return [*found, f"{opening} front{within} has {size} of the {len(certificate):,} models."]


def frame_of(certificate: Certificate) -> pd.DataFrame:
    """Return `Certificate.to_frame`."""
    by = certificate.excluded_by
    sides = {1: VERDICTS["sure"], -1: VERDICTS["excluded"], 0: None}
    columns: dict[str, Any] = {"model": certificate.names, "status": certificate.status}
    columns["verdict"] = verdicts_of(certificate)
    columns |= {"excluded_by": _named(certificate, by), "adjusted_p_value": certificate.adjusted_p_value}
    certain = certificate.dominates[by, np.arange(by.size)] & (by >= 0)
    columns |= {
        "dominator_is_certain": certain,
        "leaning": texts_or_missing([sides[side] for side in certificate.leaning.tolist()]),
        "decided_at": certificate.decided_at,
        "n_open_rivals": np.count_nonzero(certificate.open_rivals, axis=1),
    }
    if certificate.epsilon.any():
        other = _named(certificate, certificate.replaceable_by)
        columns |= {"within_slack": certificate.within_slack, "replaceable_by": other}
    # Objectives may be called like the columns above, or like the ends of each other's boxes.
    estimates: list[str] = []
    for name in certificate.objectives:
        others = {*columns, *certificate.objectives, *estimates} if name in columns else set(columns)
        estimates.append(_free(name, " (estimate)", others))
    taken = {*columns, *estimates}
    for i, (name, title) in enumerate(zip(certificate.objectives, estimates, strict=True)):
        columns[title] = certificate.estimates[:, i]
        if certificate.data_dependent[i]:
            for end, values in zip(("low", "high"), certificate.boxes[:, i].T, strict=True):
                column = _free(f"{name} ({end})", " (box)", taken)
                columns[column] = values
                taken.add(column)
    return frame_with_names(columns)


def _free(title: str, more: str, taken: Container[str]) -> str:
    """Return the title of a column; more is added to one that another column has."""
    while title in taken:
        title += more
    return title


def described(certificate: Certificate) -> str:
    """Return the verdicts in words, a few lines."""
    exact = certificate.engine == "exact"
    tolerance = f", tolerance {'/'.join(f'{e:g}' for e in certificate.epsilon)}" if certificate.epsilon.any() else ""
    words = verdict_words(certificate)
    promised = {"any": "", "one": ", at most one verdict wrong", "share": ""}[certificate.error]
    at = (
        f"with at most {100.0 * certificate.delta:g}% of verdicts wrong on average"
        if certificate.error == "share"
        else f"at confidence {1.0 - certificate.delta:g}{promised}"
    )
    kind = "Asymptotic certificate" if certificate.engine == "asymptotic" else "Certificate"
    lines = [
        f"{kind} {at} from {examples_text(certificate)}: "
        f"{len(certificate)} models, objectives {', '.join(map(named, certificate.objectives))}{tolerance}"
    ]
    for title, mask, tell in (
        (words["sure"], certificate.sure, None),
        (words["excluded"], certificate.excluded, _by),
        (words["undecided"], certificate.undecided, None),
    ):
        rows = np.flatnonzero(mask).tolist()
        texts = [named(certificate.names[h]) + ("" if tell is None else tell(certificate, h)) for h in rows[:_SHOWN]]
        more = [f"and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
        lines.append(f"  {title} ({len(rows)}): {', '.join(texts + more) or 'none'}")
    if not exact:
        lines.insert(1, f"  {CAUTION}")
    replaceable = int((certificate.replaceable_by >= 0).sum())
    if replaceable:
        lines.append(f"  replaceable by a cheaper one within the tolerance: {replaceable}")
    return "\n".join(lines)


def _by(certificate: Certificate, h: int) -> str:
    by = int(certificate.excluded_by[h])
    likely = "" if certificate.dominates[by, h] else "probably "
    return f" ({likely}dominated by {named(certificate.names[by])})"


def still_text(certificate: Certificate, h: int) -> str:
    """Return what may still dominate a model; empty if that is not known."""
    count = int(np.count_nonzero(certificate.open_rivals[h]))
    if count == 0:
        return ""
    return f"{'only ' if count == 1 else ''}{open_rivals_text(certificate, h)} may still dominate it"


def threatening(certificate: Certificate, h: int, most: int) -> list[int]:
    """Return some open rivals of a model, by their estimates those that come nearest to dominating it."""
    rivals = np.flatnonzero(certificate.open_rivals[h])
    if rivals.size == 0:
        return []
    values = certificate.estimates * np.where(certificate.maximise, -1.0, 1.0)
    spread = np.ptp(values, axis=0)
    behind = ((values[rivals] - values[h]) / np.where(spread > 0.0, spread, 1.0)).max(axis=1)
    # At most 1; those that are excluded themselves come last.
    key = np.round(behind, 9) + 4.0 * certificate.excluded[rivals]
    near = np.flatnonzero(key <= np.partition(key, most - 1)[most - 1]) if most < key.size else np.arange(key.size)
    return [int(b) for b in rivals[near[np.argsort(key[near], kind="stable")]][:most]]


def _named(certificate: Certificate, models: npt.NDArray[np.int64]) -> Any:
    return texts_or_missing([certificate.names[j] if j >= 0 else None for j in models.tolist()])


def _names(certificate: Certificate, models: tuple[int, ...]) -> str:
    return joined([named(certificate.names[h]) for h in models])


def _index(certificate: Certificate, model: str | int) -> int:
    if isinstance(model, str):
        if model in certificate.names:
            return certificate.names.index(model)
    elif isinstance(model, int | np.integer) and not isinstance(model, bool) and 0 <= model < len(certificate):
        return int(model)
    raise InvalidInputError(
        f"`model` must be the name of a model or its number below {len(certificate)}, got {quoted(model)}; the models are "
        f"{few(certificate.names, 6)}."
    )
