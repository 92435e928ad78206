"""Active learning: label a few images, train, choose others to label, and train again from the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_choice
from moltheory.images import ImageData
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns
from moltheory.studies.fully_connected._loss_prediction import LossPredictor
from moltheory.studies.fully_connected._model import METHODS, HeadedNetwork
from moltheory.studies.fully_connected._plan import (
    QUERIES,
    Plan,
    augmentation_for,
    data_of_seed,
    labelled,
    network_of_seed,
)
from moltheory.studies.fully_connected._queries import core_set, predictive_entropy, queried
from moltheory.studies.fully_connected._training import evaluated, logits, pixel_statistics, train_network

__all__ = ["ACTIVE_METHODS", "active_block", "active_learning", "column_of"]

ACTIVE_METHODS = ("plain", "OJKD")

# A trained network, and what predicts its losses if anything does.
_Trained = tuple[HeadedNetwork, LossPredictor | None]


def active_block(block: tuple[int, int, str], plan: Plan, machine: Machine, entropy: int) -> Columns:
    """Run active learning of one method on one seed with every query of the plan; names begin with the query."""
    place, seed, method = block
    root = as_seed_sequence(entropy)
    data = data_of_seed(plan.sources[place], seed, root)
    found: Columns = {}
    first: dict[bool, _Trained] = {}
    for query in plan.queries:
        run = active_learning(
            data, plan, method=method, query=query, seed=seed, root=root, machine=machine, first=first
        )
        found |= {column_of(query, name): values for name, values in run.items()}
    return found


def column_of(query: str, name: str) -> str:
    """Return the name in a store of what one query brought."""
    return f"{query.replace('-', '_')}_{name}"


def active_learning(
    data: ImageData,
    plan: Plan,
    /,
    *,
    method: str,
    query: str,
    seed: int,
    root: np.random.SeedSequence,
    machine: Machine | None = None,
    first: dict[bool, Any] | None = None,
) -> Columns:
    """Label a few images, train, query the labels of others, and train again from the start, for some rounds.

    The first labels are the same for every method and query, and so is the start of every network. `first` keeps the
    networks of the first round for further queries. Returns ``labels``, ``test_error`` and ``train_accuracy`` per
    round, and ``order``, the places in the pool as they were labelled.
    """
    check_choice("method", method, METHODS)
    check_choice("query", query, QUERIES)
    plan.check_pool(data)
    head = METHODS[method][1]
    chosen = labelled(data, plan.active_start, seed, root)
    known = {} if first is None else first
    errors, accuracies, sizes = [], [], []
    for turn in range(plan.active_rounds):
        images, labels = data.pool[chosen], data.pool_labels[chosen]
        predicts = query == "learning-loss"
        trained = known.get(predicts) if turn == 0 else None
        if trained is None:
            trained = _train(data, plan, images, labels, method, seed, root, predicts, machine)
        if turn == 0:
            known[predicts] = trained
        network = trained[0]
        about: dict[str, Any] = {"statistics": pixel_statistics(images), "machine": machine}
        sizes.append(len(chosen))
        errors.append(np.mean(logits(network, data.test, head=head, **about).argmax(axis=1) != data.test_labels))
        accuracies.append(np.mean(logits(network, images, head=head, **about).argmax(axis=1) == labels))
        if turn + 1 < plan.active_rounds:
            rng = block_stream(root, "query", seed, turn)
            chosen = np.concatenate([chosen, _asked(data, chosen, plan.active_step, query, trained, head, about, rng)])
    return {
        "labels": np.array(sizes),
        "test_error": np.array(errors),
        "train_accuracy": np.array(accuracies),
        "order": chosen,
    }


def _train(
    data: ImageData,
    plan: Plan,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    method: str,
    seed: int,
    root: np.random.SeedSequence,
    predicts: bool,
    machine: Machine | None,
) -> _Trained:
    network, stream = network_of_seed(data, plan, method, seed, root, backbone=plan.active_backbone)
    predictor = LossPredictor(network, data.shape, head=METHODS[method][1], rng=stream) if predicts else None
    train_network(
        network,
        images,
        labels,
        recipe=plan.recipe,
        rng=stream,
        augmentation=augmentation_for(data, plan),
        predictor=predictor,
        machine=machine,
    )
    return network, predictor


def _asked(
    data: ImageData,
    chosen: npt.NDArray[np.intp],
    count: int,
    query: str,
    trained: _Trained,
    head: str,
    about: dict[str, Any],
    rng: np.random.Generator,
) -> npt.NDArray[np.intp]:
    network, predictor = trained
    rest = np.setdiff1d(np.arange(len(data.pool)), chosen)
    if query == "core-set":
        features = evaluated(network.backbone, data.pool, **about)
        return rest[core_set(features[rest], features[chosen], count)]
    scores: npt.ArrayLike | None = None
    if query == "entropy":
        scores = predictive_entropy(logits(network, data.pool[rest], head=head, **about))
    elif predictor is not None:
        scores = evaluated(predictor.predicted(network), data.pool[rest], **about)
    return queried(rest, count, scores=scores, rng=rng)
