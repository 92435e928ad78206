"""Half-widths for losses of several outputs, by the contraction inequality for vectors."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_choice, check_count, check_real, check_vector, numbers_or_one
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, RANGES, loss_ranges, sample_sizes
from moltheory.bounds._uniform import rademacher
from moltheory.errors import InvalidInputError

__all__ = ["multi_output_class"]

_NORMS = ("frobenius", "row-max", "row-sum")


@document
def multi_output_class(
    n: int | npt.ArrayLike,
    *,
    lipschitz: float | npt.ArrayLike,
    weight_norm: float,
    input_norm: float,
    n_outputs: int,
    delta: float,
    n_objectives: int = 1,
    loss_range: float | npt.ArrayLike = 1.0,
    norm: Literal["frobenius", "row-max", "row-sum"] = "frobenius",
) -> Bound:
    r"""Half-width of a Lipschitz loss of several linear outputs, uniform over them and over all objectives.

    `rademacher` with :math:`R \le \sqrt2 \Lambda X \kappa W / \sqrt n` for outputs :math:`x \mapsto \Theta x` in
    :math:`\mathbb R^K`; :math:`\kappa` is :math:`\sqrt K` for :math:`\|\Theta\|_F \le W`, K for rows of norm at most W,
    and :math:`1 + \sqrt{2 \log K}` for norms of rows that add up to at most W.

    Parameters
    ----------
    {sizes}
    lipschitz : float or (N,) array_like
        Lipschitz constant >= 0 of the loss in the vector of outputs, in the Euclidean norm.
    weight_norm, input_norm : float
        W, X >= 0; inputs have Euclidean norm at most X.
    n_outputs : int
        K >= 1.
    {delta}
    {n_objectives}
    {loss_range}
    norm : {"frobenius", "row-max", "row-sum"}
        Norm of the weights, from the Euclidean norms of the rows.

    {returns_widths}

    {raises}

    Notes
    -----
    The factor :math:`\sqrt2` is sharp, but is 1 for K = 1, where this is `linear_class`. The loss may depend on the
    label in any way.

    Complexity: O(N) time and memory.

    References
    ----------
    A. Maurer (2016), "A vector-contraction inequality for Rademacher complexities", arXiv 1605.00251; the complexities
    of the three balls are derived (proof: vector-contraction).

    Examples
    --------
    >>> scale = {"lipschitz": 1.0, "weight_norm": 1.0, "input_norm": 1.0, "delta": 0.05}
    >>> multi_output_class(10_000, n_outputs=10, **scale).width.round(4)
    array([0.103])
    >>> multi_output_class(10_000, n_outputs=10, norm="row-sum", **scale).width.round(4)
    array([0.1026])
    """
    sizes = sample_sizes(n, n_objectives)
    ranges = loss_ranges(loss_range, sizes.size)
    constants = check_vector("lipschitz", numbers_or_one("lipschitz", lipschitz), low=0.0)
    if constants.size not in (1, sizes.size):
        raise InvalidInputError(f"`lipschitz` must have {sizes.size} entries, got {constants.size}.")
    outputs = check_count("n_outputs", n_outputs)
    growth = {
        "frobenius": math.sqrt(outputs),
        "row-max": float(outputs),
        "row-sum": 1.0 + math.sqrt(2 * math.log(outputs)),
    }
    scale = check_real("weight_norm", weight_norm, low=0.0) * check_real("input_norm", input_norm, low=0.0)
    scale *= growth[check_choice("norm", norm, _NORMS)] * (math.sqrt(2.0) if outputs > 1 else 1.0)
    with np.errstate(over="ignore"):
        steepness = constants * scale
    if not np.isfinite(steepness).all():
        raise InvalidInputError("`lipschitz` times the norms must be finite, got an overflow.")
    complexity = np.broadcast_to(steepness, sizes.shape) / np.sqrt(sizes)
    bound = rademacher(sizes, complexity=complexity, delta=delta, loss_range=ranges)
    return Bound(
        width=bound.width,
        loss_range=ranges,
        delta=bound.delta,
        method=f"{outputs} linear outputs, {norm}",
        source="Maurer 2016, arXiv 1605.00251; derived (proof: vector-contraction)",
        assumptions=("weights and inputs inside the stated balls", "losses Lipschitz in the outputs", IID, RANGES),
    )
