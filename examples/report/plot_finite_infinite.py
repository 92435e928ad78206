"""
From ten models to infinitely many
==================================

Least squares for two tasks, over finite sets of linear models and over all of them. The more models there are, the later the
empirical front is exact; but the purity error falls in each class.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("finite_infinite")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
