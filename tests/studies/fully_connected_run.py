"""A tiny run of the study of fully-connected layers, computed once per process for all tests that read it."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from moltheory.reports import Settings
from moltheory.studies.fully_connected import FullyConnected, Plan, Recipe

TINY = Plan(
    sources=("digits",),
    labels=(20, 30),
    seeds=3,
    gates=(0.3,),
    sweep_labels=30,
    backbone="tiny",
    trunks=("small",),
    active_start=20,
    active_step=10,
    active_rounds=2,
    active_seeds=2,
    recipe=Recipe(epochs=2, batch=20),
    width=32,
)


@functools.cache
def tiny_run():
    """Return the study, its result and the folder of its finished blocks."""
    store = Path(tempfile.mkdtemp(prefix="fully-connected-"))
    atexit.register(shutil.rmtree, store, ignore_errors=True)
    study = FullyConnected(plan=TINY)
    return study, study.compute(Settings(store=store)), store
