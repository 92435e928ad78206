"""
Four worlds: the coverage error obeys its bound, the purity error need not shrink
=================================================================================

Expected errors against the number of examples in four small worlds, exactly (lines) and simulated (marks). The coverage
error is at most twice the largest deviation in every sample. The purity error stays in three of the worlds; it vanishes only
where no decoy is nearly tied.
"""

from moltheory.figures import Settings, get_figure

figure = get_figure("worlds")
result = figure.compute(Settings(quick=True))
figure.plot(result)

# %%
# What is seen, in numbers of this run:

print(figure.caption(result))
