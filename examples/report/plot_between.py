"""
How far are the bounds from what no learner can beat?
=====================================================

Realized errors against the number of examples, between an upper and a lower bound: the coverage error of a finite class,
the excess of a linear class, and the excess with few labels and many unlabeled examples. A lower bound is about the worst
world for every learner, an upper bound about one learner in every world.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("between")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))

# %%
# The numbers of the first panel:

print(figure.tables(result)["finite"].head())
