"""Checkpoints of a training: written whole or not at all, refused where damaged or of another training."""

from __future__ import annotations

import io
import os
from pathlib import Path

from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs import write_atomically
from moltheory.studies.fully_connected._momentum import MomentumDescent
from moltheory.studies.fully_connected._networks import HeadedNetwork
from moltheory.studies.fully_connected._torch import require_torch

__all__ = ["load_checkpoint", "save_checkpoint"]

_KIND = "moltheory training"


def save_checkpoint(
    path: str | os.PathLike[str],
    network: HeadedNetwork,
    descent: MomentumDescent,
    identity: str,
    history: list[list[float]],
) -> None:
    """Write the state of a training, atomically.

    Parameters
    ----------
    path : path
    network : HeadedNetwork
    descent : MomentumDescent
    identity : str
        Digest of everything the training depends on.
    history : list of list of float
        Losses of the epochs done.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    buffer = io.BytesIO()
    content = {
        "kind": _KIND,
        "identity": identity,
        "history": history,
        "backbone": network.backbone.state_dict(),
        "heads": {name: head.state_dict() for name, head in network.heads.items()},
        "velocities": descent.velocities,
    }
    require_torch().save(content, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(
    path: str | os.PathLike[str], network: HeadedNetwork, descent: MomentumDescent, identity: str
) -> list[list[float]]:
    """Put network and descent into the state of a checkpoint; nothing happens where there is none.

    Only tensors and plain values are read, never code.

    Returns
    -------
    list of list of float
        Losses of the epochs done.

    Raises
    ------
    InvalidInputError
        If the file is damaged, or belongs to another training.
    OutputError
        If the folder of the file does not exist: refused before any work.
    """
    torch = require_torch()
    file = Path(path)
    if not file.parent.is_dir():
        raise OutputError(f"`checkpoint` must be a file in a folder that exists, got {str(file)!r}.")
    if not file.exists():
        return []
    try:
        content = torch.load(io.BytesIO(file.read_bytes()), weights_only=True)
        if content["kind"] != _KIND:
            raise KeyError("kind")
        found = content["identity"]
    except Exception:  # whatever a damaged archive makes the reader raise
        raise InvalidInputError(
            f"`checkpoint` must be a whole file that a training wrote, got {str(file)!r}, which is damaged or foreign."
        ) from None
    if found != identity:
        raise InvalidInputError(
            f"`checkpoint` must belong to this training (data, recipe, network, seed and version of torch), got "
            f"{str(file)!r} of another one."
        )
    network.backbone.load_state_dict(content["backbone"])
    for name, head in network.heads.items():
        head.load_state_dict(content["heads"][name])
    descent.velocities = list(content["velocities"])
    history: list[list[float]] = content["history"]
    return history
