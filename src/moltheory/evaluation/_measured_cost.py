r"""Costs that were measured: values with intervals and a share of delta, which enter a certificate beside exact costs.

A measured cost is an objective whose boxes were found elsewhere. Let E be the event that these boxes, of all models,
hold; :math:`P(E) \ge 1 - \delta_E` by the claim of whoever measured. A certificate at level delta with measured costs
runs all its families of claims (see `moltheory.certification._decisions`) at :math:`\delta - \sum \delta_E` and adds the
boxes to its own. Then:

* Whatever these families conclude from boxes is true on the event that all boxes hold, measured ones included, which
  fails with probability at most :math:`d_1 + \sum \delta_E`, for any dependence between measurements and losses.
* No test applies to a measured cost: where the boxes leave a pair open, its p-value is 1, which is a p-value of any
  hypothesis. On the event, an objective in which the hypothesis is true is never decided strictly by the boxes, so the
  argument for the intersection-union tests is the same; the tests that confirm models use the other objectives only.
* Holm's procedures run over the pairs that *exact* costs allow. That number has to be known in advance, and measured
  costs do not enter it.

So P(some claim is false) :math:`\le \sum \delta_E + (\delta - \sum \delta_E) = \delta`. (Derived; proof:
measured-costs.) Taken as exact, noisy costs break the guarantee: two models with equal losses and nearly equal costs
are ordered by the noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._labels import axis_labels, has_labels, labels_among
from moltheory._core._places import places_of
from moltheory._core._text import few, quoted
from moltheory._core._validation import (
    FloatArray,
    as_readonly,
    check_count,
    check_fraction,
    check_names,
    real_array,
    real_or_missing,
)
from moltheory.errors import InvalidInputError
from moltheory.evaluation._cards import measured_card
from moltheory.evaluation._model_cost import Timings
from moltheory.inference import mean_interval

__all__ = ["Measured", "refuse_measurements", "total_delta"]

_PARTS = ("value", "low", "high")


@dataclass(frozen=True, eq=False, repr=False)
class Measured(Printed):
    """A measured cost: an estimate and an interval for each model, all intervals valid at once.

    With probability at least 1 - delta, the true cost of **every** model lies between its `low` and `high`. It is given
    to `moltheory.certify` as one of the costs; its delta is part of the total one.

    Costs measured on the certified examples themselves (the seconds or tokens of each request) need no interval: pass
    them as one more objective, paired with the losses, with its range in `loss_range`. That decides more.

    Parameters
    ----------
    value : (M,) array_like, mapping or Series
        Estimates, each inside its interval. A mapping or Series is matched by the names of the models.
    low, high : number, (M,) array_like, mapping or Series
        Ends of the intervals; may be infinite. One number is an end for every model.
    delta : float
        Probability that some interval misses, at most; in (0, 1).
    models : sequence of str, optional
        Names of the models where the values have none; by default in the order of the certified models.

    Raises
    ------
    InvalidInputError
        If shapes or labels disagree, an interval does not hold its estimate, or a value is not finite.

    Notes
    -----
    Complexity: O(M) time and memory; `from_samples` as `moltheory.bounds.mean_interval`.

    References
    ----------
    Derived (proof: measured-costs).

    Examples
    --------
    >>> import moltheory as mt
    >>> losses = np.zeros((1000, 2), dtype=bool)
    >>> losses[:200, 0] = losses[10:260, 1] = 1
    >>> seconds = Measured([0.31, 0.32], [0.28, 0.29], [0.34, 0.35], delta=0.01)
    >>> mt.certify(losses, costs={"seconds": seconds}, delta=0.05).status  # as exact costs: ('sure', 'excluded')
    ('sure', 'undecided')
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    delta: float = field(kw_only=True)
    models: tuple[str, ...] | None = field(default=None, kw_only=True)
    #: Whether the values came with an index that only numbers them, which names the models where these are numbers.
    _numbered: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", check_fraction("delta", self.delta))
        models, value = _labelled("value", self.value, self.models)
        known = self.models if models is None else models
        given = {name: _labelled(name, getattr(self, name), known) for name in _PARTS[1:]}
        object.__setattr__(self, "_numbered", models is None and has_labels(self.value))
        if self.models is not None:
            if models is not None:
                raise InvalidInputError("`models` must be None where `value` names the models, got names twice.")
            models = check_names("models", self.models, length=value.size, stem="model")
        if value.ndim != 1:
            raise InvalidInputError(f"`value` must have shape (M,), one per model, got shape {value.shape}.")
        if not np.isfinite(value).all():
            raise InvalidInputError("`value` must be finite, got an infinity: only `low` and `high` may be infinite.")
        ends = [_matched(name, *given[name], models, value.size) for name in ("low", "high")]
        wrong = np.flatnonzero(~((ends[0] <= value) & (value <= ends[1])))
        if wrong.size:
            h = int(wrong[0])
            raise InvalidInputError(
                f"`value` must lie between `low` and `high`, got {value[h]:g} outside [{ends[0][h]:g}, {ends[1][h]:g}] "
                f"for model {quoted(models[h] if models else h + 1)}."
            )
        for name, array in zip(_PARTS, (value, *ends), strict=True):
            object.__setattr__(self, name, as_readonly(np.array(array, dtype=np.float64)))
        object.__setattr__(self, "models", models)

    @classmethod
    @document
    def from_samples(
        cls,
        samples: Any,
        /,
        *,
        delta: float,
        value_range: tuple[float, float],
        models: Sequence[str] | None = None,
        rng: int = 0,
    ) -> Measured:
        """Return the means of bounded measurements, with intervals that hold at once, each at delta / M.

        Parameters
        ----------
        samples : (r, M) array_like, DataFrame, or mapping of str to (r,) array_like
            Measurements of each model, for example the seconds of r requests; NaN = missing. The columns of a frame and
            the keys of a mapping name the models; a mapping may hold different numbers of measurements.
        {delta}
        value_range : (low, high)
            Smallest and largest possible measurement, known in advance, such as zero and a timeout.
        models : sequence of str, optional
            Names of the models where the samples have none.
        rng : int, default 0
            Seed of the order in which betting intervals take the measurements.

        Returns
        -------
        Measured

        Raises
        ------
        InvalidInputError
            If a measurement is outside the range, or a model has none.

        Notes
        -----
        Intervals are those of `moltheory.inference.mean_interval`: betting, for many measurements empirical Bernstein.
        They assume that the measurements of a model are **independent draws** from what it will meet. Repeated runs of
        one request are not, nor are runs one after another on a machine whose load drifts: average what belongs
        together, or state an interval of your own. Measurements that are missing because they were too large are not
        missing at random: enter them at the end of the range.

        Examples
        --------
        >>> seconds = np.random.default_rng(0).uniform(0.1, 0.4, (500, 2))
        >>> Measured.from_samples(seconds, delta=0.01, value_range=(0.0, 1.0))
        Measured(2 models, all intervals hold with probability 0.99)
        """
        total = check_fraction("delta", delta)
        seed = check_count("rng", rng, low=0)
        found, columns = _columns(samples)
        names = found if models is None else check_names("models", models, length=len(columns), stem="model")
        if found is not None and models is not None:
            raise InvalidInputError("`models` must be None where `samples` name the models, got names twice.")
        values, lows, highs = [], [], []
        for h, column in enumerate(columns):
            kept = column[~np.isnan(column)]
            label = names[h] if names else h + 1
            if kept.size == 0:
                raise InvalidInputError(
                    f"`samples` must hold a measurement of every model, got none of {quoted(label)}."
                )
            _check_inside(kept, value_range, label)
            # Bets depend on the order, and measurements may have been sorted.
            kept = np.random.default_rng([seed, kept.size]).permutation(kept)
            mean = float(kept.mean())
            interval = mean_interval(kept, delta=total / len(columns), loss_range=value_range)
            # A betting interval may miss the sample's mean.
            values.append(mean)
            lows.append(min(float(interval.lower), mean))
            highs.append(max(float(interval.upper), mean))
        return cls(np.array(values), np.array(lows), np.array(highs), delta=total, models=names)

    def of(self, names: Sequence[str]) -> Measured:
        """Return the same cost for some of the models, in the order of `names`.

        Raises
        ------
        InvalidInputError
            If a model was not measured, or, without labels, there is another number of them.
        """
        if self.models is None:
            if self.value.size != len(names):
                raise InvalidInputError(
                    f"`costs` must measure each of {len(names)} models, got {self.value.size} values."
                )
            places = [str(place) for place in range(len(names))]
            if not self._numbered or set(names) != set(places):
                return self
            order = [int(name) for name in names]
            return Measured(*(getattr(self, part)[order] for part in _PARTS), delta=self.delta, models=tuple(names))
        place_of = places_of(self.models)
        missing = [name for name in names if name not in place_of]
        if missing:
            raise InvalidInputError(
                f"`costs` must measure every model, got none for {few(missing)} among those of {few(self.models)}."
            )
        order = [place_of[name] for name in names]
        arrays = (getattr(self, part)[order] for part in _PARTS)
        return Measured(*arrays, delta=self.delta, models=tuple(names))

    def __len__(self) -> int:
        return self.value.size

    def _line(self) -> str:
        """Number of models and confidence."""
        return f"Measured({len(self)} models, all intervals hold with probability {1.0 - self.delta:g})"

    def _card(self) -> Card:
        return measured_card(self)


