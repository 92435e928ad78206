"""What is known without a verdict: directions, rivals, sets that hold a model of the front, tiers, tolerances, texts."""

import base64
import itertools
import json
import math

import numpy as np
import pytest
from scipy import stats

import moltheory as mt
from moltheory.certification import Certificate, certificate_page, certify
from moltheory.certification._certificate_json import write_certificate
from moltheory.certification._explain import (
    alternatives_sentences,
    described,
    lean_text,
    open_rivals_text,
    tolerance_sentence,
    tolerances,
)
from moltheory.certification._format import summary_sentence, verdict_rows
from moltheory.certification._smallest_tolerance import _limits_of_counts, upper_limits
from moltheory.certification._text_front import PLAIN, RICH, front_lines
from moltheory.cli import main
from moltheory.pareto import pareto_rank

from ._worlds import SimulatedWorld


def _chain(n=800, **options):
    """Three cheap models for sure, one dominated, three undecided that get better as they cost more."""
    rng = np.random.default_rng(0)
    true = np.array([0.2, 0.21, 0.22, 0.25, 0.3, 0.35, 0.4])
    losses = (0.7 * rng.random((n, 1)) + 0.3 * rng.random((n, 7))) < true
    return certify(losses, costs={"price": [9, 8, 7, 6, 5, 6, 3]}, names=list("abcdefg"), **options)


def _empty(n_models, **fields):
    """Make a certificate of one objective without a claim, apart from the fields given."""
    none = np.zeros(n_models, bool)
    own = {
        "names": tuple(f"m{h}" for h in range(n_models)),
        "objectives": ("error",),
        "maximise": (False,),
        "data_dependent": np.array([True]),
        "sure": none,
        "excluded": none,
        "excluded_by": np.full(n_models, -1),
        "adjusted_p_value": np.full(n_models, np.nan),
        "dominates": np.zeros((n_models,) * 2, bool),
        "estimates": np.linspace(0.1, 0.5, n_models)[:, None],
        "boxes": np.stack([np.zeros((n_models, 1)), np.ones((n_models, 1))], axis=2),
        "epsilon": np.zeros(1),
        "delta": 0.05,
        "delta_allocation": (("simultaneous boxes", 0.05),),
        "n_examples": 100,
        "methods": ("",),
        "assumptions": (),
    }
    return Certificate(**(own | fields))


def _pairs(n_models, *pairs):
    table = np.zeros((n_models,) * 2, bool)
    for b, h in pairs:
        table[b, h] = True
    return table


# Statements about several models.


def test_sets_and_counts_follow_from_the_open_rivals():
    rivals = _pairs(6, (0, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 5))
    sure = np.array([False, False, False, False, True, False])
    out = np.array([False, False, False, False, False, True])
    plain = _empty(6, open_rivals=rivals, sure=sure, excluded=out, excluded_by=[-1, -1, -1, -1, -1, 4])
    assert plain.alternatives() == ((0, 1), (1, 2), (1, 2, 3, 5))
    assert plain.alternatives(most=2) == ((0, 1), (1, 2))
    assert plain.alternatives(disjoint=True) == ((4,), (0, 1))
    assert plain.front_size == (2, 5)
    assert plain.candidates.tolist() == [True] * 5 + [False]
    assert [s for s in alternatives_sentences(plain) if "size" not in s] == [
        "At least one of m0 and m1 is on the front.",
        "At least one of m1 and m2 is on the front.",
        "At least one of m1, m2, m3 and m5 is on the front.",
        "The front has 2 to 5 of the 6 models.",
    ]


@pytest.mark.parametrize("error", ["one", "share"])
def test_weaker_promises_do_not_lend_their_verdicts_to_counts(error):
    sure, out = np.array([True, True, False]), np.array([False, False, True])
    given = _empty(3, open_rivals=_pairs(3, (0, 1)), sure=sure, excluded=out, excluded_by=[-1, -1, 1], error=error)
    # Model 0 was not tested at the level of "any": only that it or model 1 is on the front is certain.
    assert given.alternatives(disjoint=True) == ((1,),)
    assert given.front_size == (1, 3)
    named = _empty(3, sure=sure, excluded=out, excluded_by=[-1, -1, 1], error=error, dominates=_pairs(3, (1, 2)))
    assert named.front_size == (2, 2)
    assert alternatives_sentences(named)[-1] == "With probability at least 95%, the front has 2 of the 3 models."


