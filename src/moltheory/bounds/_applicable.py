"""All bounds that apply to given quantities, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from moltheory._core._validation import check_count, check_fraction
from moltheory.bounds._applicable_entries import Given, entries
from moltheory.bounds._applicable_numbers import SIZES, Number
from moltheory.bounds._bound import Bound
from moltheory.bounds._inversion import smallest_size
from moltheory.bounds._scope import SCOPES
from moltheory.errors import InvalidInputError
from moltheory.inference import Interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["applicable_bounds"]

# Rows by what they are about.
_ORDER = (*SCOPES, "fixed model", "every learner", "sample size")


def applicable_bounds(
    *,
    n: int | None = None,
    delta: float = 0.05,
    n_objectives: int = 1,
    n_hypotheses: int | None = None,
    dimension: int | None = None,
    weight_norm: float | None = None,
    input_norm: float = 1.0,
    lipschitz: float = 1.0,
    margin: float | None = None,
    fat_dimension: int | None = None,
    prior: float | None = None,
    n_outputs: int | None = None,
    input_dimension: int | None = None,
    penalty: float | None = None,
    bernstein_constant: float | None = None,
    divergence: float | None = None,
    errors: int | None = None,
    risk: float | None = None,
    variance: float | None = None,
    excess: float | None = None,
) -> pd.DataFrame:
    """Table of every bound that applies to the given quantities.

    Parameters
    ----------
    n : int, optional
        Number of examples, >= 1: gives widths and intervals.
    delta : float, default 0.05
        Total failure probability, in (0, 1); per mean for intervals of one fixed model from `errors`.
    n_objectives : int, default 1
        Number of data-dependent objectives.
    n_hypotheses : int, optional
        Size of a finite class.
    dimension : int, optional
        Vapnik-Chervonenkis dimension of a class with 0/1 loss.
    weight_norm : float, optional
        Radius of a class of linear predictors, with `input_norm` and `lipschitz`.
    margin : float, optional
        Margin gamma > 0 of linear classifiers, with `weight_norm` and `input_norm`: the width is between error rates
        and ramp losses.
    fat_dimension : int, optional
        Fat-shattering dimension of scores at half a margin: the width is between error rates and fractions of margins.
    prior : float, optional
        Weight of one hypothesis under a prior that was fixed before the data, in [0, 1].
    n_outputs : int, optional
        Number of outputs of linear predictors, with `weight_norm` (Frobenius), `input_norm` and `lipschitz`.
    input_dimension : int, optional
        Dimension of a unit box on which the losses are `lipschitz` functions in the sup-norm.
    penalty : float, optional
        Factor of the squared norm that is added to the average of the objectives, for losses that are convex and
        `lipschitz` in the parameters; the width is at the minimiser.
    bernstein_constant : float, optional
        Constant of the Bernstein condition with exponent 1, with `n_hypotheses`: excess of empirical risk minimisation.
    divergence : float, optional
        Divergence >= 0, in nats, of a randomised model from its prior; with `errors` or `risk`, its averages.
    errors : int, optional
        Number of errors of one fixed model on the n examples; with a class, of any member of it, for limits that hold
        for all members at once.
    risk : float, optional
        In place of `errors`, the mean of losses in [0, 1] of a member of a class or of a randomised model.
    variance : float, optional
        Sample variance (divided by n - 1) of its losses, averaged over the models of a randomised one; by default the
        largest that losses in [0, 1] with this mean can have.
    excess : float, optional
        Target for twice the width: gives sample sizes, and for the worst of several objectives totals of them.

    Returns
    -------
    pandas.DataFrame
        ``scope`` (that of the `Bound`; "fixed model" for intervals of one, "every learner" for lower bounds, "sample
        size"), ``bound``, ``quantity`` (width, interval, excess, sample size, total sample size, expected error, error at
        delta), ``value`` (but of an interval), ``lower`` and ``upper`` (of an interval), ``vacuous``, ``source``. Rows of
        one scope stand together.

    Raises
    ------
    InvalidInputError
        If a quantity is out of its range, no bound applies, or a quantity needs another one to be of use.

    Examples
    --------
    >>> applicable_bounds(n=1000, n_hypotheses=100, n_objectives=3)[["scope", "bound", "quantity", "value"]].round(4)
               scope                         bound        quantity   value
    0        uniform                  finite class           width  0.0685
    1         excess  coverage error, finite class  expected error  0.1068
    2  every learner  coverage error, finite class  expected error  0.0214
    3  every learner  coverage error, finite class  error at delta  0.0679
    """
    # The parameters by name: nothing else is local yet.
    given = Given(**locals())
    import pandas as pd

    check_fraction("delta", delta)
    check_count("n_objectives", n_objectives)
    _refuse_idle(given)
    rows: list[dict[str, object]] = []
    for entry in entries():
        if not entry.needs_are_met(given):
            continue
        if n is None and entry.low is None and not entry.beside:
            needs = ", ".join(f"`{name}`" for name in given.words(entry.needs))
            raise InvalidInputError(f"`n` must be given with {needs}, got None.")
        if n is not None and check_count("n", n) >= entry.least and (found := entry.at(given, n)) is not None:
            rows.append({"bound": entry.name} | _row(found))
        if excess is not None and entry.low is not None:
            half_width = cast("Callable[[int], Bound]", partial(entry.at, given))
            size = smallest_size(excess, half_width, low=entry.low(given))
            rows.append(_size(entry.name, "sample size", size, "inversion of the width"))
    if excess is not None:
        met = (one for one in SIZES if all(getattr(given, name) is not None for name in one.needs))
        totals = [(one.name, total) for one in met if (total := one.size(given)) is not None]
        source = "derived (proof: on-demand-sampling)"
        rows += [_size(name, "total sample size", total, source) for name, total in totals]
    if not rows:
        planned, others = (
            {given.words(e.needs): None for e in entries() if not e.beside and (e.low is None) is late}
            for late in (False, True)
        )
        raise InvalidInputError(
            f"`n` or `excess` must be given with a class ({_listed(planned)}), or `n` with {_listed(others)}, got neither."
        )
    rows.sort(key=lambda row: _ORDER.index(str(row["scope"])))
    columns = ["scope", "bound", "quantity", "value", "lower", "upper", "vacuous", "source"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _refuse_idle(given: Given) -> None:
    """Refuse a quantity that no bound uses for want of another one."""
    known = {name for name, value in vars(given).items() if value is not None}
    if known.issuperset(("errors", "risk")):
        raise InvalidInputError("`risk` must be left out where `errors` is given, got both.")
    used = {name for entry in entries() if entry.needs_are_met(given) for name in given.words(entry.needs)}
    if "variance" in known and not used & {"errors", "risk"}:
        raise InvalidInputError("`variance` must be given with `errors` or `risk`, got None.")
    for entry in entries():
        needs = given.words(entry.needs)
        for name in sorted(known.intersection(needs) - used):
            missing = [other for other in needs if other not in known]
            raise InvalidInputError(
                f"`{name}` must be given with {_listed([(other,) for other in missing])}, got None."
            )


def _row(found: Bound | Interval | Number) -> dict[str, object]:
    """Columns of the widest objective of a bound; one that has seen the risks is an interval."""
    if isinstance(found, Number):
        vacuous = found.value <= 0.0 if found.scope == "every learner" else found.value >= 1.0
        return {**found._asdict(), "vacuous": vacuous}
    common = {"vacuous": bool(found.vacuous.any()), "source": found.source}
    if isinstance(found, Interval):
        common["scope"] = "fixed model"
    else:
        common["scope"] = found.scope
    if found.lower is None or found.upper is None:
        quantity = "excess" if common["scope"] == "excess" else "width"
        return {"quantity": quantity, "value": float(found.width.max()), **common}
    return {"quantity": "interval", "lower": float(found.lower.min()), "upper": float(found.upper.max()), **common}


def _size(name: str, quantity: str, size: int, source: str) -> dict[str, object]:
    row = {"value": float(size), "vacuous": False, "source": source}
    return {"bound": name, "scope": "sample size", "quantity": quantity, **row}


def _listed(needs: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(" and ".join(f"`{name}`" for name in one) for one in needs)
