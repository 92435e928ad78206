"""Fully-connected layers: parameter counts, gradients behind the gate, trunks that agree bit for bit, resumed training."""

import numpy as np
import pytest

from moltheory.errors import OutputError
from moltheory.images import digit_images
from moltheory.studies._torch import repeatable, seeded
from moltheory.studies.fully_connected import (
    METHODS,
    Recipe,
    _training,
    feature_refiner,
    gradient_gate,
    headed_network,
    logits,
    multiply_adds,
    n_parameters,
    n_refiner_parameters,
    pixel_statistics,
    residual_backbone,
    train_network,
)

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

ROOT = np.random.SeedSequence(11)
RECIPE = Recipe(epochs=4, batch=16)


@pytest.fixture(scope="module")
def data():
    return digit_images("digits", root=ROOT)


def fresh(data, method, *, gate=None, backbone=None):
    heads, _, own = METHODS[method]
    with seeded(ROOT, "backbone"):
        trunk, d = residual_backbone(data.shape, widths=(4, 8)) if backbone is None else backbone()
    return headed_network(trunk, d, n_classes=10, heads=heads, gate=own if gate is None else gate, width=16, rng=ROOT)


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same_bits(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def trained(data, method, **kwargs):
    network = fresh(data, method, **kwargs)
    history = train_network(network, data.pool[:48], data.pool_labels[:48], recipe=RECIPE, rng=ROOT)
    return network, history


# The refiner


def test_the_paper_s_refiner_has_42058_parameters():
    assert n_refiner_parameters(512, width=64, n_classes=10) == 42_058
    assert n_parameters(feature_refiner(512, width=64, n_classes=10)) == 42_058


@pytest.mark.parametrize(("d", "f", "k"), [(1, 1, 2), (7, 3, 5), (64, 32, 10)])
def test_counts_in_closed_form(d, f, k):
    refiner = feature_refiner(d, width=f, n_classes=k)
    assert (
        n_parameters(refiner)
        == n_refiner_parameters(d, width=f, n_classes=k)
        == d * f + 2 * f * f + 7 * f + (f + 1) * k
    )
    assert multiply_adds(refiner, (d,)) == d * f + 2 * f * f + f * k
    assert [type(layer).__name__ for layer in refiner] == [
        "Linear",
        "LayerNorm",
        "Linear",
        "ReLU",
        "Linear",
        "LayerNorm",
        "Linear",
    ]


def test_products_of_a_convolution_are_counted_one_by_one():
    layer = torch.nn.Conv2d(3, 5, 3, stride=2, padding=1)
    out = layer(torch.zeros(1, 3, 9, 9))
    slow = sum(3 * 3 * 3 for _ in range(out.numel()))
    assert multiply_adds(layer, (3, 9, 9)) == slow
    # One product and one sum per weight, not two operations; biases are free.
    assert multiply_adds(torch.nn.Linear(7, 4), (7,)) == 7 * 4
    assert multiply_adds(torch.nn.Conv2d(1, 4, 3, padding=1), (1, 8, 8)) == 4 * 9 * 64
    assert multiply_adds(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LayerNorm(5), torch.nn.ReLU()), (5,)) == 0
    backbone, _ = residual_backbone((1, 8, 8), widths=(4, 8))
    before = state(backbone)
    assert multiply_adds(backbone, (1, 8, 8)) > 0
    assert same_bits(before, state(backbone))
    assert backbone.training


# The gate


@pytest.mark.parametrize("gate", [0.0, 0.25, 1.0, 3.0])
def test_the_gate_is_the_identity_forward_and_a_factor_backward(gate, rng):
    x = torch.tensor(rng.normal(size=(4, 3)), requires_grad=True)
    y = gradient_gate(x, gate)
    assert torch.equal(y, x)
    assert y.requires_grad == (gate > 0)
    factor = torch.tensor(rng.normal(size=(4, 3)))
    (y * factor + 0 * x).sum().backward()
    assert torch.equal(x.grad, gate * factor)
    with torch.no_grad():
        assert torch.equal(gradient_gate(x, gate), x)


