"""Every figure computed and drawn once, with a quick budget, for all tests of this folder."""

import fcntl
import os

import cloudpickle
import pytest

from moltheory.figures import Settings, get_figure
from moltheory.plotting import panels

QUICK = Settings(quick=True)


class _Results(dict):
    """Results by name of figure, each computed when it is first asked for, by one of the processes of a test run."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def __missing__(self, name):
        if self.folder is None:
            self[name] = get_figure(name).compute(QUICK)
            return self[name]
        with (self.folder / name).open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
            file.seek(0)
            content = file.read()
            if not content:
                content = cloudpickle.dumps(get_figure(name).compute(QUICK))
                file.write(content)
        self[name] = cloudpickle.loads(content)
        return self[name]


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return _Results(None)
    folder = tmp_path_factory.getbasetemp().parent / "figures"  # that of all processes of this run
    folder.mkdir(exist_ok=True)
    return _Results(folder)


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
