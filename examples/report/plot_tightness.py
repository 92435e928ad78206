"""
How loose are distribution-free widths?
=======================================

Left: the guaranteed half-width of three data sets, relative to the deviation that 95% of the samples stay below. Right: the
exact probability of failure in a world of four models, against the level that was promised.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("tightness")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
