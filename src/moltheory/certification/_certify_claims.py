"""`certify_claims`: which claims about models are true, all at once at one total failure probability."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, Maximise, as_readonly, check_fraction, check_real
from moltheory.certification._cards import claims_card
from moltheory.certification._claims import Claim, Comparisons
from moltheory.certification._contrasts import with_contrasts
from moltheory.certification._data_warnings import directions_stated, warn_about_data, warn_about_pairs
from moltheory.certification._decisions import RELEVANT
from moltheory.certification._evidence import Levels, p_values
from moltheory.certification._format import confidence_text
from moltheory.certification._memory import bytes_per_pair, require_pairs
from moltheory.certification._statistics import Moments, summaries
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import Comparison, read_comparison
from moltheory.evaluation._scan import Scan
from moltheory.inference._paired import holm_adjusted
from moltheory.inference._pairs import PairCounts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClaimResults", "certify_claims"]


@dataclass(frozen=True, eq=False, repr=False)
class ClaimResults(Shown):
    """Tests of C claims, at total failure probability delta.

    Attributes
    ----------
    claims : tuple of Claim
    p_values : (C,) ndarray
        Of each claim by itself, against "the claim is false".
    adjusted_p_values : (C,) ndarray
        By Holm's procedure over all claims.
    confirmed : (C,) ndarray of bool
        Adjusted p-values of at most delta: with probability at least 1 - delta, all confirmed claims are true. A claim
        that is not confirmed may be true or false.
    delta : float
    """

    claims: tuple[Claim, ...]
    p_values: FloatArray
    adjusted_p_values: FloatArray
    confirmed: npt.NDArray[np.bool_]
    delta: float

    def __post_init__(self) -> None:
        for name in ("p_values", "adjusted_p_values", "confirmed"):
            object.__setattr__(self, name, as_readonly(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.claims)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per claim: its words, p-value, adjusted p-value, and whether it is confirmed."""
        import pandas as pd

        return pd.DataFrame(
            {
                "claim": [str(claim) for claim in self.claims],
                "p_value": self.p_values,
                "adjusted_p_value": self.adjusted_p_values,
                "confirmed": self.confirmed,
            }
        )

    def _line(self) -> str:
        """The claims and their results in words."""
        lines = [
            f"{len(self)} claims; with probability at least {confidence_text(self.delta)}, all confirmed ones are true"
        ]
        for claim, p, yes in zip(self.claims, self.adjusted_p_values.tolist(), self.confirmed.tolist(), strict=True):
            word = "confirmed" if yes else "not confirmed"
            lines.append(f"  {word:<13}  p = {p:.2g}  {claim}")
        return "\n".join(lines)

    def _card(self) -> Card:
        return claims_card(self)


