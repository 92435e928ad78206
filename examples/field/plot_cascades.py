"""
Cascades of language models: how often is a naive front wrong?
==============================================================

A cascade asks a cheap model first and a dear one where the cheap one is unsure. Thresholds of such cascades trade accuracy
for cost, and a front of them is easily drawn. Here the population is generated, so the truth is known, and one can count:
of 200 evaluations with 1,000 questions each, how many draw a front with a wrong member?
"""

import numpy as np
from scipy.special import expit

import moltheory as mt

rng = np.random.default_rng(0)
hardness = rng.normal(scale=1.5, size=20_000)
ability = {"small": 0.3, "medium": 1.2, "large": 1.9}
price = {"small": 0.05, "medium": 0.3, "large": 1.0}
right = {
    name: rng.random(20_000) < expit(level - hardness)
    for name, level in ability.items()
}
confidence = {
    name: expit(ability[name] - hardness + rng.normal(scale=0.8, size=20_000))
    for name in ability
}

errors, costs = {}, {}
for name in ability:
    errors[name], costs[name] = ~right[name], np.full(20_000, price[name])
for cheap, dear in (("small", "medium"), ("small", "large"), ("medium", "large")):
    for threshold in (0.3, 0.45, 0.6, 0.75, 0.9):
        asks = confidence[cheap] < threshold
        route = f"{cheap}>{dear} {threshold}"
        errors[route] = ~np.where(asks, right[dear], right[cheap])
        costs[route] = price[cheap] + price[dear] * asks

names = list(errors)
losses = np.stack(
    [
        np.column_stack(list(errors.values())),
        np.column_stack(list(costs.values())) / 1.3,
    ],
    axis=2,
)
world = mt.FiniteWorld.from_examples(
    losses.astype(float), objective_names=["error", "cost"]
)
truth = mt.nondominated(world.true_risks)

# %%
# One evaluation: the certificate is careful where the empirical front is not.

sample = losses[rng.integers(20_000, size=1000)]
mt.certify(sample, names=names, objectives=["error", "cost"]).plot()

# %%
# Two hundred evaluations. *Naive* takes all members of the empirical front for optimal and all others for not optimal.

naive_wrong = certificate_wrong = decided = 0
for _ in range(200):
    sample = losses[rng.integers(20_000, size=1000)]
    naive_wrong += bool((mt.nondominated(sample.mean(axis=0)) != truth).any())
    certificate = mt.certify(sample)
    certificate_wrong += bool(
        (certificate.sure & ~truth).any() or (certificate.excluded & truth).any()
    )
    decided += int((~certificate.undecided).sum())
print(f"naive front wrong in {naive_wrong} of 200 evaluations")
print(
    f"certificate wrong in {certificate_wrong} of 200, with {decided / 200 / len(names):.0%} of the models decided"
)
