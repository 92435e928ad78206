"""What a screen reader needs and the theme leaves out, added to the pages once they are written."""

__all__ = ["mended"]

_SEARCH = 'search-button__button pst-js-only" title="Search"'
_FOLD = '<span class="toctree-toggle" role="presentation">'
_MENDED = (
    # The name of the field is the text in it; another one hides that text.
    (f'{_SEARCH} aria-label="Search"', _SEARCH),
    # A button with an arrow only.
    (f"<summary>{_FOLD}", f'<summary aria-label="Pages of this part">{_FOLD}'),
    # Its entries are no list items.
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
)


def mended(page):
    """Return the HTML of a page with these changes; once is enough."""
    for before, after in _MENDED:
        page = page.replace(before, after)
    return page


def _mend(app, exception):
    if exception is None and app.builder.format == "html":
        for path in app.outdir.rglob("*.html"):
            before = path.read_text(encoding="utf-8")
            after = mended(before)
            if after != before:
                path.write_text(after, encoding="utf-8")


def setup(app):
    """Mend the pages at the end of a build."""
    app.connect("build-finished", _mend)
    return {"parallel_read_safe": True, "version": "1"}
