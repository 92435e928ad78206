"""The command `certify`: parsing and printing only."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory._core._validation import check_choice
from moltheory.errors import InvalidInputError, OutputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification import Certificate

__all__ = ["add_certify_options", "run_certify"]

DESCRIPTION = """\
Report which models are certainly on the true Pareto front, which are
certainly not on it and which model dominates them, and which remain undecided.
With probability at least 1 - delta, all verdicts are correct at once.
"""
EPILOG = """\
input files:
  wide table   one row per example and one column per model, named 'model'
               (the objective is then 'loss') or 'model/objective' (split at
               the last slash); optional columns 'example' and 'cluster'; an
               empty field means not evaluated, True is read as 1
  long table   columns model, example and loss, optionally objective and
               cluster; a missing row means not evaluated
  NPY          losses (examples, models, objectives) or (examples, models)
  NPZ          such an array named 'losses', optionally 'models' and
               'objectives' (names) and 'cluster'
  COSTS        CSV with a column 'model' and one column per cost, or JSON such
               as {"model A": {"size": 7}, "model B": {"size": 9}}
Tables are .csv or .parquet. Files of any size are read in bounded memory if
the rows of each example (and those of each cluster) are contiguous; otherwise
up to 20 million losses are sorted in memory, and larger files are refused.

output:
  on the front no other model is at least as good in every objective and
               better in one; with --epsilon: none is better by E in all
  not on it    the named model dominates it; confidence is 1 minus the
               adjusted p-value of this verdict
  [low, high]  contains the true mean, for all models and objectives at once
  --json       one object. Per model: sure, excluded, excluded_by (index of a
               model, -1 = none), adjusted_p_value (null = not excluded),
               within_slack, replaceable_by, estimates and boxes
               [model][objective]. dominates lists pairs of models,
               [dominating, dominated]. Also names, objectives, maximise,
               data_dependent, epsilon, delta, delta_allocation, n_examples,
               methods and assumptions. They are described in the
               documentation of moltheory.Certificate, whose from_json reads
               the object back

examples:
  moltheory certify losses.csv --costs costs.csv
  moltheory certify answers.parquet --maximise accuracy --html report.html
  moltheory certify losses.npy --delta 0.01 --epsilon 0.005 --json

exit status: 0, or 2 if the input is refused; nothing is written then
"""


def add_certify_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `certify`."""
    parser.usage = "moltheory certify FILE [options]"
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="FILE", help="losses: .csv, .parquet (.pq), .npy or .npz")
    parser.add_argument("--objectives", metavar="A,B", help="objectives to use (default: all in the file)")
    parser.add_argument("--maximise", metavar="A,B", help="objectives or costs to be maximised (default: none)")
    parser.add_argument(
        "--costs", metavar="COSTS", help=".csv or .json with known costs of each model, added as objectives"
    )
    parser.add_argument(
        "--clusters", metavar="COLUMN", help="column that marks dependent examples, for example by patient"
    )
    parser.add_argument(
        "--largest-cluster",
        type=int,
        metavar="N",
        help="upper bound on the size of every cluster, fixed before the data (default: the largest observed size; the "
        "guarantee then assumes that no larger cluster exists)",
    )
    parser.add_argument(
        "--cluster-weights",
        default="size",
        help="size: average over examples; equal: average over clusters, whatever their size (default: %(default)s)",
    )
    parser.add_argument("--delta", type=float, default=0.05, help="total failure probability (default: %(default)s)")
    parser.add_argument(
        "--epsilon",
        action="append",
        metavar="[A=]E",
        help="tolerance, in units of the losses: a model then counts as on the front if no other model is better by E "
        "in every objective (A=E: by E in objective A); may be repeated",
    )
    parser.add_argument(
        "--loss-range",
        action="append",
        nargs="+",
        metavar="LOW HIGH",
        help="smallest and largest possible loss (default: 0 1); 'A LOW HIGH' for objective A; may be repeated",
    )
    parser.add_argument("--method", default="auto", help="auto, boxes or paired (default: %(default)s)")
    parser.add_argument(
        "--plan", action="store_true", help="estimate how many more examples would decide the undecided models"
    )
    parser.add_argument("--more", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the certificate as JSON instead of a table")
    parser.add_argument("--html", metavar="REPORT", help="write a report page, which includes the plan")


def run_certify(options: argparse.Namespace) -> int:
    """Read, certify, write, print; return 0."""
    from moltheory.certification import certificate_page, certify, open_losses, read_costs
    from moltheory.runs import write_atomically

    if options.more:
        print("moltheory: --more is deprecated and will be removed in 0.4; use --plan.", file=sys.stderr)
    planned = options.plan or options.more
    page = _page(options)
    wanted = None if options.objectives is None else _listed(options.objectives)
    ranges = _ranges(options.loss_range)
    source = open_losses(options.file, objectives=wanted, clusters=options.clusters, loss_range=ranges)
    cost_names, costs = read_costs(options.costs, models=source.model_names) if options.costs else ((), None)
    names = (*source.objective_names, *cost_names)
    pairs = [ranges.get(name, (0.0, 1.0)) if isinstance(ranges, dict) else ranges for name in source.objective_names]
    ends = ([low for low, _ in pairs], [high for _, high in pairs])
    maximised = [check_choice("maximise", name, names) for name in _listed(options.maximise)]
    certificate = certify(
        source,
        delta=options.delta,
        costs=None if costs is None else dict(zip(cost_names, costs.T, strict=True)),
        loss_range=ends,
        maximise=[name in maximised for name in names],
        epsilon=_slack(options.epsilon, names, len(source.objective_names)),
        method=options.method,
        largest_cluster=options.largest_cluster,
        cluster_weights=options.cluster_weights,
    )
    plan = certificate.plan() if (planned or page) and certificate.undecided.any() else None
    if page is not None:
        write_atomically(page, certificate_page(certificate, title=Path(options.file).name, further=plan))
    if options.json:
        _say([certificate.to_json()])
        return 0
    lines = _verdicts(certificate)
    if source.has_clusters and options.largest_cluster is None and options.cluster_weights == "size":
        lines.append(
            "This assumes that no cluster is larger than the largest one in the file; --largest-cluster states a bound."
        )
    if planned and plan is not None:
        lines += _plan_lines(plan)
    if page is not None:
        lines.append(f"Report: {page}")
    _say(lines)
    return 0


def _page(options: argparse.Namespace) -> Path | None:
    """Return where the report goes; refused before any work starts if it cannot be written there."""
    if options.html is None:
        return None
    page = Path(options.html)
    for given in (options.file, options.costs):
        if given is not None and page.exists() and Path(given).exists() and page.samefile(given):
            raise InvalidInputError(f"`html` must be another file than the input, got {str(page)!r}.")
    if page.exists() and not page.is_file() and not page.is_dir():
        # A finished report takes the place of what is there: a device would be gone.
        raise OutputError(f"`html` must be an ordinary file, got {str(page)!r}.")
    if page.is_dir() or not page.parent.is_dir() or not os.access(page.parent, os.W_OK):
        raise OutputError(f"`html` must be a file in a folder that can be written to, got {str(page)!r}.")
    return page


def _listed(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",")] if text else []


