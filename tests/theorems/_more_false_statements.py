"""More false statements: in one shape only, of argmins, counts, scalarizations of one's own, exact probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from moltheory.scalarization import PNorm, WeightedScalarization
from moltheory.theorems import NotApplicableError, Theorem, ledger
from moltheory.theorems._columns import columns, lead_axes, volumes, width_columns
from moltheory.theorems._converse_statements import impurity_of_minimisers, impurity_of_norms
from moltheory.theorems._dependent_width_statements import penalized_regret, relative_regret, uncovered_by_pairs
from moltheory.theorems._front_statements import beaten, hypervolume_gap, uncovered
from moltheory.theorems._generalization_statements import constrained_regret, scalarized_regret
from moltheory.theorems._lower_statements import covered, pure
from tests.theorems._false_statements import (
    fronts,
    purity_of_norms,
    selected_by,
    shortfall,
    statement,
    wrong,
)

__all__ = ["MORE", "missing_factor"]

LEDGER = ledger()
_RULE: dict[str, Any] = {"inputs": {"scalarization": "U"}}
_ON_WORLDS: dict[str, Any] = {"source": "a mistake", "provenance": "conjecture", "deterministic": False}


def only_where(fits: Callable[[int, int], bool], right: Any, bad: Any) -> Any:
    """Return a violation that is a wrong one for some numbers of hypotheses and objectives."""

    def violation(true: Any, empirical: Any, widths: Any, /, **inputs: Any) -> Any:
        return (bad if fits(*true.shape[-2:]) else right)(true, empirical, widths, **inputs)

    return violation


def _in_shapes(name: str, of: str, function: Any, fits: Any = lambda h, n: True, **fields: Any) -> Theorem:
    return wrong(name, of, violation=only_where(fits, function, partial(function, **fields)))


def norms(p: float, fewest: int) -> Any:
    """Return the cases of one p for that many objectives, and of p = 1 for fewer."""

    def cases(true: Any, limits: Any) -> Any:
        n = true.shape[-1]
        spread = np.arange(1.0, n + 1.0)
        power = p if n >= fewest else 1.0
        return [{"scalarization": PNorm(w / w.sum(), power)} for w in (np.ones(n), spread)]

    return cases


def _drawn_power(rng: Any, true: Any, limits: Any) -> Any:
    w = rng.uniform(0.2, 1.0, true.shape[-1])
    return {"scalarization": PNorm(w / w.sum(), float(rng.uniform(1.0, 6.0)))}


def regret_of_some_norms(true: Any, empirical: Any, widths: Any, *, scalarization: PNorm) -> Any:
    """U(L(hhat)) - min U(L) <= 2 U(C), and 1.95 U(C) for p between 3 and 3.2."""
    factor = 1.95 if 3.0 <= scalarization.p <= 3.2 else 2.0
    return scalarized_regret(true, empirical, widths, scalarization=scalarization, factor=factor)


class Own(WeightedScalarization):
    """Made by a user, who says of it what is not true of all."""

    is_monotone = is_subadditive = is_homogeneous = True
    modulus = 0.0
    optimality = "weakly-pareto"

    def _width(self, widths: Any) -> Any:
        return self._evaluate(widths)


class Geometric(Own):
    """The weighted geometric mean."""

    def _evaluate(self, values: Any) -> Any:
        return np.prod(np.maximum(values, 0.0) ** np.array(self.weights), axis=-1)


class Median(Own):
    """The median of the objectives."""

    def _evaluate(self, values: Any) -> Any:
        return np.median(values, axis=-1)


class Ordered(Own):
    """Ordered weighted average, more weight on larger values: subadditive."""

    def _evaluate(self, values: Any) -> Any:
        return np.sort(values, axis=-1) @ np.sort(np.array(self.weights))


class Lenient(Own):
    """Ordered weighted average, less weight on larger values: not subadditive."""

    def _evaluate(self, values: Any) -> Any:
        return np.sort(values, axis=-1) @ np.sort(np.array(self.weights))[::-1]


def drawn(kind: type[Own]) -> Any:
    """Return a function that draws weights."""

    def draw(rng: Any, true: Any, limits: Any) -> Any:
        w = rng.integers(1, 5, true.shape[-1]) * 1.0
        return {"scalarization": kind(w / w.sum())}

    return draw


def deviation_by_width(true: Any, empirical: Any, widths: Any, *, scalarization: Any) -> Any:
    """|U(L) - U(Lhat)| <= U(C)."""
    return np.abs(scalarization(true) - scalarization(empirical)).max(axis=-1) - scalarization.width(widths)


def _gap_of_the_first(risks: Any) -> Any:
    ordered = np.sort(risks[..., 0], axis=-1)
    return ordered[..., 1] - ordered[..., 0] if ordered.shape[-1] > 1 else np.full(ordered.shape[:-1], np.inf)


def argmins_agree(true: Any, empirical: Any, widths: Any, *, factor: float = 1.99) -> Any:
    """Where the best and the second of the empirical L_1 are more than 1.99 C_1 apart, the argmins agree."""
    same = true[..., 0].argmin(axis=-1) == empirical[..., 0].argmin(axis=-1)
    return np.where(_gap_of_the_first(empirical) > factor * widths[..., 0], np.where(same, -1.0, 1.0), -np.inf)


def unique_argmin(true: Any, empirical: Any, widths: Any) -> Any:
    """Where they are at least 2 C_1 apart, the true argmin is unique: strict for weak."""
    several = selected_by(true[..., 0], 0.0).sum(axis=-1) > 1
    return np.where(_gap_of_the_first(empirical) >= 2.0 * widths[..., 0], np.where(several, 1.0, -1.0), -np.inf)


def minimax_on_front(true: Any, empirical: Any, widths: Any) -> Any:
    """Who minimises max_i Lhat_i is on the empirical front: false with ties."""
    off = selected_by(empirical.max(axis=-1), 0.0) & ~nondominated_of(empirical)
    return np.where(off.any(axis=-1), 1.0, -1.0)


def nondominated_of(risks: Any) -> Any:
    """Return who is on the front."""
    return fronts(risks, risks)[0]


def one_covers_all(true: Any, empirical: Any, widths: Any) -> Any:
    """Some hhat is within 2 C of all h: quantifiers exchanged."""
    worst = shortfall(true, 2 * widths).max(axis=-1)
    return np.where(nondominated_of(empirical), worst, np.inf).min(axis=-1)


def worse_in_many(true: Any, empirical: Any, widths: Any) -> Any:
    """Of each h some hhat is worse by more than C in at most three objectives."""
    apart = true[..., :, None, :] - true[..., None, :, :] > widths[..., None, None, :]
    seen = nondominated_of(empirical)[..., :, None]
    return np.where(seen, apart.sum(axis=-1), np.inf).min(axis=-2).max(axis=-1) - 3.0


def sum_of_shortfalls(true: Any, empirical: Any, widths: Any) -> Any:
    """Sum_i (L_i(hhat) - L_i(h))_+ <= 9.5 max C: false for five objectives only."""
    total = np.maximum(true[..., :, None, :] - true[..., None, :, :], 0.0).sum(axis=-1)
    seen = nondominated_of(empirical)[..., :, None]
    return np.where(seen, total, np.inf).min(axis=-2).max(axis=-1) - 9.5 * widths.max(axis=-1)


def six_impure(true: Any, empirical: Any, widths: Any) -> Any:
    """At most six members of the empirical front are truly dominated."""
    real, seen = fronts(true, empirical)
    return (seen & ~real).sum(axis=-1) - 6.0


def fronts_meet(true: Any, empirical: Any, widths: Any) -> Any:
    """Two fronts of three members or more have a member in common."""
    real, seen = fronts(true, empirical)
    large = (real.sum(axis=-1) >= 3) & (seen.sum(axis=-1) >= 3)
    return np.where(large, np.where((real & seen).any(axis=-1), -1.0, 1.0), -np.inf)


def touching_boxes(true: Any, empirical: Any, widths: Any) -> Any:
    """Boxes that touch, all of them with a volume: one is strictly better somewhere."""
    low, high = empirical - widths[..., None, :], empirical + widths[..., None, :]
    apart = (high[..., :, None, :] <= low[..., None, :, :]).all(axis=-1) & ~np.eye(true.shape[-2], dtype=bool)
    strict = (true[..., :, None, :] < true[..., None, :, :]).any(axis=-1)
    equal = (apart & ~strict).any(axis=(-2, -1))
    return np.where((widths > 0.0).all(axis=-1), np.where(equal, 1.0, -1.0), -np.inf)


def geometric_mean_width(true: Any, empirical: Any, widths: Any) -> Any:
    """Coverage within twice the geometric mean of the widths."""
    mean = np.exp(np.log(np.maximum(widths, 1e-300)).mean(axis=-1, keepdims=True))
    return uncovered(true, empirical, np.broadcast_to(mean, widths.shape))


def three_ties(true: Any, empirical: Any, widths: Any) -> Any:
    """Coverage within 1.9 C where three hypotheses have the same L_1."""
    same = (true[..., :, None, 0] == true[..., None, :, 0]).sum(axis=-1).max(axis=-1)
    return np.where(same >= 3, uncovered(true, empirical, widths, factor=1.9), -np.inf)


def distance_of_fronts(true: Any, empirical: Any, widths: Any) -> Any:
    """Every h* has an hhat whose empirical risks are within 2 max C of it."""
    real, seen = fronts(true, empirical)
    apart = np.abs(true[..., :, None, :] - empirical[..., None, :, :]).max(axis=-1)
    nearest = np.where(seen[..., None, :], apart, np.inf).min(axis=-1)
    return np.where(real, nearest, -np.inf).max(axis=-1) - 2.0 * widths.max(axis=-1)


def volume_is_lipschitz(true: Any, empirical: Any, widths: Any) -> Any:
    """|HV(L) - HV(Lhat)| <= 3.8 max C: false for four objectives and more."""
    lead = lead_axes(true, empirical)
    corner = width_columns(np.ones(true.shape[-1]), lead)
    change = np.abs(volumes(columns(true, lead), corner) - volumes(columns(empirical, lead), corner))
    return change - 3.8 * widths.max(axis=-1)


def _applies(condition: bool) -> None:
    if not condition:
        raise NotApplicableError("`n` must satisfy the assumption of the statement, got another.")


def wald_interval(problem: Any, n: int, delta: float, *, least: int, most: float) -> tuple[float, int]:
    """P(some |L - Lhat| > 2 sqrt(Lhat (1 - Lhat) log(2 / delta) / n)) <= delta for n large: not for rare errors."""
    _applies(n >= least and delta <= most)
    exact, true = problem.exact(n), problem.true.risks()

    def fails(risks: Any) -> Any:
        width = 2.0 * np.sqrt(np.maximum(risks * (1.0 - risks), 0.0) * np.log(2.0 / delta) / n)
        return (np.abs(risks - true) > width + 1e-12).any(axis=(-2, -1))

    return float(exact.probability(fails)), exact.n_types


def short_hoeffding(problem: Any, n: int, delta: float) -> tuple[float, int]:
    """P(|L - Lhat| > .8 sqrt(log(2 / delta) / (2 n))) <= delta for one mean and n >= 50."""
    _applies(n >= 50 and problem.true.risks().size == 1)
    exact, true = problem.exact(n), problem.true.risks()
    width = 0.8 * np.sqrt(np.log(2.0 / delta) / (2.0 * n))
    return float(exact.probability(lambda r: np.abs(r - true)[:, 0, 0] > width + 1e-12)), exact.n_types


def order_of_many(problem: Any, n: int, delta: float) -> tuple[float, int]:
    """P(Lhat_1(h_0) >= Lhat_1(h_1)) <= exp(-n gap^2) for n >= 20 where that is at most .01."""
    true = problem.true.risks()
    gap = true[1, 0] - true[0, 0] if len(true) > 1 else 0.0
    _applies(gap > 0.0 and np.exp(-n * gap**2) <= delta <= 0.01 and n >= 20)
    exact = problem.exact(n)
    return float(exact.probability(lambda risks: risks[:, 0, 0] >= risks[:, 1, 0])), exact.n_types


def one_width_of_regret(problem: Any, n: int, delta: float) -> tuple[float, int]:
    """P(excess of an empirical minimiser of L_1 > sqrt(log(|H| / delta) / (2 n))) <= delta: half of what is true."""
    true, exact = problem.true.risks()[:, 0], problem.exact(n)
    width = np.sqrt(np.log(len(true) / delta) / (2.0 * n))

    def fails(risks: Any) -> Any:
        worst = np.where(selected_by(risks[..., 0], 0.0), true, -np.inf).max(axis=-1)
        return worst - true.min() > width + 1e-12

    return float(exact.probability(fails)), exact.n_types


def missing_factor(problem: Any, n: int, delta: float) -> Any:
    """Widths without the factor 2 of two sides."""
    count = problem.n_hypotheses * int(problem.true.data_dependent.sum())
    return np.full(problem.true.n_objectives, np.sqrt(np.log(count / delta) / (2.0 * n)))


def _world(name: str, failure: Any) -> Theorem:
    return Theorem(id=name, statement=f"{name}: a level", failure=failure, **_ON_WORLDS)


MORE: list[Theorem] = [
    _in_shapes("hypervolume 1.9, N = 4", "hypervolume", hypervolume_gap, lambda h, n: n == 4, factor=1.9),
    _in_shapes("hypervolume 1.9, N = 5", "hypervolume", hypervolume_gap, lambda h, n: n == 5, factor=1.9),
    _in_shapes("hypervolume 1.99, N = 3", "hypervolume", hypervolume_gap, lambda h, n: n == 3, factor=1.99),
    _in_shapes("forward 1.99, N = 5", "forward", uncovered, lambda h, n: n == 5, factor=1.99),
    _in_shapes("weak-converse 1.95, H = 8", "weak-converse", beaten, lambda h, n: h == 8, factor=1.95),
    _in_shapes(
        "excess 1.95, N >= 4, H >= 6", "scalarized-excess", scalarized_regret, lambda h, n: h > 5 and n > 3, factor=1.95
    ),
    _in_shapes("constrained 1.95, N = 4", "constrained-excess", constrained_regret, lambda h, n: n == 4, factor=1.95),
    _in_shapes(
        "strongly-monotone 1.95, N = 4", "strongly-monotone", impurity_of_minimisers, lambda h, n: n == 4, factor=1.95
    ),
    _in_shapes("p-norm .97, N = 4", "p-norm-purity", impurity_of_norms, lambda h, n: n == 4, factor=0.97),
    _in_shapes("penalized 1.95", "penalized-excess", penalized_regret, factor=1.95),
    _in_shapes("relative .95, N = 4", "relative-excess", relative_regret, lambda h, n: n == 4, factor=0.95),
    _in_shapes("nonuniform .95", "nonuniform-forward", uncovered_by_pairs, own=0.95),
    statement("p = 1.02, N >= 3", "w_i d_i <= 2 U(C)", purity_of_norms, cases=norms(1.02, 3), **_RULE),
    statement("p in 3 to 3.2", "regret, 1.95 for these p", regret_of_some_norms, draw=_drawn_power, **_RULE),
    statement("geometric mean", "|U(L) - U(Lhat)| <= U(C)", deviation_by_width, draw=drawn(Geometric), **_RULE),
    statement("median", "|U(L) - U(Lhat)| <= U(C)", deviation_by_width, draw=drawn(Median), **_RULE),
    statement("lenient average", "|U(L) - U(Lhat)| <= U(C)", deviation_by_width, draw=drawn(Lenient), **_RULE),
    statement(
        "ordered average, N = 5",
        "regret at most 1.95 U(C) for N = 5",
        only_where(lambda h, n: n == 5, scalarized_regret, partial(scalarized_regret, factor=1.95)),
        draw=drawn(Ordered),
        **_RULE,
    ),
    statement("argmins", "argmins agree for gaps > 1.99 C_1", argmins_agree),
    statement("unique argmin", "the argmin is unique for gaps >= 2 C_1", unique_argmin),
    statement("minimax", "argmin max_i Lhat_i is on the front", minimax_on_front),
    statement("one for all", "some hhat is within 2 C of all h", one_covers_all),
    statement("worse in three", "worse by more than C in at most three objectives", worse_in_many),
    statement("sum of shortfalls", "sum_i (L_i(hhat) - L_i(h))_+ <= 9.5 max C", sum_of_shortfalls),
    statement("eight hypotheses", "at most six of Phat are truly dominated", six_impure),
    statement("fronts that meet", "fronts of three members meet", fronts_meet),
    statement("touching boxes", "boxes that touch decide", touching_boxes),
    statement("geometric mean of widths", "coverage within 2 (prod C)^(1/N)", geometric_mean_width),
    statement("three ties", "forward, with 1.9 where three tie in L_1", three_ties),
    statement("distance of fronts", "h* has an hhat within 2 max C", distance_of_fronts),
    statement("volume", "|HV(L) - HV(Lhat)| <= 3.8 max C", volume_is_lipschitz),
    _world("normal widths", partial(wald_interval, least=30, most=0.05)),
    _world("normal widths, n >= 100", partial(wald_interval, least=100, most=0.001)),
    _world("short widths, n >= 50", short_hoeffding),
    _world("order, n >= 20", order_of_many),
    _world("one width of regret", one_width_of_regret),
    wrong("impurity x 1.1", "impurity", failure=partial(pure, factor=1.1)),
    wrong("planted fronts x 1.3", "coverage-minimax", failure=partial(covered, factor=1.3)),
]
