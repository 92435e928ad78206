"""Real data sets as populations of groups, for logistic regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count
from moltheory.errors import InvalidInputError
from moltheory.objectives import NormBall
from moltheory.problems._group_losses import LogisticGroups

__all__ = ["logistic_groups"]


@document
def logistic_groups(
    name: str,
    *,
    group: str | None = None,
    n_features: int | None = None,
    ridge: float = 0.01,
    ball: NormBall | None = None,
) -> LogisticGroups:
    """Return a data set bundled with scikit-learn as a population of groups; all its rows are the population.

    Parameters
    ----------
    name : {"breast_cancer", "digits", "wine"}
        ``"breast_cancer"`` (569 tumors, 30 features): malignant or benign. ``"digits"`` (1797 images, 64 pixels of
        which the 3 that are always blank are dropped): odd or even. ``"wine"`` (178 wines, 13 features): the second
        cultivar or another. Sources: `from_dataset`.
    group : str, optional
        ``"class"`` makes the two classes the groups: the trade-off of errors of the two kinds. The name of a feature
        makes two groups, rows above its median and the others. For digits also ``"high_digit"``: 0 to 4 and 5 to 9
        (the writers are not in the data). By default ``"mean texture"``, ``"high_digit"`` and ``"alcohol"``.
    n_features : int, optional
        Keep the features of largest F statistic over all rows; by default all.
    ridge, ball
        As in `LogisticGroups`.

    Returns
    -------
    LogisticGroups

    {raises}

    Examples
    --------
    >>> logistic_groups("breast_cancer", n_features=5)
    LogisticGroups(name='breast_cancer by mean texture', dimension=6, rows={'high': 284, 'low': 285})
    """
    features, target, names, extra, default = _DATASETS[check_choice("name", name, _DATASETS)]()
    split = {"class": np.where(target > 0.0, "positive", "negative"), **extra}
    chosen = default if group is None else group
    if chosen in names:
        column = features[:, names.index(chosen)]
        split[chosen] = np.where(column > np.median(column), "high", "low")
    if chosen not in split:
        raise InvalidInputError(
            f"`group` must be one of {', '.join(split)} or the name of a feature of {name}, got {group!r}."
        )
    if n_features is not None:
        features = features[:, _best(features, target, check_count("n_features", n_features))]
    return LogisticGroups(features, target, split[chosen], ridge=ridge, ball=ball, name=f"{name} by {chosen}")


def _best(features: FloatArray, target: FloatArray, count: int) -> npt.NDArray[np.int64]:
    from sklearn.feature_selection import f_classif

    varies = np.flatnonzero(features.std(axis=0) > 0.0)
    if count > varies.size:
        raise InvalidInputError(f"`n_features` must be at most {varies.size}, got {count}.")
    return np.asarray(varies[np.argsort(-f_classif(features[:, varies], target)[0], kind="stable")[:count]])


_Table = tuple[FloatArray, FloatArray, list[str], dict[str, npt.NDArray[np.str_]], str]


def _breast_cancer() -> _Table:
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    return data.data, 1.0 - data.target, [str(name) for name in data.feature_names], {}, "mean texture"


def _digits() -> _Table:
    from sklearn.datasets import load_digits

    data = load_digits()
    high = np.where(data.target >= 5, "high", "low")
    target = (data.target % 2).astype(np.float64)
    return data.data, target, [str(name) for name in data.feature_names], {"high_digit": high}, "high_digit"


def _wine() -> _Table:
    from sklearn.datasets import load_wine

    data = load_wine()
    return data.data, (data.target == 1).astype(np.float64), [str(name) for name in data.feature_names], {}, "alcohol"


_DATASETS: dict[str, Callable[[], _Table]] = {"breast_cancer": _breast_cancer, "digits": _digits, "wine": _wine}
