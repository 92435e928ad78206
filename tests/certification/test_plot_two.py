"""Two objectives: every model is seen, names hide nothing, numbers are those of the tables, axes say what is better."""

import itertools
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex

import moltheory as mt
from moltheory.certification._plot import draw_certificate
from moltheory.certification._words import model_numbers, verdict_words
from moltheory.plotting import COLORS, DARK_COLORS, new_axes, panels, styled
from tests.certification._pictures import certificate_of_points, marks, spread


@pytest.fixture(scope="module")
def thirty():
    estimates, status = spread(30, 2, seed=3)
    return certificate_of_points(estimates, status=status)


@pytest.fixture(scope="module")
def drawn(thirty):
    ax = thirty.plot()
    ax.figure.draw_without_rendering()
    return ax


def texts(ax):
    return [text for text in ax.texts if text.get_gid() == "name"]


def test_every_model_is_a_mark_inside_the_panel(thirty, drawn):
    for status in ("sure", "undecided", "excluded"):
        rows = thirty.estimates[getattr(thirty, status)]
        assert marks(drawn, status) == sorted(map(tuple, rows.tolist()))
    (left, right), (bottom, top) = drawn.get_xlim(), drawn.get_ylim()
    for x, y in marks(drawn):
        assert left < x < right
        assert bottom < y < top


def test_verdicts_differ_in_color_and_in_shape():
    three = certificate_of_points([[0.1, 0.9], [0.5, 0.4], [0.9, 0.8]], status=["sure", "undecided", "excluded"])
    for theme, colors in (("light", COLORS), ("dark", DARK_COLORS)):
        ax = three.plot(theme=theme)
        looks = {
            str(line.get_gid()).split("-")[0]: (to_hex(line.get_color()), line.get_marker())
            for line in ax.lines
            if re.match(r"(sure|undecided|excluded)-", str(line.get_gid()))
        }
        assert looks == {
            "sure": (colors["coverage"].lower(), "o"),
            "undecided": (colors["purity"].lower(), "s"),
            "excluded": (colors["bound"].lower(), "x"),
        }


def test_ends_of_intervals_are_seen_where_the_front_runs_over_them(drawn, thirty):
    (front,) = [line for line in drawn.lines if line.get_gid() == "front"]
    ends = [line for line in drawn.lines if line.get_marker() in ("|", "_")]
    assert {line.get_marker() for line in ends} == {"|", "_"}
    assert all(line.get_zorder() > front.get_zorder() for line in ends)
    for marker, axis in (("|", 0), ("_", 1)):
        shown = np.concatenate([line.get_xydata()[:, axis] for line in ends if line.get_marker() == marker])
        np.testing.assert_allclose(np.sort(shown), np.sort(thirty.boxes[:, axis].ravel()))


def test_the_key_says_the_words_of_the_tables_and_counts(thirty, drawn):
    said = [text.get_text() for text in drawn.get_legend().get_texts()]
    words = verdict_words(thirty)
    for status, text in words.items():
        assert f"{text} ({getattr(thirty, status).sum()})" in said
    assert "the true front runs in here (95%)" in said
    assert drawn.get_title("left") == "30 models, confidence 95%"
    # The key is above the panel, not over the data.
    assert drawn.get_legend().get_window_extent().y0 >= drawn.bbox.y1 - 1.0


def test_no_text_is_over_another_text_or_a_mark(drawn):
    boxes = [text.get_window_extent() for text in texts(drawn)]
    assert len(boxes) > 15
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    pixels = drawn.transData.transform(marks(drawn))
    assert not any(box.contains(x, y) for box in boxes for x, y in pixels)
    panel = drawn.bbox
    for box in boxes:
        assert panel.x0 - 1 <= box.x0 <= box.x1 <= panel.x1 + 1
        assert panel.y0 - 1 <= box.y0 <= box.y1 <= panel.y1 + 1


def test_models_that_matter_have_a_name_or_an_explained_number(thirty, drawn):
    shown = {text.get_text() for text in texts(drawn)}
    notes = " ".join(text.get_text() for text in drawn.texts if text.get_gid() == "key")
    numbers = model_numbers(thirty)
    for h in np.flatnonzero(~thirty.excluded).tolist():
        assert thirty.names[h] in shown or f"{numbers[h]} = {thirty.names[h]}" in notes


def test_the_page_numbers_every_model_that_matters(thirty):
    ax = new_axes(size=(4.3, 4.9))
    draw_certificate(thirty, ax, numbered=True)
    ax.figure.draw_without_rendering()
    numbers = model_numbers(thirty)
    found = {int(text.get_text().split()[0]): text for text in texts(ax)}
    missing = [h for h in np.flatnonzero(~thirty.excluded).tolist() if numbers[h] not in found]
    assert len(missing) <= 1
    for number, text in found.items():
        assert text.get_text() in (str(number), f"{number}  {thirty.names[int(np.flatnonzero(numbers == number)[0])]}")
    boxes = [text.get_window_extent() for text in texts(ax)]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_models_at_one_place_share_a_mark_with_all_their_numbers():
    estimates = np.array([[0.2, 0.5], [0.2, 0.5], [0.2, 0.5], [0.5, 0.2]])
    certificate = certificate_of_points(estimates, names=["a", "b", "c", "d"])
    ax = certificate.plot()
    assert marks(ax) == [(0.2, 0.5), (0.5, 0.2)]
    assert sorted(text.get_text() for text in texts(ax)) == ["a = b and 1 more", "d"]
    ax = new_axes()
    draw_certificate(certificate, ax, numbered=True)
    assert sorted(text.get_text() for text in texts(ax)) == ["1, 2, 3  a = b and 1 more", "4  d"]
    # One place, two verdicts: two marks.
    mixed = certificate_of_points(estimates, status=["sure", "undecided", "undecided", "sure"])
    assert len(marks(mixed.plot())) == 3


