"""Pictures of the gallery: axes in the last line of a cell, as a notebook shows them; pyplot knows none of them."""

import io
from pathlib import Path
from textwrap import indent

__all__ = ["scraper"]

_TWICE = "_2_00x"


def _get_sg_image_scraper():
    return scraper


def scraper(block, block_vars, gallery_conf):
    """Save what the cell shows, at single and double resolution, and return its reST."""
    from PIL import Image
    from sphinx_gallery.scrapers import figure_rst

    shown = block_vars["example_globals"].get("___") if _ends_in_expression(block[1]) else None
    show = getattr(shown, "_repr_png_", None)
    found = show() if show else None
    if found is None:
        return ""
    path = Path(next(block_vars["image_path_iterator"]))
    large = path.with_name(path.stem + _TWICE + path.suffix)
    picture = Image.open(io.BytesIO(found[0])).convert("RGB")
    picture.save(large, optimize=True)
    picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS).save(path, optimize=True)
    # What is seen in words: the script's title, which is a statement or a question that the picture answers.
    title = Path(block_vars["src_file"]).read_text(encoding="utf-8").split("\n")[1]
    image = figure_rst([str(path)], gallery_conf["src_dir"], title, srcsetpaths=[{0: str(path), 2.0: str(large)}])
    # In a box of its own, which scrolls where a window is narrow.
    return f".. container:: picture\n\n{indent(image, '    ')}\n"


def _ends_in_expression(code):
    """Whether the last statement is an expression: only then is the value of an earlier cell not mistaken for this one's."""
    import ast

    body = ast.parse(code).body
    return bool(body) and isinstance(body[-1], ast.Expr)
