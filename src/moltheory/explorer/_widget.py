"""The widget of the explorer; imported only where anywidget is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import anywidget
import numpy as np
import traitlets

from moltheory._core._validation import real_array
from moltheory.errors import InvalidInputError
from moltheory.explorer._bundle import script, style
from moltheory.explorer._description import check_settings
from moltheory.explorer._moving import loss_range, with_true_risks
from moltheory.problems import FiniteWorld

__all__ = ["Explorer"]


class Explorer(anywidget.AnyWidget):
    """What `moltheory.explore` returns: an explorer of a finite world in a notebook.

    Attributes
    ----------
    n, delta, seed
        Settings; may be set.
    true_risks : list of H pairs
        Where the points are; may be set.
    counts : list of K ints
        How often each outcome was drawn in the last sample; empty before the explorer is shown. May be set to show the
        sample with these counts.
    results : dict
        All numbers shown, for the last sample and over the samples drawn.
    """

    _esm = script()
    _css = style()
    _worlds: Any = traitlets.List().tag(sync=True)
    preset = traitlets.Int(0).tag(sync=True)
    n = traitlets.Int(25).tag(sync=True)
    delta = traitlets.Float(0.05).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    true_risks = traitlets.Any([]).tag(sync=True)
    counts = traitlets.Any([]).tag(sync=True)
    results = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        worlds: Sequence[FiniteWorld],
        objectives: tuple[int, int],
        specs: list[dict[str, Any]],
        settings: dict[str, Any],
    ) -> None:
        self._bases = tuple(worlds)
        self._objectives = objectives
        super().__init__(_worlds=specs, true_risks=self._risks_of(worlds[0]), **settings)

    def __repr__(self) -> str:
        base = self._bases[self.preset]
        return (
            f"<Explorer of {base.name}: {base.n_hypotheses} hypotheses, n = {self.n}, delta = {self.delta:g}; "
            "drag it in Jupyter>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the widget, and for readers without a kernel what it is an explorer of."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        world = self.world
        note = f"<p>An explorer of {escape(world.name)}, to be dragged where this notebook runs.</p>"
        return data | {"text/html": note + world._repr_html_()}, metadata

    @property
    def world(self) -> FiniteWorld:
        """The world as dragged; objectives that are not drawn are as they were."""
        base = self._bases[self.preset]
        risks = base.true_risks.copy()
        risks[:, self._objectives] = self.true_risks
        return with_true_risks(base, risks)

    def reset(self) -> None:
        """Put all points back to where they were."""
        self.true_risks = self._risks_of(self._bases[self.preset])

    def _risks_of(self, base: FiniteWorld) -> list[list[float]]:
        found: list[list[float]] = base.true_risks[:, self._objectives].tolist()
        return found

    @traitlets.validate("n", "delta", "seed")
    def _checked_setting(self, proposal: Any) -> Any:
        name = proposal["trait"].name
        return check_settings(**({"n": 1, "delta": 0.5, "seed": 0} | {name: proposal["value"]}))[name]

    @traitlets.validate("preset")
    def _checked_preset(self, proposal: Any) -> int:
        value = int(proposal["value"])
        if not 0 <= value < len(self._bases):
            raise InvalidInputError(f"`preset` must be an integer from 0 to {len(self._bases) - 1}, got {value}.")
        return value

    @traitlets.observe("preset")
    def _moved_to_preset(self, change: Any) -> None:
        base = self._bases[change["new"]]
        if len(self.true_risks) != base.n_hypotheses:
            self.true_risks = self._risks_of(base)

    @traitlets.validate("true_risks")
    def _checked_risks(self, proposal: Any) -> list[list[float]]:
        base = self._bases[self.preset]
        risks = real_array("true_risks", proposal["value"], shape="(H, 2)", min_ndim=2, max_ndim=2)
        if risks.shape != (base.n_hypotheses, 2):
            raise InvalidInputError(f"`true_risks` must have shape {(base.n_hypotheses, 2)}, got {risks.shape}.")
        for column, objective in zip(risks.T, self._objectives, strict=True):
            low, high = loss_range(base, objective)
            if (column < low).any() or (column > high).any():
                worst = column[np.argmax(np.maximum(low - column, column - high))]
                raise InvalidInputError(
                    f"`true_risks` must be within [{low:g}, {high:g}] for objective "
                    f"{base.objective_names[objective]!r}, got {worst:g}."
                )
        found: list[list[float]] = risks.tolist()
        return found

    @traitlets.validate("counts")
    def _checked_counts(self, proposal: Any) -> list[int]:
        counts = [int(count) for count in proposal["value"]]
        expected = len(self._bases[self.preset].probabilities)
        if counts and (len(counts) != expected or min(counts) < 0 or sum(counts) < 1):
            raise InvalidInputError(f"`counts` must be {expected} integers >= 0, not all 0, got {counts[:10]}.")
        return counts
