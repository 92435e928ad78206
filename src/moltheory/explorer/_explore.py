"""The explorer in notebooks."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING

from moltheory.errors import MissingDependencyError
from moltheory.explorer._description import check_objectives, check_settings, describe, preset_worlds
from moltheory.problems import FiniteWorld

if TYPE_CHECKING:
    from moltheory.explorer._widget import Explorer

__all__ = ["explore"]


def explore(
    world: FiniteWorld | None = None,
    *,
    n: int = 25,
    delta: float = 0.05,
    objectives: Sequence[int] = (0, 1),
    seed: int = 0,
) -> Explorer:
    """Return an explorer of a finite world for Jupyter: true risks that are dragged, samples, fronts and their errors.

    Parameters
    ----------
    world : FiniteWorld, optional
        With at most 200 hypotheses; by default several small worlds of the package, to choose from. A table of losses is
        explored with ``explore(FiniteWorld.from_examples(losses))``.
    n : int, default 25
        Sample size, 1 to 10,000.
    delta : float, default 0.05
        Total failure probability of the boxes and of the bound, in (0, 1).
    objectives : pair of int, default (0, 1)
        The two that are drawn. Fronts, errors and half-widths are those of these two alone.
    seed : int, default 0
        Of the samples, >= 0: the same seed, world and n give the same samples.

    Returns
    -------
    Explorer
        A widget. Its state can be read and set: ``n``, ``delta``, ``seed``, ``true_risks`` (one pair for each hypothesis);
        and read: ``counts`` (how often each outcome was drawn in the last sample), ``results`` (all numbers shown) and
        ``world`` (the `FiniteWorld` as dragged, see `with_true_risks`).

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or the two objectives do not depend on the data.
    TooLargeError
        If there are more hypotheses, losses or examples than can be explored.
    MissingDependencyError
        If anywidget is missing.

    Notes
    -----
    The probability that the empirical front has a member that is not truly optimal is exact where a browser can add up all
    sample types in some seconds, and elsewhere an estimate with an exact 95% interval (Clopper and Pearson); it is labeled
    so. Half-widths are those of `bounds.finite_class` for the ranges of losses before anything is dragged.

    Complexity: O(K H) time and memory for K outcomes and H hypotheses; the rest is done in the browser.

    Examples
    --------
    >>> from moltheory.problems import two_coins
    >>> explorer = explore(two_coins(), n=10)  # in a notebook, the last line of a cell shows it
    >>> explorer.true_risks
    [[0.5, 0.0], [0.5, 1.0]]
    """
    worlds = preset_worlds() if world is None else [world]
    chosen = [check_objectives(each, objectives) for each in worlds]
    settings = check_settings(n, delta, seed)
    specs = [describe(each, pair) for each, pair in zip(worlds, chosen, strict=True)]
    if importlib.util.find_spec("anywidget") is None:
        raise MissingDependencyError(
            '`explore` needs anywidget in the notebook\'s environment, found none: run pip install "moltheory[notebook]".'
        )
    from moltheory.explorer._widget import Explorer

    return Explorer(worlds, chosen[0], specs, settings)
