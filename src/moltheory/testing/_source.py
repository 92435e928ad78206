"""Check that a source of losses is what `certify` takes it for."""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory.testing._errors import ContractError

__all__ = ["check_source"]


def check_source(source: Any, /, *, loss_range: tuple[float, float] | None = None) -> None:
    """Raise an error that names what is wrong with a source of losses, if something is.

    A source has ``model_names`` and ``objective_names``, distinct texts; ``blocks()``, which starts from the beginning
    at every call and yields pairs of losses ``(b, M, N)``, real numbers with NaN for "not evaluated", and None or
    cluster codes ``(b,)``, where the rows of a cluster follow one another in one block; and, if it says so,
    ``has_clusters``. It may bring ``costs`` ``(M, k)`` with ``cost_names``, ``maximise`` and ``loss_range``. A
    `moltheory.evaluation.LossSource` is a class to start from, but any object that keeps this will do.

    Parameters
    ----------
    source : object
    loss_range : (float, float), optional
        If given, losses must lie in it.

    Raises
    ------
    ContractError
        If the contract is broken.

    Notes
    -----
    Complexity: one pass over the losses, block by block.

    Examples
    --------
    >>> from moltheory.evaluation import LossTable
    >>> check_source(LossTable(np.zeros((5, 2, 1)), ["a", "b"], ["error"]))
    """
    kind = type(source).__name__
    names = {}
    for attribute in ("model_names", "objective_names"):
        found = getattr(source, attribute, None)
        if found is None or isinstance(found, str):
            raise ContractError(f"{kind}.{attribute} must be a sequence of names, got {found!r}")
        names[attribute] = tuple(found)
        if not all(isinstance(name, str) and name for name in found) or len(set(found)) < len(found):
            raise ContractError(f"{kind}.{attribute} must be distinct non-empty texts, got {found!r}")
    if not callable(getattr(source, "blocks", None)):
        raise ContractError(f"{kind}.blocks must be a method that yields blocks of losses")
    shape = len(names["model_names"]), len(names["objective_names"])
    first = _read(source, kind, shape, loss_range)
    again = _read(source, kind, shape, loss_range)
    if not _same(first, again):
        raise ContractError(f"{kind}.blocks must yield the same losses at every call, from the beginning")
    if not any(losses.shape[0] for losses, _ in first):
        raise ContractError(f"{kind}.blocks must yield at least one example")
    clustered = any(codes is not None for _, codes in first)
    if clustered and not getattr(source, "has_clusters", True):
        raise ContractError(f"{kind}.has_clusters is False, but blocks come with clusters")
    _check_brought(source, kind, *shape)


def _read(source: Any, kind: str, shape: tuple[int, int], loss_range: tuple[float, float] | None) -> list[Any]:
    blocks = []
    ended: set[Any] = set()
    for block in source.blocks():
        if not isinstance(block, tuple) or len(block) != 2:
            raise ContractError(
                f"{kind}.blocks must yield pairs (losses, clusters or None), got {type(block).__name__}"
            )
        losses, codes = np.asarray(block[0]), block[1]
        if losses.ndim != 3 or losses.shape[1:] != shape:
            raise ContractError(
                f"{kind}.blocks must yield losses (b, {shape[0]}, {shape[1]}), got shape {losses.shape}"
            )
        if losses.dtype.kind not in "biuf":
            raise ContractError(f"{kind}.blocks must yield real numbers, got dtype {losses.dtype}")
        if losses.dtype.kind == "f" and np.isinf(losses).any():
            raise ContractError(f"{kind}.blocks must yield finite losses, or NaN where not evaluated, got an infinity")
        if loss_range is not None:
            outside = (losses < loss_range[0]) | (losses > loss_range[1])
            if outside.any():
                raise ContractError(f"{kind}.blocks must yield losses in {loss_range}, got {losses[outside][0]:g}")
        if codes is not None:
            codes = np.asarray(codes)
            if codes.shape != losses.shape[:1]:
                raise ContractError(
                    f"{kind}.blocks must yield one cluster code per example, ({losses.shape[0]},), got {codes.shape}"
                )
            runs = codes[np.concatenate([[True], codes[1:] != codes[:-1]])].tolist() if codes.size else []
            if len(set(runs)) < len(runs) or ended & set(runs):
                raise ContractError(f"{kind}.blocks must yield the rows of a cluster together and in one block")
            ended |= set(runs)
        blocks.append((losses.copy(), codes))
    return blocks


def _same(first: list[Any], again: list[Any]) -> bool:
    if len(first) != len(again):
        return False
    return all(
        a.dtype == b.dtype
        and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        and (p is None) == (q is None)
        and (p is None or np.array_equal(p, q))
        for (a, p), (b, q) in zip(first, again, strict=True)
    )


def _check_brought(source: Any, kind: str, n_models: int, n_objectives: int) -> None:
    costs = getattr(source, "costs", None)
    if costs is not None:
        table, labels = np.asarray(costs), tuple(getattr(source, "cost_names", ()))
        if table.ndim != 2 or table.shape != (n_models, len(labels)) or not np.isfinite(table).all():
            raise ContractError(f"{kind}.costs must be finite, ({n_models}, k), with k cost_names, got {table.shape}")
    flags = getattr(source, "maximise", None)
    if flags is not None and np.asarray(flags).shape not in ((), (n_objectives,)):
        raise ContractError(f"{kind}.maximise must be a bool or {n_objectives} of them, got {flags!r}")
