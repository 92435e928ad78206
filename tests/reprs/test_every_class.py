"""Every public class has a representation: found by the lists of public names, so that none is forgotten."""

import html.parser
import inspect
import pickle

import pytest

import moltheory as mt
from moltheory._core._deprecation import DeprecatedAlias
from tests.reprs._examples import FACTORIES, NOT_SHOWN
from tests.reprs._modules import public_modules

_ORDINARY, _LARGE = 6_000, 40_000
_VOID = {"input", "br", "hr"}


def public_classes() -> dict[str, type]:
    """Public classes by name, exceptions left out: those that are raised show themselves.

    Classes that share a name have that of their part of the package before it.
    """
    homes = {}
    for module in public_modules():
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and not issubclass(value, BaseException):
                homes.setdefault(value.__name__, {})[value] = value.__module__.split(".")[1]
    return {
        name if len(kinds) == 1 else f"{home}.{name}": kind
        for name, kinds in homes.items()
        for kind, home in kinds.items()
    }


class Checker(html.parser.HTMLParser):
    """Collects what an HTML text holds, and complains about tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


def checked(text: str) -> Checker:
    """Parse HTML and refuse what has no place in an output of a cell."""
    found = Checker()
    found.feed(text)
    found.close()
    assert not found.open
    assert not found.tags & {"script", "img", "link", "iframe", "object", "meta", "base"}
    assert not {name for name in found.attributes if name.startswith("on") or name in ("src", "href", "style")}
    assert "http" not in text.replace("https://", "") or "url(" not in text
    assert "@import" not in text
    return found


_SHOWN = sorted(set(public_classes()) - set(NOT_SHOWN))


def test_what_is_not_shown_is_public():
    assert set(NOT_SHOWN) - {"PartialFrontWarning"} <= set(public_classes())


@pytest.mark.parametrize("name", _SHOWN)
def test_a_public_class_is_shown(name):
    kind = public_classes()[name]
    assert name in FACTORIES, f"add an object of {name} to tests/reprs/_examples.py, or a reason to NOT_SHOWN"
    value = FACTORIES[name]()
    assert isinstance(value, kind)
    line, text = repr(value), value._repr_html_()
    assert line
    assert "not shown:" not in line + text
    assert " object at 0x" not in line
    assert len(line) < 2_000
    assert len(text.encode()) <= (_LARGE if name == "Ledger" else _ORDINARY)
    found = checked(text)
    assert type(value).__name__ in "".join(found.text)
    assert value._repr_html_() == text


@pytest.mark.parametrize("name", _SHOWN)
def test_names_are_public_ones_and_no_deprecated_ones(name):
    value = FACTORIES[name]()
    listed = dir(value)
    assert listed == sorted(listed)
    kind = type(value)
    old = {key for one in kind.__mro__ for key, found in vars(one).items() if isinstance(found, DeprecatedAlias)}
    assert not old & set(listed)
    public = {key for key in vars(kind) if not key.startswith("_")} - old
    assert public <= set(listed)


@pytest.mark.parametrize("name", ["Front", "Bound", "Interval", "Certificate", "Sweep", "Measured", "FiniteWorld"])
def test_what_is_pickled_is_shown_alike(name):
    value = FACTORIES[name]()
    again = pickle.loads(pickle.dumps(value))
    assert repr(again) == repr(value)
    assert again._repr_html_() == value._repr_html_()


def test_print_lays_out_the_whole_card():
    front = mt.pareto_front([[3, 1], [2, 2], [3, 3], [1, 4]])
    assert str(front).splitlines() == [
        "Front: 3 points in 2 objectives; smaller is better",
        "  ideal  [1, 1]",
        "  nadir  [3, 4]",
        "",
        "  member  objective 0  objective 1",
        "       3            1            4",
        "       1            2            2",
        "       0            3            1",
    ]
    assert repr(front) == "Front(3 points, 2 objectives, smaller is better)"
