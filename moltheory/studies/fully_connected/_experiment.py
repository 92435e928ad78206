"""The experiment in blocks: every network is trained once, stored, and evaluated on the test images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory.reports import Settings
from moltheory.runs import RunFolder, as_seed_sequence, fingerprint, prepare_folder, run_blocks
from moltheory.studies.fully_connected._active import QUERIES, active_learning
from moltheory.studies.fully_connected._backbones import multiply_adds, n_parameters
from moltheory.studies.fully_connected._images import ImageData
from moltheory.studies.fully_connected._networks import METHODS
from moltheory.studies.fully_connected._plans import Plan, data_of_seed, labelled, network_of_seed
from moltheory.studies.fully_connected._torch import require_torch
from moltheory.studies.fully_connected._training import logits, pixel_statistics, train_network

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Trained", "train_all"]

_ACTIVE_METHODS = ("plain", "OJKD")
# A forward and a backward pass; the gradients of weights and of activations cost a forward pass each.
_PASSES = 3


@dataclass(frozen=True)
class Trained:
    """All networks of a plan.

    Attributes
    ----------
    networks : pandas.DataFrame
        One row per network: ``data``, ``method`` (of `METHODS`, or such as ``g = 0.3`` for the plain head behind
        another gate of the sweep), ``labels``, ``seed``, ``test_error``, ``test_loss``, ``train_loss`` (cross-entropies
        in nats), ``inference_parameters``, ``training_cost`` (multiply-adds).
    wrong : dict of (data, method, labels, seed) to (n,) ndarray of bool
        Which test images it gets wrong.
    sweep : pandas.DataFrame
        One row per gate and seed: ``data``, ``gate``, ``seed`` and, of both heads, ``error_``, ``loss_`` (test) and
        ``train_loss_`` with ``refiner`` or ``plain`` after it.
    active : pandas.DataFrame
        One row per round: ``data``, ``method``, ``query``, ``seed``, ``labels``, ``test_error``.
    """

    networks: pd.DataFrame
    wrong: Mapping[tuple[str, str, int, int], npt.NDArray[np.bool_]]
    sweep: pd.DataFrame
    active: pd.DataFrame


def train_all(plan: Plan, /, *, settings: Settings) -> Trained:
    """Train every network of a plan.

    Refiner and OJKD are read from one training: at gate 0 the trunk and the refiner are bit for bit those of
    refiner-only training.

    Parameters
    ----------
    plan : Plan
    settings : Settings
        Its seed, processes, progress and store; what `quick` means is up to the plan.

    Returns
    -------
    Trained

    Raises
    ------
    InvalidInputError
        If the plan asks for more labels than there are.
    TorchMissingError
        If torch is not installed.
    """
    torch = require_torch()
    root = as_seed_sequence(settings.seed)
    data = {source: data_of_seed(source, 0, root) for source in plan.sources}
    for one in data.values():
        plan.check_pool(one)
    blocks = _blocks(plan)
    path = settings.store_for("fully_connected", *(one.name.replace(" ", "_") for one in data.values()))
    folder, checkpoints = None, None
    if path is not None:
        parameters = {
            "study": "fully connected",
            "plan": fingerprint(plan),
            "data": [fingerprint([one.pool, one.pool_labels, one.test, one.test_labels]) for one in data.values()],
            "torch": str(torch.__version__),
        }
        folder = RunFolder.open(
            path, parameters=parameters, rng=settings.seed, keys=["-".join(map(_key, block)) for block in blocks]
        )
        if any(Path(source).is_dir() for source in plan.sources):
            # Networks on large data take long: they keep checkpoints beside the run folder.
            checkpoints = str(prepare_folder(path.with_name(f"{path.name}-checkpoints"), argument="store"))
    found: list[dict[str, npt.NDArray[np.generic]]] = run_blocks(
        _train_block,
        [(block, plan, settings.seed, checkpoints) for block in blocks],
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        description="fully connected",
        weights=[_work(block, plan) for block in blocks],
        store=folder,
    )
    return _gathered(plan, data, blocks, found)


# Kind, source, seed and what the kind needs.
_Block = tuple[Any, ...]


def _blocks(plan: Plan) -> list[_Block]:
    blocks: list[_Block] = []
    for place, _ in enumerate(plan.sources):
        for seed in range(plan.seeds):
            for budget in plan.labels:
                blocks += [("net", place, seed, budget, method, None) for method in ("plain", "OJKD", "no gate")]
    last = len(plan.sources) - 1
    for seed in range(plan.seeds):
        blocks += [("net", last, seed, plan.sweep_labels, "OJKD", gate) for gate in plan.gates]
    for seed in range(plan.active_seeds):
        blocks += [("active", last, seed, method, query) for method in _ACTIVE_METHODS for query in QUERIES]
    # Long ones first, so that no process ends up with a long one alone.
    return sorted(blocks, key=lambda block: -_work(block, plan))


def _key(part: object) -> str:
    return str(part).replace(" ", "_")


def _work(block: _Block, plan: Plan) -> float:
    if block[0] == "net":
        return float(block[3])
    rounds = plan.active_rounds
    return float(rounds * plan.active_start + plan.active_step * rounds * (rounds - 1) / 2)


def _train_block(
    block: _Block, plan: Plan, entropy: int, checkpoints: str | None
) -> dict[str, npt.NDArray[np.generic]]:
    kind, place, seed, *rest = block
    root = as_seed_sequence(entropy)
    data = data_of_seed(plan.sources[place], seed, root)
    if kind == "active":
        method, query = rest
        return active_learning(data, plan, method=method, query=query, seed=seed, root=root)
    budget, method, gate = rest
    chosen = labelled(data, budget, seed, root)
    images, labels = data.pool[chosen], data.pool_labels[chosen]
    network, stream = network_of_seed(data, plan, method, seed, root, gate=gate)
    checkpoint = None if checkpoints is None else Path(checkpoints) / f"{'-'.join(map(_key, block))}.pt"
    history = train_network(network, images, labels, recipe=plan.recipe, rng=stream, checkpoint=checkpoint)
    statistics = pixel_statistics(images)
    found: dict[str, npt.NDArray[np.generic]] = {"history": history}
    for head in network.heads:
        test = logits(network, data.test, head=head, statistics=statistics)
        train = logits(network, images, head=head, statistics=statistics)
        found[f"wrong_{head}"] = test.argmax(axis=1) != data.test_labels
        found[f"loss_{head}"] = np.array(_cross_entropy(test, data.test_labels))
        found[f"train_loss_{head}"] = np.array(_cross_entropy(train, labels))
    return found


def _cross_entropy(outputs: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    z = outputs.astype(np.float64)
    top = z.max(axis=1)
    total = np.log(np.exp(z - top[:, None]).sum(axis=1)) + top
    return float(np.mean(total - z[np.arange(len(z)), labels]))


def _gathered(
    plan: Plan, data: Mapping[str, ImageData], blocks: list[_Block], found: list[dict[str, npt.NDArray[np.generic]]]
) -> Trained:
    import pandas as pd

    parts = dict(zip(blocks, found, strict=True))
    networks, sweep, active, wrong = [], [], [], {}
    costs = {source: _costs(one, plan) for source, one in data.items()}
    for block in sorted(parts, key=str):
        kind, place, seed, *rest = block
        part = parts[block]
        source = plan.sources[place]
        name = data[source].name
        if kind == "active":
            method, query = rest
            active += [
                {"data": name, "method": method, "query": query, "seed": seed, "labels": labels, "test_error": error}
                for labels, error in zip(part["labels"].tolist(), part["test_error"].tolist(), strict=True)
            ]
            continue
        budget, method, gate = rest
        if place == len(plan.sources) - 1 and budget == plan.sweep_labels and method != "plain":
            row: dict[str, Any] = {"data": name, "gate": METHODS[method][2] if gate is None else gate, "seed": seed}
            for head in ("refiner", "plain"):
                row |= {f"error_{head}": float(part[f"wrong_{head}"].astype(np.bool_).mean())}
                row |= {f"{key}_{head}": float(part[f"{key}_{head}"]) for key in ("loss", "train_loss")}
            sweep.append(row)
        # Another gate than 0 and 1 is a method of its own, that of OJKD otherwise.
        read = {one: one for one in (("OJKD", "refiner") if method == "OJKD" else (method,))}
        for one, like in (read if gate is None else {f"g = {gate:g}": "OJKD"}).items():
            head = METHODS[like][1]
            errors = part[f"wrong_{head}"].astype(np.bool_)
            wrong[name, one, budget, seed] = errors
            parameters, products = costs[source][like]
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
    order = ["data", "labels", "method", "seed"]
    return Trained(
        pd.DataFrame(networks).sort_values(order, ignore_index=True),
        wrong,
        pd.DataFrame(sweep).sort_values(["gate", "seed"], ignore_index=True),
        pd.DataFrame(active).sort_values(["method", "query", "seed", "labels"], ignore_index=True),
    )


def _costs(data: ImageData, plan: Plan) -> dict[str, tuple[int, int]]:
    """Per method: parameters at test time, and multiply-adds of a forward pass of everything that is trained."""
    found = {}
    for method, (heads, used, _) in METHODS.items():
        network, _ = network_of_seed(data, plan, method, 0, np.random.SeedSequence(0))
        trunk = multiply_adds(network.backbone, data.shape)
        products = trunk + sum(multiply_adds(network.heads[head], (network.n_features,)) for head in heads)
        found[method] = (n_parameters(network.inference(used)), products)
    return found
