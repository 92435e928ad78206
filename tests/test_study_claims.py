"""The claims of the case studies in README and documentation are those of the record of full runs, and nothing else."""

import json
import re
import sys
from pathlib import Path

import pytest

from moltheory.studies import get_study, study_names
from moltheory.studies._claims import NOT_TESTED, VERDICTS

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT / "benchmarks"))
import study_claims  # noqa: E402

_RECORDS = json.loads(study_claims.RECORD.read_text())


def test_pages_are_written_from_the_record():
    assert study_claims.PAGE.read_text() == study_claims.claims_page(_RECORDS)
    assert len(study_claims.QUOTED) == 2
    for page, (name, block) in study_claims.QUOTED.items():
        text = page.read_text()
        assert text == study_claims.with_block(text, name, block(_RECORDS))


def test_every_study_is_recorded_with_its_paper_of_today():
    assert list(dict.fromkeys(one["name"] for one in _RECORDS)) == list(study_names())
    for one in _RECORDS:
        assert one["paper"] == f"{get_study(one['name']).paper}."


@pytest.mark.parametrize("one", _RECORDS, ids=[f"{one['name']}-{one['setting'][6:12]}" for one in _RECORDS])
def test_claims_are_whole_on_real_images_and_in_time(one):
    verdicts = [claim["verdict"] for claim in one["claims"]]
    assert set(verdicts) <= set(VERDICTS)
    assert verdicts.count(NOT_TESTED) <= 1
    for claim in one["claims"]:
        assert (claim["found here"] == "–") == (claim["verdict"] == NOT_TESTED)
        assert claim["verdict"] == "agrees" or claim["why"] != "–"
    assert re.match(r"Data: (MNIST|CIFAR-10)", one["setting"])
    assert one["seconds"] <= 15 * 60


def test_lines_are_wrapped_and_verdicts_that_do_not_agree_are_in_full():
    base = {"the paper says": "A " + "word " * 40 + "(abstract)", "why": "–", "how it is checked": "Experiment: x"}
    claims = [
        {**base, "verdict": "agrees", "found here": "0.7"},
        {**base, "the paper says": "B (abstract)", "verdict": "differs", "found here": "0.5", "why": "Too small."},
        {**base, "the paper says": "C (section 5)", "verdict": NOT_TESTED, "found here": "–", "why": "A GPU is needed"},
    ]
    record = {"name": "one", "paper": "X, arXiv 2110.05365", "setting": "Data: MNIST (1 image).", "claims": claims}
    lines = study_claims.summary([record]).splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith(
        "* `one` ([2110.05365](https://arxiv.org/abs/2110.05365), MNIST): 1 of 3 claims agree. A word"
    )
    assert lines[-2] == "  * Differs: B. Found: 0.5. Reason: Too small."
    assert lines[-1] == "  * Not tested here: C (section 5). Reason: A GPU is needed."
    (short,) = study_claims.verdicts([record]).splitlines()
    counted = "1 of 3 claims agree, 1 differs, 1 not tested here"
    assert short == f"* `one` ([2110.05365](https://arxiv.org/abs/2110.05365), MNIST): {counted}"
