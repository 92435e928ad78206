"""
How much do bounds of infinite classes give away?
=================================================

Half-widths at confidence 95%, over the 95% quantile of the deviation that they bound, in populations where it can be
simulated exactly. A ratio of one would be perfect. Chaining is for classes for which nothing better is known: where the
complexity has a formula, as for linear functions, it loses more than a factor of three.
"""

from functools import partial

import numpy as np

import moltheory as mt
from moltheory import bounds

sizes = np.array([100, 300, 1000, 3000, 10_000, 30_000])
rng, runs, delta = np.random.default_rng(0), 1000, 0.05


def linear_deviation(n, d=5):
    """Largest over the unit ball; inputs are uniform on the 2d unit vectors."""
    counts = rng.multinomial(n, np.full(2 * d, 0.5 / d), size=runs)
    return np.linalg.norm(counts[:, :d] - counts[:, d:], axis=1) / n


def lipschitz_deviation(n):
    """Largest over 1-Lipschitz functions on [0, 1]: area between distribution functions."""
    points = np.sort(rng.random((200, n)))
    return np.abs(points - (np.arange(n) + 0.5) / n).mean(axis=1)


def margin_deviation(n, d=20):
    """Largest error rate minus ramp loss for random labels: each input votes for its own."""
    cells = rng.multinomial(n, np.full(d, 1 / d), size=runs)
    wrong = rng.binomial(cells, 0.5)
    return 0.5 - np.minimum(wrong, cells - wrong).sum(axis=1) / n


def learned_deviation(n):
    """At the minimiser of a linear loss with penalty 0.5."""
    return (2 * rng.binomial(n, 0.5, size=runs) / n - 1) ** 2


# %%
# The ratios. Deviations of Lipschitz functions are distances of order statistics from their places, which leaves out terms
# of order 1/n.

ball = {"weight_norm": 1, "input_norm": 1}
entropy = partial(bounds.linear_metric_entropy, dimension=5, **ball)


def chained(n):
    complexity = bounds.dudley_complexity(entropy, n, radius=1)
    return bounds.rademacher(n, complexity=complexity, delta=delta, loss_range=2)


compared = {
    "linear": (
        lambda n: bounds.linear_class(
            n, lipschitz=1, delta=delta, loss_range=2, **ball
        ),
        linear_deviation,
    ),
    "linear, by chaining": (chained, linear_deviation),
    "Lipschitz on [0, 1]": (
        lambda n: bounds.lipschitz_class(n, lipschitz=1, dimension=1, delta=delta),
        lipschitz_deviation,
    ),
    "margins": (
        lambda n: bounds.margin_class(n, margin=20**-0.5, delta=delta, **ball),
        margin_deviation,
    ),
}
ratios = {
    name: [float(width(int(n))) / np.quantile(draw(n), 0.95) for n in sizes]
    for name, (width, draw) in compared.items()
}
ax = mt.plotting.new_axes(size=(7, 4))
for name, line in ratios.items():
    ax.plot(sizes, line, marker="o", label=name)
ax.axhline(1, color="gray", linewidth=1)
mt.plotting.log_sizes(ax)
ax.set(yscale="log", ylim=(0.8, 60))
ax.set_title("Half-width over what it bounds")
ax.legend(ncols=2, loc="upper left")
ax

# %%
# Stability is another matter: here the gap at the learned hypothesis is of order 1/n, and the bound of order
# :math:`n^{-1/2}`, as that of a single mean.

stable = {
    int(n): float(
        bounds.regularized_sum(
            n, weights=[1], penalty=0.5, lipschitz=1, delta=delta, loss_range=2
        )
    )
    / np.quantile(learned_deviation(n), 0.95)
    for n in sizes
}
{n: round(ratio, 1) for n, ratio in stable.items()}
