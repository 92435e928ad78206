"""Claims and findings of the study of smoothing, from results made by hand: agrees, differs, not tested."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moltheory.certification import certify
from moltheory.studies import get_study
from moltheory.studies._claims import AGREES, DIFFERS, NOT_TESTED
from moltheory.studies.smoothing import (
    Budget,
    Residual,
    SmoothedSweep,
    SmoothingResult,
    approximation_table,
    counterexamples,
    curse_table,
    design_certificate,
    design_losses,
    design_points,
    designs_for,
    fair_certificate,
    half_spaces,
    paired_table,
    simulated_certificates,
    waterfall_table,
)
from moltheory.studies.smoothing._designs import MATCHED, MOVING

TINY = Budget((0.12, 0.25), (0.01,), (50, 200), 20, 300, 400, 60, 3, 60, hidden=(16,))
N = 300
WATERFALL, TRADE, FAIR, UNJUSTIFIED, CURSE, FRAMEWORK, MITIGATED, REST, CIFAR, FURTHER = range(10)


def sweep_of(data="MNIST", networks=3):
    """Votes from a generator: all equal for half of the images, others by chance."""
    from moltheory.studies.smoothing import certified_votes

    rng = np.random.default_rng(0)
    budget = replace(TINY, networks=networks)
    designs = designs_for(TINY.levels, TINY.rates, dimension=784)
    labels = np.arange(N) % 10
    distances = rng.uniform(1.0, 12.0, N)
    sigma = np.stack([one.deviations(distances, held_out=distances) for one in designs])
    shape = (networks, len(designs), 2, N)
    classes, radii, p_other = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
    for s in range(networks):
        share = np.where(np.arange(N) < N // 2, 1.0, rng.uniform(0.3, 1.0, N))
        for d, design in enumerate(designs):
            for v, votes in enumerate(TINY.sizes):
                counts = np.zeros((N, 10), dtype=np.int64)
                right = rng.binomial(votes, share if design.sigma < 0.2 else share**1.2)
                counts[np.arange(N), labels] = right
                counts[np.arange(N), (labels + 1) % 10] += votes - right
                found = certified_votes(counts, guess=labels, sigma=sigma[d], rate=design.certified_rate, dimension=784)
                classes[s, d, v], radii[s, d, v], p_other[s, d, v] = found.classes, found.radii, found.p_other
    cost = np.array([[1.0, 4.0] if one.kind != MOVING else [2.0, 5.0] for one in designs])
    accuracy = np.full((networks, len(designs)), 0.9)
    return SmoothedSweep(budget, data, 784, designs, labels, classes, radii, p_other, sigma, accuracy, cost)


def result_of(sweep):
    points = design_points(sweep)
    certificate = design_certificate(design_losses(sweep, points))
    return SmoothingResult(
        simulated_certificates(3, n=20_000, rng=0),
        half_spaces((30,), cases=5, rng=0),
        counterexamples(),
        curse_table(),
        approximation_table(4),
        sweep,
        points,
        waterfall_table(sweep),
        paired_table(sweep),
        certificate,
        fair_certificate(sweep, points),
        certificate.plan(rng=0),
        0.5,
        0.4,
    )


@pytest.fixture(scope="module")
def result():
    return result_of(sweep_of())


@pytest.fixture(scope="module")
def study():
    return get_study("smoothing")


def changed(result, **columns):
    """The same with columns of the waterfalls replaced where a condition holds: name=(condition, value)."""
    table = result.waterfalls.copy()
    for name, (where, value) in columns.items():
        table.loc[where(table), name] = value
    return replace(result, waterfalls=table)


def text_of(study, result):
    return " ".join(study.findings(result))


def test_ten_claims_at_most_one_not_tested(study, result):
    claims = study.claims(result)
    assert len(claims) == 10
    assert [one.verdict for one in claims].count(NOT_TESTED) == 1
    assert claims[CIFAR].verdict == NOT_TESTED
    assert "--large --device cuda" in claims[CIFAR].why
    assert all(one.where == "abstract" for one in claims)
    assert len(study.lead(result)) == 10
    assert not any("remember" in " ".join(one.as_dict().values()) for one in claims)


def test_exact_claims_agree_and_can_differ(study, result):
    claims = study.claims(result)
    assert [claims[i].verdict for i in (UNJUSTIFIED, CURSE, FRAMEWORK)] == [AGREES] * 3
    assert "0.968 and 0.942" in claims[CURSE].found
    assert "claimed 1.163, changes at 1.141, certified 1.141" in claims[UNJUSTIFIED].found
    holds = result.counterexamples.assign(changes=result.counterexamples["claimed"])
    too_large = result.counterexamples.assign(certified=result.counterexamples["claimed"])
    for table in (holds, too_large):
        assert study.claims(replace(result, counterexamples=table))[UNJUSTIFIED].verdict == DIFFERS
    assert study.claims(replace(result, curse=result.curse.assign(exact=0.9)))[CURSE].verdict == DIFFERS
    off = replace(result, simulated=result.simulated.assign(z=5.0))
    unsound = replace(result, half_spaces=result.half_spaces.assign(ratio=1.01))
    assert [study.claims(one)[FRAMEWORK].verdict for one in (off, unsound)] == [DIFFERS] * 2
    assert "certificate agrees with simulation" in text_of(study, result)
    assert "certificate DISAGREES with simulation" in text_of(study, off)
    assert "UNSOUND: 5 radii" in text_of(study, unsound)


def test_the_waterfall_of_constant_noise(study, result):
    assert study.claims(result)[WATERFALL].verdict == AGREES
    # One network at one deviation is enough to differ.
    few = changed(result, at_ceiling=(lambda t: (t["sigma"] == 0.12) & (t["network"] == 1), 0.2))
    claim = study.claims(few)[WATERFALL]
    assert claim.verdict == DIFFERS
    assert claim.why


def test_trade_off_and_fairness(study, result):
    large = (lambda t: t["sigma"] == 0.25, lambda t: t["sigma"] == 0.12)
    good = changed(result, accuracy=(large[0], 0.5), mean_radius=(large[0], 0.6), deviation=(large[0], 0.4))
    assert [study.claims(good)[i].verdict for i in (TRADE, FAIR)] == [AGREES] * 2
    bad = changed(result, accuracy=(large[1], 0.5), deviation=(large[1], 0.4))
    assert [study.claims(bad)[i].verdict for i in (TRADE, FAIR)] == [DIFFERS] * 2
    assert study.claims(changed(good, mean_radius=(large[1], 0.7)))[TRADE].verdict == DIFFERS


def test_what_the_design_mitigates(study, result):
    moving = lambda t: t["kind"] == MOVING  # noqa: E731
    assert study.claims(result)[MITIGATED].verdict == AGREES
    weak = changed(result, beyond_mean_ceiling=(lambda t: moving(t) & (t["sigma"] == 0.25), 0.003))
    assert study.claims(weak)[MITIGATED].why.startswith("At σ 0.25 a share of 0.003 of the images")
    for name in ("beyond_ceiling", "beyond_mean_ceiling"):
        gone = changed(result, **{name: (lambda t: moving(t) & (t["network"] == 2), 0.0)})
        assert study.claims(gone)[MITIGATED].verdict == DIFFERS
    for name, better, worse in (("accuracy", 1.0, 0.0), ("deviation", 0.0, 0.5)):
        other = {"accuracy": ("deviation", 0.5), "deviation": ("accuracy", 0.0)}[name]
        one = changed(result, **{name: (moving, better), other[0]: (moving, other[1])})
        assert study.claims(one)[REST].verdict == AGREES
        assert study.claims(changed(one, **{name: (moving, worse)}))[REST].verdict == DIFFERS


def test_further_improvement_is_needed_where_constant_noise_of_the_same_mean_is_better(study, result):
    moving = lambda t: t["kind"] == MOVING  # noqa: E731
    assert "better in" in study.claims(result)[FURTHER].found
    best = changed(result, accuracy=(moving, 1.0), mean_radius=(moving, 9.0), beyond_ceiling=(moving, 1.0))
    claim = study.claims(best)[FURTHER]
    assert (claim.verdict, "better in nothing" in claim.found) == (DIFFERS, True)
    claim = study.claims(changed(best, beyond_ceiling=(moving, 0.0)))[FURTHER]
    assert (claim.verdict, "better in certified accuracy beyond the ceiling;" in claim.found) == (AGREES, True)


def test_the_large_run_on_cifar10_answers_its_claim(study):
    sweep = sweep_of("CIFAR-10", networks=1)
    result = result_of(replace(sweep, budget=replace(sweep.budget, residual=Residual())))
    claims = study.claims(result)
    assert claims[CIFAR].verdict == AGREES
    assert "(1 network)" in claims[CIFAR].found
    gone = changed(result, beyond_ceiling=(lambda t: t["kind"] == MOVING, 0.0))
    assert study.claims(gone)[CIFAR].verdict == DIFFERS
    assert "(1 network)" in text_of(study, result)


def test_findings_are_short_and_quote_the_numbers(study, result):
    findings = study.findings(result)
    assert all(len(one.split()) <= 30 for one in findings)
    assert all(re.search(r"\d", one) and one.endswith(".") for one in findings)
    text = study.details(result)
    assert "2110.05365" in text
    assert "remember" not in text
    assert "nan" not in text
    for row in result.curse.query("dimension in (784, 150_528)").itertuples():
        assert f"{row.exact:.{3 if row.dimension == 784 else 4}f} (p = {row.p_other:g})" in text
    points = result.points
    front = points[points["front"]]
    assert f"Of {len(points)} classifiers {len(front)} are non-dominated" in text
    assert f"weighted sums find {front['weighted'].sum()}" in text
    assert "of all is 0.500, of constant noise of the base deviations alone 0.400" in text
    one, fair = result.certificate, result.fair
    moving = (points["kind"] == MOVING).to_numpy()
    for mask, what in ((one.sure, "are on the front"), (one.excluded, "are not"), (one.undecided, "are undecided")):
        assert f"{mask.sum()} ({(mask & moving).sum()} input-dependent) {what}" in text
    assert f"{fair.sure.sum()}, {fair.excluded.sum()} and {fair.undecided.sum()}." in text


def test_findings_compare_with_both_constant_noises(study, result):
    pairs = result.pairs.assign(difference=np.where(result.pairs["against"] == MATCHED, -0.25, 0.125))
    text = text_of(study, replace(result, pairs=pairs.assign(low=-0.5, high=0.5)))
    assert (
        "noise of the same base, σ 0.25: accuracy differs by 0.125 ([−0.5, 0.5]), mean radius differs by 0.125" in text
    )
    assert "noise of the same mean, σ 0.25: accuracy differs by −0.25" in text


@pytest.mark.parametrize(("bounds", "words"), [
    ((np.inf, np.inf), "no gap to a rival is observed"),
    ((50.0, np.inf), "ten times as many images decide 1 of the 2 undecided, each with probability 0.8; 1 show no gap"),
    ((50.0, 7000.0), "ten times as many images decide 1 of the 2 undecided, each with probability 0.8; 0 show no gap"),
])  # fmt: skip
def test_what_further_images_would_decide_is_read_from_the_plan(study, result, bounds, words):
    further = pd.DataFrame({"model": ["a", "b"], "sufficient_additional": bounds})
    assert words in text_of(study, replace(result, further=further))
    assert "undecided, each" not in text_of(study, replace(result, further=further.iloc[:0]))


def test_certificates_are_of_means_over_networks(result):
    losses = np.stack(
        [np.asarray(1.0 - result.sweep.correct[:, d, v].mean(axis=0)) for d in range(6) for v in range(2)], 1
    )
    peer = certify(losses[:, :, None], delta=0.05, costs=result.points[["cost"]].to_numpy())
    np.testing.assert_allclose(peer.estimates[:, 0], result.certificate.estimates[:, 0], atol=1e-12)
