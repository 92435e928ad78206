"""About 150 classifiers of many kinds on a bundled data set: what a practitioner compares on a validation set.

It lives with the figures because it is an example, not part of the theory: learners are trained here, scikit-learn
is imported inside functions, and what comes out goes through the same adapter as a user's own estimators.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._shared_state import warnings_as
from moltheory._core._validation import FloatArray, as_readonly, check_choice
from moltheory.evaluation._model_cost import Timings, pickled_bytes, prediction_seconds, stored_numbers

__all__ = ["Zoo", "model_zoo"]

DATA_SETS = ("breast_cancer", "digits")
_SPLIT_SEED = 0
_QUICK = slice(2, None, 4)


@dataclass(frozen=True, eq=False)
class Zoo:
    """Fitted classifiers with the half of the data they have not seen.

    Attributes
    ----------
    name : str
        Of the data set.
    estimators : mapping of str to estimator
        The M fitted classifiers by name.
    families : tuple of str
        Kind of each: tree, forest, nearest neighbors and so on.
    features : (n, d) ndarray
    target : (n,) ndarray of int
    wrong : (n, M) ndarray
        1 where a model errs on an example, else 0.
    size_in_bytes, n_parameters : (M,) ndarray
        See `pickled_bytes` and `stored_numbers` in `moltheory.evaluation._model_cost`; the same for one set of versions.
    """

    name: str
    estimators: Mapping[str, Any]
    families: tuple[str, ...]
    features: FloatArray
    target: npt.NDArray[np.int64]
    wrong: FloatArray
    size_in_bytes: FloatArray
    n_parameters: FloatArray

    @property
    def model_names(self) -> tuple[str, ...]:
        """Names of the M models."""
        return tuple(self.estimators)

    def prediction_seconds(self, *, repeats: int = 3) -> Timings:
        """Measure seconds per prediction: other numbers in every run and on every machine."""
        return prediction_seconds(self.estimators, self.features, repeats=repeats)


@functools.cache
def model_zoo(name: str, *, quick: bool = False) -> Zoo:
    """Train the classifiers on one half of a data set and evaluate them on the other half; once per process.

    Parameters
    ----------
    name : {"breast_cancer", "digits"}
    quick : bool, default False
        Every fourth model only.

    Returns
    -------
    Zoo
        The same in every process with one set of versions: seeds are fixed and one thread is used.

    Raises
    ------
    InvalidInputError
        If the name is unknown.

    Notes
    -----
    Decision trees, random forests, extremely randomized trees, bagging and three kinds of boosting, nearest
    neighbors and centroids, linear and quadratic discriminants, logistic regressions, ridge classifiers,
    perceptrons, support-vector machines, naive Bayes and neural networks, with several settings each; many of them
    on the quarter, half or all of the features with the largest F statistic.
    """
    from sklearn import datasets
    from sklearn.model_selection import train_test_split
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    check_choice("name", name, DATA_SETS)
    table, target = getattr(datasets, f"load_{name}")(return_X_y=True)
    split: list[Any] = train_test_split(table, target, test_size=0.5, stratify=target, random_state=_SPLIT_SEED)
    train, features, train_target, test_target = split
    ranking = _ranking(train, train_target)
    chosen = list(_models(ranking))[_QUICK if quick else slice(None)]
    estimators: dict[str, Any] = {}
    # Some models are stopped early on purpose: they are what they are.
    with threadpool_limits(limits=1), warnings_as("ignore"):
        for _, label, model in chosen:
            estimators[label] = model.fit(train, train_target)
        # Before the first prediction: search trees count their calls, which moves their size by a few bytes.
        sizes = [pickled_bytes(model) for model in estimators.values()]
        wrong = np.stack([model.predict(features) != test_target for model in estimators.values()], axis=1)
    return Zoo(
        name,
        estimators,
        tuple(family for family, _, _ in chosen),
        as_readonly(np.asarray(features, dtype=np.float64)),
        as_readonly(np.asarray(test_target, dtype=np.int64)),
        as_readonly(wrong.astype(np.float64)),
        as_readonly(np.array(sizes, dtype=np.float64)),
        as_readonly(np.array([stored_numbers(model) for model in estimators.values()], dtype=np.float64)),
    )


def _ranking(features: FloatArray, target: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Order features by their F statistic; those that never vary come last."""
    from sklearn.feature_selection import f_classif

    varies = features.std(axis=0) > 0
    statistic = np.zeros(varies.size)
    statistic[varies] = f_classif(features[:, varies], target)[0]
    return np.argsort(-statistic, kind="stable")


