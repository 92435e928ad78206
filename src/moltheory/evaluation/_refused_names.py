"""Names of measures that people try and that cannot be certified: the reason, and what to take instead."""

from __future__ import annotations

__all__ = ["refusal_of"]

_SQUARED = "take squared_error with its loss_range, which has the same order of models"
_R2 = f"which divides by the variance of the target, a number that is the same for every model: {_SQUARED}"
_RMSE = f"which is the root of a mean: {_SQUARED}"
_PERPLEXITY = (
    "which is the exponential of a mean: give the log loss of each example, which has the same order of models"
)
_BLEU = (
    "which pools counts over the corpus and multiplies them, so that no example has a share of it: give the BLEU or chrF of "
    "each sentence, per example"
)
_AUC = "which needs scores and not labels: give `moltheory.evaluation.AUCError(scores, positive)` to `certify`"
_REASONS = {
    **dict.fromkeys(("r2", "r2_score"), _R2),
    **dict.fromkeys(("rmse", "root_mean_squared_error"), _RMSE),
    "perplexity": _PERPLEXITY,
    **dict.fromkeys(("bleu", "corpus_bleu", "sacrebleu"), _BLEU),
    **dict.fromkeys(("auc", "roc_auc", "roc_auc_score", "auc_error"), _AUC),
}


def refusal_of(name: object) -> str | None:
    """Return why a measure of this name has no guarantee, and the remedy; None if the name is no such measure."""
    return _REASONS.get(name.lower()) if isinstance(name, str) else None
