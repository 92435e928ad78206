"""`Certificate.plan`: from the certificate alone, with clusters, measures and directions, and whether its sizes suffice."""

import dataclasses
import pickle
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.certification import Certificate, further_examples
from moltheory.certification._pair_views import BoxView
from moltheory.certification._plan import EARLIER_COLUMNS
from moltheory.certification._sample_size import mcnemar_power
from moltheory.evaluation import CVaR, LossTable, Quantile
from moltheory.objectives import Cell, Gap, Mean, Measure, Rate, Worst

Array = np.ndarray[Any, Any]


def _losses(rng: np.random.Generator, n: int = 300) -> Array:
    """Three models and two objectives, close to each other."""
    hard = rng.random((n, 1, 2))
    return np.clip(0.7 * hard + 0.3 * rng.random((n, 3, 2)) + np.array([0.0, 0.01, 0.02])[:, None], 0.0, 1.0)


class _Source:
    """Blocks of clustered losses, without anything else."""

    model_names = ("model_1", "model_2", "model_3")
    objective_names = ("objective_1", "objective_2")

    def __init__(self, losses: Array, codes: Array | None) -> None:
        self.losses, self.codes = losses, codes

    def blocks(self) -> Any:
        yield self.losses, self.codes


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("maximise", [False, True])
def test_nothing_is_read_again(rng: np.random.Generator, binary: bool, clustered: bool, maximise: bool) -> None:
    losses = _losses(rng)
    losses = losses > 0.5 if binary else losses
    codes = np.arange(300) // 3 if clustered else None
    certificate = mt.certify(losses, clusters=codes, maximise=maximise)
    assert certificate.undecided.any()
    plan = certificate.plan(simulate=1)
    earlier = further_examples(_Source(losses, codes), certificate, simulate=1)
    pd.testing.assert_frame_equal(plan.rename(columns=EARLIER_COLUMNS), earlier)
    # Moments of clusters are those of their totals.
    assert plan["n_common"].max() == (100 if clustered else 300)
    # A pickle holds sums and no losses, so nothing can be simulated.
    pd.testing.assert_frame_equal(
        pickle.loads(pickle.dumps(certificate)).plan(simulate=1), certificate.plan(simulate=0)
    )


def test_turning_the_losses_round_leaves_the_plan(rng: np.random.Generator) -> None:
    losses = _losses(rng) > 0.5
    plan = mt.certify(losses).plan(simulate=0)
    turned = mt.certify(~losses, maximise=True).plan(simulate=0)
    pd.testing.assert_frame_equal(turned, plan)


def test_a_certificate_from_text_has_no_statistics(rng: np.random.Generator, refuses: Callable[..., str]) -> None:
    losses = _losses(rng)
    certificate = mt.certify(losses)
    for other in (Certificate.from_json(certificate.to_json()), dataclasses.replace(certificate, delta=0.04)):
        assert "further_examples" in refuses("certificate", other.plan)
    assert certificate == Certificate.from_json(certificate.to_json())
    refuses("simulate", certificate.plan, simulate=-1)


def test_a_measure_of_one_mean_is_planned_like_the_mean(rng: np.random.Generator) -> None:
    losses = _losses(rng)[:, :, 0] > 0.5
    plan = mt.certify(losses, names=list("abc")).plan(simulate=3)
    for measure in (Mean(losses), Worst([Mean(losses)])):
        same = mt.certify(None, objectives={"objective_1": measure}, names=list("abc")).plan(simulate=3)
        pd.testing.assert_frame_equal(same, plan)


def _worst(losses: Array, group: Array) -> Measure:
    return Worst([Rate(losses, group == g) for g in range(2)])


def _gap(losses: Array, group: Array) -> Measure:
    return Gap(Rate(losses, group == 0), Rate(losses, group == 1))


def _draw(rng: np.random.Generator, n: int, rates: Array) -> tuple[Array, Array]:
    """Losses of two models with error rates (group, model)."""
    group = rng.integers(0, 2, n)
    return rng.random((n, 1)) < rates[group], group


# Models err on the same examples, the second on more of them; for the gap, in one group only.
_RATES = {"worst": np.array([[0.2, 0.25], [0.22, 0.27]]), "gap": np.array([[0.2, 0.2], [0.2, 0.45]])}
_MEASURES = {"worst": _worst, "gap": _gap}


