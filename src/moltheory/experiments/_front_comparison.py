"""Comparing many empirical fronts with one true front, in true risks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import errors_of_selections, hypervolumes_of_selections, nondominated
from moltheory.problems import ProblemLike
from moltheory.problems._protocol import as_finite

__all__ = ["FrontComparison"]


class FrontComparison(Shown):
    """Everything about a batch of empirical fronts that the asymmetry is stated in.

    Parameters
    ----------
    problem : ProblemLike
        With a finite class. Its true risks and true front are taken once.

    Attributes
    ----------
    problem : FiniteProblem
    truly_optimal : (H,) ndarray of bool
        Members of the true front.
    true_hypervolume : float
        With the problem's largest risks as reference point.

    Notes
    -----
    Complexity: O(R H (N + P)) time and O(R H N) memory for R samples, P truly optimal points and two objectives; see
    `moltheory.hypervolume` for more.

    Examples
    --------
    >>> from moltheory.problems import mirrored_decoys
    >>> world = mirrored_decoys()
    >>> compare = FrontComparison(world)
    >>> columns = compare(world.sample_risks(101, replicates=3, rng=0))
    >>> columns["coverage_error"], columns["purity_error"]
    (array([0., 0., 0.]), array([1., 1., 1.]))
    """

    _shown = ("problem", "truly_optimal", "true_hypervolume")

    def __init__(self, problem: ProblemLike) -> None:
        self.problem = problem = as_finite(problem, needed_by="FrontComparison")
        self._truth = problem.true.risks()
        self.truly_optimal = nondominated(self._truth)
        self.true_hypervolume = float(self._hypervolumes(self.truly_optimal[None])[0])

    def _hypervolumes(self, selected: npt.NDArray[np.bool_]) -> FloatArray:
        return hypervolumes_of_selections(self._truth, selected, reference=self.problem.risk_limits)

    def replicates_at_once(self, size: int) -> int | None:
        """Return how many samples to draw and compare at a time; None is all of a block: tables of risks are small."""
        return None

    def compare_sample(self, sample: FiniteObjectives) -> dict[str, npt.NDArray[np.generic]]:
        """Return the columns of a call on the risks of a sample, and ``discretization``, which is 0."""
        columns = self(sample.risks())
        columns["discretization"] = np.zeros(sample.risks().shape[0])
        return columns

    def errors(self, risks: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return coverage and purity error of each empirical front.

        Parameters
        ----------
        risks : (R, H, N) ndarray
            Empirical risks without NaN.

        Returns
        -------
        coverage_error, purity_error : (R,) ndarray
        """
        return errors_of_selections(self._truth, nondominated(risks))

    def uniform_deviation(self, risks: FloatArray) -> FloatArray:
        """Return the largest deviation of any empirical risk (R, H, N) from its true value, (R,)."""
        deviation: FloatArray = np.abs(risks - self._truth).max(axis=(-2, -1))
        return deviation

    def __call__(self, risks: FloatArray) -> dict[str, npt.NDArray[np.generic]]:
        """Compare each empirical front with the true one.

        Parameters
        ----------
        risks : (R, H, N) ndarray
            Empirical risks; a replicate with NaN makes no claim.

        Returns
        -------
        dict of (R,) ndarray
            ``coverage_error``, ``purity_error``, ``n_front``, ``n_spurious`` (members that are not truly
            optimal), ``hypervolume_deficit`` (of the selected hypotheses in true risks), ``uniform_deviation``
            and ``undefined``; NaN (counts: 0) where undefined.

        Raises
        ------
        InvalidInputError
            If the shape does not fit the problem.
        """
        if risks.ndim != 3 or risks.shape[1:] != self._truth.shape:
            raise InvalidInputError(f"`risks` must have shape (R, *{self._truth.shape}), got {risks.shape}.")
        undefined = np.isnan(risks).any(axis=(1, 2))
        defined = ~undefined
        columns: dict[str, npt.NDArray[np.generic]] = {}
        reals = {
            name: np.full(risks.shape[0], np.nan)
            for name in ("coverage_error", "purity_error", "hypervolume_deficit", "uniform_deviation")
        }
        counts = {name: np.zeros(risks.shape[0], dtype=np.int64) for name in ("n_front", "n_spurious")}
        if defined.any():
            claims = risks[defined]
            selected = nondominated(claims)
            reals["coverage_error"][defined], reals["purity_error"][defined] = errors_of_selections(
                self._truth, selected
            )
            reals["hypervolume_deficit"][defined] = self.true_hypervolume - self._hypervolumes(selected)
            reals["uniform_deviation"][defined] = self.uniform_deviation(claims)
            counts["n_front"][defined] = selected.sum(axis=1)
            counts["n_spurious"][defined] = (selected & ~self.truly_optimal).sum(axis=1)
        columns.update(reals)
        columns.update(counts)
        columns["undefined"] = np.asarray(undefined)
        return columns
