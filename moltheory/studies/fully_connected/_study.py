"""The study: networks with and without fully-connected layers, compared in pairs, certified, and as fronts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory.errors import InvalidInputError
from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies.fully_connected import _panels
from moltheory.studies.fully_connected._comparison import (
    certified_networks,
    gate_path,
    network_objectives,
    paired_differences,
)
from moltheory.studies.fully_connected._experiment import train_all
from moltheory.studies.fully_connected._files import check_folder
from moltheory.studies.fully_connected._findings import caption, findings
from moltheory.studies.fully_connected._plan import Plan
from moltheory.studies.fully_connected._result import FullyConnectedResult
from moltheory.studies.fully_connected._training import Recipe

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FullyConnected", "train_on_folder"]

_QUICK: dict[str, Any] = {
    "labels": (40, 80, 160),
    "seeds": 3,
    "gates": (0.3,),
    "sweep_labels": 80,
    "active_start": 40,
    "active_step": 40,
    "active_rounds": 2,
    "active_seeds": 1,
    "recipe": Recipe(epochs=2, batch=40),
}
# Original photographs are harder, and there are many of them.
_FOLDER: dict[str, Any] = {
    "labels": (500, 1000, 2000),
    "seeds": 3,
    "sweep_labels": 1000,
    "active_start": 500,
    "active_step": 500,
    "active_rounds": 3,
}


class FullyConnected(Study[FullyConnectedResult]):
    """Fully-connected layers with little data: plain, refiner, online joint distillation, and no gate.

    Parameters
    ----------
    data : path, optional
        Folder with the original files of CIFAR-10 or MNIST; digits and cluttered digits by default.
    plan : Plan, optional
        What to train instead of the plan of the setting, quick or full.

    Raises
    ------
    InvalidInputError
        If `data` is no folder, holds no such files, or is given together with a plan.
    """

    name = "fully-connected"
    needs_torch = True
    title = "Fully-connected layers with little data: what they gain, what is certain, and what they cost"
    paper = (
        "P. Kocsis, P. Súkeník, G. Brasó, M. Nießner, L. Leal-Taixé, I. Elezi (2022), The Unreasonable Effectiveness "
        "of Fully-Connected Layers for Low-Data Regimes, arXiv 2210.05657"
    )
    panels = (_panels.draw_differences, _panels.draw_certificate, _panels.draw_path, _panels.draw_active)

    def __init__(self, data: str | os.PathLike[str] | None = None, *, plan: Plan | None = None) -> None:
        if data is not None and plan is not None:
            raise InvalidInputError(
                "`plan` must be left out where `data` is given: its sources name the data, got both."
            )
        if data is not None and not Path(data).is_dir():
            raise InvalidInputError(f"`data` must be a folder, got {os.fspath(data)!r}.")
        if data is not None:
            check_folder(data, "data")
        self._data = None if data is None else os.fspath(Path(data).resolve())
        self._plan = plan
        self.n_panels = len(self.panels) + len(self.plan_of(Settings()).sources)

    def plan_of(self, settings: Settings) -> Plan:
        """Return what is trained at a setting."""
        if self._plan is not None:
            return self._plan
        changes = dict(_QUICK) if settings.quick else {}
        if self._data is not None:
            changes = {**_FOLDER, **changes, "sources": (self._data,)}
        return replace(Plan(), **changes)

    def compute(self, settings: Settings) -> FullyConnectedResult:
        """Train all networks, compare them in pairs, certify them, and read the gates as a path."""
        import pandas as pd

        plan = self.plan_of(settings)
        trained = train_all(plan, settings=settings)
        networks = trained.networks
        # The last source is that of the sweep.
        last = str(trained.sweep["data"].iloc[0])
        data = (*(name for name in dict.fromkeys(networks["data"]) if name != last), last)
        return FullyConnectedResult(
            plan,
            data,
            trained,
            paired_differences(networks),
            pd.concat([network_objectives(networks, data=name)[0] for name in data], ignore_index=True),
            {name: certified_networks(networks, trained.wrong, data=name) for name in data},
            gate_path(trained.sweep),
        )

    def draw(self, result: FullyConnectedResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the errors on each data set, then `panels`."""
        first = len(result.data)
        for ax, name in zip(axes[:first], result.data, strict=True):
            _panels.draw_errors(ax, result, name)
        super().draw(result, axes[first:])
        return axes

    def caption(self, result: FullyConnectedResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: FullyConnectedResult) -> tuple[str, ...]:
        """Return the findings: signs as found, intervals over seeds, certificates over test images."""
        return findings(result)

    def tables(self, result: FullyConnectedResult) -> Mapping[str, pd.DataFrame]:
        """Return every network, differences, points, certificates, plans of further images, gates and rounds."""
        import pandas as pd

        certified = [result.certified[name] for name in result.data]
        return {
            "networks": result.trained.networks,
            "differences": result.differences,
            "points": result.points,
            "certified": pd.concat([one.statuses for one in certified], ignore_index=True),
            "duels": pd.concat([one.duels for one in certified], ignore_index=True),
            "further": pd.concat([one.further for one in certified if len(one.further)] or [certified[0].further]),
            "gates": result.path,
            "active": result.trained.active,
        }


def train_on_folder(
    folder: str | os.PathLike[str],
    /,
    *,
    settings: Settings | None = None,
    labels: Sequence[int] | None = None,
    seeds: int | None = None,
    recipe: Recipe | None = None,
    **changes: Any,
) -> FullyConnectedResult:
    """Run the whole study on original files of CIFAR-10 or MNIST in a local folder.

    Parameters
    ----------
    folder : path
        See `load_folder`.
    settings : Settings, optional
        With a store, finished networks are kept, and unfinished ones in checkpoints beside them, so that a killed run
        goes on.
    labels : sequence of int, optional
        Budgets, by default 500, 1000 and 2000 (less if quick); the sweep of gates takes the middle one.
    seeds : int, optional
        At least 3.
    recipe : Recipe, optional
        By default 30 epochs; the paper has 200.
    **changes
        Other attributes of `Plan`, such as ``backbone``, a function from the shape of an image to a torch module and
        its number of features.

    Returns
    -------
    FullyConnectedResult
        For the tables, findings and panels of ``FullyConnected(folder)``.

    Raises
    ------
    InvalidInputError
        If the folder holds no such files, a damaged one, or fewer images than labels.
    TorchMissingError
        If torch is not installed.
    """
    how = Settings() if settings is None else settings
    check_folder(folder)
    plan = FullyConnected(folder).plan_of(how)
    if labels is not None:
        changes["labels"] = tuple(labels)
        changes.setdefault("sweep_labels", changes["labels"][len(changes["labels"]) // 2] if labels else 0)
    if seeds is not None:
        changes["seeds"] = seeds
    if recipe is not None:
        changes["recipe"] = recipe
    unknown = set(changes) - set(Plan.__dataclass_fields__)
    if unknown or "sources" in changes:
        raise InvalidInputError(
            f"`changes` must name attributes of Plan other than sources, got {sorted(unknown) or 'sources'}."
        )
    return FullyConnected(plan=replace(plan, **changes)).compute(how)
