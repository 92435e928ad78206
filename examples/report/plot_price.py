"""
What more objectives cost
=========================

Examples needed for a given excess risk against the number of objectives: the logarithm of their number stands inside a root.
Promises for all mixtures of objectives by a cover are dear; by the union over objectives they are not.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("price")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))

# %%
# The ratio of a thousand objectives to one.

table = figure.tables(result)["price"]
table.iloc[[0, -1]]
