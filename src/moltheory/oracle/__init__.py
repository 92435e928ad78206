"""The exact oracle: every event's probability as a finite sum over sample types.

A sample of size n from a population of s outcomes matters only through its *type*, the counts of the
outcomes. There are C(n + s - 1, s - 1) types with multinomial probabilities, so any probability and any
expectation is a finite sum: exact in rationals for small cases, floats with a certified error for larger ones.
"""

from moltheory._core._listing import public_names
from moltheory.oracle._enumeration import TypeEnumeration
from moltheory.oracle._types import count_types, types_by_rank

__all__ = ["TypeEnumeration", "count_types", "types_by_rank"]

__dir__ = public_names(__name__)
