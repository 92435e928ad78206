"""
Coverage error vanishes, purity error stays
===========================================

Both errors against the number of examples, in the world of the mirrored decoys. Lines are exact expectations over all
samples; marks are means of 300 simulated samples with 95% intervals. The coverage error is exactly zero here, and the
purity error does not shrink, although every risk is estimated better and better.
"""

import moltheory as mt

world = mt.problems.mirrored_decoys()
sizes = [3, 11, 31, 101, 301]
exact = mt.experiments.exact_errors(world, sizes=sizes)
simulated = mt.experiments.asymmetry(world, sizes=sizes, replicates=300, rng=0)
mt.plot.asymmetry(simulated, exact=exact)
