"""
How much do empirical fronts vary?
==================================

A hundred thresholds of one classifier, judged by the shares of missed and of false positives among all examples. Two
hundred samples of 60 examples give two hundred empirical fronts. An attainment surface bounds the region that a given share
of them attains: a tenth of the fronts looks much better than the true one.
"""

import numpy as np

import moltheory as mt
from moltheory.plotting import COLORS, axis_labels, new_axes, staircase

rng = np.random.default_rng(0)
positive = rng.random(5000) < 0.5
score = positive + rng.normal(size=5000)
alarm = score[:, None] > np.linspace(-1.5, 2.5, 100)
losses = np.stack([positive[:, None] & ~alarm, ~positive[:, None] & alarm], axis=2)
world = mt.FiniteWorld.from_examples(
    losses, objective_names=["missed", "false positives"]
)

risks = world.sample_risks(60, replicates=200, rng=0)
samples, models = np.nonzero(mt.nondominated(risks))
surfaces = mt.pareto.attainment_surfaces(
    risks[samples, models], samples, percentiles=[10, 50, 90]
)

ax = new_axes()
ax.set(xlim=(0, 0.5), ylim=(0, 0.5))
for percentile, color in zip(
    surfaces.percentiles, ("coverage", "deviation", "purity"), strict=True
):
    staircase(
        ax,
        surfaces.surface(percentile),
        color=COLORS[color],
        label=f"attained by {percentile:g}% of samples",
    )
staircase(
    ax, world.true_risks, color=COLORS["truth"], linewidth=2.5, label="true front"
)
axis_labels(ax, "missed", "false positives").legend()
ax

# %%
# The share of the samples whose front covers more than the true one does, by hypervolume: the optimism of selection.

volumes = [mt.hypervolume(sample, reference=[0.5, 0.5]) for sample in risks]
optimistic = float(
    np.mean(np.array(volumes) > mt.hypervolume(world.true_risks, reference=[0.5, 0.5]))
)
optimistic
