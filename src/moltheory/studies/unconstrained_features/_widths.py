"""How often gradient descent reaches the optimum: by width, depth and factor, with exact intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import mean_condition_number, variability
from moltheory.studies._deep_features import descend, stacked
from moltheory.studies._over_seeds import share_text
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.unconstrained_features._experiment import N_CLASSES, RATE, model_at
from moltheory.studies.unconstrained_features._model import ReducedLoss

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLOSE", "GROUPS", "success_shares", "width_block", "width_sweep"]

# Fixed before the runs: descent has reached the optimum if its loss is within this share of F(a*), and nearer to it than
# to the other branches of the closed form. No L-BFGS here: this is what gradient descent does alone.
CLOSE = 0.01
GROUPS = ("up to half", "above half")


def width_block(depth: int, width: int, ratios: tuple[float, ...], seeds: int, steps: int, entropy: int) -> Columns:
    """Train networks of one depth and width by gradient descent: R ratios and S seeds, all at once.

    Columns (R, S): ``loss``, ``nc1`` (the worst over H_1 and the activations), ``condition`` (the worst over the
    activations behind a ReLU).
    """
    root = as_seed_sequence(entropy)
    models = [model_at(depth, ratio, width=width) for ratio in ratios]
    model = models[0]
    starts = stacked([model.random(block_stream(root, "widths", depth, width, s)) for s in range(seeds)])
    layers = descend(
        model,
        tuple(np.broadcast_to(one, (len(ratios), *one.shape)) for one in starts),
        rate=RATE,
        steps=steps,
        factors=np.stack([one.factors for one in models])[:, None],
    )
    features = [np.swapaxes(one, -1, -2) for one in model.activations(layers)]
    condition = [mean_condition_number(one, model.labels) for one in features[1:]]
    return {
        "loss": np.stack([one.loss(tuple(part[k] for part in layers)) for k, one in enumerate(models)]),
        "nc1": np.max([variability(one, model.labels) for one in features], axis=0),
        "condition": np.max(condition, axis=0),
    }


def width_sweep(
    depths: tuple[int, ...],
    widths: tuple[int, ...],
    ratios: tuple[float, ...],
    *,
    seeds: int,
    steps: int,
    settings: Settings,
) -> pd.DataFrame:
    """Train at all depths, widths and ratios below 1: one row per network.

    ``depth``, ``width``, ``ratio``, ``seed``, ``optimum``, ``loss``, ``gap``, ``learned`` (classes, by the nearest
    branch of the closed form), ``reached`` (within `CLOSE`), ``nc1``, ``condition``.
    """
    import pandas as pd

    cells = {f"depth-{d}-width-{w}": (d, w) for d in depths for w in widths}
    parts = run_study_blocks(
        width_block,
        {key: (depth, width, ratios, seeds, steps, settings.seed) for key, (depth, width) in cells.items()},
        store=("unconstrained_features", "widths"),
        parameters={"depths": depths, "widths": widths, "ratios": ratios, "seeds": seeds, "steps": steps, "rate": RATE},
        settings=settings,
        weights={key: float(depth * (width + 20)) for key, (depth, width) in cells.items()},
        needs_torch=True,
    )
    rows = []
    for (depth, width), part in zip(cells.values(), parts.values(), strict=True):
        for k, ratio in enumerate(ratios):
            closed = ReducedLoss.at_ratio(N_CLASSES, depth, ratio)
            loss = part["loss"][k].astype(np.float64)
            branches = np.array([closed.branch_loss(learned) for learned in range(N_CLASSES + 1)])
            learned = np.abs(loss[:, None] - branches).argmin(axis=1)
            gap = loss - closed.minimum
            columns = {"optimum": closed.minimum, "loss": loss, "gap": gap, "learned": learned}
            reached = (gap <= CLOSE * closed.minimum) & (learned == N_CLASSES)
            ends = {"reached": reached, "nc1": part["nc1"][k], "condition": part["condition"][k]}
            place = {"depth": depth, "width": width, "ratio": ratio, "seed": np.arange(seeds)}
            rows.append(pd.DataFrame({**place, **columns, **ends}))
    return pd.concat(rows, ignore_index=True)


def success_shares(sweep: pd.DataFrame, /, *, each: bool = False) -> pd.DataFrame:
    """Count starts that reached the optimum, by ``width``, ``depth`` and ``factors`` (up to or above half the critical one).

    With `each`, every ratio is counted apart, in a column ``factors`` of numbers.

    ``reached``, ``starts``, ``share``, and ``low`` and ``high``, the exact 95 % interval; ``text`` says it in words.
    """
    import pandas as pd
    from scipy.stats import binomtest

    group = sweep["ratio"] if each else np.where(sweep["ratio"] <= 0.5, *GROUPS)
    rows = []
    for (width, depth, factors), part in sweep.assign(factors=group).groupby(["width", "depth", "factors"]):
        count, n = int(part["reached"].sum()), len(part)
        low, high = binomtest(count, n).proportion_ci(0.95, method="exact")
        row = {"width": width, "depth": depth, "factors": factors, "reached": count, "starts": n, "share": count / n}
        rows.append({**row, "low": float(low), "high": float(high), "text": share_text(count, n)})
    return pd.DataFrame(rows)
