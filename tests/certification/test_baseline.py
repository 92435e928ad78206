"""Models beside a baseline: claims by hand, at their level by simulation, and what is refused."""

import numpy as np
import pytest
from scipy import stats

import moltheory as mt
from moltheory.certification import Better, certify_claims, compare_to_baseline
from moltheory.errors import InvalidInputError

_NAMED = {"names": ["prod", "new", "small"], "objectives": ["error", "harm"]}


@pytest.fixture
def losses():
    table = np.zeros((1000, 3, 2), dtype=bool)
    table[:200, 0, 0] = table[:120, 1, 0] = table[10:215, 2, 0] = True
    table[:100, 0, 1] = table[:105, 1, 1] = table[:170, 2, 1] = True
    return table


def test_claims_are_those_of_paired_tests_under_holm(losses):
    found = compare_to_baseline(losses, "prod", margins={"harm": 0.05}, **_NAMED)
    assert found.names == ("new", "small")
    assert found.better.tolist() == [[True, False], [False, False]]
    assert found.worse.tolist() == [[False, False], [False, True]]
    assert found.not_worse.tolist() == [[True, True], [False, False]]
    assert found.verdicts == {"new": "better", "small": "worse"}
    claims = [Better("new", "prod", "error"), Better("prod", "new", "error")]
    alone = certify_claims(losses, claims, **_NAMED)
    # 10 claims instead of 2.
    assert found.p_values[0, 0] == pytest.approx(alone.adjusted_p_values[0] * 5.0)


def test_known_costs_are_compared_as_they_are(losses):
    costs = {"price": [2.0, 2.0, 1.0], "size": [3.0, 3.1, 3.0]}
    found = compare_to_baseline(losses[:, :, :1], "prod", names=_NAMED["names"], objectives=["error"], costs=costs)
    assert [found.word(0, i) for i in range(3)] == ["better", "equal", "worse"]
    assert [found.word(1, i) for i in range(3)] == ["cannot tell", "better", "equal"]
    assert found.verdicts == {"new": "trade-off", "small": "cannot tell"}
    assert not found.dominates.any()
    cheap = compare_to_baseline(
        losses[:, :, :1], "prod", names=_NAMED["names"], objectives=["error"], costs={"price": [2.0, 2.0, 1.0]}
    )
    assert cheap.dominates.tolist() == [True, False]
    back = compare_to_baseline(
        losses[:, :, :1], "new", names=_NAMED["names"], objectives=["error"], costs={"price": [2.0, 2.0, 2.0]}
    )
    assert back.dominated.tolist() == [True, True]
    forgiven = compare_to_baseline(
        losses[:, :, :1], "prod", names=_NAMED["names"], objectives=["error"], costs=costs, margins={"size": 0.2}
    )
    assert forgiven.word(0, 2) == "within margin"
    assert forgiven.verdicts["new"] == "better"
    assert not forgiven.dominates.any()


def test_gates(losses):
    found = compare_to_baseline(losses, "prod", margins={"harm": 0.05}, **_NAMED)
    assert found.failing("worse") == ("small",)
    assert found.failing("not-better") == ("small",)
    assert found.failing("undecided") == ("small",)
    strict = compare_to_baseline(losses, "prod", **_NAMED)
    assert strict.failing("not-better") == ("new", "small")
    assert strict.failing("worse") == ("small",)
    with pytest.raises(InvalidInputError, match="`on` must be one of"):
        found.failing("bad")


def test_a_certificate_holds_the_comparison_at_half_of_delta(losses):
    certificate = mt.certify(losses, **_NAMED, baseline="prod", margins={"harm": 0.05})
    assert certificate.baseline == compare_to_baseline(losses, "prod", margins={"harm": 0.05}, delta=0.025, **_NAMED)
    half = mt.certify(losses, **_NAMED, delta=0.025)
    np.testing.assert_array_equal(certificate.boxes, half.boxes)
    assert (certificate.status, certificate.delta) == (half.status, 0.05)
    assert sum(share for _, share in certificate.delta_allocation) == pytest.approx(0.05)
    again = mt.Certificate.from_json(certificate.to_json())
    assert again == certificate
    assert again.baseline == certificate.baseline
    assert mt.Certificate.from_json(half.to_json()).baseline is None
    assert not certificate.plan(simulate=0).empty


@pytest.mark.parametrize("text", ['{"baseline": 3}', "3", '{"names": []}', "[]"])
def test_a_damaged_comparison_is_refused(losses, text):
    import json

    content = json.loads(mt.certify(losses, **_NAMED).to_json())
    content["baseline"] = json.loads(text)
    with pytest.raises(InvalidInputError, match=r"Certificate\.to_json writes"):
        mt.Certificate.from_json(json.dumps(content))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "pord"}, "did you mean prod"),
        ({"baseline": 3}, "got 3"),
        ({"baseline": "prod", "margins": {"harm": 0}}, "must be > 0"),
        ({"baseline": "prod", "margins": {"harm": np.nan}}, "got nan"),
        ({"baseline": "prod", "margins": {"hram": 1}}, "did you mean harm"),
        ({"baseline": "prod", "margins": [1]}, "got list"),
        ({"margins": {"harm": 1}}, "without a `baseline`"),
        ({"baseline": "prod", "delta": 0.0}, "delta"),
    ],
)
def test_what_is_refused(losses, options, message):
    with pytest.raises(InvalidInputError, match=message):
        mt.certify(losses, **_NAMED, **options)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ties", "at the margin"])
def test_false_claims_are_rare(kind):
    """Equal models, and ones that are worse by exactly the margin."""
    delta, runs, n = 0.3, 500, 150
    rng = np.random.default_rng(11)
    gap = 0.0 if kind == "ties" else 0.1
    rates = np.array([[0.3, 0.2]] + [[0.3 + gap, 0.2 + gap]] * 3)
    margins = {} if kind == "ties" else {"x": 0.1, "y": 0.1}
    wrong = alone = 0
    for _ in range(runs):
        losses = rng.random((n, 1, 2)) < rates  # common hardness: models err on nested sets
        independent = rng.random((n, 4, 2)) < rates
        losses = np.where(rng.random((n, 1, 1)) < 0.5, losses, independent)
        found = compare_to_baseline(losses, "model_1", objectives=["x", "y"], margins=margins, delta=delta)
        false = found.better | (found.worse if kind == "ties" else found.not_worse)
        wrong += bool(false.any())
        pairs = [("model_1", f"model_{k}") for k in (2, 3, 4)]
        claims = [Better(a, b, name) for pair in pairs for a, b in (pair, pair[::-1]) for name in "xy"]
        alone += bool(certify_claims(losses, claims, objectives=["x", "y"], delta=delta).p_values.min() <= delta)
    assert stats.binom.sf(wrong - 1, runs, delta) > 1e-6
    # The wrong variant: every test at delta.
    assert kind != "ties" or alone > 1.3 * delta * runs
