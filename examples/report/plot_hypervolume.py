"""
Hypervolume does not see wrong members
======================================

Hypervolume measures what a front covers. A member that is dominated adds nothing and removes nothing, so a front can be
complete by this measure and still contain spurious members.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("hypervolume")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
