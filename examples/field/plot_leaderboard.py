"""
From a leaderboard's folder to a decision
=========================================

HELM writes one folder for each model and task, with a file ``per_instance_stats.json`` of what happened on each example.
The numbers here are **generated**, not anybody's results: eight models on 1,000 law and 1,000 medicine questions, hard
questions hard for all models, in exactly the form that HELM writes. Put the path of your own folder into ``runs``.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
from scipy.special import expit

from moltheory.evaluation import open_losses

ABILITY = {
    "aster": 2.1,
    "birch": 2.0,
    "cedar": 1.6,
    "dahlia": 1.5,
    "elm": 1.1,
    "fir": 0.6,
    "gorse": 0.5,
    "hazel": -0.2,
}
PRICE = {
    "aster": 10.0,
    "birch": 3.0,
    "cedar": 3.5,
    "dahlia": 0.8,
    "elm": 0.9,
    "fir": 0.2,
    "gorse": 0.6,
    "hazel": 0.1,
}


def write_helm(folder, rng):
    """Write the runs: a model answers rightly with a chance that depends on its ability and the question."""
    for task, shift in (("law", -0.6), ("medicine", 0.0)):
        hardness = rng.normal(scale=1.6, size=1000)
        for model, ability in ABILITY.items():
            right = rng.random(1000) < expit(ability + shift - hardness)
            name = f"mmlu:subject={task},model=org_{model}"
            run = folder / name
            run.mkdir(parents=True)
            entries = [
                {
                    "instance_id": f"id{i}",
                    "train_trial_index": 0,
                    "stats": [
                        {
                            "name": {"name": "exact_match", "split": "test"},
                            "count": 1,
                            "mean": float(value),
                        }
                    ],
                }
                for i, value in enumerate(right)
            ]
            (run / "per_instance_stats.json").write_text(json.dumps(entries))
            (run / "run_spec.json").write_text(
                json.dumps({"name": name, "adapter_spec": {"model": model}})
            )


runs = Path(tempfile.mkdtemp())
write_helm(runs, np.random.default_rng(0))

# %%
# One call reads the folder, and one certifies. With ``pooled=True`` the questions of both tasks count alike; prices, in
# dollars per million tokens, are known exactly.

certificate = open_losses(runs, pooled=True).certify(costs={"price": PRICE})
certificate.plot()

# %%
# For the decision: whom to drop, whom to keep, and what these questions cannot tell.

certificate

# %%
# On quality alone the top of the leaderboard is open: one of these is the best, but the data do not say which. The plan
# estimates how many more questions would; it is no guarantee.

quality = open_losses(runs, pooled=True).certify()
quality.plan(simulate=20)[["model", "hardest_rival", "expected_additional"]]

# %%
# The tasks as objectives of their own: a model that is best at law may not be best at medicine.

open_losses(runs).certify(costs={"price": PRICE}).plot()
