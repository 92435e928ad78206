"""The face of the room, axes of a user's own figure, and pictures in a notebook."""

import importlib
import inspect
import subprocess
import sys

import numpy as np
import pytest

import moltheory as mt
from moltheory.plotting import new_axes, panels
from tests.plot._shown import overlapping_texts, random_world

_NAMES = ["asymmetry", "attack", "bounds", "cells", "certificate", "fronts", "sweep", "theorem"]


def test_tab_offers_exactly_the_functions():
    assert dir(mt.plot) == mt.plot.__all__ == _NAMES
    for name in _NAMES:
        function = getattr(mt.plot, name)
        parameters = inspect.signature(function).parameters
        assert {"ax", "theme"} <= set(parameters)
        assert "Complexity:" in function.__doc__
        assert ">>> " in function.__doc__


def test_pyplot_is_never_imported():
    code = (
        "import sys, moltheory as mt; ax = mt.plot.fronts(mt.problems.two_coins(), 5); ax._repr_png_(); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def _draw_on(axes):
    world, forward = mt.problems.reference_world(), mt.theorems.ledger()["forward"]
    mt.plot.fronts(world, 20, ax=axes[0])
    mt.plot.asymmetry(mt.experiments.exact_errors(world, sizes=[5, 10]), ax=axes[1])
    mt.plot.bounds(mt.bounds.applicable_bounds(n=300, errors=24), estimate=0.08, ax=axes[2])
    mt.plot.cells([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]], widths=0.02, ax=axes[3])
    mt.plot.theorem(forward, world, [3, 5], ax=axes[4:6])


_SLOW = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "layout"),
    [
        ("default", None),
        pytest.param("ggplot", None, marks=_SLOW),
        pytest.param("dark_background", "constrained", marks=_SLOW),
    ],
)
def test_panels_of_a_user_keep_to_themselves(style, layout):
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.style.context(style):
        figure = Figure(figsize=(19, 10), layout=layout)
        axes = figure.subplots(2, 3)
        faces = [ax.get_facecolor() for ax in axes.ravel()]
        _draw_on(axes.ravel())
    FigureCanvasAgg(figure).draw()
    assert [ax.get_facecolor() for ax in axes.ravel()] == faces
    assert tuple(figure.get_size_inches()) == (19.0, 10.0)
    boxes = [ax.get_tightbbox() for ax in axes.ravel()]
    for k, one in enumerate(boxes):
        assert one.x0 >= -1
        assert one.x1 <= figure.bbox.x1 + 1
        assert one.y1 <= figure.bbox.y1 + 1
        for other in boxes[:k]:
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert width <= 8 or height <= 8, (k, width, height)
    assert overlapping_texts(figure) == []


def test_users_settings_do_not_leak_in_or_out():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with mpl.rc_context({"text.color": "red", "font.size": 30.0, "axes.grid": False, "savefig.dpi": 30.0}):
        inside = dict(mpl.rcParams)
        ax = mt.plot.fronts(mt.problems.two_coins(), 5)
        assert dict(mpl.rcParams) == inside
    assert dict(mpl.rcParams) == before
    plain = mt.plot.fronts(mt.problems.two_coins(), 5)
    assert ax._repr_png_() == plain._repr_png_()


@pytest.mark.slow
def test_a_notebook_shows_the_picture():
    formatters = importlib.import_module("IPython.core.formatters")
    formatter = formatters.PNGFormatter()
    ax = mt.plot.cells([[0.0, 1.0], [1.0, 0.0]])
    picture, size = formatter(ax)
    assert picture.startswith(b"\x89PNG")
    assert size == {"width": 672, "height": 442}
    both = mt.plot.theorem(mt.theorems.ledger()["joint"], mt.problems.two_coins(), [3])
    assert isinstance(both, list)
    assert formatter(both)[0].startswith(b"\x89PNG")
    assert formatter(panels(3)[1])[1]["width"] == round(3 * 4.3 * 96)
    # It can be drawn on afterwards, and is laid out again.
    engine = type(ax.figure.get_layout_engine())
    ax.set_title("more")
    assert type(ax.figure.get_layout_engine()) is engine
    assert formatter(ax)[0] != picture


def test_certificates_are_drawn_by_their_own_method():
    rng = np.random.default_rng(0)
    result = mt.certify((rng.random((200, 3, 2)) < [[0.2, 0.3], [0.5, 0.6], [0.3, 0.2]]).astype(float))
    drawn = new_axes()
    assert mt.plot.certificate(result, ax=drawn) is drawn
    assert drawn.has_data()


def test_a_certificate_is_asked_for(refuses):
    assert "moltheory.certify" in refuses("certificate", mt.plot.certificate, random_world(3))
