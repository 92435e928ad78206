"""Statements that are false, each for a reason of its own, to measure a search for counterexamples with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from moltheory.bounds import finite_class
from moltheory.pareto import nondominated
from moltheory.scalarization import Chebyshev, PNorm, Scalarization, WeightedScalarization, simplex_grid
from moltheory.theorems import NotApplicableError, Theorem, ledger
from moltheory.theorems._columns import TIE
from moltheory.theorems._converse_statements import impurity_of_minimisers
from moltheory.theorems._front_statements import beaten, hypervolume_gap, uncovered
from moltheory.theorems._generalization_statements import scalarized_regret
from moltheory.theorems._pruning_statements import errors_of_pruning

__all__ = ["FALSE", "STATED", "statement", "wrong"]

LEDGER = ledger()


def statement(name: str, text: str, violation: Any, **fields: Any) -> Theorem:
    """Return a conjecture."""
    return Theorem(id=name, statement=text, source="a mistake", provenance="conjecture", violation=violation, **fields)


def wrong(name: str, of: str, **fields: Any) -> Theorem:
    """Return a statement of the ledger with something wrong."""
    return replace(LEDGER[of], id=name, source="a mistake", provenance="conjecture", proof="", **fields)


def fronts(true: Any, empirical: Any) -> tuple[Any, Any]:
    """Return who is on the true and on the empirical front."""
    return nondominated(true), nondominated(empirical)


def shortfall(true: Any, allowed: Any) -> Any:
    """Return max_i (L_i(g) - L_i(h) - allowed_i) for all g, h: (..., g, h)."""
    return (true[..., :, None, :] - true[..., None, :, :] - allowed[..., None, None, :]).max(axis=-1)


def purity(true: Any, empirical: Any, allowed: Any) -> Any:
    """How far the worst member of the empirical front is from the nearest of the true one, beyond what is allowed."""
    real, seen = fronts(true, empirical)
    nearest = np.where(real[..., None, :], shortfall(true, allowed), np.inf).min(axis=-1)
    return np.where(seen, nearest, -np.inf).max(axis=-1)


def selected_by(values: Any, slack: float = TIE) -> Any:
    """Return the minimisers."""
    return values <= values.min(axis=-1, keepdims=True) + slack


def weighted_sums_cover(true: Any, empirical: Any, widths: Any) -> Any:
    """For every h some empirical minimiser of a weighted sum of a grid is within 2 C of it in all objectives."""
    values = empirical @ simplex_grid(true.shape[-1], 4).T
    found = (values <= values.min(axis=-2, keepdims=True) + TIE).any(axis=-1)
    reach = np.where(found[..., :, None], shortfall(true, 2 * widths), np.inf).min(axis=-2)
    return reach.max(axis=-1)


def every_member_covers(true: Any, empirical: Any, widths: Any) -> Any:
    """For all h and all hhat on the empirical front, where some hhat stands in the truth."""
    _, seen = fronts(true, empirical)
    return np.where(seen[..., :, None], shortfall(true, 2 * widths), -np.inf).max(axis=(-2, -1))


def weak_dominance(true: Any, empirical: Any, widths: Any) -> Any:
    """No other h has L(h) <= L(hhat) - 2 C, strict or not: copies do."""
    _, seen = fronts(true, empirical)
    margin = (true[..., :, None, :] - true[..., None, :, :] - 2 * widths[..., None, None, :]).min(axis=-1)
    margin = np.where(np.eye(true.shape[-2], dtype=bool), -np.inf, margin)
    worst = np.where(seen[..., :, None], margin, -np.inf).max(axis=(-2, -1))
    return np.where(worst >= 0, 1.0, np.maximum(worst, -1.0))


def only_for(check: Callable[[Any, Any, Any], Any], violation: Any) -> Any:
    """Return a statement that says nothing where a check fails."""

    def restricted(true: Any, empirical: Any, widths: Any, **inputs: Any) -> Any:
        return np.where(check(true, empirical, widths), violation(true, empirical, widths, **inputs), -np.inf)

    return restricted


def tight_for_four(true: Any, empirical: Any, widths: Any) -> Any:
    """The forward statement, with a factor that is too small for four objectives and more only."""
    return uncovered(true, empirical, widths, factor=2.0 if true.shape[-1] < 4 else 1.8)


def few_impure(true: Any, empirical: Any, widths: Any) -> Any:
    """At most four members of the empirical front are truly dominated."""
    real, seen = fronts(true, empirical)
    return (seen & ~real).sum(axis=-1) - 4.0


def pure_members(true: Any, empirical: Any, widths: Any) -> Any:
    """Every member of the empirical front is within 2 C of one of the true front."""
    return purity(true, empirical, 2 * widths)


class Hypotenuse(WeightedScalarization):
    """Weighted root mean square: a scalarization of one's own."""

    is_monotone = is_subadditive = is_homogeneous = True
    modulus = 0.0
    optimality = "weakly-pareto"

    def _evaluate(self, values: Any) -> Any:
        return np.sqrt(np.square(values) @ np.array(self.weights))

    def _width(self, widths: Any) -> Any:
        return self._evaluate(widths)


