"""A user's own table as a population: models fixed before any draw, true risks exact."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_fraction
from moltheory.errors import InvalidInputError
from moltheory.evaluation._registry import (
    BINARY,
    CLASSIFICATION,
    GROUPED,
    REGRESSION,
    Examples,
    are_fractions,
    format_value,
    named_measures,
    numeric_among,
    objective_of,
)
from moltheory.objectives import Known, Measure
from moltheory.problems._encoding import (
    MOST_LEVELS,
    Table,
    encode,
    hint_of_numbers,
    numbers_of,
    of_categories,
    read_table,
)
from moltheory.problems._models import ModelTable, default_classifiers, default_regressors, given_models
from moltheory.problems._population import FinitePopulation
from moltheory.runs import RandomSource, as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_table"]

_MODEL_SIDE = frozenset({"n_features", "share_of_features", "norm"})


def from_table(
    frame: pd.DataFrame,
    *,
    target: Hashable,
    group: Hashable | None = None,
    objectives: Sequence[str],
    models: Mapping[str, Any] | Sequence[Any] | Callable[[Any, Any], Any] | None = None,
    train_share: float = 0.5,
    rng: RandomSource = 0,
    stratify: bool = False,
    name: str = "table",
) -> FinitePopulation:
    """Take a table as a population whose rows are equally likely, with a class of models fixed before any draw.

    A seeded split gives `train_share` of the rows to training and keeps the balance of groups and classes up to
    rounding; the other rows are the population, over which true risks are exact. Features are all columns but the
    target and the group: numbers and bools as they are, text and categories one-hot encoded (one 0/1 column per
    level, in sorted order; one for two levels).

    Parameters
    ----------
    frame : DataFrame
        Of pandas or another library; one row per example; no missing values.
    target : hashable
        Column to predict: classes (0 and 1, or bools, for the rates and gaps; 1 is positive), or numbers. Classes 0
        and 1, or bools, are numbers too: ``"squared_error"`` is then a Brier score over the variance of the classes.
    group : hashable, optional
        Column of groups, for objectives about groups; default models do not use it. At most 30 groups, each with at
        least two rows.
    objectives : sequence of str
        For classes: ``"error"``, ``"worst_class_error"``, ``"worst_group_error"``, ``"false_negative_rate"``,
        ``"false_positive_rate"``, ``"demographic_parity_gap"``, ``"equal_opportunity_gap"``. For numbers:
        ``"squared_error"``, ``"worst_group_squared_error"``, ``"absolute_error"``, ``"pinball:0.9"`` (at any level), in
        the scale of `from_predictions`. About models, known without data: ``"n_features"``, the number of feature columns
        used; ``"share_of_features"``, that number over all of them, on the scale of a rate; ``"norm"``, the
        l2 norm of the coefficients (of standardised features, for default models).
    models : mapping, sequence or callable, optional
        None trains the default models of the Notes. A mapping of names to fitted models, or a sequence of them, is
        used as given, nothing is trained, and every row belongs to the population. A callable gets the training
        rows' features (a DataFrame) and target, and returns such a mapping or sequence. A model has a method
        ``predict`` and gets the columns of its ``feature_names_in_``, or all features; its number of features is
        that of the non-zero columns of ``coef_``, or ``n_features_in_``; its norm is that of ``coef_``, if need be
        of the last step of a pipeline.
    train_share : float, default 0.5
        In (0, 1); without effect where fitted models are given.
    rng : int, SeedSequence, Generator or None, default 0
        Seed of the split; the same seed gives the same problem.
    stratify : bool, default False
        Fix the number of examples of each group in every sample; see `FinitePopulation`.
    name : str, default "table"
        Names the problem in tables, and keys its random streams.

    Returns
    -------
    FinitePopulation
        Its ``hypothesis_names`` tell which model is which.

    Raises
    ------
    InvalidInputError
        If the table is not fit for the objectives; the sentence names the column and what to do.

    Notes
    -----
    Columns are ranked on the training rows by the F statistic of the regression of the target (for classes, of
    their indicators) on the column, and standardised. Default models use the best k columns, for at most 8 (numbers:
    10) values of k spread evenly from 1 to all:

    * two classes: logistic regressions with penalties .3, .03 and .001 per training example, cut at the levels
      .05, .15, ..., .95 of the training scores' distribution and at probability 1/2: up to 264 models, cuts that
      coincide taken once;
    * more classes: logistic regressions with 10 penalties from 1e-4 to 3: up to 80 models;
    * numbers: ridge regressions with 24 penalties from 1e-4 to 56: up to 240 models.

    Complexity: O(n d) time and memory for the table, and the training of the models: for d columns at most 10 d of
    cubic cost each, O(n d^2 + d^3).

    References
    ----------
    The classes are this project's own; the population point of view makes the truth of P. Súkeník and C. H. Lampert, arXiv
    2208.13499, exact.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"age": rng.integers(18, 80, 400), "city": rng.choice(["A", "B", "C"], 400)})
    >>> frame["sick"] = frame["age"] + 10 * (frame["city"] == "B") + rng.normal(0, 15, 400) > 60
    >>> problem = from_table(frame, target="sick", objectives=["error", "false_negative_rate", "n_features"])
    >>> problem.objective_names, len(problem.probabilities)
    (('error', 'false_negative_rate', 'n_features'), 200)
    >>> problem.hypothesis_names[-1]
    '2 columns, penalty 0.001, probability 1/2'
    """
    table = read_table(frame, target, group)
    chosen = _check_objectives(objectives, table)
    labels, values = _read_target(table.target, target, chosen)
    share = check_fraction("train_share", train_share)
    seed = as_seed_sequence(rng)
    if models is None or callable(models):
        train = _split(table, labels, share, block_stream(seed, "from_table"))
        _check_halves(table, labels, values, train, share)
    else:
        train = np.zeros(len(labels), bool)
    _check_positives(table, labels, ~train, target, chosen)
    regression = bool(numeric_among(chosen))
    if models is None:
        encoded = encode(table.features)
        numbers = np.asarray(values) if regression else np.empty(0)
        fixed = (
            default_regressors(encoded, numbers, train) if regression else default_classifiers(encoded, labels, train)
        )
    else:
        if callable(models):
            models = models(table.features[train], table.target[train])
        fixed = given_models(models, table.features, table.others, ~train)
        fixed = _read_predictions(fixed, None if regression else values, chosen)
    truth = np.asarray(values, dtype=np.float64) if regression else labels
    groups = None if table.group is None else table.group[~train]
    examples = Examples(fixed.predictions, truth[~train], groups, standardized=True, coded=True)
    measures: dict[str, Measure] = {
        key: _model_side(key, fixed) if key in _MODEL_SIDE else dict(named_measures(examples, [key]))[key]
        for key in chosen
    }
    n_rows = int((~train).sum())
    return FinitePopulation(
        [Fraction(1, n_rows)] * n_rows,
        list(measures.values()),
        objective_names=measures,
        name=name,
        stratify=stratify,
        hypothesis_names=fixed.names,
    )


def _check_objectives(objectives: Sequence[str], table: Table) -> list[str]:
    known = CLASSIFICATION | REGRESSION | _MODEL_SIDE
    chosen = list(objectives) if isinstance(objectives, Iterable) else []
    if isinstance(objectives, str | Mapping) or not chosen:
        raise InvalidInputError(f"`objectives` must be a non-empty sequence of names, got {objectives!r}.")
    for objective in chosen:
        if isinstance(objective, str) and objective.startswith("pinball:"):
            objective_of(objective)
        elif not isinstance(objective, str) or objective not in known:
            raise InvalidInputError(f"`objectives` must be among {', '.join(sorted(known))}, got {objective!r}.")
    if len(set(chosen)) != len(chosen):
        raise InvalidInputError(f"`objectives` must be distinct, got {chosen}.")
    if set(chosen) <= _MODEL_SIDE:
        raise InvalidInputError(f"`objectives` must hold one estimated from data, such as error, got {chosen}.")
    classes, numbers = sorted(CLASSIFICATION & set(chosen)), numeric_among(chosen)
    if classes and numbers:
        raise InvalidInputError(
            f"`objectives` must be about classes or about numbers, got {classes[0]} and {numbers[0]}."
        )
    needing = sorted(GROUPED & set(chosen))
    if needing and table.group is None:
        raise InvalidInputError(f"`group` must name a column of the frame for {needing[0]}, got None.")
    return chosen


def _read_target(
    column: pd.Series[Any], name: Hashable, chosen: list[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return class codes and class values; for numbers, zeros and the numbers."""
    import pandas as pd

    column = of_categories(column)
    numbers = numbers_of(column)
    if column.nunique() < 2:
        raise InvalidInputError(
            f"`target` must take at least two values, got only {format_value(column.iloc[0])} in column {name!r}: "
            f"name another column."
        )
    regression = numeric_among(chosen)
    if regression:
        if numbers is None or not np.isfinite(numbers).all():
            found = column.dtype if numbers is None else "an infinity"
            remedy = "turn it into numbers, or ask for error" if numbers is None else "drop or cap such rows"
            raise InvalidInputError(
                f"`target` must be finite numbers for {regression[0]}, got {found} in column {name!r}"
                f"{hint_of_numbers(column) if numbers is None else ''}: {remedy}."
            )
        return np.zeros(len(column), np.int64), numbers
    values = column if numbers is None else pd.Series(numbers)
    codes, classes = pd.factorize(values, sort=True)
    binary = sorted(BINARY & set(chosen))
    if binary and (numbers is None or not set(classes.tolist()) <= {0.0, 1.0}):
        found = ", ".join(format_value(entry) for entry in sorted(column.astype(object).unique(), key=str)[:4])
        remedy = (
            f"cut it at a threshold, for example with (frame[{name!r}] > threshold).astype(int), or ask for squared_error"
            if numbers is not None and (are_fractions(numbers) or len(classes) > MOST_LEVELS)
            else f"recode it, for example with (frame[{name!r}] == positive).astype(int)"
        )
        raise InvalidInputError(
            f"`target` must be 0 and 1 for {binary[0]} (1 is positive), got {found} in column {name!r}: {remedy}."
        )
    if len(classes) > MOST_LEVELS:
        remedy = (
            f"group its values{hint_of_numbers(column)}"
            if numbers is None
            else "bin it, for example with pandas.cut, or ask for squared_error"
        )
        raise InvalidInputError(
            f"`target` must have at most {MOST_LEVELS} classes, got {len(classes)} values in column {name!r}: {remedy}."
        )
    return codes.astype(np.int64), np.asarray(classes)


