"""Logs that attack: what is no file, sizes that lie, archives that grow, values of any depth; one sentence each, at once."""

import json
import os
import socket
import struct
import zipfile

import numpy as np
import pytest

from moltheory.errors import InvalidInputError, MoltheoryError, TooLargeError
from moltheory.evaluation import from_harness_logs, open_losses
from tests.evaluation._log_files import WRITERS, inspect, inspect_header, inspect_sample, log_of

_RIGHT = np.arange(24).reshape(8, 3, 1) % 3 < 2
_DEEP = ["[" * n + "]" * n for n in (800, 950, 985)] + ['{"a":' * 900 + "1" + "}" * 900]


def _sentence(*paths, **options):
    with pytest.raises(MoltheoryError) as caught:
        open_losses(paths[0] if len(paths) == 1 else list(paths), **options)
    message = str(caught.value)
    assert message.startswith("`")
    assert message.endswith(".")
    assert message.isprintable()
    assert len(message) <= 1500
    return message


def _pipe(path):
    os.mkfifo(path)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        # Names of sockets must be short.
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


SPECIAL = {
    "a pipe": _pipe,
    "a socket": _socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "No such file": lambda path: path.symlink_to(path.parent / "nothing"),
    "symbolic links": lambda path: path.symlink_to(path),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("format", sorted(WRITERS))
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, format, kind):
    WRITERS[format](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    path.unlink()
    SPECIAL[kind](path)
    message = _sentence(tmp_path)
    assert kind in message
    assert path.name in message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("lm-eval", "m1/results_2026-03-01T10-00-00.000000.json"),
        ("helm", "mmlu:subject=law,model=org_m1/run_spec.json"),
    ],
)
def test_files_beside_the_logs_are_not_waited_for(tmp_path, format, name):
    WRITERS[format](tmp_path, _RIGHT)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    assert "a pipe" in _sentence(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_among_the_logs_of_a_harness(tmp_path):
    WRITERS["lm-eval"](tmp_path, _RIGHT)
    os.mkfifo(tmp_path / "samples_other.jsonl")
    with pytest.raises(InvalidInputError, match="a pipe"):
        from_harness_logs(tmp_path, metrics=["acc"])


def test_links_to_folders_above_are_not_entered(tmp_path):
    inspect(tmp_path / "runs", _RIGHT)
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs", target_is_directory=True)
    assert open_losses(tmp_path).losses.shape == (8, 3, 1)


def test_a_folder_that_cannot_be_read_is_not_left_out(tmp_path, monkeypatch):
    inspect(tmp_path, _RIGHT)
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def closed(path="."):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert "Permission denied for" in _sentence(tmp_path)


def _archive(path, sample, *, kind=zipfile.ZIP_DEFLATED, name="samples/0_epoch_1.json"):
    with zipfile.ZipFile(path, "w", kind, compresslevel=1) as opened:
        opened.writestr("header.json", json.dumps(inspect_header("m")))
        opened.writestr(name, sample)
    return path


def _patched(path, *changes):
    """Change fields of the last entry: (offset in the directory, offset in the local header, format, value)."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    local = struct.unpack_from("<I", content, entry + 42)[0]
    for there, own, form, value in changes:
        struct.pack_into(form, content, entry + there, value)
        struct.pack_into(form, content, local + own, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("form", [b" " * 64, b"[[],[],[],[]],", b"[" * 64])
def test_a_document_that_only_fills_memory_is_refused_before_it_is_unpacked(tmp_path, form):
    path = _archive(tmp_path / "m.eval", form * (2**26 // len(form)))
    assert path.stat().st_size < 10**6
    with pytest.raises(TooLargeError, match=r"times their (packed )?size"):
        open_losses(path)


def test_an_archive_that_grows_in_all(tmp_path):
    path = tmp_path / "m.eval"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("header.json", json.dumps(inspect_header("m")))
        for number in range(40):
            opened.writestr(f"samples/{number}_epoch_1.json", "{}")
    content = bytearray(path.read_bytes())
    place = -1
    while (place := content.find(b"PK\x01\x02", place + 1)) >= 0:
        struct.pack_into("<I", content, place + 24, 2**25)
    path.write_bytes(content)
    with pytest.raises(TooLargeError, match="times their packed size"):
        open_losses(path)


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize(
    "changes",
    [
        [(8, 6, "<H", 1)],
        [(8, 6, "<H", 0x41)],
        *([(10, 8, "<H", code)] for code in (1, 6, 9, 93, 95, 99, 65535)),
        [(16, 14, "<I", 1)],
        *([(24, 22, "<I", size)] for size in (0, 1, 2**25 - 1, 6 * 2**29, 2**32 - 1)),
        *([(20, 18, "<I", size)] for size in (0, 1, 2**31, 2**32 - 1)),
    ],
    ids=str,
)
def test_headers_of_archives_that_lie(tmp_path, kind, changes):
    path = _archive(
        tmp_path / "m.eval", json.dumps(inspect_sample(0, 1, {"match": "C"}) | {"x": "abc" * 90}), kind=kind
    )
    assert "m.eval" in _sentence(_patched(path, *changes))


def test_damaged_members_of_any_compression(tmp_path, rng):
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        sample = json.dumps(inspect_sample(0, 1, {"match": "C"}) | {"x": str(rng.bytes(500))})
        path = _archive(tmp_path / "m.eval", sample, kind=kind)
        good = path.read_bytes()
        start = good.index(b"samples/0_epoch_1.json") + 22
        for place in rng.integers(start, start + 400, 20):
            changed = bytearray(good)
            changed[place] ^= 0x55
            path.write_bytes(changed)
            assert "m.eval" in _sentence(path)


@pytest.mark.parametrize("name", ["samples/../../evil.json", "../evil.json", "/tmp/evil.json", "samples/..\\evil.json"])
def test_paths_in_archives_stay_inside(tmp_path, name):
    """Nothing is extracted: names only tell which members are samples."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for model in ("a", "b"):
        with zipfile.ZipFile(folder / f"{model}.eval", "w") as opened:
            opened.writestr("header.json", json.dumps(inspect_header(model)))
            opened.writestr("samples/0_epoch_1.json", json.dumps(inspect_sample(0, 1, {"match": "C"})))
            opened.writestr(name, json.dumps(inspect_sample(1, 1, {"match": "I"})))
    before = sorted(tmp_path.rglob("*"))
    open_losses(folder)
    assert sorted(tmp_path.rglob("*")) == before


def _sparse(path, size, start=b""):
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)