def test_the_staircase_joins_the_best_estimates(thirty, drawn):
    (front,) = [line for line in drawn.lines if line.get_gid() == "front"]
    points = thirty.estimates.tolist()
    members = sorted(p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points))
    right, top = drawn.get_xlim()[1], drawn.get_ylim()[1]
    expected = [(members[0][0], top)]
    for (x, y), after in itertools.zip_longest(members, members[1:]):
        expected += [(x, y), (after[0] if after else right, y)]
    np.testing.assert_array_equal(front.get_xydata(), expected)


@pytest.mark.parametrize(
    ("costs", "scale"), [([1, 3, 900, 40], "log"), ([0, 3, 900, 40], "linear"), ([1, 3, 9, 4], "linear")]
)
def test_costs_that_span_decades_have_a_logarithmic_axis_and_zero_has_none(costs, scale):
    losses = np.random.default_rng(0).random((200, 4, 1)) < [[0.6], [0.5], [0.2], [0.3]]
    ax = mt.certify(losses, costs={"price": costs}).plot()
    assert ax.get_xscale() == "linear"
    assert ax.get_yscale() == scale
    bottom, top = ax.get_ylim()
    assert all(bottom < y < top for _, y in marks(ax))
    if scale == "log":
        labels = [text.get_text() for text in ax.get_yticklabels()]
        assert {"1", "10", "100"} <= set(labels)


def test_better_is_said_for_each_direction():
    certificate = certificate_of_points([[0.2, 0.5], [0.4, 0.7]], maximise=(False, True))
    ax = certificate.plot()
    assert ax.get_xlabel() == "← better     loss 0"
    assert ax.get_ylabel() == "loss 1     better →"


def test_a_box_does_not_push_models_together():
    """One interval of the whole range: the axis shows the estimates, and the interval as far as it goes."""
    estimates = np.array([[0.50, 0.51], [0.51, 0.50], [0.52, 0.52]])
    boxes = np.stack([estimates - 0.5, estimates + 0.5], axis=2)
    ax = certificate_of_points(estimates, boxes=boxes, status=["undecided"] * 3).plot()
    left, right = ax.get_xlim()
    assert 0.02 / (right - left) > 0.4


def test_tolerance_and_promises_have_their_careful_words():
    losses = np.random.default_rng(1).random((300, 4, 1)) < [[0.6], [0.5], [0.2], [0.3]]
    costs = {"size": [1, 2, 4, 3]}
    within = mt.certify(losses, costs=costs, epsilon=0.3).plot()
    said = " ".join(text.get_text() for text in within.get_legend().get_texts())
    assert "on the front to within the tolerance" in said
    share = mt.certify(losses, costs=costs, error="share").plot()
    assert "at most 5% of verdicts wrong on average" in share.get_title("left")
    rough = mt.certify(losses, costs=costs, engine="asymptotic").plot()
    assert "(asymptotic)" in rough.get_title("left")
    assert any("95%, asymptotic" in text.get_text() for text in rough.get_legend().get_texts())
    # Nothing was spent on boxes: there is no band to believe in.
    paired = mt.certify(losses, costs=costs, method="paired").plot()
    assert not [patch for patch in paired.patches if patch.get_gid() == "band"]


@pytest.mark.parametrize("n_models", [1, 2, 300, 5000])
def test_any_number_of_models_is_drawn(n_models):
    estimates, status = spread(n_models, 2)
    certificate = certificate_of_points(estimates, status=status)
    ax = certificate.plot()
    assert len(marks(ax)) == n_models
    assert ax.get_title("left").startswith("1 model," if n_models == 1 else f"{n_models:,} models,")


def test_axes_of_a_user_come_back_with_their_title():
    certificate = certificate_of_points([[0.2, 0.5], [0.4, 0.3]])
    with mpl.rc_context({"text.usetex": True}):
        from matplotlib.figure import Figure

        ax = Figure().subplots()
        ax.set_title("mine")
        assert certificate.plot(ax) is ax
    assert ax.get_title() == "mine"
    with styled():
        _, (other,) = panels(1)
    assert certificate.plot(other) is other


@pytest.mark.parametrize("numbered", [False, True])
def test_a_name_stands_nearest_to_its_own_mark_and_its_line_crosses_no_other(numbered):
    # Two marks one above the other: a line from the upper one downward would run through the lower one.
    estimates = np.array([[0.07, 1000.0], [0.068, 405.0], [0.03, 180.0], [0.3, 30.0], [0.45, 0.1]])
    names = ["model-1000B", "model-405B", "model-180B", "model-30B", "model-0.1B"]
    certificate = certificate_of_points(estimates, names=names)
    ax = new_axes(size=(8.4, 5.0))
    draw_certificate(certificate, ax, numbered=numbered)
    ax.figure.draw_without_rendering()
    places = ax.transData.transform(certificate.estimates)
    written = [text for text in texts(ax) if any(name in text.get_text() for name in names)]
    assert len(written) == len(names)
    for text in written:
        own = next(h for h, name in enumerate(names) if text.get_text().endswith(name))
        box = text.get_window_extent()
        apart = np.linalg.norm(places - np.clip(places, (box.x0, box.y0), (box.x1, box.y1)), axis=1)
        assert apart.argmin() == own
