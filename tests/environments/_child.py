"""Work of every kind in one process, for a digest of all results: ``python _child.py LOSSES.csv FOLDER``."""

import contextlib
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np

import moltheory as mt
from moltheory.cli import main


def digests(losses: str, folder: Path) -> dict[str, str]:
    """Return digests of a certificate, a front, a simulation on two processes, two outputs, a page and a figure."""
    rng = np.random.default_rng(0)
    table = mt.experiments.asymmetry(mt.problems.tilted_line(), sizes=[20], replicates=600, rng=1, n_jobs=2)
    page, figure = folder / "page.html", folder / "figure.svg"
    found = {
        "certificate": mt.certify((rng.random((300, 6, 2)) < 0.3).astype(float)).boxes.tobytes(),
        # Large enough for the compiled kernels.
        "front": mt.nondominated(rng.random((20_000, 3))).tobytes(),
        "simulation": table.to_csv().encode(),
    }
    for command in (["certify", losses, "--minimise", "loss", "--json"], ["theorems", "--json"]):
        with contextlib.redirect_stdout(io.StringIO()) as text:
            found[command[0]] = f"{main(command)} {text.getvalue()}".encode()
    with contextlib.redirect_stdout(io.StringIO()):
        main(["certify", losses, "--minimise", "loss", "--html", str(page), "--plot", str(figure)])
    found |= {path.name: path.read_bytes() for path in (page, figure)}
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}


if __name__ == "__main__":
    where = Path(sys.argv[2])
    answer = digests(sys.argv[1], where)
    # On the console too, which may show ASCII only, or be closed.
    main(["certify", sys.argv[1], "--minimise", "loss"])
    (where / "digests.json").write_text(json.dumps(answer))
