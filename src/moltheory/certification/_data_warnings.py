"""Warnings about data that suggest a forgotten option: directions, few examples, folds and averages.

They are raised once, by `certify`, and change nothing: a warning rests on names and patterns, which prove nothing. Each
is one sentence that names the option by which it is answered.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from moltheory._core._text import few, quoted
from moltheory._core._validation import FloatArray
from moltheory._core._warn_outside import warn_outside
from moltheory.certification._statistics import Moments
from moltheory.errors import AggregateWarning, DataWarning, DirectionWarning, FewExamplesWarning
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._scan import Scan
from moltheory.inference._pairs import PairCounts

__all__ = ["directions_stated", "gains_among", "warn_about_data", "warn_about_pairs"]

_FEW = 20
# Tables of folds and of averages have few rows.
_FEW_ROWS, _MOST_ROWS = 30, 1000
# Shares of fewer examples are more often ratings than averages.
_SMALLEST_FOLD, _LARGEST_FOLD = 20, 100_000

_GAINS = re.compile(
    "acc|accuracy|accuracies|correct|correctness|score|scores|reward|rewards|utility|f1|fbeta|auc|auroc|auprc|r2|passe?[sd]?"
    "|pass\\d+|wins?|winrate|em|recall|precision|bleu\\w*|rouge\\w*|meteor|chrf|ndcg|mrr|iou|miou|dice|mcc|kappa|psnr|ssim"
    "|success|successes|solved|throughput"
)
# Words that turn a gain into a loss, or say that the number is no gain.
_LOSSES = re.compile(
    "loss(es)?|err|errs?|errors?|cost|costs|gap|gaps|difference|deficit|drop|regret|penalty|miss|missed|fail|failed|failures?"
    "|wrong|not|no|non|neg|negative|minus|inverse|inverted|incorrect|inaccuracy|brier|log|nll|crps|ppl|perplexity|risk|harm"
    "|toxic|toxicity|bias|hallucination|anomaly|distance|std|stderr|var|variance|time|seconds|latency|ms|rank"
)
# Models such as "score > 3".
_THRESHOLD = re.compile("[<>=≤≥]")
_FOLD = re.compile(r"(cv|test|train|val)?[ _.-]*(fold|split)s?[ _.#-]*\d+.*", re.IGNORECASE)
_AVERAGE = re.compile(
    r"(mean|average|avg|median|std|stdev|stderr|overall|total|macro|micro)([ _.-](avg|average|mean|score|accuracy))?",
    re.IGNORECASE,
)
_SEARCHED = re.compile(r"(split\d+|mean|std|rank)_(test|train)_\w+")


def directions_stated(losses: Any) -> bool:
    """Return whether losses come with directions that someone stated: a table knows, another source has them or not."""
    given = getattr(losses, "maximise", None) if callable(getattr(losses, "blocks", None)) else None
    return bool(getattr(losses, "directions_stated", given is not None))


def gains_among(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of which a whole word says that larger is better, such as accuracy, and none the contrary.

    Examples
    --------
    >>> gains_among(["accuracy", "exact_match", "pass@1", "1-accuracy", "accuracy gap", "inaccuracy", "passengers"])
    ('accuracy', 'exact_match', 'pass@1')
    """
    return tuple(name for name in names if _is_gain(name))


def _is_gain(name: str) -> bool:
    # Words of testAccuracy as well as of test_accuracy.
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    for text in (name.lower(), spaced.lower()):
        found = re.findall(r"[^\W_]+", text)
        reversed_by_one = "1" in found[:1] or "one" in found[:1]
        if reversed_by_one or any(_LOSSES.fullmatch(word) for word in found):
            return False
    spaced_words = re.findall(r"[^\W_]+", spaced.lower())
    matched = any(pair == ("exact", "match") for pair in itertools.pairwise(spaced_words))
    words = {*spaced_words, *re.findall(r"[^\W_]+", name.lower())}
    return matched or any(_GAINS.fullmatch(word) for word in words)


def _are_metrics(names: Sequence[str]) -> bool:
    """Whether all names are those of gains, or of losses beside gains: a table of averages with one row per model."""
    if any(_THRESHOLD.search(name) for name in names):
        return False
    rest = [name for name in names if not _is_gain(name)]
    words = [re.findall(r"[^\W_]+", name.lower()) for name in rest]
    return len(rest) < len(names) and all(any(_LOSSES.fullmatch(word) for word in found) for found in words)


