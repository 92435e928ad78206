"""Clusters: what is assumed of their sizes, stated or read off, and means over examples or over clusters."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.certification import EvaluatedModels, further_examples

from ._truth import Array, exact_failure, says_something_false

# Two models and three kinds of clusters, of 1, 2 and 3 examples; means over examples tie, and so do means over clusters.
_KINDS = [
    np.array([[1.0, 0.0]]),
    np.array([[0.0, 1.0], [1.0, 1.0]]),
    np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
]
_THIRDS = [Fraction(1, 3)] * 3
# As above, but for means over clusters: 1 + 1/2 + 1/3 against 0 + 5/6 + 1.
_AVERAGED = [
    np.array([[1.0, 0.0]]),
    np.array([[0.0, 1.0], [1.0, 2.0 / 3.0]]),
    np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0]]),
]


def _sample(kinds: list[Array], counts: Any) -> tuple[Array, Array]:
    """Losses and labels of `counts` clusters of each kind."""
    drawn = [kind for kind, count in zip(kinds, counts, strict=True) for _ in range(int(count))]
    return np.concatenate(drawn), np.repeat(np.arange(len(drawn)), [len(kind) for kind in drawn])


def _mean_over_examples(kinds: list[Array], probabilities: list[Fraction]) -> Array:
    weights = [float(p) for p in probabilities]
    totals = sum(w * kind.sum(axis=0) for w, kind in zip(weights, kinds, strict=True))
    means: Array = totals / sum(w * len(kind) for w, kind in zip(weights, kinds, strict=True))
    return means[:, None]


def _rare(rng: np.random.Generator, clusters: int = 200, size: int = 2000, share: float = 0.002) -> tuple[Array, Array]:
    """Clusters of one example, on which the first model errs, and rarely one of `size`, on which the second does."""
    large = rng.random(clusters) < share
    sizes = np.where(large, size, 1)
    rows = np.repeat(large, sizes)
    return np.stack([~rows, rows], axis=1).astype(float), np.repeat(np.arange(clusters), sizes)


def test_rare_large_clusters_are_not_seen_and_the_stated_size_is_what_saves_the_claims() -> None:
    # The first model is better over examples, .2 against .8, and is beaten on nearly every cluster.
    excluded = {"seen": 0, "stated": 0, "equal": 0}
    for seed in range(30):
        losses, labels = _rare(np.random.default_rng(seed))
        excluded["seen"] += bool(mt.certify(losses, clusters=labels).excluded[0])
        excluded["stated"] += bool(mt.certify(losses, clusters=labels, largest_cluster=2000).excluded[0])
        # Over clusters the second is better indeed.
        certificate = mt.certify(losses, clusters=labels, cluster_weights="equal")
        assert certificate.status == ("excluded", "sure")
        excluded["equal"] += bool(certificate.excluded[0])
    assert excluded == {"seen": 23, "stated": 0, "equal": 30}


@pytest.mark.parametrize("method", ["auto", "paired", "boxes"])
@pytest.mark.parametrize("epsilon", [0.0, 0.125])
@pytest.mark.parametrize("largest", [3, 5])
def test_with_a_stated_size_no_sample_is_left_out(method: str, epsilon: float, largest: int) -> None:
    true = _mean_over_examples(_KINDS, _THIRDS)
    assert true[0] == true[1]

    def failed(counts: Array) -> bool:
        losses, labels = _sample(_KINDS, counts)
        certificate = mt.certify(
            losses, clusters=labels, largest_cluster=largest, delta=0.6, method=method, epsilon=epsilon
        )
        return says_something_false(certificate, true, epsilon)

    assert exact_failure(_THIRDS, 12, failed) <= 0.6


@pytest.mark.parametrize(("stated", "holds"), [(None, False), (40, True)])
def test_rare_clusters_exactly(stated: int | None, holds: bool) -> None:
    # One cluster in 40 has 40 examples, and makes up for the lead of the second model on all others.
    kinds = [np.array([[1.0, 0.0]]), np.tile([0.0, 1.0], (40, 1))]
    probabilities = [Fraction(39, 40), Fraction(1, 40)]
    true = _mean_over_examples(kinds, probabilities)
    assert true[0] < true[1]

    def failed(counts: Array) -> bool:
        losses, labels = _sample(kinds, counts)
        certificate = mt.certify(losses, clusters=labels, largest_cluster=stated, delta=0.2)
        return says_something_false(certificate, true)

    found = exact_failure(probabilities, 30, failed)
    assert (found <= 0.2) == holds
    if not holds:
        assert found == pytest.approx((39 / 40) ** 30)


@pytest.mark.parametrize("method", ["auto", "paired", "boxes"])
def test_means_over_clusters_need_no_largest_size(method: str) -> None:
    true = (sum(kind.mean(axis=0) for kind in _AVERAGED) / 3.0)[:, None]
    assert true[0] == pytest.approx(true[1])

    def failed(counts: Array) -> bool:
        losses, labels = _sample(_AVERAGED, counts)
        certificate = mt.certify(losses, clusters=labels, cluster_weights="equal", delta=0.6, method=method)
        return says_something_false(certificate, true)

    assert exact_failure(_THIRDS, 12, failed) <= 0.6


def test_equal_weights_are_certify_of_the_means(rng: np.random.Generator) -> None:
    labels = np.sort(rng.integers(0, 90, 400))
    losses = rng.random((400, 3)) * [0.5, 0.9, 1.0]
    means = np.stack([losses[labels == g].mean(axis=0) for g in np.unique(labels)])
    certificate = mt.certify(losses, clusters=labels, cluster_weights="equal")
    # Means in clusters of two equal rows: no price for 0/1 losses there either.
    expected = mt.certify(np.repeat(means, 2, axis=0), clusters=np.repeat(np.arange(len(means)), 2))
    np.testing.assert_allclose(certificate.boxes, expected.boxes, atol=1e-9)
    np.testing.assert_allclose(certificate.estimates, means.mean(axis=0)[:, None])
    np.testing.assert_allclose(certificate.adjusted_p_value, expected.adjusted_p_value, rtol=1e-6)
    assert certificate.status == expected.status
    assert any("every cluster weighs the same" in text for text in certificate.assumptions)
    # Copies of a cluster's rows are no evidence, and do not move its mean.
    twice = mt.certify(
        np.repeat(losses, 3, axis=0), clusters=np.repeat(labels, 3), cluster_weights="equal", largest_cluster=10**6
    )
    np.testing.assert_allclose(twice.boxes, certificate.boxes, atol=1e-9)


def test_the_size_scales_and_the_seen_one_is_the_same_if_stated(rng: np.random.Generator) -> None:
    labels = np.repeat(np.arange(400), rng.integers(1, 4, 400))
    hard = rng.random((400, 1))[labels]
    losses = (hard < [0.1, 0.4]).astype(float)
    seen = mt.certify(losses, clusters=labels)
    assert replace(mt.certify(losses, clusters=labels, largest_cluster=3), assumptions=seen.assumptions) == seen
    larger = mt.certify(losses, clusters=labels, largest_cluster=12)
    np.testing.assert_array_equal(larger.estimates, seen.estimates)
    assert (np.diff(larger.boxes)[..., 0] > np.diff(seen.boxes)[..., 0]).all()
    assert larger.adjusted_p_value[1] > seen.adjusted_p_value[1]
    assert any("than was stated in advance: 12" in text for text in larger.assumptions)
    assert any("nothing is guaranteed" in text and "largest observed one: 3" in text for text in seen.assumptions)
    assert not any("largest observed" in text for text in larger.assumptions)


def test_clusters_of_one_example_that_could_be_larger() -> None:
    losses = np.repeat([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]], [60, 10, 30], axis=0)
    alone = mt.certify(losses)
    one = mt.certify(losses, clusters=np.arange(100), largest_cluster=1)
    assert replace(one, assumptions=alone.assumptions) == alone
    three = mt.certify(losses, clusters=np.arange(100), largest_cluster=3)
    assert three.adjusted_p_value[1] > alone.adjusted_p_value[1] or three.undecided.any()
    assert not any("0/1" in text for text in three.assumptions)
    averaged = mt.certify(losses.astype(bool), clusters=np.arange(100), cluster_weights="equal")
    assert not any("0/1" in text or "two ends" in text for text in averaged.assumptions)


def test_sizes_are_checked(refuses: Any) -> None:
    losses, labels = np.eye(6, 2), [0, 0, 0, 1, 1, 2]
    message = refuses("largest_cluster", mt.certify, losses, clusters=labels, largest_cluster=2)
    assert "got 2 and a cluster of 3 examples" in message
    refuses("largest_cluster", mt.certify, losses, clusters=labels, largest_cluster=0)
    refuses("largest_cluster", mt.certify, losses, clusters=labels, largest_cluster=2.5)
    refuses("largest_cluster", mt.certify, losses, largest_cluster=3)
    refuses("cluster_weights", mt.certify, losses, cluster_weights="equal")
    refuses("cluster_weights", mt.certify, losses, clusters=labels, cluster_weights="none")
    models = EvaluatedModels(losses[:, :, None], "ab", ["error"])
    refuses("largest_cluster", models.certify, largest_cluster=3)
    clustered = EvaluatedModels(losses[:, :, None], "ab", ["error"], clusters=labels)
    refuses("largest_cluster", mt.certify, clustered, largest_cluster=2)
    certificate = mt.certify(clustered, cluster_weights="equal")
    np.testing.assert_allclose(certificate.estimates[:, 0], [1 / 9, 1 / 9])
    refuses("largest_cluster", further_examples, clustered, certificate, largest_cluster=2)
    measures = {"first": mt.objectives.Mean(losses)}
    refuses("largest_cluster", mt.certify, None, objectives=measures, largest_cluster=3)
    refuses("largest_cluster", mt.certify, None, objectives=measures, clusters=labels, largest_cluster=2)
    assert mt.certify(None, objectives=measures, clusters=labels, cluster_weights="equal").estimates[0] == 1 / 9


def test_the_command_line_takes_them(tmp_path: Any, capsys: Any) -> None:
    from moltheory.cli import main

    path = tmp_path / "losses.csv"
    losses, labels = _rare(np.random.default_rng(0), share=0.0)
    pd.DataFrame({"cluster": labels, "a": losses[:, 0], "b": losses[:, 1]}).to_csv(path, index=False)
    assert main(["certify", str(path)]) == 0
    said = capsys.readouterr()
    assert "no cluster is larger" in said.err
    assert "a      not on the front" in said.out
    assert main(["certify", str(path), "--largest-cluster", "2000", "--plan"]) == 0
    said = capsys.readouterr()
    assert "no cluster is larger" not in said.err
    assert "not on the front  " not in said.out
    assert main(["certify", str(path), "--cluster-weights", "equal"]) == 0
    said = capsys.readouterr()
    assert "no cluster is larger" not in said.err
    assert "a      not on the front" in said.out
    assert main(["certify", str(path), "--cluster-weights", "none"]) == 2
    assert "`cluster_weights`" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "largest"), [("size", 60), ("equal", None)])
@pytest.mark.parametrize("method", ["auto", "boxes"])
def test_sizes_that_go_with_losses(weights: str, largest: int | None, method: str) -> None:
    """Ties, with clusters of heavy-tailed sizes, on the larger of which the other model is ahead; at a delta of .5."""
    delta, runs, failures = 0.5, 400, 0
    sizes = np.array([1, 2, 5, 60])
    chances = np.array([0.6, 0.25, 0.1, 0.05])
    # Rates of errors by size: the first model's are .5; the second's tie in the mean that is compared.
    counted = chances * (sizes if weights == "size" else 1)
    second = np.array([0.2, 0.2, 0.2, 0.66] if weights == "size" else [0.4, 0.7, 0.6, 0.5])
    assert counted @ second == pytest.approx(0.5 * counted.sum())
    for seed in range(runs):
        rng = np.random.default_rng([seed, 5])
        kinds = rng.choice(4, 150, p=chances)
        labels = np.repeat(np.arange(150), sizes[kinds])
        hard = rng.random((150, 1))[labels]  # examples of a cluster go wrong together
        rates = np.stack([np.full(4, 0.5), second], axis=1)[kinds][labels]
        certificate = mt.certify(
            (hard < rates).astype(float),
            clusters=labels,
            largest_cluster=largest,
            cluster_weights=weights,
            delta=delta,
            method=method,
        )
        failures += says_something_false(certificate, np.full((2, 1), 0.5))
    assert failures <= delta * runs + 3.0 * math.sqrt(runs * delta * (1.0 - delta))
