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


@pytest.mark.slow
@pytest.mark.parametrize("name", figure_names())
def test_panels_show_the_numbers_of_the_tables(name, results, drawn):
    axes, result = drawn(name), results[name]
    expected = list(getattr(_plotted, name)(get_figure(name).tables(result), result))
    assert {panel for panel, *_ in expected} >= set(range(len(axes))) - (
        {0} if name in ("reach", "certified") else set()
    ) - ({1} if name == "weight_cells" else set())
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
        if not ax.axison:  # a triangle of weights names its corners
            assert sum("objective" in text.get_text() for text in ax.texts) == 3
            continue
        assert ax.get_xlabel()
        # Where rows have names, these are what the axis shows.
        assert ax.get_ylabel() or all(label.get_text() for label in ax.get_yticklabels())
        assert ax.get_title() or ax.get_title("left")
        legend = ax.get_legend()
        if legend is not None:
            labels = [text.get_text() for text in legend.get_texts()]
            assert labels
            assert len(set(labels)) == len(labels)
            assert not any(label.startswith("_") for label in labels)


@pytest.mark.slow
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
                if str(line.get_label()).replace("\n", " ").startswith(label):
                    assert to_hex(line.get_color()) == COLORS[color].lower()


def test_error_bars_of_the_worlds_are_their_normal_intervals(results, drawn):
    simulated = results["worlds"].simulated
    for ax, (_, part) in zip(drawn("worlds"), simulated.groupby("world", sort=False), strict=True):
        bars = [found for found in ax.collections if hasattr(found, "get_segments")]
        for one, column in zip(bars, ("purity_error", "coverage_error", "uniform_deviation"), strict=True):
            shown = part[part[column] > 0]
            ends = np.array([segment[:, 1] for segment in one.get_segments()]).reshape(-1, 2)
            # Bars that would leave the panel end at its lower end.
            low = np.maximum(shown[f"{column}_low"], ax.get_ylim()[0])
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
        return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / np.sqrt(0.75)  # as a share of the triangle with side 1

    shares = [area(patch) for patch in drawn("weight_cells")[1].patches]
    expected = np.stack([three["share"], three["certified_share"]], axis=1).ravel()
    np.testing.assert_allclose(shares, expected[expected > 0], atol=1e-12)
    widths = [patch.get_width() for patch in drawn("weight_cells")[0].patches]
    two = cells[cells["objectives"] == 2]
    np.testing.assert_allclose(widths, np.stack([two["share"], two["certified_share"]], axis=1).ravel(), atol=1e-12)


def test_bars_are_what_spurious_members_lose_to_models_that_dominate_them(results, drawn):
    tables = get_figure("three_objectives").tables(results["three_objectives"])
    risks = tables["models"][["error", "worst_class_error", "model_size"]].to_numpy()
    pairs = tables["spurious"].to_numpy()
    assert len(pairs) == (tables["models"]["selected_at_30000"] & ~tables["models"]["truly_optimal"]).sum()
    expected = np.concatenate([risks[model] - risks[other] for model, other in pairs])
    np.testing.assert_array_equal([bar.get_width() for bar in drawn("three_objectives")[1].patches], expected)
    assert (expected >= 0).all()


def test_lines_behind_the_models_are_fronts_of_few_and_of_many_features(results, drawn):
    models = get_figure("breast_cancer").tables(results["breast_cancer"])["models"]
    for most in (2, 6, 30):
        part = models[models["true_share_of_features"] <= most / 30 + 1e-9]
        line = _line(drawn("breast_cancer")[0], f"front of {most} features")
        for x, y in line.get_xydata()[:-1]:
            better = (part["true_false_negative_rate"] < x) & (part["true_false_positive_rate"] < y)
            assert not better.any()
        on_line = set(map(tuple, line.get_xydata()))
        best = part.loc[part["true_false_positive_rate"].idxmin()]
        assert best["true_false_positive_rate"] in {y for _, y in on_line}


