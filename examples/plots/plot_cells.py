"""
Which weight returns which model?
=================================

The weighted sum of each model against the first weight. The lowest line wins, and the interval of weights for which it
does is the model's weight cell. Pale parts are not certain when risks are known within a half-width of .02.
"""

import moltheory as mt

models = {
    "fast": (0.30, 0.02),
    "middle": (0.14, 0.10),
    "careful": (0.05, 0.30),
    "between": (0.26, 0.16),
}
mt.plot.cells(
    list(models.values()),
    widths=0.02,
    names=list(models),
    objectives=["error", "delay"],
)
