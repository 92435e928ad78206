"""
Weight cells of three objectives
================================

The triangle holds all weights of three objectives. Each cell is the set of weights for which one model is best; a model
without a cell is returned by no weighted sum, even if it is Pareto-optimal.
"""

import numpy as np

import moltheory as mt

rng = np.random.default_rng(5)
directions = rng.dirichlet([1.0, 1.0, 1.0], size=40)
points = 1.0 - directions**0.5 + 0.03 * rng.random((40, 1))
mt.plot.cells(
    points,
    names=[f"model {k}" for k in range(40)],
    objectives=["error", "delay", "memory"],
)