@pytest.mark.parametrize("name", ["worst", "gap"])
def test_planned_sizes_of_measures_are_enough(name: str) -> None:
    rng = np.random.default_rng(11)
    first = {"worst": 250, "gap": 200}[name]
    promised = decided = 0
    sizes = []
    for _ in range(50):
        losses, group = _draw(rng, first, _RATES[name])
        certificate = mt.certify(None, objectives={name: _MEASURES[name](losses, group)}, names=["a", "b"])
        if not certificate.undecided.any():
            continue
        plan = certificate.plan(simulate=0)
        more = float(plan["sufficient_additional_high"].max())
        if more > 100_000:  # as good as infinite here
            continue
        promised += 1
        sizes.append(first + more)
        fresh, groups = _draw(rng, int(first + more), _RATES[name])
        again = mt.certify(None, objectives={name: _MEASURES[name](fresh, groups)}, names=["a", "b"])
        decided += not again.undecided.any()
    assert promised >= 8
    assert decided >= 0.7 * promised
    assert np.median(sizes) < 25_000


def test_tails_are_planned_by_their_boxes(rng: np.random.Generator) -> None:
    latency = np.column_stack([rng.beta(2, 8, 400), rng.beta(2, 7, 400)])
    certificate = mt.certify(None, objectives={"cvar": CVaR(latency, share=0.2)})
    assert certificate.undecided.all()
    plan = certificate.plan(simulate=2)
    assert list(plan["outcome"]) == ["model dominates", "rival dominates"]
    assert np.isfinite(plan["sufficient_additional"]).all()
    assert (plan["sufficient_additional_low"] <= plan["sufficient_additional"]).all()
    assert (plan["expected_additional"] > 0).all()


_SIZES = ["sufficient_additional_low", "sufficient_additional", "sufficient_additional_high"]


def test_nothing_is_promised_to_boxes_without_a_share() -> None:
    losses, group = _draw(np.random.default_rng(0), 200, np.array([[0.1, 0.3], [0.2, 0.3]]))
    error, gap = Mean(losses), Gap(Rate(losses, group == 0), Mean(losses))  # groups that overlap: no paired test
    certificate = mt.certify(None, objectives={"gap": gap}, method="paired")
    plan = certificate.plan(simulate=2)
    assert np.isinf(plan[[*_SIZES, "expected_additional"]].to_numpy()).all()
    # Nor does a stored certificate forget where its delta went.
    stored = Certificate.from_json(certificate.to_json())
    table = LossTable(losses[:, :, None], certificate.names, ["gap"], measures={"gap": gap})
    assert np.isinf(further_examples(table, stored, simulate=0)["bound"]).all()
    # A paired test of another objective can only show that the model that is better in it is not dominated.
    both = mt.certify(None, objectives={"error": error, "gap": gap}, method="paired", delta=1e-6)
    better = both.names[int(np.argmin(both.estimates[:, 0]))]
    sizes = both.plan(simulate=0).set_index("model")["sufficient_additional"]
    assert len(sizes) == 2
    assert np.isfinite(sizes[better])
    assert np.isinf(sizes.drop(better)).all()


def _close_with_costs() -> Certificate:
    """Four models, of which the two in the middle are close in loss; the last ones cost more than the model before."""
    rng = np.random.default_rng(3)
    common = rng.random((600, 1))
    losses = 0.5 * common + 0.5 * rng.random((600, 4)) < np.array([0.445, 0.42, 0.425, 0.1])
    return mt.certify(losses, costs={"price": [0.1, 0.7, 1.5, 400.0]}, names=list("abcd"))


def test_rivals_that_cost_more_are_not_planned_for() -> None:
    certificate = _close_with_costs()
    price = dict(zip(certificate.names, certificate.estimates[:, 1], strict=True))
    assert certificate.undecided[1]
    plan = certificate.plan(simulate=2).set_index("model")
    for model, row in plan.iterrows():
        h = certificate.names.index(str(model))
        assert price[row["hardest_rival"]] <= price[str(model)]
        assert row["n_open_rivals"] == certificate.open_rivals[h].sum()
        assert certificate.open_rivals[h, certificate.names.index(row["hardest_rival"])]


