"""
Avoiding conflicts has a price
==============================

Two regression tasks whose gradients differ fourfold in size are learned by stochastic descent with dynamic weights
(MoDo). A rate for the weights that is neither zero nor large brings the direction closest to the one that avoids
conflicts, and makes the result depend more on single examples. More steps optimize better, and generalize worse.
"""

import numpy as np

import moltheory as mt

problem = mt.problems.MultiTaskLeastSquares(
    [np.eye(3), 4 * np.eye(3)], [[1, 0, 0], [0, 0, 1]], noise=[0.2, 0.2]
)
rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]
table = mt.experiments.three_way_trade_off(
    problem,
    sizes=[20],
    replicates=75,
    rng=0,
    learning_rates=[0.003],
    weight_rates=[0, *rates, np.inf],
    steps=[30, 100, 300],
)
means = table.groupby(["steps", "weight_rate"]).mean()

# %%
# Each error against the rate of the weights. Dashed lines are static weights. Dotted ones are those of MGDA, computed
# from the whole sample in every step, for which the directions agree.

panels = {
    "optimization": "Optimization: least gradient norm",
    "generalization": "Generalization: that in truth, minus it",
    "stability": "Instability: one other example",
    "conflict": "Conflict: distance of directions",
}
colors = {30: "#9ecae1", 100: "#4292c6", 300: "#084594"}
figure, axes = mt.plotting.panels(4)
for ax, (name, title) in zip(axes, panels.items(), strict=True):
    for steps, color in colors.items():
        line = means.loc[steps, name]
        ax.plot(rates, line.loc[rates], marker="o", color=color, label=f"{steps} steps")
        ax.axhline(line.loc[0.0], color=color, linestyle="--", linewidth=1)
        if name != "conflict":
            ax.axhline(line.loc[np.inf], color=color, linestyle=":", linewidth=1)
    ax.set(xscale="log", xlabel="rate of the weights")
    ax.set_title(title)
axes[3].set_yscale("log")
axes[0].plot([], [], color="gray", linestyle="--", label="static")
axes[0].plot([], [], color="gray", linestyle=":", label="MGDA")
axes[0].legend(ncols=2, loc="center", bbox_to_anchor=(0.5, 0.72))
axes

# %%
# The means after 300 steps:

means.loc[300, list(panels)].round(3)
