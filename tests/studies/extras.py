"""What the tests of several studies share: torch is an optional extra."""

from importlib.util import find_spec

import pytest

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is an optional extra: pip install torch")
