"""Warnings at the line of the user that called the package, however deep they arise."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

__all__ = ["warn_outside"]


def warn_outside(sentence: str, category: type[Warning]) -> None:
    """Warn at the line outside of the package that called it; the sentence gets its full stop here."""
    package = f"{Path(__file__).parents[1]}{os.sep}"
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    warnings.warn(f"{sentence.removesuffix('.')}.", category, stacklevel=level)
