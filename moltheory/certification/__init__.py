"""Losses of models on examples in, a certificate of the front out: who is on it, who is not, who cannot be told."""

from moltheory.certification.calling import certify
from moltheory.certification.certificate import Certificate
from moltheory.certification.estimators import from_estimators
from moltheory.certification.evaluated import EvaluatedModels
from moltheory.certification.further import further_examples
from moltheory.certification.groups import ModelGroups, groups_not_told_apart
from moltheory.certification.harness_logs import from_harness_logs
from moltheory.certification.long_tables import from_long_table
from moltheory.certification.planning import planned_sizes
from moltheory.certification.predictions import from_predictions
from moltheory.certification.reading import LossSource, open_losses, read_costs
from moltheory.certification.report import certificate_page
from moltheory.certification.settling import more_examples
from moltheory.certification.sizes import pickled_bytes, prediction_seconds, stored_numbers
from moltheory.certification.stream import CertificateStream

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
