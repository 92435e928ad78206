"""Statistics of the runs: geometric means of NC1 ratios per stage, and which half of a layer lowers NC1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import real_array
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["geometric_mean", "network_shares", "stage_ratios"]

_VARIANT = ["feature_map", "bandwidth", "matrix", "seed"]


def geometric_mean(values: npt.ArrayLike, /) -> float:
    """Return the exponential of the mean logarithm of positive numbers.

    Raises
    ------
    InvalidInputError
        If a number is not positive.

    Examples
    --------
    >>> round(geometric_mean([1.0, 4.0]), 12)
    2.0
    """
    x = real_array("values", values, shape="any", min_ndim=0)
    if not (x > 0.0).all():
        raise InvalidInputError(f"`values` must be positive, got {x.min():g}.")
    return float(np.exp(np.log(x).mean()))


def stage_ratios(layers: pd.DataFrame, /) -> pd.DataFrame:
    """Return by which factor each stage changes train NC1, as geometric means over the layers of one run.

    Parameters
    ----------
    layers : pandas.DataFrame
        As `recursion_sweep` gives it.

    Returns
    -------
    pandas.DataFrame
        One row per variant and seed: ``matrix_ratio``, M^{1/2}X over X; ``map_ratio``, Phi over M^{1/2}X;
        ``layer_ratio``, Phi over X; ``first`` and ``last``, NC1 of the first X and the last Phi; ``lowered``, in how
        many of its ``layers`` M^{1/2} lowered NC1, and ``undone``, in how many Phi raised it.
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
            }
        )
    return pd.DataFrame(rows)


def network_shares(networks: pd.DataFrame, /) -> pd.DataFrame:
    """Return which share of the drop of log NC1 over all hidden layers S V' carries.

    Parameters
    ----------
    networks : pandas.DataFrame
        As `network_sweep` gives it.

    Returns
    -------
    pandas.DataFrame
        One row per network: ``decay``, ``seed``; ``first`` and ``last`` train NC1, at the input and behind the last
        ReLU; ``share``, of log(first / last), which falls behind S V' (above 1 where the ReLUs raise NC1; NaN where
        there is no drop); geometric means over the layers ``half_ratio`` and ``relu_ratio``; ``train_error``,
        ``test_error``.
    """
    import pandas as pd

    rows = []
    for (decay, seed), part in networks.groupby(["decay", "seed"], sort=False):
        hidden = part[part["nc1_x"].notna()]
        first, last = float(hidden["nc1_x"].iloc[0]), float(hidden["nc1_relu"].iloc[-1])
        half = np.log((hidden["nc1_x"] / hidden["nc1_half"]).to_numpy())
        rows.append(
            {
                "decay": decay,
                "seed": seed,
                "first": first,
                "last": last,
                "share": float(half.sum() / np.log(first / last)) if last < first else np.nan,
                "half_ratio": float(np.exp(-half.mean())),
                "relu_ratio": geometric_mean(hidden["nc1_relu"] / hidden["nc1_half"]),
                "train_error": float(part["train_error"].iloc[0]),
                "test_error": float(part["test_error"].iloc[0]),
            }
        )
    return pd.DataFrame(rows)
