"""What the study of low-rank bias found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._html_repr import Shown
from moltheory.studies.low_rank_bias._trade_off import main_networks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LowRankResult"]


@dataclass(frozen=True, repr=False)
class LowRankResult(Shown):
    """Everything the study found.

    Tables of `reach_table`, `cost_table`, `optimum_table` and `domination_table` (networks written down), of
    `search_table` and `trained_networks` (features free), of `end_shares` and `hypervolume_table`, which compare them,
    and of `image_networks` and `certified_images`.
    """

    reach: pd.DataFrame
    costs: pd.DataFrame
    optima: pd.DataFrame
    domination: pd.DataFrame
    search: pd.DataFrame
    networks: pd.DataFrame
    widths: pd.DataFrame
    volumes: pd.DataFrame
    images: pd.DataFrame
    certified: pd.DataFrame

    @property
    def main(self) -> pd.DataFrame:
        """Networks of the main experiment, see `main_networks`."""
        return main_networks(self.networks)

    @property
    def headline(self) -> pd.DataFrame:
        """The first ten seeds of gradient descent at the width, factor and step of the paper."""
        rows = self.main[self.main["method"] == "gradient descent"]
        return rows[rows["seed"] < 10]
