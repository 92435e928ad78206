"""What the study of weight decay found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._html_repr import Shown

if TYPE_CHECKING:
    import pandas as pd

    from moltheory._core._validation import FloatArray
    from moltheory.certification import Certificate
    from moltheory.studies.weight_decay._exact import ExactChecks

__all__ = ["DecaySweep", "WeightDecayResult"]


@dataclass(frozen=True)
class DecaySweep:
    """All networks of a sweep, M in number, with their 0/1 test losses (n_test, M).

    `networks` has one row per network at the end of training: ``linear`` (number of linear layers), ``decay``,
    ``rate``, ``first`` (units of the first layer), ``relu`` (layers with ReLU), ``seed``, ``time`` (steps times rate over
    1 - momentum), the columns of `measured`, ``curvature`` (NaN unless measured), ``test_error``, and which sweeps it
    belongs to: ``main``, ``rates``, ``firsts``, ``relus``. One that is lost, because its steps are too large, has NaN
    there: its weights grew without limit, or its features are all zero. `iterates` has one row per logged iterate, with
    ``step`` and, in ``network``, the row of `networks`.
    """

    networks: pd.DataFrame
    iterates: pd.DataFrame
    test_losses: FloatArray


@dataclass(frozen=True, repr=False)
class WeightDecayResult(Shown):
    """Everything the study found.

    `data` and `images` say what networks were trained on. `shown` is the decay and `depth` the number of linear layers
    at which step sizes, first widths and layers with ReLU are swept and training is drawn; `seeds` are the networks per
    setting, and `nc1_with_error` is Spearman's correlation of NC1 and test error in the main sweep. Tables are those of
    `networks_by_setting`, `rank_correlations`, `balance_rates` and `own_weights`, certificates of `certified_front`.
    """

    data: str
    images: int
    linear: tuple[int, ...]
    decays: tuple[float, ...]
    rates: tuple[float, ...]
    firsts: tuple[int, ...]
    relus: tuple[int, ...]
    shown: float
    depth: int
    seeds: int
    steps: int
    sweep: DecaySweep
    settings_table: pd.DataFrame
    correlations: pd.DataFrame
    nc1_with_error: float
    balancing: pd.DataFrame
    weights: pd.DataFrame
    exact: ExactChecks
    two: Certificate
    five: Certificate

    @property
    def main(self) -> pd.DataFrame:
        """Networks of the main sweep, over linear layers and decay: those of the certificates, in their order."""
        return main_sweep(self.sweep.networks)

    @property
    def lost(self) -> int:
        """How many networks of the main sweep were lost."""
        return int(self.sweep.networks["main"].sum()) - len(self.main)

    @property
    def ends(self) -> pd.DataFrame:
        """Networks of the main sweep at the decay `shown`."""
        return self.main[self.main["decay"] == self.shown]

    @property
    def logged(self) -> pd.DataFrame:
        """All logged iterates of networks with at least two linear layers, as long as they were not lost."""
        logged = self.sweep.iterates
        return logged[(logged["linear"] > 1) & logged["nc1"].notna()]


def main_sweep(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks in the main sweep that were not lost."""
    return networks[networks["main"] & networks["fit"].notna()]
