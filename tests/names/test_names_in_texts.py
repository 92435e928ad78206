"""Names of every kind in texts and on consoles: seen, never sent, never longer than what they name deserves."""

import io
import json
import string
import unicodedata
import warnings

import numpy as np
import pytest

import moltheory as mt
from moltheory._core._text import cut, few, named, quoted, visible
from moltheory.certification._format import directions_text
from moltheory.certification._text_front import PLAIN, RICH, front_lines
from moltheory.cli import main
from tests.names._hostile import KINDS, hostile_names

NAMES = hostile_names()
COST = "\x1b[31m=" + "c$" * 500

SHOWN = ["é", "Zoë", "模型", "שלום", "مرحبا", "\U0001f468\u200d\U0001f4bb", "क्षि", "1\ufe0f\u20e3", "ﷺ"]


def certificate_of(names, objectives=("error",), *, n=60, seed=5, **options):
    """Return a certificate of models with these names, some on the front, some not, some undecided."""
    rng = np.random.default_rng(seed)
    rates = np.linspace(0.05, 0.9, len(names))[:, None]
    losses = (rng.random((n, len(names), len(objectives))) < rates).astype(np.uint8)
    with warnings.catch_warnings():
        # Some names are those of metrics and folds.
        warnings.simplefilter("ignore", mt.errors.DataWarning)
        return mt.certify(losses, names=names, objectives=objectives, **options)


@pytest.fixture(scope="module")
def certificate():
    return certificate_of(NAMES, NAMES[:2], n=200, costs={COST: np.arange(500)})


def is_seen(text):
    """Whether no character moves a cursor, reverses the direction of writing or ends a line."""
    return not any(
        unicodedata.category(letter) in ("Cc", "Cs", "Co", "Zl", "Zp")
        or (unicodedata.category(letter) == "Cf" and letter not in "\u200c\u200d")
        for letter in text.replace("\n", "")
    )


def test_the_names_are_hostile_and_always_the_same():
    assert len(set(NAMES)) == 500
    assert hostile_names() == NAMES
    assert hostile_names(seed=18) != NAMES
    assert {name for names in KINDS.values() for name in names} <= set(NAMES)


def test_a_name_is_one_seen_line_of_limited_length():
    for name in NAMES:
        text = named(name)
        assert is_seen(text), ascii(name)
        assert 0 < len(text) <= 80
        assert "\n" not in text
        assert text == text.strip()
        assert named(text) == text
        assert visible(visible(name)) == visible(name)
        assert is_seen(visible(name))
        assert text.encode("utf-8")
        assert len(quoted(name)) <= 120


def test_different_names_stay_different_in_texts():
    long = ["a" * 500 + middle + "z" * 500 for middle in string.ascii_letters]
    assert len({named(name) for name in long}) == len(long)
    assert len({cut(name, 20, of=name) for name in long}) == len(long)
    for other in (" a", "a ", "a\xa0", "\u3000a", "a\u200d", "a\ufe0f", "a\u0301", "\u2800a"):
        assert named(other) != named("a"), ascii(other)
    assert few(["x" * 10_000]).endswith("xxx'")
    assert len(few(["x" * 10_000])) <= 120


@pytest.mark.parametrize(
    "text", ["é", "Zoë", "模型", "שלום", "مرحبا", "\U0001f468\u200d\U0001f4bb", "क्षि", "1\ufe0f\u20e3", "ﷺ"]
)
def test_letters_of_all_scripts_and_joined_emoji_stay(text):
    assert named(text) == text


def test_all_texts_of_a_certificate_are_seen(certificate):
    everything = [repr(certificate), str(certificate)]
    everything += [certificate.explain(h) for h in range(0, 500, 7)]
    everything += front_lines(certificate) + front_lines(certificate, PLAIN)
    one = certificate_of(NAMES[:40], [NAMES[1]])
    everything += [*front_lines(one, RICH), directions_text(certificate)]
    for text in everything:
        assert is_seen(text), ascii(text)
        assert len(text) < 5_000
        assert text.encode("utf-8")
    assert repr(certificate).count("\n") == 3
    assert all("\n" not in certificate.explain(h) for h in range(0, 500, 7))


def test_frames_and_json_keep_names_exactly(certificate):
    frame = certificate.to_frame()
    assert list(frame["model"]) == NAMES
    assert {*NAMES[:2], COST} <= set(frame.columns)
    assert {*certificate.plan(simulate=0)["model"]} <= set(NAMES)
    text = certificate.to_json()
    again = mt.Certificate.from_json(text)
    assert again == certificate
    assert again.names == tuple(NAMES)
    # Strict, and text that a file can hold.
    strict = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert strict["names"] == NAMES
    assert json.loads(text.encode("utf-8"))["objectives"] == [*NAMES[:2], COST]


def test_objectives_named_like_other_columns_lose_nothing():
    objectives = ("status", "a (low)", "a", "status (estimate)", "model")
    certificate = certificate_of(["x", "y"], objectives)
    frame = certificate.to_frame()
    assert frame.columns.is_unique
    assert frame.shape[1] == 9 + 3 * 5
    shown = [np.array_equal(frame[column], certificate.estimates[:, i]) for i in range(5) for column in frame.columns
             if frame[column].dtype == float]  # fmt: skip
    assert sum(shown) >= 5
    assert np.array_equal(frame["a"], certificate.estimates[:, 2])
    assert np.array_equal(frame["a (low)"], certificate.estimates[:, 1])
    assert np.array_equal(frame["a (low) (box)"], certificate.boxes[:, 2, 0])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_consoles_get_no_control_character(encoding, tmp_path, monkeypatch):
    """Every kind of name, as a file of losses holds it, printed by every option that prints."""
    # NumPy drops zeros at the ends of texts.
    names = [name for kind in KINDS.values() for name in kind[:4] if not name.endswith("\0")]
    rng = np.random.default_rng(3)
    losses = (rng.random((80, len(names), 2)) < np.linspace(0.1, 0.8, len(names))[:, None]).astype(np.uint8)
    np.savez(tmp_path / "losses.npz", losses=losses, models=np.array(names), objectives=np.array(["$\x1b[31m", "=1"]))
    monkeypatch.chdir(tmp_path)
    for options in (["--plan", "--draw"], ["--json"]):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in range(2))
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", err)
        status = main(["certify", "losses.npz", *options])
        printed, said = (stream.buffer.getvalue().decode(encoding) for stream in (out, err))
        assert status == 0, said
        assert is_seen(printed + said)
        assert max(map(len, said.split("\n"))) < 2_000
        if "--json" in options:
            assert mt.Certificate.from_json(printed).names == tuple(names)
        else:
            assert "tab\\there" in printed
            assert max(map(len, printed.split("\n"))) < 1_000
