"""Per-example losses of models as one table, from arrays, data frames, files, logs, predictions and estimators.

Every reader returns a `LossTable`: names of models and objectives, directions, ranges, clusters, costs, and blocks of
losses ``(b, M, N)`` that never split a cluster. Files in a suitable order are read in bounded memory. An objective is
the mean of a loss, a `moltheory.objectives.Measure`, or a `Tail`; `named_objectives` lists those that have a name.
"""

from moltheory._core._listing import public_names
from moltheory.evaluation._auc import AUCError
from moltheory.evaluation._costs import read_costs
from moltheory.evaluation._cross_validation import from_cross_validation
from moltheory.evaluation._estimators import from_estimators
from moltheory.evaluation._frames import from_long_table
from moltheory.evaluation._lm_eval import from_harness_logs
from moltheory.evaluation._measured_cost import Measured
from moltheory.evaluation._model_cost import Timings, pickled_bytes, prediction_seconds, stored_numbers
from moltheory.evaluation._open import open_losses
from moltheory.evaluation._predictions import from_predictions
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._readers import readers, register_reader
from moltheory.evaluation._registry import NamedObjective, named_objectives
from moltheory.evaluation._service import CappedMean, ExceedanceRate, WinRate
from moltheory.evaluation._source import LossSource
from moltheory.evaluation._table import LossTable
from moltheory.evaluation._tails import CVaR, Quantile, Tail

EvaluatedModels = LossTable

__all__ = [
    "AUCError",
    "CVaR",
    "CappedMean",
    "EvaluatedModels",
    "ExceedanceRate",
    "LossSource",
    "LossTable",
    "Measured",
    "NamedObjective",
    "Quantile",
    "Reader",
    "Request",
    "Tail",
    "Timings",
    "WinRate",
    "from_cross_validation",
    "from_estimators",
    "from_harness_logs",
    "from_long_table",
    "from_predictions",
    "named_objectives",
    "open_losses",
    "pickled_bytes",
    "prediction_seconds",
    "read_costs",
    "readers",
    "register_reader",
    "stored_numbers",
]

__dir__ = public_names(__name__)
