"""
A front found by scalarizations
===============================

Weighted sums with 21 weights, and the points that they reach. Weighted sums miss the parts of a front that are not convex;
the augmented Chebyshev scalarization below reaches them too.
"""

import moltheory as mt
from moltheory.scalarization import Chebyshev, WeightedSum, simplex_grid

world = mt.problems.reference_world()
weights = simplex_grid(2, 20)
sums = mt.solve_front(world.true, scalarizations=[WeightedSum(w) for w in weights])
mt.plot.sweep(sums)

# %%
# The same weights with another scalarization.

chebyshev = mt.solve_front(
    world.true, scalarizations=[Chebyshev(w, augmentation=0.01) for w in weights]
)
mt.plot.sweep(chebyshev)
