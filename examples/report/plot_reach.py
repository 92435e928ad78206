"""
Which points of a front can a scalarization return?
===================================================

A front with a part that is not convex. A weighted sum returns only points on its lower convex hull; Chebyshev
scalarizations and the epsilon-constraint method return all of them.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("reach")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))

# %%
# The share of the points that each returns.

shares = figure.tables(result)["shares"]
shares
