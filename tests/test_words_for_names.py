"""One word for one thing: what parameters, fields and attributes with names are called, by what they name."""

import contextlib
import dataclasses
import importlib
import inspect

import pytest

import moltheory as mt

_WORDS = {"names", "objective_names", "model_names", "objectives", "models"}
# Objectives in themselves have `names`; problems and worlds have `objective_names`, since there `objectives` are functions;
# beside models, `objectives` are those of losses, and `names` or `models` the models.
_RULES = {
    "objectives": {"names"},
    "problems": {"objective_names"},
    "experiments": {"objective_names"},
    "scalarization": set(),
    "certification": {"objectives", "names", "models"},
    "evaluation": {"objectives", "names", "models"},
}
_EXCEPTIONS = {
    # Was published so.
    "moltheory.problems.FiniteWorld": "`names` is the first word, `objective_names` the one of problems",
    "moltheory.problems.FiniteWorld.from_examples": "as FiniteWorld",
    "moltheory.evaluation.EvaluatedModels": "has both, each with its word in full",
    "moltheory.evaluation.LossTable": "as EvaluatedModels",
    # Objects, not names.
    "moltheory.objectives.discretization_error": "an objectives object",
    "moltheory.problems.LogisticGroups.solve": "an objectives object",
    "moltheory.problems.linear_classifier_objectives": "a choice of objectives",
    "moltheory.problems.GaussianMixtureClassifiers": "a choice of objectives",
    "moltheory.problems.from_predictions": "a choice of measures",
    "moltheory.problems.from_table": "a choice of measures, and estimators",
}


def _named():
    """Yield public names with the words that they use."""
    for room in ("", *_RULES):
        module = importlib.import_module(f"moltheory.{room}" if room else "moltheory")
        for name in module.__all__:
            public = getattr(module, name)
            if not callable(public):
                continue
            # Where it is at home, not where it is exported again.
            home = public.__module__.split(".")[1] if public.__module__.startswith("moltheory.") else ""
            if home not in _RULES or (room and room != home):
                continue
            title = f"moltheory.{home}.{name}"
            parts = [(title, public)]
            if inspect.isclass(public):
                parts += [(f"{title}.{key}", getattr(public, key)) for key in vars(public) if not key.startswith("_")]
            for path, part in parts:
                words = _words(part) | ({path.rsplit(".", 1)[1]} & _WORDS)
                if words:
                    yield home, path, words


def _words(part):
    found = {field.name for field in dataclasses.fields(part)} if dataclasses.is_dataclass(part) else set()
    if callable(part):
        with contextlib.suppress(ValueError):
            found |= set(inspect.signature(part).parameters)
    return found & _WORDS


def test_each_room_uses_its_words():
    used = set()
    for home, path, words in _named():
        if path in _EXCEPTIONS:
            used.add(path)
            continue
        assert words <= _RULES[home], f"{path} uses {sorted(words - _RULES[home])}; {home} has {sorted(_RULES[home])}"
    assert used == set(_EXCEPTIONS), f"exceptions that are none: {sorted(set(_EXCEPTIONS) - used)}"


def test_worlds_take_both_words_but_not_both_at_once():
    losses = [[[0.0, 1.0]], [[1.0, 0.0]]]
    one, other = (
        mt.FiniteWorld([0.5, 0.5], losses, names=["a", "b"]),
        mt.FiniteWorld([0.5, 0.5], losses, objective_names=["a", "b"]),
    )
    assert tuple(one.objective_names) == tuple(other.objective_names) == ("a", "b")
    with pytest.raises(mt.errors.InvalidInputError, match="objective_names"):
        mt.FiniteWorld([0.5, 0.5], losses, names=["a", "b"], objective_names=["a", "b"])
