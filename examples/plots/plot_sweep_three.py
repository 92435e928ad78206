"""
A front in three objectives
===========================

One linear predictor for three regression tasks: each line is a solution, each axis a task. The best solution for each task
is in color, and its price on the other two can be read off.
"""

import numpy as np

import moltheory as mt

rng = np.random.default_rng(0)
problem = mt.problems.MultiTaskLeastSquares(
    covariances=np.stack([np.eye(4)] * 3),
    targets=rng.normal(size=(3, 4)),
    noise=np.full(3, 0.3),
)
weights = mt.scalarization.simplex_grid(3, 6)
sweep = mt.solve_front(
    problem.true, scalarizations=[mt.scalarization.WeightedSum(w) for w in weights]
)
mt.plot.sweep(sweep)
