"""All bounds that apply to given quantities, in one table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from moltheory._core._validation import check_count, check_fraction
from moltheory.bounds._applicable_entries import Given, entries
from moltheory.bounds._bound import Bound
from moltheory.bounds._inversion import smallest_size
from moltheory.errors import InvalidInputError
from moltheory.inference import Interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["applicable_bounds"]


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
    n_outputs: int | None = None,
    input_dimension: int | None = None,
    penalty: float | None = None,
    divergence: float | None = None,
    errors: int | None = None,
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
    n_outputs : int, optional
        Number of outputs of linear predictors, with `weight_norm` (Frobenius), `input_norm` and `lipschitz`.
    input_dimension : int, optional
        Dimension of a unit box on which the losses are `lipschitz` functions in the sup-norm.
    penalty : float, optional
        Factor of the squared norm that is added to the average of the objectives, for losses that are convex and
        `lipschitz` in the parameters; the width is at the minimiser.
    divergence : float, optional
        Divergence >= 0, in nats, of a randomised model from its prior; with `errors`, its average number of them.
    errors : int, optional
        Number of errors of one fixed model on the n examples; with a class, of any member of it, for limits that hold
        for all members at once.
    excess : float, optional
        Target for twice the width: gives sample sizes.

    Returns
    -------
    pandas.DataFrame
        ``bound``, ``quantity`` (width, interval or sample size), ``value`` (of a width or sample size), ``lower`` and
        ``upper`` (of an interval), ``vacuous``, ``source``.

    Raises
    ------
    InvalidInputError
        If a quantity is out of its range, no bound applies, or a quantity needs another one to be of use.

    Examples
    --------
    >>> applicable_bounds(n=1000, n_hypotheses=100, n_objectives=3)[["bound", "value", "vacuous"]]
              bound    value  vacuous
    0  finite class  0.06853    False
    """
    # The parameters by name: nothing else is local yet.
    given = Given(**locals())
    import pandas as pd

    check_fraction("delta", delta)
    check_count("n_objectives", n_objectives)
    rows: list[dict[str, object]] = []
    _refuse_idle(given)
    for entry in entries():
        if any(getattr(given, name) is None for name in entry.needs):
            continue
        if n is None and entry.low is None:
            needs = ", ".join(f"`{name}`" for name in entry.needs)
            raise InvalidInputError(f"`n` must be given with {needs}, got None.")
        if n is not None:
            rows.append({"bound": entry.name} | _row(entry.at(given, n)))
        if excess is not None and entry.low is not None:
            size = smallest_size(excess, partial(entry.at, given), low=entry.low(given))
            row = {"value": float(size), "vacuous": False, "source": "inversion of the width"}
            rows.append({"bound": entry.name, "quantity": "sample size"} | row)
    if not rows:
        planned, others = ({e.needs: None for e in entries() if (e.low is None) is late} for late in (False, True))
        raise InvalidInputError(
            f"`n` or `excess` must be given with a class ({_listed(planned)}), or `n` with {_listed(others)}, got neither."
        )
    columns = ["bound", "quantity", "value", "lower", "upper", "vacuous", "source"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _refuse_idle(given: Given) -> None:
    """Refuse a quantity that no bound uses for want of another one."""
    known = {name for name, value in vars(given).items() if value is not None}
    used = {name for entry in entries() if known.issuperset(entry.needs) for name in entry.needs}
    for entry in entries():
        for name in sorted(known.intersection(entry.needs) - used):
            missing = [other for other in entry.needs if other not in known]
            raise InvalidInputError(
                f"`{name}` must be given with {_listed([(other,) for other in missing])}, got None."
            )


def _row(found: Bound | Interval) -> dict[str, object]:
    """Columns of the widest objective of a bound; one that has seen the risks is an interval."""
    common = {"vacuous": bool(found.vacuous.any()), "source": found.source}
    if found.lower is None or found.upper is None:
        return {"quantity": "width", "value": float(found.width.max()), **common}
    return {"quantity": "interval", "lower": float(found.lower.min()), "upper": float(found.upper.max()), **common}


def _listed(needs: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(" and ".join(f"`{name}`" for name in one) for one in needs)
