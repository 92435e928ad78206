"""The studies by name, in the order of the report; each is imported when it is first asked for."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from moltheory._core._validation import check_choice

if TYPE_CHECKING:
    from moltheory.studies._base import Study

__all__ = ["get_study", "study_names"]

# Name on the command line -> room of the study and its class.
_STUDIES: dict[str, tuple[str, str]] = {
    "unconstrained-features": ("unconstrained_features", "UnconstrainedFeatures"),
    "low-rank-bias": ("low_rank_bias", "LowRankBias"),
    "weight-decay": ("weight_decay", "WeightDecay"),
    "average-gradient-outer-product": ("gradient_outer_product", "GradientOuterProduct"),
    "smoothing": ("smoothing", "Smoothing"),
    "fully-connected": ("fully_connected", "FullyConnected"),
}


def study_names() -> tuple[str, ...]:
    """Return the names of all studies, in the order of the report.

    Examples
    --------
    >>> study_names()[0]
    'unconstrained-features'
    """
    return tuple(_STUDIES)


def get_study(
    name: str,
    /,
    data: str | os.PathLike[str] | None = None,
    *,
    device: str = "cpu",
    threads: int = 1,
    large: bool = False,
) -> Study[Any]:
    """Return a study by name, on the digits of scikit-learn or on the images of a folder; see `Study`.

    Raises
    ------
    InvalidInputError
        If there is no study of that name; the message lists them.

    Examples
    --------
    >>> get_study("unconstrained-features").name
    'unconstrained-features'
    """
    check_choice("name", name, study_names())
    module, kind = _STUDIES[name]
    study: Study[Any] = getattr(import_module(f"moltheory.studies.{module}"), kind)(
        data, device=device, threads=threads, large=large
    )
    return study
