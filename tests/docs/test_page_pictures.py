"""Pictures of pages come from the code above them, run once; formulas keep their subscripts beside accented letters."""

import importlib
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the docs extra is not installed")
EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    yield importlib.import_module
    for name in ("page_pictures", "mathml"):
        sys.modules.pop(name, None)


def test_blocks_run_once_and_the_last_one_is_drawn(extension):
    pictures = extension("page_pictures")
    page = (
        "```python\nruns = []\n\n\nclass Axes:\n"
        "    def _repr_png_(self):\n        return b'PNG', {'width': len(runs)}\n```\n"
        "% not run: no network\n\n```python\n1 / 0\n```\n"
        "```python\nruns.append(1)\nAxes()\n```\n"
    )
    blocks = [code for left_out, code in pictures._BLOCK.findall(page) if not left_out]
    session = pictures._Session(EXTENSIONS.parents[1])
    assert session.draw(blocks, "page") == (b"PNG", {"width": 1})
    assert session.draw([*blocks, "runs.append(2)\n[Axes(), Axes()]\n"], "page") == (b"PNG", {"width": 2})
    with pytest.raises(ZeroDivisionError):
        session.draw([*blocks, "runs", "1 / 0\n"], "page")


def test_subscripts_of_accented_letters_stand_beside_them(extension):
    from docutils.utils.math.latex2mathml import tex2mathml

    mathml = extension("mathml").subscripts_beside(tex2mathml(r"\hat L_i \le \sum_{j=1}^N \log C_j", as_block=False))
    flat = re.sub(r"\s+(?=<)", "", mathml)
    assert '<msub><mover accent="true"><mi>L</mi><mo stretchy="false">ˆ</mo></mover><mi>i</mi></msub>' in flat
    assert flat.count("<munderover") == 1  # the limits of the sum stay
