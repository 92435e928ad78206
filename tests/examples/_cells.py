"""Runs a script of the gallery cell by cell, as the documentation site does, and keeps what its cells show."""

import ast
import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = {path.stem.removeprefix("plot_"): path for path in sorted(EXAMPLES.glob("*/plot_*.py"))}


@dataclass
class Run:
    """What a script left behind: its names, the values at the ends of its cells, and what it printed."""

    names: dict
    shown: list
    printed: str

    @property
    def pictures(self):
        return [value for value in self.shown if hasattr(value, "_repr_png_")]


def cells_of(source):
    """Return the statements of each cell; the title is no cell."""
    starts = [number for number, line in enumerate(source.splitlines(), start=1) if line.startswith("# %%")]
    cells = [[] for _ in range(len(starts) + 1)]
    for statement in ast.parse(source).body[1:]:
        cells[sum(start < statement.lineno for start in starts)].append(statement)
    return [cell for cell in cells if cell]


def run(source, name="script"):
    """Run a script in the current folder."""
    names, shown, printed = {"__name__": "__main__"}, [], io.StringIO()
    with contextlib.redirect_stdout(printed):
        for cell in cells_of(source):
            last = cell.pop() if isinstance(cell[-1], ast.Expr) else None
            exec(compile(ast.Module(cell, []), name, "exec"), names)
            if last is not None:
                shown.append(eval(compile(ast.Expression(last.value), name, "eval"), names))
    return Run(names, shown, printed.getvalue())
