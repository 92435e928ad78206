"""Memory of certificates of many models: it stays in bounds, is estimated from sizes, and refused where it is not there."""

import os
import tracemalloc
from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory._core import _memory_estimate
from moltheory.certification import Better, _certify, certify_claims, more_examples
from moltheory.errors import TooLargeError
from moltheory.inference._pairs import PairCounts

from ._truth import Array

_SMALL = [
    ("bool", 300, 2, {}),
    ("bool", 300, 2, {"costs": True}),
    ("bool", 300, 2, {"costs": True, "epsilon": 0.02}),
    ("bool", 3, 1, {}),
    ("bool", 300, 2, {"method": "boxes"}),
    ("bool", 30, 2, {"clusters": True}),
    ("missing", 300, 2, {}),
    ("strong", 300, 2, {}),
    ("float", 300, 1, {"engine": "asymptotic"}),
]
_LARGE = [("float", 10, 2, {}), ("float", 300, 2, {"epsilon": 0.02})]
_FULL = os.environ.get("MOLTHEORY_FULL") == "1"


def _losses(kind: str, n: int, models: int, count: int) -> Array:
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.1, 0.3, (models, count))
    if kind == "strong":
        rates[:] = np.linspace(0.02, 0.98, models)[:, None]
    drawn = 0.5 * rng.random((n, 1, 1)) + 0.5 * rng.random((n, models, count))
    losses: Array = drawn * (0.5 + rates) if kind == "float" else drawn < rates
    if kind == "missing":
        losses = losses.astype(np.float64)
        losses[rng.random(losses.shape) < 0.1] = np.nan
    return losses


def _options(options: dict[str, Any], n: int, models: int, count: int) -> dict[str, Any]:
    found = dict(options)
    if "costs" in found:
        found["costs"] = np.random.default_rng(2).integers(0, 50, (models, 1)).astype(float)
    if "epsilon" in found:
        found["epsilon"] = [found["epsilon"]] * count + [0.0] * ("costs" in found)
    if "clusters" in found:
        found["clusters"] = np.arange(n) // 5
    return found


@pytest.fixture
def estimates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Estimates in bytes that certificates made."""
    found: list[float] = []
    monkeypatch.setattr(_certify, "require_pairs", lambda each, models: found.append(each * models**2))
    mt.certify(_losses("float", 20, 5, 2), epsilon=0.1)  # what is imported once does not count
    mt.certify(_losses("bool", 20, 5, 2), epsilon=0.1)
    found.clear()
    return found


def _compared(case: tuple[str, int, int, dict[str, Any]], models: int, estimates: list[float]) -> None:
    kind, n, count, options = case
    losses = _losses(kind, n, models, count)
    tracemalloc.start()
    mt.certify(losses, **_options(options, n, models, count))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / 1.5 < estimates[-1] < 1.5 * peak, (kind, n, count, options, peak, estimates[-1])


@pytest.mark.parametrize("case", _SMALL)
def test_estimates_are_near_the_peak(case: tuple[str, int, int, dict[str, Any]], estimates: list[float]) -> None:
    _compared(case, 600, estimates)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*_SMALL, *_LARGE] if _FULL else _SMALL)
def test_estimates_for_more_models(case: tuple[str, int, int, dict[str, Any]], estimates: list[float]) -> None:
    _compared(case, 2000, estimates)


def test_bets_on_all_pairs_take_one_block_at_a_time() -> None:
    losses = _losses("float", 3, 900, 1)
    mt.certify(losses[:, :10])
    tracemalloc.start()
    mt.certify(losses)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Indices, levels and places of all pairs at once took 120 bytes each, and 8,000 models all memory.
    assert peak < 85 * 900**2


def test_too_many_models_are_refused_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory_estimate, "available_memory", lambda: 10**8)
    losses = _losses("bool", 3, 2000, 2)

    def never(scan: object) -> object:
        raise AssertionError

    monkeypatch.setattr(_certify, "summaries", never)
    with pytest.raises(
        TooLargeError, match=r"`losses` must hold fewer than 2,000 models: .* GB of memory, .*fewer models"
    ):
        mt.certify(losses)
    names = [f"m{i}" for i in range(2000)]
    with pytest.raises(TooLargeError, match="2,000 models"):
        certify_claims(losses, [Better("m1", "m2", "a")], names=names, objectives=["a", "b"])
    with pytest.raises(TooLargeError, match="`models` must hold fewer than 2,000 models"):
        mt.CertificateStream(2000, 2, 0.05)
    with pytest.raises(TooLargeError, match="`which` must hold fewer than 1,999,000 pairs"):
        more_examples([PairCounts(2000)], level=0.01)


def test_smallest_tolerances_are_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = mt.certify(_losses("bool", 3, 1500, 1))
    monkeypatch.setattr(_memory_estimate, "available_memory", lambda: 10**7)
    with pytest.raises(TooLargeError, match="`certificate` must hold fewer than 1,500 models"):
        certificate.smallest_tolerance()
