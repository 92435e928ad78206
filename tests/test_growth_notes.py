"""Every public callable states how its work grows, and benchmarks/growth.py holds it to that; nothing is timed here."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import moltheory

_BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
# What needs no growth: plots are as large as what they show, errors and shared inputs are none of it.
_OTHER_FACES = {"moltheory.plot", "moltheory.plotting", "moltheory.errors", "moltheory.cli"}


def _faces():
    for module in pkgutil.iter_modules(moltheory.__path__, "moltheory."):
        if not module.name.rpartition(".")[2].startswith("_") and module.name not in _OTHER_FACES:
            yield module.name.removeprefix("moltheory."), importlib.import_module(module.name)


def _public():
    """Return every public object of the faces, with the names that it has."""
    found = {}
    for face, module in _faces():
        for name in module.__all__:
            thing = getattr(module, name)
            if not inspect.ismodule(thing):
                found.setdefault(id(thing), (thing, set()))[1].add(f"{face}.{name}")
    return list(found.values())


@pytest.fixture(scope="module")
def table():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(_BENCHMARKS))
        return importlib.import_module("growth_cases")


def _callable_of(case_name):
    """Return the class or function of a case, and what it measures, which can be a method."""
    face, name, *method = case_name.split(".")
    whole = getattr(importlib.import_module(f"moltheory.{face}"), name)
    return whole, getattr(whole, method[0]) if method else whole


def test_every_public_callable_is_in_the_table_or_says_why_not(table):
    measured = {id(_callable_of(case.name)[0]) for case in table.CASES}
    elsewhere = {id(_callable_of(name)[0]) for names in table.NOT_IN_TABLE.values() for name in names}
    left = [names for thing, names in _public() if id(thing) not in measured | elsewhere]
    assert left == []
    assert not measured & elsewhere


def test_what_is_measured_states_its_complexity(table):
    silent = set()
    for case in table.CASES:
        whole, part = _callable_of(case.name)
        texts = [inspect.getdoc(thing) or "" for thing in (whole, part)]
        if not any("Complexity: " in text.partition("\nNotes\n-----\n")[2] for text in texts):
            silent.add(case.name)
    assert silent == set()


def test_cases_can_fit_an_exponent(table):
    for case in table.CASES:
        assert case.largest >= 4 * case.first, case.name
        assert 0 <= case.memory <= case.time <= 3, case.name
    keys = [(case.name, case.of) for case in table.CASES]
    assert len(set(keys)) == len(keys)
