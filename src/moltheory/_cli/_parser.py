"""The parser of a command: its own usage after an error, and the option that was meant after a misspelled one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from moltheory._cli._console import complain, say
from moltheory._core._text import did_you_mean

__all__ = ["CommandParser"]


class CommandParser(argparse.ArgumentParser):
    """Parser without abbreviations, which prints through `say` and `complain`.

    Attributes
    ----------
    details : callable or None
        Returns the last part of the help, which costs time to make and is made when it is asked for.
    leftover : str or None
        List in the namespace for arguments without an option that stand after options.
    summary : str
        One line about the command.
    """

    details: Callable[[], str] | None = None
    leftover: str | None = None
    summary: str = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False} | options)

    def long_options(self) -> dict[str, argparse.Action]:
        """Return the options that the help shows, by their long names."""
        return {
            name: action
            for name, action in self._option_string_actions.items()
            if name.startswith("--") and action.help != argparse.SUPPRESS
        }

    def commands(self) -> dict[str, CommandParser]:
        """Return the parsers of the commands by name."""
        found = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        return dict(found[0].choices) if found else {}

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse what is unknown with the usage of this command."""
        found, rest = super().parse_known_args(args, namespace)
        cut = rest.index("--") if "--" in rest else len(rest)
        for entry in rest[:cut]:
            if entry.startswith("-") and entry != "-":
                name = entry.partition("=")[0]
                self.error(f"unknown option {name}{self._meant(name)}")
        rest = rest[:cut] + rest[cut + 1 :]
        if rest and self.leftover is not None:
            setattr(found, self.leftover, [*getattr(found, self.leftover), *rest])
        elif rest:
            self.error(f"unexpected argument {rest[0]!r}")
        return found, []

    def format_help(self) -> str:
        """Return the help with its details."""
        if self.details is not None:
            self.epilog = self.details()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print the usage of this command and the message, and end with status 2."""
        complain(*self.format_usage().splitlines(), f"{self.prog}: error: {message}")
        raise SystemExit(2)

    def _meant(self, name: str) -> str:
        """Return the question for an unknown option, with one spelling of each option."""
        options = self.long_options()
        near: dict[str, str] = {}
        for entry, action in options.items():
            if name.strip("-") and entry.startswith(name):
                near.setdefault(action.dest, entry)
        return did_you_mean(name, list(near.values() or options))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            what = "command" if isinstance(action, argparse._SubParsersAction) else "value"
            hint = did_you_mean(str(value), known) or f": choose from {', '.join(known)}"
            raise argparse.ArgumentError(None, f"unknown {what} {value!r}{hint}")

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            (complain if file is not None and file is sys.stderr else say)(message.rstrip("\n"))
