"""Claims, intervals over seeds and machines: what every study shares; values by independent means."""

import itertools
import json
import math
import re
import types

import numpy as np
import pytest
from scipy.special import betaincinv
from scipy.stats import t, ttest_1samp

from moltheory.studies import Claim, _machine
from moltheory.studies._claims import AGREES, DIFFERS, NOT_TESTED, VERDICTS, claims_table
from moltheory.studies._machine import DEVICES, Machine
from moltheory.studies._over_seeds import (
    mean_interval_of,
    mean_text,
    median_interval_of,
    median_text,
    share_text,
)

_GOOD = {
    "says": "Robustness costs accuracy.",
    "where": "abstract",
    "check": "experiment",
    "checked": "Agrees if accuracy falls in every run.",
    "found": "9 of 9",
    "verdict": AGREES,
}


def test_a_claim_is_a_record_of_texts():
    claim = Claim(**_GOOD)
    assert claim.as_dict() == {**_GOOD, "why": ""}
    assert json.loads(json.dumps(claim.as_dict())) == claim.as_dict()
    assert Claim(**claim.as_dict()) == claim
    assert "Robustness" in repr(claim)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verdict", "true"),
        ("check", "guess"),
        ("says", ""),
        ("where", ""),
        ("checked", ""),
        ("found", ""),
        ("says", "word " * 46),
        ("found", "word " * 46),
    ],
)
def test_claims_are_checked(name, value, refuses):
    refuses(name, lambda: Claim(**{**_GOOD, name: value}))


def test_a_claim_that_does_not_agree_says_why(refuses):
    for verdict in (DIFFERS, NOT_TESTED):
        refuses("why", lambda verdict=verdict: Claim(**{**_GOOD, "verdict": verdict}))
        refuses("why", lambda verdict=verdict: Claim(**{**_GOOD, "verdict": verdict, "why": "word " * 46}))
        assert Claim(**{**_GOOD, "verdict": verdict, "why": "Too little data."}).verdict == verdict
    # What was not tested has no numbers; what differs has.
    assert Claim(**{**_GOOD, "verdict": NOT_TESTED, "why": "A GPU is needed.", "found": ""})
    refuses("found", lambda: Claim(**{**_GOOD, "verdict": DIFFERS, "why": "Too little data.", "found": ""}))
    assert Claim(**{**_GOOD, "says": "word " * 45})


def test_the_table_has_a_row_per_claim():
    claims = [
        Claim(**_GOOD),
        Claim(**{**_GOOD, "verdict": NOT_TESTED, "why": "A GPU is needed.", "found": "", "check": "exact value"}),
    ]
    table = claims_table(claims)
    assert len(table) == 2
    assert list(table["verdict"]) == [AGREES, NOT_TESTED]
    text = table.to_json(orient="records")
    for word in ("Robustness costs accuracy. (abstract)", "9 of 9", "A GPU is needed."):
        assert word in text
    assert (table.map(len) > 0).all(axis=None)
    assert set(VERDICTS) == {"agrees", "differs", "not tested here"}


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
def test_the_interval_of_a_mean_is_students(n, rng):
    values = rng.normal(3.0, 2.0, size=n)
    mean, low, high = mean_interval_of(values)
    assert mean == pytest.approx(sum(values) / n)
    reference = ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((reference.low, reference.high))
    half = t.ppf(0.975, n - 1) * math.sqrt(sum((values - mean) ** 2) / (n - 1) / n)
    assert (low, high) == pytest.approx((mean - half, mean + half))


def test_the_interval_of_a_mean_covers_as_often_as_it_says(rng):
    covered = []
    for values in rng.normal(1.0, size=(4000, 4)):
        _, low, high = mean_interval_of(values)
        covered.append(low <= 1.0 <= high)
    # 0.95 within four standard errors.
    assert abs(np.mean(covered) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)


def _coverage(n, k):
    """Chance that the median of a continuous law lies between the k-th smallest and largest, by counting sign patterns."""
    inside = sum(math.comb(n, below) for below in range(k, n - k + 1))
    return inside / 2**n


