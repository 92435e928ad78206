"""Code blocks of a page: found, run in order in one namespace, and compared with what the page shows.

The conventions:

* ``python`` blocks run in order. A ``text`` block right after one is what it prints, then the repr of its last
  expression unless that is None. Numbers may differ by 1e-6 relative; everything else is compared character by character.
* ``console`` blocks are ``$ moltheory ...`` commands with everything that they write.
* ``sh`` blocks are not run, but what they call must exist; ``toml``, ``yaml`` and ``json`` must parse.
* ``% not run: REASON`` before a block leaves it out (``<!-- not run: REASON -->`` where comments are HTML).
"""

import ast
import contextlib
import importlib.util
import io
import itertools
import json
import math
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)$")
_NOT_RUN = re.compile(r"^ *(?:% not run: \S.*|<!-- not run: \S.* -->)$")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, its first line in the page, and whether it is left out."""

    language: str
    text: str
    line: int
    is_left_out: bool
    follows: int  # the number of lines between it and the block before that hold text


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page; directives (``{...}``) are looked into, not returned."""
    found: list[Block] = []
    lines = page.split("\n")
    here, between, left_out = 0, 0, False
    while here < len(lines):
        line = lines[here]
        fence = _FENCE.match(line)
        here += 1
        if fence is None:
            if _NOT_RUN.match(line):
                left_out = True
            elif line.strip():
                between, left_out = between + 1, False
            continue
        info = fence["info"].strip()
        if info.startswith("{") or not info:
            # The contents of a directive are part of the page; a closing fence of one is a line like any other.
            between += 1
            continue
        end = next(
            (
                j
                for j in range(here, len(lines))
                if re.fullmatch(rf" *{re.escape(fence['ticks'])}[`~]*", lines[j].rstrip())
            ),
            None,
        )
        if end is None:
            raise AssertionError(f"line {here}: the block does not end")
        indent = len(fence["indent"])
        text = "\n".join(row[indent:] if row[:indent].strip() == "" else row for row in lines[here:end]) + "\n"
        found.append(Block(info.split()[0], text, here + 1, left_out, between))
        here, between, left_out = end + 1, 0, False
    return found


def run_page(page: str, name: str, scope: dict[str, object] | None = None) -> int:
    """Run and check every block of a page in the present folder; return how many were run."""
    scope = {"__name__": "__main__"} if scope is None else scope
    found = blocks(page)
    n_run = 0
    for block, after in itertools.zip_longest(found, found[1:]):
        if block.is_left_out:
            continue
        where = f"{name}, line {block.line}"
        if block.language == "python":
            shown = run_python(block.text, where, scope, block.line)
            if after is not None and after.language == "text" and not after.follows and not after.is_left_out:
                compare(shown, after.text, where)
            n_run += 1
        elif block.language == "console":
            for command, output in commands(block.text, where):
                written = run_command(command, where)
                if written.rstrip() != output.rstrip():
                    raise AssertionError(f"{where}: {' '.join(command)} writes\n{written}\nnot\n{output}")
            n_run += 1
        elif block.language in ("toml", "yaml", "json"):
            parse(block)
        elif block.language in ("sh", "bash", "shell"):
            check_shell(block.text, where)
    return n_run


def run_python(text: str, where: str, scope: dict[str, object], line: int = 1) -> str:
    """Run a block as a cell of a notebook; return what it prints and the repr of its last expression."""
    tree = ast.parse(text, where)
    ast.increment_lineno(tree, line - 1)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, where, "exec"), scope)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), where, "eval"), scope)
            if value is not None:
                print(repr(value))
    return printed.getvalue()


def compare(shown: str, expected: str, where: str) -> None:
    """Raise unless two texts agree: words and spaces exactly, numbers up to 1e-6 of their size."""
    one, other = ("\n".join(line.rstrip() for line in text.rstrip().split("\n")) for text in (shown, expected))
    same = _NUMBER.sub("#", one) == _NUMBER.sub("#", other)
    numbers = [[float(n.replace(",", "")) for n in _NUMBER.findall(text)] for text in (one, other)]
    if not same or not all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12) for a, b in zip(*numbers, strict=True)):
        raise AssertionError(f"{where} shows\n{one}\nnot\n{other}")


def commands(text: str, where: str) -> list[tuple[list[str], str]]:
    """Return the commands of a console block, each with the output below it."""
    parts = re.split(r"^\$ ", re.sub(r"\\\n *", "", text), flags=re.MULTILINE)
    found = []
    for part in parts[1:]:
        command, _, output = part.partition("\n")
        words = shlex.split(command)
        if not words or words[0] != "moltheory":
            raise AssertionError(f"{where}: a console block holds `$ moltheory ...` only, not {command!r}")
        found.append((words, output))
    if parts[0].strip() or not found:
        raise AssertionError(f"{where}: a console block starts with `$ moltheory ...`")
    return found


def run_command(command: list[str], where: str) -> str:
    """Run `moltheory ...` in this process; return all that it writes, to standard output and standard error."""
    from moltheory.cli import main

    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        try:
            code = main(command[1:])
        except SystemExit as end:
            code = end.code
    if code not in (0, None) and not written.getvalue():
        raise AssertionError(f"{where}: {' '.join(command)} ends with {code}")
    return written.getvalue()


def parse(block: Block) -> None:
    """Parse a block of data."""
    if block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "json":
        json.loads(block.text)
    elif importlib.util.find_spec("yaml"):  # comes with the extra [docs]
        import yaml

        list(yaml.safe_load_all(block.text))


def check_shell(text: str, where: str) -> None:
    """Raise if a shell block names a target of make, an extra or a command of moltheory that does not exist."""
    root = Path(__file__).parents[2]
    text = re.sub(r"(^|\s)#.*", "", text)
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|[;&] *)make ([a-z][\w-]*)\b(?!=)", text, re.MULTILINE):
        if not re.search(rf"^{target}:", makefile, re.MULTILINE):
            raise AssertionError(f"{where}: there is no `make {target}`")
    extras = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for names in re.findall(r"(?:moltheory|\.)\[([\w,-]+)\]", text):
        for extra in names.split(","):
            if extra not in extras:
                raise AssertionError(f"{where}: there is no extra [{extra}]")
    known = command_names()
    for command in re.findall(r"(?:^|uvx |pipx run |-m )moltheory ([a-z][\w-]*)", text, re.MULTILINE):
        if command not in known:
            raise AssertionError(f"{where}: there is no command `moltheory {command}`")


def command_names() -> set[str]:
    """Return the names of moltheory's commands."""
    from moltheory.cli import _parser

    return set(_parser().commands())
