"""The table of methods is all there is: what it holds is computed, documented and tested everywhere."""

import numpy as np
import pytest

from moltheory.bounds import applicable_bounds
from moltheory.inference import binomial_interval, interval_methods, mean_interval
from moltheory.inference._methods import METHODS, Method
from tests.inference._coverage import exact_failures, grid


def test_names():
    assert set(interval_methods(from_counts=True)) < set(interval_methods()) == set(METHODS)
    assert all(METHODS[name].in_order for name in set(METHODS) - set(interval_methods(from_counts=True)))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_documented_with_its_source(name):
    assert f'``"{name}"``' in mean_interval.__doc__
    assert (f'``"{name}"``' in binomial_interval.__doc__) != METHODS[name].in_order
    found = mean_interval([0.0, 1.0, 1.0], method=name, delta=0.1)
    assert found.source == METHODS[name].source
    assert any(word in found.source for word in ("doi", "arXiv"))
    assert found.assumptions == METHODS[name].assumptions


def _chebyshev_end(summary, log_level):
    """One-sided Chebyshev (Cantelli) with the largest variance 1/4, written by somebody else."""
    end = np.minimum(summary.mean + np.sqrt(np.expm1(log_level) / (4.0 * summary.n)), 1.0)
    return end, 1.0 - end


def test_a_row_and_a_function_make_a_method(monkeypatch):
    monkeypatch.setitem(METHODS, "cantelli", Method("Cantelli", "Cantelli's inequality", "doi 10/toy", _chebyshev_end))
    assert "cantelli" in interval_methods(from_counts=True)
    n = 60
    found = binomial_interval(np.arange(n + 1), n, method="cantelli", delta=0.1)
    assert exact_failures(found.lower, found.upper, n, grid(found.lower, found.upper)).max() <= 0.1
    assert "cantelli" in set(applicable_bounds(n=n, errors=5)["bound"])
    losses = np.repeat([0.25, 0.75], 30)
    expected = 0.5 + np.sqrt((1 / 0.05 - 1) / (4 * n))
    assert mean_interval(losses, method="cantelli", delta=0.05, side="upper").upper == pytest.approx(expected)


def test_methods_in_order_are_refused_for_counts(refuses):
    message = refuses("method", binomial_interval, 1, 3, method="betting", delta=0.1)
    assert "betting" not in message.partition(", got")[0]
    refuses("method", mean_interval, [0.5], method="cantelli", delta=0.1)