def test_the_gate_against_finite_differences():
    x = torch.linspace(-1.0, 2.0, 6, dtype=torch.float64, requires_grad=True)
    found = torch.autograd.grad(torch.sin(3 * gradient_gate(x, 0.7)).sum(), x)[0]
    step = 1e-6
    with torch.no_grad():
        slope = (torch.sin(3 * (x + step)) - torch.sin(3 * (x - step))) / (2 * step)
    assert torch.allclose(found, 0.7 * slope, atol=1e-8)


def test_a_closed_gate_stops_infinities_too():
    x = torch.zeros(2, requires_grad=True)
    (gradient_gate(x, 0.0).sqrt() + x).sum().backward()
    assert torch.equal(x.grad, torch.ones(2))


@pytest.mark.parametrize("gate", [0.0, 0.1, 0.5, 1.0, 2.0])
def test_trunk_gradient_is_that_of_the_refiner_plus_g_times_that_of_the_plain_head(gate, rng):
    network = headed_network(
        torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh()), 5, n_classes=3, gate=gate, width=4, rng=ROOT
    )
    for module in (network.backbone, *network.heads.values()):
        module.double()
    x, y = torch.tensor(rng.normal(size=(8, 6))), torch.tensor(rng.integers(3, size=8))
    trunk = list(network.backbone.parameters())

    def of(head):
        loss = torch.nn.functional.cross_entropy(network.inference(head)(x), y)
        return torch.autograd.grad(loss, trunk), torch.autograd.grad(
            torch.nn.functional.cross_entropy(network.inference(head)(x), y), list(network.heads[head].parameters())
        )

    sum(network.losses(x, y).values()).backward()
    (refiner, refiner_own), (plain, plain_own) = of("refiner"), of("plain")
    for parameter, a, b in zip(trunk, refiner, plain, strict=True):
        assert torch.allclose(parameter.grad, a + gate * b, rtol=1e-12, atol=1e-14)
    # The heads follow their own losses in full, whatever the gate.
    for head, own in (("refiner", refiner_own), ("plain", plain_own)):
        for parameter, expected in zip(network.heads[head].parameters(), own, strict=True):
            assert torch.allclose(parameter.grad, expected, rtol=1e-12, atol=1e-14)


# Closed gate: the trunk does not know of the plain head


def test_trunk_and_refiner_are_bitwise_those_of_refiner_only_training(data):
    alone, joint = fresh(data, "refiner"), fresh(data, "OJKD")
    assert same_bits(state(alone.backbone), state(joint.backbone))
    images, labels = data.pool[:48], data.pool_labels[:48]
    for epochs in (1, 3):  # along the way too, not only at the end
        one, two = fresh(data, "refiner"), fresh(data, "OJKD")
        for network in (one, two):
            train_network(network, images, labels, recipe=RECIPE, rng=ROOT, stop_after=epochs)
        assert same_bits(state(one.backbone), state(two.backbone))
        assert same_bits(state(one.heads["refiner"]), state(two.heads["refiner"]))
    assert not same_bits(state(alone.backbone), state(two.backbone))


def test_an_open_gate_changes_the_trunk(data):
    joint, open_gate = trained(data, "OJKD")[0], trained(data, "no gate")[0]
    assert not same_bits(state(joint.backbone), state(open_gate.backbone))


def test_at_test_time_ojkd_is_the_baseline(data):
    plain, joint = fresh(data, "plain"), fresh(data, "OJKD")
    one, two = plain.inference("plain"), joint.inference("plain")
    assert str(one) == str(two)
    assert same_bits(state(one), state(two))
    assert n_parameters(one) == n_parameters(two) < n_parameters(joint.inference("refiner"))
    x = torch.rand(2, *data.shape)
    with torch.no_grad():
        assert torch.equal(one.eval()(x), two.eval()(x))
    assert multiply_adds(one, data.shape) == multiply_adds(two, data.shape)


# Training


