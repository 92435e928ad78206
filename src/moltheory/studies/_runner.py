"""The runner of every study: open a run folder, make keys, run blocks, collect their results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from moltheory.images import ImageSource
from moltheory.reports import Settings
from moltheory.runs import RunFolder, run_blocks
from moltheory.studies._machine import Machine

__all__ = ["Columns", "run_study_blocks"]

Columns = dict[str, npt.NDArray[np.generic]]
"""What a block returns: names and arrays, fit for the store."""

_Result = TypeVar("_Result")


def run_study_blocks(
    function: Callable[..., _Result],
    blocks: Mapping[str, tuple[Any, ...]],
    *,
    store: tuple[str, ...],
    parameters: Mapping[str, Any],
    settings: Settings,
    weights: Mapping[str, float] | None = None,
    needs_torch: bool = False,
    source: ImageSource | None = None,
    machine: Machine | None = None,
) -> dict[str, _Result]:
    """Return ``{key: function(*arguments)}`` for all blocks, in their order, computed once and stored if asked for.

    `function` is importable by name, and its dict of arrays depends on its arguments alone. The run folder is
    ``settings.store_for(*store)``, with name and digest of the images; `parameters`, fit for JSON, identify the run besides
    its seed and keys. `weights` hold the work of each block in any unit, for the time left. With `needs_torch`, torch is
    asked for before any work starts, and its version is recorded. The images of a `source` and a `machine` other than
    one thread of the CPU belong to the identity too: a run on others starts afresh in a folder of its own.
    """
    versions: dict[str, str] = {}
    place = list(store)
    if needs_torch:
        from moltheory.studies._torch import require_torch

        versions["torch"] = str(require_torch().__version__)
    if source is not None:
        images = source.identity()
        versions |= images
        place += [images["data"], images["digest"][:8]]
    if machine is not None and not machine.repeats:
        versions["machine"] = machine.description
        place.append(f"{machine.device}-{machine.threads}")
    path = settings.store_for(*place)
    folder = None
    if path is not None:
        # The store takes lists for tuples.
        identity = {"study": " ".join(store).replace("_", " "), **json.loads(json.dumps(dict(parameters))), **versions}
        folder = RunFolder.open(path, parameters=identity, rng=settings.seed, keys=list(blocks))
    found = run_blocks(
        function,
        list(blocks.values()),
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        description=": ".join(store).replace("_", " "),
        weights=None if weights is None else [weights[key] for key in blocks],
        store=folder,
    )
    return dict(zip(blocks, found, strict=True))
