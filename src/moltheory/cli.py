"""The command line: parsing and printing only."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from moltheory import __version__
from moltheory._cli._bounds import add_bound_options, bound_command
from moltheory._cli._certify import certify_command
from moltheory._cli._completion import SHELLS, completion_script
from moltheory._cli._console import complain, is_watched, say
from moltheory._cli._options import add_certify_options
from moltheory._cli._parser import CommandParser
from moltheory._cli._runs import add_runs_commands, runs_command
from moltheory._cli._signals import Signals, sentence_of, status_of
from moltheory._cli._theorems import add_theorems_options, theorems_command
from moltheory._core._listing import public_names
from moltheory._core._text import visible
from moltheory._core._validation import check_choice
from moltheory.errors import InvalidInputError, MoltheoryError

if TYPE_CHECKING:
    from moltheory.reports import Settings

__all__ = ["main"]

_IMAGES = "MOLTHEORY_DATA"

__dir__ = public_names(__name__)


EXIT_STATUS = """\
exit status:
  0    done, also if the reader of the output has left
  1    certify --fail-on: a model is stopped; theorems --check or --falsify: a statement fails; runs check: a run is damaged
  2    an option, the input or a place for results is refused, in one sentence on standard error
  129, 130, 143
       ended by SIGHUP, by Ctrl-C, by SIGTERM: what is finished is kept
