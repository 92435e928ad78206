"""Losses from files, in blocks: CSV, Parquet, NPY and NPZ, with malformed rows named by their line.

Every file becomes a `LossSource`: names of models and objectives, and blocks of losses ``(b, M, N)`` in which the
rows of one cluster stay together. Files in a fitting order are never held in memory as a whole.
"""

from moltheory.certification.reading.costs import read_costs
from moltheory.certification.reading.opening import open_losses
from moltheory.certification.reading.source import LossSource

__all__ = ["LossSource", "open_losses", "read_costs"]
