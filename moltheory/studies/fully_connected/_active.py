"""Active learning: label a few images, train, ask for the labels of others, train again from the start."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count, real_array
from moltheory.errors import InvalidInputError
from moltheory.runs import block_stream
from moltheory.studies.fully_connected._images import ImageData
from moltheory.studies.fully_connected._networks import METHODS
from moltheory.studies.fully_connected._plans import Plan, labelled, network_of_seed
from moltheory.studies.fully_connected._training import logits, pixel_statistics, train_network

__all__ = ["QUERIES", "active_learning", "predictive_entropy", "queried"]

QUERIES = ("random", "entropy")


def predictive_entropy(outputs: npt.ArrayLike, /) -> FloatArray:
    """Return the entropy in nats of the softmax of logits.

    Parameters
    ----------
    outputs : (n, K) array_like

    Returns
    -------
    (n,) ndarray
        In [0, log K].

    Examples
    --------
    >>> predictive_entropy([[0.0, 0.0], [1000.0, 0.0]])
    array([0.69314718, 0.        ])
    """
    z = real_array("outputs", outputs, shape="(n, K)", min_ndim=2, max_ndim=2)
    z = z - z.max(axis=1, keepdims=True)
    weights = np.exp(z)
    total = weights.sum(axis=1)
    entropy: FloatArray = np.log(total) - (weights * z).sum(axis=1) / total
    return np.maximum(entropy, 0.0)


def queried(
    unlabelled: npt.NDArray[np.intp], count: int, /, *, entropy: npt.ArrayLike | None, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Choose which images to ask about: those of largest entropy, or at random.

    Parameters
    ----------
    unlabelled : (u,) ndarray of int
        Places in the pool.
    count : int
        At most u.
    entropy : (u,) array_like, optional
        Of the predictions; None asks at random. Of equal ones the first is taken.
    rng : numpy.random.Generator

    Returns
    -------
    (count,) ndarray of int

    Raises
    ------
    InvalidInputError
        If there are too few images, or not one entropy per image.

    Examples
    --------
    >>> queried(np.array([3, 5, 9]), 2, entropy=[0.1, 0.7, 0.2], rng=np.random.default_rng(0))
    array([5, 9])
    """
    if check_count("count", count) > len(unlabelled):
        raise InvalidInputError(f"`count` must be at most {len(unlabelled)}, the images without label, got {count}.")
    if entropy is None:
        return rng.permutation(unlabelled)[:count]
    values = real_array("entropy", entropy, shape="(u,)", min_ndim=1, max_ndim=1)
    if values.shape != unlabelled.shape:
        raise InvalidInputError(f"`entropy` must have {len(unlabelled)} entries, got {len(values)}.")
    return unlabelled[np.argsort(-values, kind="stable")[:count]]


def active_learning(
    data: ImageData, plan: Plan, /, *, method: str, query: str, seed: int, root: np.random.SeedSequence
) -> dict[str, npt.NDArray[np.generic]]:
    """Run the loop: the first labels are the same for every method and query, and so is every network's start.

    Parameters
    ----------
    data : ImageData
    plan : Plan
        Its `active_start`, `active_step`, `active_rounds` and recipe.
    method : str
        Of `METHODS`; its inference network is asked.
    query : {"random", "entropy"}
    seed : int
    root : numpy.random.SeedSequence

    Returns
    -------
    dict of str to ndarray
        ``labels`` and ``test_error`` per round, and ``order``, the places in the pool as they were labelled.

    Raises
    ------
    InvalidInputError
        If a name is unknown, or the pool is too small.
    """
    check_choice("method", method, METHODS)
    check_choice("query", query, QUERIES)
    plan.check_pool(data)
    head = METHODS[method][1]
    chosen = labelled(data, plan.active_start, seed, root)
    errors, sizes = [], []
    for turn in range(plan.active_rounds):
        network, stream = network_of_seed(data, plan, method, seed, root)
        images, labels = data.pool[chosen], data.pool_labels[chosen]
        train_network(network, images, labels, recipe=plan.recipe, rng=stream)
        statistics = pixel_statistics(images)
        test = logits(network, data.test, head=head, statistics=statistics)
        sizes.append(len(chosen))
        errors.append(np.mean(test.argmax(axis=1) != data.test_labels))
        if turn + 1 < plan.active_rounds:
            rest = np.setdiff1d(np.arange(len(data.pool)), chosen)
            entropy = None
            if query == "entropy":
                entropy = predictive_entropy(logits(network, data.pool[rest], head=head, statistics=statistics))
            asked = queried(rest, plan.active_step, entropy=entropy, rng=block_stream(root, "query", seed, turn))
            chosen = np.concatenate([chosen, asked])
    return {"labels": np.array(sizes), "test_error": np.array(errors), "order": chosen}
