"""Real data sets as populations, with a documented class of models fixed before any draw."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from moltheory._core._validation import check_choice
from moltheory.problems._population import FinitePopulation
from moltheory.problems._predictions import from_predictions
from moltheory.problems._tables import from_table

__all__ = ["from_dataset"]

_THRESHOLDS = 20
_SPLIT_SEED = 0
_LEAVES = (2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 112, 128)


def from_dataset(name: str, *, stratify: bool = False) -> FinitePopulation:
    """Return a data set bundled with scikit-learn as a population with known truth.

    Half of the rows, chosen at random with a fixed seed and equal shares of the classes, train the models; the
    other half is the population from which samples are drawn with replacement. The models are fixed before any
    draw, so their true risks are exact averages over the population.

    Parameters
    ----------
    name : {"breast_cancer", "diabetes", "digits", "wine"}
        ``"breast_cancer"`` (569 tumors; Wolberg et al. 1995, doi 10.24432/C5DW2B; population 285):
        false-negative rate and false-positive rate for malignant tumors, and the share of the 30 features used.
        300 models: for each k = 2, 4, ..., 30 a logistic regression on the k features of largest F statistic, at
        20 decision thresholds spread evenly over the training scores' quantiles.

        ``"digits"`` (1797 images of 8 x 8 pixels; Alpaydin and Kaynak 1998, doi 10.24432/C50P49; population 899):
        error, error of the worst of the ten digits, and model size, the number of parameters divided by 1290, that
        of the largest model. 179 models. On the k pixels of largest F statistic, for k = 2, 4, ..., 64: linear
        discriminants with shrinkage .01, .1, .5 and 1 (10 (k + 1) parameters: ten linear functions) and Gaussian
        naive Bayes (10 (2 k + 1): means, variances and priors). On all pixels: trees with
        L = 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 112 and 128 leaves (3 L - 2: pixel and
        threshold of each split, label of each leaf).

        ``"wine"`` (178 wines of three cultivars; Aeberhard and Forina 1992, doi 10.24432/C5PC7J; population 89):
        error, error of the worst cultivar, and the share of the 13 features used. 80 models: the default
        classifiers of `from_table`.

        ``"diabetes"`` (442 patients, disease progression after a year; Efron et al. 2004,
        doi 10.1214/009053604000000067; population 221): squared error and squared error of the worse sex, both in
        variances of the target, and the share of the 9 features used (all but sex). 216 models: the default ridge
        regressions of `from_table`.
    stratify : bool, default False
        Fix the number of examples of each class or group in every sample; see `FinitePopulation`.

    Returns
    -------
    FinitePopulation
        Hypotheses are ordered by kind, then by number of features; ``hypothesis_names`` tell which is which.

    Raises
    ------
    InvalidInputError
        If the name is unknown.

    Examples
    --------
    >>> problem = from_dataset("breast_cancer")
    >>> problem.n_hypotheses, problem.objective_names
    (300, ('false_negative_rate', 'false_positive_rate', 'share_of_features'))
    """
    return _DATASETS[check_choice("name", name, _DATASETS)](stratify)


def _breast_cancer(stratify: bool) -> FinitePopulation:
    from sklearn.datasets import load_breast_cancer
    from sklearn.feature_selection import f_classif
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, benign = load_breast_cancer(return_X_y=True)
    malignant = 1 - benign
    split: list[Any] = train_test_split(
        features, malignant, test_size=0.5, stratify=malignant, random_state=_SPLIT_SEED
    )
    train, population, train_target, target = split
    ranking = np.argsort(-f_classif(train, train_target)[0], kind="stable")
    predictions, shares, names = [], [], []
    for k in range(2, features.shape[1] + 1, 2):
        chosen = ranking[:k]
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(train[:, chosen], train_target)
        levels = (np.arange(_THRESHOLDS) + 0.5) / _THRESHOLDS
        thresholds = np.quantile(model.decision_function(train[:, chosen]), levels)
        scores = model.decision_function(population[:, chosen])
        predictions.append(scores[:, None] > thresholds)
        shares.append(np.full(_THRESHOLDS, k / features.shape[1]))
        names += [f"{k} features, level {level:.3f}" for level in levels]
    return from_predictions(
        np.concatenate(predictions, axis=1).astype(np.int8),
        target,
        costs={"share_of_features": np.concatenate(shares)},
        objectives=["false_negative_rate", "false_positive_rate"],
        name="breast_cancer",
        stratify=stratify,
        hypothesis_names=names,
    )


def _digits(stratify: bool) -> FinitePopulation:
    from sklearn.datasets import load_digits
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.feature_selection import f_classif
    from sklearn.model_selection import train_test_split
    from sklearn.naive_bayes import GaussianNB
    from sklearn.tree import DecisionTreeClassifier

    pixels, digit = load_digits(return_X_y=True)
    split: list[Any] = train_test_split(pixels / 16, digit, test_size=0.5, stratify=digit, random_state=_SPLIT_SEED)
    train, population, train_target, target = split
    # Pixels that are always blank come last: their F statistic is not defined.
    inked = train.std(axis=0) > 0
    statistic = np.zeros(inked.size)
    statistic[inked] = f_classif(train[:, inked], train_target)[0]
    ranking = np.argsort(-statistic, kind="stable")
    families: dict[str, tuple[Callable[[], Any], Callable[[int], int]]] = {
        f"discriminant, shrinkage {shrinkage:g}": (
            partial(LinearDiscriminantAnalysis, solver="lsqr", shrinkage=shrinkage),
            lambda k: 10 * (k + 1),
        )
        for shrinkage in (0.01, 0.1, 0.5, 1.0)
    }
    families["naive Bayes"] = (partial(GaussianNB, var_smoothing=0.1), lambda k: 10 * (2 * k + 1))
    fitted = [
        (f"{label}, {k} pixels", family(), ranking[:k], size(k))
        for label, (family, size) in families.items()
        for k in range(2, 65, 2)
    ]
    fitted += [
        (
            f"tree, {leaves} leaves",
            DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0),
            ranking,
            3 * leaves - 2,
        )
        for leaves in _LEAVES
    ]
    predictions = [
        model.fit(train[:, chosen], train_target).predict(population[:, chosen]) for _, model, chosen, _ in fitted
    ]
    sizes = np.array([size for _, _, _, size in fitted])
    return from_predictions(
        np.stack(predictions, axis=1),
        target,
        costs={"model_size": sizes / sizes.max()},
        objectives=["error", "worst_class_error"],
        name="digits",
        stratify=stratify,
        hypothesis_names=[label for label, _, _, _ in fitted],
    )


def _wine(stratify: bool) -> FinitePopulation:
    from sklearn.datasets import load_wine

    objectives = ["error", "worst_class_error", "share_of_features"]
    frame = load_wine(as_frame=True).frame
    return from_table(frame, target="target", objectives=objectives, name="wine", stratify=stratify)


def _diabetes(stratify: bool) -> FinitePopulation:
    from sklearn.datasets import load_diabetes

    objectives = ["squared_error", "worst_group_squared_error", "share_of_features"]
    frame = load_diabetes(as_frame=True).frame
    return from_table(frame, target="target", group="sex", objectives=objectives, name="diabetes", stratify=stratify)


_DATASETS: dict[str, Callable[[bool], FinitePopulation]] = {
    "breast_cancer": _breast_cancer,
    "diabetes": _diabetes,
    "digits": _digits,
    "wine": _wine,
}
