"""The deep unconstrained-features model: gradients, golden optimum, replicates at once, refusals."""

import numpy as np
import pytest

from moltheory.studies import DeepFeatures, descend, polish
from moltheory.studies._deep_features import stacked
from moltheory.studies.unconstrained_features import separated_layers
from tests.studies.extras import needs_torch

_MODEL = DeepFeatures(n_classes=3, per_class=2, depth=4, width=5, regularization=[0.01, 0.02, 0.03, 0.04, 0.05])


def _start(seed: int, model: DeepFeatures = _MODEL):
    return model.random(np.random.default_rng(seed))


@needs_torch
def test_gradients_are_central_differences():
    vector = _MODEL.joined(_start(0))
    slope = _MODEL.joined(_MODEL.gradients(_MODEL.split(vector)))
    step = 1e-6
    for i in range(0, len(vector), 7):
        unit = np.zeros_like(vector)
        unit[i] = step
        up, down = (float(_MODEL.loss(_MODEL.split(vector + sign * unit))) for sign in (1, -1))
        assert slope[i] == pytest.approx((up - down) / (2 * step), abs=1e-9)


@needs_torch
def test_gradients_are_complex_steps():
    # Away from kinks ReLU is a product with a fixed mask, so the loss extends to complex arguments.
    layers = _start(1)
    masks = [one > 0 for one in _MODEL.preactivations(layers)[:-1]]

    def loss(vector):
        features, *weights = _MODEL.split(vector)
        z = weights[0] @ features
        for mask, weight in zip(masks, weights[1:], strict=True):
            z = weight @ (z * mask)
        norms = sum(f * (one**2).sum() for f, one in zip(_MODEL.factors, (features, *weights), strict=True))
        return ((z - _MODEL.targets) ** 2).sum() / (2 * _MODEL.n_examples) + norms / 2

    vector = _MODEL.joined(layers)
    slope = _MODEL.joined(_MODEL.gradients(layers))
    for i in range(0, len(vector), 5):
        moved = vector.astype(complex)
        moved[i] += 1e-30j
        assert slope[i] == pytest.approx(loss(moved).imag / 1e-30, abs=1e-15)


@needs_torch
def test_replicates_at_once_are_those_one_by_one():
    starts = [_start(seed) for seed in range(3)]
    together = stacked(starts)
    moved = descend(_MODEL, together, rate=0.05, steps=20)
    for r, start in enumerate(starts):
        alone = descend(_MODEL, start, rate=0.05, steps=20)
        for one, other in zip(alone, moved, strict=True):
            np.testing.assert_allclose(one, other[r], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(_MODEL.joined(_MODEL.split(_MODEL.joined(together))), _MODEL.joined(together))


@needs_torch
@pytest.mark.parametrize(("depth", "factor", "value"), [(3, 0.02, 0.11778207), (4, 0.01, 0.06859924)])
def test_golden_optimum(depth, factor, value):
    model = DeepFeatures(n_classes=2, per_class=5, depth=depth, width=6, regularization=factor)
    found = min(float(model.loss(polish(model, _start(seed, model))[0])) for seed in range(2))
    assert found == pytest.approx(value, abs=5e-9)


@needs_torch
def test_watch_sees_start_and_end():
    seen = []
    descend(_MODEL, _start(2), rate=0.01, steps=10, log_every=4, watch=lambda step, _: seen.append(step))
    assert seen == [0, 4, 8, 10]


@needs_torch
def test_gradient_descent_is_its_definition():
    layers = _start(3)
    before = [one.copy() for one in layers]
    now = layers
    for _ in range(15):
        now = tuple(one - 0.05 * slope for one, slope in zip(now, _MODEL.gradients(now), strict=True))
    for one, other in zip(now, descend(_MODEL, layers, rate=0.05, steps=15), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)
    for one, other in zip(before, layers, strict=True):
        np.testing.assert_array_equal(one, other)


@needs_torch
def test_every_replicate_may_have_factors_of_its_own():
    factors = [[0.01, 0.02, 0.03, 0.04, 0.05], [0.3, 0.1, 0.2, 0.1, 0.3]]
    start = _start(4)
    # Two starts at each of two regularizations: leading axes (2, 2).
    both = tuple(np.stack([[one, one + 0.1]] * 2) for one in start)
    ends = descend(_MODEL, both, rate=0.05, steps=25, factors=np.array(factors)[:, None])
    for k, given in enumerate(factors):
        model = DeepFeatures(n_classes=3, per_class=2, depth=4, width=5, regularization=given)
        for shift in (0, 1):
            alone = descend(model, tuple(one + 0.1 * shift for one in start), rate=0.05, steps=25)
            for one, other in zip(alone, ends, strict=True):
                np.testing.assert_allclose(one, other[k, shift], rtol=1e-12, atol=1e-14)


@needs_torch
def test_the_same_bits_with_any_number_of_threads():
    import torch

    starts, threads = stacked([_start(seed) for seed in range(4)]), torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append((*_MODEL.gradients(starts), *descend(_MODEL, starts, rate=0.05, steps=10)))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    for one, other in zip(*found, strict=True):
        assert one.dtype == np.float64
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@needs_torch
def test_another_objective_of_fit_and_norms():
    # Twice the fit plus the norms is the loss at half the regularization, times two.
    start = _start(5)
    half = DeepFeatures(n_classes=3, per_class=2, depth=4, width=5, regularization=[f / 2 for f in _MODEL.factors])
    found, _ = polish(_MODEL, start, lambda fit, norms: 2.0 * fit + norms)
    expected, _ = polish(half, start)
    assert float(half.loss(found)) == pytest.approx(float(half.loss(expected)), abs=1e-7)
    assert float(half.loss(found)) < float(half.loss(start))
    # The fit alone, the norms without a price: from a network that keeps all classes apart it goes to zero.
    fitted, _ = polish(_MODEL, separated_layers(_MODEL, 0.5), lambda fit, norms: fit)
    assert float(_MODEL.fit(fitted)) < 1e-15


def test_refusals(refuses):
    good = {"n_classes": 3, "per_class": 1, "depth": 3, "width": 4, "regularization": 0.1}
    refuses("width", DeepFeatures, **{**good, "width": 2})
    refuses("regularization", DeepFeatures, **{**good, "regularization": 0.0})
    refuses("regularization", DeepFeatures, **{**good, "regularization": [0.1, 0.1]})
    refuses("depth", DeepFeatures, **{**good, "depth": 1})
    refuses("rate", descend, _MODEL, _start(0), rate=0.0, steps=1)
    refuses("factors", descend, _MODEL, _start(0), rate=0.1, steps=1, factors=[0.1, 0.1])
    refuses("factors", descend, _MODEL, _start(0), rate=0.1, steps=1, factors=[0.1, 0.1, 0.1, 0.1, np.nan])
    refuses("factors", descend, _MODEL, _start(0), rate=0.1, steps=1, factors=[0.1, 0.1, 0.1, 0.1, -0.1])