def test_a_tolerance_bounds_the_number_from_below_only():
    found = _empty(3, epsilon=[0.1], sure=[True, False, False], within_slack=[True, True, False], excluded=[0, 1, 0])
    assert found.front_size == (2, 3)
    assert "to within the tolerance" in alternatives_sentences(found)[-1]


def test_a_front_is_never_empty_and_counts_do_not_cross():
    assert _empty(3).front_size == (1, 3)
    assert _empty(2, sure=[True, False], excluded=[False, True], excluded_by=[-1, 0]).front_size == (1, 1)
    assert _empty(2).alternatives() == _empty(2).alternatives(disjoint=True) == ()


def test_sizes_are_checked(refuses):
    refuses("most", _empty(2).alternatives, most=0)


_TRUE = np.array([[0.3, 0.3], [0.3, 0.3], [0.3, 0.42], [0.45, 0.3], [0.45, 0.42]])


def _false_statements(losses, members, rank, **options):
    """Whether a set, a number, a tier or, if all hold at once, a verdict is false."""
    found = certify(losses, delta=0.4, **options)
    sets = any(not members[list(models)].any() for models in found.alternatives())
    packed = found.alternatives(disjoint=True)
    sets |= any(not members[list(models)].any() for models in packed)
    low, high = found.front_size
    verdicts = options.get("error") == "any" and (found.within_slack & ~members).any()
    return sets or verdicts or bool((found.tiers > rank).any()) or not low <= members.sum() <= high


@pytest.mark.parametrize(
    ("options", "members"),
    [
        ({"error": "any"}, [1, 1, 0, 0, 0]),
        pytest.param({"error": "one"}, [1, 1, 0, 0, 0], marks=pytest.mark.slow),
        pytest.param({"error": "share"}, [1, 1, 0, 0, 0], marks=pytest.mark.slow),
        pytest.param({"error": "any", "verdicts": "sure"}, [1, 1, 0, 0, 0], marks=pytest.mark.slow),
        # only the last model is dominated by .1 everywhere
        ({"error": "any", "epsilon": 0.1}, [1, 1, 1, 1, 0]),
    ],
)
def test_statements_keep_their_probability(options, members):
    world, runs, rng = SimulatedWorld(_TRUE, shared=0.5), 200, np.random.default_rng(5)
    rank, members = pareto_rank(_TRUE), np.array(members, bool)
    wrong = sum(_false_statements(world.draw(60, rng)[0], members, rank, **options) for _ in range(runs))
    assert stats.binomtest(wrong, runs, 0.4, alternative="greater").pvalue > 1e-3


def test_sets_that_forget_a_rival_are_caught():
    world, runs, rng = SimulatedWorld(_TRUE, shared=0.5), 200, np.random.default_rng(6)
    front, wrong = mt.nondominated(_TRUE), 0
    for _ in range(runs):
        found = certify(world.draw(60, rng)[0], delta=0.4)
        nearest = [models[-2:] for models in found.alternatives()]
        wrong += any(not front[list(models)].any() for models in nearest)
    assert stats.binomtest(wrong, runs, 0.4, alternative="greater").pvalue < 1e-3


# Tiers.


def test_tiers_are_longest_chains():
    rng = np.random.default_rng(1)
    for size in (2, 5, 9):
        points = rng.integers(0, 4, (size, 2))
        table = (points[:, None] <= points[None]).all(axis=2) & (points[:, None] < points[None]).any(axis=2)
        tiers = _empty(size, dominates=table).tiers
        for h in range(size):
            above = [1 + tiers[b] for b in range(size) if table[b, h]]
            assert tiers[h] == max(above, default=0)
        np.testing.assert_array_equal(tiers, pareto_rank(points))
    assert _chain().tiers.tolist() == [0, 0, 0, 0, 0, 1, 0]


# Tolerances.


