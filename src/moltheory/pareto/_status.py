"""What a dominance kernel says of one set of points."""

from __future__ import annotations

__all__ = ["DENSE", "EXACT", "FULL", "NAN", "NAN_FOUND"]

# The mask is exact; the archive was full, so the mask is a superset of the answer; the set looked dense, so
# nothing was decided; the set holds NaN.
EXACT, FULL, DENSE, NAN = 0, 1, 2, 3

NAN_FOUND = "`points` must not contain NaN, got at least one."
