"""The numbers of the explorer's JavaScript against the library, on many random worlds: by node, without a browser."""

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import moltheory as mt
from moltheory._core._rational import read_rational
from moltheory.explorer import with_true_risks
from moltheory.explorer._bundle import script
from moltheory.explorer._description import describe

_DRIVER = Path(__file__).with_name("numbers.mjs")


def _random_world(rng, kind):
    """Worlds with ties, zero probabilities, constant columns, one hypothesis, fractions, decimals, other ranges."""
    s, h = int(rng.integers(1 if kind == "one" else 2, 5)), 1 if kind == "one" else int(rng.integers(2, 6))
    s = max(s, 2)
    cuts = rng.integers(0, 11, size=s)
    cuts[rng.integers(s)] += 1
    probabilities = [Fraction(int(c), int(cuts.sum())) for c in cuts]
    if sum(p > 0 for p in probabilities) < 2:
        probabilities = [Fraction(1, s)] * s
    if kind == "decimals":
        losses = rng.random((s, h, 2))
    elif kind == "range":
        losses = rng.integers(-5, 20, size=(s, h, 2)) * np.array([1.0, 0.25])
    elif kind == "thirds":
        losses = rng.integers(0, 4, size=(s, h, 2)) / 3
    else:
        losses = rng.integers(0, 2, size=(s, h, 2)).astype(float)
    if kind in ("known", "thirds"):
        losses[:, :, 1] = losses[0, :, 1]
    if kind == "equal":
        losses[:] = losses[:, :1]
    if kind == "constant":
        losses[:, 0, 0] = 0.5
    supported = np.array([p > 0 for p in probabilities])
    losses[np.flatnonzero(supported)[0], -1, 0] = 0.0
    losses[np.flatnonzero(supported)[1], -1, 0] = 1.0
    return mt.FiniteWorld(probabilities, losses)


