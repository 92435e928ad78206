"""The explorer's script and style, of several files each that holds one idea, as one module for notebooks and pages."""

from __future__ import annotations

import functools
import importlib.resources
import re

__all__ = ["script", "style"]

_FILES = ("rational", "world", "chance", "chance_job", "draw", "theme", "plane", "panel", "explorer")
# The files import from one another only; in one module all names are known.
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)


@functools.cache
def script(*, for_page: bool = False) -> str:
    """Return one ES module: its default export is a widget of anywidget; for a page it draws all explorers found there."""
    files = [*_FILES, "page"] if for_page else _FILES
    text = "\n".join(_IMPORT.sub("", _read(f"{name}.js")) for name in files)
    return text if not for_page else text.replace("export default { render };\n", "")


@functools.cache
def style() -> str:
    """Return the style sheet."""
    return _read("explorer.css")


def _read(name: str) -> str:
    # Digests of pages need the same line ends everywhere.
    text = (importlib.resources.files("moltheory.explorer") / "static" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