def _exact_miss(limits, n, q, lead, limit_of):
    """Probability that an upper limit lies below the true difference, over all outcomes of n pairs."""
    first, second = (q + lead) / 2, (q - lead) / 2
    return sum(
        stats.multinomial.pmf([a, b, n - a - b], n, [first, second, 1 - first - second])
        for a, b in itertools.product(range(n + 1), repeat=2)
        if a + b <= n and limit_of(limits, a, b) < lead
    )


@pytest.mark.parametrize(("q", "lead"), [(0.1, 0.05), (0.3, 0.1), (0.3, 0.3), (0.6, 0.0), (1.0, 0.2), (0.02, 0.015)])
def test_limits_of_counts_fail_with_their_probability_exactly(q, lead):
    n, level = 25, 0.1
    first, second = np.array([(a, b) for a in range(n + 1) for b in range(n + 1 - a)]).T
    limits = np.full((n + 1, n + 1), np.inf)
    limits[first, second] = _limits_of_counts(np.full(first.shape, n), first, second, level)
    assert _exact_miss(limits, n, q, lead, lambda table, a, b: table[a, b]) <= level * (1 + 1e-9)


def test_limits_that_plug_in_the_observed_rate_are_caught():
    n, level, q, lead = 25, 0.1, 0.1, 0.1

    def plugged(_, a, b):
        rate = (a + b) / n
        return 0.0 if rate == 0 else (a - b) / n + 1.2816 * math.sqrt(max(rate - ((a - b) / n) ** 2, 0) / n)

    assert _exact_miss(None, n, q, lead, plugged) > 1.3 * level


def test_tolerances_suffice_where_they_are_stated():
    rng = np.random.default_rng(2)
    true = np.array([0.2, 0.21, 0.22, 0.25, 0.3])
    losses = (0.7 * rng.random((2000, 1)) + 0.3 * rng.random((2000, 5))) < true
    found = certify(losses).smallest_tolerance()
    for h, tolerance in list(enumerate(found.tolist()))[1:]:
        assert certify(losses, epsilon=1.15 * tolerance).within_slack[h]
        assert not certify(losses, epsilon=0.6 * tolerance).within_slack[h]


def test_tolerances_keep_their_probability_all_at_once():
    true, runs, rng = np.array([[0.3], [0.3], [0.4], [0.5]]), 200, np.random.default_rng(3)
    world = SimulatedWorld(true, shared=0.3)
    least = true[:, 0] - true.min()
    wrong = sum(
        bool((certify(world.draw(80, rng)[0], delta=0.4).smallest_tolerance() < least - 1e-12).any())
        for _ in range(runs)
    )
    assert stats.binomtest(wrong, runs, 0.4, alternative="greater").pvalue > 1e-3


def test_tolerances_in_other_units_and_directions():
    rng = np.random.default_rng(4)
    losses = rng.random((500, 4, 2)) < np.array([[0.2, 0.3], [0.25, 0.25], [0.3, 0.2], [0.3, 0.31]])
    plain = certify(losses)
    turned = certify(1.0 - losses, maximise=[True, True])
    scaled = certify(10.0 * losses.astype(int), loss_range=(0, 10))
    first = plain.smallest_tolerance("objective_1")
    np.testing.assert_allclose(scaled.smallest_tolerance("objective_1"), 10 * first, atol=10 / 512)
    np.testing.assert_allclose(turned.smallest_tolerance(), plain.smallest_tolerance(), atol=1 / 256)
    # A tolerance in one objective does at least as much as the same fraction in both needs.
    assert (first >= plain.smallest_tolerance() - 1e-12).all()


def test_known_costs_have_no_tolerance():
    losses = np.zeros((200, 3), bool)
    losses[:100, 0] = losses[:50, 1] = losses[:10, 2] = True
    found = certify(losses, costs={"price": [1, 2, 3]}).smallest_tolerance()
    np.testing.assert_array_equal(found, [0, 0, 0])
    assert certify(losses, costs={"price": [1, 1, 3]}).smallest_tolerance()[0] > 0.2


