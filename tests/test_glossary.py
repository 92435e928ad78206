"""The glossary names things that exist, and what is public speaks the language of the field."""

import functools
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import moltheory

_GLOSSARY = Path(__file__).parents[1] / "docs" / "glossary.md"
_ENTRIES = re.findall(r"^\*\*(.+?)\.\*\* (.+?)\nIn the code: (.+?)$", _GLOSSARY.read_text(), re.MULTILINE | re.DOTALL)
# Words of the workshop: each has a term of the field that says the same to everybody.
_HOUSE = re.compile(
    r"\b(told|tells?|telling|beats?|beaten|beating|settles?|settled|settling|rooms?|floors?|who|whoever|nobody|somebody"
    r"|said|says?|honest|lucky|spoils?)\b"
)


def _resolved(name: str) -> object:
    """Return the object of a dotted name; an attribute that only instances have counts as its class's."""
    found: object = moltheory
    for part in name.split("."):
        if inspect.isclass(found) and not hasattr(found, part):
            fields = {*getattr(found, "__dataclass_fields__", ()), *getattr(found, "__annotations__", ())}
            assert part in fields, f"{found.__name__} has no {part}"
            return None
        found = getattr(found, part)
    return found


def test_every_entry_is_read():
    assert 30 <= len(_ENTRIES) == _GLOSSARY.read_text().count("In the code: ") == _GLOSSARY.read_text().count("\n**")
    terms = [term.lower() for term, _, _ in _ENTRIES]
    assert len(set(terms)) == len(terms)
    for term, definition, _ in _ENTRIES:
        assert definition.rstrip().endswith("."), term
        assert len(re.findall(r"[.;](?:\s|$)", definition.partition("Reference:")[0])) <= 4, term


@pytest.mark.parametrize("name", sorted({name for entry in _ENTRIES for name in re.findall(r"`(.+?)`", entry[2])}))
def test_identifiers_exist(name):
    name, _, parameter = name.rstrip(")").partition("(")
    found = _resolved(name)
    if parameter:
        assert callable(found)
        assert parameter in inspect.signature(found).parameters


@functools.cache
def _public() -> dict[str, object]:
    """Return everything that is exported, and the public members of exported classes, by their dotted names."""
    modules = [moltheory]
    below = (module.name for module in pkgutil.walk_packages(moltheory.__path__, "moltheory."))
    private = re.compile(r"(^|\.)_")
    modules.extend(importlib.import_module(name) for name in below if not private.search(name))
    found: dict[str, object] = {}
    for module in modules:
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            found[f"{module.__name__}.{name}"] = thing
            for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                if not member.startswith("_"):
                    value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
                    if inspect.isfunction(value):
                        found[f"{module.__name__}.{name}.{member}"] = value
    return found


def _house_words(text: str) -> list[str]:
    return _HOUSE.findall(text.replace("_", " ").replace("-", " "))


def test_no_house_word_is_a_public_name():
    names = [name.rpartition(".")[2] for name in _public()]
    assert [name for name in names if _house_words(name)] == []


# "The paper says" is the head of a column of every table of claims, and not the house's word for "states".
_OF_PAPERS = ["moltheory.studies.Claim(says)"]


def test_no_house_word_is_a_public_parameter():
    found = []
    for name, thing in _public().items():
        if inspect.isfunction(thing) or (inspect.isclass(thing) and thing.__module__.startswith("moltheory")):
            try:
                parameters = inspect.signature(thing).parameters
            except (TypeError, ValueError):
                continue
            found += [f"{name}({word})" for word in parameters if _house_words(word)]
    assert sorted(found) == _OF_PAPERS


def test_no_house_word_is_in_a_first_line():
    found = {}
    for name, thing in _public().items():
        if inspect.isclass(thing) or inspect.isfunction(thing):
            first = (inspect.getdoc(thing) or "").partition("\n\n")[0]
            if _house_words(first):
                found[name] = first
    assert found == {}


def test_no_house_word_is_on_the_command_line():
    from moltheory.cli import _parser

    def options(parser):
        for action in parser._actions:
            yield from action.option_strings
            yield action.metavar if isinstance(action.metavar, str) else ""
            yield action.help or ""
            for below in getattr(action, "choices", None) or () if hasattr(action, "add_parser") else ():
                yield below
                yield from options(action.choices[below])

    words = list(options(_parser()))
    assert "--plan" in words
    assert [word for word in words if _house_words(word)] == []
