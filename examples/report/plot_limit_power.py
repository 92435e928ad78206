"""
How many configurations can be certified?
=========================================

The share of the configurations that meet a limit and are certified to do so, against the number of examples. The
order of the tests is known beforehand, comes from a pilot, or does not matter; or limits are chosen after looking.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("limit_power")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
