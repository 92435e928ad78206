"""The command line: parsing and printing only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from moltheory import __version__
from moltheory.errors import MoltheoryError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, or 2 after a refusal in one sentence.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return _reproduce(options)
    except MoltheoryError as error:
        print(f"moltheory: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("moltheory: interrupted; files already written are complete.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="moltheory", description="Which part of an empirical Pareto front is real?", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"moltheory {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    reproduce = commands.add_parser(
        "reproduce",
        help="simulate empirical against true Pareto sets; write figures, tables and a report page",
        description="Simulate empirical against true Pareto sets and write figures (PNG, PDF), tables (CSV) and "
        "a self-contained report page (index.html).",
        allow_abbrev=False,
    )
    reproduce.add_argument("--out", default="reproduction", metavar="FOLDER", help="where to (default: %(default)s)")
    reproduce.add_argument("--only", action="append", metavar="NAME", help="one figure; may be repeated")
    reproduce.add_argument("--list", action="store_true", help="list the figures and stop")
    reproduce.add_argument("--seed", type=int, default=0, help="seed of all random streams (default: %(default)s)")
    reproduce.add_argument("--n-jobs", type=int, default=-1, help="processes; -1 is one per core (default)")
    reproduce.add_argument("--quick", action="store_true", help="a small budget, in under a minute")
    return parser


def _reproduce(options: argparse.Namespace) -> int:
    from moltheory.figures import Settings, figure_names, get_figure, reproduce

    if options.list:
        for name in figure_names():
            print(f"{name:<18}{get_figure(name).title}")
        return 0
    settings = Settings(quick=options.quick, seed=options.seed, n_jobs=options.n_jobs, progress=sys.stderr.isatty())
    done = reproduce(options.out, only=options.only, settings=settings, report=print)
    print(f"{len(done.files)} files in {done.seconds:.1f} s; open {done.page}")
    return 0
