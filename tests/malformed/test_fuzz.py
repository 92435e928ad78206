"""One target per format: hypothesis changes a valid file, and shrinks what fails to a small one."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltheory.errors import DataWarning, MoltheoryError
from moltheory.evaluation import open_losses
from tests.malformed._bytes import ODD
from tests.malformed._mutations import Case, mutated, write_case
from tests.malformed._valid import specimens

_TARGETS = {specimen.name: specimen for specimen in specimens() if not specimen.side and "-" not in specimen.given}

_EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(st.sampled_from(ODD), st.binary(max_size=9))),
    min_size=1,
    max_size=4,
)
"""Where, how many bytes are taken away, and what takes their place."""


def _edited(content, edits):
    for where, length, new in edits:
        place = int(where * len(content))
        content = content[:place] + new + content[place + length :]
    return content


def _check(specimen, content, folder):
    write_case(Case(specimen, content), folder)
    paths = [folder / name for name in specimen.given]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        try:
            for losses, _ in open_losses(paths if len(paths) > 1 else paths[0], **specimen.options).blocks():
                assert losses.size
                assert not np.isinf(losses).any()
        except MoltheoryError as error:
            message = str(error)
        else:
            return
    assert message.startswith("`")
    assert message.endswith(".")
    assert message.isprintable()


def _target(specimen, folder, examples):
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), database=None)
    @given(edits=_EDITS, seed=st.integers(0, 2**32 - 1), layered=st.booleans())
    def target(edits, seed, layered):
        content = specimen.files[specimen.target]
        # A change inside what is packed, or of the bytes as they are.
        content = mutated(content, specimen.layers, np.random.default_rng(seed)) if layered else _edited(content, edits)
        if len(content) < 10**6:
            _check(specimen, content, folder)

    return target


@pytest.mark.parametrize("name", _TARGETS)
def test_a_changed_file_is_read_or_refused(name, tmp_path):
    _target(_TARGETS[name], tmp_path, 8)()


@pytest.mark.slow
@pytest.mark.parametrize("name", _TARGETS)
def test_many_changed_files_are_read_or_refused(name, tmp_path):
    _target(_TARGETS[name], tmp_path, 60)()
