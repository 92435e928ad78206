"""Certificates of every kind that a page may show: few and many models and objectives, all and nothing decided."""

from __future__ import annotations

import functools

import numpy as np

import moltheory as mt
from moltheory.certification import certificate_page

__all__ = ["KINDS", "certificate_of_kind", "page_of_kind"]


def _skilled(n: int, n_models: int, n_objectives: int = 1, *, low: float = 0.1, high: float = 0.5) -> np.ndarray:
    """Errors (n, M, N) of models of growing rates on examples of different difficulty, so that they are correlated."""
    rng = np.random.default_rng(7)
    rates = np.linspace(low, high, n_models)[:, None] + 0.02 * rng.random((n_models, n_objectives))
    return 0.8 * rng.random((n, 1, 1)) + 0.2 * rng.random((n, n_models, n_objectives)) < rates


def _names(count: int) -> list[str]:
    return [f"model-{k:02d}" for k in range(count)]


def _with_costs() -> mt.Certificate:
    """Dearer models are better: many are open, and groups of them are not distinguished."""
    prices = np.round(np.linspace(9, 1, 30) ** 2, 2)
    return mt.certify(_skilled(800, 30)[:, :, 0], names=_names(30), costs={"price in $": prices})


def _measured() -> mt.Certificate:
    seconds = mt.Measured([4.0, 3.8, 2.0, 1.9], [3.5, 3.3, 1.6, 1.5], [4.6, 4.4, 2.5, 2.4], delta=0.01)
    losses = _skilled(900, 4, low=0.2, high=0.4)[:, :, 0]
    return mt.certify(losses, names=["p", "q", "r", "s"], costs={"seconds": seconds})


KINDS = {
    "three models": lambda: mt.certify(_skilled(300, 3, low=0.2)[:, :, 0], names=["small", "medium", "large"]),
    "thirty with a cost": _with_costs,
    "three objectives": lambda: mt.certify(_skilled(500, 9, 2), costs={"ms": [3, 9, 2, 8, 1, 7, 6, 5, 4]}),
    "maximised": lambda: mt.certify(~_skilled(400, 6)[:, :, 0], maximise=True, names=_names(6)),
    "nothing decided": lambda: mt.certify(np.random.default_rng(0).random((60, 5)) < 0.3),
    "ties": lambda: mt.certify(
        np.repeat(np.random.default_rng(0).integers(0, 2, (90, 1)), 4, axis=1), names=list("abcd")
    ),
    "tolerance": lambda: mt.certify(_skilled(900, 5)[:, :, 0], epsilon=0.03, costs={"size": [5, 4, 3, 2, 1]}),
    "clusters": lambda: mt.certify(_skilled(1200, 6)[:, :, 0], clusters=np.arange(1200) // 15, names=_names(6)),
    "asymptotic": lambda: mt.certify(
        np.random.default_rng(1).exponential(1, (500, 4)) * [1.0, 1.1, 1.5, 2.0],
        loss_range=(-np.inf, np.inf),
        engine="asymptotic",
    ),
    "share": lambda: mt.certify(_skilled(300, 12)[:, :, 0], error="share"),
    "only exclusions": lambda: mt.certify(_skilled(200, 5)[:, :, 0], verdicts="excluded"),
    "measured": _measured,
}


@functools.cache
def certificate_of_kind(kind: str) -> mt.Certificate:
    """Return the certificate of a kind."""
    return KINDS[kind]()


@functools.cache
def page_of_kind(kind: str) -> str:
    """Return the page of the certificate of a kind, with a plan."""
    certificate = certificate_of_kind(kind)
    plan = certificate.plan(simulate=3) if certificate.undecided.any() else None
    return certificate_page(certificate, title="losses.csv", further=plan)
