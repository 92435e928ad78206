"""Real data sets as populations, with a documented class of models fixed before any draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory._validation import check_choice
from moltheory.problems.population import FinitePopulation
from moltheory.problems.predictions import from_predictions

__all__ = ["from_dataset"]

_THRESHOLDS = 20
_SPLIT_SEED = 0


def from_dataset(name: str) -> FinitePopulation:
    """Return a bundled data set as a population with known truth.

    Half of the rows, chosen at random with a fixed seed and equal shares of the classes, train the models; the
    other half is the population from which samples are drawn with replacement. The models are fixed before any
    draw, so their true risks are exact averages over the population.

    Parameters
    ----------
    name : {"breast_cancer"}
        ``"breast_cancer"`` (569 tumors; Wolberg et al. 1995, doi 10.24432/C5DW2B): false-negative rate and
        false-positive rate for malignant tumors, and the share of the 30 features used. 300 models: for each
        k = 2, 4, ..., 30 a logistic regression on the k features of largest F statistic, at 20 decision
        thresholds spread evenly over the training scores' quantiles.

    Returns
    -------
    FinitePopulation
        Hypotheses are ordered by number of features, then by threshold.

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
    check_choice("name", name, {"breast_cancer"})
    return _breast_cancer()


def _breast_cancer() -> FinitePopulation:
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
    predictions, shares = [], []
    for k in range(2, features.shape[1] + 1, 2):
        chosen = ranking[:k]
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(train[:, chosen], train_target)
        levels = (np.arange(_THRESHOLDS) + 0.5) / _THRESHOLDS
        thresholds = np.quantile(model.decision_function(train[:, chosen]), levels)
        scores = model.decision_function(population[:, chosen])
        predictions.append(scores[:, None] > thresholds)
        shares.append(np.full(_THRESHOLDS, k / features.shape[1]))
    return from_predictions(
        np.concatenate(predictions, axis=1).astype(np.int8),
        target,
        costs={"share_of_features": np.concatenate(shares)},
        objectives=["false_negative_rate", "false_positive_rate"],
        name="breast_cancer",
    )
