"""The same results in threads and in processes started in every way, with no trace left in what threads share."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments._work import answer

_ROOT = Path(__file__).parents[2]
# Nothing is imported before the threads start, and they change places as often as they can.
_THREADS = """
import sys, threading, warnings
from tests.environments._work import answer
sys.setswitchinterval(1e-5)
found, barrier = {}, threading.Barrier(THREADS)

def work(k):
    barrier.wait()
    found[k] = answer()

def together():
    threads = [threading.Thread(target=work, args=(k,)) for k in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

together()
import matplotlib
# Imports may add filters of warnings; computing and drawing may not, nor change a setting.
filters, settings = list(warnings.filters), dict(matplotlib.rcParams)
together()
print(len(found), set(found.values()), filters == warnings.filters, settings == dict(matplotlib.rcParams))
print(matplotlib.rcParams["svg.hashsalt"], matplotlib.rcParams["savefig.dpi"])
"""


@pytest.fixture(scope="module")
def alone():
    return answer()


@pytest.mark.slow
def test_threads_from_the_first_import_on(alone):
    script = _THREADS.replace("THREADS", "4" if os.environ.get("MOLTHEORY_FULL") is None else "16")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, timeout=240, check=True
    )
    first, second = done.stdout.splitlines()
    assert first.split(" ", 1)[1] == f"{ {alone} } True True"
    assert second == "None figure"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "method", ["spawn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("forkserver", "fork"))]
)
def test_processes_started_in_every_way(method, alone):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system starts no process by {method}")
    context = multiprocessing.get_context(method)
    with context.Pool(1) as pool:
        assert pool.apply_async(answer).get(timeout=240) == alone


@pytest.mark.slow
def test_a_process_forked_while_another_thread_draws_does_not_wait_for_it():
    # The child has the lock of the thread, and not the thread.
    script = """
import os, threading, warnings
from moltheory._core._shared_state import one_thread, warnings_as

inside, out = threading.Event(), threading.Event()

def hold():
    with one_thread():
        inside.set()
        out.wait()

thread = threading.Thread(target=hold)
thread.start()
inside.wait()
warnings.simplefilter("ignore")
child = os.fork()
if not child:
    with warnings_as("ignore"):
        os._exit(7)
status = os.waitpid(child, 0)[1]
out.set()
print(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("7\n", "")


@pytest.mark.parametrize("category", [Warning, UserWarning])
def test_filters_of_warnings_are_as_before(category):
    import warnings

    from moltheory._core._shared_state import warnings_as

    before = list(warnings.filters)
    with warnings_as("error", category), pytest.raises(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)
    with warnings_as("ignore", category):
        warnings.warn("not heard", UserWarning, stacklevel=1)
    assert warnings.filters == before
