"""Widths: how far empirical risks can be from true ones, with which failure probability.

``delta`` is the total failure probability over all hypotheses and all data-dependent objectives at once.
"""

from moltheory.bounds.bound import Bound
from moltheory.bounds.finite import conditional_rate, finite_class

__all__ = ["Bound", "conditional_rate", "finite_class"]
