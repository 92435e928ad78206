"""
The asymmetry on real data
==========================

300 classifiers of breast tumors, trained once. Half of the data set is the population, so that true risks are known:
false-negative rate, false-positive rate and the share of features used. Bands reach from the 5% to the 95% quantile over
samples.
"""

import moltheory as mt

problem = mt.problems.from_dataset("breast_cancer")
table = mt.experiments.asymmetry(
    problem, sizes=[100, 300, 1000, 3000, 10_000], replicates=50, rng=0
)
mt.plot.asymmetry(table)

# %%
# The coverage error is at most twice the largest deviation, in every single sample.

bool((table["coverage_error"] <= 2 * table["uniform_deviation"]).all())