def _own_cases(true: Any, limits: Any) -> Any:
    """One scalarization, whatever the number of objectives: made for three."""
    return [{"scalarization": Hypotenuse([0.5, 0.25, 0.25])}]


def mean_width(true: Any, empirical: Any, widths: Any) -> Any:
    """Coverage within twice the mean of the widths: right where they are equal."""
    mean = np.broadcast_to(widths.mean(axis=-1, keepdims=True), widths.shape)
    return uncovered(true, empirical, mean)


def unique_minimisers(true: Any, empirical: Any, widths: Any) -> Any:
    """The best hypothesis of each objective is on the front: false where another ties with it."""
    real, _ = fronts(true, empirical)
    best = selected_by(np.moveaxis(true, -1, 0), 0.0)
    return np.where((best & ~real).any(axis=(0, -1)), 1.0, -1.0)


def root_of_width(true: Any, empirical: Any, widths: Any) -> Any:
    """Purity error at most 12 sqrt(max C): says nothing but for small widths."""
    root = 12.0 * np.sqrt(widths.max(axis=-1, keepdims=True))
    return purity(true, empirical, np.broadcast_to(root, widths.shape))


def fronts_are_unique(true: Any, empirical: Any, widths: Any) -> Any:
    """Without deviations, the front has no more members than it has distinct points."""
    real, _ = fronts(true, empirical)
    same = (true[..., :, None, :] == true[..., None, :, :]).all(axis=-1) & real[..., :, None] & real[..., None, :]
    still = (widths == 0).all(axis=-1)
    return np.where(still, same.sum(axis=(-2, -1)) - real.sum(axis=-1), -np.inf)


def no_weights(true: Any, empirical: Any, widths: Any, *, weights: Any) -> Any:
    """interior-weights with 2 sum_j C_j, the weights forgotten on both sides."""
    chosen = selected_by(empirical @ weights)
    better = (true[..., None, :, :] <= true[..., :, None, :]).all(axis=-1) & nondominated(true)[..., None, :]
    gaps = (true[..., :, None, :] - true[..., None, :, :]).max(axis=-1) - 2 * widths.sum(axis=-1)[..., None, None]
    return np.where(chosen[..., :, None] & better, gaps, -np.inf).max(axis=(-2, -1))


def purity_of_norms(true: Any, empirical: Any, widths: Any, *, scalarization: PNorm) -> Any:
    """w_i (L_i(hhat) - L_i(h*)) <= 2 U(C) for minimisers of a p-norm: right for p = 1 only."""
    chosen = selected_by(scalarization(empirical))
    better = (true[..., None, :, :] <= true[..., :, None, :]).all(axis=-1) & nondominated(true)[..., None, :]
    w = np.array(scalarization.weights)
    gaps = (w * (true[..., :, None, :] - true[..., None, :, :])).max(axis=-1)
    return np.where(chosen[..., :, None] & better, gaps, -np.inf).max(axis=(-2, -1)) - 2.0 * scalarization.width(widths)


def norm_cases(p: float) -> Any:
    """Return the cases of one p: two weights of N objectives."""

    def cases(true: Any, limits: Any) -> Any:
        n = true.shape[-1]
        spread = np.arange(1.0, n + 1.0)
        return [{"scalarization": PNorm(w / w.sum(), p)} for w in (np.ones(n), spread)]

    return cases


def _drawn_norm(rng: Any, true: Any, limits: Any) -> Any:
    w = rng.uniform(0.2, 1.0, true.shape[-1])
    return {"scalarization": PNorm(w / w.sum(), float(rng.uniform(1.0, 1.3)))}


def _drawn_sum(rng: Any, true: Any, limits: Any) -> Any:
    w = rng.integers(1, 5, true.shape[-1]) * 1.0
    return {"weights": w / w.sum()}


def chebyshev_is_pareto(true: Any, empirical: Any, widths: Any, *, scalarization: Scalarization) -> Any:
    """Every minimiser of an unaugmented Chebyshev scalarization is on the empirical front: it is weakly so."""
    _, seen = fronts(true, empirical)
    chosen = selected_by(scalarization(empirical), 0.0)
    return np.where((chosen & ~seen).any(axis=-1), 1.0, -1.0)


def _chebyshev_cases(true: Any, limits: Any) -> Any:
    return [{"scalarization": Chebyshev(np.full(true.shape[-1], 1.0 / true.shape[-1]))}]


