"""What a certificate advises follows from its fields: everything here is computed again from these alone."""

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.certification._advice import NextStep, advice_of, next_step_of
from moltheory.certification._advice_text import advice_lines, headline, promise_text, step_sentences, title_of
from moltheory.certification._explain import tolerances
from moltheory.certification._format import count_text
from tests.certification._page_worlds import KINDS, certificate_of_kind, page_of_kind
from tests.certification.test_words import Page


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def certificate(kind):
    return certificate_of_kind(kind)


def test_every_model_is_dropped_kept_or_open(certificate):
    advice = advice_of(certificate)
    dropped = sorted(h for entry in advice.drop for h in entry.models)
    assert dropped == np.flatnonzero(certificate.excluded).tolist()
    assert sorted(advice.keep) == np.flatnonzero(certificate.sure).tolist()
    assert sorted(h for tier in advice.open for h in tier.models) == np.flatnonzero(certificate.undecided).tolist()


def test_the_model_to_use_instead_dominates_or_is_the_likeliest(certificate):
    for entry in advice_of(certificate).drop:
        for h in entry.models:
            assert entry.use == certificate.excluded_by[h]
            assert entry.certain == certificate.dominates[entry.use, h]
        assert not certificate.excluded[entry.use]


def test_chains_of_dropped_models_end_at_one_that_is_not():
    three = {"excluded": [False, True, True], "excluded_by": [-1, 0, 1], "dominates": [[0, 1, 1], [0, 0, 1], [0, 0, 0]]}
    (entry,) = advice_of(_made(3, **three)).drop
    assert (entry.use, entry.models, entry.certain) == (0, (1, 2), True)
    # Only that some model dominates each is certain, and each names the other.
    (first, second) = advice_of(_made(2, excluded=[True, True], excluded_by=[1, 0])).drop
    assert {(first.use, first.models), (second.use, second.models)} == {(1, (0,)), (0, (1,))}
    assert not first.certain


def test_nothing_distinguishes_the_models_of_a_tier(certificate):
    tiers = advice_of(certificate).open
    data = np.flatnonzero(certificate.data_dependent)
    turn = -1.0 if certificate.maximise[data[0]] else 1.0

    def apart(a, b):
        (low_a, high_a), (low_b, high_b) = certificate.boxes[a][data].T, certificate.boxes[b][data].T
        return certificate.dominates[a, b] or certificate.dominates[b, a] or ((high_a < low_b) | (high_b < low_a)).any()

    for tier in tiers:
        assert not any(apart(a, b) for a, b in itertools.combinations(tier.models, 2))
        assert set(tier.cheapest) == {h for h in tier.models if not _cheaper_than(certificate, h, tier.models)}
    # No two tiers could be one.
    for one, other in itertools.combinations(tiers, 2):
        assert any(apart(a, b) for a in one.models for b in other.models)
    means = [turn * certificate.estimates[list(tier.models), data[0]].mean() for tier in tiers]
    assert means == sorted(means)


def _cheaper_than(certificate, h, models):
    known = np.flatnonzero(~certificate.data_dependent)
    values = certificate.estimates[:, known] * np.where(np.array(certificate.maximise)[known], -1.0, 1.0)
    return [b for b in models if (values[b] <= values[h]).all() and (values[b] < values[h]).any()]


def test_page_and_terminal_open_with_it(kind, certificate):
    page = Page(page_of_kind(kind))
    names = np.array(certificate.names)
    for status, mask in (
        ("excluded", certificate.excluded),
        ("sure", certificate.sure),
        ("undecided", certificate.undecided),
    ):
        card = page.cards[status]
        for name in names[mask]:
            assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", card), (status, name)
        assert title_of(certificate, status) in card
        assert (f"{mask.sum()} " in title_of(certificate, status)) == mask.any()
    assert "None is certain" in page.cards["sure"] or certificate.sure.any() or certificate.verdicts == "excluded"
    for h in np.flatnonzero(certificate.excluded):
        use = names[certificate.excluded_by[h]]
        assert re.search(rf"[Uu]se\s+{re.escape(use)}\s+instead of", page.cards["excluded"])
    assert page.text.index("What you can safely do") < page.text.index("The front") < page.text.index("All models")
    assert headline(certificate) in page.text
    assert promise_text(certificate) in page.text
    first, *lines = advice_lines(certificate, ["Wait."])
    assert first == "What you can safely do"
    assert [line.split()[0].rstrip(":") for line in lines if re.match("  [A-Z]", line)][:2] == ["Drop", "Keep"]
    assert lines[-2] == "  Next step: wait."


