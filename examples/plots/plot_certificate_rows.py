"""
A certificate in three objectives
=================================

With three objectives or more, each has its own panel and each model a row. The models are sorted by verdict, and a model
that is not on the front names the one to use instead.
"""

import numpy as np

import moltheory as mt

rng = np.random.default_rng(2)
means = np.array(
    [
        [0.10, 0.30, 0.25],
        [0.30, 0.10, 0.25],
        [0.22, 0.22, 0.10],
        [0.33, 0.33, 0.33],
        [0.12, 0.32, 0.26],
    ]
)
losses = (rng.random((1500, 1, 3)) < means) ^ (rng.random((1500, 5, 3)) < 0.02)
certificate = mt.certify(
    losses,
    names=["careful", "quick", "fair", "old", "careful v2"],
    objectives=["missed", "false alarms", "worst group"],
)
mt.plot.certificate(certificate)