def test_the_number_for_a_model_is_of_the_size_that_decides_it() -> None:
    certificate = _close_with_costs()
    size = float(certificate.plan(simulate=0).set_index("model").loc["b", "sufficient_additional"])
    losses = certificate._statistics.summaries[0]  # type: ignore[attr-defined]
    n, lost, won = (int(part[0]) for part in losses.outcomes_of(np.array([1]), np.array([0])))
    # The exact test between b and a alone, at delta .0425 over 4 models, at the observed rates.
    total = n
    while mcnemar_power(total, (won - lost) / n, (won + lost) / n, level=0.95 * 0.0425 / 4) < 0.8:
        total += 50
    assert total - n <= size <= 3.0 * total


def test_models_decided_by_boxes_only_are_planned_by_boxes() -> None:
    # Two models that err together: a paired test needs few examples, disjoint boxes need many.
    rng = np.random.default_rng(2)
    losses = rng.random((2000, 1)) < np.array([0.3, 0.33])
    paired, boxes = (mt.certify(losses, method=method) for method in ("paired", "boxes"))
    assert not paired.undecided.any()
    assert boxes.undecided.all()
    plan = boxes.plan(simulate=0)
    size = int(plan["sufficient_additional"].max())
    settled = 0
    for _ in range(20):
        more = rng.random((size, 1)) < losses.mean(axis=0)
        settled += not mt.certify(np.concatenate([losses, more]), method="boxes").undecided.any()
    assert settled >= 13


@pytest.mark.parametrize("seed", range(4))
def test_plans_do_not_depend_on_the_order_of_models(seed: int) -> None:
    losses, group = _draw(np.random.default_rng(seed), 200, np.array([[0.2, 0.2], [0.25, 0.35]]))
    losses = np.column_stack([losses, np.random.default_rng(seed + 50).random(200) < 0.3])
    frames = []
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        names = [f"m{j}" for j in order]
        certificate = mt.certify(None, objectives={"gap": _gap(losses[:, order], group)}, names=names)
        frames.append(certificate.plan(simulate=0).sort_values("model", ignore_index=True))
    assert len(frames[0]) == 3
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame[["model", *_SIZES]], frames[0][["model", *_SIZES]])


def test_views_of_boxes_mirror_each_other(rng: np.random.Generator) -> None:
    estimate = rng.random(6)
    box = estimate[:, None] + rng.random((6, 2)) * [-0.3, 0.1]
    first, second = np.triu_indices(6, 1)
    for delta in (0.05, 0.0):
        there = BoxView.of(estimate, box, 100, first, second, delta=delta)
        back = BoxView.of(estimate, box, 100, second, first, delta=delta)
        for shift in (-1.4, 0.0, 1.0):
            growth = there.growths(shift, 0.01, 0.8)
            np.testing.assert_array_equal(growth, back.growths(shift, 0.01, 0.8)[::-1])
            # Never fewer examples than there are, and one direction only.
            assert (growth >= 1.0).all()
            assert np.isinf(growth).any(axis=0).all()
            assert np.isinf(growth).all() == (delta == 0.0)


@pytest.mark.parametrize("method", ["auto", "boxes", "paired"])
def test_each_undecided_model_has_a_row(method: str) -> None:
    for seed in range(30):
        rng = np.random.default_rng([14, seed])
        losses = (rng.random((100, 2)) < 0.505).astype(float)
        certificate = mt.certify(None, objectives={"median": Quantile(losses, probability=0.5)}, method=method)
        plan = certificate.plan(simulate=0)
        assert sorted(plan["model"]) == [
            name for name, s in zip(certificate.names, certificate.status, strict=True) if s == "undecided"
        ]
        # Boxes that touch do not decide, so at least one more example is needed.
        assert (plan["sufficient_additional"] >= 1).all()
        if certificate.estimates[0] == certificate.estimates[1]:
            assert (plan["outcome"] == "no difference observed").all()
            assert np.isinf(plan["sufficient_additional"]).all()


