"""Names in figures: as they are, in every format, without a warning, and with room left for what they name."""

import os
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from moltheory._core._text import named
from moltheory.certification._plot import certificate_image
from moltheory.certification._words import model_numbers
from moltheory.plotting import STYLE, name_text, panels
from tests.names._hostile import KINDS, hostile_names
from tests.names.test_names_in_texts import certificate_of

NAMES = hostile_names()
STARTS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


def _drawn(names, objectives, kinds=("png", "pdf", "svg")):
    certificate = certificate_of(names, objectives)
    for kind in kinds:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert certificate_image(certificate, kind).startswith(STARTS[kind])


@pytest.mark.parametrize(("n_objectives", "kind"), [(1, "png"), (2, "pdf"), (3, "svg")])
def test_names_of_all_kinds_are_drawn(n_objectives, kind):
    names = [name for names in KINDS.values() for name in names[:2] if name][: (0, 30, 12, 3)[n_objectives]]
    _drawn(names, names[-n_objectives:], kinds=[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_name_is_drawn(kind):
    names = [name for name in KINDS[kind] if name][:12]
    for k, objectives in enumerate([names[:1], names[:2], names[:3]]):
        _drawn(names, objectives, kinds=[("png", "pdf", "svg")[k]])


@pytest.mark.slow
@pytest.mark.parametrize("n_objectives", [1, 2, 3])
def test_all_names_are_drawn_in_all_formats(n_objectives):
    size = (0, 30, 12, 8)[n_objectives]
    step = size if os.environ.get("MOLTHEORY_FULL") else 10 * size
    for first in range(0, len(NAMES), step):
        names = NAMES[first : first + size]
        _drawn(names, [*NAMES[first + 1 :], *NAMES][:n_objectives])


@pytest.mark.parametrize("n_objectives", [1, 2, 3])
def test_texts_are_drawn_letter_by_letter_and_not_as_formulas(n_objectives):
    names = ["$x^2$", r"\frac{$a", "_hidden", "$$", "50%", "a_b^c", "{}", r"\$"]
    objectives = ["$y$", "_z", "%"][:n_objectives]
    certificate = certificate_of(names, objectives)
    # TeX, if a user wants it, never sees a name.
    with mpl.rc_context({"text.usetex": True}), mpl.rc_context(STYLE):
        figure, (ax,) = panels(1)
        certificate.plot(ax)
        figure.canvas.draw()
    drawn = list(ax.child_axes) or [ax]
    if n_objectives == 2:
        notes = " ".join(text.get_text() for text in ax.texts if text.get_gid() == "key")
        own = [text for text in ax.texts if text.get_gid() == "name"]
        found = {text.get_text() for text in own}
        numbers = model_numbers(certificate)
        matter = np.flatnonzero(~certificate.excluded)
        assert all(names[h] in found or f"{numbers[h]} = {names[h]}" in notes for h in matter)
        assert {text for text in found if not text.isdigit()} <= set(names)
    else:
        own = list(drawn[0].get_yticklabels())
        assert sorted(text.get_text() for text in own if text.get_fontweight() == "normal") == sorted(names)
    if n_objectives == 3:
        own += [column._left_title for column in drawn]
        assert [column.get_title("left") for column in drawn] == objectives
    legend = ax.get_legend()
    labels = [*(label for column in drawn for label in (column.xaxis.label, column.yaxis.label)), ax._left_title, *own]
    for text in [*labels, *(legend.get_texts() if legend else ())]:
        assert text._preprocess_math(text.get_text()) == (text.get_text(), False)
        assert not text.get_usetex()
    if n_objectives < 3:
        assert objectives[0] in ax.get_xlabel()


def test_axes_of_a_user_with_tex_get_names_as_they_are():
    with mpl.rc_context({"text.usetex": True}):
        ax = certificate_of(["$", "a_b"], ["%", "_"]).plot(Figure().subplots())
        texts = [ax.xaxis.label, ax.yaxis.label, ax._left_title, *ax.texts, *ax.get_legend().get_texts()]
        assert not [text for text in texts if text.get_text() and text.get_usetex()]


def test_what_the_font_does_not_have_is_an_escape():
    with mpl.rc_context(STYLE):
        for name in NAMES:
            text = name_text(name)
            assert text.encode("utf-8")
            assert "\n" not in text
            assert len(text) <= 40
        assert name_text("模型") == r"\u6a21\u578b"
        assert name_text("é σ ← שלום") == "é σ ← שלום"
        assert name_text("Llama-3.1-70B-Instruct") == "Llama-3.1-70B-Instruct"
        # The same digest as in texts.
        assert name_text("a" * 500).split("...")[1] == named("a" * 500).split("...")[1]


@pytest.mark.parametrize("n_objectives", [1, 2, 3])
@pytest.mark.parametrize("letter", ["W", "模", "$"])
def test_long_names_leave_room(letter, n_objectives):
    names, objectives = [letter * k for k in (9_999, 500, 100)], [letter * (200 + k) for k in range(n_objectives)]
    for width in (4.3, 7.6):
        figure = Figure(figsize=(width, 4.6), layout="constrained")
        ax = figure.subplots()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            certificate_of(names, objectives).plot(ax)
            FigureCanvasAgg(figure).draw()
        assert ax.get_position().width > 0.3
        assert ax.get_position().height > 0.5
        edges = figure.bbox
        for label in (ax.xaxis.label, ax.yaxis.label):
            if "#" in label.get_text():
                box = label.get_window_extent()
                assert box.x0 >= edges.x0 - 0.05 * edges.width
                assert box.x1 <= edges.x1 + 0.05 * edges.width
                assert box.y0 >= edges.y0 - 0.05 * edges.height
                assert box.y1 <= edges.y1 + 0.05 * edges.height
    assert np.isfinite(ax.get_xlim()).all()
