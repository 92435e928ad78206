"""
A certificate in two objectives
===============================

Six models on 2,000 examples, with two kinds of error. With probability at least 95%, all verdicts are correct at once. The
shaded band holds the true front.
"""

import numpy as np

import moltheory as mt

rng = np.random.default_rng(0)
missed = np.array([0.08, 0.12, 0.20, 0.20, 0.32, 0.34])
false_alarms = np.array([0.40, 0.24, 0.235, 0.33, 0.10, 0.30])
hard = rng.random((2000, 2))  # hard examples are hard for all models
losses = hard[:, None, :] < np.stack([missed, false_alarms], axis=1)
losses ^= rng.random(losses.shape) < 0.02

certificate = mt.certify(
    losses, names=["A", "B", "C", "D", "E", "F"], objectives=["missed", "false alarms"]
)
certificate.plot()

# %%
# The same as a table.

certificate
