"""Simulated sizes of plans: whether they are those of the certificate, goals, what is drawn, and what is kept."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import moltheory as mt
from moltheory.certification import Certificate, _kept_losses, further_examples
from moltheory.certification._certified import certified
from moltheory.certification._kept_losses import recorded
from moltheory.certification._plan_runs import SizeCurves
from moltheory.errors import FewExamplesWarning
from moltheory.evaluation import CVaR, Quantile
from moltheory.evaluation._comparison import read_comparison
from moltheory.objectives import Gap, Rate

Array = np.ndarray[Any, Any]
_COLUMNS = ["expected_additional", "additional_80", "additional_95"]


def _losses(n: int, models: int = 3, seed: int = 1, gap: float = 0.04) -> Array:
    rng = np.random.default_rng(seed)
    return 0.5 * rng.random((n, 1)) + 0.5 * rng.random((n, models)) < 0.4 + gap * np.arange(models)


def _plain(rows: Array) -> mt.Certificate:
    return mt.certify(_losses(300, 2)[rows])


def _tolerant(rows: Array) -> mt.Certificate:
    return mt.certify(_losses(300)[rows], costs=[[1.0], [2.0], [3.0]], epsilon=0.05)


def _gap(rows: Array) -> mt.Certificate:
    losses, group = _losses(300, 2, seed=4)[rows], rows % 3 == 0
    rates = Rate(losses ^ group[:, None], group), Rate(losses, ~group)
    return mt.certify(None, objectives={"gap": Gap(*rates)})


def _settled_share(make: Callable[[Array], mt.Certificate], size: int, runs: int, seed: int) -> float:
    """Draw populations and examples by other code than the plan's, and count certificates that leave nothing open."""
    rng = np.random.default_rng([99, seed])
    shares = [rng.multinomial(300, np.full(300, 1 / 300)) / 300 for _ in range(runs)]
    return float(np.mean([not make(rng.choice(300, size, p=share)).undecided.any() for share in shares]))


@pytest.mark.parametrize(
    "make", [_plain, pytest.param(_tolerant, marks=pytest.mark.slow), pytest.param(_gap, marks=pytest.mark.slow)]
)
def test_a_sample_of_the_planned_size_decides_as_often_as_planned(make: Callable[[Array], mt.Certificate]) -> None:
    # Populations are bootstrap samples of the losses at hand here, so the plan is right up to the finite number of runs.
    certificate = make(np.arange(300))
    assert certificate.undecided.any()
    (row,) = certificate.plan(goal="all", simulate=40).to_dict("records")
    assert 0 < row["additional_80_low"] <= row["additional_80"] <= row["additional_80_high"] < math.inf
    assert row["expected_additional"] <= row["additional_80"] <= row["additional_95"]
    runs = 80
    low, high = (
        _settled_share(make, 300 + int(row[name]), runs, k)
        for k, name in enumerate(("additional_80_low", "additional_80_high"))
    )
    # Beyond two standard errors of the plan, another 3.5 of the check.
    error = 3.5 * math.sqrt(0.16 / runs)
    assert low <= 0.8 + error
    assert high >= 0.8 - error


@pytest.mark.slow
def test_bounds_are_no_substitute() -> None:
    # The wrong number: the bound is far above the size that decides four times in five.
    certificate = _tolerant(np.arange(300))
    bound = int(certificate.plan(simulate=0)["sufficient_additional"].max())
    planned = float(certificate.plan(goal="all", simulate=40)["additional_80"].iloc[0])
    assert bound > 1.5 * planned
    assert _settled_share(_tolerant, 300 + bound, 60, 7) > 0.97