def warn_about_data(problem: Comparison, scan: Scan, losses: Any, *, stated: bool) -> None:
    """Warn about what is compared; `losses` is what the caller passed, `stated` whether directions were."""
    names = [objective.name for objective in problem.objectives]
    gains = () if stated else gains_among(names)
    if gains:
        warn_outside(
            f"`maximise` was not given, so smaller is better in {few(gains)}: name what is to be maximised, as in "
            f"maximise={list(gains[:3])!r}, or state maximise=[]",
            DirectionWarning,
        )
    n = _independent(problem, scan)
    if n < _FEW:
        count = "one independent example" if n == 1 else f"{n} independent examples"
        warn_outside(
            f"`losses` hold {count}{' (`clusters` count as one each)' if problem.clustered else ''}: with fewer than "
            f"{_FEW}, hardly any model can be decided, and rows that are averages of examples are no examples",
            FewExamplesWarning,
        )
    if _are_metrics(problem.model_names):
        warn_outside(
            f"`losses` must have one column per model, and {few(problem.model_names)} are named like metrics: give the "
            "loss of each model on each example, (n, M, N), with the metrics as `objectives`",
            AggregateWarning,
        )
    found = _aggregates(problem, scan, losses)
    if found:
        warn_outside(
            f"`losses` must hold one row per example, and {found}: a mean of a fold is not an example, and folds share "
            "training data, so that they are not independent",
            AggregateWarning,
        )


def warn_about_pairs(scan: Scan, found: Sequence[PairCounts | Moments]) -> None:
    """Warn of models without a common example, which paired tests cannot compare."""
    for column, summary in zip(scan.columns, found, strict=True):
        apart = None if not column.paired else (summary.pairs if isinstance(summary, Moments) else summary).apart
        if apart is not None:
            one, other = (scan.model_names[model] for model in apart)
            warn_outside(
                f"`losses` of {one!r} and {other!r} have no example in common, so that only their boxes are compared: an "
                "example must have the same name under all models, letter by letter",
                DataWarning,
            )
            return


def _independent(problem: Comparison, scan: Scan) -> int:
    """Return the smallest number of independent units in any objective."""
    tails = [objective.n_measured for objective in problem.objectives if objective.tail is not None]
    return int(min([column.n_units for column in scan.columns] + tails))


def _aggregates(problem: Comparison, scan: Scan, losses: Any) -> str:
    """Return in words what looks like folds or averages, or nothing."""
    titles = [*problem.model_names, *(objective.name for objective in problem.objectives)]
    searched = [name for name in titles if _SEARCHED.fullmatch(name)]
    if searched:
        return f"{searched[0]!r} is what a cross-validation returns"
    rows = _row_labels(losses)
    folds = [label for label in rows if _FOLD.fullmatch(label)]
    averages = [label for label in rows if _AVERAGE.fullmatch(label)] if len(rows) <= _FEW_ROWS else []
    if averages or 2 * len(folds) >= max(len(rows), 1):
        return f"the row {(averages or folds)[0]!r} is named like a fold or an average"
    across = [name for name in titles if _FOLD.fullmatch(name)]
    if 2 * len([name for name in problem.model_names if name in across]) >= len(problem.model_names):
        return f"the model {quoted(across[0])} is named like a fold"
    for c, column in enumerate(scan.columns):
        if 1 < column.n_units <= _FEW_ROWS and not column.clustered and (column.low, column.high) == (0.0, 1.0):
            size = _common_size(scan.stacked(c).values)
            if size:
                rows_of = f"all {column.n_units} rows of {quoted(column.name)}"
                return f"{rows_of} are multiples of 1/{size} strictly between 0 and 1"
    return ""


def _row_labels(losses: Any) -> list[str]:
    """Return the names of the examples, where the losses have some, and not too many for folds."""
    labels = getattr(losses, "examples", None)
    if labels is None:
        index = getattr(losses, "index", None)
        labels = None if index is None or callable(index) else index
    return [] if labels is None or len(labels) > _MOST_ROWS else [str(label) for label in labels]


def _common_size(values: FloatArray) -> int:
    """Return the number of examples of which all values may be averages of 0/1 losses; 0 if there is none."""
    seen = values[~np.isnan(values)]
    if seen.size == 0 or ((seen <= 0.0) | (seen >= 1.0)).any():
        return 0
    size = 1
    for value in np.unique(seen)[:1000].tolist():
        share = Fraction(value).limit_denominator(10_000)
        if abs(float(share) - value) > 1e-9:
            return 0
        size = math.lcm(size, share.denominator)
        if size > _LARGEST_FOLD:
            return 0
    return size if size >= _SMALLEST_FOLD else 0
