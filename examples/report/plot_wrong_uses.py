"""
How often do guarantees fail that are used wrongly?
===================================================

The share of runs with a false claim, where at most 5% are promised. Left: a certificate for a fixed number of examples is
computed again until it decides, and a stream, which may be looked at any time. Right: limits or an order of the
configurations that come from the tested examples, and two ways that are valid: an order from a pilot, and intervals that
hold for all limits.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("wrong_uses")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
