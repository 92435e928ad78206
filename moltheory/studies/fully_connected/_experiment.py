"""The experiment in blocks: every network is trained once, stored, and evaluated on the test images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count, real_array
from moltheory.errors import InvalidInputError
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream, fingerprint, prepare_folder
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies._torch import require_torch
from moltheory.studies.fully_connected._images import ImageData
from moltheory.studies.fully_connected._model import HEADS, METHODS, multiply_adds, n_parameters
from moltheory.studies.fully_connected._plan import Plan, data_of_seed, labelled, network_of_seed
from moltheory.studies.fully_connected._result import Trained
from moltheory.studies.fully_connected._training import logits, pixel_statistics, train_network

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUERIES", "active_learning", "predictive_entropy", "queried", "train_all"]

QUERIES = ("random", "entropy")

_ACTIVE_METHODS = ("plain", "OJKD")
# A forward and a backward pass; the gradients of weights and of activations cost a forward pass each.
_PASSES = 3

# Place of the source, seed, labels, method, gate other than the method's.
_Net = tuple[int, int, int, str, float | None]


def train_all(plan: Plan, /, *, settings: Settings) -> Trained:
    """Train every network of a plan, with the seed, processes, progress and store of the settings.

    Refiner and OJKD are read from one training: at gate 0 the trunk and the refiner are bit for bit those of
    refiner-only training. A plan that asks for more labels than there are is refused.
    """
    require_torch()
    root, last = as_seed_sequence(settings.seed), len(plan.sources) - 1
    data = [data_of_seed(source, 0, root) for source in plan.sources]
    for one in data:
        plan.check_pool(one)
    names = [one.name.replace(" ", "_") for one in data]
    path = settings.store_for("fully_connected", "checkpoints", *names)
    checkpoints = None
    if path is not None and any(Path(source).is_dir() for source in plan.sources):
        # Networks on large data take long: they keep checkpoints beside the run folders.
        checkpoints = str(prepare_folder(path, argument="store"))
    identity = {
        "plan": fingerprint(plan),
        "data": [fingerprint([one.pool, one.pool_labels, one.test, one.test_labels]) for one in data],
    }

    def run(part: str, function: Any, blocks: list[tuple[Any, ...]], work: list[float]) -> list[Columns]:
        keys = [_key(block) for block in blocks]
        found = run_study_blocks(
            function,
            {key: (block, plan, settings.seed, checkpoints) for key, block in zip(keys, blocks, strict=True)},
            store=("fully_connected", part, *names),
            parameters=identity,
            settings=settings,
            weights=dict(zip(keys, work, strict=True)),
            needs_torch=True,
        )
        return list(found.values())

    nets: list[_Net] = [
        (place, seed, budget, method, None)
        for place in range(len(data))
        for seed in range(plan.seeds)
        for budget in plan.labels
        for method in ("plain", "OJKD", "no gate")
    ]
    nets += [(last, seed, plan.sweep_labels, "OJKD", gate) for seed in range(plan.seeds) for gate in plan.gates]
    # Long ones first, so that no process ends up with a long one alone.
    nets.sort(key=lambda net: -net[2])
    rounds = [
        (last, seed, method, query)
        for seed in range(plan.active_seeds)
        for method in _ACTIVE_METHODS
        for query in QUERIES
    ]
    trained = run("networks", network_block, nets, [float(net[2]) for net in nets])
    asked = run("active", active_block, rounds, [1.0] * len(rounds))
    networks, wrong, sweep = _network_rows(plan, data, nets, trained)
    return Trained(networks, wrong, sweep, _active_rows(data[last].name, rounds, asked))


def _key(block: tuple[Any, ...]) -> str:
    return "-".join(map(str, block)).replace(" ", "_")


def network_block(block: _Net, plan: Plan, entropy: int, checkpoints: str | None) -> Columns:
    """Train one network; return its losses by epoch and, per head, test errors by image and mean cross-entropies."""
    place, seed, budget, method, gate = block
    torch, root = require_torch(), as_seed_sequence(entropy)
    data = data_of_seed(plan.sources[place], seed, root)
    chosen = labelled(data, budget, seed, root)
    images, labels = data.pool[chosen], data.pool_labels[chosen]
    network, stream = network_of_seed(data, plan, method, seed, root, gate=gate)
    checkpoint = None if checkpoints is None else Path(checkpoints) / f"{_key(block)}.pt"
    history = train_network(network, images, labels, recipe=plan.recipe, rng=stream, checkpoint=checkpoint)
    statistics = pixel_statistics(images)

    def loss(outputs: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        found = torch.nn.functional.cross_entropy(torch.from_numpy(outputs).double(), torch.tensor(targets))
        return np.array(found.item())

    found: Columns = {"history": history}
    for head in network.heads:
        test = logits(network, data.test, head=head, statistics=statistics)
        train = logits(network, images, head=head, statistics=statistics)
        found[f"wrong_{head}"] = test.argmax(axis=1) != data.test_labels
        found[f"loss_{head}"] = loss(test, data.test_labels)
        found[f"train_loss_{head}"] = loss(train, labels)
    return found


def active_block(block: tuple[int, int, str, str], plan: Plan, entropy: int, _: str | None) -> Columns:
    """Run active learning of one method and query on one seed."""
    place, seed, method, query = block
    root = as_seed_sequence(entropy)
    return active_learning(
        data_of_seed(plan.sources[place], seed, root), plan, method=method, query=query, seed=seed, root=root
    )


def active_learning(
    data: ImageData, plan: Plan, /, *, method: str, query: str, seed: int, root: np.random.SeedSequence
) -> Columns:
    """Label a few images, train, query the labels of others, and train again from the start, for some rounds.

    The first labels are the same for every method and query, and so is the start of every network. Returns ``labels``
    and ``test_error`` per round, and ``order``, the places in the pool as they were labelled.
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


