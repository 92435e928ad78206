"""Objectives of values per request, such as a latency: quantiles, shares above a limit and capped means."""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from moltheory._cli._after import is_comparison
from moltheory._core._text import did_you_mean, few
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from moltheory.evaluation import LossTable
    from moltheory.evaluation._requests import NoRangeError

__all__ = ["Requests", "in_options", "requests_from", "unknown_column", "with_open_ranges", "with_requests"]

#: Numbers by option and objective.
Requests = dict[str, dict[str, list[float]]]

_NUMBERS = {"quantile": "P", "limit": "L", "cap": "C"}
_SHOWN = _NUMBERS | {"quantile": "0.95"}
_OPEN = (-math.inf, math.inf)


def requests_from(options: argparse.Namespace) -> Requests:
    """Return the numbers of ``--quantile X=P``, ``--limit X=L`` and ``--cap X=C``, by option and objective.

    Raises
    ------
    InvalidInputError
        If an entry has another form, a number breaks its rule, or an entry is given twice.
    """
    found: Requests = {}
    for option in _NUMBERS:
        for entry in getattr(options, option) or ():
            if option == "limit" and is_comparison(str(entry)):
                continue  # of a mean, asked of the certificate
            name, number = _read(option, entry)
            numbers = found.setdefault(option, {}).setdefault(name, [])
            if number in numbers:
                raise InvalidInputError(f"`{option}` must be given once with each number, got {str(entry)!r} twice.")
            numbers.append(number)
    return found


def _read(option: str, entry: str) -> tuple[str, float]:
    name, _, text = entry.rpartition("=")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not name or not math.isfinite(number):
        raise InvalidInputError(
            f"`{option}` must be X={_NUMBERS[option]}, an objective and a number, got {str(entry)!r}."
        )
    if option == "quantile" and not 0.0 < number < 1.0:
        hint = f": write {name}={number / 100.0:.12g}" if 1.0 < number < 100.0 else ""
        raise InvalidInputError(f"`quantile` must be X=P with P in (0, 1), got {str(entry)!r}{hint}.")
    return name, number


def with_open_ranges(loss_range: Any, requests: Requests) -> dict[str, tuple[float, float]]:
    """Return ranges by objective, in which objectives that are named in requests and nowhere else have none.

    Raises
    ------
    InvalidInputError
        If one range is given for all objectives, which may or may not be meant for these.
    """
    if loss_range is not None and not isinstance(loss_range, dict):
        raise InvalidInputError(
            f"`loss-range` must be given by name, NAME LOW HIGH, beside {_options(requests)}, got "
            f"{' '.join(format(end, 'g') for end in loss_range)} for all objectives."
        )
    return {name: _OPEN for given in requests.values() for name in given} | (loss_range or {})


def with_requests(table: LossTable, requests: Requests, *, chosen: bool) -> LossTable:
    """Return the table with what is asked for; `chosen` says whether its objectives were chosen among those of the file.

    Raises
    ------
    InvalidInputError
        If an objective is not in the table, or cannot be asked for.
    """
    for option, given in requests.items():
        for name in given:
            if name not in table.objective_names:
                raise _unknown(option, name, table.objective_names, chosen=chosen)
    return table.with_objectives(**requests)


def unknown_column(refusal: InvalidInputError, requests: Requests) -> InvalidInputError:
    """Return the refusal of a range for an objective that the files lack in terms of the option that names it."""
    message = str(refusal)
    for option, given in requests.items():
        for name in given:
            if message.startswith("`loss_range` must") and f", got {name!r}" in message:
                choices = message.partition(" one of ")[2].partition(", got ")[0].split(", ")
                hint = did_you_mean(name, choices).removesuffix("?")
                renamed = message.replace("`loss_range`", f"`{option}`", 1)
                return InvalidInputError(f"{renamed.removesuffix('.')}{hint}." if hint else renamed)
    return refusal


def in_options(refusal: NoRangeError) -> InvalidInputError:
    """Return the refusal of losses without a suitable range with a remedy in terms of options."""
    name = refusal.objective
    ranged = "" if refusal.infinite else f"--loss-range {shlex.quote(name)} LOW HIGH if all possible values are known, "
    quantile, limit, cap = (f"--{option} {shlex.quote(f'{name}={text}')}" for option, text in _SHOWN.items())
    percent = (
        "if these are percentages, give --loss-range 0 100 (and --maximise for accuracies), otherwise "
        if 1.0 < refusal.loss <= 100.0
        else ""
    )
    return InvalidInputError(
        f"{refusal.found}: {percent}give {ranged}{quantile}, {limit} or {cap} for a latency and the like, or --loss-range "
        f"{shlex.quote(name)} 0 inf --engine asymptotic for its mean."
    )


def _unknown(option: str, name: str, known: Sequence[str], *, chosen: bool) -> InvalidInputError:
    hint = did_you_mean(name, list(known)).removesuffix("?") or (": add it to --objectives" if chosen else "")
    return InvalidInputError(f"`{option}` must name one of {few(known, 12, describe=str)}, got {name!r}{hint}.")


def _options(names: Iterable[str]) -> str:
    return " and ".join(f"--{name}" for name in names)
