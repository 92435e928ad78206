"""The result of solving many scalarizations: one row each, with a certificate and a status that explains itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, as_readonly, check_choice
from moltheory.errors import SolverError
from moltheory.pareto import Front, nondominated
from moltheory.scalarization import Scalarization
from moltheory.solvers._cards import sweep_card

__all__ = ["Outcome", "PartialFrontWarning", "Status", "Sweep"]


class PartialFrontWarning(UserWarning):
    """Some scalarizations were left out of a sweep because they were not solved."""


class Status(IntEnum):
    """How the search for one minimiser ended; up to `HEURISTIC` it gave a usable point."""

    CERTIFIED = 0
    UNCERTIFIED = 1
    HEURISTIC = 2
    INACCURATE = 3
    INFEASIBLE = 4
    UNATTAINED = 5
    UNDEFINED = 6
    FAILED = 7
    ILL_CONDITIONED = 8

    @property
    def message(self) -> str:
        """One sentence."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.CERTIFIED: "solved; the gap is a rigorous bound on the suboptimality, and within the tolerance",
    Status.UNCERTIFIED: "solved to stationarity; no strong convexity is known or no prices of the constraints, so the gap "
    "is an estimate, not a bound",
    Status.HEURISTIC: "best point of an evolutionary search, or of a convex program without multipliers; no bound on the "
    "suboptimality exists",
    Status.INACCURATE: "the solver stopped before the gap was within the tolerance",
    Status.INFEASIBLE: "no hypothesis meets the bounds of the constraint",
    Status.UNATTAINED: "no minimiser exists because the data are separable; add ridge > 0 or a norm ball",
    Status.UNDEFINED: "the sample makes no claim for this replicate, as an average is over no examples",
    Status.FAILED: "the solver gave no point",
    Status.ILL_CONDITIONED: "the curvature cannot be told from zero in a direction in which the value still falls, so "
    "that no gap can be stated; remove collinear features, or add ridge > 0 or a norm ball",
}


@dataclass
class Outcome:
    """What a method returns: arrays (R, K, ...) over the flattened batch; methods fill the rows that are theirs."""

    solutions: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    points: FloatArray
    values: FloatArray
    gap: FloatArray
    rigorous: npt.NDArray[np.bool_]
    status: npt.NDArray[np.int8]
    gradient_norm: FloatArray

    @classmethod
    def empty(cls, r: int, k: int, n: int, d: int | None) -> Outcome:
        """Rows that failed; `d` None for solutions that are indices."""
        solutions = np.full((r, k), -1, dtype=np.int64) if d is None else np.full((r, k, d), np.nan)
        return cls(
            solutions,
            np.full((r, k, n), np.nan),
            np.full((r, k), np.nan),
            np.full((r, k), np.inf),
            np.zeros((r, k), bool),
            np.full((r, k), Status.FAILED, dtype=np.int8),
            np.full((r, k), np.nan),
        )

    def set_status(self, rows: slice | npt.NDArray[np.int64], tolerance: float) -> None:
        """Set the status of solved rows (whole batch, some scalarizations) from the gap; what is not finite failed."""
        lost = ~np.isfinite(self.values[:, rows]) | np.isnan(self.gap[:, rows])
        self.gap[:, rows] = np.where(lost, np.inf, self.gap[:, rows])
        self.rigorous[:, rows] &= ~lost
        gap, rigorous, values = self.gap[:, rows], self.rigorous[:, rows], self.values[:, rows]
        close = gap <= tolerance * np.maximum(1.0, np.abs(values))
        solved = np.where(rigorous, Status.CERTIFIED, Status.UNCERTIFIED)
        # An estimate says so by being infinite.
        unknown = np.isinf(gap) & ~rigorous & np.isfinite(values)
        short = np.where(unknown, Status.ILL_CONDITIONED, np.where(lost, Status.FAILED, Status.INACCURATE))
        self.status[:, rows] = np.where(close & ~lost, solved, short)


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Printed):
    """Minimisers of K scalarizations, for each entry of a batch.

    Attributes
    ----------
    scalarizations : tuple of K Scalarization
        Row j belongs to scalarization j.
    points : (*batch, K, N) ndarray
        Risks of the solutions; NaN where there is none.
    solutions : (*batch, K, d) or (*batch, K) ndarray
        Parameters, or the indices of a finite class (-1 where there is none).
    values : (*batch, K) ndarray
        Scalarized values of the points.
    gap : (*batch, K) ndarray
        Where `rigorous`, a bound on how far the value is from the smallest one, the rounding of the evaluated risks
        included; elsewhere an estimate only. NaN for heuristics (searches, and scalarizations without multipliers), inf
        for rows without a solution.
    rigorous : (*batch, K) ndarray of bool
        Whether `gap` is a bound.
    status : (*batch, K) ndarray of int8
        Values of `Status`; `message` explains them.
    gradient_norm : (*batch, K) ndarray
        Norm of the gradient of the sum of risks with the optimal multipliers; NaN where the method has none.
    methods : tuple of K str
        The method of each row.
    reason : str
        Why these methods.
    dropped : tuple of int
        Positions, among the scalarizations asked for, of those left out by ``on_failure="drop"``.

    Notes
    -----
    Complexity: O(R K N) memory for R batch entries; `front` and `nondominated` as `moltheory.nondominated` for each.
    """

    scalarizations: tuple[Scalarization, ...]
    points: FloatArray
    solutions: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    values: FloatArray
    gap: FloatArray
    rigorous: npt.NDArray[np.bool_]
    status: npt.NDArray[np.int8]
    gradient_norm: FloatArray
    methods: tuple[str, ...]
    reason: str
    dropped: tuple[int, ...] = ()

    @property
    def method(self) -> str:
        """The methods used, and why."""
        return f"{', '.join(dict.fromkeys(self.methods))}: {self.reason}"

    @property
    def certified_gap(self) -> FloatArray:
        """Bounds (*batch, K) on the suboptimality: `gap` where it is rigorous, and inf where it is an estimate."""
        return np.where(self.rigorous, self.gap, np.inf)

    @property
    def solved(self) -> npt.NDArray[np.bool_]:
        """Which rows hold a usable point, (*batch, K)."""
        return np.asarray(self.status <= Status.HEURISTIC)

    @property
    def is_partial(self) -> bool:
        """Whether a scalarization asked for has no usable point, dropped ones included."""
        return bool(self.dropped) or not bool(self.solved.all())

    def message(self, *index: int) -> str:
        """Say how one row ended; the index has one number for each batch axis and one for the row."""
        return Status(int(self.status[index])).message

    def nondominated(self, *, partial: bool = False) -> npt.NDArray[np.bool_]:
        """Return which rows are non-dominated among the solved rows of their batch entry, (*batch, K).

        Parameters
        ----------
        partial : bool, default False
            Compare the solved rows even if others failed; by default that is refused.

        Raises
        ------
        SolverError
            If some row is not solved and `partial` is False.
        """
        solved = self.solved
        if not solved.all() and not partial:
            raise SolverError(
                f"`partial` must be True for a front without the rows that failed, got {int((~solved).sum())} of "
                f"{solved.size} rows without a solution."
            )
        # Infinite rows are dominated by every other and by no means part of the mask.
        return nondominated(np.where(solved[..., None], self.points, np.inf)) & solved

    def front(self, *, partial: bool = False) -> Front:
        """Return the non-dominated points; `Front.members` are the rows.

        Parameters
        ----------
        partial : bool, default False
            As in `nondominated`, which also serves batches.

        Raises
        ------
        SolverError
            If the sweep has batch axes, nothing is solved, or some row is not and `partial` is False.
        """
        if self.status.ndim > 1:
            raise SolverError(
                f"`front` needs a sweep without batch axes, got batch shape {self.status.shape[:-1]}; "
                f"`nondominated` gives the rows of every entry."
            )
        rows = np.flatnonzero(self.nondominated(partial=partial))
        if not rows.size:
            raise SolverError(f"`front` needs a solved row, got {self.status.size} that failed.")
        order = rows[np.lexsort(self.points[rows].T[::-1])]
        return Front(self.points[order], order, (False,) * self.points.shape[-1])

    def _line(self) -> str:
        """Shape, methods, and what is missing."""
        k = len(self.scalarizations)
        missing = int((~self.solved).sum())
        partial = f", PARTIAL: {len(self.dropped)} dropped, {missing} failed" if self.is_partial else ""
        return f"Sweep({k} scalarizations, batch_shape={self.status.shape[:-1]}, {self.method}{partial})"

    def _card(self) -> Card:
        return sweep_card(self)


