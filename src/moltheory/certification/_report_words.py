"""The words of a certificate's page: what the verdicts mean, and how far they can be relied on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory.certification._format import confidence_text
from moltheory.certification._words import VERDICTS, verdict_words

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["guarantee_text", "meaning_of", "terms_of"]

_BETTER = "at least as good in every objective, and better in one"
_OPEN = "These examples do not decide it; with more of them it may turn out either way."
_TERMS = (
    (
        "[low, high]",
        "The box: intervals for all models and objectives that hold the true values all at once. Two models whose "
        "boxes overlap can still be distinguished, on the examples on which both were evaluated.",
    ),
    (
        "confidence",
        "One minus the adjusted p-value of the verdict, which allows for the number of models. Of an open model: the "
        "confidence at which it would have been decided, had that been chosen in advance. It is not the probability of "
        "being on the front, which no data give: equal models are on the front together.",
    ),
)


def meaning_of(certificate: Certificate, status: str) -> str:
    """Return what a verdict means, in one sentence."""
    if status == "undecided":
        return "More examples may turn these out either way."
    if status == "excluded":
        return f"Another model dominates each of these: it is {_BETTER}."
    if certificate.epsilon.any():
        return "No other model is better by the tolerance, or more, in every objective."
    return f"No other model is {_BETTER}: to choose another one means to give something up."


_BY_COSTS = "“Certain”: the known costs allow no other model to dominate this one, whatever the losses."


def terms_of(certificate: Certificate, *, tolerances: str) -> list[tuple[str, str]]:
    """Return the words of the page with what they mean; `tolerances` is the meaning of that column, or empty."""
    words = verdict_words(certificate)
    within = certificate.epsilon.any()
    on_front = (
        "No other model is better by the tolerance, or more, in every objective, and none is shown to dominate this one."
        if within
        else f"No other model is {_BETTER}: choosing another model means giving something up."
    )
    whatever = ", whatever the tolerance" if within else ""
    found = [
        (words["sure"], on_front),
        (words["excluded"], f"Another model is {_BETTER}{whatever}."),
        (VERDICTS["undecided"], _OPEN),
        (
            "use instead",
            "The model that dominates it. After “probably”: it is certain that some model does, and most likely this one.",
        ),
    ]
    if certificate.replaceable_by.max() >= 0:
        found.append(
            (
                "replaceable by",
                "A model that costs no more, and less in some cost, and is worse by less than the tolerance in every "
                "other objective.",
            )
        )
    box, (title, meaning) = _TERMS
    if not certificate.data_dependent.all():
        meaning = f"{meaning} {_BY_COSTS}"
    return [*found, *([("tolerance", tolerances)] if tolerances else []), box, (title, meaning)]


def guarantee_text(certificate: Certificate) -> str:
    """Return what the promise means."""
    delta, confidence = f"{certificate.delta:g}", confidence_text(certificate.delta)
    if certificate.engine == "asymptotic":
        return (
            f"{certificate.promise} Tests and boxes rest on normal approximations: as the sample grows, their failure "
            f"probability tends to at most {delta}; in small samples, and where many models are equal or losses are rare, "
            "it can be larger. The exact engine, the default, has a guarantee at every sample size."
        )
    if certificate.error == "share":
        return (
            f"Over draws of the examples, the expected share of wrong verdicts among those given is at most {delta}: some "
            "verdicts may be wrong. The probability that a dominance, a box or a statement about several models above is "
            f"false is at most {delta} as well."
        )
    wrong = "any verdict, dominance or box above is false (a model reported as on the front that is not, one ruled out "
    wrong += "that is on it, a box that misses the true value)"
    if certificate.error == "one":
        wrong = "more than one verdict, or any dominance or box above, is false"
    return (
        f"Over draws of the examples, the probability that {wrong} is at most {delta}, so the confidence is {confidence} "
        "for all of them together."
    )
