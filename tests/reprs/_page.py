"""A page like JupyterLab's, light or dark, with the representation of every public class."""

from html import escape

from tests.reprs._examples import FACTORIES, certificate

_COLORS = {
    "light": {"text": "rgba(0, 0, 0, 0.87)", "back": "white", "row": "#f5f5f5", "code": "#eee", "hover": "#e1f5fe"},
    "dark": {
        "text": "rgba(255, 255, 255, 1)",
        "back": "#111111",
        "row": "#212121",
        "code": "#424242",
        "hover": "#0b2a3a",
    },
}
# What JupyterLab's own style says about tables and texts in outputs of cells.
_JUPYTER = """
body {{ margin: 0; background: {back}; }}
.jp-RenderedHTMLCommon {{ color: {text}; font: 14px/1.6 system-ui, sans-serif; padding: 0 20px 0 10px; }}
.jp-RenderedHTMLCommon table {{ border-collapse: collapse; border: none; color: {text}; font-size: 13px;
  table-layout: fixed; margin-left: auto; margin-right: auto; margin-bottom: 1em; }}
.jp-RenderedHTMLCommon thead {{ border-bottom: 1px solid #777; vertical-align: bottom; }}
.jp-RenderedHTMLCommon td, .jp-RenderedHTMLCommon th, .jp-RenderedHTMLCommon tr {{ vertical-align: middle;
  padding: 0.5em; line-height: normal; white-space: normal; max-width: none; border: none; }}
:not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon td, :not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon th,
:not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon tr {{ text-align: right; }}
.jp-RenderedHTMLCommon th {{ font-weight: bold; }}
.jp-RenderedHTMLCommon tbody tr:nth-child(odd) {{ background: {back}; }}
.jp-RenderedHTMLCommon tbody tr:nth-child(even) {{ background: {row}; }}
.jp-RenderedHTMLCommon tbody tr:hover {{ background: {hover}; }}
.jp-RenderedHTMLCommon p {{ margin: 0 0 1em; }}
.jp-RenderedHTMLCommon dl dt {{ float: left; width: 0.1px; }}
.jp-RenderedHTMLCommon code {{ background: {code}; padding: 1px 5px; font: 13px monospace; }}
"""


def notebook_page(theme: str) -> str:
    """Return the page as HTML."""
    values = {"Certificate, decided": certificate()} | {name: make() for name, make in FACTORIES.items()}
    cells = "".join(
        f'<div class="jp-RenderedHTMLCommon" title="{escape(name)}">{value._repr_html_()}</div>'
        for name, value in values.items()
    )
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Outputs</title>'
    style = _JUPYTER.format(**_COLORS[theme])
    head = f"<head>{head}<style>{style}</style></head>"
    return f'<!DOCTYPE html><html lang="en">{head}<body><main>{cells}</main></body></html>'
