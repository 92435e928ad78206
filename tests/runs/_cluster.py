"""A run on a cluster of its own, in a process that can be killed: `python -m tests.runs._cluster FOLDER`."""

import signal
import sys
import warnings

import joblib

from tests.runs._jobs import table

SLOWER = {"replicates": 3000}
"""Of the run that is killed: 120 parts, so that kills fall between them."""


def main(folder):
    """Compute the run on two workers that this process starts."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        table(folder, **SLOWER)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    # Processes started in the background may have been told to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(sys.argv[1])
