"""What `plot.fronts` draws: the risks themselves, with members of fronts marked as what they are."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

import moltheory as mt
from moltheory.plotting import COLORS, DARK_COLORS, to_bytes
from tests.plot._shown import contrast, data, overlapping_texts, worlds

_WORLDS = worlds()
_SIZE = 25


def _dominated(points):
    """Return which points are dominated, by the definition."""
    return np.array([any((q <= p).all() and (q < p).any() for q in points) for p in points])


@pytest.mark.slow
@pytest.mark.parametrize("name", _WORLDS)
def test_marks_are_the_members_of_the_fronts_and_no_texts_overlap(name):
    world = _WORLDS[name]
    ax = mt.plot.fronts(world, _SIZE, rng=3)
    true, seen = world.true_risks, world.sample(_SIZE, rng=3).risks()
    optimal, found = ~_dominated(true), ~_dominated(seen)
    for label, mask, points in (
        ("_decoy", found & ~optimal, seen),
        ("_missed", optimal & ~found, seen),
        ("_real", found & optimal, seen),
        ("_truly optimal", optimal, true),
        ("_dominated", ~found & ~optimal, seen),
    ):
        np.testing.assert_array_equal(
            np.unique(data(ax, label), axis=0), np.unique(points[mask][:, :2], axis=0), err_msg=label
        )
    title = " ".join(ax.get_title("left").split())
    assert title.startswith(f"n = {_SIZE}: ")
    decoys, missed = (found & ~optimal).sum(), (optimal & ~found).sum()
    assert (f"{decoys} of {found.sum()} members" if decoys else "every member of the empirical front is real") in title
    assert (f"{missed} of {optimal.sum()} optimal ones missed" if missed else "none missed") in title
    assert overlapping_texts(ax.figure) == []


def test_boundaries_run_through_the_members():
    world = _WORLDS["reference"]
    ax = mt.plot.fronts(world, 20)
    for label, points in (("_true front", world.true_risks), ("_empirical front", world.sample(20, rng=0).risks())):
        line = data(ax, label)
        members = points[~_dominated(points)]
        assert all((line == member).all(axis=1).any() for member in members)
        # No part of a boundary is dominated by a point, nor below all of them.
        assert not any((point < corner).all() for corner in line for point in points)


def test_arrows_lead_from_true_to_empirical_risks():
    world = _WORLDS["reference"]
    ax = mt.plot.fronts(world, 20)
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None) and not text.get_text()]
    starts, ends = (np.array([getattr(arrow, name) for arrow in arrows]) for name in ("xyann", "xy"))
    true, seen = world.true_risks, world.sample(20, rng=0).risks()
    moved = (true != seen).any(axis=1)
    np.testing.assert_array_equal(starts, true[moved])
    np.testing.assert_array_equal(ends, seen[moved])


def test_three_objectives_are_all_part_of_membership():
    world = _WORLDS["three"]
    ax = mt.plot.fronts(world, 50, objectives=("error 2", 0))
    optimal = ~_dominated(world.true_risks)
    np.testing.assert_array_equal(data(ax, "_truly optimal"), world.true_risks[optimal][:, [2, 0]])
    assert ax.get_xlabel().endswith("error 2")
    assert data(ax, "_true front").size == 0


def test_an_infinite_class_is_drawn_as_curves():
    problem = mt.problems.MultiTaskLeastSquares([np.eye(2), [[2, 1], [1, 2]]], [[1, 0], [0, 1]], [0.5, 0.5])
    ax = mt.plot.fronts(problem, 20, rng=1)
    true, seen, same = (
        data(ax, f"_{name}")
        for name in ("true front", "empirical front, as the sample shows it", "the same hypotheses in truth")
    )
    # The closed form: minimisers of weighted sums of quadratics, and their risks.
    a, t = np.array([np.eye(2), [[2.0, 1.0], [1.0, 2.0]]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    front = []
    for w in np.linspace(0.0, 1.0, 2001):
        v = np.array([w, 1.0 - w])
        h = np.linalg.solve(np.tensordot(v, a, 1), sum(v[i] * a[i] @ t[i] for i in range(2)))
        front.append([(h - t[i]) @ a[i] @ (h - t[i]) + 0.25 for i in range(2)])
    front = np.array(front)
    gaps = np.abs(true[:, None] - front[None]).max(axis=2).min(axis=1)
    assert gaps.max() < 2e-3
    assert len(true) == len(seen) == len(same)
    # In truth nothing is below the true front.
    assert all(((front <= point + 1e-3).all(axis=1)).any() for point in same)
    assert overlapping_texts(ax.figure) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colors_are_those_of_the_theme_and_readable(theme):
    ax = mt.plot.fronts(_WORLDS["decoys"], _SIZE, theme=theme)
    palette = DARK_COLORS if theme == "dark" else COLORS
    (decoys,) = [line for line in ax.lines if line.get_label() == "_decoy"]
    assert to_hex(decoys.get_color()) == palette["purity"].lower()
    texts = [*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_legend().get_texts(), ax._left_title]
    for text in texts:
        if text.get_text():
            assert contrast(text.get_color(), ax.get_facecolor()[:3]) >= 4.5, text.get_text()


def test_the_same_seed_gives_the_same_bytes_and_another_one_another_picture():
    first, again, other = (to_bytes(mt.plot.fronts(_WORLDS["ten"], 30, rng=seed).figure, "png") for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_names_limits_and_titles_of_the_caller_are_kept():
    import matplotlib.figure

    ax = matplotlib.figure.Figure().subplots()
    ax.set_xlim(0.0, 1.0)
    ax.set_title("mine")
    drawn = mt.plot.fronts(_WORLDS["decoys"], _SIZE, ax=ax, names=["$good$", "bad", "ugly"], key=False)
    assert drawn is ax
    assert ax.get_xlim() == (0.0, 1.0)
    assert ax.get_title() == "mine"
    assert {"$good$", "bad"} <= {text.get_text() for text in ax.texts}
    assert ax.get_legend() is None


def test_refusals(refuses):
    world = _WORLDS["decoys"]
    assert "moltheory.FiniteWorld" in refuses("problem", mt.plot.fronts, [[0.0, 1.0]], 5)
    assert "0 'error', 1 'cost'" in refuses("objectives", mt.plot.fronts, world, 5, objectives=(0, 2))
    refuses("objectives", mt.plot.fronts, world, 5, objectives=(1, 1))
    refuses("objectives", mt.plot.fronts, world, 5, objectives="error")
    refuses("n", mt.plot.fronts, world, 0)
    refuses("names", mt.plot.fronts, world, 5, names=["one"])
    refuses("theme", mt.plot.fronts, world, 5, theme="blue")
    assert "plt.subplots" in refuses("ax", mt.plot.fronts, world, 5, ax="axes")
    refuses("problem", mt.plot.fronts, mt.FiniteWorld([0.5, 0.5], [[[0.0]], [[1.0]]]), 5)


def test_marks_that_coincide_are_counted_and_decoys_are_on_top():
    world = mt.problems.from_dataset("wine")
    ax = mt.plot.fronts(world, 30)
    true, seen = world.true.risks(), world.sample(30, rng=0).risks()
    kinds = {"decoy": ~_dominated(seen) & _dominated(true), "missed": _dominated(seen) & ~_dominated(true)}
    kinds["real"] = ~_dominated(seen) & ~_dominated(true)
    near = (np.abs(seen[:, :2]) < 1e-12).all(axis=1)
    counts = {name: int((mask & near).sum()) for name, mask in kinds.items()}
    assert counts["decoy"] == 1
    expected = " + ".join(f"{count} {name}" for name, count in counts.items() if count)
    assert expected in {text.get_text() for text in ax.texts}
    marks = {line.get_label(): line for line in ax.lines}
    others = [marks["_missed"], marks["_real"], marks["_truly optimal"]]
    assert all(marks["_decoy"].get_zorder() > line.get_zorder() for line in others)
    assert all(marks["_decoy"].get_markersize() > line.get_markersize() for line in others)


def test_the_panel_ends_where_the_fronts_do():
    world = _WORLDS["many"]
    ax = mt.plot.fronts(world, 50)
    true, seen = world.true_risks, world.sample(50, rng=0).risks()
    member = ~_dominated(true) | ~_dominated(seen)
    for limits, column in zip((ax.get_xlim(), ax.get_ylim()), range(2), strict=True):
        values = np.concatenate([true[member, column], seen[member, column]])
        assert limits[0] < values.min()
        assert values.max() < limits[1] < values.max() + 0.5 * np.ptp(values)
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    outside = (~((low <= seen) & (seen <= high)).all(axis=1)).sum()
    assert outside > 0
    assert f"dominated ({outside} more outside)" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_only_true_members_have_a_dot_on_the_true_front():
    ax = mt.plot.fronts(_WORLDS["line"], _SIZE)
    np.testing.assert_allclose(data(ax, "_truly optimal"), [[0.5, 0.0]])
    front = next(line for line in ax.lines if line.get_label() == "_true front")
    others = next(line for line in ax.lines if line.get_label() == "_true risks")
    # A point of matplotlib has half the size that it is given: those of the others are hidden below the line.
    assert 0.5 * others.get_markersize() < front.get_linewidth()
    assert others.get_zorder() < front.get_zorder()