def refuse_measurements(name: str, costs: Any) -> None:
    """Refuse measurements where exact costs are due: measured costs, and what `prediction_seconds` returns.

    Raises
    ------
    InvalidInputError
    """
    if isinstance(costs, Mapping):
        entries = [*costs.items()]
    else:
        entries = [(None, entry) for entry in (costs if isinstance(costs, list | tuple) else (costs,))]
    for key, entry in entries:
        where = "" if key is None else f" for {key!r}"
        if isinstance(entry, Timings):
            raise InvalidInputError(
                f"`{name}` must be known exactly, got measured times{where}: pass the seconds of each example as an "
                "objective, or `moltheory.Measured` with an interval of your own."
            )
        if isinstance(entry, Measured):
            remedy = "give it a name, as in {'seconds': Measured(...)}" if key is None else "pass it to `certify`"
            raise InvalidInputError(f"`{name}` must be known exactly here, got a measured cost{where}: {remedy}.")


def _labelled(name: str, given: Any, models: Sequence[str] | None) -> tuple[tuple[str, ...] | None, FloatArray]:
    """Return the labels of a mapping or Series, which are None if they only number the entries, and its values."""
    # The names may be anything yet: those that are no sequence are refused later.
    known = None if models is None or not hasattr(models, "__iter__") else [str(model) for model in models]
    found = labels_among(given, known)
    labels = None if found is None else tuple(found)
    if labels is not None and len(set(labels)) < len(labels):
        twice = sorted(label for label, count in Counter(labels).items() if count > 1)
        raise InvalidInputError(f"`{name}` must label each model once, got {few(twice)} several times.")
    values = list(given.values()) if isinstance(given, Mapping) else given
    return labels, real_array(name, values, shape="(M,)", min_ndim=0, max_ndim=1, finite=False)


