"""Certify which models are on the true Pareto front, from their losses on a sample."""

from typing import TYPE_CHECKING

from moltheory._core._deprecation import renamed_names
from moltheory._core._listing import public_names
from moltheory.certification._baseline import BaselineComparison, compare_to_baseline
from moltheory.certification._certificate import Certificate
from moltheory.certification._certify import certify
from moltheory.certification._certify_claims import ClaimResults, certify_claims
from moltheory.certification._certify_limits import certify_limits
from moltheory.certification._choice import Choice
from moltheory.certification._claims import AmongBest, BestWithin, Better, Claim, Comparisons
from moltheory.certification._further_examples import further_examples
from moltheory.certification._groups import ModelGroups, indistinguishable_groups
from moltheory.certification._limit_tests import LimitTests
from moltheory.certification._limits import LimitVerdicts
from moltheory.certification._power import more_examples
from moltheory.certification._race import RaceResult, race
from moltheory.certification._report import certificate_page
from moltheory.certification._sample_size import planned_sizes
from moltheory.certification._stream import CertificateStream
from moltheory.evaluation import (
    EvaluatedModels,
    LossSource,
    LossTable,
    from_cross_validation,
    from_estimators,
    from_harness_logs,
    from_long_table,
    from_predictions,
    open_losses,
    pickled_bytes,
    prediction_seconds,
    read_costs,
    stored_numbers,
)

__all__ = [
    "AmongBest",
    "BaselineComparison",
    "BestWithin",
    "Better",
    "Certificate",
    "CertificateStream",
    "Choice",
    "Claim",
    "ClaimResults",
    "Comparisons",
    "EvaluatedModels",
    "LimitTests",
    "LimitVerdicts",
    "LossSource",
    "LossTable",
    "ModelGroups",
    "RaceResult",
    "certificate_page",
    "certify",
    "certify_claims",
    "certify_limits",
    "compare_to_baseline",
    "from_cross_validation",
    "from_estimators",
    "from_harness_logs",
    "from_long_table",
    "from_predictions",
    "further_examples",
    "indistinguishable_groups",
    "more_examples",
    "open_losses",
    "pickled_bytes",
    "planned_sizes",
    "prediction_seconds",
    "race",
    "read_costs",
    "stored_numbers",
]

__dir__ = public_names(__name__)

if not TYPE_CHECKING:
    __getattr__ = renamed_names(__name__, {"groups_not_told_apart": "indistinguishable_groups"})