@pytest.mark.parametrize("backbone", ["residual", "dropout"])
def test_a_stopped_training_goes_on_bit_for_bit(data, tmp_path, backbone):
    def with_dropout():
        layers = (torch.nn.Flatten(), torch.nn.Linear(64, 12), torch.nn.BatchNorm1d(12), torch.nn.Dropout(0.3))
        return torch.nn.Sequential(*layers), 12

    kind = {"backbone": with_dropout if backbone == "dropout" else None}
    images, labels = data.pool[:48], data.pool_labels[:48]
    whole, history = trained(data, "no gate", **kind)
    file = tmp_path / "training.pt"
    for epochs in (1, 3, None):
        network = fresh(data, "no gate", **kind)
        torch.rand(3)  # the caller's generator does not matter
        found = train_network(
            network, images, labels, recipe=RECIPE, rng=ROOT, checkpoint=file, every=2, stop_after=epochs
        )
    assert same_bits(state(whole.backbone), state(network.backbone))
    assert all(same_bits(state(whole.heads[head]), state(network.heads[head])) for head in whole.heads)
    assert np.array_equal(found, history)
    assert history.shape == (4, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]


def test_checkpoints_that_are_damaged_or_foreign_are_refused(data, tmp_path, refuses):
    file = tmp_path / "training.pt"
    images, labels = data.pool[:16], data.pool_labels[:16]

    def go(labels=labels, recipe=RECIPE, method="plain"):
        return train_network(fresh(data, method), images, labels, recipe=recipe, rng=ROOT, checkpoint=file)

    go()
    whole = file.read_bytes()
    for change in ({"labels": labels[::-1]}, {"recipe": Recipe(epochs=5, batch=16)}, {"method": "OJKD"}):
        assert "another one" in refuses("checkpoint", go, **change)
    for content in (whole[:-100], b"", b"hello", whole[:200] + b"\0" * 50 + whole[250:]):
        file.write_bytes(content)
        assert "damaged" in refuses("checkpoint", go)
        assert file.read_bytes() == content
    file.unlink()
    with pytest.raises(OutputError, match="folder that exists"):
        train_network(
            fresh(data, "plain"), images, labels, recipe=RECIPE, rng=ROOT, checkpoint=tmp_path / "no" / "training.pt"
        )


def test_a_checkpoint_is_whole_or_absent(data, tmp_path, monkeypatch):
    file = tmp_path / "training.pt"

    def go(epochs):
        train_network(
            fresh(data, "plain"),
            data.pool[:16],
            data.pool_labels[:16],
            recipe=RECIPE,
            rng=ROOT,
            checkpoint=file,
            stop_after=epochs,
        )

    go(1)
    whole = file.read_bytes()

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OutputError, match="cannot be written"):
        go(2)
    assert file.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]


def test_a_checkpoint_cannot_run_code(data, tmp_path, refuses):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit",))

    file = tmp_path / "training.pt"
    # Code, and a whole file of another version: both are refused, neither is run or taken for a fresh start.
    for content in ({"kind": _training._KIND, "identity": Trap()}, {"kind": "moltheory training", "identity": "x"}):
        torch.save(content, file)
        message = refuses(
            "checkpoint",
            train_network,
            fresh(data, "plain"),
            data.pool[:16],
            data.pool_labels[:16],
            recipe=RECIPE,
            rng=ROOT,
            checkpoint=file,
        )
        assert "damaged or foreign" in message


def test_training_leaves_the_settings_of_torch_and_the_inputs_alone(data):
    threads, mode, generator = torch.get_num_threads(), torch.get_deterministic_debug_mode(), torch.get_rng_state()
    images, labels = data.pool[:32].copy(), data.pool_labels[:32].copy()
    network = fresh(data, "OJKD")
    train_network(network, images, labels, recipe=Recipe(epochs=1), rng=ROOT)
    found = logits(network, images, head="plain", statistics=pixel_statistics(images))
    assert found.shape == (32, 10)
    assert np.array_equal(images, data.pool[:32])
    assert np.array_equal(labels, data.pool_labels[:32])
    assert torch.get_num_threads() == threads
    assert torch.get_deterministic_debug_mode() == mode
    assert torch.equal(generator, torch.get_rng_state())
    with repeatable(), pytest.raises(RuntimeError, match="deterministic"):
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2), accumulate=False)


