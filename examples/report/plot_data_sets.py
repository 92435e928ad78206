"""
Both errors on four data sets
=============================

Models trained on one half of each table; samples are drawn from the other half, so that true risks are known. The coverage
error falls everywhere, and the purity error does not: some models that are not optimal are tied exactly.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("data_sets")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))

# %%
# Models that are not optimal and still selected in at least 5% of the largest samples, by problem.

figure.tables(result)["staying"]
