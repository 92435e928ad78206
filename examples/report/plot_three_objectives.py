"""
What one sample selects among 179 classifiers
=============================================

Classifiers of handwritten digits with three objectives: error, error of the worst class, and size. One mark per model:
found, missed, or on the empirical front without being optimal.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("three_objectives")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
