"""All bounds that apply to given quantities, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moltheory._core._validation import check_count, check_fraction
from moltheory.bounds._bound import Bound
from moltheory.bounds._finite import finite_class
from moltheory.bounds._inversion import required_sample_size, required_sample_size_linear, required_sample_size_vc
from moltheory.bounds._uniform import linear_class, vc
from moltheory.errors import InvalidInputError
from moltheory.inference import binomial_interval, interval_methods

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
    errors: int | None = None,
    excess: float | None = None,
) -> pd.DataFrame:
    """Table of every bound that applies to the given quantities.

    Parameters
    ----------
    n : int, optional
        Number of examples, >= 1: gives widths and intervals.
    delta : float, default 0.05
        Total failure probability, in (0, 1); per mean for intervals from `errors`.
    n_objectives : int, default 1
        Number of data-dependent objectives.
    n_hypotheses : int, optional
        Size of a finite class.
    dimension : int, optional
        Vapnik-Chervonenkis dimension of a class with 0/1 loss.
    weight_norm : float, optional
        Radius of a class of linear predictors, with `input_norm` and `lipschitz`.
    errors : int, optional
        Number of errors of one fixed model on the n examples.
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
        If a quantity is out of its range, or no bound applies.

    Examples
    --------
    >>> applicable_bounds(n=1000, n_hypotheses=100, n_objectives=3)[["bound", "value", "vacuous"]]
              bound    value  vacuous
    0  finite class  0.06853    False
    """
    import pandas as pd

    check_fraction("delta", delta)
    common: dict[str, Any] = {"delta": delta, "n_objectives": check_count("n_objectives", n_objectives)}
    linear: dict[str, Any] = {"lipschitz": lipschitz, "weight_norm": weight_norm, "input_norm": input_norm}
    classes: list[tuple[str, bool, Callable[[int], Bound], Callable[[float], int]]] = [
        (
            "finite class",
            n_hypotheses is not None,
            lambda size: finite_class(size, n_hypotheses=n_hypotheses or 0, **common),
            lambda target: required_sample_size(excess=target, n_hypotheses=n_hypotheses or 0, **common),
        ),
        (
            "VC dimension",
            dimension is not None,
            lambda size: vc(size, dimension=dimension or 0, **common),
            lambda target: required_sample_size_vc(excess=target, dimension=dimension or 0, **common),
        ),
        (
            "linear class",
            weight_norm is not None,
            lambda size: linear_class(size, **linear, **common),
            lambda target: required_sample_size_linear(excess=target, **linear, **common),
        ),
    ]
    rows: list[dict[str, object]] = []
    for name, given, width, sample_size in classes:
        if given and n is not None:
            bound = width(n)
            row = {"value": float(bound.width.max()), "vacuous": bool(bound.vacuous.any()), "source": bound.source}
            rows.append({"bound": name, "quantity": "width", **row})
        if given and excess is not None:
            row = {"value": float(sample_size(excess)), "vacuous": False, "source": "inversion of the width"}
            rows.append({"bound": name, "quantity": "sample size", **row})
    if errors is not None:
        if n is None:
            raise InvalidInputError("`n` must be given with `errors`, got None.")
        for method in interval_methods(from_counts=True):
            found = binomial_interval(errors, n, method=method, delta=delta)
            ends = {"lower": float(found.lower), "upper": float(found.upper), "vacuous": bool(found.vacuous)}
            rows.append({"bound": method, "quantity": "interval", **ends, "source": found.source})
    if not rows:
        raise InvalidInputError(
            "`n` or `excess` must be given with a class (`n_hypotheses`, `dimension` or `weight_norm`), "
            "or `n` with `errors`, got neither."
        )
    columns = ["bound", "quantity", "value", "lower", "upper", "vacuous", "source"]
    return pd.DataFrame(rows).reindex(columns=columns)
