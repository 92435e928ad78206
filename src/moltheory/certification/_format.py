"""Verdicts as tables of texts: for the terminal and for the report page.

Names are text: what would move a cursor, break a line or reverse the direction of writing stands as an escape.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._text import named, plural
from moltheory.certification._words import VERDICTS, reading_order, verdict_words, verdicts_of

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = [
    "CAUTION",
    "LIKELY",
    "confidence_text",
    "count_text",
    "directions_text",
    "examples_text",
    "number_text",
    "simulated_text",
    "summary_sentence",
    "verdict_rows",
]

# Beside the confidence of the asymptotic engine; the numbers are those of `_asymptotic`.
CAUTION = (
    "asymptotic: no guarantee at this sample size; worst seen at a nominal 5%: a wrong verdict in 52 of 1,000 simulated "
    "worlds of equal models, in 164 of 1,000 with 50 very skewed losses"
)
# Before a dominator whose dominance is not certain by itself.
LIKELY = "probably "


def summary_sentence(certificate: Certificate) -> str:
    """Return one sentence with the numbers of models by verdict.

    Examples
    --------
    >>> import numpy as np
    >>> from moltheory.certification import certify
    >>> summary_sentence(certify(np.eye(2)[:, :, None]))
    'With probability at least 95%, all of this is true at once: of 2 models, none is certain to be on the front yet,
    none is ruled out yet, and about 2 the data cannot tell yet (from 2 examples).'
    """
    words = verdict_words(certificate)
    yet = " yet" if certificate.undecided.any() else ""
    counts = {status: int(getattr(certificate, status).sum()) for status in words}
    none = {"sure": f"none is certain to be {words['sure']}{yet}", "excluded": f"none is ruled out{yet}"}
    parts = [
        f"{counts[status]:,} {_is(counts[status])} {words[status]}" if counts[status] else none[status]
        for status in ("sure", "excluded")
    ]
    left = counts["undecided"]
    parts.append(f"about {left:,} the data {VERDICTS['undecided']}" if left else "every one is decided")
    opening = certificate.promise.removesuffix(".")
    if certificate.error == "any":
        opening = f"With probability at least {confidence_text(certificate.delta)}, all of this is true at once"
    if certificate.engine == "asymptotic":
        held = opening.removesuffix("; nothing is guaranteed at this sample size").removeprefix("As the sample grows, ")
        opening = f"As the sample grows, {held[0].lower()}{held[1:]} ({CAUTION})"
    asked = {"both": "", "excluded": " Only exclusions were asked for.", "sure": " Only memberships were asked for."}
    return (
        f"{opening}: of {plural(len(certificate), 'model')}, {', '.join(parts[:2])}, and {parts[2]} "
        f"(from {examples_text(certificate)}).{asked[certificate.verdicts]}"
    )


def examples_text(certificate: Certificate) -> str:
    """Return the number of examples, and of the clusters that hold them.

    Examples
    --------
    >>> import numpy as np
    >>> from moltheory.certification import certify
    >>> examples_text(certify(np.eye(2))), examples_text(certify(np.eye(4), clusters=[0, 0, 1, 1]))
    ('2 examples', '4 examples in 2 clusters')
    """
    text = plural(certificate.n_examples, "example")
    return f"{text} in {plural(certificate.n_clusters, 'cluster')}" if certificate.n_clusters else text


def directions_text(certificate: Certificate) -> str:
    """Return in words which direction is better, what is known exactly, and what a tolerance means.

    Examples
    --------
    >>> import numpy as np
    >>> from moltheory.certification import certify
    >>> directions_text(certify(np.eye(2), costs={"size": [1, 2]}))
    'Smaller is better in every objective. Known exactly, without an interval: size.'
    """
    names = [named(name) for name in certificate.objectives]
    up = [name for name, flag in zip(names, certificate.maximise, strict=True) if flag]
    known = [name for name, data in zip(names, certificate.data_dependent, strict=True) if not data]
    measured = [name for name, flag in zip(names, certificate.measured, strict=True) if flag]
    said = ["Smaller is better" + (f", except where marked ↑ ({', '.join(up)})." if up else " in every objective.")]
    if known:
        said.append(f"Known exactly, without an interval: {', '.join(known)}.")
    if measured:
        said.append(f"Measured, with the intervals given: {', '.join(measured)}.")
    slack = zip(names, certificate.epsilon, strict=True)
    parts = [f"{size:g} in {name}" for name, size in slack if size]
    if parts:
        said.append(
            f"With tolerance {', '.join(parts)}: on the front then means that no model is better by at least that much "
            "everywhere; not on the front still means dominated, by however little."
        )
    return " ".join(said)


def verdict_rows(certificate: Certificate) -> tuple[list[str], list[list[str]]]:
    """Return titles and one row per model, in the order of `reading_order`.

    Returns
    -------
    head : list of str
    rows : list of list of str
        Number, model, verdict, the model that dominates it, which can be used instead (after "probably" if only that
        some model does is certain), the confidence of the verdict, the model that can replace it within the tolerance
        (where there is one), then every objective with its box.
    """
    verdicts = verdicts_of(certificate)
    replacing = certificate.replaceable_by.tolist()
    replaced = ["replaceable by"] if max(replacing) >= 0 else []
    rows = [
        [
            f"{number}",
            named(certificate.names[h]),
            verdicts[h],
            _dominator(certificate, h),
            _confidence(certificate, h),
            *([_name(certificate, replacing[h])] if replaced else []),
            *(_with_box(certificate, h, i) for i in range(len(certificate.objectives))),
        ]
        for number, h in enumerate(reading_order(certificate), start=1)
    ]
    better = [
        f"{named(name)} ↑" if up else named(name)
        for name, up in zip(certificate.objectives, certificate.maximise, strict=True)
    ]
    return ["#", "model", "verdict", "use instead", "confidence", *replaced, *better], rows


def confidence_text(adjusted_p_value: float) -> str:
    """Return 1 - `adjusted_p_value` in percent, rounded down.

    Examples
    --------
    >>> confidence_text(0.05), confidence_text(0.00176), confidence_text(1e-9)
    ('95%', '99.8%', '> 99.99%')
    """
    if adjusted_p_value < 1e-4:
        return "> 99.99%"
    digits = 2 if adjusted_p_value > 0.99 else 0 if adjusted_p_value >= 0.01 else 1 if adjusted_p_value >= 0.001 else 2
    # A tenth of the last digit shown forgives 1 - 0.05 = 0.95 its binary digits.
    percent = np.floor((1.0 - adjusted_p_value) * 100.0 * 10**digits + 1e-6) / 10**digits
    return f"{percent:.{digits}f}%"


def number_text(value: float, *, toward: int = 0) -> str:
    """Return a number with four significant digits, rounded down if `toward` is -1, up if it is 1.

    Examples
    --------
    >>> number_text(0.123456), number_text(0.123456, toward=1), number_text(-1234567.2, toward=-1), number_text(0.7)
    ('0.1235', '0.1235', '-1,234,568', '0.7')
    """
    if value == 0.0 or not math.isfinite(value):
        return f"{value:.4g}"
    scale = 10.0 ** max(3 - math.floor(math.log10(abs(value))), 0)
    scaled = value * scale
    nearest = round(scaled)
    # What is a short decimal stays what it is.
    if toward and abs(scaled - nearest) > 1e-12 * abs(scaled):
        nearest = math.ceil(scaled) if toward > 0 else math.floor(scaled)
    return f"{nearest:,}" if scale == 1.0 else f"{nearest / scale:.4g}"


def count_text(value: float) -> str:
    """Return a number of examples, rounded up to two significant digits; it is an estimate at best."""
    if not np.isfinite(value):
        return "no end in sight" if value > 0 else ""
    if value < 100:
        return f"{value:.0f}"
    unit = 10 ** (int(np.log10(value)) - 1)
    return f"{int(-(-value // unit)) * unit:,}"


def simulated_text(size: float, up_to: float) -> str:
    """Return a simulated number of examples; "more than" the largest simulated one where none was enough."""
    if np.isinf(size) and np.isfinite(up_to):
        return f"more than {count_text(up_to)}"
    return count_text(size)


def _with_box(certificate: Certificate, h: int, i: int) -> str:
    value = number_text(float(certificate.estimates[h, i]))
    if not certificate.data_dependent[i]:
        return value
    low, high = (float(end) for end in certificate.boxes[h, i])
    return f"{value} [{number_text(low, toward=-1)}, {number_text(high, toward=1)}]"


def _dominator(certificate: Certificate, h: int) -> str:
    by = int(certificate.excluded_by[h])
    likely = "" if by < 0 or certificate.dominates[by, h] else LIKELY
    return likely + _name(certificate, by)


def _confidence(certificate: Certificate, h: int) -> str:
    """Return the confidence of a verdict; empty where there is none."""
    if certificate.excluded[h]:
        return confidence_text(float(certificate.adjusted_p_value[h]))
    if not certificate.sure[h]:
        return ""
    at = float(certificate.decided_at[h])
    return _by_costs(certificate, h) if math.isnan(at) else confidence_text(at)


def _by_costs(certificate: Certificate, h: int) -> str:
    """Return that a model is certain to be on the front by its known costs; empty if they allow one to dominate it."""
    known = np.flatnonzero(~certificate.data_dependent)
    sign = np.where(np.asarray(certificate.maximise)[known], -1.0, 1.0)
    values = certificate.estimates[:, known] * sign
    others = np.arange(len(certificate)) != h
    if not known.size or (others & (values <= values[h]).all(axis=1)).any():
        return ""
    return f"certain (by its {'cost' if known.size == 1 else 'costs'})"


def _name(certificate: Certificate, model: int) -> str:
    return named(certificate.names[model]) if model >= 0 else ""


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
