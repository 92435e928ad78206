"""
However large n is, some decoy stays on the front
=================================================

A decoy costs more and errs more often by a gap. Every fixed gap is detected in the end, but at every n some gap is too
small: the purity error has no rate that holds for all populations.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("near_tie")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
