"""Names that were replaced work for two minor versions and say what to use."""

import dataclasses
import inspect
import json

import numpy as np
import pytest

import moltheory as mt
from moltheory._core._deprecation import REMOVED_IN, DeprecatedAlias, renamed_parameter

_INTERVAL = mt.bounds.binomial_interval([0, 10], 100, delta=0.05)
_BOUND = mt.bounds.finite_class(1000, n_hypotheses=100, delta=0.05)
_LOSSES = np.repeat([[0, 1], [1, 0], [0, 0]], [60, 20, 20], axis=0)
_CERTIFICATE = mt.certify(_LOSSES)
_CHECKED = mt.theorems.ledger()["forward"].check(mt.problems.two_coins(), n=3, delta=0.1)

# Object, old name, new name.
_RENAMED = [
    (_INTERVAL, "width", "length"),
    (_BOUND, "level", "confidence"),
    (_CERTIFICATE, "level", "adjusted_p_value"),
    (_CERTIFICATE, "beats", "dominates"),
    (_CERTIFICATE, "spent", "delta_allocation"),
    (_CHECKED, "said", "applicable_share"),
    (_CHECKED.slack, "tight", "attained_share"),
    (mt.bounds.mixture_bounds(100, n_objectives=2, delta=0.1).cover, "level", "confidence"),
]


@pytest.mark.parametrize(("found", "old", "new"), _RENAMED, ids=lambda value: value if isinstance(value, str) else "")
def test_an_old_attribute_warns_and_has_the_value_of_the_new_one(found, old, new):
    with pytest.warns(DeprecationWarning, match=rf"\.{old} is deprecated .* {REMOVED_IN}: use .*\.{new}") as caught:
        value = getattr(found, old)
    np.testing.assert_array_equal(value, getattr(found, new))
    # The warning is about the line of the caller.
    assert caught[0].filename == __file__


def test_a_length_is_two_half_widths():
    np.testing.assert_array_equal(_INTERVAL.length, _INTERVAL.upper - _INTERVAL.lower)
    np.testing.assert_array_equal(2.0 * _INTERVAL.half_width, _INTERVAL.length)
    disjoint = _INTERVAL[:1].intersect(mt.bounds.binomial_interval([90], 100, delta=0.05))
    assert disjoint.empty.all()
    assert disjoint.length[0] == disjoint.half_width[0] == 0.0


def test_old_names_are_no_fields():
    for found, old, new in _RENAMED:
        assert old not in {field.name for field in dataclasses.fields(found)}
        assert isinstance(inspect.getattr_static(type(found), old), DeprecatedAlias)
        assert new in dir(found)


def test_a_certificate_is_still_made_and_read_by_its_old_name():
    values = {field.name: getattr(_CERTIFICATE, field.name) for field in dataclasses.fields(_CERTIFICATE)}
    values["level"] = values.pop("adjusted_p_value")
    values["beats"] = values.pop("dominates")
    with pytest.warns(DeprecationWarning, match="of Certificate .* use `(adjusted_p_value|dominates)`") as caught:
        assert mt.Certificate(**values) == _CERTIFICATE
    assert [warning.filename for warning in caught] == [__file__] * 2
    written = json.loads(_CERTIFICATE.to_json())
    assert "level" not in written
    written["level"] = written.pop("adjusted_p_value")
    assert mt.Certificate.from_json(json.dumps(written)) == _CERTIFICATE


def test_an_old_name_of_a_module_warns():
    with pytest.warns(DeprecationWarning, match="use moltheory.certification.indistinguishable_groups") as caught:
        found = mt.certification.groups_not_told_apart
    assert found is mt.certification.indistinguishable_groups
    assert caught[0].filename == __file__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        mt.certification.nothing  # noqa: B018


def test_a_renamed_parameter():
    @renamed_parameter("size", "length")
    def double(x, length=1):
        """Return the product."""
        return 2 * x * length

    assert double(3) == 6
    assert double(3, length=2) == double(3, 2) == 12
    with pytest.warns(DeprecationWarning, match="the parameter `size` of double .* use `length`") as caught:
        assert double(3, size=2) == 12
    assert caught[0].filename == __file__
    for call in (lambda: double(3, length=2, size=2), lambda: double(3, 2, size=2)):
        with pytest.raises(TypeError, match="deprecated name `size`"):
            call()
    assert list(inspect.signature(double).parameters) == ["x", "length"]
    assert double.__doc__ == "Return the product."


def test_names_of_the_objectives_of_a_problem(refuses):
    losses = [[[0], [1]], [[1], [0]]]
    for make in (
        lambda **k: mt.FiniteWorld([0.5, 0.5], losses, **k),
        lambda **k: mt.FiniteWorld.from_examples(losses, **k),
    ):
        # The earlier name is part of the surface of worlds, and stays without a warning.
        assert make(objective_names=["error"]).objective_names == make(names=["error"]).objective_names == ("error",)
        refuses("names", make, names=["error"], objective_names=["error"])
        refuses("objective_names", make, names=["error", "more"])
    with pytest.warns(
        DeprecationWarning, match="the parameter `names` of MultiTaskLeastSquares .* use `objective_names`"
    ):
        found = mt.problems.MultiTaskLeastSquares([np.eye(1)] * 2, [[0], [1]], [1, 1], names=["a", "b"])
    assert found.objective_names == ("a", "b")


def test_removal_is_two_minor_versions_away_at_most():
    major, minor = (int(part) for part in mt.__version__.split(".")[:2])
    assert (major, minor) < tuple(int(part) for part in REMOVED_IN.split(".")), "remove what was deprecated"
