"""How many times narrower half-widths that depend on the model are than uniform ones, on the bundled data sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moltheory.bounds import finite_class, kl_class
from moltheory.figures._populations import data_set
from moltheory.objectives import Known, Worst
from moltheory.problems import FinitePopulation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GAINS", "fast_widths"]

GAINS = ("breast_cancer", "digits")


def fast_widths(*, sizes: Sequence[int], replicates: int, seed: int, delta: float) -> pd.DataFrame:
    """Return, for each data set and size, the factor by which `kl_class` is narrower than `finite_class`.

    Both hold for all models and rates at once, given the number of examples behind each rate. The smallest, the median
    and the largest factor over models and rates are averaged over samples; `failures` is the share of samples in which
    some true rate is outside of its limits. Samples without an example for some rate are left out.

    Examples
    --------
    >>> table = fast_widths(sizes=[300], replicates=2, seed=0, delta=0.05)
    >>> bool((table["smallest"] >= 1.0).all())
    True
    """
    import pandas as pd

    rows = []
    for name in GAINS:
        population = _of_rates(data_set(name))
        truth = population.true.risks()
        for size in sizes:
            sample = population.sample(size, replicates=replicates, rng=np.random.SeedSequence((seed, size)))
            cells = np.asarray(sample.cell_sizes, dtype=np.float64)
            kept = (cells > 0).all(axis=-1)
            gains, failures = [], []
            for risks, counts in zip(sample.risks()[kept], cells[kept], strict=True):
                uniform = finite_class(counts, n_hypotheses=risks.shape[0], delta=delta)
                fast = kl_class(risks, counts, delta=delta)
                gains.append(np.quantile(uniform.width / fast.width, [0.0, 0.5, 1.0]))
                outside = (truth < np.asarray(fast.lower)) | (truth > np.asarray(fast.upper))
                failures.append(bool(outside.any()))
            smallest, median, largest = np.mean(gains, axis=0).tolist()
            rows.append(
                {
                    "data_set": name.replace("_", " "),
                    "size": size,
                    "smallest": smallest,
                    "median": median,
                    "largest": largest,
                    "failures": float(np.mean(failures)),
                    "samples": int(kept.sum()),
                }
            )
    return pd.DataFrame(rows)


def _of_rates(population: FinitePopulation) -> FinitePopulation:
    """Return the population with every estimated rate as an objective of its own: the worst of ten becomes ten."""
    parts = [
        part
        for measure in population.measures
        for part in (measure.parts if isinstance(measure, Worst) else (measure,))
        if not isinstance(part, Known)
    ]
    return FinitePopulation(population.probabilities, parts, name=f"rates of {population.name}")
