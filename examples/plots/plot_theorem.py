"""
Does a theorem keep its promise?
================================

Every statement of the ledger can be checked on a world whose truth is known, here the one about the coverage error. Left:
the exact probability that its half-widths fail, against the level 0.1 that was promised. Right: how far the statement is
from being violated; it never is.
"""

import moltheory as mt

world = mt.problems.reference_world()
forward = mt.theorems.ledger()["forward"]
mt.plot.theorem(forward, world, [3, 10, 30, 60], delta=0.1)
