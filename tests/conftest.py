"""Shared fixtures."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("moltheory", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("moltheory")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20221)


@pytest.fixture
def refuses() -> Callable[..., str]:
    """Assert that a call is refused with one sentence that names the argument, and return the sentence."""
    from moltheory.errors import MoltheoryError

    def check(argument: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        with pytest.raises(MoltheoryError) as caught:
            function(*args, **kwargs)
        message = str(caught.value)
        assert message.startswith(f"`{argument}` "), message
        assert message.endswith("."), message
        assert "\n" not in message
        return message

    return check


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Handle signals as a process does that was started by hand; jobs in the background ignore some."""
    default = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in default.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
