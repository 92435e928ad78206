"""
Weights away from zero keep decoys out
======================================

Two decoys err as often as the optimal model and cost more. A plain Chebyshev scalarization returns one of them for small
weights of the cost; a weighted sum does not, from a weight on that shrinks with n.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("weights")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
