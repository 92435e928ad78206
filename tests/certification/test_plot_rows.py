"""One objective, and three and more: a row per model, in the order of the tables, none lost, columns on their own scales."""

import itertools
import time

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import moltheory as mt
from moltheory.certification._plot import draw_certificate
from moltheory.certification._plot_names import short_names
from moltheory.certification._plot_rows import MOST_ROWS, rows_of
from moltheory.certification._words import model_numbers, reading_order
from moltheory.plotting import new_axes
from tests.certification._pictures import certificate_of_points, marks, spread


def certificate_of(n_models, m, **fields):
    estimates, status = spread(n_models, m, seed=n_models + m)
    return certificate_of_points(estimates, status=status, **fields)


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def test_rows_are_headed_by_verdicts_and_ordered_as_the_tables():
    certificate = certificate_of(12, 1)
    ax = certificate.plot()
    words = {"sure": "on the front", "undecided": "cannot tell yet", "excluded": "not on the front"}
    expected, status = [], certificate.status
    for name, text in words.items():
        members = [h for h in reading_order(certificate) if status[h] == name]
        expected += [f"{text} ({len(members)})", *(certificate.names[h] for h in members)] if members else []
    assert labels(ax) == expected
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row is on top
    place = {label: k for k, label in enumerate(expected)}
    shown = {(x, round(y)) for x, y in marks(ax)}
    assert shown == {(float(certificate.estimates[h, 0]), place[certificate.names[h]]) for h in range(12)}


def test_intervals_are_the_boxes():
    certificate = certificate_of(9, 1)
    ax = certificate.plot()
    numbers = model_numbers(certificate)
    for h, status in enumerate(certificate.status):
        (line,) = [line for line in ax.lines if line.get_gid() == f"{status}-{numbers[h]}-0"]
        low, value, high = line.get_xdata()
        np.testing.assert_allclose([low, high], certificate.boxes[h, 0])
        assert value == certificate.estimates[h, 0]


@pytest.mark.parametrize("maximise", [False, True])
def test_the_best_true_value_lies_in_the_shaded_part(maximise):
    estimates = np.array([[0.2], [0.25], [0.8]])
    status = ["undecided", "undecided", "excluded"] if not maximise else ["excluded", "undecided", "undecided"]
    certificate = certificate_of_points(estimates, status=status, maximise=(maximise,))
    ax = certificate.plot()
    (span,) = [patch for patch in ax.patches if patch.get_gid() == "band"]
    # The best end of those that may be the best; the worst end of the best model.
    expected = (0.77, 0.83) if maximise else (0.17, 0.23)
    np.testing.assert_allclose([span.get_x(), span.get_x() + span.get_width()], expected)
    assert ax.get_xlabel() == ("loss 0     better →" if maximise else "← better     loss 0")


def test_thirty_models_have_names_that_do_not_touch():
    certificate = certificate_of(30, 1)
    ax = certificate.plot()
    ax.figure.draw_without_rendering()
    assert set(certificate.names) <= set(labels(ax))
    boxes = [text.get_window_extent() for text in ax.get_yticklabels()]
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[k + 1 :])


@pytest.mark.parametrize("n_models", [1, 2, 31, 300, 5000])
def test_models_beyond_the_rows_share_one_and_are_counted(n_models):
    certificate = certificate_of(n_models, 1)
    start = time.process_time()
    ax = certificate.plot()
    assert time.process_time() - start < 10.0
    assert len(marks(ax)) == n_models
    assert sorted(x for x, _ in marks(ax)) == sorted(certificate.estimates[:, 0].tolist())
    named = [label for label in labels(ax) if label.startswith("model ")]
    assert len(named) <= MOST_ROWS + 6
    more = sum(int(label.split()[0].replace(",", "")) for label in labels(ax) if label.endswith(" more"))
    assert len(named) + more == n_models
    assert "1 more" not in labels(ax)


@pytest.mark.parametrize("counts", [(0, 0, 40), (100, 0, 0), (40, 40, 40), (3, 100, 2), (1, 2, 500)])
def test_every_verdict_keeps_some_rows(counts):
    status = np.repeat(["sure", "undecided", "excluded"], counts)
    certificate = certificate_of_points(np.linspace(0.1, 0.9, len(status))[:, None], status=status)
    rows = rows_of(certificate, MOST_ROWS, numbered=False, widest=20.0)
    single = [row for row in rows if len(row.models) == 1]
    assert len(single) <= MOST_ROWS + 3
    for name, count in zip(("sure", "undecided", "excluded"), counts, strict=True):
        assert sum(row.status == name for row in single) >= min(count, 3)
        assert sum(len(row.models) for row in rows if row.status == name) == count


