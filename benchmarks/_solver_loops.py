"""The loops that people write where they want a front: scikit-learn, cvxpy with parameters, SLSQP."""

from __future__ import annotations

import numpy as np

RIDGE, DIMENSION = 1e-3, 20


def sklearn_loop(x, y, weights, tol):
    """Return the minimisers of weighted logistic losses."""
    from sklearn.linear_model import LogisticRegression

    stacked, labels = np.concatenate(x), np.concatenate(y)
    found = []
    for w in weights:
        share = np.repeat(w / len(x[0]), len(x[0]))
        model = LogisticRegression(C=1 / RIDGE, fit_intercept=False, solver="newton-cholesky", tol=tol, max_iter=100)
        found.append(model.fit(stacked, labels, sample_weight=share).coef_[0])
    return np.array(found)


class Cvxpy:
    """One program with the weights as parameters; the first solve compiles it, and is no part of a time."""

    def __init__(self, x, y, *, ridge=0.0, squared=False, radius=None):
        import cvxpy as cp

        self._theta, self._share = cp.Variable(x[0].shape[1]), cp.Parameter(2, nonneg=True)
        losses = []
        for a, b in zip(x, y, strict=True):
            if squared:  # the factors of a QR decomposition carry all that the data say
                q, r = np.linalg.qr(a)
                rest = (b @ b - np.sum((q.T @ b) ** 2)) / len(b)
                losses.append(cp.sum_squares(r @ self._theta - q.T @ b) / len(b) + rest)
            else:
                fit = cp.sum(cp.logistic(cp.multiply(1 - 2 * b, a @ self._theta))) / len(b)
                losses.append(fit + ridge / 2 * cp.sum_squares(self._theta))
        limits = [] if radius is None else [cp.norm(self._theta) <= radius]
        goal = cp.Minimize(self._share[0] * losses[0] + self._share[1] * losses[1])
        self._program, self._solver = cp.Problem(goal, limits), cp.CLARABEL

    def solved(self, weights):
        """Return the minimisers."""
        found = []
        for w in weights:
            self._share.value = w
            self._program.solve(solver=self._solver)
            found.append(self._theta.value)
        return np.array(found)


def slsqp_loop(objectives, weights):
    """Return the minimisers of weighted maxima, in epigraph form with analytic gradients."""
    from scipy.optimize import minimize

    found, part = [], objectives.part(slice(None))
    for w in weights:
        limits = {
            "type": "ineq",
            "fun": lambda v, w=w: v[-1] - w * part.values(v[None, None, :-1])[0, 0],
            "jac": lambda v, w=w: np.c_[-w[:, None] * part.gradients(v[None, None, :-1])[0, 0], np.ones(2)],
        }
        goal = np.eye(DIMENSION + 1)[-1]
        result = minimize(
            lambda v: v[-1],
            np.r_[np.zeros(DIMENSION), 1.0],
            jac=lambda v, g=goal: g,
            constraints=[limits],
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        found.append(result.x[:-1])
    return np.array(found)
