"""The study: networks with and without fully-connected layers, compared in pairs, certified, and as fronts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from moltheory._core._text import joined
from moltheory.errors import InvalidInputError
from moltheory.images import ImageData
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence
from moltheory.studies._base import Study
from moltheory.studies._claims import Claim
from moltheory.studies.fully_connected import _panels
from moltheory.studies.fully_connected._claims import claims
from moltheory.studies.fully_connected._comparison import (
    certified_networks,
    gate_path,
    network_objectives,
    paired_differences,
    trunk_differences,
)
from moltheory.studies.fully_connected._experiment import train_all
from moltheory.studies.fully_connected._findings import caption, findings
from moltheory.studies.fully_connected._plan import PREFERS, Plan, data_of_seed
from moltheory.studies.fully_connected._result import FullyConnectedResult
from moltheory.studies.fully_connected._training import Recipe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FullyConnected", "train_on_folder"]

# Epochs, batches and trunks were chosen by time and by the training accuracy of single networks, before any test error
# was looked at: of 500 photographs 60 epochs in batches of 50 left OJKD's plain head, which does not train its trunk, at
# 61 %, 60 of 32 at 57 %, 100 of 100 at 97 %. A first full run at the last had 84 to 95 % over three seeds, against 99 %
# for plain, and compared nothing. The paper's 200 epochs of 100 give 99.7 % and more.
_QUICK: dict[str, Any] = {
    "sources": ("cluttered digits",),
    "labels": (40, 80),
    "sweep_labels": 40,
    "backbone": "tiny",
    "trunks": (),
    "active_start": 40,
    "active_step": 20,
    "active_seeds": 2,
    "active_backbone": "tiny",
    "queries": ("random", "entropy"),
}
# Photographs: the paper's recipe, on the trunks with which it ends in a quarter of an hour on two cores. There is no time
# left for active learning, which runs on digits.
_FOLDER: dict[str, Any] = {
    "labels": (500, 1000),
    "sweep_labels": 500,
    "backbone": "small",
    "trunks": ("medium",),
    "gates": (),
    "recipe": Recipe(),
    "active_seeds": 0,
}
# Of a tiny trunk, OJKD's plain head does not fit photographs in as few steps.
_QUICK_FOLDER: dict[str, Any] = {
    **_QUICK,
    "labels": (30, 60),
    "sweep_labels": 30,
    "methods": ("plain", "OJKD"),
    "backbone": "small",
    "gates": (),
    "active_seeds": 0,
}
# The paper's network and recipe: ResNet18, refiner 512 -> 64, 200 epochs; two further trunks at the smaller budget.
_LARGE: dict[str, Any] = {
    "labels": (1000, 2000),
    "sweep_labels": 1000,
    "methods": ("plain", "OJKD"),
    "backbone": "resnet18",
    "trunks": ("resnet20", "vgg11"),
    "gates": (),
    "active_seeds": 0,
    "recipe": Recipe(),
}
# Of a large run, to show that it runs.
_QUICK_LARGE: dict[str, Any] = {"labels": (10, 20), "sweep_labels": 10, "recipe": Recipe(epochs=1)}


class FullyConnected(Study[FullyConnectedResult]):
    """Fully-connected layers with little data: plain, refiner, online joint distillation, and no gate.

    Parameters
    ----------
    data : path, optional
        Folder of images, see `load_images`; digits and cluttered digits by default.
    device, threads
        See `Study`.
    large : bool, default False
        The paper's network and recipe: ResNet18 at 1,000 and 2,000 labels, 200 epochs, 3 seeds, plain and OJKD (and
        the refiner, from the same training), with ResNet20 and VGG11 at 1,000 labels. These are 36,000 steps of 100
        images of ResNet18, and 12,000 of each of the others. Of CIFAR-10, one step took 4, .3 and .9 seconds on one
        core of a CPU, so all would take 44 hours; they have 7e15 multiply-adds, 23 minutes for a GPU that makes 5e12
        of them in a second (an estimate, not measured). With a quick setting, a few steps of the same.
    plan : Plan, optional
        What to train instead of the plan of the setting, quick or full.

    Raises
    ------
    InvalidInputError
        If `data` is no folder, holds no images, or is given together with a plan.
    """

    name = "fully-connected"
    needs_torch = True
    has_large = True
    prefers = PREFERS
    title = "Fully-connected layers with little data: what they gain, what is certain, and what they cost"
    paper = (
        "P. Kocsis, P. Súkeník, G. Brasó, M. Nießner, L. Leal-Taixé, I. Elezi (2022), The Unreasonable Effectiveness "
        "of Fully-Connected Layers for Low-Data Regimes, arXiv 2210.05657"
    )
    panels: ClassVar[Any] = (
        _panels.draw_errors,
        _panels.draw_differences,
        _panels.draw_trunks,
        _panels.draw_certificate,
        _panels.draw_path,
        _panels.draw_active,
    )

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        *,
        device: str = "cpu",
        threads: int = 1,
        large: bool = False,
        plan: Plan | None = None,
    ) -> None:
        if data is not None and plan is not None:
            raise InvalidInputError(
                "`plan` must be left out where `data` is given: its sources name the data, got both."
            )
        super().__init__(data, device=device, threads=threads, large=large)
        self._plan = plan
        self.n_panels = len(self.panels)

    def plan_of(self, settings: Settings) -> Plan:
        """Return what is trained at a setting; of a folder with few images, fewer are labelled."""
        if self._plan is not None:
            return self._plan
        folder = self.source.folder
        if folder is None:
            return replace(Plan(), **(_QUICK if settings.quick else {}))
        changes = dict(_QUICK_FOLDER if settings.quick else _FOLDER)
        if self.large:
            changes = {**_LARGE, **(_QUICK_LARGE if settings.quick else {})}
        n = len(self.source.load().pool)
        if n < max(changes["labels"]):
            half = max(1, n // 4)
            changes |= {"labels": (half, 2 * half), "sweep_labels": half, "active_start": half, "active_step": half}
        return replace(Plan(), **{**changes, "sources": (folder,)})

    def compute(self, settings: Settings) -> FullyConnectedResult:
        """Train all networks, compare them in pairs, certify them, and read the gates as a path."""
        import pandas as pd

        plan = self.plan_of(settings)
        trained = train_all(plan, settings=settings, machine=self.machine)
        networks, active = trained.networks, trained.active
        # The last source is that of the sweep.
        last = str(trained.sweep["data"].iloc[0])
        data = (*(name for name in dict.fromkeys(networks["data"]) if name != last), last)
        by_query = active[active["labels"] == active["labels"].max()]
        return FullyConnectedResult(
            plan,
            data,
            trained,
            paired_differences(networks),
            trunk_differences(networks, data=last, labels=plan.labels[0]),
            paired_differences(by_query, by=("data", "query", "labels")) if len(by_query) else pd.DataFrame(),
            pd.concat([network_objectives(networks, data=name)[0] for name in data], ignore_index=True),
            {name: certified_networks(networks, trained.wrong, data=name) for name in data},
            gate_path(trained.sweep),
        )

    def details(self, result: FullyConnectedResult) -> str:
        """Return the source, the data, where it was computed and all findings, one paragraph each."""
        return "\n".join((f"{self.paper}.", self._setting(result.plan), *self.findings(result)))

    @property
    def setting(self) -> str:
        """One sentence: the data, and where it was computed."""
        return self._setting(self.plan_of(Settings()))

    def _setting(self, plan: Plan) -> str:
        images: list[ImageData] = [data_of_seed(source, 0, as_seed_sequence(0)) for source in plan.sources]
        return f"Data: {joined([one.description for one in images])}. Computed on {self.machine.description}."

    def claims(self, result: FullyConnectedResult) -> tuple[Claim, ...]:
        """Return the claims of the abstract, each by a rule that was fixed before the run."""
        return claims(result)

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
            "trunks": result.trunks,
            "queries": result.queries,
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
    """Run the whole study on the images of a local folder.

    Parameters
    ----------
    folder : path
        See `load_images`.
    settings : Settings, optional
        With a store, finished networks are kept, and unfinished ones in checkpoints beside them, so that a killed run
        goes on.
    labels : sequence of int, optional
        Budgets, by default 500 and 1000 (less if quick); the sweep of gates takes the first one.
    seeds : int, optional
        At least 3.
    recipe : Recipe, optional
        See `Recipe`.
    **changes
        Other attributes of `Plan`, such as ``backbone``, the name of a trunk or a function from the shape of an image
        to a torch module and its number of features.

    Returns
    -------
    FullyConnectedResult
        For the tables, findings and panels of ``FullyConnected(folder)``.

    Raises
    ------
    InvalidInputError
        If the folder holds no images, a damaged file, or fewer images than labels.
    TorchMissingError
        If torch is not installed.
    """
    how = Settings() if settings is None else settings
    plan = FullyConnected(folder).plan_of(how)
    if labels is not None:
        changes["labels"] = tuple(labels)
        changes.setdefault("sweep_labels", changes["labels"][0] if labels else 0)
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
