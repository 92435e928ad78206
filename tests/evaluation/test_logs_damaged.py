"""Damaged logs of any format are refused with one sentence that names the file; no model vanishes."""

import json
import shutil
import warnings
import zipfile

import numpy as np
import pytest

from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation import open_losses
from tests.evaluation._log_files import SCORES, WRITERS, inspect, inspect_header, log_of

_RIGHT = np.ones((6, 3, 1), bool)
_TEXT = sorted(SCORES)


def _before_last_brace(text, more):
    head, _, tail = text.rpartition("}")
    return head + more + "}" + tail


_DAMAGES = {
    "empty": lambda text: "",
    "blank": lambda text: "\n \n",
    "truncated": lambda text: text[: 2 * len(text) // 3],
    "truncated by one sign": lambda text: text.rstrip()[:-1],
    "another root": lambda text: "[1, 2]\n",
    "a number": lambda text: "3\n",
    "null": lambda text: "null\n",
    "nested deeply": lambda text: _before_last_brace(text, ', "deep": ' + "[" * 100_000 + "]" * 100_000),
    "nested deeply from the start": lambda text: "[" * 100_000,
    "a key twice": lambda text: _before_last_brace(text, ', "twice": 1, "twice": 2'),
    "a huge number": lambda text: _before_last_brace(text, ', "huge": ' + "9" * 5000),
    "two documents": lambda text: text.rstrip() + text,
    "text after the end": lambda text: text.rstrip() + " {",
}


def _opened(folder):
    """The table, or the sentence that refuses it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            return open_losses(folder)
        except InvalidInputError as error:
            message = str(error)
    assert message.startswith("`")
    assert message.endswith(".")
    assert "\n" not in message
    return message


def _refused(folder, path=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        with pytest.raises(InvalidInputError) as caught:
            open_losses(folder, **options)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 700
    if path is not None:
        assert path.name in message
    return message


@pytest.mark.parametrize("format", _TEXT)
@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_file_is_refused_by_its_name(tmp_path, format, damage):
    WRITERS[format](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    if damage == "two documents" and format in ("lm-eval", "openai-evals"):
        pytest.skip("lines may follow each other")
    path.write_text(_DAMAGES[damage](path.read_text()))
    table = _opened(tmp_path)
    if isinstance(table, str):
        assert path.name in table
        return
    # What does not look like a log of this format is no log of this format: this is said.
    assert "m1" not in table.model_names
    assert any(path.name in note for note in table.notes)
    with pytest.warns(DataWarning, match=path.name):
        open_losses(tmp_path)
    _refused([log_of(tmp_path, "m0"), path])


@pytest.mark.parametrize("format", _TEXT)
def test_bytes_of_another_encoding_are_refused(tmp_path, format):
    WRITERS[format](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    path.write_bytes(_before_last_brace(path.read_text(), ', "x": "?"').encode().replace(b"?", b"\xe9"))
    _refused(tmp_path, path)


@pytest.mark.parametrize("format", _TEXT)
@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "NaN", "1e999", '"much"', "[1]", '{"a": "b"}', "null"])
def test_what_is_no_finite_number_is_refused_or_not_evaluated(tmp_path, format, value):
    WRITERS[format](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    score = SCORES[format]
    new = f"{score.rpartition(' ')[0]} {value}"
    path.write_text(path.read_text().replace(score, new, 1))
    if value in ("null", "NaN"):
        table = _opened(tmp_path)
        if isinstance(table, str):
            assert path.name in table
            return
        assert np.isnan(table.losses).sum() == 1
        assert np.isnan(table.losses[:, 1]).any()
    elif format == "inspect-json" and value.startswith("{"):
        # Scores by key are metrics of their own.
        with pytest.warns(DataWarning, match="'m1' has no 'match' for 1 example"):
            assert np.isnan(open_losses(tmp_path).losses).sum() == 1
    else:
        _refused(tmp_path, path)


@pytest.mark.parametrize("format", _TEXT)
@pytest.mark.parametrize("name", ["", "\\ud800"])
def test_names_of_models_must_be_names(tmp_path, format, name):
    WRITERS[format](tmp_path, _RIGHT)
    if format in ("lm-eval", "evalplus", "mlflow"):
        pytest.skip("the name is that of a folder or file")
    path = log_of(tmp_path, "m1")
    if format == "helm":
        path = path.with_name("run_spec.json")
    text = path.read_text()
    assert '"m1"' in text
    path.write_text(text.replace('"m1"', f'"{name}"'))
    if format == "deepeval" and not name:
        assert open_losses(tmp_path).model_names == ("m0", "test_run_m1", "m2")
    else:
        _refused(tmp_path, path if name else None)


@pytest.mark.parametrize("format", sorted(WRITERS))
def test_any_change_of_one_byte_is_read_or_refused(tmp_path, rng, format):
    WRITERS[format](tmp_path, np.ones((2, 2, 1), bool))
    path = log_of(tmp_path, "m1")
    content = path.read_bytes()
    for place in rng.integers(0, len(content), 40):
        changed = bytearray(content)
        changed[place] = rng.integers(256)
        path.write_bytes(bytes(changed))
        _opened(tmp_path)


@pytest.mark.parametrize("format", sorted(WRITERS))
@pytest.mark.parametrize("value", [3, "x", [], [3], {}, None, True, {"a": {"b": []}}])
def test_wrong_types_anywhere_are_read_or_refused(tmp_path, format, value):
    """Each field of a file in turn holds something else."""
    if format == "inspect":
        pytest.skip("the same fields as in JSON")
    WRITERS[format](tmp_path, np.ones((1, 2, 1), bool))
    paths = [log_of(tmp_path, "m1"), *(p for p in tmp_path.rglob("r*_*.json") if "m1" in str(p.relative_to(tmp_path)))]
    for path in paths:
        text = path.read_text()
        documents = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
        for changed in _variants(documents, value):
            path.write_text("\n".join(map(json.dumps, changed)))
            _opened(tmp_path)
        path.write_text(text)


def _variants(content, value):
    """Yield copies with one value below replaced."""
    for place in list(content) if isinstance(content, dict) else range(len(content)):
        kept = content[place]
        content[place] = value
        yield content
        content[place] = kept
        if isinstance(kept, dict | list):
            for _ in _variants(kept, value):
                yield content


def test_damaged_archives(tmp_path, refuses):
    inspect(tmp_path, _RIGHT)
    path = tmp_path / "m1.eval"
    content = path.read_bytes()
    start = content.index(b"samples/0_epoch_1.json") + len("samples/0_epoch_1.json")
    damaged = content[:start] + bytes(20) + content[start + 20 :]
    # Bit 0 of the flags in the central directory: encrypted.
    entry = content.index(b"PK\x01\x02")
    locked = content[: entry + 8] + b"\x01" + content[entry + 9 :]
    for bad, found in (
        (b"", "complete archive"),
        (content[:-40], "complete archive"),
        (damaged, "undamaged"),
        (locked, "password"),
    ):
        path.write_bytes(bad)
        assert found in _refused(tmp_path, path)
    path.write_bytes(b"PK")
    _refused(tmp_path, path)
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("other.txt", "")
    assert "without header.json" in _refused(tmp_path, path)
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("header.json", json.dumps(inspect_header("m1")))
    assert "got none in" in _refused(tmp_path, path)
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("header.json", "[" * 100_000)
    assert "too deep nesting in header.json" in _refused(tmp_path, path)
    path.unlink()
    (tmp_path / "m1.eval").mkdir()
    assert open_losses(tmp_path).model_names == ("m0", "m2")


def test_a_run_without_its_specification_is_refused(tmp_path):
    WRITERS["helm"](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1").with_name("run_spec.json")
    path.unlink()
    _refused(tmp_path, path)


@pytest.mark.parametrize("format", sorted(WRITERS))
def test_the_same_log_twice_is_refused_or_said(tmp_path, format):
    WRITERS[format](tmp_path / "runs", _RIGHT)
    source = log_of(tmp_path / "runs", "m1")
    if format in ("lm-eval", "helm", "evalplus", "mlflow"):
        shutil.copytree(source.parent, tmp_path / "copy" / source.parent.name)
    else:
        shutil.copy(source, source.with_name(f"copy_{source.name}"))
    if format == "lm-eval":
        # Another folder may be another setting; the name says so.
        assert open_losses(tmp_path).model_names == ("copy/m1", "m0", "runs/m1", "m2")
    else:
        _refused(tmp_path)


@pytest.mark.parametrize("depth", [300, 700, 900, 950, 980, 990, 1000, 3000])
@pytest.mark.parametrize("format", ["inspect-json", "promptfoo", "deepeval", "mlflow"])
def test_nesting_that_the_parser_still_reads(tmp_path, format, depth):
    """What identifies an example is written again, which may fail where parsing did not."""
    WRITERS[format](tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    path.write_text(path.read_text().replace('"question 0"', "[" * depth + "]" * depth))
    table = _opened(tmp_path)
    assert not isinstance(table, str) or "\n" not in table
