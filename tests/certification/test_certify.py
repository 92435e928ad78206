"""`certify`: golden verdicts, symmetries, the tests and boxes against slow oracles, refusals, round trips."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

import moltheory as mt
from moltheory.certification._p_values import EMPIRICAL_BERNSTEIN, PairTest, chosen_test, pair_tests
from moltheory.certification._slack_tests import slack_mcnemar
from moltheory.certification._statistics import summaries
from moltheory.certification._words import VERDICTS
from moltheory.evaluation._blocks import array_columns
from moltheory.evaluation._scan import Scan
from moltheory.objectives import Gap, Known, Mean, Rate, Worst

Array = np.ndarray[Any, Any]


def _golden() -> Array:
    """n = 1000: both wrong on 180, only the first on 20, only the second on 50."""
    losses = np.zeros((1000, 2), dtype=bool)
    losses[:180] = True
    losses[180:200, 0] = True
    losses[200:250, 1] = True
    return losses


def test_pairing_settles_what_boxes_cannot() -> None:
    paired = mt.certify(_golden(), names=["a", "b"])
    assert paired.status == ("sure", "excluded")
    assert paired.excluded_by.tolist() == [-1, 0]
    # Two models with one rival each, and 85 % of delta for verdicts.
    assert paired.adjusted_p_value[1] == pytest.approx(2.2014e-4 * 2 / 0.85, rel=1e-4)
    boxes = mt.certify(_golden(), method="boxes")
    assert boxes.undecided.all()
    assert boxes.boxes[0, 0, 1] > boxes.boxes[1, 0, 0]
    alone = mt.bounds.binomial_interval([200, 230], 1000, delta=0.05 / 2)
    np.testing.assert_allclose(boxes.boxes[:, 0], np.column_stack([alone.lower, alone.upper]))
    assert [name for name, _ in paired.delta_allocation] == [
        "simultaneous boxes", "paired tests that decide models", "paired tests that name dominating models",
    ]  # fmt: skip
    assert math.fsum(share for _, share in paired.delta_allocation) == pytest.approx(paired.delta)


def test_costs_decide_without_data() -> None:
    losses = np.zeros((40, 3))
    losses[::2] = 1.0
    certificate = mt.certify(losses, costs=[3.0, 1.0, 2.0])
    # Identical predictions: equality cannot be shown, but nobody can beat the cheapest.
    assert certificate.status == ("undecided", "sure", "undecided")
    assert (certificate.boxes[:, 1, 0] == [3.0, 1.0, 2.0]).all()
    assert mt.certify(losses, costs=[3.0, 1.0, 2.0], maximise=[False, True]).status[0] == "sure"


def test_slack_makes_near_ties_members() -> None:
    losses = np.zeros((4000, 2))
    losses[:400, 0] = losses[4:406, 1] = 1.0
    assert mt.certify(losses).undecided.all()
    near = mt.certify(losses, epsilon=0.02)
    assert near.sure.all()
    assert near.epsilon.tolist() == [0.02]
    far = np.concatenate([losses, np.ones((4000, 1))], axis=1)
    assert mt.certify(far, epsilon=0.02).status == ("sure", "sure", "excluded")
    # Dominated, but not by the slack of the costs.
    dearer = mt.certify(far, costs=[1.0, 1.0, 1.5], epsilon=[0.02, 1.0])
    assert dearer.status == ("sure", "sure", "excluded")
    assert dearer.within_slack.all()


def test_a_cheaper_model_within_the_slack_replaces() -> None:
    losses = np.zeros((4000, 3))
    losses[:400, 0] = losses[4:406, 1] = losses[:800, 2] = 1.0
    certificate = mt.certify(losses, costs=[2.0, 1.0, 0.5], epsilon=0.02)
    assert certificate.status == ("sure", "sure", "sure")
    assert certificate.replaceable_by.tolist() == [1, -1, -1]
    assert "replaceable" in repr(certificate)
    assert certificate.to_frame()["replaceable_by"].tolist()[0] == "model_2"
    assert dict(certificate.delta_allocation)["paired tests that replace"] == pytest.approx(0.01)
    assert (mt.certify(losses, costs=[2.0, 1.0, 0.5]).replaceable_by == -1).all()
    assert mt.certify(losses, costs=[2.0, 1.0, 0.5], epsilon=0.05, method="boxes").replaceable_by[0] == 1


def test_a_named_rival_is_not_excluded_itself(rng: np.random.Generator) -> None:
    true = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    certificate = mt.certify((rng.random((3000, 1)) < true).astype(float))
    assert certificate.status == ("sure", *("excluded",) * 4)
    assert certificate.excluded_by.tolist() == [-1, 0, 0, 0, 0]
    assert certificate.dominates[np.triu_indices(5, 1)].all()


def _random(seed: int, *, n: int = 300, models: int = 5, m: int = 2) -> Array:
    rng = np.random.default_rng(seed)
    true = rng.choice([0.1, 0.3, 0.5, 0.7], size=(models, m))
    return (rng.random((n, 1, m)) * 0.5 + rng.random((n, models, m)) * 0.5 < true).astype(float)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_sure_and_excluded_are_disjoint_and_permute_with_the_models(seed: int) -> None:
    losses = _random(seed)
    certificate = mt.certify(losses)
    order = np.random.default_rng(seed).permutation(5)
    permuted = mt.certify(losses[:, order])
    assert not (certificate.sure & certificate.excluded).any()
    assert permuted.status == tuple(certificate.status[h] for h in order)
    np.testing.assert_array_equal(permuted.dominates, certificate.dominates[np.ix_(order, order)])
    np.testing.assert_array_equal(permuted.boxes, certificate.boxes[order])
    assert (certificate.dominates.any(axis=0) == certificate.excluded).all()


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_a_distinct_cost_excludes_nobody_new_and_a_constant_one_changes_nothing(seed: int) -> None:
    losses = _random(seed)
    certificate = mt.certify(losses, method="boxes")
    assert mt.certify(losses, costs=np.zeros(5), method="boxes").status == certificate.status
    costly = mt.certify(losses, costs=np.arange(5.0), method="boxes")
    assert not (costly.excluded & ~certificate.excluded).any()
    assert not (certificate.sure & ~costly.sure).any()


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_accuracies_to_maximise_are_errors_to_minimise(seed: int) -> None:
    losses, costs = _random(seed), np.arange(5.0)
    down = mt.certify(losses, costs=costs, epsilon=0.01)
    up = mt.certify(1.0 - losses, costs=costs, maximise=[True, True, False], epsilon=0.01)
    assert up.status == down.status
    assert mt.certify(1.0 - losses, costs=costs, maximise=[True, True], epsilon=0.01) == up
    np.testing.assert_allclose(up.boxes[:, :2], 1.0 - down.boxes[:, :2, ::-1])
    assert mt.certify(1.0 - losses, costs=-costs, maximise=True).status == mt.certify(losses, costs=costs).status


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_the_hypervolume_lies_between_that_of_the_ends(seed: int) -> None:
    certificate = mt.certify(_random(seed))
    low, high = certificate.hypervolume([1.0, 1.0])
    assert 0.0 <= low <= mt.hypervolume(certificate.estimates, reference=[1.0, 1.0]) <= high <= 1.0
    worst, best = certificate.front_sandwich
    assert worst.points.shape[1] == best.points.shape[1] == 2


def test_scaling_the_range_scales_the_answer(rng: np.random.Generator) -> None:
    losses = rng.beta(2, 5, size=(400, 3, 2)) * [[1.0], [0.8], [0.5]]
    small = mt.certify(losses, epsilon=0.05)
    large = mt.certify(4.0 * losses - 2.0, loss_range=(-2.0, [2.0, 2.0]), epsilon=0.2)
    assert small.status == large.status
    np.testing.assert_allclose(large.boxes, 4.0 * small.boxes - 2.0, atol=1e-9)


def _evaluation(losses: Array, codes: Array | None = None) -> Scan:
    models, m = losses.shape[1:]
    return Scan(
        lambda: array_columns(losses, codes),
        model_names=[f"m{h}" for h in range(models)],
        column_names=[f"o{i}" for i in range(m)],
        low=np.zeros(m),
        high=np.ones(m),
    )


def _p_values(evaluation: Scan, shift: float, *, log_level: float) -> Array:
    return pair_tests(evaluation, summaries(evaluation), [PairTest(0, shift, np.array(log_level))])[0]


@pytest.mark.parametrize("shift", [0.1, -0.1])
@pytest.mark.parametrize("disagree", [0.1, 0.3, 0.9])
def test_mcnemar_with_slack_is_valid_at_its_boundary(shift: float, disagree: float) -> None:
    # P(first errs alone) - P(second errs alone) = shift, exactly; all counts of disagreements of n = 40.
    n, level = 40, 0.05
    p10, p01 = (disagree + shift) / 2, (disagree - shift) / 2
    first = np.broadcast_to(np.arange(n + 1)[:, None], (n + 1, n + 1))
    # Entry (i, j) of the table: the first errs alone i times, the second j times.
    p = slack_mcnemar((np.maximum(first + first.T, n), first, first.T), shift, -math.log(level))
    rejected = [
        math.comb(n, i + j) * math.comb(i + j, i) * p10**i * p01**j * (1 - disagree) ** (n - i - j)
        for i in range(n + 1)
        for j in range(n + 1 - i)
        if p[i, j] <= level
    ]
    assert math.fsum(rejected) <= level


@pytest.mark.parametrize("shift", [0.0, 0.05, -0.05])
@pytest.mark.parametrize("clustered", [False, True])
def test_empirical_bernstein_is_the_inverse_of_its_bound(
    shift: float, clustered: bool, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moltheory.certification._pair_bets._PRODUCTS", 0)
    losses = rng.random((3000, 3, 1)) * np.array([0.4, 0.8, 1.0])[:, None]
    codes = np.sort(rng.integers(0, 1500, 3000)) if clustered else None
    evaluation = _evaluation(losses, codes)
    assert chosen_test(evaluation, 0, False) == EMPIRICAL_BERNSTEIN
    # At so strict a level no pair is promising enough to be bet on; the other half of the level is then lost.
    p = _p_values(evaluation, shift, log_level=1e4) / 2.0
    units = evaluation.stacked(0)
    sizes = np.ones(3000) if units.sizes is None else units.sizes
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        d = units.values[:, a] - units.values[:, b] - shift * sizes
        budget, n = math.log(2.0 / p[a, b]), d.size
        end = d.mean() + math.sqrt(2 * d.var(ddof=1) * budget / n) + 14 * budget / (3 * (n - 1))
        assert end == pytest.approx(0.0, abs=1e-8)
        assert p[a, b] < 0.2
        assert p[b, a] == 0.5


def test_boxes_of_clusters_hold_what_bernstein_does_not_reject(rng: np.random.Generator) -> None:
    labels = np.sort(rng.integers(0, 300, 900))
    losses = (rng.random((900, 2)) < 0.2).astype(float)
    certificate = mt.certify(losses, clusters=labels, method="boxes", delta=0.1)
    np.testing.assert_allclose(certificate.estimates[:, 0], losses.mean(axis=0))
    sizes = np.unique(labels, return_counts=True)[1] / np.unique(labels, return_counts=True)[1].max()
    budget = math.log(4.0 / (0.1 / 2))
    for h in range(2):
        totals = np.array([losses[labels == g, h].sum() for g in np.unique(labels)])
        totals /= np.unique(labels, return_counts=True)[1].max()
        low, high = certificate.boxes[h, 0]
        for mean, inside in [(low + 1e-4, True), (low - 1e-4, False), (high - 1e-4, True), (high + 1e-4, False)]:
            y = totals - mean * sizes
            width = math.sqrt(2 * y.var(ddof=1) * budget / y.size) + 7 * budget / (3 * (y.size - 1))
            assert (abs(y.mean()) <= width) == inside


def test_clusters_of_one_example_change_nothing_and_order_does_not_matter(rng: np.random.Generator) -> None:
    losses = _random(3)
    alone, plain = mt.certify(losses, clusters=[f"case {i}" for i in range(300)]), mt.certify(losses)
    # Only the words differ: that there are no larger clusters is then assumed.
    assert replace(alone, assumptions=plain.assumptions) == plain
    assert any("has the observed number of examples: 1" in text for text in alone.assumptions)
    labels = np.arange(300) // 3
    order = rng.permutation(300)
    shuffled = mt.certify(losses[order], clusters=labels[order], method="paired")
    assert shuffled.status == mt.certify(losses, clusters=labels, method="paired").status


def test_repeating_every_example_in_its_cluster_is_no_evidence() -> None:
    once = _golden()[150:260]
    five = np.repeat(once, 5, axis=0)
    assert mt.certify(five).status == ("sure", "excluded")
    honest = mt.certify(five, clusters=np.repeat(np.arange(110), 5), method="paired")
    assert honest.adjusted_p_value[1] > 1e-6 or honest.undecided.any()
    assert any("clusters are independent" in text for text in honest.assumptions)


def test_missing_losses_use_common_examples(rng: np.random.Generator) -> None:
    losses = _golden().astype(float)
    unseen = np.concatenate([losses, np.full((500, 2), np.nan)])
    assert mt.certify(unseen).status == mt.certify(losses).status
    assert mt.certify(unseen).n_examples == 1000
    one_sided = unseen.copy()
    one_sided[1000:, 0] = 0.0
    certificate = mt.certify(one_sided)
    assert certificate.adjusted_p_value[1] == mt.certify(losses).adjusted_p_value[1]
    assert certificate.estimates[:, 0].tolist() == [200 / 1500, 230 / 1000]
    assert any("which models were evaluated" in text for text in certificate.assumptions)


def test_objectives_on_different_examples(rng: np.random.Generator) -> None:
    losses = np.full((400, 2, 2), np.nan)
    losses[:300, :, 0] = rng.random((300, 2)) < [0.1, 0.6]
    losses[200:, :, 1] = rng.random((200, 2)) < [0.7, 0.1]
    certificate = mt.certify(losses)
    assert certificate.sure.all()
    assert any("some of the examples" in text for text in certificate.assumptions)


class _Blocks:
    """A source of blocks over an array."""

    def __init__(self, losses: Array, labels: Array | None, cuts: list[int]) -> None:
        self.model_names = [f"model_{h + 1}" for h in range(losses.shape[1])]
        self.objective_names = [f"objective_{i + 1}" for i in range(losses.shape[2])]
        self._losses, self._labels, self._cuts = losses, labels, [0, *cuts, losses.shape[0]]

    def blocks(self) -> Iterator[tuple[Array, Array | None]]:
        for start, stop in zip(self._cuts, self._cuts[1:], strict=False):
            yield self._losses[start:stop], None if self._labels is None else self._labels[start:stop]


@pytest.mark.parametrize("clustered", [False, True])
def test_a_source_of_blocks_gives_the_certificate_of_its_array(clustered: bool) -> None:
    losses = _random(7)
    losses[5, 2] = np.nan
    losses[:, :, 1] *= 0.5
    labels = np.arange(300) // 4 if clustered else None
    # Blocks of the source are examples in the order of the array; cuts are between clusters.
    blocks, array = mt.certify(_Blocks(losses, labels, [0, 4, 200, 256])), mt.certify(losses, clusters=labels)
    assert blocks.names == array.names
    assert blocks.assumptions == array.assumptions
    np.testing.assert_array_equal(blocks.dominates, array.dominates)
    np.testing.assert_array_equal(blocks.sure, array.sure)
    # Sums over other blocks are rounded differently.
    np.testing.assert_allclose(blocks.adjusted_p_value, array.adjusted_p_value, rtol=1e-9)
    np.testing.assert_allclose(blocks.boxes, array.boxes, rtol=1e-9)


def test_large_inputs_are_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = _random(11, n=500)
    labels = np.random.default_rng(0).integers(0, 90, 500)
    whole, clustered = mt.certify(losses), mt.certify(losses, clusters=labels)
    monkeypatch.setattr("moltheory.evaluation._blocks._ROWS", 37)
    monkeypatch.setattr("moltheory.evaluation._blocks._ENTRIES", 1)
    assert mt.certify(losses) == whole
    assert mt.certify(losses, clusters=labels).status == clustered.status


def _groups(rng: np.random.Generator) -> tuple[Array, Array]:
    return (rng.random((3000, 3)) < [0.1, 0.3, 0.3]).astype(float), rng.random(3000) < 0.4


def test_measures(rng: np.random.Generator) -> None:
    losses, group = _groups(rng)
    a, b = Rate(losses, group), Rate(losses, ~group)
    measures = {"error": Mean(losses), "worst": Worst([a, b]), "size": Known([3.0, 2.0, 3.0])}
    certificate = mt.certify(None, objectives=measures, names=["x", "y", "z"], costs={"price": [1.0, 1.0, 2.0]})
    assert certificate.objectives == ("error", "worst", "size", "price")
    assert certificate.data_dependent.tolist() == [True, True, False, False]
    assert certificate.status == ("sure", "sure", "excluded")
    assert certificate.excluded_by[2] == 0
    worst = np.maximum(losses[group].mean(axis=0), losses[~group].mean(axis=0))
    np.testing.assert_allclose(certificate.estimates[:, 1], worst)
    assert certificate.methods[2] == "known exactly"


def test_gaps_of_overlapping_groups_are_decided_by_boxes(rng: np.random.Generator) -> None:
    losses, group = _groups(rng)
    losses[:, 1] = group  # the second model errs on one whole group
    group[:2] = True, False
    overlapping = ~group
    overlapping[0] = True
    gap = Gap(Rate(losses, group), Rate(losses, overlapping))
    certificate = mt.certify(None, objectives={"gap": gap, "error": Mean(losses)}, names=["x", "y", "z"])
    assert certificate.methods[0] == "clopper-pearson; no paired test"
    assert certificate.status[1] == "excluded"
    assert certificate.dominates[0, 1]
    assert any("boxes only" in text for text in certificate.assumptions)


def test_tables_and_mappings() -> None:
    frame = pd.DataFrame(_golden().astype(int), columns=["a", "b"])
    costs = pd.DataFrame({"size": [2.0, 1.0], "price": [4.0, 3.0]}, index=["b", "a"])
    certificate = mt.certify(frame, costs=costs, objectives=["error"])
    assert certificate.names == ("a", "b")
    assert certificate.objectives == ("error", "size", "price")
    assert certificate.estimates[:, 1:].tolist() == [[1.0, 3.0], [2.0, 4.0]]
    same = mt.certify(frame, costs={"size": {"a": 1, "b": 2}, "price": [3.0, 4.0]}, objectives=["error"])
    assert same == certificate
    table = certificate.to_frame()
    assert table["status"].tolist() == ["sure", "excluded"]
    assert table["excluded_by"].tolist()[1] == "a"
    assert {"error", "error (low)", "error (high)", "size"} <= set(table.columns)


def test_inputs_are_not_changed_and_results_are_frozen() -> None:
    losses, costs = _random(1), np.arange(10.0).reshape(5, 2)
    before = losses.copy(), costs.copy()
    losses.flags.writeable = costs.flags.writeable = False
    certificate = mt.certify(losses, costs=costs, clusters=np.arange(300) // 2, epsilon=0.1)
    np.testing.assert_array_equal(losses, before[0])
    np.testing.assert_array_equal(costs, before[1])
    for name in ("sure", "boxes", "dominates", "undecided"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(certificate, name)[...] = 0
    with pytest.raises(AttributeError):
        certificate.delta = 0.5  # type: ignore[misc]


def test_round_trip_and_words() -> None:
    certificate = mt.certify(_golden(), names=["a", "ä <b>"], costs={"size": [1.0, 2.0]}, epsilon=0.001)
    assert mt.Certificate.from_json(certificate.to_json()) == certificate
    assert certificate != mt.certify(_golden(), names=["a", "ä <b>"], costs={"size": [1.0, 2.0]})
    assert "confidence 0.95 from 1,000 examples" in repr(certificate)
    assert "tolerance 0.001/0" in repr(certificate)
    many = mt.certify(np.zeros((3, 12)))
    assert "and 4 more" in repr(many)


@pytest.mark.parametrize("m", [1, 2, 4])
def test_plot(m: int) -> None:
    losses = _random(5, m=m, models=4)
    certificate = mt.certify(losses, maximise=True)
    axes = certificate.plot()
    ax = axes[0] if m > 2 else axes
    ax.figure.draw_without_rendering()
    texts = " ".join(text.get_text() for text in ax.figure.findobj(Text))
    assert all(
        f"{VERDICTS[status]} ({getattr(certificate, status).sum()})" in texts for status in {*certificate.status}
    )
    assert mt.certify(losses).plot(ax=ax) is ax
    crowded = mt.certify(_random(6, m=m, models=40)).plot()
    assert (crowded[0] if m > 2 else crowded).figure is not ax.figure


_NAN = float("nan")


@pytest.mark.parametrize(
    ("argument", "losses", "options"),
    [
        ("losses", np.zeros((5, 1)), {}),
        ("losses", np.zeros(5), {}),
        ("losses", np.zeros((0, 2)), {}),
        ("losses", [["a", "b"]], {}),
        ("losses", np.zeros((5, 2), complex), {}),
        ("losses", np.full((5, 2), 1.5), {}),
        ("losses", np.full((5, 2), -0.1), {}),
        ("losses", np.full((5, 2), np.inf), {}),
        ("losses", np.full((5, 2), _NAN), {}),
        ("losses", [[0, _NAN], [1, _NAN]], {}),
        ("losses", np.zeros((5, 2)), {"objectives": [Mean(np.zeros((5, 2)))]}),
        ("delta", np.zeros((5, 2)), {"delta": 0.0}),
        ("delta", np.zeros((5, 2)), {"delta": 1.0}),
        ("method", np.zeros((5, 2)), {"method": "magic"}),
        ("names", np.zeros((5, 2)), {"names": ["a", "a"]}),
        ("names", np.zeros((5, 2)), {"names": ["a"]}),
        ("names", np.zeros((5, 2)), {"names": "ab"}),
        ("objectives", np.zeros((5, 2)), {"objectives": ["a", "b"]}),
        ("objectives", None, {"objectives": [Known([1.0, 2.0])]}),
        ("objectives", None, {"objectives": {"a": Mean(np.zeros((5, 2))), "b": "error"}}),
        ("objectives", None, {"objectives": [Mean(np.zeros((5, 2))), "error"]}),
        ("objectives", None, {"objectives": [Mean(np.zeros((5, 2))), Mean(np.zeros((4, 2)))]}),
        ("objectives", None, {"objectives": [Mean(np.zeros((5, 2))), Known([1.0])]}),
        ("loss_range", np.zeros((5, 2)), {"loss_range": (1.0, 0.0)}),
        ("loss_range", np.zeros((5, 2)), {"loss_range": (0.0, np.inf)}),
        ("loss_range", np.zeros((5, 2)), {"loss_range": 1.0}),
        ("maximise", np.zeros((5, 2)), {"maximise": [True, False]}),
        ("maximise", np.zeros((5, 2)), {"maximise": 1}),
        ("epsilon", np.zeros((5, 2)), {"epsilon": -0.1}),
        ("epsilon", np.zeros((5, 2)), {"epsilon": [0.1, 0.1]}),
        ("clusters", np.zeros((5, 2)), {"clusters": [1, 2]}),
        ("clusters", np.zeros((5, 2)), {"clusters": [1.0, 1.0, 2.0, _NAN, 2.0]}),
        ("clusters", np.zeros((5, 2)), {"clusters": np.array(["a", "b", None, "a", "b"], dtype=object)}),
        ("costs", np.zeros((5, 2)), {"costs": [1.0, 2.0, 3.0]}),
        ("costs", np.zeros((5, 2)), {"costs": [1.0, _NAN]}),
        ("costs", np.zeros((5, 2)), {"costs": {}}),
        ("costs", np.zeros((5, 2)), {"costs": {"size": [1.0]}}),
        ("costs", np.zeros((5, 2)), {"costs": {"size": {"model_1": 1.0}}}),
        ("costs", np.zeros((5, 2)), {"costs": {"objective_1": [1.0, 2.0]}}),
        ("costs", np.zeros((5, 2)), {"costs": pd.DataFrame({"s": [1.0, 2.0]}, index=["model_1", "b"])}),
    ],
)  # fmt: skip
def test_refusals(argument: str, losses: Any, options: dict[str, Any], refuses: Callable[..., str]) -> None:
    refuses(argument, mt.certify, losses, **options)


def test_other_refusals(refuses: Callable[..., str]) -> None:
    refuses("text", mt.Certificate.from_json, "{}")
    refuses("text", mt.Certificate.from_json, '{"kind": "moltheory.Certificate"}')
    losses = _random(2)
    refuses("clusters", mt.certify, _Blocks(losses, None, []), clusters=np.arange(300))
    wrong = _Blocks(losses, None, [])
    wrong.objective_names = ["one"]
    refuses("losses", mt.certify, wrong)


def test_cells_that_measures_share_take_one_share_of_delta():
    rng = np.random.default_rng(3)
    losses = (rng.random((90, 4)) < [0.1, 0.2, 0.4, 0.5]).astype(float)
    group = np.arange(90) % 3
    rates = [Rate(losses, group == g) for g in range(3)]
    shared = mt.certify(None, objectives={"worst": Worst(rates), "gap": Gap(rates[0], rates[1])}, method="boxes")
    alone = mt.certify(None, objectives={"worst": Worst(rates)}, method="boxes")
    np.testing.assert_array_equal(shared.boxes[:, 0], alone.boxes[:, 0])


def test_maximise_by_name(rng, refuses):
    losses = rng.random((100, 3, 2))
    arguments = {"objectives": ["accuracy", "harm"], "costs": {"speed": [1, 2, 3]}}
    by_name = mt.certify(losses, maximise=["speed", "accuracy"], **arguments)
    assert by_name == mt.certify(losses, maximise=[True, False, True], **arguments)
    assert "accuracy, harm, speed" in refuses("maximise", mt.certify, losses, maximise=["acuracy"], **arguments)
    for wrong in ("accuracy", [True, "accuracy"]):
        refuses("maximise", mt.certify, losses, maximise=wrong, **arguments)
    assert mt.certify(losses, maximise=[], **arguments) == mt.certify(losses, maximise=False, **arguments)


def test_a_file_name_is_told_how_it_is_opened(refuses):
    assert "open_losses" in refuses("losses", mt.certify, "losses.csv")


def test_costs_of_a_table_with_a_column_model(rng):
    losses = rng.integers(0, 2, (50, 2))
    table = pd.DataFrame({"model": ["b", "a"], "size": [2, 1]})
    before = table.copy()
    assert mt.certify(losses, names=["a", "b"], costs=table).estimates[:, 1].tolist() == [1, 2]
    pd.testing.assert_frame_equal(table, before)
