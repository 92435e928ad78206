"""
The counterexample to a false statement
=======================================

The coverage error is at most twice the half-width. Is the factor two needed? Halve the half-widths, and let
:func:`moltheory.theorems.falsify` search: it finds risks for which the halved statement fails.
"""

from dataclasses import replace

import moltheory as mt

forward = mt.theorems.ledger()["forward"]
halved = replace(
    forward,
    source="this page",
    provenance="conjecture",
    proof="",
    violation=lambda true, empirical, widths: forward.violation(
        true, empirical, 0.5 * widths
    ),
)
attack = mt.theorems.falsify(halved, budget=500, rng=0)
mt.plot.attack(attack, theorem=halved)

# %%
# The true statement survives the same attack.

mt.theorems.falsify(forward, budget=500, rng=0)
