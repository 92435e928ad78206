"""Per-example losses of models: read from arrays, tables, files, logs and predictions, in blocks.

Every file becomes a `LossSource`: names of models and objectives, and blocks of losses ``(b, M, N)`` in which the
rows of one cluster stay together. Files in a fitting order are never held in memory as a whole.
"""

from moltheory.evaluation._costs import read_costs
from moltheory.evaluation._estimators import from_estimators
from moltheory.evaluation._evaluated import EvaluatedModels
from moltheory.evaluation._frames import from_long_table
from moltheory.evaluation._lm_eval import from_harness_logs
from moltheory.evaluation._model_cost import pickled_bytes, prediction_seconds, stored_numbers
from moltheory.evaluation._open import open_losses
from moltheory.evaluation._predictions import from_predictions
from moltheory.evaluation._source import LossSource

__all__ = [
    "EvaluatedModels",
    "LossSource",
    "from_estimators",
    "from_harness_logs",
    "from_long_table",
    "from_predictions",
    "open_losses",
    "pickled_bytes",
    "prediction_seconds",
    "read_costs",
    "stored_numbers",
]
