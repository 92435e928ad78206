"""How bounds are shown; a half-width no smaller than the range of the loss says nothing, and is shown so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Fold, Table
from moltheory._core._numbers import bound_text, number_text
from moltheory._core._text import plural
from moltheory.bounds._scope import SCOPES
from moltheory.inference._cards import confidence_of

if TYPE_CHECKING:
    from moltheory.bounds._bound import Bound
    from moltheory.bounds._mixtures import MixtureBound, MixtureTable
    from moltheory.bounds._pac_bayes_gaussian import GaussianPosterior

__all__ = ["bound_card", "gaussian_card", "mixture_card", "mixtures_card", "vacuous_note"]


def bound_card(bound: Bound) -> Card:
    """Return the first half-widths, and how they are known."""
    widths = np.atleast_1d(bound.width)
    n_columns = widths.shape[-1]
    total = widths.size
    rows = []
    for place in range(min(total, MOST_ROWS)):
        index = np.unravel_index(place, widths.shape)
        largest = float(np.broadcast_to(bound.loss_range, widths.shape)[index])
        lead = [", ".join(map(str, index[:-1]))] if widths.ndim > 1 else []
        ends = [
            float(np.broadcast_to(end, widths.shape)[index]) for end in (bound.lower, bound.upper) if end is not None
        ]
        rows.append([*lead, int(index[-1]), _width(float(widths[index]), largest), largest, *ends])
    head = [*(["hypothesis"] if widths.ndim > 1 else []), "objective", "half-width", "range of the loss"]
    head += [f"{name} limit" for name in ("lower", "upper") if getattr(bound, name) is not None]
    return Card(
        "Bound",
        f"half-widths of {plural(n_columns, 'objective')}, all at once with probability at least "
        f"{confidence_of(bound.delta)}",
        [("method", bound.method), ("event", bound.event), ("scope", f"{bound.scope}: {SCOPES[bound.scope]}")],
        [Table(head, rows, total, "half-width")],
        folds=[Fold("Source and assumptions", [bound.source, *bound.assumptions])],
    )


def vacuous_note(bound: Bound) -> str:
    """Return how many half-widths say nothing, and why; empty if none."""
    vacuous = bound.vacuous
    count = int(vacuous.sum())
    if not count:
        return ""
    if count < vacuous.size:
        return f", says nothing in {plural(count, 'entry', 'entries')}"
    ranges = np.unique(bound.loss_range)
    least = number_text(float(ranges[0])) if ranges.size == 1 else "the range"
    over = "above" if (bound.width > bound.loss_range).all() else "not below"
    return f", says nothing ({over} {least})"


def mixture_card(bound: MixtureBound) -> Card:
    """Return the width, its two parts and how it is known."""
    facts: list[tuple[str, Any]] = [
        ("width", _width(bound.width, bound.loss_range)),
        ("complexity", bound.complexity),
        ("deviation", bound.deviation),
        ("n", bound.n),
    ]
    return Card(
        "MixtureBound",
        f"{bound.method}, with probability at least {confidence_of(bound.delta)}",
        facts,
        folds=[Fold("Source and assumptions", [bound.source, *bound.assumptions])],
    )


def mixtures_card(table: MixtureTable) -> Card:
    """Return the three bounds side by side."""
    bounds = [table.cover, table.objective_union, table.union_class]
    rows = [[one.method, _width(one.width, one.loss_range), one.complexity, one.deviation] for one in bounds]
    head = ["bound", "width", "complexity", "deviation"]
    return Card("MixtureTable", "three bounds for one set of arguments", tables=[Table(head, rows, len(rows))])


def gaussian_card(found: GaussianPosterior) -> Card:
    """Return errors and their upper limits, objective by objective."""
    bound = found.bound
    uppers = np.zeros(found.risks.size) if bound.upper is None else bound.upper
    named = found.names or ("error",)
    rows = [
        [str(name), float(risk), _width(float(up), 1.0)]
        for name, risk, up in zip(named, found.risks, uppers, strict=True)
    ]
    facts = [
        ("dimension", found.mean.size),
        ("scale", found.scale),
        ("divergence", found.divergence),
        ("value", found.value),
    ]
    return Card(
        "GaussianPosterior",
        f"normal weights of linear classifiers; upper limits with probability at least {confidence_of(bound.delta)}",
        facts,
        [Table(["objective", "empirical error", "upper limit"], rows[:MOST_ROWS], len(rows), "objective")],
        folds=[Fold("Source and assumptions", [bound.source, *bound.assumptions])],
    )


def _width(width: float, largest: float) -> Any:
    """Return a half-width as a number, in words where it says nothing."""
    return bound_text(width, largest=largest) if width > 0.0 and not width < largest else width