@document
def certify_claims(
    losses: Any,
    claims: Iterable[Claim],
    /,
    *,
    delta: float = 0.05,
    costs: Any = None,
    objectives: Any = None,
    names: Sequence[str] | None = None,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    maximise: Maximise | Sequence[str] | None = None,
    clusters: npt.ArrayLike | None = None,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
) -> ClaimResults:
    """Return which claims about the models are confirmed, with probability at least 1 - delta all of them true.

    Parameters
    ----------
    losses : LossTable, source of blocks, (n, M, N) or (n, M) array_like, DataFrame, or mapping
        As in `certify`. **Several seeds, or repeats of an example,** are rows that share a label in `clusters`: they are
        not independent of each other.
    claims : iterable of Claim
        Chosen before the data are seen: `Better`, `AmongBest`, `BestWithin`, or a `Claim` of your own. Those that are not
        confirmed count as well, so leave out what does not matter.
    {delta_default}
    costs, objectives, names, loss_range, maximise, clusters, largest_cluster, cluster_weights
        As in `certify`.

    Returns
    -------
    ClaimResults

    Raises
    ------
    InvalidInputError
        If there is no claim, a claim does not fit the models and objectives, or the losses are refused.
    TooLargeError
        If the tables of pairs of so many models do not fit in the memory that is available.

    Warns
    -----
    DataWarning
        As in `certify`.

    Notes
    -----
    Complexity: as `certify`, for each round of margins that differ, and the work of each claim. Paired tests as in
    `certify`, at the whole of delta: a certificate of the same losses is a further statement with its
    own delta.

    References
    ----------
    Derived (proof: claims), from R. L. Berger (1982), doi 10.1080/00401706.1982.10487790; S. Holm (1979).

    Examples
    --------
    >>> import numpy as np
    >>> from moltheory.certification import AmongBest, Better
    >>> losses = np.zeros((1000, 3), dtype=bool)
    >>> losses[:200, 0] = losses[5:210, 1] = losses[100:400, 2] = True
    >>> claims = [AmongBest("a", "error", 2), Better("b", "a", "price", margins={"error": 0.05}), AmongBest("a", "error")]
    >>> results = certify_claims(
    ...     losses, claims, names=["a", "b", "c"], objectives=["error"], costs={"price": [3, 2, 1]}
    ... )
    >>> results.confirmed
    array([ True,  True, False])
    >>> print(results.claims[1])
    b is better than a in price and worse by less than 0.05 in error
    """
    total = check_fraction("delta", delta)
    stated = tuple(claims)
    wrong = [type(claim).__name__ for claim in stated if not isinstance(claim, Claim)]
    if wrong or not stated:
        raise InvalidInputError(f"`claims` must be one or more claims, got {wrong[0] if wrong else 'none'}.")
    problem = read_comparison(
        losses,
        costs=costs,
        objectives=objectives,
        names=names,
        loss_range=loss_range,
        maximise=maximise,
        clusters=clusters,
        largest_cluster=largest_cluster,
        cluster_weights=cluster_weights,
    )
    problem = with_contrasts(problem)
    # What does not fit the names is refused before the work.
    wanted = dict.fromkeys(entry for claim in stated for entry in claim.comparisons())
    nothing = _comparisons(problem, dict.fromkeys(wanted, np.ones((len(problem.model_names),) * 2)))
    for name, margin in wanted:
        nothing.table(name, check_real("margins", margin, low=0.0))
    for claim in stated:
        claim.p_value(nothing)
    scan = problem.scan(largest_cluster, cluster_weights)
    warn_about_data(problem, scan, losses, stated=maximise is not None or directions_stated(losses))
    # Each table that is kept is a copy of one of the tests.
    margins = np.zeros(len(problem.objectives)) + max(margin for _, margin in wanted)
    each = bytes_per_pair(problem, scan, margins, tested=True, tables=len(wanted))
    require_pairs(each, scan.n_models)
    found = summaries(scan)
    warn_about_pairs(scan, found)
    tables = _tables(problem, scan, found, list(wanted), math.log(len(stated) / total))
    comparisons = _comparisons(problem, tables)
    p = np.array([check_real("p_value", claim.p_value(comparisons), low=0.0, high=1.0) for claim in stated])
    adjusted = holm_adjusted(p, size=p.size)
    return ClaimResults(stated, p, adjusted, adjusted <= total, total)


def _comparisons(problem: Comparison, tables: dict[tuple[str, float], FloatArray]) -> Comparisons:
    names = tuple(objective.name for objective in problem.objectives)
    known = {o.name: o.values for o in problem.objectives if o.values is not None}
    testable = {o.name for o in problem.objectives if o.tested}
    kept = {entry: table for entry, table in tables.items() if entry[0] in testable}
    return Comparisons(problem.model_names, names, problem.maximise, known, kept)


def _tables(
    problem: Comparison,
    scan: Scan,
    found: list[PairCounts | Moments],
    wanted: list[tuple[str, float]],
    log_level: float,
) -> dict[tuple[str, float], FloatArray]:
    """Return the wanted tables; margins of different objectives are tested in one pass over the losses."""
    places = {objective.name: i for i, objective in enumerate(problem.objectives)}
    everyone = ~np.eye(scan.n_models, dtype=np.bool_)
    levels = Levels(np.full(scan.n_models, log_level), log_level, everyone)
    tables: dict[tuple[str, float], FloatArray] = {}
    left = list(wanted)
    while left:
        margins = np.zeros(len(places))
        done = []
        for name, margin in left:
            if margin == 0.0 or margins[places[name]] in (0.0, margin):
                margins[places[name]] = margin or margins[places[name]]
                done.append((name, margin))
        below, not_above = p_values(problem, scan, found, margins, levels)
        for name, margin in done:
            table = (not_above if margin else below)[places[name]]
            if table is not None:
                # Those above may be anything above it.
                tables[name, margin] = np.where(table > RELEVANT, 1.0, table)
        left = [entry for entry in left if entry not in done]
    return tables
