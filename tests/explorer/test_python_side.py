"""Worlds with other true risks, the widget without a browser, and the page as text."""

import base64
import hashlib
import importlib.util
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import moltheory as mt
from moltheory.errors import MissingDependencyError
from moltheory.explorer import explorer_page, explorer_section, with_true_risks
from moltheory.explorer._bundle import script, style


@given(st.integers(0, 10**6), st.lists(st.integers(1, 199), min_size=8, max_size=8), st.booleans())
def test_moved_worlds_have_the_risks_and_keep_outcomes_range_order_and_constants(seed, steps, decimals):
    rng = np.random.default_rng(seed)
    losses = rng.random((5, 4, 2)) if decimals else rng.integers(0, 2, size=(5, 4, 2)).astype(float)
    losses[:, 0, 0] = 0.25
    losses[0, 1:, 0], losses[1, 1:, 0], losses[:, :, 1] = 0.0, 1.0, losses[0, :, 1]
    world = mt.FiniteWorld([0.3, 0.1, 0.2, 0.2, 0.2], losses)
    aims = np.array(steps).reshape(4, 2) / 200
    moved = with_true_risks(world, aims)
    assert moved.probabilities == world.probabilities
    np.testing.assert_allclose(moved.true_risks, aims, rtol=1e-14, atol=1e-15)
    assert moved.losses.min() >= 0.0
    assert moved.losses.max() <= 1.0
    assert (moved.losses[:, 0, 0] == aims[0, 0]).all()
    assert (moved.losses[:, :, 1] == aims[:, 1]).all()
    for h in range(1, 4):
        # An increasing map of the losses: outcomes keep their order, so risks keep their dependence.
        assert (np.diff(moved.losses[np.argsort(losses[:, h, 0]), h, 0]) >= -1e-15).all()
        below = aims[h, 0] < world.true_risks[h, 0]
        r, aim, old = world.true_risks[h, 0], aims[h, 0], losses[:, h, 0]
        expected = old * aim / r if below else 1 - (1 - old) * (1 - aim) / (1 - r)
        np.testing.assert_allclose(moved.losses[:, h, 0], expected, rtol=1e-12, atol=1e-14)


def test_moving_nothing_changes_nothing_and_ties_are_made_exactly():
    world = mt.problems.reference_world()
    assert np.array_equal(with_true_risks(world, world.true_risks).losses, world.losses)
    moved = with_true_risks(world, [[0.1, 0.5], [0.3, 0.3], [0.3, 0.3], [0.5, 0.3]])
    assert moved.is_lattice
    assert mt.nondominated(moved.true_risks).tolist() == [True, True, True, False]


def test_moved_worlds_are_refused_outside_the_range(refuses):
    world = mt.problems.two_coins()
    refuses("true_risks", with_true_risks, world, [[0.5, 0.0]])
    refuses("true_risks", with_true_risks, world, [[0.5, 0.0], [1.5, 1.0]])
    refuses("true_risks", with_true_risks, world, [[0.5, 0.0], [float("nan"), 1.0]])
    refuses("losses", with_true_risks, world, [[0.0, 0.0], [1.0, 1.0]])


def test_explore_refuses_what_it_cannot_show(refuses):
    world = mt.problems.mirrored_decoys()
    three = mt.FiniteWorld([0.5, 0.5], [[[0, 1, 2]], [[1, 1, 2]]])
    refuses("world", mt.explore, "two_coins")
    refuses("world", mt.explore, mt.problems.tilted_line(500))
    refuses("n", mt.explore, world, n=0)
    refuses("n", mt.explore, world, n=10**6)
    refuses("delta", mt.explore, world, delta=0.0)
    refuses("objectives", mt.explore, world, objectives=(0, 0))
    refuses("objectives", mt.explore, world, objectives=(0, 2))
    refuses("objectives", mt.explore, three, objectives=(1, 2))
    refuses("seed", mt.explore, world, seed=-1)
    refuses("worlds", explorer_page, [])


