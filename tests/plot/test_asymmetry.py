"""What `plot.asymmetry` draws: means, bands and intervals of the table, and zeros in words."""

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from tests.plot._shown import data, overlapping_texts

_ERRORS = {"purity_error": "purity error", "coverage_error": "coverage error", "uniform_deviation": "largest deviation"}
_SIZES = [5, 10, 30]


@pytest.fixture(scope="module")
def simulated():
    return mt.experiments.asymmetry(mt.problems.reference_world(), sizes=_SIZES, replicates=60, rng=0)


@pytest.fixture(scope="module")
def exact():
    return mt.experiments.exact_errors(mt.problems.reference_world(), sizes=_SIZES)


def _line(ax, text):
    (line,) = [line for line in ax.lines if line.get_label().split(":")[0] == text]
    return line


def test_means_and_bands_of_samples(simulated):
    ax = mt.plot.asymmetry(simulated)
    for band, (column, name) in zip(ax.collections, _ERRORS.items(), strict=True):
        values = [simulated.loc[simulated["size"] == n, column].to_numpy() for n in _SIZES]
        x, y = _line(ax, name).get_data()
        np.testing.assert_array_equal(x, _SIZES)
        np.testing.assert_allclose(y, [part.mean() for part in values], rtol=1e-12)
        corners = band.get_paths()[0].vertices
        for n, part in zip(_SIZES, values, strict=True):
            at = corners[corners[:, 0] == n, 1]
            assert at.max() == pytest.approx(max(np.quantile(part, 0.95), part.mean()))
            low = np.quantile(part, 0.05)
            assert at.min() == pytest.approx(low if low > 0 else part.mean())
    bound = simulated.groupby("size")["bound"].mean()
    np.testing.assert_allclose(_line(ax, "bound on\ncoverage error").get_ydata(), bound)
    assert not [line for line in mt.plot.asymmetry(simulated, bound=False).lines if "bound" in line.get_label()]


def test_exact_values_are_lines_and_simulated_ones_marks_with_intervals(simulated, exact):
    ax = mt.plot.asymmetry(simulated, exact=exact)
    for bars, (column, name) in zip(
        [found for found in ax.collections if hasattr(found, "get_segments")], _ERRORS.items(), strict=True
    ):
        line, marks = _line(ax, name), data(ax, f"_simulated {column}")
        np.testing.assert_allclose(line.get_ydata(), exact[column], rtol=1e-12)
        assert line.get_marker() in ("None", "", None)
        grouped = simulated.groupby("size")[column]
        np.testing.assert_allclose(marks[:, 1], grouped.mean(), rtol=1e-12)
        half = 1.959963984540054 * grouped.std() / np.sqrt(60)
        top = np.array([segment[1, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(top, (grouped.mean() + half)[grouped.mean() > 0], rtol=1e-9)
        bottom = np.array([segment[0, 1] for segment in bars.get_segments()])
        expected = np.maximum((grouped.mean() - half)[grouped.mean() > 0], ax.get_ylim()[0])
        np.testing.assert_allclose(bottom, expected, rtol=1e-9)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["exact", "simulated, with 95% interval"]


def test_zeros_are_named_on_a_logarithmic_axis_and_drawn_on_a_linear_one():
    table = mt.experiments.exact_errors(mt.problems.two_coins(), sizes=[1, 3, 11])
    texts = [text.get_text() for text in mt.plot.asymmetry(table).texts]
    assert "coverage error:\nexactly 0" in texts
    ax = mt.plot.asymmetry(table, logarithmic=False)
    assert [text.get_text() for text in ax.texts] == list(_ERRORS.values())
    assert (_line(ax, "coverage error").get_ydata() == 0).all()
    frame = pd.DataFrame({"size": [1, 10, 100, 1000], "coverage_error": [1.0, 0.1, 0.0, 0.0], "purity_error": 0.5})
    frame["uniform_deviation"] = [1.0, 0.0, 0.1, 0.1]
    texts = [text.get_text() for text in mt.plot.asymmetry(frame).texts]
    assert texts == ["purity error", "coverage error:\n0 from n = 100 on", "largest deviation:\n0 at n = 10"]


@pytest.mark.slow
@pytest.mark.parametrize("logarithmic", [True, False])
def test_texts_do_not_overlap(logarithmic, simulated, exact):
    coins = mt.experiments.exact_errors(mt.problems.mirrored_decoys(), sizes=[1, 3, 11, 101])
    for options in ({"table": simulated, "exact": exact}, {"table": coins, "theme": "dark"}):
        ax = mt.plot.asymmetry(**options, logarithmic=logarithmic)
        assert overlapping_texts(ax.figure) == []


def test_a_single_size_and_a_single_replicate():
    table = mt.experiments.asymmetry(mt.problems.two_coins(), sizes=[3], replicates=1, rng=0)
    assert data(mt.plot.asymmetry(table), "purity error").tolist() == [[3.0, float(table["purity_error"].iloc[0])]]


def test_refusals(refuses, simulated):
    assert "asymmetry or exact_errors" in refuses("table", mt.plot.asymmetry, {"size": [1]})
    assert "purity_error" in refuses("table", mt.plot.asymmetry, simulated.drop(columns="purity_error"))
    refuses("exact", mt.plot.asymmetry, simulated, exact=[1])
    refuses("table", mt.plot.asymmetry, simulated.iloc[:0])
    refuses("ax", mt.plot.asymmetry, simulated, ax=1)


@pytest.mark.slow
def test_lines_and_bands_are_explained_and_no_simulated_zero_is_lost(simulated, exact):
    legend = mt.plot.asymmetry(simulated).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["mean of the samples", "5% to 95% of them"]
    zero = simulated.copy()
    zero.loc[zero["size"] == _SIZES[1], "purity_error"] = 0.0
    texts = [text.get_text() for text in mt.plot.asymmetry(zero).texts]
    assert f"purity error:\n0 at n = {_SIZES[1]}" in texts
    ax = mt.plot.asymmetry(zero, exact=exact)
    np.testing.assert_allclose(data(ax, "_simulated mean 0, purity_error"), [[_SIZES[1], ax.get_ylim()[0]]])
    assert "on the lower edge: simulated mean 0" in [text.get_text() for text in ax.get_legend().get_texts()]
    zero["purity_error"] = 0.0
    assert "purity error:\n0 in all samples" in [text.get_text() for text in mt.plot.asymmetry(zero).texts]


@pytest.mark.parametrize("sizes", [[20, 50, 90], [5, 9, 15], [101, 130], [10, 100, 1000], [300], [5000, 8000]])
def test_sizes_have_two_labels_or_more(sizes):
    frame = pd.DataFrame({"size": sizes, "coverage_error": 0.1, "purity_error": 0.5, "uniform_deviation": 0.2})
    ax = mt.plot.asymmetry(frame)
    mt.plotting.to_bytes(ax.figure, "png")
    low, high = ax.get_xlim()
    labels = []
    for minor in (False, True):
        places = ax.xaxis.get_ticklocs(minor=minor)
        texts = [text.get_text() for text in ax.xaxis.get_ticklabels(minor=minor)]
        labels += [text for x, text in zip(places, texts, strict=True) if text and low <= x <= high]
    assert len(labels) >= 2
    assert ("10²" in labels) == (sizes in ([10, 100, 1000], [300]))