@pytest.mark.parametrize(("momentum", "decay"), [(0.9, 5e-4), (0.0, 0.1), (0.5, 0.0)])
def test_descent_follows_the_recipe_step_by_step(data, momentum, decay):
    """v <- momentum v + (gradient + decay w), w <- w - rate v, the rate dropped at the fourth of five epochs."""
    recipe = Recipe(epochs=5, batch=48, momentum=momentum, weight_decay=decay, drop_at=0.6)
    network, peer = fresh(data, "no gate"), fresh(data, "no gate")
    images, labels = data.pool[:48], data.pool_labels[:48]
    train_network(network, images, labels, recipe=recipe, rng=ROOT)
    mean, deviation = (one[:, None, None] for one in pixel_statistics(images))
    x, y = torch.tensor((images / 255.0 - mean) / deviation, dtype=torch.float32), torch.tensor(labels)
    parameters = [one for module in (peer.backbone, *peer.heads.values()) for one in module.parameters()]
    velocities = [torch.zeros_like(one) for one in parameters]
    for epoch in range(5):
        slopes = torch.autograd.grad(sum(peer.losses(x, y).values()), parameters)
        with torch.no_grad():
            for w, v, slope in zip(parameters, velocities, slopes, strict=True):
                v.mul_(momentum).add_(slope + decay * w)
                w.sub_((0.1 if epoch < 3 else 0.01) * v)
    # The order of the images decides the last bits of the sums.
    for one, two in zip(network.module.parameters(), parameters, strict=True):
        assert torch.allclose(one, two, rtol=1e-3, atol=1e-4)


def test_training_learns_what_it_is_shown(data):
    network = fresh(data, "plain")
    images, labels = data.pool[:60], data.pool_labels[:60]
    history = train_network(network, images, labels, recipe=Recipe(epochs=12, batch=20), rng=ROOT)
    assert (history[-1] < 0.5 * history[0]).all()


def test_any_backbone_will_do_and_a_wrong_size_is_refused(data, refuses):
    own = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 7), torch.nn.ReLU())
    network = headed_network(own, 7, n_classes=10, width=5, rng=ROOT)
    train_network(network, data.pool[:20], data.pool_labels[:20], recipe=Recipe(epochs=1), rng=ROOT)
    wrong = headed_network(own, 8, n_classes=10, rng=ROOT)
    images, labels = data.pool[:20], data.pool_labels[:20]
    refuses("backbone", train_network, wrong, images, labels, recipe=Recipe(epochs=1), rng=ROOT)
    refuses("backbone", headed_network, "resnet", 7, n_classes=10, rng=ROOT)
    refuses("heads", headed_network, own, 7, n_classes=10, heads=("plain", "other"), rng=ROOT)
    refuses("gate", headed_network, own, 7, n_classes=10, gate=-0.1, rng=ROOT)
    refuses("head", network.inference, "middle")
    refuses("images", train_network, network, images.astype(float), labels, recipe=Recipe(), rng=ROOT)
    refuses("labels", train_network, network, images, labels[:3], recipe=Recipe(), rng=ROOT)
    few = headed_network(own, 7, n_classes=3, width=5, rng=ROOT)
    refuses("labels", train_network, few, images, np.full(20, 3), recipe=Recipe(), rng=ROOT)
    assert few.n_classes == headed_network(own, 7, n_classes=3, heads=("plain",), rng=ROOT).n_classes == 3
    refuses("gate", gradient_gate, torch.zeros(1), float("nan"))
    refuses("n_classes", feature_refiner, 3, width=2, n_classes=1)
    refuses("shape", residual_backbone, (1, 3, 3))
    refuses("widths", residual_backbone, (1, 8, 8), widths=())


def test_an_integer_is_a_seed_too(data, refuses):
    found = []
    for seed in (5, np.random.SeedSequence(5)):
        with seeded(ROOT, "backbone"):
            trunk, d = residual_backbone(data.shape, widths=(4,))
        network = headed_network(trunk, d, n_classes=10, width=4, rng=seed)
        train_network(network, data.pool[:16], data.pool_labels[:16], recipe=Recipe(epochs=1), rng=seed)
        found.append(state(network.inference("plain")))
    assert same_bits(*found)
    refuses("rng", headed_network, trunk, d, n_classes=10, rng="seed")
