"""
Which interval for one mean?
============================

Two-sided intervals that may fail with probability 5%. Left: how often each fails in the worst case, exactly. The exact
interval of Clopper and Pearson is narrowest for losses of 0 and 1, betting for others.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("intervals")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