def test_the_headline_counts():
    decided = {"sure": [True, False], "excluded": [False, True], "excluded_by": [-1, 0]}
    assert headline(_made(2, **decided)) == "Every model is decided: drop 1 of 2 models and keep 1."
    assert headline(_made(2)) == "Nothing is certain yet: these examples rule no model out and put none on the front."
    assert headline(_made(3, sure=[True, False, False])) == "Keep 1; about the other 2 the data cannot tell yet."
    assert headline(_made(2, sure=[True, False])) == "Keep 1; about the last one the data cannot tell yet."


def test_the_cheapest_next_step_is_the_smallest_number_of_the_plan(certificate):
    if not certificate.undecided.any():
        assert step_sentences(certificate, None, tolerances(certificate)) == []
        return
    plan = certificate.plan(simulate=3)
    step = next_step_of(plan)
    number = plan["additional_80"].clip(lower=1.0)
    number = number.where(np.isfinite(number), plan["sufficient_additional"])
    possible = plan[(plan["n_open_rivals"] > 0) & np.isfinite(number)]
    (first, *_) = step_sentences(certificate, step, [""] * len(certificate))
    if len(possible):
        assert step.sufficient == number[possible.index].min()
        row = possible.set_index("model").loc[step.model]
        assert (step.rival, step.n_rivals) == (row["hardest_rival"], row["n_open_rivals"])
        assert (
            f"about {count_text(step.sufficient)} more {'clusters' if certificate.n_clusters else 'examples'}"
            in first.lower()
        )
        assert "enough in 80% of cases" in first
        assert step.is_bound == ("up to" in first.lower())
        # Without simulations, as in the terminal and on the page, it is a bound.
        bound = next_step_of(certificate.plan(simulate=0))
        assert bound.is_bound
        assert bound.sufficient == possible["sufficient_additional"].min()
        assert step.model in first
        assert ("if the rates seen so far are the true ones" in first) == step.is_bound
        assert ("by simulation" in first) == (not step.is_bound)
    elif "blocked_by" in plan and plan["blocked_by"].notna().any():
        assert first.startswith("Measure seconds more precisely for ")
    else:
        assert first.startswith("No number of examples can be planned")
    # As read again from the losses, with the columns of another time.
    old = plan.rename(columns={"n_open_rivals": "open", "hardest_rival": "hardest", "sufficient_additional": "bound"})
    assert next_step_of(old.rename(columns={"expected_additional": "more"})) == step


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (
            NextStep("a", "b", 1, 400.0),
            "About 400 more examples would decide about a (only b may still be better), by simu",
        ),
        (NextStep("a", "b", 3, 400.0), "would decide about a (of its 3 open rivals b is the hardest), by simulation"),
        (NextStep("a", "b", 1, 150_000.0), "Do not wait for more examples: even the cheapest decision, about a,"),
        (NextStep(), "No number of examples can be planned"),
    ],
)
def test_steps_are_stated_with_their_reservations(step, text):
    found = step_sentences(_made(2, n_examples=1000), step, ["", ""])
    assert text in found[0]
    if step.model:
        assert "80% of cases" in found[0]
        (bound, *_) = step_sentences(_made(2, n_examples=1000), replace(step, is_bound=True), ["", ""])
        assert "by simulation from the examples at hand" in found[0]
        assert "if the rates seen so far are the true ones" in bound
    # A model that loses little is named, with the smallest tolerance.
    real = certificate_of_kind("ties")
    near = step_sentences(real, step, ["4.5%", "1.2%", "", "2%"])[-1]
    assert near == "Or keep b now: no other model is better by more than 1.2% of the range."
    assert len(step_sentences(real, step, ["45%", "", "", ""])) == 1


def test_a_model_that_only_the_tolerance_keeps_open_needs_no_examples():
    rows = {"model": ["a"], "hardest_rival": ["b"], "n_open_rivals": [0]}
    rows |= {name: [0.0] for name in ("expected_additional", "sufficient_additional")}
    assert next_step_of(pd.DataFrame(rows)) == NextStep()


def _made(n_models, *, n_examples=100, **fields):
    """A certificate of these fields; the other ones say nothing."""
    values = {
        "names": tuple(f"m{h}" for h in range(n_models)),
        "objectives": ("error",),
        "maximise": (False,),
        "data_dependent": [True],
        "sure": [False] * n_models,
        "excluded": [False] * n_models,
        "excluded_by": [-1] * n_models,
        "adjusted_p_value": [math.nan] * n_models,
        "dominates": np.zeros((n_models, n_models)),
        "estimates": np.full((n_models, 1), 0.5),
        "boxes": np.tile([0.0, 1.0], (n_models, 1, 1)),
        "epsilon": [0.0],
        "delta": 0.05,
        "delta_allocation": (("verdicts", 0.05),),
        "n_examples": n_examples,
        "methods": ("kl",),
        "assumptions": (),
    }
    return mt.Certificate(**values | fields)
