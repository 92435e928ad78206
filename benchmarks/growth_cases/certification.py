"""Growth of `moltheory.certification`: of certificates in examples, models and objectives, and of what is made of them.

The page and the report of a certificate show a bounded number of rows; JSON holds a bit per pair of models.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import moltheory as mt
from moltheory import certification

from ._case import Work, grows
from ._inputs import bits, floats, names


def losses(n: int, m: int, objectives: int = 2) -> Any:
    """Draw 0/1 losses of models of error rates from .1 to .3; hard examples are hard for all."""
    rates = 0.1 + 0.2 * floats(m, objectives, seed=1)
    hard = floats(n, 1, 1, seed=2)
    return 0.5 * hard + 0.5 * floats(n, m, objectives, seed=3) < rates


def costs(m: int) -> Any:
    return np.random.default_rng(2).integers(0, 50, (m, 1)).astype(float)


@grows("certification.certify", "n examples, 0/1", first=5_000, largest=640_000)
def _(n: int) -> Work:
    given = losses(n, 10)
    return lambda: mt.certify(given)


@grows("certification.certify", "n examples, floats", first=1_000, largest=128_000)
def _(n: int) -> Work:
    given = floats(n, 10, 2)
    return lambda: mt.certify(given)


@grows("certification.certify", "N objectives", first=2, largest=128)
def _(n: int) -> Work:
    given = losses(200, 20, n)
    return lambda: mt.certify(given)


@grows("certification.certify", "M models, 0/1", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    given = losses(1_000, m)
    return lambda: mt.certify(given)


@grows("certification.certify", "M models, 0/1, three examples", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    given = losses(3, m)
    return lambda: mt.certify(given)


@grows("certification.certify", "M models, 0/1, cost and tolerance", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    given, price = losses(1_000, m), costs(m)
    return lambda: mt.certify(given, costs=price, epsilon=[0.02, 0.02, 0.0])


@grows("certification.certify", "M models, floats", first=50, time=2, largest=1_600)
def _(m: int) -> Work:
    given = floats(300, m, 1)
    return lambda: mt.certify(given)


@grows("certification.certify", "M equal models", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    given = np.repeat(bits(1_000, 1, 1), m, axis=1)
    return lambda: mt.certify(given)


@grows("certification.certify", "clusters, of 4 examples each", first=500, largest=64_000)
def _(k: int) -> Work:
    given, clusters = floats(4 * k, 5, 1), np.arange(4 * k) // 4
    return lambda: mt.certify(given, clusters=clusters)


def many(m: int, objectives: int, kind: str) -> Work:
    """Return a certificate of many models on 10,000 examples."""
    given = np.concatenate([losses(500, m, objectives) for _ in range(20)])
    if kind == "missing":
        values = given.astype(np.float32)
        values[np.random.default_rng(4).random(values.shape, dtype=np.float32) < 0.1] = np.nan
        return lambda: mt.certify(values)
    options: dict[str, Any] = {} if kind == "bits" else {"costs": costs(m)}
    if kind == "tolerance":
        options["epsilon"] = [0.02] * objectives + [0.0]
    return lambda: mt.certify(given, **options)


for _kind in ("bits", "cost", "tolerance", "missing"):

    @grows(
        "certification.certify",
        f"M models, 10,000 examples, {_kind}",
        first=313,
        time=2,
        largest=5_008,
        seconds=30.0,
    )
    def _(m: int, kind: str = _kind) -> Work:
        return many(m, 2, kind)


def certificate(m: int, **options: Any) -> Any:
    return mt.certify(losses(500, m), costs=costs(m), names=names(m), **options)


@grows("certification.Certificate.to_json", "M models", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    return certificate(m).to_json


@grows("certification.Certificate.from_json", "M models", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    text = certificate(m).to_json()
    return lambda: mt.Certificate.from_json(text)


@grows("certification.Certificate.to_frame", "M models", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    return certificate(m).to_frame


@grows("certification.Certificate.plan", "M models", first=50, time=2, largest=1_600)
def _(m: int) -> Work:
    # The bounds; simulated runs have a limit on their work.
    found = certificate(m)
    return lambda: found.plan(simulate=0)


@grows("certification.certificate_page", "M models", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    found = certificate(m)
    return lambda: certification.certificate_page(found)


@grows("certification.indistinguishable_groups", "M models", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    found = certificate(m)
    return lambda: certification.indistinguishable_groups(found)


@grows("certification.indistinguishable_groups", "M models in as many tiers", first=50, time=2, largest=3_200)
def _(m: int) -> Work:
    given = np.arange(1_000)[:, None, None] < 1_000 * (0.1 + 0.8 * np.arange(m)[None, :, None] / m)
    found = mt.certify(given, names=names(m))
    return lambda: certification.indistinguishable_groups(found)


@grows("certification.further_examples", "M models", first=25, time=2, largest=800)
def _(m: int) -> Work:
    given = losses(500, m)
    found = mt.certify(given)
    return lambda: certification.further_examples(given, found)


@grows("certification.more_examples", "M models", first=25, time=2, largest=800)
def _(m: int) -> Work:
    from moltheory.inference._pairs import PairCounts

    counts = PairCounts(m)
    counts.update(losses(500, m, 1)[:, :, 0])
    return lambda: certification.more_examples([counts], level=0.001)


@grows("certification.planned_sizes", "number of gaps", first=2, largest=256)
def _(k: int) -> Work:
    gaps = np.linspace(0.005, 0.02, k)
    return lambda: certification.planned_sizes(gaps, n_models=2)


@grows("certification.certify_claims", "number of claims", first=100, largest=12_800)
def _(k: int) -> Work:
    given = losses(500, 20)
    claims = [certification.Better(f"m{i % 19}", f"m{i % 19 + 1}", "a") for i in range(k)]
    models = [f"m{i}" for i in range(20)]
    return lambda: certification.certify_claims(given, claims, names=models, objectives=["a", "b"])


@grows("certification.certify_claims", "M models", first=50, time=2, largest=1_600)
def _(m: int) -> Work:
    given = losses(500, m)
    claims = [certification.AmongBest("model_0", "a", 2), certification.Better("model_0", "model_1", "b")]
    return lambda: certification.certify_claims(given, claims, names=names(m), objectives=["a", "b"])


@grows("certification.compare_to_baseline", "M models", first=50, time=2, largest=800)
def _(m: int) -> Work:
    given = losses(500, m)
    return lambda: certification.compare_to_baseline(given, "model_0", names=names(m), objectives=["a", "b"])


@grows("certification.race", "examples", first=1_000, largest=64_000)
def _(n: int) -> Work:
    given = losses(n, 10)
    return lambda: certification.race(names(10), given, objectives=2, batch=n // 8)


@grows("certification.certify_limits", "examples", first=1_000, largest=256_000)
def _(n: int) -> Work:
    given = losses(n, 20)
    return lambda: certification.certify_limits(given, {"a": 0.3}, objectives=["a", "b"])


@grows("certification.CertificateStream.update", "examples", first=1_000, largest=256_000)
def _(n: int) -> Work:
    given = losses(n, 10)
    return lambda: certification.CertificateStream(10, 2, 0.05).update(given)


@grows("certification.CertificateStream.certificate", "M models", first=25, time=2, largest=1_600)
def _(m: int) -> Work:
    stream = certification.CertificateStream(m, 2, 0.05)
    stream.update(losses(200, m))
    return stream.certificate
