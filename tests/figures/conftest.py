"""Every figure computed and drawn once, with a quick budget, for all tests of this folder."""

import pytest

from moltheory.figures import Settings, figure_names, get_figure
from moltheory.plotting import panels

QUICK = Settings(quick=True)


@pytest.fixture(scope="session")
def results():
    return {name: get_figure(name).compute(QUICK) for name in figure_names()}


@pytest.fixture(scope="session")
def drawn(results):
    """Return a function that gives the axes of a figure."""
    known = {}

    def axes_of(name):
        if name not in known:
            figure = get_figure(name)
            _, axes = panels(figure.n_panels)
            assert list(figure.draw(results[name], axes)) == axes
            known[name] = axes
        return known[name]

    return axes_of
