"""Names of columns that are no models: what an export adds, or what says what a row is."""

from __future__ import annotations

import re

from moltheory._core._labels import is_index

__all__ = ["is_no_model"]

# Without blanks, dots, dashes and underscores, and in lower case.
_NO_MODELS = frozenset(
    {
        *("answer", "answers", "class", "cluster", "clusters", "correctanswer", "dataset", "date", "epoch", "example"),
        *("examples", "expected", "fold", "folds", "gold", "goldlabel", "groundtruth", "group", "groups", "label"),
        *("labels", "level", "loss", "metric", "model", "objective", "pred", "predicted", "prediction", "predictions"),
        *("preds", "prompthash", "row", "rownumber", "sample", "sampleweight", "seed", "split", "subset", "target"),
        *("targets", "timestamp", "truelabel", "truth", "uid", "uuid", "weight", "weights", "y", "yhat", "ypred"),
        *("ypredicted", "ytest", "ytrue", "docid", "docidx", "exampleid", "itemid", "promptid", "questionid", "rowid"),
        *("sampleid", "taskid", "numtokens", "ntokens", "tokencount", "prompttokens", "completiontokens"),
        *("promptlength", "dochash", "targethash"),
    }
)
_BETWEEN = re.compile(r"[\s_.\-]+")


def is_no_model(name: str) -> bool:
    """Return whether a column is called like something else than a model, such as ``"y true"`` or ``"run_id"``."""
    return _BETWEEN.sub("", name.casefold()) in _NO_MODELS or is_index(name.strip())
