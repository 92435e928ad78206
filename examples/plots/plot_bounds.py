"""
Which bound is sharpest?
========================

Every bound that applies to 80 errors of one model on 1,000 examples, as intervals around the estimate. Pale bars say
nothing that was not known before.
"""

import moltheory as mt

table = mt.bounds.applicable_bounds(n=1000, errors=80)
mt.plot.bounds(table, estimate=0.08)
