"""The worlds in which procedures are judged have the fronts that they say, and means that are exactly the risks."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import beta

from moltheory.errors import InvalidInputError
from moltheory.figures import _claims, get_figure
from moltheory.figures._claim_counts import SETTINGS, count_verdicts, rows_of
from moltheory.figures._claim_procedures import PROCEDURES, PROMISES, admissible, by_boxes, units
from moltheory.figures._claim_worlds import LOSSES, WORLDS, ComparedModels, compared_models


def exact_front(world):
    """Members of the front, one comparison of fractions at a time."""
    points = [[Fraction(float(v)) for v in row] for row in world.risks]
    if world.costs is not None:
        points = [[*p, Fraction(float(c))] for p, c in zip(points, world.costs[:, 0], strict=True)]

    def dominates(a, b):
        return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))

    return np.array([not any(dominates(a, b) for a in points) for b in points])


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("kind", WORLDS)
def test_fronts_are_those_of_exact_arithmetic(kind, objectives):
    for seed in range(20):
        world = compared_models(kind, 13, objectives, np.random.default_rng(seed))
        assert world.risks.shape == (13, objectives)
        assert ((world.risks > 0) & (world.risks < 1)).all()
        np.testing.assert_array_equal(world.on_front, exact_front(world))
        assert (world.costs is None) == (objectives == 2)


def test_the_hardest_worlds_have_the_fronts_they_are_made_for():
    for models in (2, 20, 100):
        rng = np.random.default_rng(0)
        equal, flat = (compared_models(kind, models, 1, rng) for kind in ("equal", "flat"))
        # Every model but the cheapest is dominated by an equal one that is cheaper.
        np.testing.assert_array_equal(equal.on_front, np.arange(models) == 0)
        assert flat.on_front.all()
        assert np.ptp(flat.risks) <= 1e-7 * models
        equal, flat = (compared_models(kind, models, 2, rng) for kind in ("equal", "flat"))
        assert equal.on_front.all()
        assert flat.on_front.all()


def test_ties_are_exact_and_frequent():
    world = compared_models("ties", 100, 2, np.random.default_rng(0))
    twentieths = np.rint(20 * world.risks)
    np.testing.assert_array_equal(world.risks, twentieths / 20)
    assert len(np.unique(world.risks, axis=0)) < 60
    near = compared_models("near-ties", 100, 2, np.random.default_rng(0))
    assert len(np.unique(near.risks)) == 200
    assert np.ptp(near.risks) < 0.01


@pytest.mark.parametrize("loss", LOSSES)
def test_means_of_losses_are_the_risks(loss):
    """Means of 200,000 examples; clusters of five have at most the variance of 40,000 independent ones."""
    risks = np.array([[0.05, 0.9], [0.3, 0.3], [0.3, 0.5]])
    losses, clusters = ComparedModels(risks, None).draw(200_000, loss, np.random.default_rng(0))
    assert losses.min() >= 0
    assert losses.max() <= 1
    error = 4.5 * 0.5 / np.sqrt(40_000 if clusters is not None else 200_000)
    assert np.abs(losses.mean(axis=0) - risks).max() < error
    assert set(np.unique(losses)) == {0.0, 1.0} or loss == "bounded"


def test_hard_examples_are_hard_for_all_and_clusters_are_alike():
    world = compared_models("equal", 2, 1, np.random.default_rng(0))
    for loss in LOSSES:
        losses, clusters = world.draw(20_000, loss, np.random.default_rng(1))
        assert np.corrcoef(losses[:, 0, 0], losses[:, 1, 0])[0, 1] > 0.25
        neighbors = np.corrcoef(losses[:-1:5, 0, 0], losses[1::5, 0, 0])[0, 1]
        assert (neighbors > 0.25) == (clusters is not None)
    assert np.bincount(clusters).tolist() == [5] * 4000


def test_worlds_are_refused_by_name_and_size():
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidInputError, match="`kind` must be one of equal, flat"):
        compared_models("cloudy", 5, 1, rng)
    with pytest.raises(InvalidInputError, match="`models`"):
        compared_models("flat", 1, 1, rng)
    with pytest.raises(InvalidInputError, match="`objectives` must be one of 1, 2"):
        compared_models("flat", 5, 3, rng)
    with pytest.raises(InvalidInputError, match="`loss` must be one of 0/1, bounded"):
        compared_models("flat", 5, 1, rng).draw(10, "log", rng)


def test_verdicts_are_counted_against_the_truth():
    """One procedure claims the truth, one its opposite, one nothing; all are given the same data."""
    seen = []

    def right(losses, costs, clusters, delta):
        seen.append(losses)
        on = np.arange(4) == 0
        return on, ~on

    def opposite(losses, costs, clusters, delta):
        seen.append(losses)
        on, off = right(losses, costs, clusters, delta)
        return off, on

    def silent(losses, costs, clusters, delta):
        return np.zeros(4, dtype=bool), np.zeros(4, dtype=bool)

    procedures = {"right": right, "opposite": opposite, "silent": silent}
    streams = [np.random.default_rng(seed) for seed in (1, 2)]
    found = count_verdicts(procedures, "equal", 1, streams, models=4, examples=30, delta=0.05)
    assert {name: counts.tolist() for name, counts in found.items()} == {
        "right": [[0, 4]] * 2,
        "opposite": [[4, 4]] * 2,
        "silent": [[0, 0]] * 2,
    }
    assert all(one is seen[0] for one in seen[:3])
    rows = {row["procedure"]: row for row in rows_of("equal", 1, found, 4)}
    assert (rows["opposite"]["wrong"], rows["opposite"]["two_wrong"], rows["opposite"]["false_share"]) == (2, 2, 1.0)
    assert (rows["silent"]["wrong"], rows["silent"]["false_share"], rows["silent"]["settled"]) == (0, 0.0, 0.0)


def test_procedures_agree_where_everything_is_plain():
    """Far apart on 2,000 examples: every procedure finds the whole truth, also with clusters."""
    risks, costs = np.array([[0.6], [0.2], [0.5], [0.05]]), np.array([[1.0], [2.0], [3.0], [4.0]])
    for loss in LOSSES:
        world = ComparedModels(risks, costs)
        losses, clusters = world.draw(2000, loss, np.random.default_rng(0))
        assert world.on_front.tolist() == [True, True, False, True]
        for name, procedure in PROCEDURES.items():
            sure, excluded = procedure(losses, costs, clusters, 0.05)
            assert sure.tolist() == world.on_front.tolist(), name
            assert excluded.tolist() == (~world.on_front).tolist(), name


def test_what_settles_most_is_wrong_most(results):
    """The figure's title; and `certify` with its default promise keeps far below what chance makes of five per cent."""
    table = results["claims"].table
    settled = table[table["world"] == "trade-off"].groupby("procedure")["settled"].mean()
    wrong = table.groupby("procedure")["wrong"].sum()
    assert settled.idxmax() == wrong.idxmax() == "bootstrap fronts"
    assert wrong["bootstrap fronts"] > 0.3 * table.groupby("procedure")["runs"].sum()["bootstrap fronts"]
    assert wrong["certify"] <= 6  # of 60 runs; Binomial(60, .05) exceeds 6 with probability .03, whatever the worlds
    assert settled["certify"] > settled["boxes alone"]


