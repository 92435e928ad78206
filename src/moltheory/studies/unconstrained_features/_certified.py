"""Which trained networks are certainly on the front of (test error, NC1, norm), by the package's own certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory.studies.unconstrained_features._networks import layer_columns

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification import Certificate

__all__ = ["certified_networks", "last_nc1"]

# A network whose norms vanish outputs zero: it has no features to measure.
_ALIVE = 1e-3


def last_nc1(networks: pd.DataFrame, /) -> npt.NDArray[np.float64]:
    """Return NC1 of the last hidden layer of each network."""
    return networks[layer_columns(networks, "nc1")[-1]].to_numpy(dtype=np.float64)


def certified_networks(
    networks: pd.DataFrame, wrong: npt.NDArray[np.bool_], /, *, delta: float = 0.05
) -> tuple[Certificate, npt.NDArray[np.int64]]:
    """Certify networks that output more than zero: the error is measured on test images, NC1 and the norm are costs.

    Returns
    -------
    Certificate
    ndarray of int
        Rows of the networks certified.
    """
    from moltheory.certification import certify

    rows = np.flatnonzero((networks["scale"] > _ALIVE) & np.isfinite(last_nc1(networks)))
    part = networks.iloc[rows]
    names = [
        f"{kind}, trunk {trunk}, {nominal:g}, seed {seed}"
        for kind, trunk, nominal, seed in zip(part["kind"], part["trunk"], part["nominal"], part["seed"], strict=True)
    ]
    certificate = certify(
        wrong[:, rows, None],
        delta=delta,
        costs={"NC1": last_nc1(part), "norm": part["norm"].to_numpy(dtype=np.float64)},
        objectives=["error"],
        names=names,
        maximise=[],
    )
    return certificate, rows
