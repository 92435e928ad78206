"""Growth of `moltheory.pareto`."""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory import pareto

from ._case import Work, grows
from ._inputs import bits, floats, front

MANY = 1 << 21


@grows("pareto.nondominated", "n points, 2 objectives, all on the front", first=5_000, largest=MANY)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: pareto.nondominated(points)


@grows("pareto.nondominated", "n points, 3 objectives, all on the front", first=2_000, time=1.1, largest=MANY)
def _(n: int) -> Work:
    points = front(n, 3)
    return lambda: pareto.nondominated(points)


@grows("pareto.nondominated", "n points, 5 objectives, all on the front", first=500, time=2, memory=1, largest=64_000)
def _(n: int) -> Work:
    points = front(n, 5)
    return lambda: pareto.nondominated(points)


@grows("pareto.nondominated", "sets of 20 points", first=2_000, largest=MANY)
def _(k: int) -> Work:
    points = floats(k, 20, 2)
    return lambda: pareto.nondominated(points)


@grows("pareto.nondominated", "n equal points", first=5_000, largest=MANY)
def _(n: int) -> Work:
    points = np.zeros((n, 3))
    return lambda: pareto.nondominated(points)


@grows("pareto.pareto_front", "n points, 2 objectives, all on the front", first=5_000, time=1.1, largest=MANY)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: pareto.pareto_front(points)


@grows("pareto.Front.to_json", "k members", first=1_000)
def _(k: int) -> Work:
    return pareto.pareto_front(front(k, 2)).to_json


@grows("pareto.Front.from_json", "k members", first=1_000)
def _(k: int) -> Work:
    text = pareto.pareto_front(front(k, 2)).to_json()
    return lambda: pareto.Front.from_json(text)


@grows("pareto.pareto_rank", "n points, 2 objectives, as many fronts", first=5_000, largest=MANY)
def _(n: int) -> Work:
    points = np.repeat(np.arange(float(n))[:, None], 2, axis=1)
    return lambda: pareto.pareto_rank(points)


@grows("pareto.pareto_rank", "n points, 3 objectives, as many fronts", first=250, time=2, memory=1, largest=16_000)
def _(n: int) -> Work:
    points = np.repeat(np.arange(float(n))[:, None], 3, axis=1)
    return lambda: pareto.pareto_rank(points)


for _name, _function in (("coverage_error", pareto.coverage_error), ("purity_error", pareto.purity_error)):

    @grows(f"pareto.{_name}", "k points and truth, 2 objectives", first=2_000, largest=MANY)
    def _(n: int, function: Any = _function) -> Work:
        selected, truth = front(n, 2) + 0.1 * floats(n, 2), front(n, 2)
        return lambda: function(selected, truth)

    @grows(f"pareto.{_name}", "k points and truth, 3 objectives", first=100, time=2, memory=1, largest=12_800)
    def _(n: int, function: Any = _function) -> Work:
        selected, truth = front(n, 3) + 0.01, front(n, 3)
        return lambda: function(selected, truth)


@grows("pareto.errors_of_selections", "R selections", first=500, largest=64_000)
def _(r: int) -> Work:
    risks, selected = front(100, 2), bits(r, 100, rate=0.3)
    selected[:, 0] = True
    return lambda: pareto.errors_of_selections(risks, selected)


@grows("pareto.errors_of_selections", "H points, all on the front", first=50, time=2, largest=3_200)
def _(h: int) -> Work:
    risks, selected = front(h, 2), bits(50, h, rate=0.3)
    selected[:, 0] = True
    return lambda: pareto.errors_of_selections(risks, selected)


@grows("pareto.hypervolume", "n points, 2 objectives", first=5_000, time=1.1, memory=1, largest=MANY)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: pareto.hypervolume(points, reference=[1.0, 1.0])


@grows("pareto.hypervolume", "n points, 3 objectives", first=2_000, time=1.1, largest=MANY)
def _(n: int) -> Work:
    points = front(n, 3)
    return lambda: pareto.hypervolume(points, reference=[1.0] * 3)


@grows("pareto.hypervolume", "n points, 4 objectives", first=250, time=2, memory=1, largest=32_000)
def _(n: int) -> Work:
    points = front(n, 4)
    return lambda: pareto.hypervolume(points, reference=[1.0] * 4)


@grows("pareto.hypervolumes_of_selections", "R selections, 2 objectives", first=1_000, memory=1, largest=256_000)
def _(r: int) -> Work:
    risks, selected = front(100, 2), bits(r, 100, rate=0.3)
    selected[:, 0] = True
    return lambda: pareto.hypervolumes_of_selections(risks, selected, reference=[1.0, 1.0])


@grows("pareto.additive_epsilon", "n points and reference, 2 objectives", first=2_000, largest=MANY)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: pareto.additive_epsilon(points, points + 0.01)


@grows("pareto.additive_epsilon", "n points and reference, 3 objectives", first=200, time=2, memory=1, largest=25_600)
def _(n: int) -> Work:
    points = front(n, 3)
    return lambda: pareto.additive_epsilon(points, points + 0.01)


@grows("pareto.igd_plus", "n points and reference, 3 objectives", first=100, time=2, memory=1, largest=12_800)
def _(n: int) -> Work:
    points = front(n, 3)
    return lambda: pareto.igd_plus(points, points + 0.01)


@grows("pareto.hausdorff", "n points and reference, 2 objectives", first=1_000, time=2, memory=1, largest=256_000)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: pareto.hausdorff(points, points + 0.01)


@grows("pareto.hausdorff", "n equal points", first=1_000, largest=256_000)
def _(n: int) -> Work:
    points = np.zeros((n, 2))
    return lambda: pareto.hausdorff(points, points)


@grows("pareto.hausdorff", "n points on a circle around the reference", first=500, time=2, memory=1, largest=64_000)
def _(n: int) -> Work:
    angles = 2 * np.pi * np.arange(n) / n
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return lambda: pareto.hausdorff(circle, 1e-12 * circle)


@grows("pareto.attainment_surfaces", "k points of ten sets", first=1_000, largest=128_000)
def _(k: int) -> Work:
    points, sets = floats(k, 2), np.arange(k) % 10
    return lambda: pareto.attainment_surfaces(points, sets, percentiles=[50])
