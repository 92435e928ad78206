"""Execute notebooks and store what they show: ``python -m tests.notebooks 01_asymmetry ...``; all by default."""

import os
import sys
import tempfile

import nbformat

from tests.notebooks._execution import NOTEBOOKS, execute


def main(names):
    """Store the outputs of the notebooks named."""
    os.environ.pop("MOLTHEORY_FULL", None)
    for path in NOTEBOOKS:
        if names and path.stem not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            notebook = execute(path, folder)
        for cell in notebook.cells:
            # Times and identifiers of a run would make equal runs differ.
            cell.metadata.pop("execution", None)
            for output in cell.get("outputs", ()):
                output.get("metadata", {}).pop("execution", None)
        notebook.metadata.pop("widgets", None)
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, path)
        print(f"{path.name:<40} {path.stat().st_size / 1e3:7.0f} kB")


main(sys.argv[1:])