def test_goals() -> None:
    losses = _losses(400, 4, gap=0.01)
    certificate = mt.certify(losses, objectives=["error"], costs={"price": [1.0, 2.0, 3.0, 4.0]}, names=list("abcd"))
    each = certificate.plan(simulate=4).set_index("model")
    goals: dict[str, Any] = {"all": "all", "limits": {"error": 0.35}, "pair": ("c", "a"), "list": ["a", "c"]}
    one = {name: certificate.plan(goal=goal, simulate=4).iloc[0] for name, goal in goals.items()}
    assert list(one["all"].index) == list(certificate.plan(goal="all", simulate=1).columns)
    assert one["all"]["n_open"] == certificate.undecided.sum() == len(each)
    assert one["all"]["goal"] == "every model is decided"
    # All take at least as many as each, and a pair no more than its two models.
    assert one["all"]["expected_additional"] >= each["expected_additional"].max() - 1
    assert one["pair"]["goal"] == "c against a is decided"
    assert one["limits"]["goal"] == "the front within error<=0.35 is certain"
    pd.testing.assert_series_equal(one["pair"][_COLUMNS], one["list"][_COLUMNS], check_names=False)
    assert one["pair"]["expected_additional"] <= one["all"]["expected_additional"]
    # What is met already takes no more.
    settled = mt.certify(np.column_stack([np.zeros(500, bool), np.ones(500, bool)]), names=["a", "b"])
    for goal in ("all", ("a", "b"), {"objective_1": 0.5}):
        row = settled.plan(goal=goal).iloc[0]
        assert row["n_open"] == 0
        assert (row[_COLUMNS] == 0.0).all()


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ("most", "`goal` must be 'all'"),
        (3, "got int"),
        (("model_1",), "got tuple"),
        (("model_1", "model_1"), "two different models"),
        (("model_1", "model_9"), "did you mean"),
        ({}, "`limits` must map"),
        ({"error": 0.1}, "`limits` must name objectives"),
        ({"objective_1": math.nan}, "`limits`"),
        ({"objective_1": 2.0}, "between 0 and 1"),
    ],
)
def test_a_goal_of_another_kind_is_refused(goal: Any, words: str) -> None:
    certificate = _plain(np.arange(60))
    with pytest.raises(mt.errors.InvalidInputError) as caught:
        certificate.plan(goal=goal)
    assert words in str(caught.value)


def test_goals_need_runs(refuses: Callable[..., str]) -> None:
    assert "at least 1" in refuses("simulate", _plain(np.arange(60)).plan, goal="all", simulate=0)


def test_the_same_seed_gives_the_same_plan_before_and_after_storing() -> None:
    losses = _losses(200, 2)
    certificate = mt.certify(losses, epsilon=0.01)
    plan = certificate.plan(simulate=2, rng=4)
    pd.testing.assert_frame_equal(certificate.plan(simulate=2, rng=4), plan)
    # A pickle holds no losses.
    pickled = pickle.loads(pickle.dumps(certificate)).plan(simulate=2, rng=4)
    pd.testing.assert_frame_equal(pickled, certificate.plan(simulate=0))
    with pytest.raises(mt.errors.InvalidInputError, match="`goal` needs losses"):
        pickle.loads(pickle.dumps(certificate)).plan(goal="all")
    stored = Certificate.from_json(certificate.to_json())
    again = further_examples(losses, stored, goal="all", simulate=2, rng=4)
    pd.testing.assert_frame_equal(again, certificate.plan(goal="all", simulate=2, rng=4))
    # What is kept is a copy.
    losses[:] = False
    pd.testing.assert_frame_equal(certificate.plan(simulate=2, rng=4), plan)


def test_equal_models_have_no_size() -> None:
    losses = np.repeat(np.random.default_rng(0).random((50, 1)) < 0.5, 2, axis=1)
    plan = mt.certify(losses).plan(simulate=2)
    assert np.isinf(plan[_COLUMNS].to_numpy()).all()
    assert (plan["simulated_up_to"] > 20 * 50).all()


def test_without_runs_nothing_is_simulated() -> None:
    plan = _plain(np.arange(100)).plan(simulate=0)
    assert plan[[*_COLUMNS, "simulated_up_to"]].isna().to_numpy().all()
    assert np.isfinite(plan["sufficient_additional"]).any()


def test_one_example_can_be_planned_from() -> None:
    with pytest.warns(FewExamplesWarning):
        certificate = mt.certify(np.array([[0.0, 1.0]]))
    plan = certificate.plan(simulate=2)
    # It says that the second model always errs, and the first never.
    assert (plan["expected_additional"] < 100).all()


def test_groups_may_be_empty_in_a_run() -> None:
    losses, group = _losses(20, 2), np.arange(20) == 0
    certificate = mt.certify(None, objectives={"gap": Gap(Rate(losses, group), Rate(losses, ~group))})
    plan = certificate.plan(simulate=2)
    assert len(plan) == 2
    assert plan["simulated_up_to"].gt(0).all()


