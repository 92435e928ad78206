"""P-values against "the mean of a model breaks a limit", from 0/1 counts, from bounded losses, and by bets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._limits import is_mean
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._scan import Column, Scan
from moltheory.inference._binomial_tails import lower_tails, upper_tails

__all__ = ["P_VALUES", "LimitedColumn", "hoeffding_bentkus_p_values", "limited_columns", "p_values_of"]

P_VALUES = ("auto", "betting", "binomial", "hoeffding-bentkus")


@dataclass(frozen=True)
class LimitedColumn:
    """Losses of one limited objective: scaled to [0, 1] and, where larger is better, turned over; NaN = not evaluated.

    `sizes` are those of clusters over the largest one, in whose totals `values` then are. `limit` is scaled and turned
    like the losses; `counted` is (limit, whether larger is better) before turning, for exact tails of 0/1 losses.
    """

    column: Column
    values: FloatArray
    sizes: FloatArray | None
    limit: float
    counted: tuple[float, bool]

    def part(self, rows: npt.NDArray[Any]) -> LimitedColumn:
        """Return some of the units."""
        sizes = None if self.sizes is None else self.sizes[rows]
        return LimitedColumn(self.column, self.values[rows], sizes, self.limit, self.counted)

    def means(self) -> FloatArray:
        """Return the mean of each model, scaled and turned, (M,)."""
        seen = ~np.isnan(self.values)
        weights = np.where(seen, 1.0 if self.sizes is None else self.sizes[:, None], 0.0)
        found: FloatArray = np.where(seen, self.values, 0.0).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-300)
        return found


def limited_columns(problem: Comparison, scan: Scan, limits: dict[str, float]) -> dict[str, LimitedColumn]:
    """Return the losses of the limited objectives; known costs have none.

    Raises
    ------
    InvalidInputError
        If a limit is one of something else than a mean of losses or a known cost, or lies outside of its range.
    """
    found: dict[str, LimitedColumn] = {}
    names = [objective.name for objective in problem.objectives]
    for name, limit in limits.items():
        objective = problem.objectives[names.index(name)]
        if objective.values is not None:
            continue
        if not is_mean(objective):
            raise InvalidInputError(
                f"`limits` must be ones of means of losses or of known costs, got {name!r}: use `certify` and `within`, or "
                "the share of examples above a number as an objective."
            )
        index = objective.columns[0]
        column = scan.columns[index]
        if not column.low <= limit <= column.high:
            raise InvalidInputError(
                f"`limits` must lie between {column.low:g} and {column.high:g}, the possible values of {name!r}, got "
                f"{limit:g}."
            )
        units = scan.stacked(index)
        share = limit if (column.low, column.high) == (0.0, 1.0) else (limit - column.low) / column.span
        up = problem.maximise[names.index(name)]
        values = units.values
        if up:
            values = (1.0 if units.sizes is None else units.sizes[:, None]) - values
        found[name] = LimitedColumn(column, values, units.sizes, 1.0 - share if up else share, (share, up))
    return found


def p_values_of(limited: LimitedColumn, kind: str, log_level: float) -> FloatArray:
    """Return p-values against "the mean is above the limit", (M,).

    Raises
    ------
    InvalidInputError
        If binomial ones are asked for of other losses than 0 and 1.
    """
    column = limited.column
    if kind == "auto":
        kind = "binomial" if column.is_binary_dtype and column.binary else "betting"
    if kind == "betting":
        return _betting(limited, log_level)
    if column.clustered:
        raise InvalidInputError(f"`p_values` must be betting where losses come in clusters, got {kind}.")
    seen = ~np.isnan(limited.values)
    n = np.count_nonzero(seen, axis=0)
    total = np.where(seen, limited.values, 0.0).sum(axis=0)
    if kind == "binomial":
        if not column.binary:
            raise InvalidInputError(
                f"`p_values` must not be binomial unless losses are 0 or 1, got others in {column.name!r}."
            )
        return _binomial(np.rint(total), n, *limited.counted)
    return hoeffding_bentkus_p_values(total / n, n, limited.limit)


def _binomial(errors: FloatArray, n: npt.NDArray[Any], limit: float, up: bool) -> FloatArray:
    """Return exact tails; where larger is better, `errors` count the zeros and the limit bounds the share of ones."""
    if not up:
        return lower_tails(errors, n, limit)
    ones = n - errors
    return np.where(ones > 0, upper_tails(np.maximum(ones - 1.0, 0.0), n, limit), 1.0)


def hoeffding_bentkus_p_values(means: FloatArray, n: npt.NDArray[Any], limit: float) -> FloatArray:
    r"""Return :math:`\min(e^{-n h(m, t)}, e P(Bin(n, t) \le \lceil n m \rceil))` for means m of losses in [0, 1].

    h is the relative entropy of m to the limit t, 0 from t on (Bates et al. 2021, arXiv 2101.02703; Bentkus 2004).
    """
    from scipy.special import rel_entr

    below = np.minimum(means, limit)
    entropy = rel_entr(below, limit) + rel_entr(1.0 - below, 1.0 - limit)
    # A sum that is an integer but for rounding is not rounded up to the next one.
    counts = np.clip(np.ceil(n * means - 1e-9 * np.maximum(n * means, 1.0)), 0.0, n)
    bentkus = math.e * lower_tails(counts, n, limit)
    found: FloatArray = np.minimum(np.minimum(np.exp(-n * entropy), bentkus), 1.0)
    return np.where(means >= limit, 1.0, found)


def _betting(limited: LimitedColumn, log_level: float) -> FloatArray:
    """Return p-values by bets against a model that always loses as much as the limit."""
    from moltheory.inference._target_bets import random_order, target_p_values

    n, n_models = limited.values.shape
    order = random_order(n)
    nothing = np.zeros((1, n))
    rows = np.concatenate([np.ascontiguousarray(limited.values[order].T), nothing])
    # "The mean of the model is at least that of no losses, plus the limit."
    models, other = np.arange(n_models), np.full(n_models, n_models)
    sizes = None if limited.sizes is None else limited.sizes[order]
    return target_p_values(rows, models, other, log_level, shift=limited.limit, sizes=sizes)