def test_bounded_losses_have_tolerances_from_moments():
    rng = np.random.default_rng(5)
    losses = np.clip(0.4 * rng.random((3000, 1)) + 0.2 * rng.random((3000, 3)) + [0, 0.02, 0.1], 0, 1)
    found = certify(losses).smallest_tolerance()
    lead = losses.mean(axis=0) - losses.mean(axis=0).min()
    assert (found >= lead).all()
    assert (found < lead + 0.03).all()
    ends = upper_limits(certify(losses)._statistics, 0, 0.01)
    assert (ends[0, 1:] == -1.0).all()


def test_tolerances_are_refused_where_they_cannot_be_found(refuses):
    losses = np.eye(40)[:, :3]
    certificate = certify(losses, costs={"price": [1, 2, 3]})
    refuses("objective", certificate.smallest_tolerance, "price")
    refuses("objective", certificate.smallest_tolerance, "no such")
    refuses("certificate", certify(losses, method="boxes").smallest_tolerance)
    refuses("certificate", certify(losses, engine="asymptotic").smallest_tolerance)
    refuses("certificate", Certificate.from_json(certificate.to_json()).smallest_tolerance)
    assert np.isinf(certify(losses[:1]).smallest_tolerance()[0])


# Words.


def test_models_are_explained():
    found = _chain()
    assert found.explain("f") == "f is not on the front: e dominates it."
    assert found.explain(6) == "g is on the front: no other model dominates it."
    at = math.floor(100 * (1 - found.decided_at[1]))
    assert found.explain("b") == (
        f"b: cannot tell yet; only c may still dominate it; would be decided as on the front at {at}%."
    )
    likely = _empty(2, excluded=[False, True], excluded_by=[-1, 0])
    assert likely.explain("m1") == "m1 is not on the front: another model dominates it, probably m0."
    assert "(probably dominated by m0)" in repr(likely)
    assert verdict_rows(likely)[1][1][3] == "probably m0"


def test_rivals_are_named_the_most_threatening_first():
    rivals = _pairs(7, *((3, b) for b in range(7) if b != 3))
    found = _empty(7, open_rivals=rivals)
    assert open_rivals_text(found, 3) == "m0, m1 or 4 others"
    assert open_rivals_text(found, 0) == ""
    assert open_rivals_text(_empty(7, open_rivals=_pairs(7, (3, 1), (3, 0), (3, 5))), 3) == "m0, m1 or m5"


@pytest.mark.parametrize(
    ("side", "at", "text"),
    [
        (1, 0.119, "would be decided as on the front at 88%"),
        (-1, 0.3, "would be decided as not on the front at 70%"),
        (1, 0.51, "no direction yet"),
        (0, 1.0, "no direction yet"),
        (0, np.nan, ""),
    ],
)
def test_directions_are_no_probabilities_of_being_on_the_front(side, at, text):
    assert lean_text(_empty(2, leaning=[side, 0], decided_at=[at, 1.0]), 0) == text


def test_models_must_exist(refuses):
    for model in ("z", 2, -1, True, 1.5):
        refuses("model", _empty(2).explain, model)


def test_promises_are_stated_in_words():
    sentences = {error: summary_sentence(_chain(error=error)) for error in ("any", "one", "share")}
    assert sentences["any"].startswith("With probability at least 95%, all of this is true at once: of 7")
    assert sentences["one"].startswith("With probability at least 95%, at most one of these verdicts is wrong: of 7")
    assert sentences["share"].startswith("On average at most 5% of these verdicts are wrong: of 7")
    assert "Only exclusions were asked for." in summary_sentence(_chain(verdicts="excluded"))
    assert "at most one verdict wrong" in described(_chain(error="one"))
    nominal = _empty(2, engine="asymptotic")
    assert "no guarantee at this sample size" in summary_sentence(nominal)
    assert nominal.promise.endswith("nothing is guaranteed at this sample size.")


def test_figures_say_what_is_promised():
    axes = {error: _chain(error=error).plot() for error in ("any", "one", "share")}
    titles = {error: " ".join(ax.get_title("left").split("\n")) for error, ax in axes.items()}
    assert titles["any"] == "7 models, confidence 95%"
    assert titles["one"] == "7 models, confidence 95%, one error allowed"
    assert titles["share"] == "7 models, at most 5% of verdicts wrong on average"
    key = [text.get_text() for text in axes["one"].get_legend().get_texts()]
    words = ["on the front", "cannot tell yet", "not on the front"]
    assert [text.rpartition(" (")[0] for text in key[:3]] == words


