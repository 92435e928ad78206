r"""True risks of linear predictors on a normal design, with their derivatives: one-dimensional integrals or none.

With x ~ N(0, S), :math:`u = x'\theta` and :math:`v = x'\beta` are jointly normal: variances :math:`s^2 = \theta'S\theta`
and :math:`b^2 = \beta'S\beta`, covariance :math:`c = \theta'S\beta`. By Stein's lemma, E f(u) x = S theta E f'(u):

* squared: :math:`(\theta - \beta)'S(\theta - \beta) + \sigma^2`.
* poisson, y of rate exp(v): :math:`e^{s^2/2} - c\,e^{b^2/2}`.
* logistic, P(y = 1) = sigmoid(v): :math:`E \log(1 + e^{sZ}) - c\,E\,\mathrm{sigmoid}'(bZ)`, two integrals over one
  normal variable.
* smoothed hinge h, labels as for the logistic: :math:`2 E[h(u)\,\mathrm{sigmoid}(v)]`, as (x, y) and (-x, -y) have one
  law; over u piece by piece, and over v given u.

Integrals over u are by Gauss-Legendre nodes on the pieces where the integrand is analytic, those over v given u by the
trapezoidal rule, whose error falls exponentially with the number of nodes for integrands analytic in a strip. The
Hessian of the smoothed hinge has a limit at 0 along each ray, but not one for all; at 0 the middle of opposite ones,
S / 2, is taken. Derived (proof: least-squares).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["GaussianRisks"]

# Standard deviations beyond which a normal variable is left out: probability 2e-21.
_FAR = 9.5
# Sizes of u beyond which sigmoid'(u) and log(1 + exp(-u)) are left out: below 3e-20.
_FLAT = 45.0
# Step of the trapezoidal rule, in units of min(1, 1 / standard deviation): sigmoid has its poles at distance pi.
_STEP = 0.4
# Entries of the largest temporary array.
_CHUNK = 1 << 20
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, eq=False)
class GaussianRisks:
    """Risks of N tasks at points (M, d); `nodes` Gauss-Legendre nodes for each piece, twice as many for the logistic."""

    covariances: FloatArray
    coefficients: FloatArray
    losses: tuple[str, ...]
    noise: FloatArray
    ridge: FloatArray
    nodes: int = 48

    def value(self, points: FloatArray) -> FloatArray:
        """Risks (M, N)."""
        square: FloatArray = (points * points).sum(axis=-1, keepdims=True)
        return self._all(points, 0) + 0.5 * self.ridge * square

    def gradient(self, points: FloatArray) -> FloatArray:
        """Gradients (M, N, d)."""
        return self._all(points, 1) + self.ridge[:, None] * points[:, None]

    def hessian(self, points: FloatArray) -> FloatArray:
        """Hessians (M, N, d, d)."""
        return self._all(points, 2) + self.ridge[:, None, None] * np.eye(points.shape[-1])

    def _all(self, points: FloatArray, order: int) -> FloatArray:
        rules = {"squared": self._squared, "poisson": self._poisson, "logistic": self._logistic}
        found = [(rules.get(name, self._hinge))(k, points, order) for k, name in enumerate(self.losses)]
        return np.stack(found, axis=1)

    def _squared(self, k: int, points: FloatArray, order: int) -> FloatArray:
        shift = points - self.coefficients[k]
        pull = shift @ self.covariances[k]
        if order == 0:
            value: FloatArray = (pull * shift).sum(axis=-1) + self.noise[k] ** 2
            return value
        return 2.0 * pull if order == 1 else np.tile(2.0 * self.covariances[k], (len(points), 1, 1))

    def _poisson(self, k: int, points: FloatArray, order: int) -> FloatArray:
        p, beta = points @ self.covariances[k], self.coefficients[k]
        slope = math.exp(0.5 * float(beta @ self.covariances[k] @ beta))
        with np.errstate(over="ignore", invalid="ignore"):
            rate = np.exp(0.5 * (p * points).sum(axis=-1))
            found: FloatArray
            if order == 0:
                found = rate - slope * (p @ beta)
            elif order == 1:
                found = rate[:, None] * p - slope * (self.covariances[k] @ beta)
            else:
                found = rate[:, None, None] * (self.covariances[k] + p[:, :, None] * p[:, None, :])
            return found

    def _logistic(self, k: int, points: FloatArray, order: int) -> FloatArray:
        p, q = points @ self.covariances[k], self.covariances[k] @ self.coefficients[k]
        s = np.sqrt(np.maximum((p * points).sum(axis=-1), 0.0))
        kappa = 0.0
        if order < 2:
            b = np.sqrt(np.array([max(float(q @ self.coefficients[k]), 0.0)]))
            kappa = float(_slopes(b, 2 * self.nodes)[0][0])
        found: FloatArray
        if order == 0:
            found = _softplus(s, 2 * self.nodes) - kappa * (points @ q)
            return found
        second, fourth = _slopes(s, 2 * self.nodes)
        if order == 1:
            found = second[:, None] * p - kappa * q
        else:
            outer = p[:, :, None] * p[:, None, :]
            found = second[:, None, None] * self.covariances[k] + fourth[:, None, None] * outer
        return found

    def _hinge(self, k: int, points: FloatArray, order: int) -> FloatArray:
        d = points.shape[-1]
        found = np.empty((len(points), *[d] * order))
        q = self.covariances[k] @ self.coefficients[k]
        variance = max(float(q @ self.coefficients[k]), 0.0)
        inner = _trapezoid(math.sqrt(variance), self.nodes)
        step = max(1, _CHUNK // (2 * self.nodes * inner[0].size))
        for start in range(0, len(points), step):
            rows = slice(start, start + step)
            found[rows] = self._hinge_rows(k, points[rows], order, q, variance, inner)
        return found

    def _hinge_rows(
        self,
        k: int,
        points: FloatArray,
        order: int,
        q: FloatArray,
        variance: float,
        inner: tuple[FloatArray, FloatArray],
    ) -> FloatArray:
        s = np.sqrt(np.maximum(((points @ self.covariances[k]) * points).sum(axis=-1), 0.0))
        positive = s > 0.0
        # x = a z + (what is left), with u = s z; at s = 0 the predictor is 0 whatever x.
        a = np.divide(points @ self.covariances[k], s[:, None], out=np.zeros_like(points), where=positive[:, None])
        r = np.divide(points @ q, s, out=np.zeros_like(s), where=positive)
        left = np.sqrt(np.maximum(variance - r * r, 0.0))
        t, w = _legendre(self.nodes)
        edge = np.minimum(np.divide(1.0, s, out=np.full_like(s, _FAR), where=s > 1.0 / _FAR), _FAR)
        z = np.concatenate([np.broadcast_to(-_FAR * t, (len(s), t.size)), edge[:, None] * t], axis=1)
        share = np.concatenate([np.broadcast_to(_FAR * w, (len(s), t.size)), edge[:, None] * w], axis=1)
        share = 2.0 * _DENSITY * share * np.exp(-0.5 * z * z)
        means = _sigmoid_means(r[:, None] * z, left, inner, order)
        short = 1.0 - s[:, None] * z
        if order == 0:
            losses = np.where(z < 0.0, short - 0.5, 0.5 * np.maximum(short, 0.0) ** 2)
            value: FloatArray = (share * losses * means[0]).sum(axis=1)
            return value
        rest = q - r[:, None] * a
        if order == 1:
            pull = -share * np.clip(short, 0.0, 1.0)
            along, across = (pull * z * means[0]).sum(axis=1), (pull * means[1]).sum(axis=1)
            gradient: FloatArray = along[:, None] * a + across[:, None] * rest
            return gradient
        share, z = share[:, t.size :], z[:, t.size :]
        g0, g1, g2 = (mean[:, t.size :] for mean in means)
        plain, along = (share * g0).sum(axis=1), (share * g0 * (z * z - 1.0)).sum(axis=1)
        mixed, across = (share * g1 * z).sum(axis=1), (share * g2).sum(axis=1)
        cross = a[:, :, None] * rest[:, None, :]
        hessian: FloatArray = (
            plain[:, None, None] * self.covariances[k]
            + along[:, None, None] * a[:, :, None] * a[:, None, :]
            + mixed[:, None, None] * (cross + np.swapaxes(cross, -1, -2))
            + across[:, None, None] * rest[:, :, None] * rest[:, None, :]
        )
        return hessian


@functools.cache
def _legendre(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on [0, 1]."""
    t, w = np.polynomial.legendre.leggauss(nodes)
    return 0.5 * (t + 1.0), 0.5 * w


