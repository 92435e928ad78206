r"""Networks for two classes of real images whose last L layers are the model's: a trunk computes what is free there.

The head :math:`W_L\sigma(\dots\sigma(W_1 H_1))` has no biases; its features :math:`H_1` are the output of a trunk of
fully-connected ReLU layers. Two recipes: the model's own (``features``: :math:`\lambda_H\|H_1\|^2` with
:math:`n\lambda_H = \lambda`, the trunk is free) and weight decay on every parameter (``weights``), where the factor of
the features is fitted afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory.images import ImageSource
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import class_means, mean_condition_number, variability
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies._torch import repeatable, seeded
from moltheory.studies.unconstrained_features._experiment import N_CLASSES
from moltheory.studies.unconstrained_features._model import ReducedLoss
from moltheory.studies.unconstrained_features._two_classes import two_classes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FEATURES", "WEIGHTS", "Recipe", "fitted_row", "layer_columns", "network_block", "network_sweep"]

FEATURES, WEIGHTS = "features", "weights"
_MOMENTUM = 0.9


@dataclass(frozen=True)
class Recipe:
    """How networks of one kind are trained: full-batch gradient descent with momentum, factors rising step by step.

    Attributes
    ----------
    kind : {"features", "weights"}
        What is regularized besides the head.
    trunk : int
        Hidden layers of the trunk.
    ratios : tuple of float
        Factors over the critical one, as in `model_at` with one example of each class; the network of one is the start
        of the next.
    first, later : int
        Steps at the first ratio and at each later one.
    pretraining : int
        Steps before, without any regularization: a deep trunk with weight decay from the start can end at zero.
    """

    kind: str
    trunk: int
    ratios: tuple[float, ...]
    first: int
    later: int
    depth: int = 3
    width: int = 64
    hidden: int = 128
    per_class: int = 100
    rate: float = 0.05
    pretraining: int = 500

    @property
    def name(self) -> str:
        """Of the block."""
        return f"{self.kind}-{self.trunk}"


def network_block(recipe: Recipe, seed: int, source: ImageSource, machine: Machine, entropy: int) -> Columns:
    """Train one network along the ratios of its recipe, and measure it at each, one row per ratio.

    ``factor`` (of every weight), ``per_class``, ``squares`` (of H_1, W_1, ..., W_L), ``fit``, ``scale`` (mean output of
    the right class), ``nc1``, ``condition`` and ``cosine`` of H_1 and the L - 1 activations, ``train_error``, and
    ``wrong`` (one column per test image).
    """
    root = as_seed_sequence(entropy)
    data = two_classes(source.load(), most=recipe.per_class, rng=block_stream(root, "two classes", seed))
    unit = ReducedLoss(N_CLASSES, recipe.depth, 1.0).critical_product ** (1.0 / (recipe.depth + 1))
    rows = []
    with repeatable(machine) as torch, seeded(root, "networks of two classes", seed):
        trunk, head = _built(torch, recipe, data.train.shape[1])
        trunk, head = trunk.to(machine.device), head.to(machine.device)
        pixels = torch.as_tensor(data.train, dtype=torch.float32, device=machine.device)
        tests = torch.as_tensor(data.test, dtype=torch.float32, device=machine.device)
        targets = torch.eye(N_CLASSES, device=machine.device).repeat_interleave(data.per_class, 0)
        optimizer = torch.optim.SGD([*trunk.parameters(), *head.parameters()], lr=recipe.rate, momentum=_MOMENTUM)
        phases = [(0.0, recipe.pretraining), (recipe.ratios[0], recipe.first)]
        for ratio, steps in (*phases, *((one, recipe.later) for one in recipe.ratios[1:])):
            factor = ratio * unit
            for _ in range(steps):
                optimizer.zero_grad()
                features = trunk(pixels)
                outputs = _layers(torch, features, head)[-1]
                fit = torch.nn.functional.mse_loss(outputs, targets, reduction="sum") / (2 * len(targets))
                norms = sum(one.weight.square().sum() for one in head)
                if recipe.kind == FEATURES:
                    norms = norms + features.square().sum() / data.per_class
                else:
                    norms = norms + sum(one.square().sum() for one in trunk.parameters())
                (fit + factor / 2 * norms).backward()
                optimizer.step()
            if not ratio:
                continue
            with torch.no_grad():
                *acts, outputs = (one.cpu().double().numpy() for one in _layers(torch, trunk(pixels), head))
                predicted = _layers(torch, trunk(tests), head)[-1].argmax(1).cpu().numpy()
                weights = [one.weight.cpu().double().numpy() for one in head]
            row = _measured(acts, outputs, weights)
            rows.append({**row, "factor": factor, "wrong": predicted != data.test_codes})
    found = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    return {**found, "per_class": np.full(len(rows), data.per_class)}


def network_sweep(
    recipes: tuple[Recipe, ...], *, seeds: int, source: ImageSource, machine: Machine, settings: Settings
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Train networks of all recipes and seeds on two classes of images, and compare them with the model.

    Returns
    -------
    DataFrame
        One row per network, see `fitted_row`.
    (m, networks) ndarray of bool
        Mistakes on each test image, networks in the order of the rows.
    """
    import pandas as pd

    keys = {f"{recipe.name}-seed-{seed}": (recipe, seed) for recipe in recipes for seed in range(seeds)}
    parts = run_study_blocks(
        network_block,
        {key: (recipe, seed, source, machine, settings.seed) for key, (recipe, seed) in keys.items()},
        store=("unconstrained_features", "networks"),
        parameters={"recipes": [vars(one) for one in recipes], "seeds": seeds, "momentum": _MOMENTUM},
        settings=settings,
        weights={key: _work(recipe) for key, (recipe, _) in keys.items()},
        needs_torch=True,
        source=source,
        machine=machine,
    )
    rows, wrong = [], []
    for (recipe, seed), part in zip(keys.values(), parts.values(), strict=True):
        for k, ratio in enumerate(recipe.ratios):
            one = {name: column[k] for name, column in part.items()}
            place = {"kind": recipe.kind, "trunk": recipe.trunk, "nominal": ratio, "seed": seed}
            rows.append({**place, **fitted_row(recipe, one)})
            wrong.append(one["wrong"])
    return pd.DataFrame(rows), np.stack(wrong, axis=1).astype(bool)


