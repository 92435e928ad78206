"""The experiment on images: recursive features of every variant and control, networks, and the linearized recursion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.images import ImageSource
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.gradient_outer_product._images import image_split
from moltheory.studies.gradient_outer_product._networks import ReluNetwork, correlations, train_network
from moltheory.studies.gradient_outer_product._recursion import recursive_features

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONTROL_BANDWIDTH",
    "SHOWN",
    "Budget",
    "Variant",
    "network_columns",
    "network_sweep",
    "network_table",
    "recursion_sweep",
    "variants",
]

# Bandwidth of the Fourier features' controls.
CONTROL_BANDWIDTH = 1.0
# Examples of each class in the pictures of Gram matrices.
SHOWN = 12
_CORRELATIONS = ("correlation", "off_diagonal")
# Of the networks' epochs, at most.
_ROUNDS = 4
_STAGES = ("x", "mixed", "phi")


@dataclass(frozen=True)
class Budget:
    """Sizes of the experiment: recursive features of a `depth` and `width`, networks of `hidden` layers.

    Networks start at each of the `gains` and are trained on the images of the recursion for some `epochs` at a `rate`.
    """

    seeds: int
    n_train: int
    n_test: int
    depth: int
    width: int
    bandwidths: tuple[float, ...]
    hidden: tuple[int, ...]
    gains: tuple[float, ...]
    epochs: int
    rate: float


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


def recursion_block(variant: Variant, budget: Budget, seed: int, entropy: int, source: ImageSource) -> Columns:
    """Compute one variant on one subset; random features are the same for all variants of a seed."""
    x, labels, z, test_labels = image_split(source, entropy, seed, budget.n_train, budget.n_test)
    pictured = seed == 0 and variant.feature_map == "relu" and variant.matrix != "random"
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
        shown=SHOWN if pictured else 0,
        rng=int(block_stream(as_seed_sequence(entropy), "gradient outer product, features", seed).integers(2**31)),
    )
    kept = (
        *("variability", "test_variability", "frame_deviation", "input_variability", "test_input_variability"),
        *("ranks", "matrix_ranks"),
    )
    return {
        "wrong": found.predictions != test_labels,
        "gram": found.gram.astype(np.float32),
        **{name: getattr(found, name) for name in kept},
    }


def network_block(
    gain: float, budget: Budget, seed: int, entropy: int, source: ImageSource, machine: Machine
) -> Columns:
    """Train one network on one subset, and measure it before and after."""
    x, labels, z, test_labels = image_split(source, entropy, seed, budget.n_train, budget.n_test)
    start_seed = int(block_stream(as_seed_sequence(entropy), "gradient outer product, network", seed).integers(2**31))
    start, end = train_network(
        x,
        labels,
        hidden=budget.hidden,
        gain=gain,
        rate=budget.rate,
        epochs=budget.epochs,
        rounds=_ROUNDS,
        seed=start_seed,
        machine=machine,
    )
    return network_columns(start, x, end, x, labels, z, test_labels)


def network_columns(
    start: ReluNetwork,
    start_inputs: FloatArray,
    end: ReluNetwork,
    inputs: FloatArray,
    labels: npt.NDArray[np.int64],
    tested: FloatArray,
    test_labels: npt.NDArray[np.int64],
) -> Columns:
    """Return what is measured of a network before and after training, each on its own inputs of the same examples."""
    after, before = correlations(end, inputs), correlations(start, start_inputs)
    pairs = ((inputs, labels), (tested, test_labels))
    return {
        "variability": end.variability(inputs, labels),
        "start_variability": start.variability(start_inputs, labels),
        "test_variability": end.variability(tested, test_labels),
        "correlation": after[0],
        "start_correlation": before[0],
        "off_diagonal": after[1],
        "start_off_diagonal": before[1],
        "errors": np.array([(end.outputs(a).argmax(axis=1) != b).mean() for a, b in pairs]),
    }


def recursion_sweep(
    budget: Budget, settings: Settings, source: ImageSource | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, npt.NDArray[np.bool_]], dict[str, FloatArray]]:
    """Return the layers, the models, the test losses of all variants and seeds, and some Gram matrices.

    Of layers, one row per variant, seed and layer (from 1): NC1 at the three stages, ``nc1_x``, ``nc1_mixed``,
    ``nc1_phi``, the same with ``test_`` in front, NC2 as ``nc2_...``, and ``matrix_rank`` of M^{1/2}. Of models, one
    row per variant, seed and depth: ``train_nc1``, ``test_nc1``, ``test_error``, ``rank``. Losses (n, M) bool per seed
    say which model errs on which test example, in the order of the rows of the models. Gram matrices (L + 1, m, m) by
    ``matrix`` are those of ReLU features on the first subset. Images are the digits of scikit-learn by default.
    """
    import pandas as pd

    images = source or ImageSource()
    cells = [(variant, seed) for seed in range(budget.seeds) for variant in variants(budget.bandwidths)]
    parts = run_study_blocks(
        recursion_block,
        {f"{variant.key}-seed-{seed}": (variant, budget, seed, settings.seed, images) for variant, seed in cells},
        store=("gradient_outer_product", "recursion"),
        parameters=asdict(budget),
        settings=settings,
        source=images,
    )
    layers, models = [], []
    wrong: dict[int, list[npt.NDArray[np.bool_]]] = {}
    grams: dict[str, FloatArray] = {}
    for (variant, seed), part in zip(cells, parts.values(), strict=True):
        layers.append(_layer_rows(variant, seed, part))
        models.append(_model_rows(variant, seed, part))
        wrong.setdefault(seed, []).append(part["wrong"].astype(np.bool_).T)
        if part["gram"].size:
            grams[variant.matrix] = part["gram"].astype(np.float64)
    return (
        pd.concat(layers, ignore_index=True),
        pd.concat(models, ignore_index=True),
        {seed: np.concatenate(columns, axis=1) for seed, columns in wrong.items()},
        grams,
    )


def network_sweep(
    budget: Budget, settings: Settings, source: ImageSource | None = None, machine: Machine | None = None
) -> pd.DataFrame:
    """Return the measurements of all trained networks, one row per gain, seed and layer (from 1, the last one linear).

    ``nc1_x``, ``nc1_half`` (behind S V'), ``nc1_relu`` and the same with ``start_`` and ``test_`` in front (NaN for
    the last layer), ``correlation`` of W'W with the root of M, that of entries ``off_diagonal``, both with ``start_``
    in front, ``train_error``, ``test_error``.
    """
    images, how = source or ImageSource(), machine or Machine()
    cells = [(gain, seed) for gain in budget.gains for seed in range(budget.seeds)]
    parts = run_study_blocks(
        network_block,
        {f"gain-{gain:g}-seed-{seed}": (gain, budget, seed, settings.seed, images, how) for gain, seed in cells},
        store=("gradient_outer_product", "networks"),
        parameters=asdict(budget),
        settings=settings,
        needs_torch=True,
        source=images,
        machine=how,
    )
    return network_table(cells, list(parts.values()))


def network_table(cells: Sequence[tuple[float, int]], parts: Sequence[Columns]) -> pd.DataFrame:
    """Return what `network_columns` gave for networks of a gain and a seed as one table, see `network_sweep`."""
    import pandas as pd

    tables = []
    for (gain, seed), part in zip(cells, parts, strict=True):
        columns: dict[str, Any] = {"gain": gain, "seed": seed, "layer": np.arange(1, len(part["correlation"]) + 1)}
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
    for end, kind in (("", "nc1"), ("test_", "nc1"), ("", "nc2")):
        measured = part["frame_deviation" if kind == "nc2" else f"{end}variability"]
        columns |= {f"{end}{kind}_{name}": measured[:, k] for k, name in enumerate(_STAGES)}
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
