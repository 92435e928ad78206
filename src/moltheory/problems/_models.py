"""Classes of models fixed before any draw: trained by default, or given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._shared_state import warnings_as
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.problems._encoding import EncodedColumns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ModelTable", "default_classifiers", "default_regressors", "given_models"]

# The penalty per training example, so that it means the same for tables of any length.
_BINARY_PENALTIES = (0.3, 0.03, 0.001)
_LEVELS = tuple((i + 0.5) / 10 for i in range(10))
_CLASS_PENALTIES = tuple(10.0 ** (-4 + i / 2) for i in range(10))
_RIDGE_PENALTIES = tuple(10.0 ** (-4 + i / 4) for i in range(24))
_COUNTS = 8
_RIDGE_COUNTS = 10


@dataclass(frozen=True)
class ModelTable:
    """Predictions (n, H) of H models with their names, numbers of columns used and coefficient norms.

    `n_features` and `norms` hold None for a model that does not tell.
    """

    predictions: npt.NDArray[Any]
    names: tuple[str, ...]
    n_features: tuple[float | None, ...]
    norms: tuple[float | None, ...]
    n_columns: int


def default_classifiers(
    encoded: EncodedColumns, labels: npt.NDArray[np.int64], train: npt.NDArray[np.bool_]
) -> ModelTable:
    """Logistic regressions on the best k columns, over penalties and (for two classes) decision thresholds."""
    from sklearn.linear_model import LogisticRegression

    n_classes = int(labels.max()) + 1
    fitted, rest, subsets = _prepare(encoded, np.eye(n_classes)[labels], train, _COUNTS)
    rows: list[tuple[npt.NDArray[Any], str, int, float]] = []
    for k, chosen in subsets:
        for penalty in _BINARY_PENALTIES if n_classes == 2 else _CLASS_PENALTIES:
            model = LogisticRegression(C=1.0 / (penalty * len(fitted)), solver="newton-cg")
            with warnings_as("ignore"):  # a model that stopped early is as fixed as any other
                model.fit(fitted[:, chosen], labels[train])
            norm, label = float(np.linalg.norm(model.coef_)), f"{_columns(k)}, penalty {penalty:.3g}"
            if n_classes > 2:
                rows.append((model.predict(rest[:, chosen]), label, k, norm))
                continue
            scores = model.decision_function(rest[:, chosen])
            cuts = np.quantile(model.decision_function(fitted[:, chosen]), _LEVELS)
            named = {float(cut): f"level {level:.2f}" for level, cut in zip(_LEVELS, cuts, strict=True)}
            named.setdefault(0.0, "probability 1/2")
            rows += [((scores > cut).astype(np.int64), f"{label}, {text}", k, norm) for cut, text in named.items()]
    return _collect(rows, encoded.n_columns)


def default_regressors(encoded: EncodedColumns, target: FloatArray, train: npt.NDArray[np.bool_]) -> ModelTable:
    """Ridge regressions on the best k columns, over penalties."""
    from sklearn.linear_model import Ridge

    fitted, rest, subsets = _prepare(encoded, target[:, None], train, _RIDGE_COUNTS)
    rows: list[tuple[npt.NDArray[Any], str, int, float]] = []
    for k, chosen in subsets:
        for penalty in _RIDGE_PENALTIES:
            model = Ridge(alpha=penalty * len(fitted), solver="svd").fit(fitted[:, chosen], target[train])
            rows.append(
                (
                    model.predict(rest[:, chosen]),
                    f"{_columns(k)}, penalty {penalty:.3g}",
                    k,
                    float(np.linalg.norm(model.coef_)),
                )
            )
    return _collect(rows, encoded.n_columns)


def _columns(k: int) -> str:
    return f"{k} column" if k == 1 else f"{k} columns"


def _collect(rows: list[tuple[npt.NDArray[Any], str, int, float]], n_columns: int) -> ModelTable:
    predictions, names, counts, norms = zip(*rows, strict=True)
    return ModelTable(np.stack(predictions, axis=1), names, counts, norms, n_columns)


def _prepare(
    encoded: EncodedColumns, response: FloatArray, train: npt.NDArray[np.bool_], n_counts: int
) -> tuple[FloatArray, FloatArray, list[tuple[int, npt.NDArray[np.bool_]]]]:
    """Standardise by the training rows; return both halves and nested subsets of the best columns."""
    from sklearn.preprocessing import StandardScaler

    matrix, owner = encoded.matrix, encoded.owner
    standard = StandardScaler().fit(matrix[train]).transform(matrix)
    fitted, centred = standard[train], response[train] - response[train].mean(axis=0)
    scores = [_f_statistic(fitted[:, owner == column], centred) for column in range(encoded.n_columns)]
    ranking = np.argsort(-np.array(scores), kind="stable")
    counts = np.unique(np.rint(np.linspace(1, ranking.size, min(n_counts, ranking.size))).astype(int)).tolist()
    return fitted, standard[~train], [(k, np.isin(owner, ranking[:k])) for k in counts]


def _f_statistic(columns: FloatArray, response: FloatArray) -> float:
    """F statistic of a regression of the centred response on some columns; for classes, of their indicators."""
    basis, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    basis = basis[:, sizes > 1e-9 * max(float(sizes[0]), 1.0)]
    free = len(response) - basis.shape[1] - 1
    explained, total = float(((basis.T @ response) ** 2).sum()), float((response**2).sum())
    if basis.shape[1] == 0 or free <= 0 or total == 0.0:
        return 0.0
    return float(explained / basis.shape[1] * free / max(total - explained, 1e-12 * total))


def given_models(
    models: object, features: pd.DataFrame, others: pd.DataFrame, rows: npt.NDArray[np.bool_]
) -> ModelTable:
    """Return the predictions of a caller's fitted models, a mapping or a sequence, on the `rows` (n,) of the population.

    Each gets the columns that its ``feature_names_in_``, if any, names, without (`features`) or with the group
    (`others`). Models without ``predict``, or that cannot predict these rows or return another shape, are refused.
    """
    if isinstance(models, Mapping):
        named = {str(key): model for key, model in models.items()}
    elif isinstance(models, Sequence) and not isinstance(models, str):
        named = {f"model {position}": model for position, model in enumerate(models)}
    else:
        raise InvalidInputError(
            f"`models` must be a mapping or sequence of fitted models, or a function that returns one, "
            f"got {type(models).__name__}."
        )
    if not named:
        raise InvalidInputError("`models` must hold at least one fitted model, got none.")
    predictions = []
    for name, model in named.items():
        if not callable(getattr(model, "predict", None)):
            raise InvalidInputError(
                f"`models` must hold fitted models with a predict method, got {type(model).__name__} as {name!r}."
            )
        predictions.append(_predict(name, model, features, others, rows))
    return ModelTable(
        np.stack(predictions, axis=1),
        tuple(named),
        tuple(_n_features(model) for model in named.values()),
        tuple(_norm(model) for model in named.values()),
        features.shape[1],
    )


def _predict(
    name: str, model: Any, features: pd.DataFrame, others: pd.DataFrame, rows: npt.NDArray[np.bool_]
) -> npt.NDArray[Any]:
    wanted = getattr(model, "feature_names_in_", None)
    if wanted is not None:
        absent = [column for column in wanted if column not in others.columns]
        if absent:
            raise InvalidInputError(f"`models` must use columns of the frame, got {absent[0]!r} in {name!r}: add it.")
        features = others[list(wanted)]
    chosen = features[rows]
    try:
        found = np.asarray(model.predict(chosen))
    except Exception as error:
        reason = (str(error).splitlines() or ["no reason"])[0].rstrip(".")
        raise InvalidInputError(
            f"`models` must predict the rows of the frame, got {type(error).__name__} from {name!r}: {reason}."
        ) from error
    if found.shape != (len(chosen),):
        raise InvalidInputError(
            f"`models` must predict one value for each of {len(chosen)} rows, got shape {found.shape} from {name!r}."
        )
    return found


def _n_features(model: Any) -> float | None:
    """Columns with a non-zero coefficient, else columns taken."""
    taken = getattr(model, "n_features_in_", None)
    coefficients = getattr(model, "coef_", None)
    if coefficients is not None and taken is not None and np.shape(coefficients)[-1] == taken:
        return float((np.atleast_2d(coefficients) != 0).any(axis=0).sum())
    return None if taken is None else float(taken)


def _norm(model: Any) -> float | None:
    steps = getattr(model, "steps", None)
    coefficients = getattr(steps[-1][1] if steps else model, "coef_", None)
    return None if coefficients is None else float(np.linalg.norm(np.asarray(coefficients, dtype=np.float64)))
