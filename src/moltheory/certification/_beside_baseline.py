"""A certificate and a comparison with a baseline, of the same losses at one delta."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moltheory._core._validation import check_fraction
from moltheory.certification._baseline import compare_to_baseline
from moltheory.certification._certificate import Certificate
from moltheory.certification._earlier import GREW
from moltheory.certification._shares import Family
from moltheory.errors import DataWarning

__all__ = ["certified_beside"]

_OF_BOTH = (
    *("costs", "objectives", "names", "loss_range", "maximise"),
    *("clusters", "largest_cluster", "cluster_weights"),
)


def certified_beside(
    certify: Any, losses: Any, baseline: str, margins: Mapping[str, float] | None, delta: float, options: dict[str, Any]
) -> Certificate:
    """Return a certificate at half of delta with a comparison at the other half."""
    total = check_fraction("delta", delta)
    common = {name: options[name] for name in _OF_BOTH}
    comparison = compare_to_baseline(losses, baseline, margins=margins, delta=total / 2.0, **common)
    with warnings.catch_warnings():
        # All others have been said.
        warnings.filterwarnings("ignore", rf"(?!{re.escape(GREW)})", DataWarning)
        certificate: Certificate = certify(losses, delta=total / 2.0, **options)
    allocation = (*certificate.delta_allocation, (str(Family.BASELINE), total / 2.0))
    made = replace(certificate, delta=total, delta_allocation=allocation, baseline=comparison)
    return made.with_statistics(certificate._statistics)  # type: ignore[attr-defined]
