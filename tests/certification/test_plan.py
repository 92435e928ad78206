"""`Certificate.plan`: from the certificate alone, with clusters, measures and directions, and whether its sizes suffice."""

import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.certification import Certificate, further_examples
from moltheory.certification._plan import EARLIER_COLUMNS
from moltheory.evaluation import CVaR
from moltheory.objectives import Gap, Mean, Measure, Rate, Worst

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
    plan = certificate.plan(simulate=4)
    earlier = further_examples(_Source(losses, codes), certificate, simulate=4)
    pd.testing.assert_frame_equal(plan.rename(columns=EARLIER_COLUMNS), earlier)
    # Moments of clusters are those of their totals.
    assert plan["n_common"].max() == (100 if clustered else 300)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(certificate)).plan(simulate=4), plan)


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
_RATES = {"worst": np.array([[0.2, 0.24], [0.22, 0.26]]), "gap": np.array([[0.2, 0.2], [0.2, 0.45]])}
_MEASURES = {"worst": _worst, "gap": _gap}


@pytest.mark.parametrize("name", ["worst", "gap"])
def test_planned_sizes_of_measures_are_enough(name: str) -> None:
    rng = np.random.default_rng(11)
    first = {"worst": 150, "gap": 200}[name]
    promised = decided = 0
    sizes = []
    for _ in range(40):
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
    assert promised >= 10
    assert decided >= 0.7 * promised
    assert np.median(sizes) < 20_000


def test_tails_are_planned_by_their_boxes(rng: np.random.Generator) -> None:
    latency = np.column_stack([rng.beta(2, 8, 400), rng.beta(2, 7, 400)])
    certificate = mt.certify(None, objectives={"cvar": CVaR(latency, share=0.2)})
    assert certificate.undecided.all()
    plan = certificate.plan(simulate=2)
    assert list(plan["outcome"]) == ["model dominates", "rival dominates"]
    assert np.isfinite(plan["sufficient_additional"]).all()
    assert (plan["sufficient_additional_low"] <= plan["sufficient_additional"]).all()
    assert (plan["expected_additional"] > 0).all()
