"""
A decoy on the empirical front
==============================

One model is best in both objectives. Two decoys have error 1/2 in truth, and cost more. In a sample of 25 examples one of
them is lucky, and appears on the empirical front.
"""

import moltheory as mt

world = mt.problems.mirrored_decoys()
mt.plot.fronts(world, 25, rng=1)

# %%
# The decoys err on opposite examples, so for odd n one of them is lucky in *every* sample. The probability is exact:
# all samples of 25 examples are enumerated.

probability = world.exact(25).probability(
    lambda risks: mt.nondominated(risks)[:, 1:].any(axis=1)
)
probability
