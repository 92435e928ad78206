"""Certificates of quantiles: their paired tests decide what boxes cannot, in either direction."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.evaluation import CVaR, Quantile

Array = np.ndarray


def _seconds(n: int = 1000) -> Array:
    """Latencies of four models, log-normal with a common part; the 95 % quantiles rise from left to right."""
    rng = np.random.default_rng(3)
    return np.exp(0.8 * rng.standard_normal((n, 1)) + 0.05 * rng.standard_normal((n, 4)) + [0.0, 0.01, 0.16, 0.17])


def test_the_paired_test_decides_what_boxes_cannot() -> None:
    certificate = mt.certify(None, objectives={"p95": Quantile(_seconds(), 0.95)})
    assert certificate.status == ("undecided", "undecided", "excluded", "excluded")
    assert "McNemar" in certificate.methods[0]
    boxes = mt.certify(None, objectives={"p95": Quantile(_seconds(), 0.95)}, method="boxes")
    assert boxes.undecided.all()
    assert not any("boxes only" in sentence for sentence in certificate.assumptions)


def test_the_direction_turns_the_test() -> None:
    fast = 1.0 / _seconds()
    certificate = mt.certify(None, objectives={"rate": Quantile(fast, 0.05)}, maximise=True)
    assert certificate.status == ("undecided", "undecided", "excluded", "excluded")


def test_a_tolerance_is_in_units_of_the_quantile() -> None:
    tail = {"p95": Quantile(_seconds(4000), 0.95)}
    assert mt.certify(None, objectives=tail, epsilon=0.5).within_slack.tolist()[:2] == [True, True]
    assert not mt.certify(None, objectives=tail).within_slack.any()


def test_tails_without_a_test_share_the_budget_with_those_that_have_one() -> None:
    x = _seconds()
    certificate = mt.certify(None, objectives={"p95": Quantile(x, 0.95), "tail": CVaR(x, share=0.1, cap=60.0)})
    shares = dict(certificate.delta_allocation)
    assert shares["simultaneous boxes"] == pytest.approx(0.35 * 0.05)
    assert certificate.methods[1].endswith("no paired test")
    assert any("boxes only" in sentence and "tail" in sentence for sentence in certificate.assumptions)


def _with_rows_of_their_own(n: int = 300) -> Array:
    """0/1 losses on some examples and latencies on others, (3 n, 3, 2)."""
    rng = np.random.default_rng(5)
    both = np.full((3 * n, 3, 2), np.nan)
    both[: 2 * n, :, 0] = rng.random((2 * n, 3)) < [0.3, 0.31, 0.32]
    both[2 * n :, :, 1] = rng.lognormal([0.0, 0.1, 0.2], 0.5, size=(n, 3))
    return both


def test_examples_without_a_measurement_do_not_count() -> None:
    both = _with_rows_of_their_own()
    table = mt.evaluation.LossTable(both, objective_names=["loss", "s"], loss_range={"s": (0.0, np.inf)})
    certificate = table.with_objectives(quantile={"s": 0.95}).certify()
    # As with a limit or a cap, the objective with most examples has 600.
    assert certificate.n_examples == 600
    assert not any("which models were evaluated" in sentence for sentence in certificate.assumptions)
    # Rows of nothing change neither the certificate nor its plan.
    alone, padded = (
        mt.certify(None, objectives={"s p95": Quantile(values, 0.95)}) for values in (both[600:, :, 1], both[:, :, 1])
    )
    assert (alone.n_examples, padded.n_examples) == (300, 300)
    np.testing.assert_array_equal(alone.boxes, padded.boxes)
    one, other = alone.plan(simulate=2), padded.plan(simulate=2)
    assert len(one)
    assert one.equals(other)


def test_an_example_that_some_model_lacks_is_an_assumption() -> None:
    seconds = _seconds(100)
    seconds[:3, 0] = np.nan
    certificate = mt.certify(None, objectives={"p95": Quantile(seconds, 0.95)})
    assert any("which models were evaluated" in sentence for sentence in certificate.assumptions)
