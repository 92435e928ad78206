"""
Half-widths against the number of examples
==========================================

Uniform bounds for classes of growing size, for two objectives at once. A half-width above the range of the loss is vacuous,
and drawn pale.
"""

import moltheory as mt

delta = 0.05
curves = {
    "10 models": lambda n: mt.bounds.finite_class(
        n, n_hypotheses=10, delta=delta, n_objectives=2
    ),
    "1,000,000 models": lambda n: mt.bounds.finite_class(
        n, n_hypotheses=10**6, delta=delta, n_objectives=2
    ),
    "VC dimension 3": lambda n: mt.bounds.vc(
        n, dimension=3, delta=delta, n_objectives=2
    ),
    "VC dimension 100": lambda n: mt.bounds.vc(
        n, dimension=100, delta=delta, n_objectives=2
    ),
}
mt.plot.bounds(curves, n=[100, 300, 1000, 3000, 10_000, 30_000, 100_000])