def _models(ranking: npt.NDArray[np.intp]) -> Iterator[tuple[str, str, Any]]:
    """Yield family, name and untrained pipeline of each model."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

    total = ranking.size
    for family, label, estimator, shares in itertools.chain(_simple_models(), _ensembles()):
        for share in shares:
            k = max(1, round(share * total))
            steps = [MinMaxScaler(clip=True), estimator()]
            if k < total:
                steps.insert(0, FunctionTransformer(np.take, kw_args={"indices": ranking[:k], "axis": 1}))
            yield family, f"{label} on {k} features", make_pipeline(*steps)


_Recipe = tuple[str, str, Any, tuple[float, ...]]
_SUBSETS = (0.25, 0.5, 1.0)
_FEW = (0.125, *_SUBSETS)
_ALL = (1.0,)


def _simple_models() -> Iterator[_Recipe]:
    """Yield family, name, function that makes the estimator, and the shares of features to use."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier
    from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
    from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC, LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    make = functools.partial
    for leaves in (2, 4, 8, 12, 16, 24, 32, 48, 64, 96):
        tree = make(DecisionTreeClassifier, max_leaf_nodes=leaves, random_state=0)
        yield "tree", f"tree {leaves} leaves", tree, _ALL if leaves < 16 else (0.5, 1.0)
    for c in (0.01, 0.1, 1.0, 10.0):
        yield "linear", f"logistic C {c:g}", make(LogisticRegression, C=c, max_iter=300), _FEW
    for k in (1, 3, 5, 9):
        yield "neighbors", f"{k} neighbors", make(KNeighborsClassifier, n_neighbors=k), _FEW
    for shrinkage in (0.01, 0.1, 0.5):
        discriminant = make(LinearDiscriminantAnalysis, solver="lsqr", shrinkage=shrinkage)
        yield "linear", f"discriminant shrinkage {shrinkage:g}", discriminant, _SUBSETS
    for c in (0.1, 1.0):
        yield "linear", f"linear SVM C {c:g}", make(LinearSVC, C=c, random_state=0), (0.5, 1.0)
        yield "linear", f"ridge penalty {c:g}", make(RidgeClassifier, alpha=c), (0.5, 1.0)
    yield "linear", "perceptron", make(Perceptron, random_state=0), (0.5, 1.0)
    for c in (1.0, 10.0):
        yield "kernel SVM", f"SVM rbf C {c:g}", make(SVC, C=c), _SUBSETS
        yield "kernel SVM", f"SVM cubic C {c:g}", make(SVC, kernel="poly", degree=3, C=c), (0.5, 1.0)
    for smoothing in (1e-3, 1e-1):
        yield "naive Bayes", f"Gauss smoothing {smoothing:g}", make(GaussianNB, var_smoothing=smoothing), _SUBSETS
    yield "naive Bayes", "Bernoulli", make(BernoulliNB, binarize=0.5), (0.5, 1.0)
    yield "naive Bayes", "multinomial", MultinomialNB, (0.5, 1.0)
    yield "naive Bayes", "complement", ComplementNB, _ALL
    for penalty in (0.1, 0.5):
        yield (
            "quadratic",
            f"quadratic penalty {penalty:g}",
            make(QuadraticDiscriminantAnalysis, reg_param=penalty),
            (
                0.25,
                0.5,
            ),
        )
    yield "neighbors", "nearest centroid", NearestCentroid, _SUBSETS
    for width in ((8,), (16,), (32,), (64,), (32, 32)):
        network = make(MLPClassifier, hidden_layer_sizes=width, max_iter=60, learning_rate_init=0.01, random_state=0)
        yield "network", f"network {'-'.join(map(str, width))} units", network, (0.5, 1.0)


def _ensembles() -> Iterator[_Recipe]:
    from sklearn.ensemble import (
        AdaBoostClassifier,
        BaggingClassifier,
        ExtraTreesClassifier,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.tree import DecisionTreeClassifier

    make = functools.partial
    for count, depth in itertools.product((5, 10, 30, 100), (4, 6, 12)):
        forest = make(RandomForestClassifier, n_estimators=count, max_depth=depth, random_state=0)
        yield "forest", f"forest {count} of depth {depth}", forest, _ALL if count > 30 else (0.5, 1.0)
        extra = make(ExtraTreesClassifier, n_estimators=count, max_depth=depth, random_state=0)
        yield "forest", f"extra trees {count} of depth {depth}", extra, _ALL
    for count in (5, 20):
        yield "forest", f"bagging {count}", make(BaggingClassifier, n_estimators=count, random_state=0), _ALL
    for count, leaves in itertools.product((5, 20), (4, 8)):
        boosting = make(
            HistGradientBoostingClassifier, max_iter=count, max_leaf_nodes=leaves, early_stopping=False, random_state=0
        )
        yield "boosting", f"histogram boosting {count} of {leaves} leaves", boosting, _ALL
    for count, depth in itertools.product((10, 30), (2, 4)):
        tree = DecisionTreeClassifier(max_depth=depth, random_state=0)
        ada = make(AdaBoostClassifier, tree, n_estimators=count, random_state=0)
        yield "boosting", f"AdaBoost {count} of depth {depth}", ada, _ALL
    for depth in (1, 2):
        boosting = make(GradientBoostingClassifier, n_estimators=20, max_depth=depth, random_state=0)
        yield "boosting", f"gradient boosting 20 of depth {depth}", boosting, _ALL