def fitted_row(recipe: Recipe, one: dict[str, Any], /) -> dict[str, float]:
    r"""Compare a trained network with the model at the same factors.

    With weight decay on the trunk the factor of the features is fitted from norms alone: at any stationary point all
    :math:`\lambda\|W_l\|^2` are equal, and in the model so is :math:`\lambda_H\|H_1\|^2`, which gives
    :math:`\lambda_H`. The scale, the fit, the level of the norms and the loss are then predictions.

    ``ratio`` (of the factors to the critical ones), ``optimum`` F(a*), ``predicted_scale`` (the stable one above 0, or 0
    if there is none), ``scale``, ``fit``, ``loss`` (of the model), ``gap`` (share of F(a*) by which the loss is above
    it), ``predicted_share`` and ``share`` (of the head's layers, in the regularization, times 2), ``spread`` (largest
    over smallest of these, less 1), ``norm`` (squared norms of the head plus that of the features per example of a
    class), ``nc1_0``..., ``condition_0``..., ``cosine_0``..., ``train_error``, ``test_error``.
    """
    squares, factor, n = np.asarray(one["squares"], dtype=np.float64), float(one["factor"]), int(one["per_class"])
    shares = factor * squares[1:]
    # A network that is zero has no norms to fit; its features then have the factor of the model's own recipe.
    alive = squares.min() > 1e-9
    of_features = factor / n if recipe.kind == FEATURES or not alive else float(shares.mean() / squares[0])
    product = n * of_features * factor**recipe.depth
    closed = ReducedLoss(N_CLASSES, recipe.depth, product)
    stable = 0.0 if np.isnan(closed.stable_scale) else closed.stable_scale
    loss = float(one["fit"]) + (shares.sum() + of_features * squares[0]) / 2
    row = {
        "per_class": n,
        "factor": factor,
        "features_factor": of_features,
        "ratio": float((product / closed.critical_product) ** (1.0 / (recipe.depth + 1))),
        "optimum": closed.minimum,
        "predicted_scale": stable,
        "scale": float(one["scale"]),
        "fit": float(one["fit"]),
        "loss": loss,
        "gap": loss / closed.minimum - 1.0,
        "predicted_share": float(closed.layer_share(stable)),
        "share": float(shares.mean()),
        "spread": float(shares.max() / shares.min() - 1.0) if alive else np.nan,
        "norm": float(squares[1:].sum() + squares[0] / n),
        "train_error": float(one["train_error"]),
        "test_error": float(np.mean(one["wrong"])),
    }
    for name in ("nc1", "condition", "cosine"):
        row |= {f"{name}_{k}": float(value) for k, value in enumerate(one[name])}
    return row


def layer_columns(networks: pd.DataFrame, name: str, /) -> list[str]:
    """Return the columns of a measure that has one per layer, first layer first."""
    return sorted(str(one) for one in networks.columns if str(one).startswith(f"{name}_"))


def _work(recipe: Recipe) -> float:
    return float((recipe.pretraining + recipe.first + recipe.later * (len(recipe.ratios) - 1)) * (recipe.trunk + 3))


def _built(torch: Any, recipe: Recipe, inputs: int) -> tuple[Any, Any]:
    """The trunk and the head, with torch's initialisation."""
    nn = torch.nn
    sizes = [inputs, *[recipe.hidden] * recipe.trunk]
    hidden = [one for a, b in pairwise(sizes) for one in (nn.Linear(a, b), nn.ReLU())]
    ends = [recipe.width] * (recipe.depth - 1) + [N_CLASSES]
    head = nn.ModuleList([nn.Linear(recipe.width, size, bias=False) for size in ends])
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], recipe.width)), head


def _layers(torch: Any, features: Any, head: Any) -> list[Any]:
    """The features, the activations behind each ReLU, and the output."""
    found = [features]
    for one in head[:-1]:
        found.append(torch.relu(one(found[-1])))
    return [*found, head[-1](found[-1])]


def _measured(
    acts: list[npt.NDArray[Any]], outputs: npt.NDArray[Any], weights: list[npt.NDArray[Any]]
) -> dict[str, Any]:
    n = len(outputs) // N_CLASSES
    labels = np.repeat(np.arange(N_CLASSES), n)
    targets = np.eye(N_CLASSES)[labels]
    return {
        "squares": np.array([float(np.square(one).sum()) for one in (acts[0], *weights)]),
        "fit": np.square(outputs - targets).sum() / (2 * len(outputs)),
        "scale": (outputs * targets).sum() / len(outputs),
        "nc1": np.array([float(variability(one, labels)) for one in acts]),
        "condition": np.array([float(mean_condition_number(one, labels)) for one in acts]),
        "cosine": np.array([_cosine(class_means(one, labels)) for one in acts]),
        "train_error": np.mean(outputs.argmax(axis=1) != labels),
    }


def _cosine(means: npt.NDArray[np.float64]) -> float:
    lengths = np.linalg.norm(means, axis=1)
    return float(means[0] @ means[1] / lengths.prod()) if lengths.min() > 0 else np.nan