@pytest.mark.parametrize("m", [3, 5])
def test_every_objective_has_a_column_with_all_models(m):
    maximise = tuple(i % 2 == 1 for i in range(m))
    certificate = certificate_of(14, m, maximise=maximise)
    axes = certificate.plot()
    assert len(axes) == m
    assert set(certificate.names) <= set(labels(axes[0]))
    for i, ax in enumerate(axes):
        assert sorted(x for x, _ in marks(ax)) == sorted(certificate.estimates[:, i].tolist())
        left, right = ax.get_xlim()
        assert all(left < x < right for x, _ in marks(ax))
        assert ax.get_title("left") == f"loss {i}"
        assert ax.get_xlabel() == ("better →" if maximise[i] else "← better")
        # A model has one row in all columns.
        assert sorted(y for _, y in marks(ax)) == sorted(y for _, y in marks(axes[0]))


@pytest.mark.parametrize("m", [1, 3, 4])
def test_given_axes_take_any_number_of_objectives(m):
    certificate = certificate_of(8, m)
    ax = Figure(figsize=(7, 5)).subplots()
    assert certificate.plot(ax) is ax
    columns = ax.child_axes or [ax]
    assert len(columns) == m
    assert all(len(marks(column)) == 8 for column in columns)


def test_more_objectives_than_columns_are_said():
    certificate = certificate_of(4, 11)
    axes = certificate.plot()
    assert len(axes) == 8
    title = axes[0].figure.axes[0].get_title("left")
    assert "the first 8 of 11 objectives" in title


def test_labels_of_columns_do_not_touch():
    losses = np.random.default_rng(0).random((300, 12, 2)) < np.linspace(0.1, 0.6, 12)[:, None]
    costs = {"price in $ per million tokens": np.geomspace(0.1, 90, 12), "seconds": np.linspace(1, 5, 12)}
    axes = mt.certify(losses, costs=costs).plot()
    axes[0].figure.draw_without_rendering()
    assert [ax.get_xscale() for ax in axes] == ["linear", "linear", "log", "linear"]
    boxes = [ax._left_title.get_window_extent() for ax in axes]
    for ax in axes:
        inside = [text for text in ax.get_xticklabels() if text.get_text()]
        extents = [text.get_window_extent() for text in inside]
        boxes += [box for box in extents if ax.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= ax.bbox.x1 + 1]
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[k + 1 :])


def test_numbers_stand_before_names_on_the_page():
    certificate = certificate_of(10, 1, names=[f"a model with a rather long name, number {k}" for k in range(10)])
    ax = new_axes(size=(4.3, 4.0))
    draw_certificate(certificate, ax, numbered=True)
    numbers = [int(label.split()[0]) for label in labels(ax) if label[0].isdigit()]
    assert numbers == list(range(1, 11))
    assert all("…" in label and label.endswith(label[-6:]) for label in labels(ax) if label[0].isdigit())


def test_infinite_intervals_and_equal_models_are_drawn():
    losses = np.repeat(np.random.default_rng(0).random((60, 1, 1)) < 0.3, 3, axis=1)
    price = mt.Measured([1, 2, 3], [-np.inf, 1, 2], [3, np.inf, 4], delta=0.01)
    axes = mt.certify(losses, costs={"price": price, "size": [4, 4, 4]}).plot()
    for ax in axes:
        assert np.isfinite(ax.get_xlim()).all()
        assert all(np.isfinite(line.get_xdata()[: len(line.get_xdata())]).any() for line in ax.lines)
        assert len(marks(ax)) == 3


@pytest.mark.parametrize(("m", "shown"), [(3, 3), (5, 3)])
def test_axes_of_a_user_show_as_many_objectives_as_fit_and_nothing_is_cut(m, shown):
    names = [f"meta-llama/Llama-{k}-Instruct" for k in range(8)]
    certificate = certificate_of(8, m, names=names)
    figure = Figure(figsize=(4.5, 3.2))
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    columns = draw_certificate(certificate, ax)
    figure.draw_without_rendering()
    assert len(columns) == shown
    assert (f"first {shown} of {m}" in " ".join(ax.get_title("left").split())) == (shown < m)
    frame, titles = figure.bbox, [column._left_title.get_window_extent() for column in columns]
    for box in [
        ax._left_title.get_window_extent(),
        *titles,
        *(t.get_window_extent() for t in columns[0].get_yticklabels()),
    ]:
        assert box.x0 >= frame.x0 - 1
        assert box.y1 <= frame.y1 + 1
    for left, right in itertools.pairwise(titles):
        assert left.x1 < right.x0
    rows = [text for text in labels(columns[0]) if "(" not in text]
    assert len(set(rows)) == len(rows)
    assert not any("#" in text for text in rows)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["meta-llama/Llama-1-Instruct", "meta-llama/Llama-22-Instruct"], ["…1-Instruct", "…22-Instruct"]),
        (["short", "names"], ["short", "names"]),
    ],
)
def test_what_all_names_share_is_left_out_first(names, expected):
    assert short_names(names, widest=9.0) == expected


def test_names_that_only_their_middle_tells_apart_keep_a_digest():
    names = [f"{'x' * 60}{k}{'y' * 60}" for k in range(5)]
    found = short_names(names, widest=12.0)
    assert len(set(found)) == 5
    assert all("#" in text for text in found)
