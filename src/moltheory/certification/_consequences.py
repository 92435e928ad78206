r"""What follows from the claims of a certificate, without a further share of delta.

**At least one.** With probability at least 1 - delta, for all models at once: a model is on the front, or one of its open
rivals is (`_decisions`). So every set made of a model and its open rivals holds a model of the front, and k disjoint
sets hold k of them. With ``error="any"`` the verdicts hold on the same event, so the set of a sure model is that model
alone. With the other promises single verdicts may be wrong, so sets are made from open rivals only: a sure model
without any was tested at the level of ``error="any"`` as well, since its open rivals are those not refused at that
level. (Derived; proof: at-least-one. A family of disjoint sets is chosen greedily, smaller ones first, so k need not be
the largest.)

**At most.** A model that is certainly dominated is not on the front. With ``error="any"`` all excluded ones count, with
the other promises only those that `dominates` names: its claims hold with probability 1 - delta whatever the promise.

**Tiers.** `dominates` is transitive and free of circles, and all its claims hold at once. The tier of a model is the
number of models in the longest chain of certain dominance above it, so the true non-dominated rank (`pareto_rank`, from
0) is at least the tier: each model of a chain is in a later front than its dominator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, check_count
from moltheory.errors import InvalidInputError
from moltheory.pareto import Front, hypervolume, pareto_front

if TYPE_CHECKING:
    from moltheory.certification._statistics import PairStatistics

__all__ = ["Consequences"]

Bools = npt.NDArray[np.bool_]


class Consequences:
    """Properties and methods of a certificate that follow from its fields."""

    names: tuple[str, ...]
    maximise: tuple[bool, ...]
    sure: Bools
    excluded: Bools
    within_slack: Bools
    dominates: Bools
    open_rivals: Bools
    boxes: FloatArray
    epsilon: FloatArray
    delta: float
    error: str
    engine: str

    @property
    def undecided(self) -> Bools:
        """Models that are neither sure nor excluded, (M,)."""
        return as_readonly(~(self.sure | self.excluded))

    @property
    def status(self) -> tuple[str, ...]:
        """Status of each model: "sure", "excluded" or "undecided"."""
        return tuple(
            "sure" if sure else "excluded" if out else "undecided"
            for sure, out in zip(self.sure, self.excluded, strict=True)
        )

    @property
    def promise(self) -> str:
        """One sentence that states what is guaranteed about the verdicts together."""
        from moltheory.certification._explain import promise_sentence

        return promise_sentence(self.delta, self.error, self.engine)

    @property
    def tiers(self) -> npt.NDArray[np.int64]:
        """Number of models in the longest chain of certain dominance above each model, (M,).

        0 = no model certainly dominates it. With probability at least 1 - `delta`, the true non-dominated rank of every
        model is at least its tier.
        """
        above = np.count_nonzero(self.dominates, axis=0)
        tier = np.zeros(above.size, dtype=np.int64)
        dominators = np.ascontiguousarray(self.dominates.T)
        # A dominator has fewer dominators, by transitivity.
        for h in np.argsort(above, kind="stable").tolist():
            if above[h]:
                tier[h] = 1 + tier[dominators[h]].max()
        return as_readonly(tier)

    @property
    def front_size(self) -> tuple[int, int]:
        """Smallest and largest number of models on the true front, with probability at least 1 - `delta`.

        With a tolerance: on the front to within it, of which only the smallest number is known. With
        ``error="one"`` or ``"share"`` the verdicts, of which some may be wrong, are not relied on.
        """
        out = self.excluded if self.error == "any" else self.dominates.any(axis=0)
        most = len(self.names) if self.epsilon.any() else len(self.names) - int(np.count_nonzero(out))
        return min(max(len(self.alternatives(disjoint=True)), 1), most), most

    def alternatives(self, *, disjoint: bool = False, most: int | None = None) -> tuple[tuple[int, ...], ...]:
        """Return sets of models, as indices, of which each contains a model of the true front.

        With probability at least 1 - `delta` this is true of all sets at once (with a tolerance: a model of the front to
        within it), and with ``error="any"`` also together with the verdicts. Models of which one is on the front are, for
        example, an undecided model and the only rival that may dominate it.

        Parameters
        ----------
        disjoint : bool, default False
            Return disjoint sets, chosen greedily, those of sure models included: if there are k, at least k of
            the models in them are on the front. Otherwise the sets of all undecided models.
        most : int, optional
            Leave out sets of more models.

        Returns
        -------
        tuple of tuple of int
            Smaller sets first.

        Raises
        ------
        InvalidInputError
            If `most` is not positive.

        Notes
        -----
        Complexity: O(M^2) time; memory like the answer, in which equal sets are one.

        Examples
        --------
        >>> import moltheory as mt
        >>> losses = np.zeros((1000, 3), dtype=bool)
        >>> losses[:200, 0] = losses[10:215, 1] = losses[:400, 2] = True
        >>> certificate = mt.certify(losses)
        >>> certificate.status, certificate.alternatives(), certificate.front_size
        (('undecided', 'undecided', 'excluded'), ((0, 1),), (1, 2))
        """
        if most is not None:
            check_count("most", most)
        own, lone = self._witnesses()
        kept = own.any(axis=1) if disjoint else own.any(axis=1) & ~lone & ~self.sure
        sizes = np.count_nonzero(own, axis=1)
        order = np.flatnonzero(kept & (sizes <= (sizes.size if most is None else most)))
        taken = np.zeros(sizes.size, dtype=np.bool_)
        # Equal sets are one: models that nothing distinguishes would fill the memory with copies.
        found: dict[bytes, tuple[int, ...]] = {}
        for h in order[np.argsort(sizes[order], kind="stable")].tolist():
            if disjoint and (taken & own[h]).any():
                continue
            taken |= own[h]
            key = np.packbits(own[h]).tobytes()
            if key not in found:
                found[key] = tuple(np.flatnonzero(own[h]).tolist())
        return tuple(found.values())

    def _witnesses(self) -> tuple[Bools, Bools]:
        """Return for each model a set that contains a model of the front, (M, M) and empty if none is known; lone ones."""
        several = self.open_rivals.any(axis=1)
        lone = self.within_slack if self.error == "any" else self.within_slack & ~self.excluded & ~several
        own = self.open_rivals & ~lone[:, None]
        places = np.flatnonzero(lone | (several & ~self.excluded))
        own[places, places] = True
        own[~(lone | ~self.excluded)] = False
        return own, lone

    def smallest_tolerance(self, objective: str | None = None) -> FloatArray:
        """Return the smallest tolerance for which each model is shown to be on the front to within it.

        A model of tolerance t is on the front or loses little by not being there: no model is better by more than t in
        every objective. With probability at least 1 - `delta`, this holds for all models at once. It is a statement of
        its own: together with the verdicts the probability is at least 1 - 2 `delta`.

        Parameters
        ----------
        objective : str, optional
            The objective whose tolerance is found, in its units; the others keep `epsilon`. By default the same
            fraction of the range of the losses in every estimated objective, with no tolerance in known costs.

        Returns
        -------
        (M,) ndarray
            On a grid of 1/1024 of the range, rounded up; infinite if no tolerance within the range suffices.

        Raises
        ------
        InvalidInputError
            If the certificate holds no statistics, spent delta on boxes only or is asymptotic, or `objective` is no mean
            of losses with a paired test.
        TooLargeError
            If a table of pairs of so many models does not fit in the memory that is available.

        Notes
        -----
        Complexity: O(M^2 N) time, O(M^2) memory. Limits by a fixed sequence of tests, from the largest tolerance down
        (`_smallest_tolerance`). Objectives other than means of losses with a paired test, of examples or of clusters of
        equal weight, are left out of account, which makes the tolerances larger.

        Examples
        --------
        >>> import moltheory as mt
        >>> losses = np.zeros((1000, 2), dtype=bool)
        >>> losses[:200, 0] = losses[10:215, 1] = True
        >>> mt.certify(losses).smallest_tolerance().round(3)
        array([0.011, 0.026])
        """
        from moltheory.certification._smallest_tolerance import smallest_tolerance

        statistics: PairStatistics | None = getattr(self, "_statistics", None)
        if statistics is None:
            raise InvalidInputError(
                "`certificate` must hold the statistics of its losses, got one without: use what `certify` returned."
            )
        return smallest_tolerance(self, statistics, objective)  # type: ignore[arg-type]

    def explain(self, model: str | int, /) -> str:
        """Return in one sentence what is known about a model, and what keeps it undecided.

        Parameters
        ----------
        model : str or int
            Name or index.

        Raises
        ------
        InvalidInputError
            If there is no such model.

        Examples
        --------
        >>> import moltheory as mt
        >>> losses = np.zeros((1000, 3), dtype=bool)
        >>> losses[:200, 0] = losses[:225, 1] = losses[20:224, 2] = True
        >>> print(mt.certify(losses, names=["a", "b", "c"]).explain("a"))
        a: cannot tell yet; only c may still dominate it; no direction yet.
        """
        from moltheory.certification._explain import explained

        return explained(self, model)  # type: ignore[arg-type]

    @property
    def front_sandwich(self) -> tuple[Front, Front]:
        """Fronts of the worst and of the best ends of the boxes, between which the true front lies.

        Raises
        ------
        InvalidInputError
            If a measured cost has an infinite end.
        """
        if not np.isfinite(self.boxes).all():
            raise InvalidInputError(
                "`certificate` must have finite boxes here, got a measured cost without an end: state finite ones."
            )
        worst = np.where(self.maximise, self.boxes[:, :, 0], self.boxes[:, :, 1])
        best = np.where(self.maximise, self.boxes[:, :, 1], self.boxes[:, :, 0])
        return pareto_front(worst, maximise=self.maximise), pareto_front(best, maximise=self.maximise)

    def hypervolume(self, reference: npt.ArrayLike, /) -> tuple[float, float]:
        """Return an interval for the hypervolume of the true front.

        Parameters
        ----------
        reference : (m,) array_like
            Reference point, in the caller's units and orientation.

        Returns
        -------
        low, high : float

        Raises
        ------
        InvalidInputError
            If a measured cost has an infinite end.
        """
        low, high = (
            float(hypervolume(front.points, reference=reference, maximise=self.maximise))
            for front in self.front_sandwich
        )
        return low, high
