"""Commands ended by signals: one sentence, the right status, nothing half-written, at whatever moment."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from moltheory._cli._signals import Ended
from moltheory.cli import main

_FULL = os.environ.get("MOLTHEORY_FULL") == "1"
_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def losses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).random((30, 3))
    Path("losses.csv").write_text("\n".join(["a,b,c", *(",".join(map(str, row)) for row in rows)]))


pytestmark = pytest.mark.usefixtures("default_signals")


def _raising(number):
    def raising(*args, **kwargs):
        signal.raise_signal(number)
        # Sent twice at once, as by a process group and its leader.
        raise AssertionError("not reached")

    return raising


@pytest.mark.parametrize("number", _SIGNALS)
def test_status_and_sentence(number, losses, monkeypatch, capsys):
    before = [signal.getsignal(one) for one in _SIGNALS]
    monkeypatch.setattr("moltheory.certification.certify", _raising(number))
    assert main(["certify", "losses.csv", "--html", "page.html"]) == 128 + number
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert ("interrupted" if number == signal.SIGINT else number.name) in err
    assert os.listdir() == ["losses.csv"]
    assert [signal.getsignal(one) for one in _SIGNALS] == before


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_in_the_middle_of_writing(call, losses, monkeypatch, capsys):
    original = getattr(os, call)

    def ended(*args, **options):
        result = original(*args, **options)
        if sys._getframe(1).f_code.co_filename.endswith("_files.py"):
            signal.raise_signal(signal.SIGTERM)
        return result

    monkeypatch.setattr(os, call, ended)
    assert main(["certify", "losses.csv", "--html", "page.html"]) == 143
    assert capsys.readouterr().err.count("\n") == 1
    left = sorted(os.listdir())
    assert left in (["losses.csv"], ["losses.csv", "page.html"])
    assert "page.html" not in left or Path("page.html").read_text().rstrip().endswith("</html>")


def test_twice_at_once_is_once(losses, monkeypatch, capsys):
    def tidying(*args, **kwargs):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            Path("tidied").touch()

    monkeypatch.setattr("moltheory.certification.certify", tidying)
    assert main(["certify", "losses.csv"]) == 143
    assert Path("tidied").exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_signals_that_others_handle_are_theirs(losses, capsys):
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append(1)), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.MonkeyPatch.context() as patch:
            from moltheory import certification

            original = certification.certify

            def certify(*args, **kwargs):
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGHUP)
                return original(*args, **kwargs)

            patch.setattr(certification, "certify", certify)
            assert main(["certify", "losses.csv"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGHUP, before[1])
    assert seen == [1]
    assert capsys.readouterr().out


def test_in_another_thread(losses, capsys):
    found = []
    thread = threading.Thread(target=lambda: found.append(main(["certify", "losses.csv"])))
    thread.start()
    thread.join()
    assert found == [0]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "/cache"), FileNotFoundError(2, "No folder")])
def test_what_the_system_refuses_to_a_library_is_one_sentence(error, losses, monkeypatch, capsys):
    def failing(*args, **kwargs):
        raise error

    monkeypatch.setattr("moltheory.certification.certify", failing)
    assert main(["certify", "losses.csv"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert error.strerror in err


_LOST = """
import os, signal, sys, time
from moltheory import cli

class Hides:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)

def main():
    {}
    time.sleep(30)

cli.main = main
from moltheory.__main__ import run
sys.exit(run())
"""
_LOSSES = {
    "never lost": "os.kill(os.getpid(), signal.SIGTERM)",
    # Python says that it ignores what is raised here, and goes on.
    "in a finalizer": "Hides()",
    "caught": """
    try:
        os.kill(os.getpid(), signal.SIGTERM); time.sleep(0.01)
    except BaseException:
        pass""",
    "caught for ever": """
    for _ in range(10_000):
        try:
            os.kill(os.getpid(), signal.SIGTERM); time.sleep(0.01)
        except BaseException:
            pass""",
    "a thread that does not end": "import threading; threading.Thread(target=time.sleep, args=(30,)).start(); Hides()",
}


@pytest.mark.parametrize("way", _LOSSES)
def test_a_signal_that_is_lost_ends_the_process_too(way):
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _LOST.format(_LOSSES[way])], capture_output=True, text=True)
    assert done.returncode == 143
    assert done.stderr == "moltheory: ended by SIGTERM; files already written are complete.\n"
    assert time.perf_counter() - start < 25


@pytest.mark.parametrize(
    "closed",
    ["<&- >&- 2>&-", *(pytest.param(one, marks=pytest.mark.slow) for one in ("<&-", ">&-", "2>&-"))],
)
def test_streams_that_are_closed(closed, tmp_path):
    """No file takes their place: what is printed would land in it, and workers would lose their connection."""
    command = f"{sys.executable} -m moltheory reproduce --quick --only weights --n-jobs 2 --out {tmp_path}/out {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "index.html").read_text().rstrip().endswith("</html>")


@pytest.mark.slow
def test_signals_at_random_moments(losses):
    """From the first import on, in whatever library: the sentence, or silence while the interpreter starts."""
    rng = np.random.default_rng(143)
    command = [sys.executable, "-m", "moltheory", "certify", "losses.csv", "--html", "page.html"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    said = 0
    for k in range(200 if _FULL else 12):
        number = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT][k % 3]
        Path("page.html").unlink(missing_ok=True)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(seconds * rng.uniform(0.15, 1))
        process.send_signal(number)
        if k % 2:
            process.send_signal(number)
        _, err = process.communicate(timeout=30)
        said += process.returncode == 128 + number
        assert process.returncode in (0, -number, 128 + number)
        assert err.count("\n") == (process.returncode == 128 + number) or process.returncode == -number
        assert "Traceback" not in err
        assert {*os.listdir()} <= {"losses.csv", "page.html"}
    assert said


def test_an_end_is_an_interrupt():
    """Libraries let Ctrl-C through, and so they do this."""
    assert issubclass(Ended, KeyboardInterrupt)
    assert not issubclass(Ended, Exception)