def _number(argument: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(f"`{argument}` must be a number, got {text!r}.") from None


def _ranges(given: Sequence[Sequence[str]] | None) -> tuple[float, float] | dict[str, tuple[float, float]]:
    """Read ``LOW HIGH`` or ``NAME LOW HIGH``, several times."""
    named: dict[str, tuple[float, float]] = {}
    every = (0.0, 1.0)
    for entry in given or ():
        if len(entry) not in (2, 3):
            raise InvalidInputError(f"`loss-range` must be LOW HIGH or NAME LOW HIGH, got {' '.join(entry)!r}.")
        low, high = (_number("loss-range", text) for text in entry[-2:])
        if len(entry) == 3:
            named[entry[0]] = (low, high)
        else:
            every = (low, high)
    if named and every != (0.0, 1.0):
        raise InvalidInputError("`loss-range` must be given once for all objectives or for each by name, got both.")
    return named or every


def _slack(given: Sequence[str] | None, names: Sequence[str], estimated: int) -> float | list[float]:
    """Read ``E`` (for every estimated objective) and ``NAME=E``."""
    slack = [0.0] * len(names)
    for entry in given or ():
        name, _, text = entry.rpartition("=")
        value = _number("epsilon", text)
        if name:
            slack[list(names).index(check_choice("epsilon", name, names))] = value
        else:
            slack[:estimated] = [value] * estimated
    return slack


def _verdicts(certificate: Certificate) -> list[str]:
    from moltheory.certification._format import directions_text, summary_sentence, verdict_rows

    lines = [*_aligned(*verdict_rows(certificate)), "", summary_sentence(certificate), directions_text(certificate)]
    if len(certificate) > certificate.n_examples:
        lines.append(
            "There are more models than examples; arrays must have shape (examples, models), not the transpose."
        )
    return lines


def _plan_lines(plan: pd.DataFrame) -> list[str]:
    from moltheory.certification._format import count_text

    counts = ("expected_additional", "sufficient_additional", "sufficient_additional_high")
    rows = [
        [str(row["model"]), str(row["hardest_rival"]), *(count_text(float(row[name])) for name in counts)]
        for row in plan.to_dict("records")
    ]
    intro = [
        "Additional examples that would decide the undecided models: the expected number, and numbers that suffice with",
        "probability 80%, if the observed rates are the true ones and whatever the true rates are (an estimate, not a",
        "guarantee):",
    ]
    head = ["model", "hardest rival", "expected", "80%, observed rates", "80%, any rates"]
    lines = ["", *intro, "", *_aligned(head, rows)]
    if plan["sufficient_additional_high"].isin([float("inf")]).any():
        lines += [
            "",
            "'no end in sight' means that the data do not rule out equal models, so no sample size can be planned;",
            "consider allowing a tolerance with --epsilon.",
        ]
    return lines


def _aligned(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    widths = [max(len(str(row[i])) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]


def _say(lines: Sequence[str]) -> None:
    """Print the lines; a closed pipe, as after `head`, is not an error."""
    try:
        print("\n".join(lines), flush=True)
    except OSError as error:
        # What is left in the buffer must not fail again when the process ends.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"standard output cannot be written ({error.strerror}).") from None