Every console will do: characters that it cannot show are printed as escapes.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status of one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments without the name of the program; those of the process by default.

    Returns
    -------
    int
        0 if it is done, also if the reader of its output has left; 1 if a statement fails in ``theorems --check`` or
        ``--falsify``, or a run is damaged in ``runs check``; 2 if an argument, the input or a place for results was
        refused; 128 and the number of a signal that ended it, 130 for Ctrl-C.

    Raises
    ------
    SystemExit
        With status 0 after ``--help`` and ``--version``, 2 after an unknown option.

    Notes
    -----
    In the main thread, SIGINT, SIGTERM and SIGHUP are handled during the call where nobody else handles them.
    """
    with Signals():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    kept = ""
    try:
        options = _parser().parse_args(arguments)
        if options.command in ("reproduce", "study"):
            # Simulations are kept block by block in the output folder.
            kept = ", finished blocks are kept, and the same command resumes there"
        return int(options.run(options))
    except MoltheoryError as error:
        complain(visible(f"moltheory: {error}"))
        return 2
    except MemoryError:
        complain("moltheory: the input must fit into memory, and it does not: use a smaller one or a larger machine.")
        return 2
    except OSError as error:
        # What libraries write and read on their own account, such as temporary files and caches.
        from moltheory.runs._remedies import refusal

        place = f" at {str(error.filename)!r}" if error.filename is not None else ""
        rule = f"the system must give files and folders that are needed, got an error{place}"
        complain(visible(f"moltheory: {refusal(rule, error)}"))
        return 2
    except KeyboardInterrupt as error:
        complain(sentence_of(error, kept))
        return status_of(error)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="moltheory",
        description="Which part of an empirical Pareto front is real?",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"moltheory {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=CommandParser)

    def command(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> CommandParser:
        added: CommandParser = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        added.summary = summary
        added.set_defaults(run=run, parser=added)
        return added

    add_certify_options(
        command("certify", certify_command, "certify which models are on the true Pareto front, from files of losses")
    )
    _reproduce_options(
        command(
            "reproduce",
            _reproduce,
            "compare empirical with true Pareto sets by simulation; write figures, tables and a page",
        )
    )
    _study_options(
        command("study", _study, "reproduce the experiments of a paper at small scale and report the findings")
    )
    add_bound_options(command("bound", bound_command, "evaluate every bound that applies to the given quantities"))
    add_theorems_options(
        command("theorems", theorems_command, "list the statements, check them exactly, or search for counterexamples")
    )
    add_runs_commands(
        command("runs", runs_command, "list, check, export, merge and clean the folders of long simulations")
    )
    completing = command("completion", _completion, "print a script that completes commands and options in a shell")
    completing.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    return parser


def _reproduce_options(parser: CommandParser) -> None:
    parser.add_argument("--out", default="reproduction", metavar="FOLDER", help="output folder (default: %(default)s)")
    parser.add_argument("--only", action="append", metavar="NAME", help="produce this figure only; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the figures and stop")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random streams (default: %(default)s)")
    parser.add_argument("--n-jobs", type=int, default=-1, help="number of processes; -1 is one per core (default)")
    parser.add_argument("--quick", action="store_true", help="a small budget, in under a minute")
    parser.add_argument("--studies", action="store_true", help="include the case studies, in a chapter of their own")
    _image_options(parser)
    _keep_runs_option(parser)


def _keep_runs_option(parser: CommandParser) -> None:
    parser.add_argument(
        "--store",
        metavar="PLACE",
        help="folder or URL, such as s3://bucket/runs, where finished blocks are kept for good; several processes may share "
        "it (default: FOLDER/runs, until the report is written)",
    )
    parser.add_argument(
        "--keep-runs",
        action="store_true",
        help="keep the finished blocks of simulations, in FOLDER/runs, when the report is written; an interrupted run "
        "always keeps them",
    )


def _study_options(parser: CommandParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="name of the study; see --list")
    parser.add_argument("--list", action="store_true", help="list the studies and stop")
    parser.add_argument("--out", metavar="FOLDER", help="output folder (default: study-NAME)")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random streams (default: %(default)s)")
    parser.add_argument("--n-jobs", type=int, default=-1, help="number of processes; -1 is one per core (default)")
    parser.add_argument("--quick", action="store_true", help="a small budget, in about half a minute")
    _keep_runs_option(parser)
    _image_options(parser)
    parser.add_argument(
        "--large",
        action="store_true",
        help="the networks and the recipe of the paper, with --data: hours on a CPU, meant for --device cuda",
    )
    parser.add_argument("--json", action="store_true", help="print claims, findings and tables as JSON")


def _image_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--data",
        metavar="FOLDER",
        help="folder of MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100 or one subfolder of images per class; by default that "
        "in MOLTHEORY_DATA, or else the digits of scikit-learn",
    )
    parser.add_argument(
        "--device",
        default="cpu",
        help="where torch trains: cpu (default), cuda, mps, or auto, the best that torch finds; other than the CPU, the "
        "last digits may change from run to run",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="threads of each process in training (default: %(default)s); with more than one the last digits may change "
        "from run to run",
    )


def _reproduce(options: argparse.Namespace) -> int:
    from moltheory.figures import figure_names, get_figure, reproduce

    if options.list:
        for name in figure_names():
            say(f"{name:<18}{get_figure(name).title}")
        return 0
    settings = _settings(options)
    studies = []
    if options.studies:
        from importlib.util import find_spec

        from moltheory.studies import get_study, study_names

        data = _image_folder(options)
        studies = [get_study(name, data, device=options.device, threads=options.threads) for name in study_names()]
        left_out = [study.name for study in studies if study.needs_torch and find_spec("torch") is None]
        if left_out:
            hint = f"`moltheory study {left_out[0]}` says how to install it"
            say(f"left out because torch is not installed: {', '.join(left_out)} ({hint})")
            studies = [study for study in studies if study.name not in left_out]
    done = reproduce(options.out, only=options.only, further=studies, settings=settings, report=say)
    say(f"{len(done.files)} files in {done.seconds:.1f} s; open {done.page}")
    return 0


def _image_folder(options: argparse.Namespace) -> str | None:
    """Return the folder of images that was given, or that the environment names."""
    if options.data is not None:
        return str(options.data)
    named = os.environ.get(_IMAGES) or None
    if named is not None and not os.path.isdir(named):
        raise InvalidInputError(f"`{_IMAGES}` must name a folder of images, got {named!r}; unset it for digits.")
    return named


def _settings(options: argparse.Namespace) -> Settings:
    from moltheory.reports import Settings

    return Settings(
        quick=options.quick,
        seed=options.seed,
        n_jobs=options.n_jobs,
        progress=is_watched(),
        keep_runs=options.keep_runs,
        store=options.store,
    )


def _study(options: argparse.Namespace) -> int:
    from moltheory.studies import get_study, run_study, study_names

    if options.list:
        for name in study_names():
            say(f"{name:<32}{get_study(name).title}")
        return 0
    if options.name is None:
        raise InvalidInputError(f"`NAME` must be one of {', '.join(study_names())}, got none.")
    check_choice("NAME", options.name, study_names())
    data = _image_folder(options)
    study = get_study(options.name, data, device=options.device, threads=options.threads, large=options.large)
    if study.needs_torch:
        from moltheory.studies._torch import require_torch

        # Before the folder of the results is made.
        require_torch()
    settings = _settings(options)
    done = run_study(study, options.out or f"study-{study.name}", settings=settings)
    (section,) = done.sections
    paper, setting, *findings = section.details.splitlines()
    claims = [] if section.lead is None else json.loads(section.lead.to_json(orient="records"))
    if options.json:
        tables = {
            name: json.loads(table.to_json(orient="records", double_precision=15))
            for name, table in section.tables.items()
        }
        head = {"name": study.name, "paper": paper, "setting": setting, "seconds": round(section.seconds, 1)}
        say(json.dumps({**head, "claims": claims, "findings": findings, "tables": tables}, indent=2))
    else:
        say(paper, setting)
        say(*(f"{one['verdict']}: {one['the paper says']}" for one in claims))
        say(*(f"- {sentence}" for sentence in findings))
        say(f"{len(done.files)} files in {done.seconds:.1f} s; open {done.page}")
    return 0


def _completion(options: argparse.Namespace) -> int:
    say(completion_script(_parser(), options.shell))
    return 0
