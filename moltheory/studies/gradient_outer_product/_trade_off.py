"""Depth and bandwidth as a choice between four objectives: collapse seen and unseen, test error, and rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification import certify
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import hypervolume, nondominated
from moltheory.solvers import supported

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DELTA", "OBJECTIVES", "model_objectives", "real_fronts"]

OBJECTIVES = ("train_nc1", "test_nc1", "test_error", "rank")
DELTA = 0.05


def model_objectives(models: pd.DataFrame, /) -> FiniteObjectives:
    """Return models as a finite class: only test NC1 and test error are estimated from test examples.

    Parameters
    ----------
    models : pandas.DataFrame
        With the columns ``train_nc1``, ``test_nc1``, ``test_error`` and ``rank``.

    Returns
    -------
    FiniteObjectives

    Raises
    ------
    InvalidInputError
        If a column is missing.
    """
    missing = [name for name in OBJECTIVES if name not in models.columns]
    if missing:
        raise InvalidInputError(f"`models` must have the columns {', '.join(OBJECTIVES)}, got none named {missing[0]}.")
    points = models[list(OBJECTIVES)].to_numpy(dtype=np.float64)
    return FiniteObjectives(points, names=OBJECTIVES, data_dependent=[False, True, True, False])


def real_fronts(
    models: pd.DataFrame, wrong: Mapping[int, npt.NDArray[np.bool_]], /
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the empirical front of every seed, and certify what of it is real.

    The certificate is about the front in (test error, train NC1, rank): the first is a mean over test examples, the
    others are known exactly. Test NC1 is no mean over examples, so it enters the empirical front only.

    Parameters
    ----------
    models : pandas.DataFrame
        As `recursion_sweep` gives it; controls are left out, and the model at depth 0, which all variants share,
        counts once.
    wrong : mapping of int to (n, M) ndarray of bool
        Losses of the models of every seed.

    Returns
    -------
    models : pandas.DataFrame
        The models compared, with ``on_front`` (four objectives), ``on_certified_front`` (empirical, in the three of
        the certificate), ``supported`` (on the convex hull, so that a weighted sum finds it) and ``status``.
    fronts : pandas.DataFrame
        One row per seed: ``models``, ``front``, ``supported``; ``front_3`` and how many of it are ``sure_of_front``
        and ``excluded_of_front``; over all models ``sure``, ``excluded``, ``undecided``; and hypervolumes in log10
        train NC1 and test error, bounded by the model at depth 0 and an error of 1/10, of the ReLU features, the
        Fourier features and both.
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
            row[f"volume_{name}"] = _volume(flat[mask], reference)
        rows.append(row)
    return pd.concat(tables, ignore_index=True), pd.DataFrame(rows)


def _volume(points: FloatArray, reference: FloatArray) -> float:
    # Points that the reference does not bound add nothing.
    inside = points[(points <= reference).all(axis=1)]
    return hypervolume(inside, reference=reference) if len(inside) else 0.0