@pytest.mark.parametrize(
    ("format", "size"), [("promptfoo", 2**40), ("promptfoo", 2**30), ("helm", 2**30), ("mlflow", 2**29)]
)
def test_large_files_of_nothing_are_refused_before_they_are_read(tmp_path, format, size):
    WRITERS[format](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    _sparse(path, size, path.read_bytes()[:300])
    assert path.name in _sentence(tmp_path)


@pytest.mark.parametrize("format", ["lm-eval"])
def test_a_line_without_an_end_is_refused_at_a_limit(tmp_path, format):
    WRITERS[format](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    _sparse(path, 2**33, path.read_bytes().rstrip())
    with pytest.raises(TooLargeError, match="lines of at most"):
        open_losses(tmp_path)


@pytest.mark.parametrize("format", sorted(WRITERS.keys() - {"inspect"}))
def test_values_of_any_depth_anywhere(tmp_path, format):
    """Where values are compared, written or shown, and not only where they are parsed."""
    WRITERS[format](tmp_path, np.ones((1, 2, 1), bool))
    for path in [log_of(tmp_path, "m1"), *tmp_path.rglob("r*_*.json")]:
        text = path.read_text()
        rows = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
        for number, changed in enumerate(_marked(rows)):
            path.write_text("\n".join(map(json.dumps, changed)).replace('"@"', _DEEP[number % len(_DEEP)]))
            _read_or_refused(tmp_path)
        path.write_text(text)


def _marked(content):
    for place in list(content) if isinstance(content, dict) else range(len(content)):
        kept = content[place]
        content[place] = "@"
        yield content
        content[place] = kept
        if isinstance(kept, dict | list):
            for _ in _marked(kept):
                yield content


def _read_or_refused(path):
    message = ""
    try:
        open_losses(path)
    except MoltheoryError as error:
        message = str(error)
    assert message.isprintable()


def test_a_key_twice_among_very_many(tmp_path):
    WRITERS["promptfoo"](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    keys = ", ".join(f'"k{number}": 0' for number in [*range(200_000), 199_999])
    path.write_text(path.read_text().rstrip()[:-1] + f', "more": {{{keys}}}}}')
    assert "the key 'k199999' twice" in _sentence(tmp_path)


def test_many_metrics_and_long_names(tmp_path):
    """The time grows with the number of values, and with the length of names."""
    names = [f"metric {number}" for number in range(3000)] + ["_" * 100_000 + "x"]
    for m in range(2):
        rows = [{"doc_id": i, "metrics": names} | {name: float(m) for name in names} for i in range(3)]
        (tmp_path / f"m{m}").mkdir()
        (tmp_path / f"m{m}" / "samples_arc.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert open_losses(tmp_path, objectives=names, maximise=names).losses.shape == (3, 2, 3001)
    assert "must say whether larger is better" in _sentence(tmp_path, objectives=names[-1:])


@pytest.mark.parametrize("name", ["m\n1", "m\x1b[31m1", "m\u202e1", "m1" + "x" * 200])
@pytest.mark.parametrize("format", ["helm", "mlflow", "lm-eval", "evalplus"])
def test_names_of_files_in_messages_are_visible(tmp_path, format, name):
    folder = tmp_path / name
    WRITERS[format](folder, _RIGHT)
    log_of(folder, "m2").write_text("{" if format != "helm" else "[")
    _read_or_refused(tmp_path)
    _sentence(folder)


def test_old_results_of_evalplus_of_other_types(tmp_path):
    for plus in (3, "pass", [3], [[]], {"a": 1}):
        path = tmp_path / "m_eval_results.json"
        path.write_text(json.dumps({"eval": {"HumanEval/0": {"base": [["pass", []]], "plus": plus}}}))
        assert "must hold" in _sentence(tmp_path)


def test_hyperparameters_of_deepeval_of_other_types(tmp_path):
    WRITERS["deepeval"](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    content = json.loads(path.read_text())
    content["hyperparameters"] = [{"name": [], "value": 1}, {"name": {}}, 3, {"name": "model", "value": "m1"}]
    path.write_text(json.dumps(content))
    assert open_losses(tmp_path).model_names == ("m0", "m1", "m2")
