"""Every figure computed and drawn once, with a quick budget, for all tests of this folder."""

import pytest

from moltheory.figures import Settings, get_figure
from moltheory.plotting import panels

QUICK = Settings(quick=True)


class _Results(dict):
    """Results by name of figure, each computed when it is first asked for."""

    def __missing__(self, name):
        self[name] = get_figure(name).compute(QUICK)
        return self[name]


@pytest.fixture(scope="session")
def results():
    return _Results()


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
