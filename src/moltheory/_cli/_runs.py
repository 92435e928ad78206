"""The command `runs`: which runs there are, whether they are whole, their rows as one file, and what killed ones left."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moltheory._cli._console import aligned, complain, say
from moltheory._cli._parser import CommandParser
from moltheory._core._text import plural, visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_runs_commands", "runs_command"]

_HOURS = 24.0
_UNITS = ("B", "kB", "MB", "GB", "TB")


def add_runs_commands(parser: CommandParser) -> None:
    """Add the commands of `runs` and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=CommandParser)

    def action(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> CommandParser:
        added: CommandParser = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        added.summary = summary
        added.set_defaults(act=run, parser=added)
        added.add_argument("--json", action="store_true", help="print JSON instead of text")
        return added

    place = "folder or URL, such as s3://bucket/runs (default: the current folder)"
    listing = action("list", _list, "list the runs in a folder and below it")
    listing.add_argument("place", nargs="?", default=".", metavar="PLACE", help=place)

    checking = action("check", _check, "read every part of the runs in folders and below, and compare all checksums")
    checking.add_argument("place", nargs="+", metavar="PLACE", help="folder or URL of a run, or of several")

    exporting = action("export", _export, "write the rows of a run into one CSV or Parquet file")
    exporting.add_argument("folder", metavar="RUN", help="folder or URL of a run")
    exporting.add_argument("file", metavar="FILE", help="file to write: .csv or .parquet")
    exporting.add_argument("--columns", metavar="NAMES", help="columns to write, with commas between (default: all)")
    exporting.add_argument("--partial", action="store_true", help="write what is there of a run that is not finished")

    merging = action(
        "merge", _merge, "put runs together: folders of the same run, or finished runs that differ in their seeds alone"
    )
    merging.add_argument("folder", nargs="+", metavar="RUN", help="folders or URLs of runs")
    merging.add_argument("--into", required=True, metavar="FOLDER", help="new folder or URL")

    cleaning = action("clean", _clean, "list what killed runs left, and remove it with --yes")
    cleaning.add_argument("place", nargs="?", default=".", metavar="PLACE", help=place)
    cleaning.add_argument(
        "--unfinished", action="store_true", help="include unfinished runs in which nothing was written of late"
    )
    cleaning.add_argument(
        "--hours",
        type=float,
        default=_HOURS,
        help="hours without a new file after which --unfinished includes a run (default: %(default)g)",
    )
    cleaning.add_argument("--yes", action="store_true", help="remove what is listed")


def runs_command(options: argparse.Namespace) -> int:
    """Return the exit status of one of the commands."""
    return int(options.act(options))


def _list(options: argparse.Namespace) -> int:
    from moltheory.runs import list_runs

    table = list_runs(options.place)
    if options.json:
        say(_records(table))
        return 0
    if table.empty:
        say(f"No run in {options.place}.")
        return 0
    rows = [
        [
            row["place"],
            row["name"],
            row["problem"],
            row["seed"],
            f"{row['blocks']:,} of {row['of']:,}",
            row["state"],
            _duration(row["seconds"]),
            _size(row["bytes"]),
            row["versions"],
        ]
        for row in table.to_dict("records")
    ]
    say(*aligned(["run", "what", "problem", "seed", "blocks", "state", "computing", "size", "versions"], rows))
    return 0


def _check(options: argparse.Namespace) -> int:
    from moltheory.errors import InvalidInputError
    from moltheory.runs import check_run
    from moltheory.runs._run_table import found_runs

    found: list[dict[str, Any]] = []
    for place in options.place:
        before = len(found)
        for run in found_runs(place):
            wrong = [run.refusal] if run.record is None else check_run(run.place)
            blocks = 0 if run.record is None else len(run.record.keys)
            done = 0 if run.record is None else len(run.record.finished_keys)
            found.append({"place": str(run.place), "blocks": done, "of": blocks, "wrong": wrong})
            if not options.json:
                state = f"{done:,} of {plural(blocks, 'block')}"
                say(f"{'damaged' if wrong else 'whole'}: {run.place} ({state})", *(f"  {text}" for text in wrong))
        if len(found) == before:
            raise InvalidInputError(f"`PLACE` must hold a run, got {place!r} without.")
    if options.json:
        say(json.dumps(found, indent=2))
    return 1 if any(entry["wrong"] for entry in found) else 0


def _export(options: argparse.Namespace) -> int:
    from moltheory.runs import export_run

    columns = None if options.columns is None else [name.strip() for name in options.columns.split(",")]
    rows = export_run(options.folder, options.file, columns=columns, partial=options.partial)
    if options.json:
        say(json.dumps({"file": options.file, "rows": rows}))
    else:
        say(f"{plural(rows, 'row')} in {options.file}")
    return 0


def _merge(options: argparse.Namespace) -> int:
    from moltheory.runs import merge_runs

    record = merge_runs(options.folder, into=options.into)
    done = len(record.finished_keys)
    if options.json:
        facts = {"place": str(record.folder), "blocks": done, "of": len(record.keys), "finished": record.is_finished}
        say(json.dumps(facts))
    else:
        say(f"{done:,} of {plural(len(record.keys), 'block')} in {record.folder}")
    return 0


def _clean(options: argparse.Namespace) -> int:
    from moltheory.runs import clean_runs

    after = options.hours if options.unfinished else None
    table = clean_runs(options.place, unfinished_after=after, remove=options.yes)
    if options.json:
        say(json.dumps({"removed": options.yes, "found": json.loads(_records(table))}))
        return 0
    if table.empty:
        say("Nothing to remove.")
        return 0
    rows = [[row["kind"], row["place"], row["files"], _size(row["bytes"])] for row in table.to_dict("records")]
    say(*aligned(["what", "place", "files", "size"], rows))
    if options.yes:
        say("Removed.")
    else:
        complain(visible("moltheory: note: Nothing was removed; --yes removes what is listed."))
    return 0


def _records(table: pd.DataFrame) -> str:
    return json.dumps(json.loads(table.to_json(orient="records", double_precision=15)), indent=2)


def _duration(seconds: float) -> str:
    """Return a duration as people say it; a dash for one that is not known."""
    if not seconds >= 0:
        return "-"
    if seconds < 60:
        return "< 1 min"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _size(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if count >= 10 or unit == 0 else f"{count:.1f} {_UNITS[unit]}"
