"""The optimum written down as matrices, for any number of layers: what its loss, gradient and geometry are exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.runs import block_stream
from moltheory.studies._collapse import mean_condition_number, outside_means, variability
from moltheory.studies.unconstrained_features._experiment import model_at, norm_spread
from moltheory.studies.unconstrained_features._model import ReducedLoss, separated_layers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explicit_optima"]


def explicit_optima(depths: tuple[int, ...], ratio: float) -> pd.DataFrame:
    """Build the collapsed network of scale a* at each depth, rotated at random, and measure it in one row.

    ``depth``, ``scale``, ``minimum``, ``error`` (of its loss against F(a*)), ``gradient`` (largest entry), ``nc1`` (the
    worst over H_1 and the activations), ``condition`` (behind a ReLU, less 1), ``spread`` (`norm_spread`) and
    ``outside`` (`outside_means` of the worst layer): all of them zero up to rounding.
    """
    import pandas as pd

    rows = []
    for depth in depths:
        model = model_at(depth, ratio)
        closed = ReducedLoss.of_model(model)
        rng = block_stream(np.random.SeedSequence(0), "explicit optima", depth)
        layers = separated_layers(model, closed.scale, rng=rng)
        acts = [one.T for one in model.activations(layers)]
        rows.append(
            {
                "depth": depth,
                "scale": closed.scale,
                "minimum": closed.minimum,
                "error": abs(float(model.loss(layers)) - closed.minimum),
                "gradient": float(np.abs(model.joined(model.gradients(layers))).max()),
                "nc1": max(float(variability(one, model.labels)) for one in acts),
                "condition": max(float(mean_condition_number(one, model.labels)) for one in acts[1:]) - 1.0,
                "spread": float(norm_spread(model, layers)),
                "outside": max(
                    float(outside_means(weight, one, model.labels))
                    for weight, one in zip(layers[1:], acts, strict=True)
                ),
            }
        )
    return pd.DataFrame(rows)
