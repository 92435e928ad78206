"""Advice in plain sentences: the opening of the terminal's text, and what the page says in the same words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._text import joined, named, plural
from moltheory.certification._advice import Advice, NextStep, Substitution, advice_of
from moltheory.certification._explain import alternatives_sentences, counted_text, tolerance_scope
from moltheory.certification._format import CAUTION, count_text, examples_text
from moltheory.certification._words import VERDICTS, verdict_words

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["TITLE", "advice_lines", "headline", "none_text", "promise_text", "step_sentences", "title_of", "witnesses"]

TITLE = "What you can safely do"
# What is listed one by one in the terminal.
_NAMES, _GROUPS, _WITNESSES = 6, 3, 2
# The largest tolerance at which an open model is called nearly safe.
_NEAR = 20.0
# How many times the examples at hand are too many to be worth while.
_FAR = 50.0


def title_of(certificate: Certificate, status: str) -> str:
    """Return what can be done with the models of a status, with their number."""
    count, total = int(getattr(certificate, status).sum()), len(certificate)
    if status == "undecided":
        return f"Cannot tell yet: {plural(count, 'model')}" if count else "Nothing is left open"
    action = "Drop" if status == "excluded" else "Keep"
    if not count:
        return action
    return (
        f"{action} {count:,} of {plural(total, 'model')}"
        if status == "excluded"
        else f"{action} {plural(count, 'model')}"
    )


def none_text(certificate: Certificate, status: str) -> str:
    """Return why a status has no models: it was not asked for, or nothing is certain yet; empty if it has some."""
    if getattr(certificate, status).any():
        return ""
    if status == "undecided":
        return "every model is decided"
    if certificate.verdicts not in ("both", status):
        return f"the verdict “{VERDICTS[status]}” was not asked for"
    yet = " yet" if certificate.undecided.any() else ""
    return f"no model is ruled out{yet}" if status == "excluded" else f"none is certain{yet}"


def headline(certificate: Certificate) -> str:
    """Return the verdicts in one sentence.

    Examples
    --------
    >>> import moltheory as mt
    >>> headline(mt.certify([[0, 1], [1, 0]]))
    'Nothing is certain yet: these examples rule no model out and put none on the front.'
    """
    keep, drop, left = (int(getattr(certificate, status).sum()) for status in ("sure", "excluded", "undecided"))
    if not keep + drop:
        return "Nothing is certain yet: these examples rule no model out and put none on the front."
    parts = []
    if drop:
        parts.append(f"drop {drop:,} of {plural(len(certificate), 'model')}")
    if keep:
        parts.append(f"keep {keep:,}")
    said = joined(parts)
    if not left:
        return f"Every model is decided: {said}."
    others = "the last one" if left == 1 else f"the other {left:,}"
    return f"{said[0].upper()}{said[1:]}; about {others} the data {VERDICTS['undecided']}."


def promise_text(certificate: Certificate) -> str:
    """Return how far the verdicts can be relied on."""
    held = certificate.promise
    if certificate.engine == "asymptotic":
        held = f"{held.removesuffix('; nothing is guaranteed at this sample size.')} ({CAUTION})."
    return held


def witnesses(certificate: Certificate) -> tuple[list[str], list[str]]:
    """Return statements about several models that belong beside the open ones, and the others."""
    sentences = alternatives_sentences(certificate) if certificate.undecided.any() else []
    near = [text for text in sentences if "least one of" in text][:_WITNESSES]
    return near, [text for text in sentences if text not in near]


def advice_lines(certificate: Certificate, steps: list[str]) -> list[str]:
    r"""Return the opening of the terminal's text: what to drop, keep and leave open, and the next step.

    Examples
    --------
    >>> import numpy as np, moltheory as mt
    >>> losses = np.zeros((1000, 3), dtype=bool)
    >>> losses[:200, 0] = losses[10:215, 1] = losses[:400, 2] = True
    >>> print(*advice_lines(mt.certify(losses, names=["a", "b", "c"]), []), sep="\n")
    What you can safely do
      Drop 1 of 3 models (not on the front): use a instead of c.
      Keep: none is certain yet.
      Cannot tell yet: 2 models, a and b. At least one of a and b is on the front.
      With probability at least 95%, none of these verdicts is wrong. From 1,000 examples.
    """
    advice, words = advice_of(certificate), verdict_words(certificate)
    lines = [TITLE]
    for status in ("excluded", "sure", "undecided"):
        why = none_text(certificate, status)
        if why:
            lines.append(f"  {title_of(certificate, status)}: {why}.")
        else:
            said = f" ({words[status]})" if status != "undecided" else ""
            ending = ":" if status != "undecided" else ","
            lines += _told(certificate, advice, status, f"  {title_of(certificate, status)}{said}{ending}")
    lines += (
        [f"  Next step: {steps[0][0].lower()}{steps[0][1:]}", *(f"  {text}" for text in steps[1:])] if steps else []
    )
    return [*lines, f"  {promise_text(certificate)} From {examples_text(certificate)}."]


def is_tiered(advice: Advice) -> bool:
    """Whether the open models form several groups, of which some have several members."""
    return len(advice.open) > 1 and any(len(tier.models) > 1 for tier in advice.open)


def _told(certificate: Certificate, advice: Advice, status: str, opening: str) -> list[str]:
    """Return the lines about the models of a status."""
    if status == "sure":
        return [f"{opening} {_few(certificate, advice.keep)}."]
    if status == "excluded":
        texts = [substitution_text(certificate, entry) for entry in advice.drop[:_GROUPS]]
        left = sum(len(entry.models) for entry in advice.drop[_GROUPS:])
        more = [f"and {plural(left, 'model')} more, in the table"] if left else []
        if len(texts) + len(more) == 1:
            return [f"{opening} {texts[0]}."]
        return [opening, *(f"    {text}" for text in texts + more)]
    near, _ = witnesses(certificate)
    if not is_tiered(advice):
        models = tuple(h for tier in advice.open for h in tier.models)
        return [" ".join([f"{opening} {_few(certificate, models)}.", *near])]
    found = [f"{opening} in groups without a certain difference in {counted_text(certificate)}, the best first:"]
    for tier in advice.open[:_GROUPS]:
        lowest = tier.cheapest if len(tier.cheapest) < len(tier.models) else ()
        cheap = f" (lowest cost: {_few(certificate, lowest, 2)})" if lowest else ""
        found.append(f"    {_few(certificate, tier.models)}{cheap}")
    left = sum(len(tier.models) for tier in advice.open[_GROUPS:])
    if left:
        found.append(f"    and {plural(left, 'model')} more, in the table")
    return [*found, *(f"    {text}" for text in near)]


def substitution_text(certificate: Certificate, entry: Substitution) -> str:
    """Return which model to use instead of others."""
    models = _few(certificate, entry.models)
    if entry.use < 0:
        return f"some model is better than {models}"
    use = named(certificate.names[entry.use])
    if entry.certain:
        return f"use {use} instead of {models}"
    return f"probably use {use} instead of {models}"


def step_sentences(certificate: Certificate, step: NextStep | None, allowed: list[str]) -> list[str]:
    """Return the cheapest next step about the undecided models; nothing if there are none.

    Parameters
    ----------
    certificate : Certificate
    step : NextStep, optional
        None if there is no plan.
    allowed : list of str
        What `tolerances` returns.
    """
    if not certificate.undecided.any():
        return []
    found = []
    if step is not None and math.isfinite(step.sufficient):
        found.append(_examples_sentence(certificate, step))
    elif step is not None:
        found += [
            f"Measure {costs} more precisely for {named(model)} and {named(rival)}: their intervals overlap, and more "
            "examples do not narrow them."
            for model, rival, costs in step.measure[:1]
        ] or [
            "No number of examples can be planned: the open models look too much alike, so allow a tolerance (epsilon)."
        ]
    near = [h for h in np.flatnonzero(certificate.undecided).tolist() if allowed[h]]
    if near:
        best = min(near, key=lambda h: (float(allowed[h].rstrip("%")), h))
        if float(allowed[best].rstrip("%")) <= _NEAR:
            every, cost = tolerance_scope(certificate)
            found.append(
                f"Or keep {named(certificate.names[best])} now: no other model{cost} is better by more than "
                f"{allowed[best]} of the range{every}."
            )
    return found


def _examples_sentence(certificate: Certificate, step: NextStep) -> str:
    """Return how many examples would decide, and at what price it is better to choose by something else."""
    unit, at_hand = (
        ("clusters", certificate.n_clusters) if certificate.n_clusters else ("examples", certificate.n_examples)
    )
    model, rival = named(step.model), named(step.rival)
    number = f"{'up to ' if step.is_bound else ''}about {count_text(step.sufficient)} more {unit}"
    observed = "if the rates seen so far are the true ones (enough in 80% of cases)"
    rates = observed if step.is_bound else "by simulation from the examples at hand (enough in 80% of cases)"
    if step.sufficient > _FAR * at_hand:
        return (
            f"Do not wait for more {unit}: even the cheapest decision, about {model}, would take {number}, far beyond the "
            f"{at_hand:,} at hand, {rates}. Choose by price or taste."
        )
    which = (
        f"only {rival} may still be better"
        if step.n_rivals < 2
        else f"of its {step.n_rivals:,} open rivals {rival} is the hardest"
    )
    return f"{number[0].upper()}{number[1:]} would decide about {model} ({which}), {rates}."


def _few(certificate: Certificate, models: tuple[int, ...], most: int = _NAMES) -> str:
    """Return names as an enumeration, of which the first are named."""
    shown = models if len(models) <= most + 1 else models[:most]
    texts = [named(certificate.names[h]) for h in shown]
    more = [f"{len(models) - len(shown):,} more"] if len(models) > len(shown) else []
    return joined([*texts, *more])
