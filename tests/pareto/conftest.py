from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt
import pytest


@pytest.fixture
def unchanged() -> Any:
    """Return a marker of inputs: they become read-only, and after the test must hold the same bytes."""
    seen: list[tuple[npt.NDArray[Any], bytes]] = []

    def mark(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        seen.append((array, array.tobytes()))
        array.flags.writeable = False
        return array

    marker: Callable[[npt.NDArray[Any]], npt.NDArray[Any]] = mark
    yield marker
    for array, content in seen:
        assert array.tobytes() == content
