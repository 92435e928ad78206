"""Well-posed convex problems whose columns have any scale and offset, and their least values to 30 digits.

The references come from the optimality conditions in 60-digit arithmetic, which decide by themselves whether a guess is
right: the problems are convex, so a point with multipliers of the right signs is a minimiser.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import mpmath as mp
import numpy as np

from moltheory.objectives import ConvexObjectives, NormBall
from moltheory.scalarization import Chebyshev, Scalarization, WeightedSum

DIGITS = 60
KINDS = ("squared", "logistic", "ball", "Chebyshev", "Chebyshev on a ball", "absolute", "lasso", "l1 ball")


@dataclass(frozen=True)
class Problem:
    """Two objectives, one scalarization, and the plain arrays from which the reference is computed."""

    kind: str
    objectives: ConvexObjectives
    u: Scalarization
    x: list[np.ndarray]
    y: list[np.ndarray]
    losses: tuple[str, ...]
    ridge: float
    radius: float | None


def problems(seed: int, count: int) -> Iterator[Problem]:
    """Yield problems, one kind after the other."""
    for i in range(count):
        yield problem(np.random.default_rng((seed, i)), KINDS[i % len(KINDS)])


def problem(rng: np.random.Generator, kind: str) -> Problem:
    """Draw one problem: scales and offsets from 1e-6 to 1e6, an intercept in two of three, ridge in one of four."""
    n, d = int(rng.integers(15, 30)), int(rng.integers(1, 4))
    scale, shift = 10.0 ** rng.uniform(-6, 6, d), 10.0 ** rng.uniform(-6, 6, d) * rng.choice([-1, 0, 1], d)
    intercept = rng.random() < 2 / 3
    x, y, z = [], [], []
    truth = rng.standard_normal((2, d))
    for k in range(2):
        plain = rng.standard_normal((n + k, d))
        columns = [plain * scale + shift] + [np.ones((n + k, 1))] * intercept
        z.append(np.column_stack([plain] + [np.ones((n + k, 1))] * intercept))
        x.append(np.column_stack(columns))
        score = plain @ truth[k] + 0.3 * intercept
        y.append(score + 0.5 * rng.standard_normal(n + k))
    losses = ("squared", "squared")
    if kind == "logistic" or (kind in ("ball", "Chebyshev", "Chebyshev on a ball") and rng.random() < 0.5):
        # Both labels at scores of every size: never separable for long; the reference refuses what is.
        losses = ("logistic", "logistic") if rng.random() < 0.5 else ("logistic", "squared")
        for k, loss in enumerate(losses):
            if loss == "logistic":
                y[k] = (rng.random(len(y[k])) < 1 / (1 + np.exp(-y[k]))).astype(float)
                y[k][:4] = [0, 1, 0, 1]
                x[k][2:4] = x[k][:2][::-1]
    ridge = float(rng.choice([0.0, 0.0, 0.0, 1e-3])) if kind in ("squared", "logistic", "Chebyshev") else 0.0
    w = rng.dirichlet([1.0, 1.0])
    u: Scalarization = WeightedSum(w)
    if kind.startswith("Chebyshev"):
        u = Chebyshev(rng.choice([1.0, 3.0, 10.0], 2))
    radius, ball = None, None
    if "ball" in kind:
        # Norms of parameters as large as those that fit: the units of the columns decide.
        size = np.linalg.norm(np.linalg.lstsq(z[0], y[0], rcond=None)[0][:d] / scale)
        radius = float(size * rng.choice([0.1, 0.5, 2.0]))
        ball = NormBall(radius, norm="l1" if kind == "l1 ball" else "l2")
    if kind == "absolute":
        losses = ("absolute", "absolute")
    designs: list[np.ndarray | None] = list(x)
    targets: list[np.ndarray | None] = list(y)
    if kind == "lasso":
        losses, designs, targets = ("squared", "l1-norm"), [x[0], None], [y[0], None]
    objectives = ConvexObjectives(designs, targets, losses=losses, ridge=ridge, ball=ball)
    return Problem(kind, objectives, u, x, y, losses, ridge, radius)


# --- references -----------------------------------------------------------------------------------------------------


def least(p: Problem, theta: np.ndarray) -> mp.mpf | None:
    """Return the least value, found from a point near its minimiser; None where no guess satisfies the conditions."""
    with mp.workdps(DIGITS):
        if p.kind == "absolute":
            return _least_absolute(p, theta)
        if p.kind in ("lasso", "l1 ball"):
            return _least_by_signs(p)
        sums = isinstance(p.u, WeightedSum)
        for sphere in (False, True) if p.radius is not None else (False,):
            for active in ((0, 1),) if sums else ((0, 1), (0,), (1,)):
                found = _least_smooth(p, theta, active, sphere)
                if found is not None:
                    return found
        return None


def value(p: Problem, theta: np.ndarray) -> mp.mpf:
    """Return the exact value at floating-point parameters."""
    with mp.workdps(DIGITS):
        point = [mp.mpf(float(t)) for t in theta]
        risks = [_risk(p, k, point) for k in range(2)]
        w = [mp.mpf(float(a)) for a in p.u.weights]
        terms = [a * r for a, r in zip(w, risks, strict=True)]
        return sum(terms) if isinstance(p.u, WeightedSum) else max(terms)


def _rows(p: Problem, k: int) -> tuple[list[list[mp.mpf]], list[mp.mpf]]:
    x = [[mp.mpf(float(a)) for a in row] for row in p.x[k]]
    y = [mp.mpf(float(b)) for b in p.y[k]]
    return x, [2 * b - 1 for b in y] if p.losses[k] == "logistic" else y


def _risk(p: Problem, k: int, theta: list) -> mp.mpf:
    if p.losses[k] == "l1-norm":
        return sum(abs(t) for t in theta)
    x, y = _rows(p, k)
    scores = [sum(a * t for a, t in zip(row, theta, strict=True)) for row in x]
    loss = {
        "squared": lambda z, b: (z - b) ** 2,
        "absolute": lambda z, b: abs(z - b),
        "logistic": lambda z, b: mp.log1p(mp.exp(-b * z)),
    }[p.losses[k]]
    mean = sum(loss(z, b) for z, b in zip(scores, y, strict=True)) / len(y)
    return mean + mp.mpf(p.ridge) / 2 * sum(t * t for t in theta)


def _derivatives(p: Problem, k: int, theta: mp.matrix) -> tuple[mp.matrix, mp.matrix]:
    x, y = _rows(p, k)
    d = len(theta)
    gradient, hessian = mp.matrix(d, 1), mp.matrix(d, d)
    for row, b in zip(x, y, strict=True):
        z = sum(a * t for a, t in zip(row, theta, strict=True))
        if p.losses[k] == "squared":
            first, second = 2 * (z - b), mp.mpf(2)
        else:
            s = 1 / (1 + mp.exp(b * z))
            first, second = -b * s, s * (1 - s)
        for i in range(d):
            gradient[i] += first * row[i] / len(y)
            for j in range(d):
                hessian[i, j] += second * row[i] * row[j] / len(y)
    for i in range(d):
        gradient[i] += mp.mpf(p.ridge) * theta[i]
        hessian[i, i] += mp.mpf(p.ridge)
    return gradient, hessian


def _least_smooth(p: Problem, start: np.ndarray, active: tuple[int, ...], sphere: bool) -> mp.mpf | None:
    """Newton on the conditions: multipliers of the active terms sum to 1, that of the sphere is nu."""
    d, sums = len(start), isinstance(p.u, WeightedSum)
    w = [mp.mpf(float(a)) for a in p.u.weights]
    theta = mp.matrix([mp.mpf(float(t)) for t in start])
    share, nu = mp.mpf(1) / 2 if active == (0, 1) else mp.mpf(1 - active[0]), mp.mpf(0)
    free = not sums and active == (0, 1)
    size = d + free + sphere
    radius = mp.mpf(p.radius or 0.0)
    scale = _column_scales(p)
    for step in range(60):
        u = [w[0], w[1]] if sums else [w[0] * share, w[1] * (1 - share)]
        parts = [_derivatives(p, k, theta) for k in range(2)]
        if step == 0 and (free or sphere):
            share, nu = _first_multipliers(parts, theta, w, scale, free, sphere, share, sums)
            u = [w[0], w[1]] if sums else [w[0] * share, w[1] * (1 - share)]
        risks = [_risk(p, k, list(theta)) for k in range(2)] if free else [0, 0]
        system, right = mp.matrix(size, size), mp.matrix(size, 1)
        for i in range(d):
            right[i] = -(u[0] * parts[0][0][i] + u[1] * parts[1][0][i] + nu * theta[i]) / scale[i]
            for j in range(d):
                h = u[0] * parts[0][1][i, j] + u[1] * parts[1][1][i, j] + (nu if i == j else 0)
                system[i, j] = h / scale[i] / scale[j]
            if free:
                system[i, d] = system[d, i] = (w[0] * parts[0][0][i] - w[1] * parts[1][0][i]) / scale[i]
            if sphere:
                system[i, size - 1] = system[size - 1, i] = theta[i] / scale[i]
        if free:
            right[d] = -(w[0] * risks[0] - w[1] * risks[1])
        if sphere:
            right[size - 1] = (radius**2 - sum(t * t for t in theta)) / 2
        try:
            move = mp.lu_solve(system, right)
        except (ZeroDivisionError, ValueError, TypeError):
            return None
        for i in range(d):
            theta[i] += move[i] / scale[i]
        share += move[d] if free else 0
        nu += move[size - 1] if sphere else 0
        if max(abs(m) for m in move) < mp.mpf(10) ** -40 * (1 + max(abs(theta[i] * scale[i]) for i in range(d))):
            break
        if max(abs(m) for m in move) > 1e12:
            return None
    else:
        return None
    if nu < 0 or share < 0 or share > 1:
        return None
    if p.radius is not None and not sphere and sum(t * t for t in theta) > radius**2:
        return None
    risks = [_risk(p, k, list(theta)) for k in range(2)]
    terms = [a * r for a, r in zip(w, risks, strict=True)]
    if not sums and active != (0, 1) and terms[1 - active[0]] > terms[active[0]]:
        return None
    return sum(terms) if sums else max(terms)


def _first_multipliers(parts, theta, w, scale, free, sphere, share, sums):
    """Least squares for the multipliers at the start, in units of the columns."""
    d = len(theta)
    columns = []
    base = [(w[0] * parts[0][0][i] + w[1] * parts[1][0][i]) / scale[i] for i in range(d)]
    if free:
        base = [w[1] * parts[1][0][i] / scale[i] for i in range(d)]
        columns.append([(w[0] * parts[0][0][i] - w[1] * parts[1][0][i]) / scale[i] for i in range(d)])
    elif not sums:
        base = [(w[0] * share * parts[0][0][i] + w[1] * (1 - share) * parts[1][0][i]) / scale[i] for i in range(d)]
    if sphere:
        columns.append([theta[i] / scale[i] for i in range(d)])
    a = mp.matrix(d, len(columns))
    for j, column in enumerate(columns):
        for i in range(d):
            a[i, j] = column[i]
    try:
        found = mp.lu_solve(a.T * a, -(a.T * mp.matrix(base)))
    except ZeroDivisionError:
        return share, mp.mpf(0)
    return (found[0] if free else share), (found[len(columns) - 1] if sphere else mp.mpf(0))


def _column_scales(p: Problem) -> list:
    return [max(mp.mpf(float(np.abs(a[:, j]).max())) for a in p.x) for j in range(p.x[0].shape[1])]


def _least_absolute(p: Problem, theta: np.ndarray) -> mp.mpf | None:
    """The vertex through the residuals that vanish, if its multipliers are at most 1 in size."""
    w = [mp.mpf(float(a)) for a in p.u.weights]
    d = len(theta)
    point = [mp.mpf(float(t)) for t in theta]
    rows = []
    for k in range(2):
        x, y = _rows(p, k)
        for row, b in zip(x, y, strict=True):
            rest = sum(a * t for a, t in zip(row, point, strict=True)) - b
            rows.append((abs(rest), row, b, w[k] / len(y)))
    rows.sort(key=lambda one: one[0])
    try:
        vertex = mp.lu_solve(mp.matrix([r[1] for r in rows[:d]]), mp.matrix([r[2] for r in rows[:d]]))
        slope = mp.matrix(d, 1)
        total = mp.mpf(0)
        for _, row, b, c in rows[d:]:
            rest = sum(a * t for a, t in zip(row, vertex, strict=True)) - b
            total += c * abs(rest)
            for i in range(d):
                slope[i] += c * mp.sign(rest) * row[i]
        duals = mp.lu_solve(mp.matrix([r[1] for r in rows[:d]]).T, -slope)
    except ZeroDivisionError:
        return None
    return total if all(abs(duals[i]) <= rows[i][3] * (1 + mp.mpf(10) ** -25) for i in range(d)) else None


def _least_by_signs(p: Problem) -> mp.mpf | None:
    """Squared losses with an l1 price or on an l1 ball: every pattern of signs is tried."""
    w = [mp.mpf(float(a)) for a in p.u.weights]
    d = p.x[0].shape[1]
    zero = mp.matrix(d, 1)
    tasks = (0,) if p.kind == "lasso" else (0, 1)
    gradient, hessian = mp.matrix(d, 1), mp.matrix(d, d)
    for k in tasks:
        g, h = _derivatives(p, k, zero)
        gradient += w[k] * g
        hessian += w[k] * h
    scale = _column_scales(p)
    for signs in product((0, 1, -1), repeat=d):
        support = [i for i in range(d) if signs[i]]
        m = len(support)
        for met in (False, True) if p.kind == "l1 ball" else (False,):
            if met and not m:
                continue
            price = w[1] if p.kind == "lasso" else mp.mpf(0)
            system, right = mp.matrix(m + met, m + met), mp.matrix(m + met, 1)
            for a, i in enumerate(support):
                right[a] = -(gradient[i] + price * signs[i]) / scale[i]
                for b, j in enumerate(support):
                    system[a, b] = hessian[i, j] / scale[i] / scale[j]
                if met:
                    system[a, m] = system[m, a] = signs[i] / scale[i]
            if met:
                right[m] = mp.mpf(p.radius)
            try:
                move = mp.lu_solve(system, right) if m + met else mp.matrix(0, 1)
            except (ZeroDivisionError, ValueError):
                continue
            theta = mp.matrix(d, 1)
            for a, i in enumerate(support):
                theta[i] = move[a] / scale[i]
            cost = move[m] if met else price
            if p.kind == "l1 ball" and not met and m < d:
                continue
            if any(mp.sign(theta[i]) != signs[i] for i in support) and (p.kind == "lasso" or met):
                continue
            if cost < 0 or (
                p.radius is not None and sum(abs(t) for t in theta) > mp.mpf(p.radius) * (1 + mp.mpf(10) ** -40)
            ):
                continue
            slope = gradient + hessian * theta
            if any(abs(slope[i]) > cost for i in range(d) if not signs[i] and (p.kind == "lasso" or met)):
                continue
            return sum(w[k] * _risk(p, k, list(theta)) for k in range(2))
    return None
