"""Inputs of any size, the same at every call."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["bits", "floats", "folder", "front", "long_frame", "names", "normals", "world"]


def floats(*shape: int, seed: int = 0) -> Any:
    """Draw numbers, uniform on [0, 1)."""
    return np.random.default_rng(seed).random(shape)


def normals(*shape: int, seed: int = 0) -> Any:
    """Draw standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def bits(*shape: int, rate: float = 0.2, seed: int = 0) -> Any:
    """Draw 0/1 losses."""
    return np.random.default_rng(seed).random(shape, dtype=np.float32) < rate


def front(n: int, m: int) -> Any:
    """Draw n points on a convex front, none of which dominates another: the positive part of a sphere, from below."""
    raw = np.abs(normals(n, m)) + 1e-3
    return 1.0 - raw / np.linalg.norm(raw, axis=1, keepdims=True)


def names(n: int, stem: str = "model") -> list[str]:
    """Return n different names."""
    return [f"{stem}_{i}" for i in range(n)]


def world(outcomes: int, hypotheses: int, objectives: int = 2) -> Any:
    """Return a finite population with random 0/1 losses."""
    from moltheory.problems import FiniteWorld

    losses = bits(outcomes, hypotheses, objectives, rate=0.4).astype(int)
    losses[0], losses[-1] = 0, 1  # no objective is the same for all outcomes
    from fractions import Fraction

    return FiniteWorld([Fraction(1, outcomes)] * outcomes, losses)


def folder() -> Path:
    """Return a new folder, removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="growth"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def long_frame(rows: int, models: int = 4) -> Any:
    """Return a long table of losses of some models."""
    import pandas as pd

    example = np.arange(rows) // models
    return pd.DataFrame(
        {
            "model": np.array(names(models))[np.arange(rows) % models],
            "example": [f"x{i}" for i in example],
            "loss": floats(rows),
        }
    )
