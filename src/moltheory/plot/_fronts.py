"""True and empirical front of one sample: which members are real, which only look so, and which are missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import check_names
from moltheory.errors import InvalidInputError
from moltheory.plot._axes import drawing
from moltheory.plot._front_curves import draw_curves
from moltheory.plot._front_points import draw_points
from moltheory.problems import InfiniteProblem, ProblemLike
from moltheory.problems._protocol import as_problem
from moltheory.runs import RandomSource

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["fronts"]


def fronts(
    problem: ProblemLike,
    n: int | tuple[int, ...],
    *,
    rng: RandomSource = 0,
    objectives: Sequence[int | str] = (0, 1),
    names: Sequence[str] | None = None,
    key: bool = True,
    ax: Axes | None = None,
    theme: str | None = None,
) -> Axes:
    """Return axes with the true Pareto front of a problem and the empirical front of one sample.

    Filled circles are members of both fronts; filled squares are decoys, on the empirical front but not truly optimal;
    hollow diamonds are truly optimal and missed by the sample. Arrows lead from true to empirical risks. The panel ends
    where both fronts do if there are more than 12 hypotheses; marks that coincide are counted. Of an infinite
    class the fronts are curves: the empirical one as the sample shows it, and the same hypotheses in true risks.

    Parameters
    ----------
    problem : ProblemLike
        A world, or any object with true risks, samples and at least two objectives.
    n : int or tuple of int
        Sample size, >= 1; a tuple has one entry per objective.
    rng : int, SeedSequence, Generator or None, default 0
        Source of the one sample; the same seed gives the same picture.
    objectives : pair of int or str, default (0, 1)
        The two objectives drawn, by position or name. Membership of the fronts is with all objectives.
    names : sequence of H str, optional
        Names of the hypotheses of a finite class, written beside their marks; ``h0``, ``h1``, ... of up to 12 by default.
    key : bool, default True
        Explain the marks above the panel.
    ax : matplotlib.axes.Axes, optional
        New axes by default. Limits that have been set are kept, and so is a title.
    theme : {"light", "dark"}, optional
        Of new axes; see `moltheory.plotting.styled`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidInputError
        If `problem` is something else or has one objective, `objectives` are not two of its objectives, or the sample
        leaves a risk undefined.

    Notes
    -----
    Complexity: one sample; O(H log H) time for H hypotheses and two objectives, O(H^2 N) for more. For an infinite class
    one solve for each of about 150 weights.

    Examples
    --------
    >>> import moltheory as mt
    >>> ax = mt.plot.fronts(mt.problems.mirrored_decoys(), 25)
    >>> ax.get_xlabel()
    '← better     error'
    """
    problem = as_problem(problem, needed_by="plot.fronts")
    pair = _pair(objectives, problem.objective_names)
    sample: Any = problem.sample(n, rng=rng)
    size = n if isinstance(n, int) else max(n)
    if isinstance(problem, InfiniteProblem):
        with drawing(ax, theme) as drawn:
            return draw_curves(drawn, problem, sample, pair, size, key)
    empirical = sample.risks()
    if not np.isfinite(empirical).all():
        raise InvalidInputError(
            f"`n` must be large enough for the sample to define all risks, got {n}: take more examples, or another `rng`."
        )
    chosen = None if names is None else check_names("names", names, length=problem.n_hypotheses, stem="h")
    with drawing(ax, theme) as drawn:
        return draw_points(drawn, problem, empirical, pair, size, chosen, key)


def _pair(objectives: Sequence[int | str], names: tuple[str, ...]) -> tuple[int, int]:
    """Return the positions of two objectives."""
    if len(names) < 2:
        raise InvalidInputError(f"`problem` must have two objectives or more, got {len(names)}.")
    chosen: list[Any] = (
        [objectives] if isinstance(objectives, str) or not hasattr(objectives, "__len__") else [*objectives]
    )
    places = [names.index(one) if isinstance(one, str) and one in names else one for one in chosen]
    valid = all(isinstance(one, int | np.integer) and 0 <= one < len(names) for one in places)
    if len(places) != 2 or not valid or places[0] == places[1]:
        known = ", ".join(f"{k} {name!r}" for k, name in enumerate(names[:8]))
        raise InvalidInputError(
            f"`objectives` must be two different objectives, by position or name, got {objectives!r}: there are {known}."
        )
    return int(places[0]), int(places[1])