def _split(
    table: Table, labels: npt.NDArray[np.int64], share: float, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Choose the training rows: a systematic sample of the rows in random order within group and class.

    Each group, and each class within it, gets its share of training rows up to one.
    """
    n = labels.size
    group = np.zeros(n, np.int64) if table.group is None else table.group
    order = np.lexsort((rng.permutation(n), labels, group))
    steps = np.floor(np.arange(n + 1) * share + rng.random())
    train = np.zeros(n, bool)
    train[order] = np.diff(steps) > 0
    return train


def _check_halves(
    table: Table, labels: npt.NDArray[np.int64], values: npt.NDArray[Any], train: npt.NDArray[np.bool_], share: float
) -> None:
    """Refuse a split that leaves a half without some group or class."""
    for half, rows in (("training half", train), ("population", ~train)):
        if not rows.any():
            raise InvalidInputError(f"`train_share` must leave rows to the {half}, got {share:g} of {rows.size} rows.")
        for kind, codes, names in (("group", table.group, table.group_names), ("class", labels, values)):
            if codes is None:
                continue
            absent = np.setdiff1d(np.unique(codes), codes[rows])
            if absent.size:
                found = str(names[absent[0]])
                raise InvalidInputError(
                    f"`train_share` must leave rows of every {kind} to the {half}, got {share:g} and none of {kind} "
                    f"{found!r} ({int((codes == absent[0]).sum())} rows in all): merge or drop it, or change the share."
                )


def _check_positives(
    table: Table, labels: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_], target: Hashable, chosen: list[str]
) -> None:
    """Refuse an equal-opportunity gap where a group of the population has no positive example."""
    if "equal_opportunity_gap" not in chosen or table.group is None:
        return
    for code, group in enumerate(table.group_names):
        if not (labels[rows & (table.group == code)] == 1).any():
            raise InvalidInputError(
                f"`group` must have a positive row of the target {target!r} in each group of the population for "
                f"equal_opportunity_gap, got none in {group!r}: merge it with another group or drop it."
            )


def _read_predictions(fixed: ModelTable, classes: npt.NDArray[Any] | None, chosen: list[str]) -> ModelTable:
    """Turn what given models predict into class codes (-1 for a label that the target never takes) or floats."""
    found = fixed.predictions
    if classes is None:
        try:
            found = found.astype(np.float64)
            usable = bool(np.isfinite(found).all())
        except (TypeError, ValueError):
            usable = False
        if not usable:
            raise InvalidInputError("`models` must predict finite numbers for these objectives, got something else.")
    else:
        codes = {label: code for code, label in enumerate(classes.tolist())}
        flat = [codes.get(label, -1) for label in found.ravel().tolist()]
        table = np.array(flat, dtype=np.int64).reshape(found.shape)
        # A class that the target never takes is just wrong; a probability is no class, and means no error.
        binary, fractions = sorted(BINARY & set(chosen)), are_fractions(found) and not are_fractions(classes)
        if (binary or fractions) and (table < 0).any():
            column = int((table < 0).any(axis=0).argmax())
            other = format_value(found[:, column][table[:, column] < 0][0])
            wanted = f"0 or 1 for {binary[0]}" if binary else f"classes for {sorted(CLASSIFICATION & set(chosen))[0]}"
            remedy = "cut probabilities at a threshold" if fractions else "recode what it predicts"
            raise InvalidInputError(
                f"`models` must predict {wanted}, got {other} from {fixed.names[column]!r}: {remedy}."
            )
        found = table
    return ModelTable(found, fixed.names, fixed.n_features, fixed.norms, fixed.n_columns)


def _model_side(objective: str, fixed: ModelTable) -> Known:
    values = fixed.norms if objective == "norm" else fixed.n_features
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        wanted = "coef_" if objective == "norm" else "n_features_in_"
        name = fixed.names[values.index(None)]
        raise InvalidInputError(f"`models` must have an attribute {wanted} for {objective}, got none in {name!r}.")
    return Known(np.array(known) / (fixed.n_columns if objective == "share_of_features" else 1))
