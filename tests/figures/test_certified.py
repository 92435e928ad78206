"""The zoo of classifiers is the same again, and the figure's count of false claims counts them."""

import numpy as np
import pytest

from moltheory.certification import from_estimators
from moltheory.figures import _certified as certified
from moltheory.figures._zoo import model_zoo


@pytest.fixture(scope="module")
def zoo():
    return model_zoo("breast_cancer", quick=True)


def test_the_zoo_is_the_same_again_bit_for_bit(zoo):
    again = model_zoo.__wrapped__("breast_cancer", quick=True)
    assert again.model_names == zoo.model_names
    for name in ("wrong", "size_in_bytes", "n_parameters", "target", "features"):
        assert getattr(again, name).tobytes() == getattr(zoo, name).tobytes()
        assert not getattr(zoo, name).flags.writeable


def test_the_zoo_has_many_kinds_and_no_model_is_trained_on_the_test_half(zoo):
    assert len(zoo.model_names) == len(set(zoo.model_names)) >= 36
    assert len(set(zoo.families)) >= 8
    assert zoo.wrong.shape == (285, len(zoo.model_names))
    assert set(np.unique(zoo.wrong)) == {0.0, 1.0}
    # A model that has seen the test half would be perfect on it.
    assert (zoo.wrong.mean(axis=0) > 0).all()


def test_the_zoo_is_what_the_adapter_says(zoo):
    models = from_estimators(zoo.estimators, zoo.features, zoo.target, costs=["size_in_bytes", "n_parameters"])
    np.testing.assert_array_equal(models.losses[:, :, 0], zoo.wrong)
    np.testing.assert_array_equal(models.costs[:, 1], zoo.n_parameters)
    # Search trees count their calls: used ones take a few bytes more.
    np.testing.assert_allclose(models.costs[:, 0], zoo.size_in_bytes, atol=16)


def test_claims_are_counted_against_the_truth():
    """Two models that tie in error and differ in size: every claim about the smaller one that is not `sure` is false."""
    wrong = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]] * 10)
    claims = certified._claims(wrong, np.array([1.0, 2.0, 1.0]), 40, certified.Budget(5, 20, 50), 0)
    assert {method: scores["samples"] for method, scores in claims.items()} == {
        "certify": 5,
        "boxes, Clopper-Pearson": 20,
        "boxes, Hoeffding": 20,
        "bootstrap": 20,
    }
    assert claims["certify"]["failed"] == 0
    assert claims["certify"]["settled"] > claims["boxes, Hoeffding"]["settled"] - 1e-12
    assert claims["bootstrap"]["failed_share"] == claims["bootstrap"]["failed"] / 20
