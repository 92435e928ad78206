"""Certificates of known content for tests of figures, and what is drawn on axes."""

from __future__ import annotations

import numpy as np

from moltheory.certification import Certificate

__all__ = ["certificate_of_points", "marks", "spread"]


def certificate_of_points(estimates, *, half=0.03, status=None, boxes=None, names=None, **fields):
    """Return a certificate with these estimates; by default non-dominated models are on the front, others are not."""
    estimates = np.asarray(estimates, dtype=float)
    n_models, m = estimates.shape
    if status is None:
        below = (estimates[:, None] <= estimates).all(axis=2) & (estimates[:, None] < estimates).any(axis=2)
        status = np.where(below.any(axis=0), "excluded", "sure")
    status = np.asarray(status)
    excluded = status == "excluded"
    values = {
        "names": tuple(names or (f"model {h}" for h in range(n_models))),
        "objectives": tuple(f"loss {i}" for i in range(m)),
        "maximise": (False,) * m,
        "data_dependent": np.ones(m, dtype=bool),
        "sure": status == "sure",
        "excluded": excluded,
        "excluded_by": np.where(excluded, 0, -1),
        "adjusted_p_value": np.where(excluded, 0.01, np.nan),
        "dominates": np.zeros((n_models, n_models), dtype=bool),
        "estimates": estimates,
        "boxes": np.stack([estimates - half, estimates + half], axis=2) if boxes is None else boxes,
        "epsilon": np.zeros(m),
        "delta": 0.05,
        "delta_allocation": (("simultaneous boxes", 0.05),),
        "n_examples": 1000,
        "methods": ("mean",) * m,
        "assumptions": (),
    }
    return Certificate(**(values | fields))


def spread(n_models, m, seed=0):
    """Return estimates along a curved front and behind it, and statuses of all three kinds."""
    rng = np.random.default_rng(seed)
    estimates = 0.1 + 0.8 * rng.random((n_models, m))
    if m > 1:
        estimates[:, 1] = (
            0.1 + 0.8 * (1 - estimates[:, 0]) ** 2 + 0.3 * rng.random(n_models) * (rng.random(n_models) < 0.5)
        )
    status = rng.choice(["sure", "undecided", "excluded"], n_models, p=[0.3, 0.3, 0.4])
    return estimates, status


def marks(axes, status=""):
    """Return the places of all marks on some axes, as a sorted list of points."""
    kinds = (status,) if status else ("sure", "undecided", "excluded")
    found = []
    for line in axes.lines:
        if str(line.get_gid()).startswith(kinds) and line.get_marker() not in ("", "None"):
            every = line.get_markevery()
            points = line.get_xydata()
            found += [tuple(map(float, point)) for point in (points if every is None else points[every])]
    return sorted(found)
