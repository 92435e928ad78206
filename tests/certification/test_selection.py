"""What is chosen after a look at the losses, and what that costs; edges where a claim would be false by rounding."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import stats

import moltheory as mt
from moltheory.certification._p_values import BETTING, EMPIRICAL_BERNSTEIN, chosen_test
from moltheory.evaluation._blocks import array_columns
from moltheory.evaluation._scan import Scan
from moltheory.inference._inspection import FEW, most_of_few

from ._truth import exact_failure, says_something_false

Array = np.ndarray[Any, Any]


def _evaluation(losses: Array) -> Scan:
    models, m = losses.shape[1:]
    names, titles = [f"m{h}" for h in range(models)], [f"o{i}" for i in range(m)]
    return Scan(
        lambda: array_columns(losses, None), model_names=names, column_names=titles, low=np.zeros(m), high=np.ones(m)
    )


@pytest.mark.parametrize("n", [1, 2, 7, 20, 90, 1000, 10**7])
@pytest.mark.parametrize("log_spent", [3.0, 12.0, 30.0])
def test_none_and_many_inside_the_range_are_never_both_likely(n: int, log_spent: float) -> None:
    few, spent = most_of_few(n, log_spent), math.exp(-log_spent)
    share = -math.expm1(-log_spent / n)
    for q in [*np.geomspace(1e-9, 1.0, 60), share * (1 - 1e-9), share, min(share * (1 + 1e-9), 1.0)]:
        none, many = float(stats.binom.pmf(0, n, q)), float(stats.binom.sf(few, n, q))
        assert min(none, many) <= spent * (1 + 1e-6)
    # Least such number.
    assert few == 0 or stats.binom.sf(few - 1, n, share) > 0.99 * spent


def _golden() -> Array:
    losses = np.zeros((1000, 2), dtype=bool)
    losses[:200, 0] = losses[20:250, 1] = True
    return losses


def test_only_types_that_leave_nothing_else_are_0_1_for_nothing() -> None:
    # 85 % of delta for two verdicts, each with one rival.
    p = 2.0 / 0.85 * float(mt.bounds.paired_dominance([20], [50]))
    for whole in (bool, np.int64, np.uint8):
        certificate = mt.certify(_golden().astype(whole))
        assert certificate.adjusted_p_value[1] == pytest.approx(p, rel=1e-12)
        assert any("only the two ends of the range" in text for text in certificate.assumptions)
    for dtype in (np.float32, np.float64):
        certificate = mt.certify(_golden().astype(dtype))
        assert certificate.adjusted_p_value[1] == pytest.approx(p / (1.0 - FEW), rel=1e-3)
        assert not any("only the two ends" in text for text in certificate.assumptions)
        assert any("never leave their range" in text for text in certificate.assumptions)
        alone = mt.bounds.binomial_interval([200, 230], 1000, delta=0.1 * 0.05 / 2 * (1 - FEW) * (1 - 1e-5))
        np.testing.assert_allclose(certificate.boxes[:, 0, 0], alone.lower, rtol=1e-9)
    # Ratings 0 and 5 of a scale could be anything between; losses 3 and 4 of the range (3, 4) could not.
    assert mt.certify(_golden() * 5, loss_range=(0, 5)).adjusted_p_value[1] > 1.01 * p
    assert mt.certify(_golden() + 3, loss_range=(3, 4)).adjusted_p_value[1] == pytest.approx(p, rel=1e-12)


def test_the_three_cases_share_one_level() -> None:
    losses = np.zeros((1000, 2, 1))
    kept = []
    for inside in (0, 1, 30, 60, 400):
        losses[:inside] = 0.5
        column = _evaluation(losses).columns[0]
        assert column.n_interior == inside
        kept.append(column.kept_level(5.0))
    shares, spent = zip(*kept, strict=True)
    assert shares == (1 - FEW, FEW, FEW, 1 - FEW, 1 - FEW)
    assert len(set(spent)) == 1
    assert spent[0] == pytest.approx(1e-5 * math.exp(-5.0))


@pytest.mark.parametrize("method", ["paired", "boxes"])
def test_losses_that_seldom_leave_the_ends(method: str) -> None:
    # A tie by a loss of 1/2 that half of the samples do not show, and then the first model looks better than it is.
    losses = np.array([[[0.0], [1.0]], [[1.0], [0.0]], [[0.5], [0.0]]])
    probabilities = [Fraction(19, 40), Fraction(17, 40), Fraction(4, 40)]
    true = np.tensordot([float(p) for p in probabilities], losses, axes=1)
    assert true[0, 0] == pytest.approx(true[1, 0])

    def failed(counts: Array) -> bool:
        certificate = mt.certify(np.repeat(losses, counts, axis=0), delta=0.8, method=method)
        return says_something_false(certificate, true)

    assert exact_failure(probabilities, 7, failed) <= 0.8


def test_no_column_has_a_say_in_the_test_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = np.full((50, 2, 2), 0.5)
    monkeypatch.setattr("moltheory.certification._pair_bets._PRODUCTS", 50 * 4)
    both = chosen_test(_evaluation(losses), 1, False)
    losses[:, :, 0] = 1.0
    assert chosen_test(_evaluation(losses), 1, False) == both == EMPIRICAL_BERNSTEIN
    monkeypatch.setattr("moltheory.certification._pair_bets._PRODUCTS", 50 * 8)
    assert chosen_test(_evaluation(losses), 1, False) == BETTING


def test_known_costs_exactly_at_the_slack() -> None:
    # The second is better by 0.2 in cost exactly, and by more in errors; 0.3 < 0.1 + 0.2 is rounding.
    losses = np.zeros((300, 2), dtype=bool)
    losses[:200, 0] = True
    certificate = mt.certify(losses, costs=[0.3, 0.1], epsilon=[0.2, 0.2])
    assert certificate.within_slack.tolist() == [False, True]
    assert mt.certify(losses, costs=[0.3, 0.1], epsilon=[0.2, 0.2 + 1e-9]).within_slack.all()


class _Pieces:
    model_names, objective_names = ("a", "b"), ("error",)

    def __init__(self, labels: list[list[int]]) -> None:
        self._labels = labels

    def blocks(self) -> Any:
        for labels in self._labels:
            yield np.zeros((len(labels), 2, 1)), np.array(labels)


def test_a_cluster_in_pieces_is_refused(refuses: Any) -> None:
    assert len(mt.certify(_Pieces([[0, 0, 1], [2, 2]]))) == 2
    for labels in ([[0, 1, 0]], [[0, 1], [1, 2]], [[0, 1], [2, 2], [0]]):
        assert "in pieces" in refuses("losses", mt.certify, _Pieces(labels))


def test_a_model_on_parts_of_clusters_needs_more_than_luck_per_example() -> None:
    # Losses depend on the size, and small clusters are seen whole more often: only the words can save this.
    losses = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, np.nan], [0.0, 1.0]])
    told = mt.certify(losses, clusters=[0, 1, 1, 2]).assumptions
    assert any("its size included" in text for text in told)


def _poisson_binomial(chances: Array) -> Array:
    """Probabilities of 0, ..., n successes of independent events with these chances."""
    found = np.ones(1)
    for q in chances:
        found = np.convolve(found, [1.0 - q, q])
    return found


@pytest.mark.parametrize("n", [2, 3, 8, 30])
def test_with_different_patterns_equal_chances_are_the_worst_case(n: int, rng: np.random.Generator) -> None:
    for power in (0.3, 1.0, 4.0):
        for log_none in (0.01, 1.0, 5.0, 11.0):
            shares = rng.dirichlet(np.full(n, power))
            chances = -np.expm1(-log_none * shares)
            tails = 1.0 - np.cumsum(_poisson_binomial(chances))
            equal = 1.0 - np.cumsum(_poisson_binomial(np.full(n, -math.expm1(-log_none / n))))
            assert tails[0] == pytest.approx(equal[0], abs=1e-12)
            assert (tails <= equal + 1e-12).all()
            # One step of the proof: two chances made equal, with their product of 1 - q.
            middle = chances.copy()
            middle[:2] = -math.expm1(-log_none * shares[:2].mean())
            assert (tails <= 1.0 - np.cumsum(_poisson_binomial(middle)) + 1e-12).all()
            few, spent = most_of_few(n, 5.0), math.exp(-5.0)
            assert min(1.0 - tails[0], tails[few]) <= spent * (1.0 + 1e-6)