def test_frame_has_directions():
    frame = _chain().to_frame()
    assert frame["leaning"].tolist()[:2] == ["on the front", "on the front"]
    assert frame["n_open_rivals"].tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert frame["dominator_is_certain"].tolist() == [False] * 5 + [True, False]
    np.testing.assert_array_equal(frame["decided_at"], _chain().decided_at)


# Drawings.


def test_drawings_show_every_state_in_plain_and_rich_characters():
    found = _chain()
    plain, rich = ("\n".join(front_lines(found, marks)) for marks in (PLAIN, RICH))
    assert plain.isascii()
    assert plain.count("O") == found.sure.sum() + 1
    assert plain.count("?") == found.undecided.sum() + 1
    assert rich.count("●") == found.sure.sum() + 1
    for name in found.names:
        assert f" {name}" in rich
    assert max(map(len, rich.splitlines())) < 80


def test_two_models_side_by_side_at_the_edge_both_have_names():
    losses = np.zeros((1000, 3, 2), dtype=bool)
    for h, (one, other) in enumerate([(766, 750), (762, 762), (496, 498)]):
        losses[:one, h, 0] = losses[:other, h, 1] = True
    found = certify(losses, names=["birch", "aster", "dahlia"], maximise=True)
    assert front_lines(found)[1].split()[-4::3] == ["birch", "aster"]


def test_drawings_of_awkward_certificates():
    ends = np.array([[[-np.inf, np.inf]], [[0.2, 0.4]]])
    for found in (
        _empty(2, boxes=ends, measured=[True]),
        _empty(60),
        _empty(2, estimates=np.full((2, 1), 0.3), names=("日本", "a\nb" * 30)),
        certify(np.ones((5, 3))),
        certify(np.ones((5, 3)), costs={"size": [1, 1, 1], "price": [1, 2, 3]}, maximise=["size"]),
    ):
        for marks in (PLAIN, RICH):
            lines = front_lines(found, marks)
            assert all(line.isprintable() and len(line) <= 90 for line in lines)
    assert "and 20 models behind these" in "\n".join(front_lines(_empty(60)))


# The command.


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    losses = np.zeros((1000, 3), bool)
    losses[:200, 0] = losses[10:215, 1] = losses[:400, 2] = True
    np.save("losses.npy", losses)
    return "losses.npy"


def test_the_command_explains_draws_and_says_what_to_do_next(file, capsys):
    assert main(["certify", file]) == 0
    plain = capsys.readouterr().out
    assert "only model_2 may still dominate it" in plain
    assert "At least one of model_1 and model_2 is on the front." in plain
    assert plain.startswith(
        "What you can safely do\n  Drop 1 of 3 models (not on the front): use model_1 instead of model_3.\n"
    )
    assert "  Next step: " in plain
    assert "more examples" in plain
    assert "(smaller is better)" not in plain
    assert main(["certify", file, "--draw", "--plan"]) == 0
    drawn = capsys.readouterr().out
    assert "(smaller is better)" in drawn
    assert "decide about model_" in drawn.partition("\n\n")[0]
    # A bound without a plan, a simulated number with one.
    (bound,) = (line for line in plain.splitlines() if "Next step" in line)
    (simulated,) = (line for line in drawn.splitlines() if "Next step" in line)
    assert "up to about" in bound
    assert "up to about" not in simulated
    assert drawn.splitlines()[:4] == plain.splitlines()[:4]


