"""Scripts that complete commands and options in bash, zsh and fish, made from the parsers."""

from __future__ import annotations

import argparse
import shlex

from moltheory._cli._parser import CommandParser

__all__ = ["SHELLS", "completion_script"]

SHELLS = ("bash", "zsh", "fish")

_BASH = """\
# bash: eval "$(moltheory completion bash)"
_moltheory() {
    local word="${COMP_WORDS[COMP_CWORD]}" options="--help --version" values=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        values="@COMMANDS@"
    else
        case "${COMP_WORDS[1]}" in
@CASES@
        esac
    fi
    case "$word" in
        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "$values" -- "$word")) ;;
    esac
}
complete -o default -o bashdefault -F _moltheory moltheory
"""
_ZSH = """\
#compdef moltheory
# zsh: eval "$(moltheory completion zsh)", after compinit
_moltheory() {
    local -a commands options
    commands=(
@COMMANDS@
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    case "$words[2]" in
@CASES@
    esac
    if [[ "$words[CURRENT]" == -* ]]; then
        _describe option options
    else
        _files
    fi
}
compdef _moltheory moltheory
"""


def completion_script(parser: CommandParser, shell: str) -> str:
    """Return the script for a shell: commands, then the long options of each with their help, then files."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](parser)


def _bash(parser: CommandParser) -> str:
    names = " ".join(parser.commands())
    cases = [
        f'            {name}) options="{" ".join(_options(entry))}" values="{" ".join(_values(entry))}" ;;'
        for name, entry in parser.commands().items()
    ]
    return _BASH.replace("@COMMANDS@", names).replace("@CASES@", "\n".join(cases))


def _zsh(parser: CommandParser) -> str:
    cases = []
    for name, entry in parser.commands().items():
        lines = [f"            {_described(option, _summary(a))}" for option, a in _options(entry).items()]
        cases += [f"    {name})", "        options=(", *lines, "        ) ;;"]
    named = [f"        {_described(name, entry.summary)}" for name, entry in parser.commands().items()]
    return _ZSH.replace("@COMMANDS@", "\n".join(named)).replace("@CASES@", "\n".join(cases))


def _fish(parser: CommandParser) -> str:
    lines = ["# fish: moltheory completion fish | source"]
    for name, entry in parser.commands().items():
        about = shlex.quote(entry.summary)
        lines.append(f"complete -c moltheory -n __fish_use_subcommand -f -a {name} -d {about}")
        seen = f"'__fish_seen_subcommand_from {name}'"
        lines += [f"complete -c moltheory -n {seen} -f -a {value}" for value in _values(entry)]
        for option, action in _options(entry).items():
            takes = "" if action.nargs == 0 else " -r"
            about = shlex.quote(_summary(action))
            lines.append(f"complete -c moltheory -n {seen} -l {option.removeprefix('--')}{takes} -d {about}")
    return "\n".join(lines) + "\n"


def _options(parser: CommandParser) -> dict[str, argparse.Action]:
    """Return the long options of a command, and those of its actions."""
    found = parser.long_options()
    for entry in parser.commands().values():
        found |= entry.long_options()
    return found


def _values(parser: CommandParser) -> list[str]:
    """Return the values that arguments of a command can take; what is left empty is completed with files."""
    return [str(choice) for action in parser._actions if action.choices for choice in action.choices]


def _described(name: str, summary: str) -> str:
    """Return a name with its summary, as `_describe` reads it."""
    return shlex.quote(name.replace(":", "\\:") + ":" + " ".join(summary.split()))


def _summary(action: argparse.Action) -> str:
    return " ".join((action.help or "").replace("%(default)s", str(action.default)).split())
