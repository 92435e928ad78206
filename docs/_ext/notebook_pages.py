"""The notebooks as pages: copied with their stored outputs, links as they must be here, and a card for each."""

import base64
import io
import json
import re
from pathlib import Path

from repository_links import ROOT, rewritten

_CARD = re.compile(r"^% notebook (\w+): (.+)$", re.MULTILINE)


def write(app) -> None:
    """Copy the notebooks that changed, each with a small picture."""
    folder = Path(app.srcdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    names = set()
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        page = folder / file.name
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = rewritten("".join(cell["source"]), file, page)
        text = json.dumps(notebook)
        names.add(page)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
            _write_thumbnail(notebook, page.with_suffix(".png"))
    for page in set(folder.glob("*.ipynb")) - names:
        page.unlink()


def _write_thumbnail(notebook, path: Path) -> None:
    """Write the first picture of a notebook, small, on white."""
    from PIL import Image, ImageOps

    pictures = (
        output["data"]["image/png"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", ())
    )
    picture = next(pictures, None)
    if picture is None:
        path.unlink(missing_ok=True)
        return
    with Image.open(io.BytesIO(base64.b64decode("".join(picture)))) as image:
        image = image.convert("RGBA")
        flat = Image.new("RGBA", image.size, "white")
        flat.alpha_composite(image)
        ImageOps.pad(flat.convert("RGB"), (560, 320), color="white").save(path, optimize=True)


def read_source(app, name, content):
    """Turn the marks of a page into cards: the notebook's title, its picture, and what it is for."""
    if name != "notebooks":
        return

    def card(found: re.Match[str]) -> str:
        file = ROOT / "notebooks" / f"{found[1]}.ipynb"
        first = json.loads(file.read_text(encoding="utf-8"))["cells"][0]["source"]
        title = "".join(first).split("\n")[0].lstrip("# ")
        picture = ROOT / "docs" / "notebooks" / f"{found[1]}.png"
        top = (
            f":img-top: notebooks/{found[1]}.png\n:img-alt: First picture of the notebook.\n"
            if picture.exists()
            else ""
        )
        return f":::{{grid-item-card}} {title}\n:link: notebooks/{found[1]}\n:link-type: doc\n{top}\n{found[2]}\n:::\n"

    content[0] = _CARD.sub(card, content[0])


def setup(app):
    """Copy the notebooks before any page is read, and connect to the reading of pages."""
    app.connect("builder-inited", write)
    app.connect("source-read", read_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
