"""Every curve, mark and label that a figure draws is a column of the tables that it writes."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from moltheory.figures import figure_names, get_figure
from moltheory.plotting import COLORS, panels
from tests.figures import _plotted


def _line(ax, key):
    if isinstance(key, int):
        return ax.lines[key]
    found = [line for line in ax.lines if line.get_label().startswith(key)]
    # Labels that begin alike, such as "purity error" and "purity error, all weights >= 0.2".
    exact = [line for line in found if line.get_label() == key] or found
    assert len(exact) == 1, (key, [line.get_label() for line in ax.lines])
    return exact[0]


@pytest.mark.parametrize("name", figure_names())
def test_panels_show_the_numbers_of_the_tables(name, results, drawn):
    axes, result = drawn(name), results[name]
    expected = list(getattr(_plotted, name)(get_figure(name).tables(result), result))
    assert {panel for panel, *_ in expected} >= set(range(len(axes))) - ({0} if name == "reach" else set()) - (
        {2} if name == "weight_cells" else set()
    )
    for panel, key, x, y in expected:
        line = _line(axes[panel], key)
        shown_x, shown_y = (np.asarray(values, dtype=float) for values in line.get_data())
        # Means of tables and of drawings are summed in other orders.
        np.testing.assert_allclose(
            shown_x, np.asarray(x, dtype=float), rtol=1e-12, atol=1e-12, err_msg=f"{panel} {key}"
        )
        np.testing.assert_allclose(
            shown_y, np.asarray(y, dtype=float), rtol=1e-12, atol=1e-15, err_msg=f"{panel} {key}"
        )


@pytest.mark.parametrize("name", figure_names())
def test_panels_are_labelled_and_nothing_that_is_drawn_has_a_hidden_name(name, results, drawn):
    for ax in drawn(name):
        assert ax.get_xlabel()
        assert ax.get_ylabel()
        assert ax.get_title() or ax.get_title("left")
        legend = ax.get_legend()
        if legend is not None:
            labels = [text.get_text() for text in legend.get_texts()]
            assert labels
            assert len(set(labels)) == len(labels)
            assert not any(label.startswith("_") for label in labels)


@pytest.mark.parametrize("name", figure_names())
def test_a_narrow_figure_has_the_same_curves(name, results, drawn):
    figure = get_figure(name)
    _, axes = panels(figure.n_panels, narrow=True)
    figure.draw(results[name], axes)
    for wide, narrow in zip(drawn(name), axes, strict=True):
        assert len(wide.lines) == len(narrow.lines)
        for one, other in zip(wide.lines, narrow.lines, strict=True):
            np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())


@pytest.mark.parametrize("name", ["worlds", "mechanism", "tilted_line", "breast_cancer", "least_squares"])
def test_one_color_means_one_thing(name, drawn):
    colors = {"purity error": "purity", "coverage error": "coverage", "largest deviation": "deviation"}
    for ax in drawn(name):
        for line in ax.lines:
            for label, color in colors.items():
                if line.get_label().startswith(label):
                    assert to_hex(line.get_color()) == COLORS[color].lower()


def test_error_bars_of_the_worlds_are_their_normal_intervals(results, drawn):
    simulated = results["worlds"].simulated
    for ax, (_, part) in zip(drawn("worlds"), simulated.groupby("world", sort=False), strict=True):
        for container, column in zip(
            ax.containers, ("purity_error", "coverage_error", "uniform_deviation"), strict=True
        ):
            shown = part[part[column] > 0]
            (bars,) = container.lines[2]
            # Bars that would cross zero end just above it.
            low = np.maximum(shown[f"{column}_low"], 0.01 * shown[column])
            ends = np.array([segment[:, 1] for segment in bars.get_segments()]).reshape(-1, 2)
            np.testing.assert_allclose(ends[:, 0], low, rtol=1e-12)
            np.testing.assert_allclose(ends[:, 1], shown[f"{column}_high"], rtol=1e-12)


def test_members_of_the_front_are_stacked(results, drawn):
    table = results["breast_cancer"].simulation.groupby("size")[["n_front", "n_spurious"]].mean()
    real, spurious = (np.array(area.get_paths()[0].vertices) for area in drawn("breast_cancer")[2].collections)
    for size, front, wrong in table.itertuples():
        assert {round(y, 9) for x, y in real if x == size} == {0.0, round(front - wrong, 9)}
        assert {round(y, 9) for x, y in spurious if x == size} == {round(front - wrong, 9), round(front, 9)}


def test_areas_of_the_simplex_are_the_shares_of_the_cells(results, drawn):
    cells = get_figure("weight_cells").tables(results["weight_cells"])["cells"]
    three = cells[cells["objectives"] == 3]

    def area(patch):
        x, y = patch.get_xy()[:-1].T
        return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1))  # twice the area, as a share of half a square

    shares = [area(patch) for patch in drawn("weight_cells")[2].patches]
    expected = np.stack([three["share"], three["certified_share"]], axis=1).ravel()
    np.testing.assert_allclose(shares, expected[expected > 0], atol=1e-12)
    widths = [patch.get_width() for patch in drawn("weight_cells")[0].patches]
    two = cells[cells["objectives"] == 2]
    np.testing.assert_allclose(widths, np.stack([two["share"], two["certified_share"]], axis=1).ravel(), atol=1e-12)


def test_notes_on_panels_say_what_the_tables_say(results, drawn):
    texts = {name: [text.get_text() for ax in drawn(name) for text in ax.texts] for name in figure_names()}
    means = get_figure("hypervolume").tables(results["hypervolume"])["means"]
    line = means[means["problem"] == "tilted_line"]
    assert "hypervolume lost: 0 in every sample" in texts["hypervolume"]
    assert (line["lost_share"] == 0).all()
    simulated = results["worlds"].simulated.groupby("world", sort=False)["coverage_error"].max()
    assert texts["worlds"].count("coverage error = 0 in every sample") == (simulated == 0).sum() == 3
    models = get_figure("breast_cancer").tables(results["breast_cancer"])["models"]
    right, top = drawn("breast_cancer")[0].get_xlim()[1], drawn("breast_cancer")[0].get_ylim()[1]
    outside = (models["true_false_negative_rate"] > right) | (models["true_false_positive_rate"] > top)
    assert f"{outside.sum()} other models lie outside" in texts["breast_cancer"]
    zoo = get_figure("certified").tables(results["certified"])["models"]
    assert drawn("certified")[0].get_title() == f"n = 899; {(zoo['error'] > 0.2).sum()} models lie outside"
    shares = get_figure("reach").tables(results["reach"])["shares"]
    assert texts["reach"] == [f"{name}: {100 * share:.0f}%" for name, share in shares.itertuples(index=False)]
    risks = get_figure("three_objectives").tables(results["three_objectives"])["models"].iloc[:, 1:]
    shown = risks[risks[["truly_optimal", "selected_at_300", "selected_at_30000"]].any(axis=1)].iloc[:, :3]
    ends = [f"{end:.2f}" for name in shown for end in (shown[name].min(), shown[name].max())]
    assert texts["three_objectives"] == ends * 2


def test_statements_of_the_titles_hold(results):
    """What a reader remembers is the title: it must be true of the numbers, not only of the authors' hopes."""
    intervals = results["intervals"]
    assert (intervals.failures.iloc[:, 1:] <= 0.05 + 1e-12).all(axis=None)
    for other in ("kl", "hoeffding-bentkus"):
        assert (intervals.widths["clopper-pearson"] <= intervals.widths[other] + 1e-12).all()
    last = intervals.skewed[intervals.skewed["size"] == intervals.skewed["size"].max()].set_index("method")["width"]
    assert last.idxmin() == "betting"
    levels = results["tightness"].levels
    assert (levels["failure"] < levels["delta"]).all()
    deviations = results["tightness"].deviations
    assert (deviations["width"] / deviations["deviation"]).between(1.5, 2.5).all()
    price = results["price"].table
    assert (price["width"] ** 2).diff().dropna().gt(0).all()
    # log N inside the width: its square is affine in log N.
    square = (price["width"] ** 2).to_numpy()
    slope = np.diff(square) / np.diff(np.log(price["n_objectives"]))
    np.testing.assert_allclose(slope, 1 / 2000, rtol=1e-9)
    claims = results["certified"].claims
    decided = claims.pivot(index="n", columns="method", values="settled")
    assert (decided["certify"] >= decided["boxes, Hoeffding"]).all()
    assert claims.loc[claims["method"] == "certify", "failed"].sum() == 0
    shares = results["hypervolume"].table.groupby("problem").last()
    assert (shares["lost_share"] < 1e-3).all()
    assert (shares["purity_error"] > 0.01).all()
    errors = results["least_squares"].simulation.groupby("size")[["purity_error", "coverage_error"]].mean()
    assert (errors.iloc[-1] < errors.iloc[0] / 5).all()
    spurious = results["three_objectives"].mean_spurious
    assert 0 < spurious[30_000] < spurious[300]
    # An exact tie decides for no number of examples, and only models that are dominated can be spurious.
    staying = results["data_sets"].staying
    assert (staying["exact_ties"] <= staying["staying"]).all()