class _Own(CVaR):
    """A tail of a class that is not known here."""


def test_tails_are_drawn_with_the_rest_unless_their_class_is_unknown() -> None:
    losses = np.random.default_rng(2).beta(2, 8, (80, 2))
    for tail in (CVaR(losses, share=0.2), Quantile(losses, probability=0.5)):
        assert mt.certify(None, objectives={"tail": tail}).plan(simulate=1)["simulated_up_to"].gt(0).all()
    assert mt.certify(None, objectives={"tail": _Own(losses)}).plan(simulate=1)[_COLUMNS].isna().to_numpy().all()


def test_whole_clusters_are_drawn(rng: np.random.Generator) -> None:
    sizes = np.array([1, 4, 2, 3])
    codes = np.repeat([7, 3, 9, 5], sizes)
    # Values name the row.
    losses = (np.arange(10.0) / 10)[:, None, None] + np.array([0.0, 0.01])[:, None]
    shuffled = rng.permutation(10)
    problem, recorder = recorded(read_comparison(losses[shuffled], clusters=codes[shuffled]))
    problem.scan(None, "size")
    sample = recorder.sample(problem, certified, None, "size")
    assert sample is not None
    assert (sample.n_units, sample.clustered, sample.mean_size) == (4, True, 2.5)
    drawn = sample.draw(300, rng)
    (block,) = drawn.read()
    assert block.codes is not None
    rows = np.round(block.rows[:, 0] * 10).astype(int)
    clusters = [sorted(part.tolist()) for part in np.split(rows, np.flatnonzero(np.diff(block.codes)) + 1)]
    assert len(clusters) == 300
    whole = [np.flatnonzero(codes == code).tolist() for code in (7, 3, 9, 5)]
    assert sum(clusters.count(one) for one in whole) == 300
    assert sample.scan(drawn, unbounded=False).columns[0].n_units == 300
    # One of the four is missing from a population of four with probability (3/4)^4. In a sample of 300 from the four, never.
    missing = sum(0.0 not in next(sample.draw(300, rng).read()).rows[:, 0] for _ in range(400))
    assert 1e-6 < binom.cdf(missing, 400, 0.75**4) < 1 - 1e-6


def test_a_part_of_many_losses_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept_losses, "KEPT", 20_000)
    losses = np.random.default_rng(3).random((4000, 3, 2))
    losses[:, 1] = losses[:, [0]][:, 0] / 2
    certificate = mt.certify(losses)
    sample = certificate._statistics.sample  # type: ignore[attr-defined]
    assert sample.n_units == 4000
    assert 100 < len(sample.losses[0]) < 420
    assert sum(part.nbytes for part in sample.losses) <= 20_000
    # The same examples in both objectives.
    kept = [np.flatnonzero(np.isin(losses[:, 0, i], sample.losses[i][:, 0])) for i in range(2)]
    np.testing.assert_array_equal(kept[0], kept[1])
    measured = mt.certify(None, objectives={"rate": Rate(losses[:, :, 0], losses[:, 0, 1] > 0.5)})
    assert len(measured._statistics.sample.starts) < 1000  # type: ignore[attr-defined]


def test_sizes_between_shares_are_interpolated_in_their_logarithms() -> None:
    curves = SizeCurves(np.array([100, 200, 400]), np.array([10, 10, 10]), np.array([[2, 0, 9], [6, 0, 7], [9, 0, 8]]))
    fifty, eighty = curves.needed(0.5), curves.needed(0.8)
    # From .2 to .6: three quarters of the way. Nine, seven and eight are out of order, so .8 throughout.
    assert fifty[0] == pytest.approx(100 * 2**0.75)
    assert eighty[0] == pytest.approx(200 * 2 ** (2 / 3))
    assert fifty[1] == eighty[1] == math.inf
    assert fifty[2] == eighty[2] == 100.0
    # Two standard errors, .253, more and less than .8 of ten runs.
    assert curves.needed(0.8, errors=2.0)[0] == math.inf
    assert curves.needed(0.8, errors=-2.0)[0] == pytest.approx(100 * 2 ** ((0.8 - 2 * math.sqrt(0.016) - 0.2) / 0.4))