def no_union_over_hypotheses(problem: Any, n: int, delta: float) -> Any:
    """Widths of one hypothesis."""
    count = int(problem.true.data_dependent.sum())
    width = finite_class(n, n_hypotheses=1, n_objectives=count, delta=delta).width[0]
    return np.full(problem.true.n_objectives, width)


def no_union_over_objectives(problem: Any, n: int, delta: float) -> Any:
    """Widths of one objective, each with all of delta."""
    width = finite_class(n, n_hypotheses=problem.n_hypotheses, delta=delta).width
    return np.full(problem.true.n_objectives, width)


def front_is_lost(problem: Any, n: int, delta: float) -> tuple[float, int]:
    """P(the empirical front is not the true one) <= delta as soon as n >= log(1 / delta)."""
    if n < np.log(1.0 / delta):
        raise NotApplicableError("`n` must satisfy the assumption 'n >= log(1 / delta)', got less.")
    exact, real = problem.exact(n), nondominated(problem.true.risks())
    return float(exact.probability(lambda risks: (nondominated(risks) != real).any(axis=-1))), exact.n_types


def order_is_reversed(problem: Any, n: int, delta: float) -> tuple[float, int]:
    """P(Lhat_1(h_0) >= Lhat_1(h_1)) <= exp(-n gap^2): Hoeffding's inequality has half of that exponent."""
    true = problem.true.risks()
    gap = true[1, 0] - true[0, 0] if len(true) > 1 else 0.0
    if gap <= 0.0 or np.exp(-n * gap**2) > delta:
        raise NotApplicableError("`n` must satisfy the assumption 'exp(-n gap^2) <= delta', got less.")
    exact = problem.exact(n)
    return float(exact.probability(lambda risks: risks[:, 0, 0] >= risks[:, 1, 0])), exact.n_types


_WEIGHTS: dict[str, Any] = {"inputs": {"weights": "w, (N,)"}, "draw": _drawn_sum}
_RULE: dict[str, Any] = {"inputs": {"scalarization": "U"}}
_ON_WORLDS: dict[str, Any] = {"source": "a mistake", "provenance": "conjecture", "deterministic": False}

FALSE: list[Theorem] = [
    wrong("factor 1.9: forward", "forward", violation=partial(uncovered, factor=1.9)),
    wrong("factor 1.95: weak-converse", "weak-converse", violation=partial(beaten, factor=1.95)),
    wrong("factor 1.9: hypervolume", "hypervolume", violation=partial(hypervolume_gap, factor=1.9)),
    wrong("factor 1.9: strongly-monotone", "strongly-monotone", violation=partial(impurity_of_minimisers, factor=1.9)),
    wrong("too few falls", "slack-pruned", violation=partial(errors_of_pruning, ends=0.5)),
    wrong(
        "own scalarization",
        "scalarized-excess",
        violation=partial(scalarized_regret, factor=1.9),
        cases=_own_cases,
        draw=None,
    ),
    statement("missing weights", "L_i(hhat) - L_i(h*) <= 2 sum_j C_j", no_weights, **_WEIGHTS),
    statement("for all", "all hhat are within 2 C of all h", every_member_covers),
    statement("weak for strict", "no other h has L(h) <= L(hhat) - 2 C", weak_dominance),
    statement("four objectives", "forward, with 1.8 for N >= 4", tight_for_four),
    statement("six hypotheses", "at most four members of the empirical front are truly dominated", few_impure),
    statement("unequal widths", "coverage within 2 mean C", mean_width),
    statement("ties", "who is best in one objective is on the front", unique_minimisers),
    statement("p = 1.1", "w_i d_i <= 2 U(C) for p = 1.1", purity_of_norms, cases=norm_cases(1.1), **_RULE),
    statement("p near 1", "w_i d_i <= 2 U(C) for p < 1.3", purity_of_norms, draw=_drawn_norm, **_RULE),
    statement("tiny widths", "purity error <= 12 sqrt(max C)", root_of_width),
    statement("duplicates", "the front of C = 0 has distinct points", fronts_are_unique),
    statement("nonconvex fronts", "minimisers of weighted sums cover the front within 2 C", weighted_sums_cover),
    statement("purity", "all hhat are within 2 C of some h*", pure_members),
    statement(
        "weakly optimal",
        "minimisers of max w_i Lhat_i are on the front",
        chebyshev_is_pareto,
        cases=_chebyshev_cases,
        **_RULE,
    ),
    Theorem(
        id="fronts agree", statement="P(Phat != P) <= delta, n >= log(1/delta)", failure=front_is_lost, **_ON_WORLDS
    ),
    Theorem(id="order", statement="P(order reversed) <= exp(-n gap^2)", failure=order_is_reversed, **_ON_WORLDS),
]
# Widths that forget one of the unions of "joint".
STATED: dict[str, Any] = {
    "union over hypotheses": no_union_over_hypotheses,
    "union over objectives": no_union_over_objectives,
}
