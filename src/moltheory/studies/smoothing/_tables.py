"""Tables about the certificates: against simulation and closed forms, limits of dimension, and an approximation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import check_count
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.studies.smoothing._certificates import certified_radius, worst_probability
from moltheory.studies.smoothing._dimension_limits import approximate_radius, smallest_ratio

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["approximation_table", "curse_table", "half_spaces", "simulated_certificates"]

_SHOWN = (64, 784, 3072, 150_528)


def simulated_certificates(settings: int, /, *, n: int, rng: RandomSource) -> pd.DataFrame:
    """Return simulations of the worst classifier of the certificate, a ball, at random settings, n draws per point.

    One row per setting, with dimension in [2, 1000], p in [0.02, 0.4] and ratios of sigma in [0.7, 1.4]:
    ``dimension``, ``p_other``, ``distance``, ``sigma0``, ``sigma1``; ``bound`` of `worst_probability`; ``simulated``
    probability of the ball there, ``simulated_here`` at the point (to be compared with ``p_other``); ``z`` and
    ``z_here``, the differences in standard errors. The noise along the line through both points is drawn as it is,
    that across it by its squared length. The size of the ball comes from SciPy's quantiles, not from the code under
    test.
    """
    import pandas as pd
    from scipy.stats import ncx2

    check_count("n", n)
    root = as_seed_sequence(rng)
    rows = []
    for index in range(check_count("settings", settings)):
        draw = block_stream(root, "smoothing: simulated certificates", index)
        dimension = int(np.exp(draw.uniform(np.log(2), np.log(1001))))
        p, a, s0 = draw.uniform(0.02, 0.4), draw.uniform(0.05, 1.0), draw.uniform(0.3, 1.0)
        # Near one in high dimensions, or all is certain.
        s1 = s0 * np.exp(draw.choice([-1.0, 1.0]) * draw.uniform(0.1, 1.0) * min(0.35, 2.0 / np.sqrt(dimension)))
        bound = float(worst_probability(p, distance=a, sigma0=s0, sigma1=s1, dimension=dimension))
        center = a * s0**2 / (s0**2 - s1**2)
        limit = s0**2 * float((ncx2.isf if s1 > s0 else ncx2.ppf)(p, dimension, (center / s0) ** 2))
        found = []
        for start, s in ((0.0, s0), (a, s1)):
            along = start + s * draw.standard_normal(n) - center
            across = s**2 * draw.chisquare(dimension - 1, n)
            inside = along**2 + across <= limit
            found.append(float(inside.mean()) if s1 < s0 else float((~inside).mean()))
        errors = [np.sqrt(max(q * (1.0 - q), 1e-12) / n) for q in (p, bound)]
        rows.append(
            {
                "dimension": dimension,
                "p_other": p,
                "distance": a,
                "sigma0": s0,
                "sigma1": s1,
                "bound": bound,
                "simulated_here": found[0],
                "simulated": found[1],
                "z_here": (found[0] - p) / errors[0],
                "z": (found[1] - bound) / errors[1],
            }
        )
    return pd.DataFrame(rows)


def half_spaces(dimensions: Sequence[int], /, *, cases: int, rng: RandomSource) -> pd.DataFrame:
    r"""Return certificates of half-spaces, whose smoothed version changes exactly at their boundary, one row per point.

    For :math:`f(x) = 1[x_1 > 0]` and any noise :math:`\sigma(x)`, class 1 has probability :math:`\Phi(x_1/\sigma(x))`
    at x: the prediction changes at distance :math:`|x_1|`, whatever sigma does. Per dimension `cases` random points,
    with distances to the boundary in [0.01, 3] sigma and r sigma in [1e-6, 0.3]: ``dimension``, ``sigma``, ``rate``,
    ``distance`` (the true radius), ``radius`` (certified from the exact probability), ``ratio`` of both: above 1 would
    be unsound.
    """
    import pandas as pd
    from scipy.special import ndtr

    root = as_seed_sequence(rng)
    count, parts = check_count("cases", cases), []
    for dimension in dimensions:
        draw = block_stream(root, "smoothing: half-spaces", check_count("dimensions", dimension))
        sigma = np.exp(draw.uniform(np.log(0.05), np.log(5.0), count))
        scaled = np.exp(draw.uniform(np.log(1e-6), np.log(0.3), count))
        distance = sigma * draw.uniform(0.01, 3.0, count)
        # In units of 1/r all cases of a dimension have rate one.
        unit = scaled / sigma
        radius = certified_radius(ndtr(-distance / sigma), sigma=sigma * unit, rate=1.0, dimension=dimension) / unit
        parts.append(
            pd.DataFrame(
                {
                    "dimension": dimension,
                    "sigma": sigma,
                    "rate": unit,
                    "distance": distance,
                    "radius": radius,
                    "ratio": radius / distance,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def curse_table() -> pd.DataFrame:
    """Return `smallest_ratio` by ``p_other`` and ``dimension``, in the columns ``exact``, ``chernoff``, ``simplified``."""
    import pandas as pd

    sizes = sorted({*np.geomspace(2, 150_528, 18).round().astype(int).tolist(), 784})
    rows = [
        {
            "p_other": p,
            "dimension": n,
            **{kind: float(smallest_ratio(p, dimension=n, kind=kind)) for kind in ("exact", "chernoff", "simplified")},
        }
        for p in (0.1, 0.01)
        for n in sizes
    ]
    return pd.DataFrame(rows)


def approximation_table(rates: int, /) -> pd.DataFrame:
    """Return certified radii beside `approximate_radius`, for p = 0.01, sigma = 1/2 and `rates` rates per dimension.

    Columns ``dimension``, ``rate``, ``strength`` (r sigma sqrt(2 N)), ``radius``, ``approximate``, ``share`` (of the
    radius of constant noise).
    """
    import pandas as pd

    parts = []
    for n in _SHOWN:
        strength = np.geomspace(0.1, 4.0, rates)
        r = strength / (0.5 * np.sqrt(2.0 * n))
        # In units of 1/r every rate is one.
        radius = certified_radius(0.01, sigma=0.5 * r, rate=1.0, dimension=n) / r
        near = approximate_radius(0.01, sigma=0.5 * r, rate=1.0, dimension=n) / r
        constant = float(certified_radius(0.01, sigma=0.5, dimension=n))
        parts.append(
            pd.DataFrame(
                {
                    "dimension": n,
                    "rate": r,
                    "strength": strength,
                    "radius": radius,
                    "approximate": near,
                    "share": radius / constant,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
