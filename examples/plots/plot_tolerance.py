"""
A tolerance decides more models
===============================

Often a model is good enough if no other one is better by more than a tolerance. Verdicts of twenty models on 2,000
examples, for growing tolerances: orange is what remains undecided.
"""

import numpy as np

import moltheory as mt
from moltheory.plotting import COLORS, new_axes

rng = np.random.default_rng(0)
means = np.repeat([0.20, 0.21, 0.23, 0.26], 5)
losses = (rng.random((2000, 1)) < means) ^ (rng.random((2000, 20)) < 0.03)

tolerances = np.array([0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05])
found = [mt.certify(losses, epsilon=epsilon) for epsilon in tolerances]
counts = np.array([[c.sure.sum(), c.undecided.sum(), c.excluded.sum()] for c in found])

ax = new_axes()
labels = ["good enough, certainly", "cannot tell yet", "not on the front"]
shades = [COLORS["coverage"], COLORS["purity"], "#C9C9C9"]
left = np.zeros(len(tolerances))
for label, color, count in zip(labels, shades, counts.T, strict=True):
    bars = ax.barh(
        np.arange(len(tolerances)), count, left=left, color=color, label=label
    )
    ax.bar_label(
        bars,
        [str(k) if k else "" for k in count],
        label_type="center",
        color="black" if "C9" in color else "white",
    )
    left += count
ax.set_yticks(np.arange(len(tolerances)), [f"{epsilon:g}" for epsilon in tolerances])
ax.set(xlabel="number of models", ylabel="tolerance", xticks=range(0, 21, 5))
ax.grid(False)
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
ax

# %%
# The other way round: the smallest tolerance at which each model is certainly good enough, correct for all twenty models at
# once.

found[0].smallest_tolerance()[:8].round(3)