def test_an_undecided_model_whose_comparisons_are_decided_has_a_row() -> None:
    # As with a tolerance, where certify uses another test.
    losses = np.zeros((400, 2), dtype=bool)
    losses[:150, 1] = losses[150:160, 0] = True
    certificate = mt.certify(losses)
    assert certificate.excluded[1]
    nobody = np.zeros(2, dtype=bool)
    undecided = dataclasses.replace(certificate, sure=nobody, within_slack=nobody, excluded=nobody)
    plan = undecided.with_statistics(certificate._statistics).plan(simulate=2)  # type: ignore[attr-defined]
    assert list(plan["outcome"]) == ["model dominates", "rival dominates"]
    assert (plan["n_open_rivals"] == 0).all()
    assert (plan[[*_SIZES, "expected_additional"]] == 0).to_numpy().all()


def test_a_model_without_rivals_has_a_row(rng: np.random.Generator) -> None:
    losses = np.stack([np.zeros(50), np.ones(50)], axis=1)
    certificate = mt.certify(losses)
    assert list(certificate.status) == ["sure", "excluded"]
    nobody = np.zeros(2, dtype=bool)
    alone = dataclasses.replace(certificate, sure=nobody, within_slack=nobody)
    row = further_examples(losses, alone, simulate=3).iloc[0]
    assert (row["model"], row["open"], row["outcome"]) == ("model_1", 0, "no difference observed")
    assert row["bound"] == np.inf


def test_an_empty_plan_has_the_types_of_any_other(rng: np.random.Generator) -> None:
    settled = mt.certify(np.column_stack([np.zeros(500, bool), np.ones(500, bool)])).plan()
    assert len(settled) == 0
    pd.testing.assert_series_equal(settled.dtypes, mt.certify(rng.random((50, 2)) < 0.5).plan(simulate=0).dtypes)


class _Unbounded(Measure):
    """A mean of which nothing is known."""

    def __init__(self, losses: Array) -> None:
        self.cells = (Cell(losses, np.ones(len(losses), bool)),)

    def value(self, means: Sequence[Array]) -> Array:
        return means[0]

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        return np.full(lower[0].shape, -np.inf), np.full(upper[0].shape, np.inf)

    def width(self, widths: Sequence[Array]) -> Array:
        return widths[0]


def test_unbounded_intervals_give_infinite_sizes_and_no_warnings(rng: np.random.Generator) -> None:
    losses = rng.random((60, 3)) < np.array([0.1, 0.3, 0.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plan = mt.certify(None, objectives={"unbounded": _Unbounded(losses)}).plan(simulate=3)
    assert len(plan) == 3
    assert np.isinf(plan[[*_SIZES, "expected_additional"]].to_numpy()).all()


_TIES: dict[str, Callable[[np.random.Generator], Any]] = {
    "0/1": lambda rng: mt.certify(rng.random((60, 2)) < 0.3),
    "0/1, always different": lambda rng: mt.certify(np.column_stack([x := rng.random(60) < 0.5, ~x])),
    "0/1, rarely different": lambda rng: mt.certify(rng.random((60, 2)) < 0.03),
    "0/1, costs": lambda rng: mt.certify(rng.random((60, 2)) < 0.3, costs=[[1.0], [2.0]]),
    "0/1, six objectives": lambda rng: mt.certify(
        rng.random((60, 2, 6)) < np.array([[0.05] + [0.3] * 5, [0.6] + [0.3] * 5])
    ),
    "bounded": lambda rng: mt.certify(rng.beta(2, 5, (60, 2))),
    "bounded, few": lambda rng: mt.certify(rng.beta(2, 5, (6, 2))),
    "boxes": lambda rng: mt.certify(np.column_stack([x := rng.random(200) < 0.5, ~x]), method="boxes"),
    "gap": lambda rng: (lambda d: mt.certify(None, objectives={"g": _gap(*d)}))(
        _draw(rng, 60, _RATES["gap"][:, [1, 1]])
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(_TIES))
def test_equal_models_are_seldom_promised_a_size(name: str) -> None:
    runs = 150
    finite = 0
    for seed in range(runs):
        plan = _TIES[name](np.random.default_rng([7, seed])).plan(simulate=0)
        finite += bool(np.isfinite(plan["sufficient_additional_high"]).any())
    assert finite <= 0.2 * runs
