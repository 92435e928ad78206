"""
How loose are distribution-free widths?
=======================================

Above: the guaranteed half-width of three data sets, relative to the deviation that 95% of the samples stay below, and the
exact probability of failure in a world of four models against the level that was promised. Below: what half-widths that
depend on the model, bounds for posteriors that use variances, and bounds for members of a class gain against uniform ones,
and half-widths of infinite classes.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("tightness")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