@pytest.mark.parametrize("n", range(2, 41))
def test_the_interval_of_a_median_is_the_narrowest_that_covers(n, rng):
    values = rng.permutation(np.arange(1.0, n + 1))
    median, low, high = median_interval_of(values)
    assert median == (n + 1) / 2
    k = int(low)
    assert high == n + 1 - k
    if n < 6:
        assert k == 1
        assert _coverage(n, 1) < 0.95
    else:
        assert _coverage(n, k) >= 0.95
        assert k + 1 > n / 2 or _coverage(n, k + 1) < 0.95


def test_a_median_interval_covers_whatever_the_law():
    """All ways in which 6 draws fall to both sides of the median, each as likely as any other."""
    covered = 0
    for signs in itertools.product((-1.0, 1.0), repeat=6):
        _, low, high = median_interval_of(np.array(signs) * [1.0, 2.0, 3.0, 4.0, 5.0, 1e9])
        covered += low <= 0.0 <= high
    assert covered / 2**6 == 1 - 2 / 2**6


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (9, 10), (10, 10), (50, 200)])
def test_the_interval_of_a_share_inverts_the_beta_function(k, n):
    low = 0.0 if k == 0 else betaincinv(k, n - k + 1, 0.025)
    high = 1.0 if k == n else betaincinv(k + 1, n - k, 0.975)
    text = share_text(k, n)
    assert text.startswith(f"{k} of {n} (95%: [")
    found = [float(one) for one in re.findall(r"[\d.]+", text.partition("[")[2])]
    assert found == pytest.approx([low, high], abs=5e-4)
    # At the ends of the interval the outcome is as unlikely as is allowed.
    if k > 0:
        assert sum(math.comb(n, j) * low**j * (1 - low) ** (n - j) for j in range(k, n + 1)) == pytest.approx(0.025)


def test_texts_say_how_many_seeds_and_what_the_interval_is():
    assert mean_text([1.0, 1.0, 1.0]) == "1 (95%: [1, 1], 3 seeds)"
    assert "range [1, 5], 5 seeds" in median_text([5, 1, 2, 3, 4])
    assert "95%: [1, 6], 6 seeds" in median_text([6, 5, 1, 2, 3, 4])
    assert mean_text([0.123456, 0.123457], digits=5).startswith("0.12346 ")


def test_numbers_over_seeds_are_checked(refuses):
    for function in (mean_interval_of, median_interval_of, mean_text, median_text):
        refuses("values", function, [1.0])
        refuses("values", function, [1.0, math.nan])
        refuses("values", function, [[1.0, 2.0]])
    refuses("successes", share_text, 5, 4)
    refuses("successes", share_text, -1, 4)
    refuses("n", share_text, 0, 0)


def test_one_thread_of_the_cpu_repeats_and_nothing_else_promises_to():
    assert Machine().repeats
    assert Machine().description == "cpu, 1 thread: repeats bit for bit"
    assert Machine("cpu", 4).description == "cpu, 4 threads: last digits may change"
    assert Machine("cuda").description == "cuda: last digits may change"
    assert not Machine("mps").repeats


def test_machines_are_checked(refuses):
    refuses("device", Machine, "tpu")
    refuses("threads", Machine, "cpu", 0)
    refuses("threads", Machine, "cpu", 1.5)
    assert Machine("cpu", 3).resolved() == Machine("cpu", 3)


@pytest.mark.parametrize("cuda", [False, True])
@pytest.mark.parametrize("mps", [False, True])
def test_a_device_is_one_that_torch_finds(cuda, mps, monkeypatch, refuses):
    torch = types.SimpleNamespace(
        cuda=types.SimpleNamespace(is_available=lambda: cuda),
        backends=types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps)),
    )
    monkeypatch.setattr("moltheory.studies._torch.require_torch", lambda: torch)
    monkeypatch.setattr(_machine, "require_torch", lambda: torch, raising=False)
    found = {"cpu", *(name for name, there in (("cuda", cuda), ("mps", mps)) if there)}
    for device in set(DEVICES) - {"auto"}:
        if device in found:
            assert Machine(device, 2).resolved() == Machine(device, 2)
        else:
            message = refuses("device", Machine(device).resolved)
            assert all(name in message for name in found)
    assert Machine("auto", 2).resolved() == Machine("cuda" if cuda else "mps" if mps else "cpu", 2)