def predictive_entropy(outputs: npt.ArrayLike, /) -> FloatArray:
    """Return the entropy in nats, in [0, log K], of the softmax of logits (n, K)."""
    from scipy.special import entr, softmax

    z = real_array("outputs", outputs, shape="(n, K)", min_ndim=2, max_ndim=2)
    return np.asarray(entr(softmax(z, axis=1)).sum(axis=1))


def queried(
    unlabelled: npt.NDArray[np.intp], count: int, /, *, entropy: npt.ArrayLike | None, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Return `count` of the unlabelled places: those of largest entropy, of equal ones the first; at random if None."""
    if check_count("count", count) > len(unlabelled):
        raise InvalidInputError(f"`count` must be at most {len(unlabelled)}, the images without label, got {count}.")
    if entropy is None:
        return rng.permutation(unlabelled)[:count]
    values = real_array("entropy", entropy, shape="(u,)", min_ndim=1, max_ndim=1)
    if values.shape != unlabelled.shape:
        raise InvalidInputError(f"`entropy` must have {len(unlabelled)} entries, got {len(values)}.")
    return unlabelled[np.argsort(-values, kind="stable")[:count]]


def _network_rows(
    plan: Plan, data: list[ImageData], nets: list[_Net], parts: list[Columns]
) -> tuple[pd.DataFrame, Mapping[tuple[str, str, int, int], npt.NDArray[np.bool_]], pd.DataFrame]:
    import pandas as pd

    networks, sweep, wrong = [], [], {}
    costs = [_costs(one, plan) for one in data]
    for (place, seed, budget, method, gate), part in zip(nets, parts, strict=True):
        name = data[place].name
        if place == len(data) - 1 and budget == plan.sweep_labels and method != "plain":
            row: dict[str, Any] = {"data": name, "gate": METHODS[method][2] if gate is None else gate, "seed": seed}
            for head in HEADS:
                row |= {f"error_{head}": float(part[f"wrong_{head}"].astype(np.bool_).mean())}
                row |= {f"{key}_{head}": float(part[f"{key}_{head}"]) for key in ("loss", "train_loss")}
            sweep.append(row)
        # Another gate than 0 and 1 is a method of its own, that of OJKD otherwise.
        read = {one: one for one in (("OJKD", "refiner") if method == "OJKD" else (method,))}
        for one, like in (read if gate is None else {f"g = {gate:g}": "OJKD"}).items():
            head = METHODS[like][1]
            errors = part[f"wrong_{head}"].astype(np.bool_)
            wrong[name, one, budget, seed] = errors
            parameters, products = costs[place][like]
            networks.append(
                {
                    "data": name,
                    "method": one,
                    "labels": budget,
                    "seed": seed,
                    "test_error": float(errors.mean()),
                    "test_loss": float(part[f"loss_{head}"]),
                    "train_loss": float(part[f"train_loss_{head}"]),
                    "inference_parameters": parameters,
                    "training_cost": float(_PASSES * products * budget * plan.recipe.epochs),
                }
            )
    return (
        pd.DataFrame(networks).sort_values(["data", "labels", "method", "seed"], ignore_index=True),
        wrong,
        pd.DataFrame(sweep).sort_values(["gate", "seed"], ignore_index=True),
    )


def _active_rows(data: str, blocks: list[tuple[int, int, str, str]], parts: list[Columns]) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {"data": data, "method": method, "query": query, "seed": seed, "labels": labels, "test_error": error}
        for (_, seed, method, query), part in zip(blocks, parts, strict=True)
        for labels, error in zip(part["labels"].tolist(), part["test_error"].tolist(), strict=True)
    ]
    return pd.DataFrame(rows).sort_values(["method", "query", "seed", "labels"], ignore_index=True)


def _costs(data: ImageData, plan: Plan) -> dict[str, tuple[int, int]]:
    """Per method: parameters at test time, and multiply-adds of a forward pass of everything that is trained."""
    found = {}
    for method, (heads, used, _) in METHODS.items():
        network, _ = network_of_seed(data, plan, method, 0, np.random.SeedSequence(0))
        trunk = multiply_adds(network.backbone, data.shape)
        products = trunk + sum(multiply_adds(network.heads[head], (network.n_features,)) for head in heads)
        found[method] = (n_parameters(network.inference(used)), products)
    return found
