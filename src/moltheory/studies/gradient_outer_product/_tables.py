"""Tables made from the runs: NC1 ratios of each stage, shares of half a layer, and the certified fronts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import real_array
from moltheory.certification import certify
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import nondominated
from moltheory.solvers import supported
from moltheory.studies.unconstrained_features._trade_off import volume_below

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CORRELATIONS",
    "DELTA",
    "geometric_mean",
    "model_objectives",
    "network_shares",
    "real_fronts",
    "stage_ratios",
]

DELTA = 0.05
CORRELATIONS = ("correlation", "start_correlation", "off_diagonal", "start_off_diagonal")
_OBJECTIVES = ("train_nc1", "test_nc1", "test_error", "rank")
_VARIANT = ["feature_map", "bandwidth", "matrix", "seed"]


def geometric_mean(values: npt.ArrayLike, /) -> float:
    """Return the geometric mean of positive numbers."""
    x = real_array("values", values, shape="any", min_ndim=0)
    if not (x > 0.0).all():
        raise InvalidInputError(f"`values` must be positive, got {x.min():g}.")
    return float(np.exp(np.log(x).mean()))


def stage_ratios(layers: pd.DataFrame, /) -> pd.DataFrame:
    """Return by which factor each stage changes train NC1, as geometric means over the layers of one run.

    One row per variant and seed: ``matrix_ratio``, M^{1/2}X over X; ``map_ratio``, Phi over M^{1/2}X;
    ``layer_ratio``, Phi over X; ``first`` and ``last``, NC1 of the first X and the last Phi; ``lowered``, in how
    many of its ``layers`` M^{1/2} lowered NC1, and ``undone``, in how many Phi raised it; ``first_nc2`` and
    ``last_nc2`` as the former.
    """
    import pandas as pd

    rows = []
    for key, part in layers.groupby(_VARIANT, sort=False):
        matrix = (part["nc1_mixed"] / part["nc1_x"]).to_numpy()
        features = (part["nc1_phi"] / part["nc1_mixed"]).to_numpy()
        rows.append(
            {
                **dict(zip(_VARIANT, key, strict=True)),
                "matrix_ratio": geometric_mean(matrix),
                "map_ratio": geometric_mean(features),
                "layer_ratio": geometric_mean(matrix * features),
                "first": float(part["nc1_x"].iloc[0]),
                "last": float(part["nc1_phi"].iloc[-1]),
                "lowered": int((matrix < 1.0).sum()),
                "undone": int((features > 1.0).sum()),
                "layers": len(part),
                "first_nc2": float(part["nc2_x"].iloc[0]),
                "last_nc2": float(part["nc2_phi"].iloc[-1]),
            }
        )
    return pd.DataFrame(rows)


def network_shares(networks: pd.DataFrame, /) -> pd.DataFrame:
    """Return which share of the drop of log NC1 over all hidden layers S V' carries, and how W'W follows the gradients.

    One row per network: ``gain``, ``seed``; ``first`` and ``last`` train NC1, at the input and behind the last
    ReLU; ``share``, of log(first / last), which falls behind S V' (above 1 where the ReLUs raise NC1; NaN where
    there is no drop); geometric means over the layers ``half_ratio`` and ``relu_ratio``; means over the hidden layers
    of ``correlation`` and ``off_diagonal`` and of both before training; ``train_error``, ``test_error``.
    """
    import pandas as pd

    rows = []
    for (gain, seed), part in networks.groupby(["gain", "seed"], sort=False):
        hidden = part[part["nc1_x"].notna()]
        first, last = float(hidden["nc1_x"].iloc[0]), float(hidden["nc1_relu"].iloc[-1])
        half = np.log((hidden["nc1_x"] / hidden["nc1_half"]).to_numpy())
        rows.append(
            {
                "gain": gain,
                "seed": seed,
                "first": first,
                "last": last,
                "share": float(half.sum() / np.log(first / last)) if last < first else np.nan,
                "half_ratio": float(np.exp(-half.mean())),
                "relu_ratio": geometric_mean(hidden["nc1_relu"] / hidden["nc1_half"]),
                **{name: float(hidden[name].mean()) for name in CORRELATIONS},
                "train_error": float(part["train_error"].iloc[0]),
                "test_error": float(part["test_error"].iloc[0]),
            }
        )
    return pd.DataFrame(rows)


def model_objectives(models: pd.DataFrame, /) -> FiniteObjectives:
    """Return models as a finite class: only test NC1 and test error are estimated from test examples."""
    missing = [name for name in _OBJECTIVES if name not in models.columns]
    if missing:
        raise InvalidInputError(
            f"`models` must have the columns {', '.join(_OBJECTIVES)}, got none named {missing[0]}."
        )
    points = models[list(_OBJECTIVES)].to_numpy(dtype=np.float64)
    return FiniteObjectives(points, names=_OBJECTIVES, data_dependent=[False, True, True, False])


def real_fronts(
    models: pd.DataFrame, wrong: Mapping[int, npt.NDArray[np.bool_]], /
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the models with their status on the front of their seed, and counts and hypervolumes by seed.

    The certificate is about the front in (test error, train NC1, rank): the first is a mean over test examples, the
    others are known exactly. Test NC1 is no mean over examples, so it enters the empirical front only. Models and
    their losses are those of `recursion_sweep`; controls are left out, and the model at depth 0, which all variants
    share, counts once.

    Models gain ``on_front`` (four objectives), ``on_certified_front`` (empirical, in the three of the certificate),
    ``supported`` (on the convex hull, so that a weighted sum finds it) and ``status``. Per seed: ``models``,
    ``front``, ``supported``; ``front_3`` and how many of it are ``sure_of_front`` and ``excluded_of_front``; over all
    models ``sure``, ``excluded``, ``undecided``; and hypervolumes in log10 train NC1 and test error, bounded by the
    model at depth 0 and an error of 1/10, of the ReLU features, the Fourier features and both.
    """
    import pandas as pd

    tables, rows = [], []
    for seed, losses in wrong.items():
        part = models[models["seed"] == seed].reset_index(drop=True)
        kept = ((part["matrix"] == "gradients") & ((part["depth"] > 0) | (part["feature_map"] == "relu"))).to_numpy()
        part = part[kept].reset_index(drop=True)
        points = model_objectives(part).risks()
        names = [f"{row.feature_map} {row.bandwidth:g}, depth {row.depth}" for row in part.itertuples(index=False)]
        certificate = certify(
            np.asarray(losses[:, kept], dtype=np.float64)[:, :, None],
            delta=DELTA,
            costs=part[["train_nc1", "rank"]].to_numpy(dtype=np.float64),
            names=names,
        )
        part["on_front"] = nondominated(points)
        part["on_certified_front"] = nondominated(points[:, [0, 2, 3]])
        part["supported"] = supported(points)
        part["status"] = certificate.status
        tables.append(part)
        three = part["on_certified_front"].to_numpy()
        row: dict[str, float] = {
            "seed": seed,
            "models": len(part),
            "front": int(part["on_front"].sum()),
            "supported": int((part["supported"] & part["on_front"]).sum()),
            "front_3": int(three.sum()),
            "sure_of_front": int((certificate.sure & three).sum()),
            "excluded_of_front": int((certificate.excluded & three).sum()),
            "sure": int(certificate.sure.sum()),
            "excluded": int(certificate.excluded.sum()),
            "undecided": int(certificate.undecided.sum()),
        }
        flat = np.column_stack([np.log10(points[:, 0]), points[:, 2]])
        reference = np.array([flat[(part["depth"] == 0).to_numpy(), 0][0], 0.1])
        relu = (part["feature_map"] == "relu").to_numpy()
        for name, mask in (("relu", relu), ("fourier", ~relu), ("both", np.ones(len(part), dtype=np.bool_))):
            row[f"volume_{name}"] = volume_below(flat[mask], reference)
        rows.append(row)
    return pd.concat(tables, ignore_index=True), pd.DataFrame(rows)
