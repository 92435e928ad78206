"""The deep unconstrained-features model: gradients, golden optimum, replicates at once, refusals."""

import numpy as np
import pytest

from moltheory.studies._deep_features import DeepFeatures
from moltheory.studies._descent import descend, polish

_MODEL = DeepFeatures(n_classes=3, per_class=2, depth=4, width=5, regularization=[0.01, 0.02, 0.03, 0.04, 0.05])


def _start(seed: int, model: DeepFeatures = _MODEL):
    return model.random(np.random.default_rng(seed))


def test_gradients_are_central_differences():
    vector = _MODEL.joined(_start(0))
    slope = _MODEL.joined(_MODEL.gradients(_MODEL.split(vector)))
    step = 1e-6
    for i in range(0, len(vector), 7):
        unit = np.zeros_like(vector)
        unit[i] = step
        up, down = (float(_MODEL.loss(_MODEL.split(vector + sign * unit))) for sign in (1, -1))
        assert slope[i] == pytest.approx((up - down) / (2 * step), abs=1e-9)


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


def test_replicates_at_once_are_those_one_by_one():
    starts = [_start(seed) for seed in range(3)]
    together = tuple(np.stack(parts) for parts in zip(*starts, strict=True))
    moved = descend(_MODEL, together, rate=0.05, steps=20)
    for r, start in enumerate(starts):
        alone = descend(_MODEL, start, rate=0.05, steps=20)
        for one, other in zip(alone, moved, strict=True):
            np.testing.assert_allclose(one, other[r], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(_MODEL.joined(_MODEL.split(_MODEL.joined(together))), _MODEL.joined(together))


@pytest.mark.parametrize(("depth", "factor", "value"), [(3, 0.02, 0.11778207), (4, 0.01, 0.06859924)])
def test_golden_optimum(depth, factor, value):
    model = DeepFeatures(n_classes=2, per_class=5, depth=depth, width=6, regularization=factor)
    found = min(float(model.loss(polish(model, _start(seed, model))[0])) for seed in range(2))
    assert found == pytest.approx(value, abs=5e-9)


def test_watch_sees_start_and_end():
    seen = []
    descend(_MODEL, _start(2), rate=0.01, steps=10, log_every=4, watch=lambda step, _: seen.append(step))
    assert seen == [0, 4, 8, 10]


def test_refusals(refuses):
    good = {"n_classes": 3, "per_class": 1, "depth": 3, "width": 4, "regularization": 0.1}
    refuses("width", DeepFeatures, **{**good, "width": 2})
    refuses("regularization", DeepFeatures, **{**good, "regularization": 0.0})
    refuses("regularization", DeepFeatures, **{**good, "regularization": [0.1, 0.1]})
    refuses("depth", DeepFeatures, **{**good, "depth": 1})
    refuses("rate", descend, _MODEL, _start(0), rate=0.0, steps=1)