def test_marks_of_all_runs_have_clopper_pearson_intervals_and_rows_are_in_order(results, drawn):
    table = results["claims"].table
    decided = table[table["world"] == "trade-off"].groupby("procedure")["settled"].mean()
    wrong, share = drawn("claims")
    names = [label.get_text() for label in wrong.get_yticklabels()]
    assert sorted(names) == sorted(PROCEDURES)
    assert (np.diff(decided[names]) <= 1e-12).all()
    rows = {line.get_label(): line.get_ydata()[0] for line in share.lines if line.get_label() in names}
    assert [rows[name] for name in names] == list(range(len(names)))
    for place, name in enumerate(names):
        part = table[table["procedure"] == name]
        runs, count = part["runs"].sum(), part["wrong"].sum()
        (bar,) = [line for line in wrong.lines if line.get_linestyle() == "-" and set(line.get_ydata()) == {place}]
        low = beta.ppf(0.025, count, runs - count + 1) if count else 0.0
        high = beta.ppf(0.975, count + 1, runs - count) if count < runs else 1.0
        np.testing.assert_allclose(bar.get_xdata(), [low, high], rtol=1e-9)
    # Open marks: no promise that no verdict is false.
    faces = {
        names[int(line.get_ydata()[0])]: str(line.get_markerfacecolor()) == str(line.get_color())
        for line in wrong.lines
        if line.get_marker() == "o"
    }
    filled = {name for name, flag in faces.items() if flag}
    assert filled == {"certify", "certify, asymptotic", "boxes alone", "Romano-Wolf max-t"}


def test_caption_of_claims_is_short_and_details_name_the_worst_world(results):
    figure, result = get_figure("claims"), results["claims"]
    assert len(figure.caption(result).split()) <= 60
    mine = result.table[result.table["procedure"] == "certify"]
    worst = mine.loc[mine["wrong"].idxmax()]
    assert f"{worst['world']}, {worst['wrong']} of {worst['runs']} runs" in figure.details(result)


def test_blocks_of_runs_are_bit_identical_for_any_number_of_processes():
    one, again = (_claims._block("flat", 2, 5, 3) for _ in range(2))
    assert all((one[name] == again[name]).all() for name in PROCEDURES)
    other = _claims._block("trade-off", 2, 0, 3)
    assert (other["certify"] != _claims._block("trade-off", 2, 5, 3)["certify"]).any()


def test_promises_are_all_those_of_certify():
    assert {promise.get("error", "any") for promise in PROMISES.values()} == {"any", "one", "share"}
    assert set(SETTINGS) > {"equal", "flat", "clusters"}


def test_units_and_admissible_rivals():
    losses = np.arange(12.0).reshape(6, 2, 1)
    np.testing.assert_array_equal(units(losses, np.array([0, 0, 1, 1, 2, 2]))[:, :, 0], [[1, 2], [5, 6], [9, 10]])
    assert units(losses, None) is losses
    np.testing.assert_array_equal(
        admissible(np.array([[1.0], [2.0], [2.0]]), 3),
        [[False, True, True], [False, False, True], [False, True, False]],
    )
    assert admissible(None, 3).sum() == 6


def test_boxes_never_settle_what_data_of_one_example_cannot():
    sure, excluded = by_boxes(np.array([[[0.0], [1.0]]]), None, None, 0.05)
    assert not sure.any()
    assert not excluded.any()
