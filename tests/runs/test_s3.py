"""Runs in S3, on a local server that speaks its protocol: kills, several writers, a server that goes away."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pandas as pd
import pytest

from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs import RunFolder, check_run, clean_runs, export_run, list_runs, merge_runs, read_record
from moltheory.runs import _objects as objects
from moltheory.runs._places import as_place
from moltheory.runs._record import RECORD_NAME
from tests.runs._jobs import N_PARTS, table

pytest.importorskip("s3fs")
pytest.importorskip("moto.server")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

_SECRET = "hidden-from-all"
_RUN = "import sys; from tests.runs._jobs import table; table(sys.argv[1], n_jobs=int(sys.argv[2]))"


class _Server:
    """A local S3, which forgets all when it ends."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "moto.server", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url, timeout=5):
                return
            time.sleep(0.1)
        pytest.fail("the server did not start")

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server():
    import s3fs

    names = {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    running = _Server()
    running.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (names | {"AWS_ENDPOINT_URL": running.url}).items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir("bucket")
        yield running
        s3fs.S3FileSystem.clear_instance_cache()
    running.stop()


@pytest.fixture
def url(server, request):
    return f"s3://bucket/{request.node.name}/run"


@pytest.fixture(scope="module")
def expected():
    return table()


def _start(url, n_jobs=1):
    return subprocess.Popen([sys.executable, "-c", _RUN, url, str(n_jobs)], start_new_session=True)


def _parts(url):
    return [name for name in as_place(url, argument="store").entries() if name.startswith("part-")]


def _wait_for_parts(url, least):
    for _ in range(1200):
        if len(_parts(url)) >= least:
            return
        time.sleep(0.02)
    pytest.fail("no parts appeared")


def _check_finished(url, expected):
    pd.testing.assert_frame_equal(table(url), expected, check_exact=True)
    assert read_record(url).is_finished
    assert check_run(url) == []
    names = as_place(url, argument="store").entries()
    assert len(names) == N_PARTS + 1, names


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_killed_and_resumed(url, expected, n_jobs):
    for least in (1, 10, 25):
        process = _start(url, n_jobs)
        _wait_for_parts(url, least)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        record = read_record(url)
        # What is there is whole.
        record.columns()
    _check_finished(url, expected)


@pytest.mark.parametrize("count", [2, 4])
def test_several_writers_on_one_run(url, expected, count):
    processes = [_start(url) for _ in range(count)]
    assert [process.wait() for process in processes] == [0] * count
    _check_finished(url, expected)


def test_a_writer_and_one_of_another_run(url, refuses):
    process = _start(url)
    _wait_for_parts(url, 1)
    refuses("store", table, url, rng=6)
    assert process.wait() == 0
    refuses("store", table, url, rng=6)
    assert read_record(url).entropy == 5


def test_one_of_many_creates(url):
    """The server refuses to replace an object that must be new."""
    won = []
    place = as_place(url, argument="store") / RECORD_NAME
    threads = [threading.Thread(target=lambda k=k: won.append(place.write(str(k), overwrite=False))) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) >= 1
    assert not place.write("late", overwrite=False)
    assert place.read() != b"late"


def test_the_wrong_variant_replaces(url):
    """A put without a condition: the second record replaces the first."""
    place = as_place(url, argument="store") / RECORD_NAME
    assert place.write("first")
    assert place.write("second")
    assert place.read() == b"second"


def test_damaged_and_foreign_content(url, expected, refuses):
    place = as_place(url, argument="store")
    (place / "mine.txt").write("mine")
    refuses("store", table, url)
    (place / "mine.txt").remove()
    table(url)
    name = sorted(_parts(url))[3]
    whole = (place / name).read()
    for content in (b"", whole[:-1], whole[:100] + b"x" + whole[101:], b"mine"):
        (place / name).write(content)
        with pytest.raises(InvalidInputError, match=name):
            table(url)
        assert len(check_run(url)) == 1
    (place / name).remove()
    _check_finished(url, expected)


def test_a_server_that_goes_away_for_a_while(server, url, expected):
    process = _start(url)
    _wait_for_parts(url, 5)
    server.pause()
    time.sleep(6)
    server.go_on()
    assert process.wait() == 0
    _check_finished(url, expected)


def test_places_that_are_not_there(url, monkeypatch):
    with pytest.raises(OutputError, match="bucket does not exist"):
        RunFolder.open("s3://no-such-bucket/run", parameters={}, rng=0, keys=["a"])
    import s3fs

    monkeypatch.setattr(objects, "_DELAYS", ())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(OutputError, match="check the connection to it") as caught:
            RunFolder.open(url, parameters={}, rng=0, keys=["a"])
        assert _SECRET not in str(caught.value)
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


def test_no_credential_is_written(url):
    table(url, n_jobs=2)
    place = as_place(url, argument="store")
    for name in place.entries():
        content = (place / name).read()
        assert _SECRET.encode() not in content
        assert b"tester" not in content
    assert _SECRET not in repr(RunFolder(place, read_record(url)))


def test_the_tools(url, expected, tmp_path):
    for seed in (5, 6):
        table(f"{url}/{seed}", rng=seed)
    top = as_place(url, argument="place")
    assert list_runs(url)["place"].tolist() == [f"{url}/5", f"{url}/6"]
    record = merge_runs([f"{url}/5", f"{url}/6"], into=tmp_path / "both")
    assert len(record.columns()["size"]) == 2 * len(expected)
    merge_runs([f"{url}/5", f"{url}/6"], into=f"{url}/both")
    assert check_run(f"{url}/both") == []
    rows = export_run(f"{url}/5", tmp_path / "table.parquet")
    assert rows == len(expected)
    found = pd.read_parquet(tmp_path / "table.parquet").drop(columns="block")
    found = found.sort_values(["size", "replicate"], ignore_index=True)[list(expected)]
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    RunFolder.open(f"{url}/new", parameters={}, rng=0, keys=["a"])
    assert clean_runs(url, unfinished_after=0)["place"].tolist() == [f"{url}/new"]
    clean_runs(url, unfinished_after=0, remove=True)
    assert not [name for name in top.entries(below=True) if name.startswith("new/")]


def test_workers_of_a_cluster_write_to_it(url, expected):
    """Each finds the credentials in its own environment."""
    joblib = pytest.importorskip("joblib")
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        pd.testing.assert_frame_equal(table(url), expected, check_exact=True)
    _check_finished(url, expected)