def _cases():
    rng = np.random.default_rng(20260)
    kinds = ("binary", "known", "thirds", "decimals", "range", "equal", "constant", "one")
    worlds = [(mt.problems.two_coins(), "preset"), (mt.problems.mirrored_decoys(), "preset")]
    worlds += [(mt.problems.reference_world(), "preset"), (mt.problems.tilted_line(11), "preset")]
    worlds += [(_random_world(rng, kind), kind) for kind in kinds * 6]
    cases = []
    for j, (world, kind) in enumerate(worlds):
        spec = describe(world, (0, 1))
        moves = world.true_risks.copy()
        for h in range(len(moves)):
            for i in (0, 1):
                if rng.random() < (0.0 if j < 4 else 0.5):
                    low, high = spec["ranges"][i]
                    moves[h, i] = float(f"{low + (high - low) * rng.integers(1, 200) / 200:.12g}")
        n = int(rng.integers(1, 12)) if j >= 4 else (1, 10, 7, 6)[j]
        weights = np.array([float(p) for p in world.probabilities])
        cases.append((world, kind, spec, moves, n, rng.multinomial(n, weights)))
    return cases


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed, so the explorer's module cannot be run without a browser")
    module = tmp_path_factory.mktemp("module") / "explorer.mjs"
    module.write_text(script(), encoding="utf-8")

    def run(cases=(), shares=(), numbers=()):
        given = [
            {"spec": s, "moves": m.tolist(), "n": n, "delta": 0.05, "counts": c.tolist(), "seed": 7}
            for _, _, s, m, n, c in cases
        ]
        text = json.dumps({"cases": given, "shares": list(shares), "numbers": list(numbers)})
        done = subprocess.run([program, str(_DRIVER), str(module)], input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_worlds_risks_fronts_errors_widths_and_probabilities_are_the_library_s(node):
    cases = _cases()
    spurious = []
    for (world, kind, spec, moves, n, counts), found in zip(cases, node(cases)["found"], strict=True):
        moved = with_true_risks(world, moves)
        for i in (0, 1):
            ours = np.array(found["losses"][i]).reshape(moved.losses.shape[:2])
            np.testing.assert_allclose(ours, moved.losses[:, :, i], rtol=0, atol=1e-12)
        np.testing.assert_allclose(found["trueRisks"], moves, rtol=0, atol=0)
        np.testing.assert_allclose(moved.true_risks, moves, rtol=1e-14, atol=1e-14)
        risks = counts @ moved.losses.reshape(len(counts), -1) / n
        np.testing.assert_allclose(np.ravel(found["empirical"]), risks, rtol=0, atol=1e-12)
        assert np.array_equal(found["trulyOptimal"], mt.nondominated(moves))
        ranges = [high - low for low, high in spec["ranges"]]
        sizes = [n if depends else np.inf for depends in world.true.data_dependent]
        widths = mt.bounds.finite_class(sizes, n_hypotheses=world.n_hypotheses, delta=0.05, loss_range=ranges).width
        np.testing.assert_allclose(found["widths"], widths, rtol=1e-13)
        selected = np.array(found["front"])
        assert found["coverage"] == mt.coverage_error(moves[selected], moves)
        assert found["purity"] == mt.purity_error(moves[selected], moves)
        if not (moved.is_lattice and all(found["lattice"])):
            continue
        # Ties are exact only where the library keeps them exact.
        exact = moved.exact(n)
        empirical = moved._risks_of_means(moved._averages.means(counts[None])[0])[0]
        assert np.array_equal(np.array(found["empirical"]), empirical), kind
        assert np.array_equal(selected, mt.nondominated(empirical))
        optimal = mt.nondominated(moved.true_risks)
        expected = exact.probability(lambda r, o=optimal: (mt.nondominated(r) & ~o).any(axis=1))
        assert found["probability"] == pytest.approx(expected, abs=1e-13)
        spurious.append(expected)
    assert len(spurious) > 30
    assert sum(0.0 < p < 1.0 for p in spurious) > 12, "too few worlds in which anything can go wrong"


def test_samples_are_multinomial_and_repeat(node):
    cases = [case for case in _cases() if case[4] > 3][:20]
    first, second = node(cases)["found"], node(cases)["found"]
    for (world, _, _, _, n, _), ours, again in zip(cases, first, second, strict=True):
        assert ours["drawn"] == again["drawn"]
        assert all(sum(counts) == n and min(counts) >= 0 for counts in ours["drawn"])
        chances = np.array([float(p) for p in world.probabilities])
        sums = np.array(ours["sums"])
        assert (sums[chances == 0] == 0).all()
        spread = np.sqrt(200 * n * chances * (1 - chances)) + 1e-9
        assert (np.abs(sums - 200 * n * chances) <= 5 * spread).all()


def test_long_samples_and_large_n_keep_their_precision(node):
    """A probability of one in 10^20, and one that sums 5,001 types."""
    rare = mt.FiniteWorld([0.9, 0.1], [[[0, 0], [1, 1]], [[1, 0], [0, 1]]])
    cases = [(w, "", describe(w, (0, 1)), w.true_risks, n, np.array([n, 0])) for w, n in ((rare, 45), (rare, 5000))]
    cases.append((rare, "", describe(rare, (0, 1)), np.array([[0.48, 0.0], [0.5, 1.0]]), 5000, np.array([5000, 0])))
    for (_, _, _, moves, n, _), found in zip(cases, node(cases)["found"], strict=True):
        moved = with_true_risks(rare, moves)
        expected = moved.exact(n).probability(lambda r: r[:, 1, 0] < r[:, 0, 0])
        assert found["probability"] == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_columns_of_many_values_keep_their_means(node, rng):
    world = mt.FiniteWorld.from_examples(rng.random((400, 3, 2)))
    aims = world.true_risks.copy()
    aims[0], aims[1, 0] = (0.125, 0.9), 0.7
    counts = rng.multinomial(30, np.full(400, 1 / 400))
    (found,) = node([(world, "", describe(world, (0, 1)), aims, 2, counts)])["found"]
    losses = with_true_risks(world, aims).losses
    for i in (0, 1):
        np.testing.assert_allclose(np.reshape(found["losses"][i], (400, 3)), losses[:, :, i], rtol=0, atol=1e-14)
    np.testing.assert_allclose(found["empirical"], np.tensordot(counts, losses, 1) / 30, rtol=0, atol=1e-13)


def test_intervals_are_those_of_clopper_and_pearson(node):
    shares = [(0, 50), (50, 50), (1, 10), (371, 10000), (9999, 10000), (5000, 10000)]
    for (hits, samples), found in zip(shares, node(shares=shares)["intervals"], strict=True):
        expected = mt.bounds.binomial_interval(hits, samples, delta=0.05)
        np.testing.assert_allclose(found, [float(expected.lower), float(expected.upper)], rtol=1e-9, atol=1e-12)


def test_numbers_are_read_as_the_library_reads_them(node):
    rng = np.random.default_rng(3)
    numbers = [0.1, 1 / 3, 0.335, 2.5, 1e-7, 123456.789, -0.25, 7.0, 0.0, 1e-15, *rng.random(20).tolist()]
    expected = [[str(f.numerator), str(f.denominator)] for f in map(read_rational, numbers)]
    assert node(numbers=numbers)["read"] == expected