def finished(
    outcome: Outcome,
    batch: tuple[int, ...],
    scalarizations: Sequence[Scalarization],
    methods: Sequence[str],
    reason: str,
    on_failure: str,
) -> Sweep:
    """Return an outcome as a sweep; raise `SolverError` if a row failed and `on_failure` is ``"raise"``."""
    check_choice("on_failure", on_failure, ("raise", "mark", "drop"))
    failed = outcome.status > Status.HEURISTIC
    keep: npt.NDArray[np.int64] | None = None
    dropped: tuple[int, ...] = ()
    if failed.any():
        bad = failed.any(axis=0)
        j = int(np.flatnonzero(bad)[0])
        entry = int(np.flatnonzero(failed[:, j])[0])
        first = Status(int(outcome.status[entry, j]))
        where = f"row {j}" + (f" of replicate {np.unravel_index(entry, batch)}" if batch else "")
        text = f"got {int(failed.sum())} of {failed.size} that are not, first {where}: {first.message}"
        if on_failure == "raise":
            name = "gap" if outcome.rigorous[entry, j] else "estimated gap"
            stated = f" ({name} {outcome.gap[entry, j]:.1e})" if np.isfinite(outcome.gap[entry, j]) else ""
            raise SolverError(f"`scalarizations` must all be solved, {text}{stated}.")
        if on_failure == "drop":
            keep, dropped = np.flatnonzero(~bad), tuple(np.flatnonzero(bad).tolist())
            if not keep.size:
                raise SolverError(f"`scalarizations` must leave one row that is solved, {text}.")
            warnings.warn(f"{int(bad.sum())} of {bad.size} scalarizations dropped; {text}.", PartialFrontWarning, 3)

    def shaped(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        chosen = array if keep is None else array[:, keep]
        return as_readonly(chosen.reshape(*batch, *chosen.shape[1:]))

    fields = {name: shaped(value) for name, value in vars(outcome).items()}
    if keep is not None:
        scalarizations, methods = [scalarizations[j] for j in keep], [methods[j] for j in keep]
    return Sweep(
        scalarizations=tuple(scalarizations),
        methods=tuple(methods),
        reason=reason,
        dropped=dropped,
        **fields,  # type: ignore[arg-type]
    )
