"""What is asked of a certificate after it is made: ``--limit "error<=0.1"`` and ``--choose "error + 0.1*price"``."""

from __future__ import annotations

import argparse
import math
import re
from typing import TYPE_CHECKING, Any

from moltheory._core._text import did_you_mean, few, joined, named, quoted
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from moltheory.certification import Certificate, Choice, LimitVerdicts

__all__ = ["After", "after_from", "is_comparison"]

_COMPARISON = re.compile(r"(?P<name>.*?)\s*(?P<sign><=|>=|=<|=>|<|>)\s*(?P<limit>[^<>=]*)")
_SHOWN = 12


def is_comparison(entry: str) -> bool:
    """Whether an entry of ``--limit`` is one of a mean, such as ``error<=0.1``, and not ``X=L``."""
    return _COMPARISON.fullmatch(entry) is not None


class After:
    """Limits and a preference, and what a certificate says of them."""

    def __init__(self, limits: list[tuple[str, str, float]], preference: str | None) -> None:
        self._given, self._preference = limits, preference
        self.limits: LimitVerdicts | None = None
        self.choice: Choice | None = None
        self._no_choice: str | None = None  # why there is none although one was asked for

    def ask(self, certificate: Certificate) -> None:
        """Find the verdicts and the choice.

        Raises
        ------
        InvalidInputError
            If the limits or the preference do not fit the certificate.
        """
        limits = _checked(certificate, self._given)
        try:
            if limits:
                self.limits = certificate.within(limits)
            if self._preference is not None:
                # The report is worth printing where no model certainly meets the limits; a wrong preference is refused.
                met = self.limits is None or bool(self.limits.within.any())
                found = certificate.choose(self._preference, limits=limits if limits and met else None)
                self.choice = found if met else None
                self._no_choice = None if self.limits is None or met else _why_none(self.limits)
        except InvalidInputError as error:
            renamed = str(error).replace("`utility`", "`choose`").replace("`limits`", "`limit`")
            raise InvalidInputError(renamed) from None

    def lines(self) -> list[str]:
        """Return what was found, in words; nothing if nothing was asked."""
        found: list[str] = []
        if self.limits is not None:
            found += ["", *_limit_lines(self.limits)]
        if self.choice is not None:
            found += ["", *_choice_lines(self.choice)]
        if self._no_choice is not None:
            found += ["", f"No choice: {self._no_choice}."]
        asked = self.choice or self.limits
        return [*found, f"  {asked.promise}"] if asked is not None else []

    def as_json(self) -> dict[str, Any]:
        """Return what was found for JSON; null where it was not asked for, and a choice without a model if there is none."""
        content: dict[str, Any] = {"limits": None, "choice": None}
        if self.limits is not None:
            content["limits"] = {
                "limits": dict(self.limits.limits),
                "verdicts": self.limits.verdicts,
                "candidates": _names(self.limits.names, self.limits.candidates),
                "on_front": _names(self.limits.names, self.limits.on_front),
                "promise": self.limits.promise,
            }
        if self._no_choice is not None:
            content["choice"] = {"model": None, "utility": self._preference, "reason": self._no_choice}
        if self.choice is not None:
            choice = self.choice
            content["choice"] = {
                "model": choice.model,
                "utility": choice.utility,
                "excess": _plain(choice.excess[0]),
                "naive_excess": _plain(choice.naive_excess[0]),
                "naive_model": choice.naive_model,
                "could_be_best": list(choice.could_be_best),
                "promise": choice.promise,
            }
        return content


def after_from(options: argparse.Namespace) -> After:
    """Return the limits and the preference that options state.

    Raises
    ------
    InvalidInputError
        If a limit is no number, or of a form that is not understood, or a share above a number is asked of something of
        which more is better.
    """
    limits = []
    for entry in (str(entry) for entry in options.limit or () if not is_comparison(str(entry))):
        name, _, number = entry.rpartition("=")
        if name and any(name in {given, *given.split(",")} for given in options.maximise or ()):
            raise InvalidInputError(
                f"`limit` must be X>=L or X<=L to bound a mean, got {quoted(entry)}, a share above {number}, for what is "
                f"maximised: write {name}>={number}."
            )
    for entry in filter(is_comparison, options.limit or ()):
        found = _COMPARISON.fullmatch(entry)
        name, sign, text = ("", "", "") if found is None else found.group("name", "sign", "limit")
        try:
            limit = float(text)
        except ValueError:
            limit = math.nan
        if not name.strip() or sign not in {"<=", ">="} or not math.isfinite(limit):
            raise InvalidInputError(f"`limit` must be X=L, or X<=L or X>=L with a number, got {quoted(entry)}.")
        limits.append((name.strip(), sign, limit))
    return After(limits, options.choose)


def _checked(certificate: Certificate, given: list[tuple[str, str, float]]) -> dict[str, float]:
    limits: dict[str, float] = {}
    for name, sign, limit in given:
        if name not in certificate.objectives:
            hint = did_you_mean(name, certificate.objectives).removesuffix("?")
            known = few(certificate.objectives, 8, describe=str)
            raise InvalidInputError(f"`limit` must name objectives among {known}, got {quoted(name)}{hint}.")
        up = certificate.maximise[certificate.objectives.index(name)]
        if (sign == ">=") != up:
            better, right = ("larger", ">=") if up else ("smaller", "<=")
            raise InvalidInputError(
                f"`limit` must bound what is worse, and {better} is better in {quoted(name)}, got {name}{sign}{limit:g}: "
                f"write {name}{right}{limit:g}, or state the direction."
            )
        if name in limits:
            raise InvalidInputError(f"`limit` must be given once for {quoted(name)}, got {limit:g} as well.")
        limits[name] = limit
    return limits


def _why_none(found: LimitVerdicts) -> str:
    from moltheory.certification._limits import limits_text

    may = [name for name, verdict in found.verdicts.items() if verdict == "cannot tell"]
    what = f"{_listed(may)} may or may not" if may else "none may"
    return f"no model certainly meets {joined(limits_text(found.limits, found.maximise))}; {what}"


def _names(names: tuple[str, ...], mask: Any) -> list[str]:
    return [name for name, yes in zip(names, mask.tolist(), strict=True) if yes]


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else "infinite"


def _limit_lines(found: LimitVerdicts) -> list[str]:
    from moltheory.certification._limits import limits_text

    by_verdict = [
        (word, [name for name, verdict in found.verdicts.items() if verdict == word])
        for word in ("within", "cannot tell", "not within")
    ]
    lines = [f"Limits {', '.join(limits_text(found.limits, found.maximise))}:"]
    lines += [f"  {word + ':':<13}{_listed(names)}" for word, names in by_verdict]
    front = _names(found.names, found.candidates)
    return [*lines, f"  The best models within the limits are among {_listed(front)}."]


def _choice_lines(choice: Choice) -> list[str]:
    from moltheory._core._numbers import number_text

    most, naive = (number_text(value[0]) for value in (choice.excess, choice.naive_excess))
    limited = " within the limits" if choice.limits else ""
    lines = [
        f"Choice by {choice.utility}{limited}: {named(choice.model)}, at most {most} worse than the best{limited}.",
        f"  By the estimates alone, which nothing guarantees: {naive} worse than {named(choice.naive_model)}.",
    ]
    if choice.naive_model == choice.model:
        lines[1] = "  It is also the best one by the estimates alone."
    return [*lines, f"  Could be the best instead: {_listed(list(choice.could_be_best))}."]


def _listed(names: list[str]) -> str:
    shown = ", ".join(named(name) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{shown}{more}" or "none"
