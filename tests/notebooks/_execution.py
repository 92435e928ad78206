"""Executing notebooks, and comparing the texts that they print with those stored."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Tags of cells, as nbval names them: what such a cell prints differs between runs or processors.
IGNORED = "nbval-ignore-output"
_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w])", re.IGNORECASE)


def execute(path, folder):
    """Return a notebook with the outputs of a run in some folder, with the small budget."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return notebook


def texts(cell):
    """Return what a cell printed and returned as text; pictures, widgets and HTML are left out."""
    found = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream" and output.name == "stdout":
            found.append(output.text)
        elif output.output_type in ("execute_result", "display_data"):
            found.append(output.data.get("text/plain", ""))
    return "\n".join(found)


def differences(stored, fresh, tolerance=1e-6):
    """Return in what two texts differ: words must be equal, and numbers nearly so; None where they agree."""
    words = [_words(text) for text in (stored, fresh)]
    if words[0] != words[1]:
        return f"words differ: {words[0]!r} is stored, {words[1]!r} was printed"
    for one, other in zip(_numbers(stored), _numbers(fresh), strict=True):
        if abs(one - other) > tolerance * max(abs(one), abs(other)) + 1e-12:
            return f"numbers differ: {one!r} is stored, {other!r} was printed"
    return None


def _words(text):
    # Widths of columns follow the digits.
    return re.sub(r"[\s…─-]+", " ", _NUMBER.sub("#", text)).strip()


def _numbers(text):
    return [float(match.replace(",", "").replace("−", "-")) for match in _NUMBER.findall(text)]
