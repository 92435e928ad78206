"""The pages of the reference: one per subpackage with a table of its names, one per name, and the command line's."""

import inspect
import os
import re
import shutil
from pathlib import Path

from public_names import aliases, escaped, found, home, modules, public_paths

INTRODUCTION = {
    "moltheory": "What most programs need. `import moltheory as mt` loads little; the rest is loaded when it is used.",
}


def page_name(path: str) -> str:
    """Return the name of an object's page; `ledger` and `Ledger` differ on every file system."""
    same = [other for other in public_paths() if other.lower() == path.lower()]
    return f"{path}-function" if len(same) > 1 and path.rpartition(".")[2].islower() else path


def summary(value: object) -> str:
    """Return the first paragraph of a docstring as one line."""
    text = inspect.getdoc(value) or ""
    return escaped(re.sub(r"\s+", " ", text.partition("\n\n")[0]))


def object_page(path: str) -> str:
    """Return the page of one public name."""
    value = found(path)
    lines = [path, "=" * len(path), ""]
    if inspect.isclass(value) and issubclass(value, BaseException | Warning):
        lines += [f".. autoexception:: {path}", "   :show-inheritance:"]
    elif inspect.isclass(value):
        lines += [f".. autoclass:: {path}", "   :members:"]
        bases = [base for base in value.__mro__[1:] if not base.__module__.startswith("moltheory")]
        lines += [f"   :inherited-members: {', '.join(base.__name__ for base in bases)}"]
    elif inspect.isroutine(value):
        lines += [f".. autofunction:: {path}"]
    else:
        lines += [f".. autodata:: {path}", "   :no-value:"]
    return "\n".join([*lines, ""])


def module_page(name: str) -> str:
    """Return the page of a subpackage: its docstring and a table of its names."""
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", ""]
    lines += [INTRODUCTION.get(name, ""), ""]
    contents = modules()[name]
    names = [one for one in contents.__all__ if f"{name}.{one}" in aliases()]
    # Classes, then functions, then the rest, each in the order of the alphabet.
    kinds = {"Classes": inspect.isclass, "Functions": inspect.isroutine, "Constants and types": lambda value: True}
    pages: dict[str, str] = {}
    for title, is_kind in kinds.items():
        chosen = [one for one in names if is_kind(getattr(contents, one))]
        names = [one for one in names if one not in chosen]
        if not chosen:
            continue
        lines += [title, "-" * len(title), "", ".. list-table::", "   :class: names", "   :widths: 30 70", ""]
        for one in sorted(chosen, key=str.lower):
            path = aliases()[f"{name}.{one}"]
            line = summary(getattr(contents, one)) if title != "Constants and types" else ""
            lines += [f"   * - :py:obj:`{one} <{path}>`", f"     - {line}"]
            # A page has its place where the object is defined.
            if home(path) in (name, "moltheory") or home(path) not in modules():
                pages[page_name(path)] = path.rpartition(".")[2]
        lines.append("")
    if name != "moltheory" and pages:
        lines += [
            ".. toctree::",
            "   :hidden:",
            "   :maxdepth: 1",
            "",
            *(f"   {title} <{page}>" for page, title in pages.items()),
            "",
        ]
    return "\n".join(lines)


def command_line_page() -> str:
    """Return the page of the command line: the help of every command."""
    from moltheory.cli import _parser

    os.environ["COLUMNS"] = "88"
    lines = ["Command line", "============", "", "The help of every command, as ``--help`` prints it.", ""]

    def describe(parser, title: str) -> None:
        lines.extend([title, "-" * len(title), "", ".. code-block:: text", ""])
        text = parser.format_help()
        lines.extend([f"   {line}" if line else "" for line in text.split("\n")])
        lines.append("")
        for name, command in parser.commands().items():
            describe(command, f"{title} {name}")

    describe(_parser(), "moltheory")
    return "\n".join(lines)


def write(app) -> None:
    """Write the pages that changed, and remove those of names that are gone."""
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {page_name(path): object_page(path) for path in public_paths()}
    pages.update({name: module_page(name) for name in modules()})
    pages["command_line"] = command_line_page()
    for name, text in pages.items():
        file = folder / f"{name}.rst"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for file in folder.iterdir():
        if file.is_dir():
            shutil.rmtree(file)
        elif file.stem not in pages:
            file.unlink()


def setup(app):
    """Write the pages before any is read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
