"""Check a built site: ``python docs/_ext/check_site.py FOLDER``.

Every link inside of the site leads to a page, and to a place on it; nothing that a page needs (script, style, font,
picture) is loaded from elsewhere.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser loads by itself when it opens a page.
_LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("audio", "src")}
_LOADED_LINKS = {"stylesheet", "preload", "icon", "modulepreload", "preconnect", "dns-prefetch"}
_OUTSIDE = re.compile(r"(https?:)?//")
_IN_STYLE = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])((?:https?:)?//[^\"')]+)")


class Page(HTMLParser):
    """The places of a page, the links on it, and what it loads."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what matters of a tag."""
        values = {name: value or "" for name, value in attrs}
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}
        for name in ("href", "src", "data-src"):
            address = values.get(name)
            if address is None:
                continue
            relations = set(values.get("rel", "").split())
            if (tag, name) in _LOADED or (tag == "link" and relations & _LOADED_LINKS):
                self.loaded.append(address)
            if tag != "link" or not relations & {"canonical", "alternate"}:
                self.links.append(address)


def problems(site: Path) -> list[str]:
    """Return a sentence for every link that leads nowhere and everything that is loaded from elsewhere."""
    pages = {file: Page(file) for file in sorted(site.rglob("*.html")) if "_static" not in file.parts}
    found = []
    for file, page in pages.items():
        name = file.relative_to(site)
        found += [f"{name} loads {one}" for one in page.loaded if _OUTSIDE.match(one)]
        for address in dict.fromkeys(page.links):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            path = unquote(parts.path)
            target = file if not path else (site / path[1:] if path[0] == "/" else (file.parent / path)).resolve()
            if target.is_dir():
                target = target / "index.html"
            if not target.exists():
                found.append(f"{name} links to {address}: there is no such file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places | {"top"}:
                found.append(f"{name} links to {address}: there is no such place on the page")
    for file in sorted(site.rglob("*.css")):
        found += [
            f"{file.relative_to(site)} loads {one}" for one in _IN_STYLE.findall(file.read_text(encoding="utf-8"))
        ]
    return found


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    found = problems(site)
    for one in found:
        sys.stderr.write(f"{one}\n")
    if not (site / "index.html").exists():
        sys.exit(f"there is no site in {site}")
    sys.exit(bool(found))
