"""The bundled data sets as populations, trained once per process for all figures."""

from __future__ import annotations

import functools

from moltheory.problems import FinitePopulation, from_dataset

__all__ = ["data_set"]


@functools.cache
def data_set(name: str) -> FinitePopulation:
    """Return `from_dataset` of a name; the figures share it and do not change it."""
    return from_dataset(name)
