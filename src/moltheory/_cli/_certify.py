"""The command `certify`: read, certify, write, print."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory._cli._after import after_from
from moltheory._cli._config import apply_config
from moltheory._cli._console import complain, is_terminal, say
from moltheory._cli._costs import costs_from, doubts_of_costs
from moltheory._cli._gate import Gate
from moltheory._cli._names import read_columns_file, resolved_metrics
from moltheory._cli._open import opened
from moltheory._cli._outputs import Outputs
from moltheory._cli._parser import CommandParser
from moltheory._cli._per_request import in_options
from moltheory._cli._texts import as_json, opening_lines, plan_lines, undecided_lines, verdict_lines
from moltheory._core._text import few, visible
from moltheory.errors import DataWarning, DirectionWarning, InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification import Certificate
    from moltheory.evaluation import LossTable

__all__ = ["certify_command"]

_OLD = "--more is deprecated and will be removed in 0.4; use --plan."
_WRITTEN = {"html": "Report", "plot": "Figure", "summary": "Summary", "junit": "JUnit"}
_GLYPHS = "Glyph .* missing from"
_STATISTICS = (
    *("delta", "method", "error", "dependence", "verdicts", "engine", "largest_cluster", "cluster_weights"),
    "earlier",
)


def certify_command(options: argparse.Namespace) -> int:
    """Return 0 after the certificate is printed and the files are written; 1 if a gate stops a model."""
    parser: CommandParser = options.parser
    if options.config is not None:
        apply_config(parser, options, options.config)
    if not options.file:
        parser.error("FILE must be given: a file of losses")
    if options.columns_file is not None:
        for name, names in read_columns_file(options.columns_file).items():
            setattr(options, name, [*(getattr(options, name) or []), *names])
    outputs, after, gate = Outputs(options), after_from(options), Gate(options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        # The command says it in its own words, which name its options.
        warnings.simplefilter("ignore", DirectionWarning)
        warnings.filterwarnings("always", _GLYPHS)
        certificate, remarks, doubts = _in_options(options, gate)
        after.ask(certificate)
        planned = options.plan or options.more
        plan = _plan(certificate) if planned or outputs.page is not None else None
        title = few([_called(file) for file in options.file], describe=str)
        texts = {"summary": gate.markdown, "junit": gate.junit}
        outputs.write(certificate, title=title, plan=None if plan is None or plan.empty else plan, texts=texts)
    sentences = [*doubts, *_sentences(caught)]
    # What readers note and warn of is said once.
    remarks = [sentence for sentence in remarks if sentence not in sentences]
    shown = plan if planned else None
    if options.json:
        asked = after.as_json() | gate.as_json(certificate)
        text = [as_json(certificate, shown, notes=remarks, warnings=sentences, files=outputs.paths, after=asked)]
    else:
        text = opening_lines(certificate, shown)
        text += [*verdict_lines(certificate, draw=bool(options.draw) or is_terminal()), *undecided_lines(certificate)]
        text += [*gate.lines(certificate), *after.lines()]
        unit = "clusters" if certificate.n_clusters else "examples"
        text += [] if shown is None else plan_lines(shown, unit=unit)
        text += [f"{_WRITTEN[kind]}: {visible(path)}" for kind, path in outputs.paths.items()]
    if options.more:
        complain(f"moltheory: {_OLD}")
    for sentence in remarks:
        complain(f"moltheory: note: {sentence}")
    for sentence in sentences:
        complain(f"moltheory: warning: {sentence}")
    say(*text)
    return gate.status(certificate)


def _in_options(options: argparse.Namespace, gate: Gate) -> tuple[Certificate, list[str], list[str]]:
    """Return what `_certified` does; remedies for losses without a range name options."""
    from moltheory.evaluation._requests import NoRangeError

    try:
        return _certified(options, gate)
    except NoRangeError as error:
        raise in_options(error) from None


def _certified(options: argparse.Namespace, gate: Gate) -> tuple[Certificate, list[str], list[str]]:
    """Return the certificate, notes on the input, and warnings of directions."""
    from moltheory.certification import certify

    source = opened(options)
    costs = costs_from(options.costs, options.cost_delta, models=source.model_names)
    arguments: dict[str, Any] = {
        name: getattr(options, name) for name in _STATISTICS if getattr(options, name) is not None
    }
    if costs:
        arguments["costs"] = costs
    estimated = source.objective_names if source.measures is None else tuple(source.measures)
    known = (*estimated, *costs)
    directions, doubts = _directions(options, source, known)
    doubts += [*_doubts_of_delta(options.delta), *doubts_of_costs(costs)]
    if directions is not None:
        arguments["maximise"] = directions
    if options.epsilon:
        arguments["epsilon"] = _tolerances(options.epsilon, known, len(estimated))
    certificate = certify(source, **arguments, **gate.arguments(known))
    remarks = list(getattr(source, "notes", ()))
    if _is_undirected(source, directions) and _is_binary(certificate):
        remarks.append("Read as losses: 1 is wrong, smaller is better. If 1 means right, give --maximise loss.")
    if source.has_clusters and options.largest_cluster is None and options.cluster_weights in (None, "size"):
        remarks.append(
            "The guarantee assumes that no cluster is larger than the largest one in the file; --largest-cluster states "
            "a bound."
        )
    if len(certificate) > certificate.n_examples:
        remarks.append(
            "There are more models than examples; arrays must have shape (examples, models), not the transpose."
        )
    return certificate, remarks, doubts


def _directions(
    options: argparse.Namespace, source: LossTable, known: Sequence[str]
) -> tuple[dict[str, bool] | None, list[str]]:
    """Return the directions that options state and those of the files (None if no option does), and doubts about others.

    Raises
    ------
    InvalidInputError
        If an objective is stated in both directions, or one that sounds like a gain is not stated where it must be.
    """
    from moltheory.certification._data_warnings import directions_stated, gains_among

    up = resolved_metrics("maximise", options.maximise or (), known)
    down = resolved_metrics("minimise", options.minimise or (), known)
    both = [name for name in up if name in down]
    if both:
        raise InvalidInputError(f"`minimise` must name other objectives than `maximise`, got {both[0]!r} in both.")
    own = dict(zip(known, source.maximise, strict=False)) if directions_stated(source) else {}
    stated = own | dict.fromkeys(up, True) | dict.fromkeys(down, False)
    gains = gains_among([name for name in known if name not in stated])
    remedy = "say which is better with --maximise or --minimise"
    if gains and options.require_direction:
        raise InvalidInputError(
            f"`maximise` or `minimise` must name every objective that sounds like a gain, got neither for {few(gains)}: "
            f"{remedy}."
        )
    if options.require_direction and _is_undirected(source, stated):
        raise InvalidInputError(
            "`maximise` or `minimise` must name 'loss' where columns are named like models only, got neither: give "
            "--maximise loss if 1 means right, --minimise loss if it means wrong."
        )
    doubts = [f"Smaller is better in {few(gains)}, which sounds like a gain: {remedy}."] if gains else []
    if options.maximise is None and options.minimise is None:
        return None, doubts
    return stated, doubts


def _is_undirected(source: LossTable, stated: Mapping[str, bool] | None) -> bool:
    """Whether nobody says what the losses are: not the file, whose columns are named like models only, and no option."""
    return not source.objectives_are_named and not source.directions_stated and "loss" not in (stated or {})


def _is_binary(certificate: Certificate) -> bool:
    """Whether all losses are 0 or 1."""
    statistics = getattr(certificate, "_statistics", None)
    columns = [] if statistics is None else statistics.columns
    return bool(columns) and all(column.binary and (column.low, column.high) == (0.0, 1.0) for column in columns)


def _doubts_of_delta(delta: float | None) -> list[str]:
    """Return a doubt about a confidence that was given for the probability of a false verdict."""
    if delta is None or not 0.5 < delta < 1.0:
        return []
    return [f"delta is the failure probability: for {100.0 * delta:g}% write --delta {1.0 - delta:.6g}."]


def _tolerances(given: Sequence[str], names: Sequence[str], estimated: int) -> list[float]:
    """Return the tolerance of each objective, from ``E`` (for every estimated objective) and ``NAME=E``."""
    slack = [0.0] * len(names)
    seen: set[str] = set()
    for entry in given:
        name, _, text = entry.rpartition("=")
        try:
            value = float(text)
        except ValueError:
            raise InvalidInputError(f"`epsilon` must be a number, got {text!r}.") from None
        stated = resolved_metrics("epsilon", [name], names) if name else [""]
        for twice in stated:
            if twice in seen:
                what = f"for {twice!r}" if twice else "for all objectives"
                raise InvalidInputError(f"`epsilon` must be given once {what}, got {text!r} as well: keep one of them.")
            seen.add(twice)
        if name:
            for found in stated:
                slack[list(names).index(found)] = value
        else:
            slack[:estimated] = [value] * estimated
    return slack


def _called(file: str) -> str:
    return "standard input" if file == "-" else Path(file).name or file


def _plan(certificate: Certificate) -> pd.DataFrame:
    """Return the plan; without a row if nothing is undecided."""
    import pandas as pd

    return certificate.plan() if certificate.undecided.any() else pd.DataFrame(columns=["model"])


def _sentences(caught: Sequence[warnings.WarningMessage]) -> list[str]:
    """Return warnings as sentences, each once; those about missing letters as one."""
    texts = [" ".join(str(entry.message).split()) for entry in caught if not _is_hidden(entry.category)]
    letters = [text for text in texts if text.startswith("Glyph ")]
    kept = [text for text in dict.fromkeys(texts) if text not in letters]
    if letters:
        kept.append("The figure shows boxes in place of characters that its font does not have.")
    return kept


def _is_hidden(category: type[Warning]) -> bool:
    return issubclass(category, DeprecationWarning | PendingDeprecationWarning)
