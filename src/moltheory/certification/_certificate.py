"""The result of `certify`: which models are on the front, which are not, which are undecided, and why."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._deprecation import DeprecatedAlias, renamed_parameter
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, as_readonly, check_choice, check_fraction
from moltheory.certification._cards import certificate_card
from moltheory.certification._certificate_json import DTYPES, read_certificate, write_certificate
from moltheory.certification._choices import Choices
from moltheory.certification._consequences import Consequences
from moltheory.certification._plans import Plans
from moltheory.certification._promises import ENGINES, Promise
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.certification._baseline import BaselineComparison
    from moltheory.certification._statistics import PairStatistics

__all__ = ["Certificate"]

_PER_MODEL = (
    *("sure", "excluded", "excluded_by", "adjusted_p_value", "within_slack", "replaceable_by"),
    *("decided_at", "leaning"),
)


@renamed_parameter("spent", "delta_allocation")
@renamed_parameter("beats", "dominates")
@renamed_parameter("level", "adjusted_p_value")
@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Shown, Consequences, Choices, Plans):
    """Claims about the Pareto front of M models in m objectives, at total failure probability delta.

    Attributes
    ----------
    names : tuple of str
        Names of the M models.
    objectives : tuple of str
        Names of the m objectives, costs last.
    maximise : tuple of bool
        One per objective.
    data_dependent : (m,) ndarray of bool
        False for costs known exactly.
    sure : (M,) ndarray of bool
        The model is on the true front; with a tolerance: it is `within_slack` and not excluded.
    excluded : (M,) ndarray of bool
        The model is not on the true front, because another model dominates it.
    excluded_by : (M,) ndarray of int64
        Index of the model that most likely dominates it, itself not excluded if possible; -1 = none. That it does is
        guaranteed where `dominates` says so; that some model does, always.
    adjusted_p_value : (M,) ndarray
        Adjusted p-value of each exclusion: `delta` if the exclusion needs the boxes too, NaN if the model is not
        excluded. With ``error="any"``, for every alpha up to `delta`, fixed in advance, a model of the front is excluded
        with an adjusted p-value of at most alpha with probability at most alpha (two or more such models with "one"; no
        such statement with "share"). The tests are those planned for `delta`, so this is not
        the smallest delta at which `certify` excludes the model: another delta leads to other tests. It is at least
        1e-5 `delta` for losses that are not 0/1 by type.
    dominates : (M, M) ndarray of bool
        ``dominates[b, h]``: b certainly dominates h.
    estimates : (M, m) ndarray
        Means over the examples on which the model was evaluated (over clusters, if these have equal weights), or values
        of measures and tails; the given values for costs.
    boxes : (M, m, 2) ndarray
        Simultaneous confidence intervals: single points for known costs, the given intervals for measured ones, the
        whole range if no share of delta went to boxes.
    epsilon : (m,) ndarray
        Tolerance of each objective.
    delta : float
        Total failure probability of all claims.
    delta_allocation : tuple of (str, float)
        Families of claims with their shares of delta, fixed in advance.
    n_examples : int
        Number of examples on which some model was evaluated, in the objective with most of them.
    methods : tuple of str
        Interval and paired test of each objective.
    assumptions : tuple of str
        What the guarantee assumes.
    within_slack : (M,) ndarray of bool
        Certain members of the epsilon-Pareto set: no other model is better by at least `epsilon` in every objective
        (strictly in at least one). A member may be excluded, if it is dominated by less. Without a tolerance, `sure`.
    replaceable_by : (M,) ndarray of int64
        Index of a model that costs no more, and less in some cost, and is worse by less than `epsilon` in every other
        objective; -1 = none known. Claimed only with a tolerance and known costs.
    measured : (m,) ndarray of bool
        True for costs given as `moltheory.Measured`, whose boxes may be infinite.
    decided_at : (M,) ndarray
        Total failure probability at which the tests, as planned for `delta`, would decide the model: at most `delta`
        for the decided ones; 1 if the losses speak for neither side; NaN if the known costs alone put the model on the
        front, or if the certificate was made before 0.2. One minus it is the confidence of the verdict. With
        ``error="any"``, for every alpha fixed in advance, some model leans to the wrong side at alpha or less with
        probability at most alpha; for the other promises it is the delta of that promise.
    leaning : (M,) ndarray of int64
        The side on which the model is, or would be, decided: 1 = on the front, -1 = not on it, 0 = neither.
    open_rivals : (M, M) ndarray of bool
        ``open_rivals[h, b]``: b has not been shown not to dominate h (by the tolerance), which is not excluded. With
        probability at least 1 - `delta`, for all models at once that are not excluded: the model is on the front (to
        within the tolerance), or one of its open rivals is. With ``error="any"`` this holds together with the verdicts.
    error, dependence, verdicts : str
        What is promised, as in `moltheory.certify`.
    engine : str
        "exact", or "asymptotic": nothing is guaranteed at this sample size, and `delta` is nominal.
    n_clusters : int
        Number of clusters that hold the examples; 0 if the examples themselves are independent.
    baseline : BaselineComparison or None
        All models beside the baseline, if one was given to `certify`: its claims hold together with all others.
    fingerprint : tuple of (int, str)
        Of each column of losses, the number of rows and a hash of some hundred of them per model, by which `certify`
        recognizes losses that begin with these (`earlier`); not compared by ``==``.

    Notes
    -----
    Complexity: 2 M^2 bytes, and O(M^2 N) for what `plan` and `smallest_tolerance` need, which `from_json` does not restore.
    `tiers`, `front_size`, `alternatives`, `to_frame`, `to_json` and `from_json`: O(M^2) time; JSON text has O(M m)
    characters and at most M^2 / 6 for each of two tables of pairs. `plan` and `smallest_tolerance`: O(M^2 N) time, `plan`
    with simulated runs beside it, for which at most 8 MB of the losses are kept. `explain`: O(M). `plot`,
    `front_sandwich` and `hypervolume`: those of M points in m objectives, without pairs.

    Examples
    --------
    >>> import moltheory as mt
    >>> losses = np.zeros((1000, 2), dtype=bool)
    >>> losses[:200, 0] = losses[20:250, 1] = 1
    >>> certificate = mt.certify(losses, names=["a", "b"])
    >>> certificate.sure, certificate.excluded, float(certificate.adjusted_p_value[1].round(5))
    (array([ True, False]), array([False,  True]), 0.00052)
    >>> certificate.hypervolume([1.0])
    (0.75..., 0.83...)
    """

    names: tuple[str, ...]
    objectives: tuple[str, ...]
    maximise: tuple[bool, ...]
    data_dependent: npt.NDArray[np.bool_]
    sure: npt.NDArray[np.bool_]
    excluded: npt.NDArray[np.bool_]
    excluded_by: npt.NDArray[np.int64]
    adjusted_p_value: FloatArray
    dominates: npt.NDArray[np.bool_]
    estimates: FloatArray
    boxes: FloatArray
    epsilon: FloatArray
    delta: float
    delta_allocation: tuple[tuple[str, float], ...]
    n_examples: int
    methods: tuple[str, ...]
    assumptions: tuple[str, ...]
    within_slack: npt.NDArray[np.bool_] = None  # type: ignore[assignment]
    replaceable_by: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    measured: npt.NDArray[np.bool_] = None  # type: ignore[assignment]
    decided_at: FloatArray = None  # type: ignore[assignment]
    leaning: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    open_rivals: npt.NDArray[np.bool_] = None  # type: ignore[assignment]
    error: str = "any"
    dependence: str = "any"
    verdicts: str = "both"
    engine: str = "exact"
    n_clusters: int = 0
    baseline: BaselineComparison | None = None
    fingerprint: tuple[tuple[int, str], ...] = field(default=(), compare=False)
    level = DeprecatedAlias[FloatArray]("adjusted_p_value")
    beats = DeprecatedAlias[npt.NDArray[np.bool_]]("dominates")
    spent = DeprecatedAlias[tuple[tuple[str, float], ...]]("delta_allocation")

    def __post_init__(self) -> None:
        n_models, m = len(self.names), len(self.objectives)
        left_out = {
            "within_slack": self.sure,
            "replaceable_by": np.full(n_models, -1),
            "measured": np.zeros(m, dtype=np.bool_),
            "decided_at": np.full(n_models, np.nan),
            "leaning": np.asarray(self.sure, np.int64) - np.asarray(self.excluded, np.int64),
            "open_rivals": np.zeros((n_models, n_models), dtype=np.bool_),
        }
        for name, value in left_out.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        for name, dtype in DTYPES.items():
            object.__setattr__(self, name, as_readonly(np.asarray(getattr(self, name), dtype=dtype)))
        check_fraction("delta", self.delta)
        Promise.of(self.error, self.dependence, self.verdicts)
        check_choice("engine", self.engine, ENGINES)
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_PER_MODEL, (n_models,))
        shapes |= dict.fromkeys(("dominates", "open_rivals"), (n_models, n_models))
        shapes |= {"estimates": (n_models, m), "boxes": (n_models, m, 2)}
        shapes |= {"epsilon": (m,), "data_dependent": (m,), "measured": (m,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InvalidInputError(f"`{name}` must have shape {shape}, got shape {getattr(self, name).shape}.")
        for name in ("maximise", "methods"):
            if len(getattr(self, name)) != m:
                raise InvalidInputError(f"`{name}` must have {m} entries, got {len(getattr(self, name))}.")
        for name in ("excluded_by", "replaceable_by"):
            if not ((getattr(self, name) >= -1) & (getattr(self, name) < n_models)).all():
                raise InvalidInputError(
                    f"`{name}` must hold numbers of models, or -1, got {getattr(self, name).tolist()}."
                )
        if (self.sure & self.excluded).any():
            raise InvalidInputError("`sure` must not hold an excluded model, got one.")

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Certificate):
            return NotImplemented
        return all(
            np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f")
            if isinstance(mine, np.ndarray)
            else mine == theirs
            for mine, theirs in ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self) if f.compare)
        )

    __hash__ = None  # type: ignore[assignment]

    def with_statistics(self, statistics: PairStatistics) -> Certificate:
        """Return this certificate with the pair statistics from which it was made; `plan` needs them."""
        kept = copy.copy(self)
        object.__setattr__(kept, "_statistics", statistics)
        return kept

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model: its status, why, and the estimate and box of every objective.

        ``excluded_by`` is the model that most likely dominates it, for certain where ``dominator_is_certain``;
        ``leaning``, ``decided_at`` and ``n_open_rivals`` (models that may still dominate it) are about undecided models.
        """
        from moltheory.certification._explain import frame_of

        return frame_of(self)

    def plot(self, ax: Axes | None = None, theme: str | None = None) -> Any:
        """Return axes on which all models are drawn, by verdict in color and marker.

        One objective: a row per model with its interval, in the order of the tables. Two: the plane, with the empirical
        front as a staircase and the band in which the true front lies. Three and more: rows again, with a column per
        objective. Axes are logarithmic where estimates span decades. A name that has no place is a number, explained
        under the axis; with many models the verdicts that matter most keep rows and names.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            The place to draw on; new axes by default. With three objectives and more, columns are axes inside it.
        theme : {"light", "dark"}, optional
            That of new axes.

        Returns
        -------
        matplotlib.axes.Axes, or list of them
            `ax` if it was given; new axes otherwise, with three objectives and more one per objective.

        Notes
        -----
        Given the boxes and the claims of dominance, which all hold with probability at least 1 - `delta`, what the models
        truly achieve contains what their worst corners dominate, and is contained in what the best corners dominate of
        those that are not certainly dominated: the true staircase runs between the two. Of one objective, the best true
        value lies between the best and the worst of these ends.

        Complexity: O(M log M) for M models, and places for at most 60 names per verdict.

        Examples
        --------
        >>> import moltheory as mt
        >>> certificate = mt.certify(np.eye(2), names=["a", "b"], objectives=["error"], costs={"size": [1, 2]})
        >>> certificate.plot().get_xlabel()
        '← better     error'
        """
        from moltheory.certification._plot import plot_certificate

        return plot_certificate(self, ax, theme)

    def _line(self) -> str:
        """The verdicts in words."""
        from moltheory.certification._explain import described

        return described(self)

    def to_json(self) -> str:
        """Return the certificate as JSON text, from which `from_json` restores an equal one, bit for bit."""
        return write_certificate(self)

    @classmethod
    def from_json(cls, text: str, /) -> Certificate:
        """Return the certificate that `to_json` wrote.

        Raises
        ------
        InvalidInputError
            If `text` is not such a certificate.
        """
        return read_certificate(text, cls)

    def _card(self) -> Card:
        return certificate_card(self)
