"""Whole pictures in one call: Axes in, Axes out, in one readable style; nothing is shown, a notebook displays the result.

Each function draws on the axes it is given, or on new ones, and returns them; `theme` is "light" or "dark" for new ones.
"""

from moltheory._core._listing import public_names
from moltheory.plot._asymmetry import asymmetry
from moltheory.plot._attack import attack
from moltheory.plot._bounds import bounds
from moltheory.plot._cells import cells
from moltheory.plot._certificate import certificate
from moltheory.plot._fronts import fronts
from moltheory.plot._sweep import sweep
from moltheory.plot._theorem import theorem

__all__ = ["asymmetry", "attack", "bounds", "cells", "certificate", "fronts", "sweep", "theorem"]

__dir__ = public_names(__name__)
