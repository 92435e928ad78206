"""Links to files of the repository, and pages that are such files (CONTRIBUTING.md and others).

A page may link to any file as on GitHub, by its relative path. A link to a file that is a page of the site leads there;
other files of the repository are linked at their public place.
"""

import os
import re
from pathlib import Path

from public_names import ROOT, SOURCE
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
# The page of the site, and the file of the repository that it is.
PAGES = {
    "development/contributing": "CONTRIBUTING.md",
    "development/changelog": "CHANGELOG.md",
    "development/security": "SECURITY.md",
}
_LINK = re.compile(r"(!\[[^\]]*\]\(|\]\()(?!\w+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")


def rewritten(text: str, file: Path, page: Path) -> str:
    """Return a text of `file` with its links as they must be on `page` (a path below docs)."""

    def link(found: re.Match[str]) -> str:
        before, target, anchor = found[1], found[2], found[3] or ""
        path = Path(os.path.normpath(file.parent / target))
        if not path.is_relative_to(ROOT):
            return found[0]
        inside = path.relative_to(ROOT).as_posix()
        for name, source in PAGES.items():
            if inside == source:
                path = ROOT / "docs" / f"{name}.md"
        if inside.startswith("notebooks/") and inside.endswith(".ipynb"):
            path = ROOT / "docs" / inside
        elif before[0] == "!":
            pass  # Pictures are copied from where they are.
        elif inside == "docs":
            path = ROOT / "docs" / "index.md"
        elif inside == "docs/decisions":
            path = ROOT / "docs" / "development" / "decisions.md"
        elif not path.is_relative_to(ROOT / "docs"):
            if not path.exists():
                LOGGER.warning("there is no file %s", inside, location=str(file))
            return f"{before}{SOURCE.replace('/blob/', '/tree/') if path.is_dir() else SOURCE}/{inside}{anchor}"
        return before + os.path.relpath(path, page.parent) + anchor

    parts = re.split(r"(^ *(?P<fence>`{3,}|~{3,}).*?^ *(?P=fence) *$)", text, flags=re.MULTILINE | re.DOTALL)
    # Every third part is the fence itself; blocks stay as they are.
    return "".join(part if i % 3 == 1 else _LINK.sub(link, part) for i, part in enumerate(parts) if i % 3 != 2)


def read_source(app, name, content):
    """Replace the links of a page, or the whole page by the file that it is."""
    page = Path(app.srcdir) / f"{name}.md"
    if name in PAGES:
        file = ROOT / PAGES[name]
        app.env.note_dependency(file)
        content[0] = rewritten(file.read_text(encoding="utf-8"), file, page)
    elif page.exists():
        content[0] = rewritten(content[0], page, page)


def setup(app):
    """Connect to the reading of pages."""
    app.connect("source-read", read_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
