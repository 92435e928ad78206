"""Losses of models on examples in, a certificate of the front out: who is on it, who is not, who cannot be told."""

from moltheory.certification._certificate import Certificate
from moltheory.certification._certify import certify
from moltheory.certification._further_examples import further_examples
from moltheory.certification._groups import ModelGroups, groups_not_told_apart
from moltheory.certification._power import more_examples
from moltheory.certification._report import certificate_page
from moltheory.certification._sample_size import planned_sizes
from moltheory.certification._stream import CertificateStream
from moltheory.evaluation import (
    EvaluatedModels,
    LossSource,
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
    "Certificate",
    "CertificateStream",
    "EvaluatedModels",
    "LossSource",
    "ModelGroups",
    "certificate_page",
    "certify",
    "from_estimators",
    "from_harness_logs",
    "from_long_table",
    "from_predictions",
    "further_examples",
    "groups_not_told_apart",
    "more_examples",
    "open_losses",
    "pickled_bytes",
    "planned_sizes",
    "prediction_seconds",
    "read_costs",
    "stored_numbers",
]
