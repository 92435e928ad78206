"""How pictures come from the scripts to the pages of the gallery."""

import importlib.util
from pathlib import Path

import pytest

from moltheory.plotting import new_axes

_MODULE = Path(__file__).parents[2] / "docs" / "_ext" / "gallery_pictures.py"


@pytest.fixture
def scrape(tmp_path):
    """The scraper on one cell: what it returns, and the files that it writes."""
    pytest.importorskip("sphinx_gallery", reason="the extra [docs] is not installed")
    spec = importlib.util.spec_from_file_location("gallery_pictures", _MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    script = tmp_path / "plot_one.py"
    script.write_text('"""\nA title\n=======\n"""\n', encoding="utf-8")

    def scraped(code, value):
        variables = {
            "example_globals": {"___": value},
            "image_path_iterator": iter([str(tmp_path / "one_001.png")]),
            "src_file": str(script),
        }
        rest = module.scraper(("code", code, 1), variables, {"src_dir": str(tmp_path)})
        return rest, sorted(path.name for path in tmp_path.glob("*.png"))

    return scraped


def test_axes_in_the_last_line_are_the_picture(scrape):
    rest, files = scrape("x = 1\nax", new_axes())
    assert files == ["one_001.png", "one_001_2_00x.png"]
    assert ":alt: A title" in rest


def test_a_cell_that_ends_otherwise_does_not_show_the_axes_of_an_earlier_one(scrape):
    assert scrape("ax\nx = 1", new_axes()) == ("", [])


def test_other_values_are_no_pictures(scrape):
    assert scrape("x", 3) == ("", [])
