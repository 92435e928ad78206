"""The experiment on handwritten digits: recursive features of every variant and control, and trained networks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.gradient_outer_product._networks import matrix_correlation, train_network
from moltheory.studies.gradient_outer_product._recursion import recursive_features

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CONTROL_BANDWIDTH", "Budget", "Variant", "digit_split", "network_sweep", "recursion_sweep", "variants"]

# Bandwidth of the Fourier features' controls.
CONTROL_BANDWIDTH = 1.0
_CORRELATIONS = ("correlation", "off_diagonal")


@dataclass(frozen=True)
class Budget:
    """Sizes of the experiment."""

    seeds: int
    n_train: int
    n_test: int
    depth: int
    width: int
    bandwidths: tuple[float, ...]
    hidden: tuple[int, ...]
    decays: tuple[float, ...]
    epochs: int


@dataclass(frozen=True)
class Variant:
    """A feature map and the matrix M in front of it; the bandwidth of ReLU features is 0."""

    feature_map: str
    bandwidth: float
    matrix: str

    @property
    def key(self) -> str:
        """Name of a stored block, without its seed."""
        return f"{self.feature_map}-{self.bandwidth:g}-{self.matrix}"


def variants(bandwidths: tuple[float, ...], /) -> tuple[Variant, ...]:
    """Return both maps with M of gradients at all bandwidths, and with both controls at one."""
    relu = [Variant("relu", 0.0, matrix) for matrix in ("gradients", "identity", "random")]
    fourier = [Variant("fourier", bandwidth, "gradients") for bandwidth in bandwidths]
    controls = [Variant("fourier", CONTROL_BANDWIDTH, matrix) for matrix in ("identity", "random")]
    return (*relu, *fourier, *controls)


def digit_split(
    entropy: int, seed: int, n_train: int, n_test: int
) -> tuple[FloatArray, npt.NDArray[np.int64], FloatArray, npt.NDArray[np.int64]]:
    """Return train and test images of 64 pixels in [0, 1] with their digits, disjoint, drawn at random."""
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    order = block_stream(as_seed_sequence(entropy), "gradient outer product, split", seed).permutation(len(digit))
    train, test = order[:n_train], order[n_train : n_train + n_test]
    return pixels[train] / 16.0, digit[train].astype(np.int64), pixels[test] / 16.0, digit[test].astype(np.int64)


def recursion_block(variant: Variant, budget: Budget, seed: int, entropy: int) -> Columns:
    """Compute one variant on one split; random features are the same for all variants of a seed."""
    x, labels, z, test_labels = digit_split(entropy, seed, budget.n_train, budget.n_test)
    found = recursive_features(
        x,
        labels,
        z,
        test_labels,
        depth=budget.depth,
        width=budget.width,
        feature_map=variant.feature_map,
        bandwidth=variant.bandwidth or 1.0,
        matrix=variant.matrix,
        rng=int(block_stream(as_seed_sequence(entropy), "gradient outer product, features", seed).integers(2**31)),
    )
    kept = ("variability", "test_variability", "input_variability", "test_input_variability", "ranks", "matrix_ranks")
    return {"wrong": found.predictions != test_labels, **{name: getattr(found, name) for name in kept}}


def network_block(decay: float, budget: Budget, seed: int, entropy: int) -> Columns:
    """Train one network on one split, and measure it before and after."""
    x, labels, z, test_labels = digit_split(entropy, seed, budget.n_train, budget.n_test)
    start_seed = int(block_stream(as_seed_sequence(entropy), "gradient outer product, network", seed).integers(2**31))
    start, end = train_network(x, labels, hidden=budget.hidden, decay=decay, epochs=budget.epochs, seed=start_seed)
    return {
        "variability": end.variability(x, labels),
        "start_variability": start.variability(x, labels),
        "test_variability": end.variability(z, test_labels),
        "correlation": matrix_correlation(end, x),
        "start_correlation": matrix_correlation(start, x),
        "off_diagonal": matrix_correlation(end, x, off_diagonal=True),
        "start_off_diagonal": matrix_correlation(start, x, off_diagonal=True),
        "errors": np.array([(end.outputs(a).argmax(axis=1) != b).mean() for a, b in ((x, labels), (z, test_labels))]),
    }


def recursion_sweep(
    budget: Budget, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, npt.NDArray[np.bool_]]]:
    """Return the layers, the models and the test losses of all variants and seeds.

    Of layers, one row per variant, seed and layer (from 1): NC1 at the three stages, ``nc1_x``, ``nc1_mixed``,
    ``nc1_phi``, the same with ``test_`` in front, and ``matrix_rank`` of M^{1/2}. Of models, one row per variant, seed
    and depth: ``train_nc1``, ``test_nc1``, ``test_error``, ``rank``. Losses (n, M) bool per seed say which model errs
    on which test example, in the order of the rows of the models.
    """
    import pandas as pd

    cells = [(variant, seed) for seed in range(budget.seeds) for variant in variants(budget.bandwidths)]
    parts = run_study_blocks(
        recursion_block,
        {f"{variant.key}-seed-{seed}": (variant, budget, seed, settings.seed) for variant, seed in cells},
        store=("gradient_outer_product", "recursion"),
        parameters=asdict(budget),
        settings=settings,
    )
    layers, models = [], []
    wrong: dict[int, list[npt.NDArray[np.bool_]]] = {}
    for (variant, seed), part in zip(cells, parts.values(), strict=True):
        layers.append(_layer_rows(variant, seed, part))
        models.append(_model_rows(variant, seed, part))
        wrong.setdefault(seed, []).append(part["wrong"].astype(np.bool_).T)
    return (
        pd.concat(layers, ignore_index=True),
        pd.concat(models, ignore_index=True),
        {seed: np.concatenate(columns, axis=1) for seed, columns in wrong.items()},
    )


def network_sweep(budget: Budget, settings: Settings) -> pd.DataFrame:
    """Return the measurements of all trained networks, one row per decay, seed and layer (from 1, the last one linear).

    ``nc1_x``, ``nc1_half`` (behind S V'), ``nc1_relu`` and the same with ``start_`` and ``test_`` in front (NaN for
    the last layer), ``correlation`` of W'W with the root of M, that of entries ``off_diagonal``, both with ``start_``
    in front, ``train_error``, ``test_error``.
    """
    import pandas as pd

    cells = [(decay, seed) for decay in budget.decays for seed in range(budget.seeds)]
    parts = run_study_blocks(
        network_block,
        {f"decay-{decay:g}-seed-{seed}": (decay, budget, seed, settings.seed) for decay, seed in cells},
        store=("gradient_outer_product", "networks"),
        parameters=asdict(budget),
        settings=settings,
        needs_torch=True,
    )
    tables = []
    for (decay, seed), part in zip(cells, parts.values(), strict=True):
        columns: dict[str, Any] = {"decay": decay, "seed": seed, "layer": np.arange(1, len(part["correlation"]) + 1)}
        for end in ("", "start_", "test_"):
            measured = np.concatenate([part[f"{end}variability"], np.full((1, 3), np.nan)])
            columns |= {f"{end}nc1_{name}": measured[:, k] for k, name in enumerate(("x", "half", "relu"))}
        columns |= {f"{end}{name}": part[f"{end}{name}"] for end in ("", "start_") for name in _CORRELATIONS}
        columns |= {"train_error": float(part["errors"][0]), "test_error": float(part["errors"][1])}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _layer_rows(variant: Variant, seed: int, part: Columns) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {**asdict(variant), "seed": seed, "layer": np.arange(1, len(part["matrix_ranks"]) + 1)}
    for end in ("", "test_"):
        columns |= {f"{end}nc1_{name}": part[f"{end}variability"][:, k] for k, name in enumerate(("x", "mixed", "phi"))}
    return pd.DataFrame({**columns, "matrix_rank": part["matrix_ranks"]})


def _model_rows(variant: Variant, seed: int, part: Columns) -> pd.DataFrame:
    import pandas as pd

    wrong = np.asarray(part["wrong"])
    return pd.DataFrame(
        {
            **asdict(variant),
            "seed": seed,
            "depth": np.arange(len(wrong)),
            "train_nc1": part["input_variability"],
            "test_nc1": part["test_input_variability"],
            "test_error": wrong.sum(axis=1) / wrong.shape[1],
            "rank": part["ranks"],
        }
    )
