"""What people do with a certificate: respect limits, choose a model. No step voids the guarantee."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from moltheory.certification._choice import Choice
    from moltheory.certification._limits import LimitVerdicts
    from moltheory.scalarization import Scalarization

__all__ = ["CandidateMask", "Choices"]


class CandidateMask(np.ndarray[Any, np.dtype[np.bool_]]):
    """Models that are not excluded, (M,) bool; called with limits, those of them that may meet these."""

    _certificate: Any

    @classmethod
    def of(cls, certificate: Any, mask: npt.NDArray[np.bool_]) -> CandidateMask:
        """Return the mask of a certificate, read-only."""
        made = mask.copy().view(cls)
        made._certificate = certificate
        made.flags.writeable = False
        return made

    def __array_finalize__(self, source: Any) -> None:
        self._certificate = getattr(source, "_certificate", None)

    def __array_ufunc__(self, ufunc: Any, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        # What is computed from it is an ordinary array.
        plain = [np.asarray(one) if isinstance(one, CandidateMask) else one for one in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

    def __call__(self, *, limits: Mapping[str, float] | None = None) -> npt.NDArray[np.bool_]:
        """Return the models that may be on the front of those that meet the limits, (M,) bool.

        A model that dominates another one meets every limit that this one meets, so these are the candidates that may
        meet all limits.
        """
        return np.asarray(self) if limits is None else np.asarray(self._certificate.within(limits).candidates)


class Choices:
    """Methods of a certificate for what comes after it."""

    excluded: npt.NDArray[np.bool_]

    @property
    def candidates(self) -> CandidateMask:
        """Models that are not excluded, (M,): they contain the front where no exclusion is wrong.

        ``candidates(limits={"error": 0.1})`` are those that may meet limits, chosen before or after looking.
        """
        return CandidateMask.of(self, ~self.excluded)

    def within(self, limits: Mapping[str, float], /) -> LimitVerdicts:
        """Return which models certainly meet limits, which certainly do not, and which may.

        Parameters
        ----------
        limits : mapping of str to float
            The largest value that is allowed of an objective, in its units, or the smallest where larger is better.
            They may be chosen after looking at the certificate, and as often as you like.

        Returns
        -------
        LimitVerdicts

        Raises
        ------
        InvalidInputError
            If a limit is not finite, lies outside of the possible values (which a certificate that was read from JSON does
            not have), or is one of something else than an objective.

        Notes
        -----
        With probability at least 1 - `delta`, all verdicts for all limits are right, and so are those of the certificate
        that are about all models (with ``error="any"`` all of them). Derived (proof: after-looking). Boxes decide, so
        with ``method="boxes"``, which gives all of delta to them, more is decided; with ``method="paired"`` nothing is.

        Complexity: O(M^2 k) time for k limits at most, O(M m) without claims of dominance.

        Examples
        --------
        >>> import moltheory as mt
        >>> losses = np.zeros((1000, 3), dtype=bool)
        >>> losses[:40, 0] = losses[:100, 1] = losses[:200, 2] = True
        >>> certificate = mt.certify(losses, names=["a", "b", "c"], objectives=["error"])
        >>> certificate.within({"error": 0.1}).verdicts
        {'a': 'within', 'b': 'cannot tell', 'c': 'not within'}
        """
        from moltheory.certification._limits import limit_verdicts

        return limit_verdicts(self, limits)  # type: ignore[arg-type]

    def choose(
        self,
        utility: str | Mapping[str, float] | Sequence[str] | Scalarization | Callable[[dict[str, float]], float],
        /,
        *,
        limits: Mapping[str, float] | None = None,
        tolerance: Mapping[str, float] | None = None,
        monotone: bool = False,
    ) -> Choice:
        """Return the model that is best by a preference, and how much better another one is at most.

        Of the models that certainly meet the limits it is the one with the least to lose.

        Parameters
        ----------
        utility : mapping, str, list of str, Scalarization or callable
            What is preferred, before or after looking. Smaller scores are better.

            * ``{"error": 0.7, "price": 0.3}``: weights >= 0, in the units of the objectives; what is to be large counts as
              a gain.
            * ``"0.7*error + 0.3*price - accuracy"``: the same as a formula, also with ``max(...)`` and ``min(...)``.
            * ``["error", "price"]``: the first objective decides, then the second among the models within `tolerance` of
              the best one, and so on.
            * A monotone `Scalarization` of all objectives, where all of them are losses >= 0.
            * A function from a mapping of all objectives to values to a number, with `monotone`.
        limits : mapping of str to float, optional
            As in `within`.
        tolerance : mapping of str to float, optional
            How much of an objective is given up for those after it, in its units and >= 0; by default nothing.
        monotone : bool, default False
            State that a function never falls when an objective gets worse. It is tried at corners of the boxes, and
            refused where it is seen to fall; what is not seen is trusted.

        Returns
        -------
        Choice

        Raises
        ------
        InvalidInputError
            If `utility` prefers what is worse or is of another kind, or no model certainly meets the limits.

        Notes
        -----
        With probability at least 1 - `delta`, the bounds of all choices hold at once, so preferences may be tried after
        looking. Derived (proof: after-looking). With ``method="boxes"`` they are smaller.

        Complexity: O(M^2 m) time at most, O(M m) without claims of dominance.

        Examples
        --------
        >>> import moltheory as mt
        >>> losses = np.zeros((1000, 3), dtype=bool)
        >>> losses[:40, 0] = losses[:100, 1] = losses[:200, 2] = True
        >>> certificate = mt.certify(
        ...     losses, names=["a", "b", "c"], objectives=["error"], costs={"price": [3.0, 1.0, 0.5]})
        >>> choice = certificate.choose("error + 0.1*price")
        >>> choice.model, round(choice.excess[0], 3), choice.could_be_best
        ('b', 0.021, ('c',))
        """
        from moltheory.certification._choice import choose

        return choose(self, utility, monotone=monotone, limits=limits, tolerance=tolerance)  # type: ignore[arg-type]
