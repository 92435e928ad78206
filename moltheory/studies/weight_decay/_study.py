"""The study: collapse, balance and conditioning over linear layers and weight decay, and the networks as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies.weight_decay._balanced import momentum_rate
from moltheory.studies.weight_decay._findings import told
from moltheory.studies.weight_decay._panels import draw_balance, draw_bound, draw_certificate, draw_conditioning
from moltheory.studies.weight_decay._points import (
    certified_front,
    networks_by_setting,
    own_weights,
    rank_correlation,
    rank_correlations,
)
from moltheory.studies.weight_decay._sweep import MOMENTUM, RATE, DecaySweep, decay_sweep

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.certification import Certificate

__all__ = ["WeightDecay", "WeightDecayResult", "balance_rates"]


@dataclass(frozen=True)
class _Budget:
    """What the experiment costs."""

    linear: tuple[int, ...]
    decays: tuple[float, ...]
    seeds: int
    steps: int


_FULL = _Budget((1, 2, 3, 5), (1e-4, 3e-4, 1e-3, 3e-3, 1e-2), 5, 6000)
_QUICK = _Budget((1, 2, 5), (1e-3, 1e-2), 3, 160)
# Further down, finite steps near kinks of ReLU and steep directions keep imbalance up: that is no decay to measure.
_LOWEST = 1e-3


@dataclass(frozen=True)
class WeightDecayResult:
    """Everything the study found.

    Attributes
    ----------
    linear, decays, shown, seeds, steps
        Numbers of linear layers, factors of weight decay, the factor whose training is drawn, networks per pair and
        steps.
    sweep : DecaySweep
    settings_table : pandas.DataFrame
        See `networks_by_setting`.
    correlations : pandas.DataFrame
        See `rank_correlations`.
    nc1_with_error : float
        Spearman's correlation of NC1 and test error over all networks.
    rates : pandas.DataFrame
        See `balance_rates`.
    weights : pandas.DataFrame
        See `own_weights`.
    two, five : Certificate
        See `certified_front`.
    """

    linear: tuple[int, ...]
    decays: tuple[float, ...]
    shown: float
    seeds: int
    steps: int
    sweep: DecaySweep
    settings_table: pd.DataFrame
    correlations: pd.DataFrame
    nc1_with_error: float
    rates: pd.DataFrame
    weights: pd.DataFrame
    two: Certificate
    five: Certificate


class WeightDecay(Study[WeightDecayResult]):
    """Networks that end in linear layers, trained with weight decay: balance, collapse, conditioning, and fronts."""

    name = "weight-decay"
    title = "Linear layers and weight decay: balanced layers collapse, and training error and balance bound how far"
    n_panels = 4
    paper = (
        "A. Jacot, P. Súkeník, Z. Wang, M. Mondelli (2024), Wide Neural Networks Trained with Weight Decay Provably "
        "Exhibit Neural Collapse, arXiv 2410.04887"
    )

    def compute(self, settings: Settings) -> WeightDecayResult:
        """Train over linear layers and decays, and compare the networks as points."""
        cost = _QUICK if settings.quick else _FULL
        sweep = decay_sweep(cost.linear, cost.decays, seeds=cost.seeds, steps=cost.steps, settings=settings)
        networks = sweep.networks
        two, five = certified_front(sweep)
        return WeightDecayResult(
            cost.linear,
            cost.decays,
            cost.decays[(len(cost.decays) - 1) // 2],
            cost.seeds,
            cost.steps,
            sweep,
            networks_by_setting(networks),
            rank_correlations(networks),
            rank_correlation(networks["nc1"], networks["test_error"]),
            balance_rates(sweep.iterates),
            own_weights(networks),
            two,
            five,
        )

    def draw(self, result: WeightDecayResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw NC1 and its bound, the decay of the imbalance, the condition of class means, and what is certain."""
        panels = (draw_bound, draw_balance, draw_conditioning, draw_certificate)
        for ax, panel in zip(axes, panels, strict=True):
            panel(ax, result)
        return axes

    def findings(self, result: WeightDecayResult) -> tuple[str, ...]:
        """Return what was found; see `told`."""
        return told(result)

    def tables(self, result: WeightDecayResult) -> Mapping[str, pd.DataFrame]:
        """Return medians by setting, every network, correlations, rates of balancing and the certificates."""
        return {
            "settings": result.settings_table,
            "networks": result.sweep.networks,
            "correlations": result.correlations,
            "balance": result.rates,
            "weights": result.weights,
            "certificate": result.two.to_frame(),
            "certificate_five": result.five.to_frame(),
        }


def balance_rates(iterates: pd.DataFrame, /) -> pd.DataFrame:
    """Return how fast the imbalance of linear layers decays, as a multiple of 2 times weight decay.

    Parameters
    ----------
    iterates : pandas.DataFrame
        `DecaySweep.iterates`.

    Returns
    -------
    pandas.DataFrame
        One row per network with L_2 >= 2: ``linear``, ``decay``, ``seed``, ``ratio``, the slope of the log of the
        imbalance (operator norm, largest over pairs) in training time over -2 decay, by least squares over
        logged iterates after the start until it falls to a thousandth (NaN with fewer than three of them); ``momentum``, see
        `momentum_rate`.

    Examples
    --------
    >>> import pandas as pd
    >>> time = np.arange(20.0)
    >>> rows = {"network": 0, "linear": 2, "decay": 0.1, "seed": 0, "time": time, "gap": np.exp(-0.2 * time)}
    >>> round(float(balance_rates(pd.DataFrame(rows))["ratio"].iloc[0]), 9)
    1.0
    """
    import pandas as pd

    rows: list[dict[str, float]] = []
    for _, part in iterates[iterates["linear"] > 1].groupby("network"):
        first = part.iloc[0]
        time, gap = part["time"].to_numpy(), part["gap"].to_numpy()
        used = np.logical_and.accumulate(gap > _LOWEST * gap[0]) & (time > 0)
        slope = np.polyfit(time[used], np.log(gap[used]), 1)[0] if used.sum() >= 3 else np.nan
        expected = momentum_rate(RATE, MOMENTUM, decay=float(first["decay"]))
        row = {"linear": int(first["linear"]), "decay": float(first["decay"]), "seed": int(first["seed"])}
        rows.append({**row, "ratio": float(slope / (-2.0 * first["decay"])), "momentum": expected})
    return pd.DataFrame(rows)
