"""Which bound is the narrowest where: averages under a posterior, members of a finite class, and infinite classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.bounds import (
    bernstein_class,
    fat_shattering_class,
    fat_shattering_dimension,
    finite_class,
    kl_class,
    linear_class,
    lipschitz_class,
    local_complexity,
    localized_rademacher,
    margin_class,
    pac_bayes_empirical_bernstein,
    pac_bayes_kl,
    pac_bayes_split_kl,
    pac_bayes_unexpected_bernstein,
    rademacher,
    relative_deviation_class,
    vc,
)
from moltheory.plotting import colors_of, label_lines, log_sizes, readable_color

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "DIVERGENCE",
    "EXTREME",
    "MARGIN",
    "MEMBERS",
    "class_widths",
    "draw_families",
    "member_gains",
    "posterior_gains",
]

# Of a posterior from its prior, in nats, and the probability of each loss that is not 1/2.
DIVERGENCE, EXTREME = 3.0, 0.025
# Size of the finite class and of its sample.
MEMBERS = (100, 100_000)
# Eigenvalues of E[x x'] of squared losses of linear functions, whose complexity is local.
SPECTRUM = (0.5, 0.01, 0.0001)
# Of linear classifiers of norm 1 on inputs of norm 1.
MARGIN = 0.5
_BALL: dict[str, Any] = {"weight_norm": 1.0, "input_norm": 1.0}
_DIMENSION = 10
# Colors and kinds of lines, in the order of the tables.
_LOOKS = (
    ("coverage", "o-"), ("purity", "s-"), ("deviation", "^-"), ("extra", "D-"), ("truth", "v-"), ("bound", "x-"),
)  # fmt: skip


def posterior_gains(*, sizes: Sequence[int], delta: float) -> pd.DataFrame:
    """Return the factor by which PAC-Bayes bounds are narrower than PAC-Bayes-kl, for losses that are mostly 1/2.

    Examples
    --------
    >>> table = posterior_gains(sizes=[10_000], delta=0.05)
    >>> table["method"][table["factor"].idxmax()]
    'unexpected Bernstein'
    """
    import pandas as pd

    rates: dict[str, Any] = {"divergence": DIVERGENCE, "delta": delta}
    spread, parts = EXTREME / 2.0, [[0.5 - EXTREME / 2.0], [EXTREME / 2.0]]
    rows = []
    for n in sizes:
        widths = {
            "kl": pac_bayes_kl([0.5], n, **rates),
            "empirical Bernstein": pac_bayes_empirical_bernstein([0.5], [spread * n / (n - 1)], n, **rates),
            "unexpected Bernstein": pac_bayes_unexpected_bernstein([0.5], [spread], n, center=0.5, **rates),
            "split-kl": pac_bayes_split_kl(parts, n, **rates),
        }
        rows += [
            {"method": name, "size": n, "width": float(bound), "factor": float(widths["kl"]) / float(bound)}
            for name, bound in widths.items()
        ]
    return pd.DataFrame(rows)


def member_gains(*, delta: float) -> pd.DataFrame:
    """Return the factor by which half-widths of a member of a class are narrower than the uniform one, by its risk.

    The class is finite, but for localized complexities: these are of squared losses of linear functions, and compared with
    the half-width from the complexity of all of them.

    Examples
    --------
    >>> table = member_gains(delta=0.05)
    >>> bool((table.loc[table["method"] == "kl", "factor"] >= 1.0).all())
    True
    """
    import pandas as pd

    size, n = MEMBERS
    risks = np.round(np.geomspace(10.0 / n, 0.5, 12) * n) / n
    uniform = float(finite_class(n, n_hypotheses=size, delta=delta))
    phi = partial(_complexity, n=n)
    ridge = float(rademacher(n, complexity=phi(1.0), delta=delta))
    found = {
        "kl": kl_class(risks, n, n_hypotheses=size, delta=delta),
        "relative deviations": relative_deviation_class(risks, n, n_hypotheses=size, delta=delta),
        "empirical Bernstein": bernstein_class(risks * (1 - risks) * n / (n - 1), n, n_hypotheses=size, delta=delta),
        "localized, linear class": localized_rademacher(risks, n, local_complexity=phi, delta=delta),
    }
    rows = [
        {"method": name, "risk": risk, "factor": (ridge if name.startswith("localized") else uniform) / width}
        for name, bound in found.items()
        for risk, width in zip(risks.tolist(), bound.width[:, 0].tolist(), strict=True)
    ]
    return pd.DataFrame(rows)


def class_widths(*, sizes: Sequence[int], delta: float) -> pd.DataFrame:
    """Return half-widths of infinite classes, all within the reach of two-class problems.

    Examples
    --------
    >>> table = class_widths(sizes=[100], delta=0.05)
    >>> table.loc[table["width"] < 1.0, "class"].tolist()
    ['1-Lipschitz losses', '1-Lipschitz, d = 1', 'margin 0.5']
    """
    import pandas as pd

    fat = fat_shattering_dimension(MARGIN / 2.0, **_BALL)
    classes = {
        "1-Lipschitz losses": partial(linear_class, lipschitz=1.0, **_BALL),
        "1-Lipschitz, d = 1": partial(lipschitz_class, lipschitz=1.0, dimension=1),
        f"margin {MARGIN:g}": partial(margin_class, margin=MARGIN, **_BALL),
        f"VC dimension {_DIMENSION}": partial(vc, dimension=_DIMENSION),
        f"fat-shattering, {fat}": partial(fat_shattering_class, dimension=fat),
    }
    rows = [
        {"class": name, "size": n, "width": float(bound(n, delta=delta))}
        for name, bound in classes.items()
        for n in sizes
    ]
    return pd.DataFrame(rows)


def draw_families(axes: Sequence[Axes], posteriors: pd.DataFrame, members: pd.DataFrame, classes: pd.DataFrame) -> None:
    """Draw factors of posteriors and of members of a class, and half-widths of infinite classes."""
    first, second, third = axes
    _draw_curves(first, posteriors, "method", "size", "factor")
    log_sizes(first)
    first.set_ylabel("kl width / width     better →")
    first.set_title("Posteriors: variances count")
    _draw_curves(second, members, "method", "risk", "factor")
    second.set_xscale("log")
    second.set_xlabel(f"empirical risk of the member, n = {MEMBERS[1]:,}")
    second.set_ylabel("uniform width / own width     better →")
    second.set_title("Members of a class: small risks")
    second.set_yscale("log")
    _draw_curves(third, classes, "class", "size", "width")
    log_sizes(third)
    third.set_yscale("log")
    third.set_ylabel("← better     half-width")
    third.set_title("Infinite classes: norms help most")
    for ax, text, x in ((second, "no gain: uniform", 0.03), (third, "says nothing", 0.97)):
        color = colors_of(ax)["bound"]
        ax.axhline(1.0, color=color, linestyle="--", linewidth=1.2)
        ax.annotate(
            text, (x, 1.0), (0, 4), xycoords=("axes fraction", "data"), textcoords="offset points", va="bottom",
            ha="left" if x < 0.5 else "right", fontsize=10.0, color=readable_color(ax, color),
        )  # fmt: skip
    for ax in axes:
        label_lines(ax)


def _draw_curves(ax: Axes, table: pd.DataFrame, name: str, x: str, y: str) -> None:
    palette = colors_of(ax)
    for (label, part), (color, line) in zip(table.groupby(name, sort=False), _LOOKS, strict=False):
        ax.plot(part[x], part[y], line, color=palette[color], label=str(label).replace(" ", "\n", 1), markersize=4.0)


def _complexity(radius: float, *, n: int) -> float:
    return float(local_complexity(radius, n, eigenvalues=SPECTRUM))
