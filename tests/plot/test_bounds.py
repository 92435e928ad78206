"""What `plot.bounds` draws: half-widths against n, and intervals as bars, with what is vacuous said so."""

import numpy as np
import pytest

import moltheory as mt
from tests.plot._shown import data, overlapping_texts

_N = [30, 300, 3000]


def _finite(n):
    return mt.bounds.finite_class(n, n_hypotheses=10, delta=0.05)


def _vc(n):
    return mt.bounds.vc(n, dimension=10, delta=0.05)


def test_curves_are_the_half_widths_of_their_formulas():
    ax = mt.plot.bounds({"10 models": _finite, "dimension 10": [_vc(n) for n in _N]}, n=_N)
    expected = np.sqrt(np.log(2 * 10 / 0.05) / (2 * np.array(_N)))
    np.testing.assert_allclose(data(ax, "10 models"), np.column_stack([_N, expected]), rtol=1e-9)
    np.testing.assert_allclose(data(ax, "dimension 10")[:, 1], [float(_vc(n)) for n in _N])
    texts = [text.get_text() for text in ax.texts]
    assert "above 1: says nothing" in texts
    assert texts[-2:] == ["10 models", "dimension 10"]
    assert overlapping_texts(ax.figure) == []


def test_nothing_is_said_of_vacuous_bounds_where_there_is_none():
    ax = mt.plot.bounds({"10 models": _finite}, n=_N)
    assert [text.get_text() for text in ax.texts] == ["10 models"]


def test_bars_are_the_intervals_of_the_table():
    table = mt.bounds.applicable_bounds(n=300, errors=24)
    ax = mt.plot.bounds(table, estimate=0.08)
    for name, low, high in table[["bound", "lower", "upper"]].itertuples(index=False):
        np.testing.assert_allclose(data(ax, f"_{name}")[:, 0], [low, high])
    assert [label.get_text() for label in ax.get_yticklabels()] == table["bound"].tolist()
    np.testing.assert_array_equal(data(ax, "_estimate")[:, 0], [0.08, 0.08])
    assert overlapping_texts(ax.figure) == []


@pytest.mark.parametrize(
    ("bounds", "bars"),
    [
        (mt.bounds.binomial_interval(3, 100, delta=0.05), 1),
        (mt.bounds.binomial_interval([3, 10], 100, delta=0.05), 2),
        (
            {
                "A": mt.bounds.binomial_interval(3, 100, delta=0.05),
                "B": mt.bounds.binomial_interval(9, 100, delta=0.05),
            },
            2,
        ),
        (mt.bounds.finite_class(100, n_hypotheses=5, delta=0.05, n_objectives=1), 1),
        (mt.bounds.applicable_bounds(excess=0.1, n_hypotheses=5, dimension=3), 2),
    ],
)
def test_everything_that_is_a_bound_has_bars(bounds, bars):
    ax = mt.plot.bounds(bounds)
    assert len(ax.get_yticks()) == bars
    assert overlapping_texts(ax.figure) == []


def test_vacuous_half_widths_are_cut_and_said_to_be_so():
    table = mt.bounds.applicable_bounds(n=300, n_hypotheses=100, dimension=50)
    table = table[table["quantity"] == "width"]
    ax = mt.plot.bounds(table)
    vacuous = table[table["vacuous"]]
    assert vacuous["bound"].tolist() == ["VC dimension"]
    assert data(ax, "_VC dimension")[-1, 0] == 1.0
    assert [text.get_text().endswith(": says nothing") for text in ax.texts] == table["vacuous"].tolist()
    around = mt.plot.bounds(table, estimate=0.4)
    width = table["value"][0]
    np.testing.assert_allclose(data(around, "_finite class")[:, 0], [0.4 - width, 0.4 + width])


def test_refusals(refuses):
    refuses("bounds", mt.plot.bounds, 3.0)
    refuses("bounds", mt.plot.bounds, {})
    refuses("bounds", mt.plot.bounds, {"a": [0.1]}, n=[1, 2])
    refuses("bounds", mt.plot.bounds, _finite, n=[1])
    refuses("n", mt.plot.bounds, {"a": _finite})
    refuses("n", mt.plot.bounds, {"a": _finite}, n=[0])
    refuses("n", mt.plot.bounds, {"a": _finite}, n=3)


def test_an_error_names_its_curve(refuses):
    def refusing(n):
        raise mt.errors.TooLargeError("`n` must be 20 or more, got 10.")

    curves = {"fine": lambda n: 1.0 / n, "far too small": refusing}
    assert "'far too small' at n = 10: `n` must be 20 or more" in refuses("bounds", mt.plot.bounds, curves, n=[10])