def _matched(
    name: str, labels: tuple[str, ...] | None, ends: FloatArray, models: tuple[str, ...] | None, count: int
) -> FloatArray:
    """Return the ends (M,) in the order of the models."""
    if ends.ndim == 0:
        return np.full(count, float(ends))
    if ends.size != count:
        raise InvalidInputError(f"`{name}` must hold one end for each of {count} models, got {ends.size}.")
    if labels is None:
        return ends
    if models is None or set(labels) != set(models):
        other = "`value` has no labels" if models is None else f"`value` is labelled {few(models)}"
        raise InvalidInputError(f"`{name}` must have the labels of `value`, got {few(labels)} where {other}.")
    place_of = places_of(labels)
    return ends[[place_of[model] for model in models]]


def _columns(samples: Any) -> tuple[tuple[str, ...] | None, list[FloatArray]]:
    """Return names, if there are some, and the measurements of each model, NaN where missing."""
    if isinstance(samples, Mapping):
        names: tuple[str, ...] | None = tuple(str(key) for key in samples)
        columns = [_numbers(column, 1) for column in samples.values()]
    else:
        labels = axis_labels(samples, 1)
        names = None if labels is None else tuple(str(label) for label in labels)
        columns = list(_numbers(samples, 2).T)
    if names is not None and (not names or len(set(names)) < len(names)):
        raise InvalidInputError(f"`samples` must hold each model once, got {few(names) if names else 'none'}.")
    return names, columns


def _numbers(samples: Any, ndim: int) -> FloatArray:
    shape = "(r, M)" if ndim == 2 else "(r,) for each model"
    found = real_or_missing("samples", samples)
    if found.ndim != ndim or found.size == 0:
        raise InvalidInputError(f"`samples` must have shape {shape} and not be empty, got shape {found.shape}.")
    return found.astype(np.float64)


def _check_inside(column: FloatArray, value_range: Any, label: object) -> None:
    try:
        low, high = (float(end) for end in value_range)
    except (TypeError, ValueError):
        raise InvalidInputError(f"`value_range` must be a pair of numbers (low, high), got {value_range!r}.") from None
    if not (np.isfinite(high - low) and low < high):
        raise InvalidInputError(
            f"`value_range` must have finite ends, low < high, got {value_range!r}: nothing can be said about the mean of "
            "measurements without bound."
        )
    if column.min() < low or column.max() > high:
        found = column.min() if column.min() < low else column.max()
        raise InvalidInputError(
            f"`samples` must lie in `value_range` [{low:g}, {high:g}], got {found:g} of model {quoted(label)}."
        )


def total_delta(measured: Sequence[Measured], delta: float) -> float:
    """Return the share of delta that measured costs use; refuse costs that leave nothing.

    Raises
    ------
    InvalidInputError
    """
    spent = float(sum(cost.delta for cost in measured))
    if spent >= delta:
        raise InvalidInputError(
            f"`delta` must exceed the failure probability of the measured costs, got {delta:g} and {spent:g}: the "
            "difference is what the losses may use."
        )
    return spent
