"""Numbers of benchmarks that pages quote are those of the last results."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CERTIFICATES = " ".join((_ROOT / "docs" / "explanation" / "certificates.md").read_text(encoding="utf-8").split())


def _results(name):
    return (_ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8")


def _of_peers(procedure):
    """Return one list per summary table: (runs with a false verdict, share of models settled) in per cent, by world."""
    rows = re.findall(rf"^\| {re.escape(procedure)} \|((?: [\d.]+ / [\d.]+ \|)+)", _results("peers.md"), re.MULTILINE)
    assert len(rows) == 2, "one objective and a price; two objectives"
    return [[tuple(map(float, cell.split("/"))) for cell in row.strip(" |").split("|")] for row in rows]


def _wrong(procedure):
    return [wrong for row in _of_peers(procedure) for wrong, _ in row]


def test_false_verdicts_of_the_bootstrap():
    wrong = _wrong("bootstrap fronts")
    assert f"a false verdict in {min(wrong):.0f}% to {max(wrong):.0f}% of the runs" in _CERTIFICATES
    assert f"`certify` had one in at most {max(_wrong('certify')):.1f}%" in _CERTIFICATES
    assert f"in {len(wrong) // 2} worlds" in _CERTIFICATES


def test_what_the_promise_costs():
    # The first world of the first table is the trade-off of one objective and a price.
    own, other = (_of_peers(name)[0][0][1] for name in ("certify", "bootstrap fronts"))
    assert f"decided {own:.0f}% of the models, the bootstrap {other:.0f}%" in _CERTIFICATES


def test_examples_saved_and_the_model_zoo():
    times = re.search(r"^\| trade-off \| 50 % \|.*?\| ([\d.]+) \| [\d.]+ \|$", _results("certify.md"), re.MULTILINE)
    assert f"took {float(times[1]):.0f} times fewer examples" in _CERTIFICATES
    digits = _results("model_zoo.md").partition("## Digits")[2]
    row = re.search(r"^\| error \| size \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", digits, re.MULTILINE)
    models, examples, front, sure, excluded = row.groups()
    assert f"Of {models} classifiers of digits, {excluded} were certainly not on the front" in _CERTIFICATES
    assert f"after {examples} test images, and none of the {front} on the empirical front" in _CERTIFICATES
    assert sure == "0"
