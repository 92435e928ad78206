"""The options of `certify`, in groups, and its help."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from moltheory._cli._parser import CommandParser

__all__ = ["add_certify_options"]

DESCRIPTION = """\
Report which models are certainly on the true Pareto front, which are
certainly not and which model to use instead, and about which the data cannot
tell yet.
With probability at least 1 - delta, all verdicts are correct at once (--error
has weaker promises, which decide more models).
"""
EPILOG = """\
input files (--format; by default recognized by name and content):
{formats}
  wide table   one row per example and one column per model, named 'model'
               (the objective is then 'loss') or 'model/objective' (split at
               the last slash; --wide: not split); optional columns 'example'
               and 'cluster'; an empty field means not evaluated
  long table   columns model, example and loss, optionally objective and
               cluster; a missing row means not evaluated. Other columns of
               results: --model, --example, --metrics
  COSTS        CSV with a column 'model' and one column per cost, or JSON such
               as {{"model A": {{"size": 7}}, "model B": {{"size": 9}}}}. Costs are
               for what is known exactly, such as a size or a price per token.
               Latency or price measured per request is an objective like any
               other: give its values per example, and how they are compared:
               --quantile, --limit or --cap, or --loss-range if all possible
               values are known. A cost that was measured elsewhere has columns
               X, X_low and X_high, see --cost-delta
Files of any size are read in bounded memory if the rows of each example (and
those of each cluster) are contiguous; otherwise up to {most} million losses are
sorted in memory, and larger files are refused. With --quantile, --limit or
--cap all losses are held in memory.

names:
  An option for several names may be repeated, and takes a list at commas where
  no single name matches. Names with line breaks stand in --columns-file, which
  holds the names of objectives, one a line or as a JSON list, or a JSON object
  of lists: objectives, models, ignore, maximise, minimise.

output:
  What you can safely do: models to drop, with the one to use instead, models
  to keep, those about which the data cannot tell yet, and the cheapest next
  step. Then a table, whose numbers are those of figures:
  on the front      no other model is at least as good in every objective and
                    better in one; with --epsilon: none is better by E in all
  not on the front  another model dominates it: use the named one instead
                    ('probably X': some model does, most likely X)
  cannot tell yet   explained below the table: the models that may still
                    dominate it, and the confidence at which it would be
                    decided, which is no probability of being on the front
  confidence   1 minus the adjusted p-value of the verdict: with --error any,
               the confidence at which all verdicts up to this one hold at once
  [low, high]  contains the true mean, for all models and objectives at once
  --json       one object: the fields of moltheory.Certificate, whose from_json
               reads it back, with promise, a sentence, and verdict, the words
               above (one per model); then status (sure, undecided or
               excluded), advice (drop, keep, cannot_tell_yet, next_step),
               summary, undecided_models, statements, plan (null if not
               asked for; a number may be null = not estimated, or "infinite"),
               notes and warnings. Pairs of models beyond 10,000 may stand as
               bits in base64: {{"shape": [M, M], "packed_bits": text}}
Notes and warnings are printed on standard error. Characters that the console
cannot show are printed as escapes.

examples:
  moltheory certify losses.csv --costs costs.csv
  moltheory certify losses.csv --error share --delta 0.1
  moltheory certify answers.parquet --maximise accuracy --html report.html
  moltheory certify results.csv --model model --example prompt_id \\
      --metrics correct,seconds --maximise correct --quantile seconds=0.95

exit status:
  0    done, also if nothing is decided or the reader of the output has left
  1    --fail-on stops a model; everything is printed and written all the same
  2    an option or the input is refused, in one sentence on standard error, or
       a result cannot be written; no file is written then
  130  interrupted