def _half_line(s: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Nodes u >= 0 (M, nodes) and weights that integrate even functions of u ~ N(0, s^2) that vanish for large u."""
    t, w = _legendre(nodes)
    end = np.minimum(_FAR, np.divide(_FLAT, s, out=np.full_like(s, _FAR), where=s > 1.0))[:, None]
    z = end * t
    return s[:, None] * z, 2.0 * _DENSITY * end * w * np.exp(-0.5 * z * z)


def _softplus(s: FloatArray, nodes: int) -> FloatArray:
    """E log(1 + exp(s Z)), (M,): that of max(sZ, 0) in closed form, the rest by quadrature."""
    u, w = _half_line(s, nodes)
    found: FloatArray = s * _DENSITY + (w * np.log1p(np.exp(-u))).sum(axis=1)
    return found


def _slopes(s: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Means of the first and the third derivative of sigmoid at s Z, (M,)."""
    u, w = _half_line(s, nodes)
    # sigmoid' = (1 - tanh^2(u/2)) / 4, without cancellation for large u.
    down = np.exp(-u)
    first = down / (1.0 + down) ** 2
    return (w * first).sum(axis=1), (w * first * (1.0 - 6.0 * first)).sum(axis=1)


def _trapezoid(deviation: float, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights for means over a standard normal variable, fine enough for sigmoid(mean + deviation Z)."""
    count = math.ceil(_FAR * max(1.0, deviation) / _STEP * nodes / 48.0)
    z = np.linspace(-_FAR, _FAR, 2 * count + 1)
    w = np.exp(-0.5 * z * z)
    return z, w / w.sum()


def _sigmoid_means(
    means: FloatArray, deviations: FloatArray, inner: tuple[FloatArray, FloatArray], order: int
) -> list[FloatArray]:
    """Means (M, m) of sigmoid and its first derivatives, up to `order`, at normal variables of given means (M, m)."""
    z, w = inner
    half = np.tanh(0.5 * (means[:, :, None] + deviations[:, None, None] * z))
    found: list[FloatArray] = [0.5 + 0.5 * (half @ w)]
    if order >= 1:
        slope = 0.25 * (1.0 - half * half)
        found.append(slope @ w)
        if order == 2:
            found.append(-((slope * half) @ w))
    return found
