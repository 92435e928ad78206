"""The experiment in blocks: every network is trained once, stored, and evaluated on the test images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory.images import ImageData
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, fingerprint, prepare_folder
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies._torch import require_torch
from moltheory.studies.fully_connected._active import ACTIVE_METHODS, active_block, column_of
from moltheory.studies.fully_connected._model import HEADS, METHODS, multiply_adds, n_parameters
from moltheory.studies.fully_connected._plan import (
    Plan,
    augmentation_for,
    data_of_seed,
    labelled,
    network_of_seed,
    trunk_name,
)
from moltheory.studies.fully_connected._result import Trained
from moltheory.studies.fully_connected._training import logits, pixel_statistics, train_network

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["train_all"]

_PLAIN = Plan()
_ACTIVE_FIELDS = {"active_start", "active_step", "active_rounds", "active_seeds", "active_backbone", "queries"}
# A forward and a backward pass; the gradients of weights and of activations cost a forward pass each.
_PASSES = 3

# Place of the source, seed, labels, method, gate other than the method's, trunk other than the plan's.
_Net = tuple[int, int, int, str, float | None, str | None]


def train_all(plan: Plan, /, *, settings: Settings, machine: Machine | None = None) -> Trained:
    """Train every network of a plan, with the seed, processes, progress and store of the settings.

    Refiner and OJKD are read from one training: at gate 0 the trunk and the refiner are bit for bit those of
    refiner-only training. A plan that asks for more labels than there are is refused.
    """
    require_torch()
    how = Machine() if machine is None else machine
    root, last = as_seed_sequence(settings.seed), len(plan.sources) - 1
    data = [data_of_seed(source, 0, root) for source in plan.sources]
    for one in data:
        plan.check_pool(one)
    names = [one.name.replace(" ", "_") for one in data]
    path = settings.store_for("fully_connected", "checkpoints", *names)
    checkpoints = None
    if isinstance(path, Path) and any(Path(source).is_dir() for source in plan.sources):
        # Networks on large data take long: they keep checkpoints beside the run folders, if these are local.
        checkpoints = str(prepare_folder(path, argument="store"))
    digests = [fingerprint([one.pool, one.pool_labels, one.test, one.test_labels]) for one in data]
    # Networks do not depend on what active learning is asked for: a run with less or more of it finds them again.
    alike = {name: getattr(_PLAIN, name) for name in _PLAIN.__dataclass_fields__ if name in _ACTIVE_FIELDS}
    identities = {"networks": replace(plan, **alike), "active": plan}

    def run(part: str, function: Any, blocks: list[tuple[Any, ...]], more: tuple[Any, ...], work: list[float]) -> Any:
        keys = [_key(block) for block in blocks]
        found = run_study_blocks(
            function,
            {key: (block, plan, how, settings.seed, *more) for key, block in zip(keys, blocks, strict=True)},
            store=("fully_connected", part, *names),
            parameters={"plan": fingerprint(identities[part]), "data": digests},
            settings=settings,
            weights=dict(zip(keys, work, strict=True)),
            needs_torch=True,
            machine=how,
        )
        return list(found.values())

    nets = _networks(plan)
    rounds = [(last, seed, method) for seed in range(plan.active_seeds) for method in ACTIVE_METHODS]
    costs = [_costs(one, plan) for one in data]
    work = [float(net[2] * costs[net[0]][net[5]][net[3]][1]) for net in nets]
    trained = run("networks", network_block, nets, (checkpoints,), work)
    asked = run("active", active_block, rounds, (), [1.0] * len(rounds)) if rounds else []
    networks, wrong, sweep = _network_rows(plan, data, costs, nets, trained)
    return Trained(networks, wrong, sweep, _active_rows(data[last].name, plan, rounds, asked))


def _networks(plan: Plan) -> list[_Net]:
    """What is trained: long ones first, so that no process ends up with a long one alone."""
    last, seeds = len(plan.sources) - 1, range(plan.seeds)
    nets: list[_Net] = [
        (place, seed, budget, method, None, None)
        for place in range(len(plan.sources))
        for seed in seeds
        for budget in plan.labels
        for method in plan.methods
    ]
    nets += [(last, seed, plan.sweep_labels, "OJKD", gate, None) for seed in seeds for gate in plan.gates]
    nets += [
        (last, seed, plan.labels[0], method, None, trunk)
        for seed in seeds
        for trunk in plan.trunks
        for method in ACTIVE_METHODS
    ]
    return sorted(nets, key=lambda net: -net[2])


def _key(block: tuple[Any, ...]) -> str:
    return "-".join("" if part is None else str(part) for part in block).replace(" ", "_").rstrip("-")


def network_block(block: _Net, plan: Plan, machine: Machine, entropy: int, checkpoints: str | None) -> Columns:
    """Train one network; return its losses by epoch and, per head, errors by image and mean cross-entropies."""
    place, seed, budget, method, gate, trunk = block
    torch, root = require_torch(), as_seed_sequence(entropy)
    data = data_of_seed(plan.sources[place], seed, root)
    chosen = labelled(data, budget, seed, root)
    images, labels = data.pool[chosen], data.pool_labels[chosen]
    network, stream = network_of_seed(data, plan, method, seed, root, gate=gate, backbone=trunk)
    checkpoint = None if checkpoints is None else Path(checkpoints) / f"{_key(block)}.pt"
    history = train_network(
        network,
        images,
        labels,
        recipe=plan.recipe,
        rng=stream,
        augmentation=augmentation_for(data, plan),
        machine=machine,
        checkpoint=checkpoint,
    )
    statistics = pixel_statistics(images)

    def loss(outputs: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        found = torch.nn.functional.cross_entropy(torch.from_numpy(outputs).double(), torch.tensor(targets))
        return np.array(found.item())

    found: Columns = {"history": history}
    for head in network.heads:
        test = logits(network, data.test, head=head, statistics=statistics, machine=machine)
        train = logits(network, images, head=head, statistics=statistics, machine=machine)
        found[f"wrong_{head}"] = test.argmax(axis=1) != data.test_labels
        found[f"loss_{head}"] = loss(test, data.test_labels)
        found[f"train_loss_{head}"] = loss(train, labels)
        found[f"train_accuracy_{head}"] = np.array((train.argmax(axis=1) == labels).mean())
    return found


# Per trunk (None: the plan's) and method: parameters at test time, and multiply-adds of a forward pass in training.
_Costs = dict[str | None, dict[str, tuple[int, int]]]


def _network_rows(
    plan: Plan, data: list[ImageData], costs: list[_Costs], nets: list[_Net], parts: list[Columns]
) -> tuple[pd.DataFrame, Mapping[tuple[str, str, int, int], npt.NDArray[np.bool_]], pd.DataFrame]:
    import pandas as pd

    networks, sweep, wrong = [], [], {}
    for (place, seed, budget, method, gate, trunk), part in zip(nets, parts, strict=True):
        name = data[place].name
        swept = place == len(data) - 1 and budget == plan.sweep_labels and method != "plain" and trunk is None
        if swept:
            row: dict[str, Any] = {"data": name, "gate": METHODS[method][2] if gate is None else gate, "seed": seed}
            for head in HEADS:
                row |= {f"error_{head}": float(part[f"wrong_{head}"].astype(np.bool_).mean())}
                row |= {f"{key}_{head}": float(part[f"{key}_{head}"]) for key in ("loss", "train_loss")}
            sweep.append(row)
        # Another gate than 0 and 1 is a method of its own, that of OJKD otherwise; so is one on another trunk.
        read = {one: one for one in (("OJKD", "refiner") if method == "OJKD" else (method,))}
        if gate is not None:
            read = {f"g = {gate:g}": "OJKD"}
        elif trunk is not None:
            read = {f"{method} {trunk}": method}
        for one, like in read.items():
            head = METHODS[like][1]
            errors = part[f"wrong_{head}"].astype(np.bool_)
            wrong[name, one, budget, seed] = errors
            parameters, products = costs[place][trunk][like]
            networks.append(
                {
                    "data": name,
                    "trunk": trunk_name(plan.backbone) if trunk is None else trunk,
                    "method": one,
                    "labels": budget,
                    "seed": seed,
                    "test_error": float(errors.mean()),
                    "train_accuracy": float(part[f"train_accuracy_{head}"]),
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


def _active_rows(data: str, plan: Plan, blocks: list[tuple[int, int, str]], parts: list[Columns]) -> pd.DataFrame:
    import pandas as pd

    columns = ("labels", "test_error", "train_accuracy")
    rows = [
        {"data": data, "method": method, "query": query, "seed": seed, **dict(zip(columns, values, strict=True))}
        for (_, seed, method), part in zip(blocks, parts, strict=True)
        for query in plan.queries
        for values in zip(*(part[column_of(query, name)].tolist() for name in columns), strict=True)
    ]
    order = ["method", "query", "seed", "labels"]
    return pd.DataFrame(rows, columns=["data", *order[:3], *columns]).sort_values(order, ignore_index=True)


def _costs(data: ImageData, plan: Plan) -> _Costs:
    found: _Costs = {}
    for trunk in (None, *plan.trunks):
        found[trunk] = {}
        for method, (heads, used, _) in METHODS.items():
            network, _ = network_of_seed(data, plan, method, 0, np.random.SeedSequence(0), backbone=trunk)
            products = multiply_adds(network.backbone, data.shape)
            products += sum(multiply_adds(network.heads[head], (network.n_features,)) for head in heads)
            found[trunk][method] = (n_parameters(network.inference(used)), products)
    return found
