"""The claims of all case studies, from full runs on real images: docs/studies.md, and what other pages quote of it.

Run ``python benchmarks/study_claims.py --data FOLDER`` from the root of the repository, with a folder that holds MNIST and
CIFAR-10 in subfolders; ``--only NAME`` runs one study and keeps the others. ``--from FILE`` takes what
``moltheory study NAME --data FOLDER --json`` printed instead of running it. With nothing, the texts are written again
from benchmarks/results/study_claims.json.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RECORD = Path(__file__).parent / "results" / "study_claims.json"
PAGE = ROOT / "docs" / "studies.md"
_WIDTH = 120


def claims_page(records: list[dict[str, Any]]) -> str:
    """Return docs/studies.md: a table of claims for each paper."""
    parts = [
        "# Case studies, claim by claim\n",
        "What the papers say, and what full runs on real images found; written by `benchmarks/study_claims.py`. Intervals",
        "are over seeds where seeds are named; those of counts take the runs as independent. The rule of each verdict is in",
        "the last column; where a setting or a rule was changed after an exploratory run, the row or a finding says so.",
        "",
    ]
    for one in records:
        parts += [
            f"## {one['name']}, {_images(one)}\n",
            f"{_linked(one['paper'])}\n",
            f"{one['setting']} {one['seconds']:,.0f} seconds.\n",
        ]
        head = list(one["claims"][0])
        parts += [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
        parts += [f"| {' | '.join(_cell(claim[name]) for name in head)} |" for claim in one["claims"]]
        parts += ["", *(f"* {_cell(finding)}" for finding in one["findings"]), ""]
    return "\n".join(parts).rstrip() + "\n"


def verdicts(records: list[dict[str, Any]]) -> str:
    """Return the list in README.md: how many claims of each paper agree."""
    lines = []
    for one in records:
        found = [claim["verdict"] for claim in one["claims"]]
        others = ", ".join(
            f"{found.count(name)} {'differ' if name == 'differs' and found.count(name) > 1 else name}"
            for name in dict.fromkeys(found)
            if name != "agrees"
        )
        counts = f"{found.count('agrees')} of {len(found)} claims agree" + (f", {others}" if others else "")
        lines.append(f"* `{one['name']}` ({_short_link(one['paper'])}, {_images(one)}): {counts}")
    return "\n".join(lines)


def summary(records: list[dict[str, Any]]) -> str:
    """Return the list of a page: how many claims agree, an experiment, every claim that does not, and why."""
    lines = []
    for one in records:
        found = [claim["verdict"] for claim in one["claims"]]
        counts = f"{found.count('agrees')} of {len(found)} claims agree"
        images = _images(one)
        link = _short_link(one["paper"])
        shown = next((c for c in one["claims"] if c["how it is checked"].startswith("Experiment")), one["claims"][0])
        first = f"{_plain(shown['the paper says'])}: {shown['found here']}." if shown["verdict"] == "agrees" else ""
        lines += _wrapped(f"* `{one['name']}` ({link}, {images}): {counts}. {first}".rstrip(), "  ")
        for claim in one["claims"]:
            if claim["verdict"] != "agrees":
                seen = "" if claim["found here"] == "–" else f" Found: {claim['found here']}."
                says = f"{claim['verdict'].capitalize()}: {_plain(claim['the paper says'])}."
                lines += _wrapped(f"  * {says}{seen} Reason: {claim['why']}.", "    ")
    return "\n".join(re.sub(r"\.\.(?=\s|$)", ".", line) for line in lines)


# Pages that quote the record: the text between two marks, and what writes it.
QUOTED = {
    ROOT / "README.md": ("verdicts", verdicts),
    ROOT / "docs" / "howto" / "case_studies.md": ("claims", summary),
}


def with_block(text: str, name: str, block: str) -> str:
    """Return a page with a block between its two marks."""
    start, end = f"<!-- {name}: written by benchmarks/study_claims.py -->", f"<!-- end of {name} -->"
    head, rest = text.split(start)
    return f"{head}{start}\n{block}\n{end}{rest.split(end)[1]}"


def _images(one: dict[str, Any]) -> str:
    name: str = one["setting"].split(" (")[0].removeprefix("Data: ")
    return name


def _short_link(paper: str) -> str:
    number = re.search(r"arXiv (\d{4}\.\d{5})", paper)
    return f"[{number.group(1)}](https://arxiv.org/abs/{number.group(1)})" if number else paper


def _plain(text: str) -> str:
    """The claim without its full stop, and without its place where that is the abstract."""
    return re.sub(r"\. \(", " (", re.sub(r" \(abstract.*\)$", "", text)).rstrip(".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _linked(text: str) -> str:
    return re.sub(r"arXiv (\d{4}\.\d{5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def _wrapped(text: str, indent: str) -> list[str]:
    start = " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(text.lstrip(), _WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False)


def _run(name: str, data: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "moltheory", "study", name, "--data", data, "--json", "--out", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with MNIST and CIFAR-10 in subfolders")
    parser.add_argument("--only", action="append", help="name of a study; may be repeated")
    parser.add_argument("--from", dest="files", nargs="+", help="outputs of the command, instead of running it")
    options = parser.parse_args()
    from moltheory.studies import study_names

    kept = {(one["name"], _images(one)): one for one in json.loads(RECORD.read_text())} if RECORD.exists() else {}
    if options.files:
        found = [json.loads(Path(file).read_text()) for file in options.files]
    elif options.data:
        found = [_run(name, options.data) for name in options.only or study_names()]
    else:
        found = []
    names = ("name", "paper", "setting", "seconds", "claims", "findings")
    kept |= {(one["name"], _images(one)): {name: one[name] for name in names} for one in found}
    order = {name: place for place, name in enumerate(study_names())}
    # The paper's first set of images before others.
    records = sorted(kept.values(), key=lambda one: order[one["name"]])
    RECORD.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(claims_page(records))
    for page, (name, block) in QUOTED.items():
        page.write_text(with_block(page.read_text(), name, block(records)))


if __name__ == "__main__":
    main()
