"""Malformed files of every format: read or refused with one sentence, at once, in little memory; nothing is left behind."""

import os
import re
import subprocess
import sys

import pytest

from moltheory.evaluation import readers
from tests.malformed import _run
from tests.malformed._mutations import described, malformed
from tests.malformed._planted import PLANTED
from tests.malformed._run import check
from tests.malformed._valid import specimens
from tests.malformed._whole import WHOLE

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are read from /proc")

_FULL = bool(os.environ.get("MOLTHEORY_FULL"))
_TURN = len(specimens())


def _none(faults):
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:10]])


@pytest.mark.slow
def test_one_malformed_file_of_each_format_and_some_more():
    _none(check(0, _TURN + 20))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20 if _FULL else 2))
def test_malformed_files(part):
    count = 1000 if _FULL else 520
    _none(check(1000 + part * count, count))


@pytest.mark.slow
def test_files_that_are_hostile_as_a_whole():
    _none(check(-len(WHOLE), len(WHOLE)))


def test_every_reader_has_a_specimen():
    known = {"csv": "csv wide", "jsonl": "jsonl wide", "parquet": "parquet wide", "numpy": "npy"}
    names = {specimen.name for specimen in specimens()}
    assert {known.get(reader.name, reader.name) for reader in readers()} <= names


def test_each_number_is_one_file():
    code = (
        "from tests.malformed._mutations import *; print(*[described(n, malformed(n)) for n in range(90)], sep='\\n')"
    )
    again = subprocess.run([sys.executable, "-c", code], cwd=_run._ROOT, capture_output=True, text=True, check=True)
    assert again.stdout.splitlines() == [described(number, malformed(number)) for number in range(90)]


@pytest.mark.slow
def test_the_check_finds_faults_of_every_kind():
    found = "\n".join(check(0, len(PLANTED), planted=True, seconds=1))
    for number, fault in enumerate(PLANTED):
        assert re.search(rf"^file {number} .*{fault}", found, re.MULTILINE), found
