"""
Strongly convex objectives: both errors shrink
==============================================

One linear predictor for two regression tasks. The fronts of samples, in true risks, close in on the true front, since a
predictor that is nearly as good in every objective is nearly the same predictor.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("least_squares")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))

# %%
# How fast the purity error falls, on average over samples.

errors = figure.tables(result)["errors_by_size"]
errors[["size", "coverage_error", "purity_error"]].round(4)
