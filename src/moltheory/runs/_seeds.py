"""Random streams keyed by name, size and block, after SPEC 7 of the Scientific Python project.

A stream depends on the seed and on its key only, never on the order in which blocks run.
"""

from __future__ import annotations

import hashlib
import numbers

import numpy as np

from moltheory._core._validation import check_count
from moltheory.errors import InvalidInputError

__all__ = ["RandomSource", "as_seed_sequence", "block_stream"]

RandomSource = int | np.random.SeedSequence | np.random.Generator | None


def as_seed_sequence(rng: RandomSource) -> np.random.SeedSequence:
    """Turn any accepted source of randomness into a seed sequence.

    Parameters
    ----------
    rng : int, numpy.random.SeedSequence, numpy.random.Generator or None
        An int is a seed (>= 0); a Generator is asked for 128 bits, which advances it; None takes fresh
        entropy from the operating system.

    Returns
    -------
    numpy.random.SeedSequence

    Raises
    ------
    InvalidInputError
        If `rng` is of another kind, or a negative int.

    Examples
    --------
    >>> as_seed_sequence(7).entropy
    7
    """
    if rng is None:
        return np.random.SeedSequence()
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(rng.integers(2**32, size=4).tolist())
    if isinstance(rng, numbers.Integral):
        return np.random.SeedSequence(check_count("rng", rng, low=0))
    raise InvalidInputError(f"`rng` must be an int, SeedSequence, Generator or None, got {type(rng).__name__}.")


def block_stream(root: np.random.SeedSequence, key: str, *path: int) -> np.random.Generator:
    """Return the generator of one block of work.

    Parameters
    ----------
    root : numpy.random.SeedSequence
        The run's seed.
    key : str
        What is computed, for example a problem's name.
    *path : int
        Where the block is, for example the sample size and the number of the block; each >= 0.

    Returns
    -------
    numpy.random.Generator
        The same for the same arguments on every machine; independent for different ones.

    Examples
    --------
    >>> root = as_seed_sequence(0)
    >>> a, b = block_stream(root, "two_coins", 100, 0), block_stream(root, "two_coins", 100, 0)
    >>> bool(a.random() == b.random())
    True
    """
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    words = (int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big"))
    # Two words each, so that no two paths share their list of 32-bit words.
    steps = tuple(word for step in path for word in divmod(step, 2**32))
    child = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, *words, *steps))
    return np.random.default_rng(child)