def test_what_is_better_than_the_middle_point_is_shaded(results, drawn):
    """Of the three points, both others are below the line of the weighted sum, and none is in Chebyshev's corner."""
    line, corner = (patch.get_path() for patch in drawn("reach")[0].patches[::2])
    others = [(0.0, 1.0), (1.0, 0.0)]
    assert line.contains_points(others).all()
    assert not corner.contains_points(others).any()
    curves = [path for group in drawn("reach")[0].collections for path in group.get_paths()]
    assert len(curves) == 2
    for path in curves:
        assert np.abs(path.vertices - [0.6, 0.6]).max(axis=1).min() < 0.01


def test_notes_on_panels_say_what_the_tables_say(results, drawn):
    texts = {name: [text.get_text() for ax in drawn(name) for text in ax.texts] for name in figure_names()}
    means = get_figure("hypervolume").tables(results["hypervolume"])["means"]
    line = means[means["problem"] == "tilted_line"]
    assert (line["lost_share"] == 0).all()
    simulated = results["worlds"].simulated.groupby("world", sort=False)["coverage_error"].max()
    assert texts["worlds"].count("coverage error:\nexactly 0") == (simulated == 0).sum() == 3
    models = get_figure("breast_cancer").tables(results["breast_cancer"])["models"]
    stay = results["breast_cancer"].simulation.groupby("size")["n_spurious"].mean().iloc[-1]
    assert f"{stay:.1f} spurious models remain" in texts["breast_cancer"]
    assert f"true front: {models['truly_optimal'].sum()}" in texts["breast_cancer"]
    claims = get_figure("certified").tables(results["certified"])["claims"]
    assert (claims.loc[claims["method"] != "bootstrap", "failed"] == 0).all()
    limit = 100 * (1 - 0.05 ** (1 / claims["samples"].iloc[0]))  # of no failure: (1 - p)^m = 0.05
    assert f"certify, boxes: 0 of {claims['samples'].iloc[0]}, so under {limit:.0f}%" in texts["certified"]
    assert "promised: at most 5%" in texts["certified"]
    shares = get_figure("reach").tables(results["reach"])["shares"]
    rows = [label.get_text().replace("\n", " ") for label in drawn("reach")[2].get_yticklabels()]
    rows = [row.replace("Chebyshev + ρ·sum, ", "augmented, ") for row in rows]
    assert rows == shares["scalarization"].tolist()
    assert [text for text in texts["reach"] if text.endswith("%")] == [
        f"{100 * v:.0f}%" for v in shares["share_reached"]
    ]
    purity = get_figure("weights").tables(results["weights"])["purity"]
    strong = purity.loc[purity["scalarization"] == "augmented, ρ = 0.2", "purity_error"].max()
    (said,) = (float(text.split()[-1]) for text in texts["weights"] if text.startswith("with ρ = 0.2:\nat most"))
    assert strong <= said < 2 * strong
    price = results["price"].table["sample_size"]
    assert f"1 objective:\n{price.iloc[0]:,} examples" in texts["price"]
    times = price.iloc[-1] / price.iloc[0]
    assert f"1,000 objectives:\n{price.iloc[-1]:,} examples,\n{times:.1f} times as many" in texts["price"]
    levels = results["tightness"].levels
    largest = levels[levels["size"] == levels["size"].max()]
    row = largest.loc[np.log(largest["delta"] / 0.05).abs().idxmin()]
    factor = float(f"{row['delta'] / row['failure']:.1g}")
    assert f"about {factor:,.0f}\ntimes less" in texts["tightness"]
    models = get_figure("three_objectives").tables(results["three_objectives"])["models"]
    optimal, counts = models["truly_optimal"], []
    for size in (300, 30_000):
        found = models[f"selected_at_{size}"]
        counts += [(optimal & found).sum(), (optimal & ~found).sum(), (found & ~optimal).sum()]
    assert [int(text) for text in texts["three_objectives"] if text.isdigit()] == counts


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
    gains = results["tightness"].gains
    assert (gains["smallest"] >= 1.0).all()
    assert (gains["failures"] <= 0.05).all()
    assert (gains.loc[gains["size"] == gains["size"].max(), "largest"] > 3.0).all()
    posteriors = results["tightness"].posteriors.pivot(index="size", columns="method", values="factor")
    assert (posteriors.drop(columns="kl") > 1.0).all(axis=None)
    assert posteriors.iloc[-1].idxmax() == "unexpected Bernstein"
    members = results["tightness"].members.pivot(index="risk", columns="method", values="factor")
    assert (members["kl"] >= members[["relative deviations", "empirical Bernstein"]].max(axis=1)).all()
    assert members["localized, linear class"].iloc[0] > 2.0
    classes = results["tightness"].classes.pivot(index="size", columns="class", values="width").iloc[-1]
    assert classes.idxmax().startswith("fat-shattering")
    assert classes.idxmin() == "1-Lipschitz losses"
    price = results["price"].table
    assert price["sample_size"].iloc[-1] < 2 * price["sample_size"].iloc[0]
    exact = results["finite_infinite"].means.pivot(index="size", columns="class", values="exact")
    assert (exact["10 models"] >= exact["100 models"]).all()
    assert (exact["100 models"] >= exact["1,000 models"]).all()
    assert (exact["all models"] == 0).all()
    accuracy = results["solver_cost"].accuracy.groupby("solver")["excess"].max()
    assert (accuracy[["closed form", "Newton"]] <= 1e-16).all()
    assert (accuracy[[name for name in accuracy.index if name.startswith("NSGA")]] > 1e-3).all()
    disk = results["infinite_classes"].disk.pivot_table(index="size", columns="case", values="purity_error")
    assert (disk["mu = 0 (flat)"] > 0.99).all()
    assert disk["mu = 1"].iloc[-1] < disk["mu = 1"].iloc[0] / 30
    assert (price["width"] ** 2).diff().dropna().gt(0).all()
    # log N inside the width: its square is affine in log N.
    square = (price["width"] ** 2).to_numpy()
    slope = np.diff(square) / np.diff(np.log(price["n_objectives"]))
    np.testing.assert_allclose(slope, 1 / 2000, rtol=1e-9)
    claims = results["certified"].claims
    decided = claims.pivot(index="n", columns="method", values="decided_share")
    assert (decided["certify"] >= decided["boxes, Hoeffding"]).all()
    assert claims.loc[claims["method"] == "certify", "failed"].sum() == 0
    shares = results["hypervolume"].table.groupby("problem").last()
    assert (shares["lost_share"] < 1e-3).all()
    assert (shares["purity_error"] > 0.01).all()
    errors = results["least_squares"].simulation.groupby("size")[["purity_error", "coverage_error"]].mean()
    assert (errors.iloc[-1] < errors.iloc[0] / 5).all()
    spurious = results["three_objectives"].mean_spurious
    assert 0 < spurious[30_000] < spurious[300]
    three = results["three_objectives"]
    assert (three.truly_optimal & ~three.selected[30_000]).sum() <= 1
    # A large sample removes what a fixed gap keeps on the front, but not what is close enough.
    ties = results["near_tie"].by_gap
    for n, part in ties.groupby("size"):
        assert part["probability"].iloc[0] > 0.4, n
        assert part["probability"].iloc[-1] < 1e-3, n
        assert 0.18 < part.loc[part["marked"], "probability"].item() < 0.23, n
    weights = results["weights"].table.set_index(["scalarization", "n", "smallest_weight"])["purity_error"].sort_index()
    plain = weights["Chebyshev", 101]
    assert (plain[plain.index < 1 / 3] > 0.999).all()
    assert (plain[plain.index > 1 / 3] == 0).all()
    # An exact tie decides for no number of examples, and only models that are dominated can be spurious.
    staying = results["data_sets"].staying
    assert (staying["exact_ties"] <= staying["staying"]).all()