"""


def add_certify_options(parser: CommandParser) -> None:
    """Add the options of `certify`; what is not given is None, so that a file of options can give it."""
    parser.usage = "moltheory certify FILE [FILE ...] [options]"
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.details, parser.leftover = _details, "file"
    _input_options(parser.add_argument_group("input"))
    _objective_options(parser.add_argument_group("objectives"))
    _statistics_options(parser.add_argument_group("statistics"))
    _output_options(parser.add_argument_group("output"))


def _details() -> str:
    from moltheory.evaluation import readers
    from moltheory.evaluation._source import MOST_IN_MEMORY

    found = []
    for reader in readers():
        lines = textwrap.wrap(reader.description, 65)
        # A long name stands on a line of its own.
        first = [f"  {reader.name:<12} {lines.pop(0)}"] if len(reader.name) <= 12 else [f"  {reader.name}"]
        found += [*first, *(f"{' ' * 15}{line}" for line in lines)]
    return EPILOG.format(formats="\n".join(found), most=MOST_IN_MEMORY // 10**6)


def _flag(group: argparse._ArgumentGroup, *names: str, **options: Any) -> None:
    group.add_argument(*names, action="store_const", const=True, default=None, **options)


def _input_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("file", nargs="*", metavar="FILE", help="losses: files, or a folder, of one of the formats below; - is stdin")
    add("--format", metavar="NAME", help="format of the files (default: recognized)")
    add("--models", action="append", metavar="A,B", help="models to use (default: all)")
    add("--ignore", action="append", metavar="A,B", help="columns or models to leave out")
    add(
        "--model", metavar="COLUMN", help="column with the names of models, of a table with a row per model and example"
    )
    add("--example", metavar="COLUMN", help="column with the names of examples")
    add(
        "--clusters",
        metavar="COLUMN",
        help="column that marks dependent examples: of one patient, or seeds and repeats of one prompt",
    )
    _flag(group, "--wide", help="every column is a model, whatever slashes its name holds")
    add("--separator", metavar="TEXT", help="between the fields of a text file; 'tab' is a tab")
    add("--decimal", metavar="TEXT", help="before the fraction of a number, such as a comma")
    add("--filter", metavar="NAME", help="logs: filter of the answers to score")
    add("--tasks", action="append", metavar="A,B", help="logs: tasks to read; TASK:FILTER chooses a filter for one")
    _flag(group, "--pooled", help="logs: one objective per metric, over the examples of all tasks")
    add("--config", metavar="FILE", help="TOML file of options, named as here without dashes; options given here win")


def _objective_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--objectives", "--metrics", action="append", metavar="A,B", help="objectives to use (default: all in the file)"
    )
    add("--columns-file", metavar="FILE", help="file with the names of the objectives, see below")
    add(
        "--maximise",
        "--maximize",
        action="append",
        metavar="A,B",
        help="objectives or costs to be maximised (default: those that the file declares, or none)",
    )
    add(
        "--minimise",
        "--minimize",
        action="append",
        metavar="A,B",
        help="objectives that are to be minimised, as stated",
    )
    _flag(
        group,
        "--require-direction",
        help="refuse, and not only warn of, minimised objectives that sound like gains, such as accuracy, and columns that "
        "are named like models only",
    )
    add("--costs", metavar="COSTS", help=".csv or .json with exactly known costs of each model, added as objectives")
    add(
        "--cost-delta",
        action="append",
        metavar="X=DELTA",
        help="a measured cost with columns X, X_low and X_high: probability that some interval misses; part of --delta",
    )
    add(
        "--loss-range",
        action="append",
        nargs="+",
        metavar="LOW HIGH",
        help="smallest and largest possible loss (default: 0 1); 'A LOW HIGH' for objective A; may be repeated",
    )
    add(
        "--quantile",
        action="append",
        metavar="X=P",
        help="instead of the mean of objective X its quantile at P, such as seconds=0.95, which is called 'seconds p95' and "
        "needs no range; may be repeated",
    )
    add(
        "--limit",
        action="append",
        metavar="X=L",
        help="instead of the mean of X the share of examples above L, called 'X above L'; or 'X<=L' ('X>=L' where larger is "
        "better): report which models certainly meet this limit, which may be chosen after looking; may be repeated",
    )
    add(
        "--cap",
        action="append",
        metavar="X=C",
        help="instead of the mean of X that of min(X, C), called 'X capped at C'; may be repeated",
    )


def _statistics_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--delta", type=float, help="total failure probability (default: 0.05)")
    add(
        "--epsilon",
        action="append",
        metavar="[A=]E",
        help="tolerance, in units of the losses: a model then counts as on the front if no other model is better by E "
        "in every objective (A=E: by E in objective A); may be repeated",
    )
    add("--method", metavar="NAME", help="auto, boxes or paired (default: auto)")
    add(
        "--error",
        metavar="NAME",
        help="what is promised, to be chosen before the data: any (no verdict is wrong), one (at most one is wrong), both "
        "with probability 1 - delta, or share (at most a share delta of the verdicts is wrong on average); default: any",
    )
    add(
        "--dependence",
        metavar="NAME",
        help="of the p-values, for --error share: any, or positive, which is an assumption and decides more (default: any)",
    )
    add(
        "--engine",
        metavar="NAME",
        help="exact, or asymptotic: decides more if losses are not 0/1, takes --loss-range 0 inf, and guarantees nothing at "
        "a given sample size (default: exact)",
    )
    add(
        "--verdicts",
        metavar="NAME",
        help="which are asked for, before the data: both, excluded or sure; asking for one kind decides somewhat more of "
        "it (default: both)",
    )
    add(
        "--largest-cluster",
        type=int,
        metavar="N",
        help="upper bound on the size of every cluster, fixed before the data (default: the largest observed size; the "
        "guarantee then assumes that no larger cluster exists)",
    )
    add(
        "--cluster-weights",
        metavar="NAME",
        help="size: average over examples; equal: average over clusters, whatever their size (default: size)",
    )
    add(
        "--earlier",
        metavar="FILE",
        help="certificate of an earlier run, as written by --json: warn if these data go on with those, as two looks are "
        "not valid together at delta",
    )


def _output_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--choose",
        metavar="FORMULA",
        help="report which model has the smallest value of a formula such as '0.7*error + 0.3*price - accuracy', within the "
        "limits, and how much better another one is at most; may be chosen after looking (--choose=-accuracy if it begins "
        "with -)",
    )
    add("--baseline", metavar="MODEL", help="compare all others with this model, in every objective, at half of delta")
    add(
        "--margin",
        action="append",
        metavar="A=E",
        help="with --baseline: in objective A report also which models are worse by less than E; may be repeated",
    )
    add(
        "--fail-on",
        action="append",
        metavar="WHAT",
        help="with --baseline: exit with status 1 if a model is certainly worse in some objective, beyond its margin "
        "(worse), is not shown to be better somewhere and not worse elsewhere (not-better), or is undecided in some "
        "objective (undecided); may be repeated",
    )
    add("--summary", metavar="FILE", help="with --baseline: write a summary for a pull request, as Markdown")
    add("--junit", metavar="FILE", help="with --baseline and --fail-on: write what fails as JUnit's XML")
    _flag(group, "--plan", help="estimate how many more examples would decide about the open models")
    _flag(group, "--more", help=argparse.SUPPRESS)
    _flag(group, "--json", help="print the certificate as JSON instead of a table")
    _flag(group, "--draw", help="draw the models as text below the table, as is done on a terminal")
    add("--html", metavar="REPORT", help="write a report page, which includes the plan")
    add("--plot", metavar="FIGURE", help="write a figure: .png, .pdf or .svg")
