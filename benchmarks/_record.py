"""Records of benchmarks: JSON with all numbers, and the same for readers in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._processor import is_busy
from ._protocol import Benchmark

__all__ = ["as_markdown", "read", "write"]


def read(folder: Path, name: str) -> dict[str, Any]:
    """Return the record of a benchmark; one without parts if there is none."""
    path = folder / f"{name}.json"
    if not path.exists():
        return {"name": name, "parts": {}}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(folder: Path, benchmark: Benchmark, parts: dict[str, Any], budget: str) -> None:
    """Write the record, in the order of the benchmark's parts, as JSON and Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    order = ["summary", *benchmark.parts]
    names = sorted(parts, key=lambda name: order.index(name.partition(" @ ")[0]))
    record = {
        "name": benchmark.name,
        "title": benchmark.title,
        "compares": benchmark.compares,
        "budget": budget,
        "parts": {name: parts[name] for name in names},
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    for path, content in ((f"{benchmark.name}.json", text + "\n"), (f"{benchmark.name}.md", as_markdown(record))):
        part = folder / f".{path}.part"  # a run that is killed leaves a whole record
        part.write_text(content, encoding="utf-8")
        part.replace(folder / path)


def as_markdown(record: dict[str, Any]) -> str:
    """Return a record for readers."""
    lines = [f"# {record['title']}", "", record["compares"]]
    if record["budget"] != "full":
        lines += ["", f"Sizes of the budget {record['budget']}: a look, not a result."]
    said = ""
    for name, part in record["parts"].items():
        part_name, _, processor = name.partition(" @ ")
        lines += ["", f"## {part_name[0].upper()}{part_name[1:]}" + (f", processor {processor}" if processor else "")]
        conditions = " ".join(_conditions(part["conditions"]))
        if conditions != said:
            lines += ["", conditions]
        said = conditions
        for table in part["tables"]:
            lines += [*(["", f"### {table['title']}"] if table["title"] else []), *_table(table)]
    return "\n".join(lines) + "\n"


def _table(table: dict[str, Any]) -> Iterator[str]:
    if table["rows"]:
        yield from ("", f"| {' | '.join(table['columns'])} |", "|" + " --- |" * len(table["columns"]))
        for row in table["rows"]:
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    for note in table["notes"]:
        yield from ("", note)


def _conditions(found: dict[str, Any]) -> Iterator[str]:
    """Yield sentences on what a part ran on."""
    commit = f", commit {found['commit']}" if found["commit"] else ""
    yield f"Measured {found['date']}{commit}."
    missing = [name for name, one in found["versions"].items() if one == "missing"]
    yield ", ".join(f"{name} {one}" for name, one in found["versions"].items() if one != "missing") + "."
    yield f"{found['processor']}; threads: {found['threads']}, cores: {found['cores'] or 'not recorded'}."
    if found.get("earlier"):
        yield "By an earlier version of this benchmark, times without spread."
    if missing:
        yield f"Not installed, so not compared: {', '.join(missing)}."
    if found["load before"] is None and found["load after"] is None:
        yield "The load of the machine was not recorded."
    else:
        yield f"Load {found['load before']} before and {found['load after']} after."
        if is_busy(found):
            yield "**The machine was busy with other programs: ratios say more than times.**"