def test_without_anywidget_the_refusal_says_how_to_install_it(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "anywidget" else find(name, *rest)
    )
    with pytest.raises(MissingDependencyError, match=r'pip install "moltheory\[notebook\]"'):
        mt.explore()


def test_the_widget_holds_the_state_and_gives_the_world():
    pytest.importorskip("anywidget")
    explorer = mt.explore(mt.problems.two_coins(), n=10)
    assert explorer.true_risks == [[0.5, 0.0], [0.5, 1.0]]
    explorer.true_risks = np.array([[0.5, 0.0], [0.25, 1.0]])
    assert explorer.world.true_risks.tolist() == [[0.5, 0.0], [0.25, 1.0]]
    explorer.n = 11
    for name, value in (("n", 0), ("delta", 1.0), ("seed", -1), ("counts", [1]), ("true_risks", [[0.5, 0.0]])):
        with pytest.raises(mt.InvalidInputError, match=f"^`{name}` must "):
            setattr(explorer, name, value)
    with pytest.raises(mt.InvalidInputError, match=r"within \[0, 1\] for objective 'error', got 1\.5"):
        explorer.true_risks = [[0.5, 0.0], [1.5, 1.0]]
    explorer.reset()
    assert explorer.true_risks == [[0.5, 0.0], [0.5, 1.0]]
    assert "two_coins" in repr(explorer)
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].startswith("<p>An explorer of two_coins")
    assert "n = 11" in repr(explorer)


def test_presets_and_chosen_objectives_of_the_widget():
    pytest.importorskip("anywidget")
    explorer = mt.explore()
    explorer.preset = 2
    assert explorer.true_risks == mt.problems.reference_world().true_risks.tolist()
    with pytest.raises(mt.InvalidInputError, match=r"^`preset` must "):
        explorer.preset = 9
    world = mt.FiniteWorld([0.5, 0.5], [[[0, 0, 3], [1, 0, 2]], [[1, 1, 3], [0, 1, 2]]])
    explorer = mt.explore(world, objectives=(2, 0))
    assert explorer.true_risks == [[3.0, 0.5], [2.0, 0.5]]
    explorer.true_risks = [[1.0, 0.25], [2.0, 0.5]]
    assert explorer.world.true_risks.tolist() == [[0.25, 0.5, 1.0], [0.5, 0.5, 2.0]]


def test_the_module_is_one_file_without_network_or_imports():
    for text in (script(), script(for_page=True)):
        assert not re.search(r"^\s*import\s|import\(|fetch\(|XMLHttpRequest|WebSocket", text, re.MULTILINE)
        assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
        assert "eval(" not in text
        assert "Function(" not in text
        assert "innerHTML" not in text
    assert script().count("export default") == 1
    assert "url(" not in style()


def test_the_page_admits_its_script_by_digest_and_holds_names_as_data():
    hostile = "</script><script>alert(1)</script>"
    world = mt.FiniteWorld([0.5, 0.5], [[[0, 0]], [[1, 1]]], objective_names=(hostile, "b"), name=hostile)
    page = explorer_page(world)
    assert "alert(1)</script>" not in page
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page).group(1)
    scripts = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.search(r"script-src ([^;]+);", policy).group(1) == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert "unsafe" not in policy
    data = re.search(r'<script type="application/json" id="explorer-data">(.*?)</script>', page, re.DOTALL).group(1)
    assert json.loads(data)["_worlds"][0]["objectives"] == [hostile, "b"]
    assert len(page) < 100_000


def test_a_script_that_is_none_of_the_package_s_is_not_admitted():
    from markupsafe import Markup

    from moltheory.reports._html import render_page

    page = render_page("explorer.html.j2", title="x", explorer=Markup("<script>alert(1)</script>"), explorer_style="")
    assert "script-src" not in page
    with pytest.raises(ValueError, match="end of a script"):
        render_page("page.html.j2", title="x", scripts=["</script>"])


def test_sections_share_one_script():
    first, second = explorer_section(name="a"), explorer_section(mt.problems.two_coins(), name="b")
    assert first.script == second.script
    assert 'id="b-data"' in second.html
