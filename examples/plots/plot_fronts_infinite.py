"""
Fronts of an infinite class
===========================

One linear predictor serves two regression tasks. Its fronts are curves: the empirical one as a sample of 20 examples per
task shows it, and the same predictors in true risks.
"""

import numpy as np

import moltheory as mt

problem = mt.problems.MultiTaskLeastSquares(
    covariances=np.stack([np.eye(3), np.diag([1.0, 2.0, 0.5])]),
    targets=np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5]]),
    noise=np.array([0.5, 0.5]),
)
mt.plot.fronts(problem, (20, 20), rng=0)
