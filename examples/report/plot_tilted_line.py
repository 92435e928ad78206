"""
A whole segment of bad models looks optimal in half of the samples
==================================================================

All models have the same true error, and only the cheapest is optimal. A sample tilts the line of their empirical errors; if
it tilts to the left, every model looks optimal.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("tilted_line")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))

# %%
# The expected purity error, exactly, for odd sizes.

table = figure.tables(result)["exact"]
table[["size", "coverage_error", "purity_error"]]
