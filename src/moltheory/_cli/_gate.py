"""A gate for pull requests: models beside a baseline, ``--fail-on``, and summaries as Markdown and as JUnit's XML."""

from __future__ import annotations

import argparse
import math
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from moltheory._cli._console import aligned
from moltheory._cli._names import resolved_metrics
from moltheory._core._numbers import number_text
from moltheory._core._text import joined, named, quoted, visible
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moltheory.certification import Certificate
    from moltheory.certification._baseline import BaselineComparison

__all__ = ["GATES", "Gate"]

GATES = ("worse", "not-better", "undecided")
# What means something in Markdown; an underscore inside of a word does not.
_MARKS = re.compile(r"([\\`*|~\[\]]|(?<!\w)_|_(?!\w))")
_WHY = {
    "worse": "certainly worse than {} in some objective, beyond its margin",
    "not-better": "not shown to be better than {} in some objective and not worse in the others",
    "undecided": "not decided against {} in every objective",
}


class Gate:
    """What is compared with the baseline, and what stops a model.

    Raises
    ------
    InvalidInputError
        If an option is given without the one that it needs, or has another form.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._margins = list(options.margin or ())
        self._on = list(dict.fromkeys(piece for entry in options.fail_on or () for piece in entry.split(",")))
        self.baseline: str | None = options.baseline
        needing = {
            "margin": options.margin,
            "fail-on": options.fail_on,
            "junit": options.junit,
            "summary": options.summary,
        }
        for name, given in needing.items():
            if given and self.baseline is None:
                raise InvalidInputError(f"`{name}` must be given with --baseline, got it without.")
        for word in self._on:
            if word not in GATES:
                raise InvalidInputError(f"`fail-on` must be one of {', '.join(GATES)}, got {quoted(word)}.")
        if options.junit and not self._on:
            raise InvalidInputError(
                "`junit` must be given with --fail-on, whose gates are the test cases, got it without."
            )

    def arguments(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the arguments of `certify`, for objectives of these names.

        Raises
        ------
        InvalidInputError
            If a margin is no number, or of something else than an objective.
        """
        if self.baseline is None:
            return {}
        margins: dict[str, float] = {}
        for entry in self._margins:
            name, _, text = entry.rpartition("=")
            try:
                value = float(text)
            except ValueError:
                value = -1.0
            if not name or not 0.0 < value < math.inf:
                raise InvalidInputError(f"`margin` must be A=E, an objective and a number > 0, got {quoted(entry)}.")
            for found in resolved_metrics("margin", [name], names):
                if found in margins:
                    raise InvalidInputError(f"`margin` must be given once for {quoted(found)}, got {text} as well.")
                margins[found] = value
        return {"baseline": self.baseline, "margins": margins}

    def failing(self, certificate: Certificate) -> dict[str, tuple[str, ...]]:
        """Return the models that each gate stops."""
        comparison = certificate.baseline
        return {} if comparison is None else {word: comparison.failing(word) for word in self._on}

    def lines(self, certificate: Certificate) -> list[str]:
        """Return the comparison in words; nothing without a baseline."""
        comparison = certificate.baseline
        if comparison is None:
            return []
        objectives = range(len(comparison.objectives))
        rows = [
            [named(name), word, *(comparison.word(k, i) for i in objectives)]
            for k, (name, word) in enumerate(comparison.verdicts.items())
        ]
        lines = ["", f"Beside {named(comparison.baseline)}{_margins_text(comparison)}:"]
        lines += [f"  {line}" for line in aligned(["model", "verdict", *map(named, comparison.objectives)], rows)]
        for word, models in self.failing(certificate).items():
            stopped = f"stops {joined(map(named, models))}" if models else "stops no model"
            lines.append(f"  --fail-on {word}: {stopped}.")
        return [*lines, f"  {comparison.promise}"]

    def as_json(self, certificate: Certificate) -> dict[str, Any]:
        """Return what the gates stop, for JSON; null without a baseline."""
        failing = {word: list(models) for word, models in self.failing(certificate).items()}
        return {"failing": None if certificate.baseline is None else failing}

    def status(self, certificate: Certificate) -> int:
        """Return 1 if a gate stops a model, else 0."""
        return int(any(self.failing(certificate).values()))

    def markdown(self, certificate: Certificate) -> str:
        """Return a summary for a pull request."""
        comparison = _given(certificate)
        cells = [["model", "verdict", *map(_cell, map(named, comparison.objectives))]]
        stopped = {name for models in self.failing(certificate).values() for name in models}
        for k, (name, word) in enumerate(comparison.verdicts.items()):
            marked = f"**{word}**" if name in stopped else word
            cells.append(
                [_cell(named(name)), marked, *(comparison.word(k, i) for i in range(len(comparison.objectives)))]
            )
        rows = ["| " + " | ".join(row) + " |" for row in cells]
        rows.insert(1, "| " + " | ".join("---" for _ in cells[0]) + " |")
        title = f"### Beside {_cell(named(comparison.baseline))}: {'stopped' if stopped else 'passed'}"
        gates = [
            f"`--fail-on {word}` stops {_cell(joined(map(named, models)))}."
            for word, models in self.failing(certificate).items()
            if models
        ]
        text = f"{certificate.n_examples:,} examples{_margins_text(comparison)}. {comparison.promise}"
        return "\n".join([title, "", *rows, "", *gates, _cell(text), ""])

    def junit(self, certificate: Certificate) -> str:
        """Return a test case for each model and gate, as XML."""
        comparison, failing = _given(certificate), self.failing(certificate)
        count = sum(map(len, failing.values()))
        suite = ElementTree.Element("testsuite", name="moltheory", tests=str(len(failing) * len(comparison.names)))
        suite.set("failures", str(count))
        for word, models in failing.items():
            for k, name in enumerate(comparison.names):
                case = ElementTree.SubElement(suite, "testcase", classname=f"moltheory.{word}", name=visible(name))
                if name in models:
                    known = ", ".join(
                        f"{visible(one)}: {comparison.word(k, i)}" for i, one in enumerate(comparison.objectives)
                    )
                    why = _WHY[word].format(visible(comparison.baseline))
                    ElementTree.SubElement(case, "failure", message=why).text = f"{known}. {comparison.promise}"
        ElementTree.indent(suite)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _given(certificate: Certificate) -> BaselineComparison:
    if certificate.baseline is None:
        raise InvalidInputError("`certificate` must be one beside a baseline, got one without.")
    return certificate.baseline


def _margins_text(comparison: BaselineComparison) -> str:
    margins = [f"{number_text(margin)} in {named(name)}" for name, margin in comparison.margins.items()]
    return f", with a margin of {joined(margins)}" if margins else ""


def _cell(text: str) -> str:
    """Return text as Markdown shows it, whatever stands in names: no column, link, picture, code or tag begins in it."""
    return _MARKS.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;")
