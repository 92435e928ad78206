"""Results written as JSON: texts of earlier versions are read exactly, and every other text is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from moltheory import Certificate
from moltheory.bounds import Bound, Interval
from moltheory.pareto import Front

# What version 0.1 wrote: pairs of the name of the class and the object.
_OLD = json.loads((Path(__file__).parent / "texts_of_0_1.json").read_text(encoding="utf-8"))
_CLASSES = {kind.__name__: kind for kind in (Bound, Interval, Front, Certificate)}
_RENAMED = {"Certificate": {"level": "adjusted_p_value", "beats": "dominates", "spent": "delta_allocation"}}
# Fields that a class can do without, as texts from before 0.1 did.
_LEFT_OUT = {
    "Bound": {"lower", "upper", "shares", "identity", "scope", "version"},
    "Interval": {"identity"},
    "Front": set(),
    "Certificate": {
        *("within_slack", "replaceable_by", "decided_at", "leaning", "open_rivals"),
        *("error", "dependence", "verdicts", "engine"),
    },
}
# A longer list of these fits no other field.
_SIZED = {
    "Bound": {"loss_range", "lower", "upper"},
    "Interval": {"lower", "upper", "range", "delta"},
    "Front": {"points", "members", "maximise"},
    "Certificate": {
        *("names", "objectives", "maximise", "data_dependent", "sure", "excluded", "excluded_by", "level", "estimates"),
        *("boxes", "epsilon", "methods", "within_slack", "replaceable_by"),
    },
}
# What a text may hold instead of a value, by the value's kind: all of it must be refused.
_WRONG = {
    str: [None, 3, True, ["a"], {"a": 1}],
    float: [None, "0.5", True, {}, [[1.0], [1.0, 2.0]], ["0.5"], "NaN"],
    int: [None, "3", 1.5, True, {}, ["3"]],
    bool: [None, "true", 1, 0, {}],
}


@pytest.fixture(params=range(len(_OLD)), ids=[f"{kind} {k}" for k, (kind, _) in enumerate(_OLD)])
def written(request):
    name, content = _OLD[request.param]
    return _CLASSES[name], dict(content)


def _leaf(value):
    while isinstance(value, list) and value:
        value = next((entry for entry in value if entry is not None), None)
    return value


def test_texts_of_the_last_version_are_read_and_written_again(written):
    kind, content = written
    again = json.loads(kind.from_json(json.dumps(content)).to_json())
    expected = {_RENAMED.get(kind.__name__, {}).get(name, name): value for name, value in content.items()}
    # Fields that came later have their defaults.
    assert {*again} - {*expected} <= _LEFT_OUT[kind.__name__] | {"promise", "verdict"}
    again = {name: again[name] for name in expected}
    # As text, so that -0.0 is not 0.0, and every digit counts.
    assert json.dumps(again, sort_keys=True) == json.dumps(expected, sort_keys=True)


@pytest.mark.parametrize("content", _OLD, ids=lambda entry: entry[0])
def test_texts_without_the_fields_that_came_later_are_read(content):
    name, fields = content
    older = {field: value for field, value in fields.items() if field not in _LEFT_OUT[name]}
    found = _CLASSES[name].from_json(json.dumps(older))
    assert type(found) is _CLASSES[name]


def test_floats_are_exact(written):
    kind, content = written
    if kind is not Bound:
        return
    values = [5e-324, 0.1, np.nextafter(1.0, 2.0), 1e308, float("inf")]
    found = Bound.from_json(
        json.dumps({**content, "width": values, "loss_range": 1.0, "lower": None, "upper": None, "shares": None})
    )
    assert found.width.tolist() == values
    assert Bound.from_json(found.to_json()).width.tobytes() == found.width.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("kind", _CLASSES.values())
@pytest.mark.parametrize(
    "text", ["", "3", "null", "[]", "{}", "{", "[1, 2]", '"text"', "\0", '{"kind": 1}', "[" * 100_000, None, 5, ["{}"]]
)
def test_foreign_texts_are_refused(kind, text, refuses):
    assert f"{kind.__name__}.to_json" in refuses("text", kind.from_json, text)


def test_truncated_texts_are_refused(written, refuses):
    kind, content = written
    text = json.dumps(content)
    for length in range(0, len(text), 41):
        refuses("text", kind.from_json, text[:length])


def test_texts_of_other_classes_are_refused(written, refuses):
    kind, content = written
    for other in _CLASSES.values():
        if other is not kind:
            refuses("text", other.from_json, json.dumps(content))


def test_missing_and_further_fields_are_refused_by_name(written, refuses):
    kind, content = written
    for name in content:
        without = {key: value for key, value in content.items() if key != name}
        if name not in _LEFT_OUT[kind.__name__]:
            wanted = _RENAMED.get(kind.__name__, {}).get(name, name)
            assert f"no field {wanted!r}" in refuses("text", kind.from_json, json.dumps(without))
    assert "an unknown field 'colour'" in refuses("text", kind.from_json, json.dumps({**content, "colour": 1}))


def test_values_of_another_type_are_refused(written, refuses):
    kind, content = written
    for name, value in content.items():
        leaf = _leaf(value)
        if leaf is None or name == "identity":
            continue
        for wrong in _WRONG[type(leaf)]:
            if wrong is None and name in _LEFT_OUT[kind.__name__]:
                continue
            if isinstance(leaf, str) and wrong == ["a"] and (isinstance(value, list) or name == "method"):
                continue
            refuses("text", kind.from_json, json.dumps({**content, name: wrong}))


def test_lists_of_another_length_are_refused(written, refuses):
    kind, content = written
    for name in _SIZED[kind.__name__]:
        if isinstance(content[name], list):
            # One number in brackets is still one number.
            nested = [] if np.size(content[name]) == 1 else [[content[name]]]
            for changed in ([*content[name], content[name][-1]], [], *nested):
                refuses("text", kind.from_json, json.dumps({**content, name: changed}))


def test_values_that_a_class_refuses_are_refused_as_a_text(refuses):
    bound, certificate = (next(c for kind, c in _OLD if kind == name) for name in ("Bound", "Certificate"))
    front, interval = (next(c for kind, c in _OLD if kind == name) for name in ("Front", "Interval"))
    assert "`width` must be >= 0" in refuses("text", Bound.from_json, json.dumps({**bound, "width": [[-1.0], [1.0]]}))
    for delta in (0.0, 1.5, float("nan")):
        refuses("text", Bound.from_json, json.dumps({**bound, "delta": delta}))
        refuses("text", Certificate.from_json, json.dumps({**certificate, "delta": delta}))
    refuses("text", Interval.from_json, json.dumps({**interval, "side": "left"}))
    refuses("text", Interval.from_json, json.dumps({**interval, "identity": [["digest", [0, 1, 2]]]}))
    refuses("text", Interval.from_json, json.dumps({**interval, "identity": [[3, [0, 1]]]}))
    refuses("text", Interval.from_json, json.dumps({**interval, "identity": [["digest"]]}))
    for dtype in ("nonsense", "object", "<U3", "bool", "complex128"):
        refuses("text", Front.from_json, json.dumps({**front, "dtype": dtype}))
    refuses("text", Front.from_json, json.dumps({**front, "dtype": "int8", "points": [[300, 1]]}))
    refuses("text", Front.from_json, json.dumps({**front, "points": [[1.5, 1]]}))
    for pairs in ([[0, 3]], [[-1, 0]], [[0, 1, 2]]):
        refuses("text", Certificate.from_json, json.dumps({**certificate, "beats": pairs}))
    refuses("text", Certificate.from_json, json.dumps({**certificate, "excluded_by": [-1, 0, 3]}))
    refuses("text", Certificate.from_json, json.dumps({**certificate, "sure": [True, True, False]}))
