"""
A flat direction breaks the converse
====================================

With curvature in every direction the purity error of an infinite class goes to zero. With one flat direction it does not,
unless weights stay away from zero.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("infinite_classes")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