def test_tolerances_stand_in_texts_as_a_statement_of_their_own(file, capsys):
    losses = np.load(file)
    found = certify(losses)
    first = math.ceil(1000 * found.smallest_tolerance()[0]) / 10
    assert tolerances(found)[0] == f"{first:g}%"
    assert main(["certify", file]) == 0
    text = capsys.readouterr().out
    assert f"tolerance {first:g}%." in text
    assert (
        "'tolerance X%': no other model is better by more than X% of the range, with probability at least 95%" in text
    )
    assert main(["certify", file, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["undecided_models"][0]["tolerance"] == f"{first:g}%"
    page = certificate_page(found)
    assert "<dt>tolerance</dt>" in page
    assert "X%: no other model is better by more than X% of the range, with probability at least 95%" in page
    assert f"{first:g}%" in page
    # Unknown without statistics, with boxes only, and with many models.
    assert tolerances(Certificate.from_json(found.to_json())) == [""] * 3
    assert tolerances(certify(losses, method="boxes")) == [""] * 3
    assert tolerances(certify(np.tile(losses[:40], (1, 101)))) == [""] * 303
    costly = certify(np.stack([losses, losses], axis=2), costs={"price": [1, 2, 3]})
    assert "no other model at no higher cost is better" in tolerance_sentence(costly)
    assert "range in every estimated objective, with" in tolerance_sentence(costly)


def test_promises_reach_the_command(file, capsys):
    options = ["--error", "share", "--dependence", "positive", "--verdicts", "excluded", "--json"]
    assert main(["certify", file, *options]) == 0
    text = capsys.readouterr().out
    content = json.loads(text)
    assert content["promise"] == "On average at most 5% of these verdicts are wrong."
    assert [content[name] for name in ("error", "dependence", "verdicts")] == ["share", "positive", "excluded"]
    assert {entry["model"] for entry in content["undecided_models"]} == {"model_1", "model_2"}
    assert content["undecided_models"][0]["open_rivals"] == ["model_2"]
    assert "NaN" not in text
    assert Certificate.from_json(text).error == "share"
    assert main(["certify", file, "--error", "none"]) == 2
    assert "`error` must be one of" in capsys.readouterr().err
    assert main(["certify", file, "--dependence", "positive"]) == 2
    assert "`dependence` must be 'any' unless `error` is 'share'" in capsys.readouterr().err


# JSON.


def _many(n_models=400):
    rng = np.random.default_rng(7)
    table = rng.random((n_models,) * 2) < 0.5
    return _empty(n_models, dominates=np.triu(table, 1), open_rivals=table)


def test_large_tables_are_written_as_bits_and_read_back():
    found = _many()
    text = write_certificate(found)
    content = json.loads(text)
    assert content["open_rivals"]["shape"] == [400, 400]
    assert len(text) < 120_000
    rows = np.frombuffer(base64.b64decode(content["open_rivals"]["packed_bits"]), np.uint8).reshape(400, 50)
    np.testing.assert_array_equal(np.unpackbits(rows, axis=1, count=400).astype(bool), found.open_rivals)
    assert Certificate.from_json(text) == found
    # The other form is read as well, whatever the size; few pairs are listed.
    content["dominates"] = np.argwhere(found.dominates).tolist()
    assert Certificate.from_json(json.dumps(content)) == found
    few = _empty(400, open_rivals=_pairs(400, (1, 2)))
    assert json.loads(few.to_json())["open_rivals"] == [[1, 2]]
    odd = _many(301)
    assert Certificate.from_json(odd.to_json()) == odd


@pytest.mark.parametrize(
    "written",
    [
        {"shape": [400, 400]},
        {"shape": [400, 400], "packed_bits": "!!!!"},
        {"shape": [400, 400], "packed_bits": "AAAA"},
        {"shape": [400, 401], "packed_bits": base64.b64encode(bytes(400 * 51)).decode()},
        {"shape": [0, 400], "packed_bits": ""},
        {"shape": [400, 400], "packed_bits": 7},
        {"shape": [400, 400], "packed_bits": base64.b64encode(bytes(20_000)).decode(), "more": 1},
        {"shape": [397, 397], "packed_bits": base64.b64encode(b"\xff" * 397 * 50).decode()},
        [[400, 0]],
        [[0]],
    ],
)
def test_tables_that_nobody_wrote_are_refused(written, refuses):
    content = json.loads(_many().to_json()) | {"open_rivals": written}
    refuses("text", Certificate.from_json, json.dumps(content))


def test_older_texts_are_read():
    content = json.loads(_chain().to_json())
    for name in ("promise", "decided_at", "leaning", "open_rivals", "error", "dependence", "verdicts", "engine"):
        del content[name]
    older = Certificate.from_json(json.dumps(content))
    assert older.alternatives() == ()
    assert older.explain("b") == "b: cannot tell yet."
    assert older.front_size == (3, 6)
