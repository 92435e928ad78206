r"""Bounds uniform over all mixtures of objectives, side by side: cover, union over objectives, union class.

For weights w on the simplex, :math:`L_w = \sum_i w_i L_i`. Agnostic learning with multiple objectives covers the
simplex with balls of radius eps, which costs about N log(1/eps) inside the root; a union over objectives costs log N;
and because a mixture's deviation is largest at a vertex, the Rademacher complexity of the union of the N loss classes
serves with neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._deprecation import DeprecatedAlias
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._validation import check_count, check_fraction, check_real, check_vector, numbers_or_one
from moltheory.bounds._cards import mixture_card, mixtures_card
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MixtureBound", "MixtureTable", "mixture_bounds"]


@dataclass(frozen=True)
class MixtureBound(Printed):
    """One-sided bound: with probability at least 1 - delta, L_w(h) <= Lhat_w(h) + width for all h and w.

    Attributes
    ----------
    method : str
    complexity : float
        Twice the Rademacher complexity; NaN if none was given.
    deviation : float
        The rest: confidence term, and the radius of the cover where there is one.
    delta : float
        Total failure probability.
    loss_range : float
        Length B of the range of losses.
    n : int
        Sample size of every objective.
    source : str
    assumptions : tuple of str
    """

    method: str
    complexity: float
    deviation: float
    delta: float
    loss_range: float
    n: int
    source: str
    assumptions: tuple[str, ...]
    level = DeprecatedAlias[float]("confidence")

    @property
    def width(self) -> float:
        """Largest amount by which a mixture's true risk exceeds its empirical one on the event."""
        return self.complexity + self.deviation

    @property
    def confidence(self) -> float:
        """Lower bound 1 - delta on the probability that the bound holds."""
        return 1.0 - self.delta

    @property
    def vacuous(self) -> bool:
        """Whether the width, or the deviation term alone, is at least the range of the losses."""
        known = self.deviation if math.isnan(self.complexity) else self.width
        return known > 0 and known >= self.loss_range

    def _card(self) -> Card:
        return mixture_card(self)


@dataclass(frozen=True)
class MixtureTable(Printed):
    """Three bounds for one set of arguments."""

    cover: MixtureBound
    objective_union: MixtureBound
    union_class: MixtureBound

    def to_frame(self) -> pd.DataFrame:
        """Return one row per bound: method, complexity, deviation, width, vacuous, delta, source."""
        import pandas as pd

        columns = ("method", "complexity", "deviation", "width", "vacuous", "delta", "source")
        rows = (self.cover, self.objective_union, self.union_class)
        return pd.DataFrame([{name: getattr(row, name) for name in columns} for row in rows])

    def _card(self) -> Card:
        return mixtures_card(self)


@document
def mixture_bounds(
    n: int,
    *,
    n_objectives: int,
    delta: float,
    complexities: float | npt.ArrayLike | None = None,
    union_complexity: float | None = None,
    radius: float = 0.01,
    loss_range: float = 1.0,
) -> MixtureTable:
    r"""Three bounds that are uniform over all mixtures of objectives, for comparison.

    ==================  ==========================  ====================================================
    bound               complexity term             deviation term
    ==================  ==========================  ====================================================
    cover               :math:`2 \max_i R_i`        :math:`B\epsilon + B\sqrt{((N-1)\log(3/\epsilon)
                                                    + \log(1/\delta))/(2n)}`
    objective union     :math:`2 \max_i R_i`        :math:`B\sqrt{\log(N/\delta)/(2n)}`
    union class         :math:`2 R_\cup`            :math:`B\sqrt{\log(1/\delta)/(2n)}`
    ==================  ==========================  ====================================================

    Parameters
    ----------
    n : int
        Sample size of every objective, >= 1; the union class needs one common sample, or equally large ones.
    n_objectives : int
        Number N >= 1 of data-dependent objectives.
    {delta}
    complexities : float or (N,) array_like, optional
        Expected Rademacher complexity R_i >= 0 of each objective's losses; left out, complexity terms and widths
        are NaN and only the deviation terms are compared.
    union_complexity : float, optional
        Expected complexity of the union of the N loss classes; by default the bound
        :math:`\max_i R_i + B \sqrt{\log(N)/(2n)}` on it.
    radius : float, default 0.01
        eps of the cover in the 1-norm, in (0, 1), fixed before the data.
    loss_range : float, default 1.0
        Length B of the interval that holds the losses, >= 0.

    Returns
    -------
    MixtureTable
        With `cover`, `objective_union`, `union_class` and `to_frame`.

    {raises}

    Notes
    -----
    Vertex identity: :math:`\sup_w \sup_h (L_w - \hat L_w)(h) = \max_i \sup_h (L_i - \hat L_i)(h)`, as a linear function
    of w is largest at a vertex. The right side is the uniform deviation of the union class, to which McDiarmid's
    inequality applies as a whole. Its complexity exceeds the largest single one by at most
    :math:`B \sqrt{\log(N)/(2n)}`: with losses centred, each of the N suprema moves by at most B/n with one example
    and its sign, so it is sub-Gaussian with variance proxy :math:`B^2/(4n)` around R_i, and so is bounded the expectation
    of their maximum.

    Complexity: O(N) time and memory.

    References
    ----------
    C. Cortes, M. Mohri, J. Gonzalvo and D. Storcheus, "Agnostic learning with multiple objectives", NeurIPS 2020
    (cover). Union class and vertex identity: derived (proof: mixtures).

    Examples
    --------
    >>> table = mixture_bounds(1000, n_objectives=5, delta=0.05)
    >>> [round(row.deviation, 6) for row in (table.cover, table.objective_union, table.union_class)]
    [0.123602, 0.047985, 0.038702]
    """
    check_count("n", n)
    count = check_count("n_objectives", n_objectives)
    budget = -math.log(check_fraction("delta", delta))
    scale = check_real("loss_range", loss_range, low=0.0)
    epsilon = check_real("radius", radius, low=0.0, high=1.0, strict=True)
    largest = joined = math.nan
    if complexities is not None:
        values = check_vector("complexities", numbers_or_one("complexities", complexities), low=0.0)
        if values.size not in (1, count):
            raise InvalidInputError(f"`complexities` must have {count} entries, got {values.size}.")
        largest = float(values.max())
        joined = largest + scale * math.sqrt(math.log(count) / (2.0 * n))
    if union_complexity is not None:
        joined = check_real("union_complexity", union_complexity, low=0.0)
    common = ("a class fixed before the data", "identically distributed examples", "losses inside one interval")

    def row(method: str, complexity: float, deviation: float, source: str) -> MixtureBound:
        return MixtureBound(method, 2.0 * complexity, deviation, float(delta), scale, n, source, common)

    cover = (count - 1) * math.log(3.0 / epsilon) + budget
    almo = "Cortes, Mohri, Gonzalvo, Storcheus 2020, NeurIPS"
    return MixtureTable(
        cover=row("cover", largest, scale * (epsilon + math.sqrt(cover / (2.0 * n))), almo),
        objective_union=row(
            "objective union", largest, scale * math.sqrt((math.log(count) + budget) / (2.0 * n)), "union bound"
        ),
        union_class=row("union class", joined, scale * math.sqrt(budget / (2.0 * n)), "derived (proof: mixtures)"),
    )
