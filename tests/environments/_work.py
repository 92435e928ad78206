"""One answer of every kind, for tests of processes and threads."""

import hashlib

import numpy as np


def answer(seed: int = 0) -> str:
    """Return the digest of a certificate, a large front, a simulation and a page with its figure."""
    import moltheory as mt
    from moltheory.certification import certificate_page

    rng = np.random.default_rng(seed)
    found = hashlib.sha256()
    certificate = mt.certify((rng.random((200, 4, 2)) < 0.3).astype(float))
    found.update(certificate.boxes.tobytes())
    found.update(mt.nondominated(rng.random((20_000, 3))).tobytes())
    table = mt.experiments.asymmetry(mt.problems.tilted_line(), sizes=[20], replicates=30, rng=seed, n_jobs=1)
    found.update(table.to_csv().encode())
    found.update(certificate_page(certificate).encode())
    return found.hexdigest()
