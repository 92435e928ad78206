"""Relations between models: consequences of dominance by transitivity, and chains of dominators."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["acyclic", "closed"]

Bools = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

# Number of models from which loading numba pays for transitivity.
_COMPILE_FROM = 1000


def closed(direct: Bools) -> Bools:
    """Return the claims and their consequences by transitivity, without contradictions."""
    reach = _closed_by_words(direct) if direct.shape[0] >= _COMPILE_FROM else _closed_by_products(direct)
    reach &= ~reach.T
    np.fill_diagonal(reach, False)
    return reach


def _closed_by_products(direct: Bools) -> Bools:
    reach = direct.copy()
    while True:
        count = reach.astype(np.float32)
        further = reach | ((count @ count) > 0.0)
        if (further == reach).all():
            return further
        reach = further


def _closed_by_words(direct: Bools) -> Bools:
    from moltheory.inference._pair_kernels import close

    size = direct.shape[0]
    words = np.zeros((size, -(-size // 64) * 8), np.uint8)
    words[:, : -(-size // 8)] = np.packbits(direct, axis=1, bitorder="little")
    packed = words.view("<u8").astype(np.uint64)
    close(packed)
    return np.unpackbits(packed.astype("<u8").view(np.uint8), axis=1, bitorder="little")[:, :size].view(np.bool_)


def acyclic(excluded_by: IntArray) -> tuple[IntArray, Bools]:
    """Return the dominator of each model (-1 = none) without those that only go round in circles, and who has one.

    Following dominators must end at a model without one: claims in a circle contradict each other.
    """
    n_models = excluded_by.size
    ends = np.where(excluded_by < 0, np.arange(n_models), excluded_by)
    for _ in range(max(n_models - 1, 1).bit_length()):
        ends = ends[ends]
    kept = (excluded_by >= 0) & (excluded_by[ends] < 0)
    return np.where(kept, excluded_by, -1), kept
