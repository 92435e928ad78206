"""What SECURITY.md promises, held against the source: no code in data is run, no network, no shell, nothing extracted."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import moltheory

_ROOT = Path(moltheory.__file__).parent

_MODULES = """
pickle cPickle _pickle marshal shelve dbm dill cloudpickle jsonpickle yaml runpy code imp socket socketserver ssl
urllib urllib3 http httpx requests aiohttp ftplib smtplib poplib imaplib telnetlib xmlrpc webbrowser asyncio xml lxml
sqlite3 subprocess multiprocessing pty ctypes cffi fsspec huggingface_hub boto3
"""
"""Modules that can run what is in a file, reach the network, start programs, or read XML with entities."""

_WHY = {
    ("evaluation/_model_cost.py", "pickle"): "counts the bytes of an estimator that the user gives; writes only",
    ("runs/_pool.py", "pickle"): "results of own workers, over private pipes",
    ("runs/_pool.py", "cloudpickle"): "calls for own workers, over private pipes; writes only",
    ("runs/_pool.py", "socket"): "a pair of connected sockets without an address, for an own worker",
    ("runs/_pool.py", "subprocess"): "starts own workers, without a shell",
    ("runs/_pool.py", "multiprocessing"): "connections to own workers",
    ("runs/_worker.py", "pickle"): "calls from the own parent, over a private pipe",
    ("runs/_worker.py", "cloudpickle"): "answers to the own parent; writes only",
    ("runs/_worker.py", "multiprocessing"): "the connection to the own parent",
    ("runs/_remote.py", "pickle"): "large arrays for the workers of a backend that the user chose and started",
    ("runs/_remote.py", "cloudpickle"): "answers of these workers; writes only",
    ("runs/_remote.py", "socket"): "the name of this machine, for a refusal",
    ("runs/_objects.py", "fsspec"): "object storage, where the user names a URL as the place of a run",
    ("_cli/_gate.py", "xml"): "writes test cases; reads nothing",
    ("certification/_svg.py", "xml"): "the figure just drawn, to change its attributes; nothing from outside",
    ("_core/_kernel_cache.py", "pickle"): "numba's cache of machine code, which is the user's own",
    (
        "images/_plain_pickle.py",
        "pickle",
    ): "the Python version of CIFAR, by an unpickler that admits arrays of bytes only",
}
"""Exceptions, by file and module, with the reason."""

_CALLS = {"eval", "exec", "compile", "__import__", "execfile", "input", "breakpoint"}
_METHODS = """
os.system os.popen os.startfile os.fork extractall extract unpack_archive read_pickle from_pickle read_html read_sql urlopen
urlretrieve yaml.load joblib.load hub.load
"""


@cache
def _sources() -> dict[str, ast.Module]:
    paths = sorted(_ROOT.rglob("*.py"))
    return {path.relative_to(_ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _called(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_modules_that_run_or_reach_out_are_imported_for_a_reason_only() -> None:
    found = {(file, name) for file, tree in _sources().items() for name in _imported(tree) if name in _MODULES.split()}
    assert found - _WHY.keys() == set(), "not allowed, or to be listed with its reason"
    assert _WHY.keys() - found == set(), "listed, and no longer imported"


def test_nothing_is_evaluated_extracted_or_sent_to_a_shell() -> None:
    for file, tree in _sources().items():
        for name, node in _called(tree):
            assert name not in _CALLS, f"{name} in line {node.lineno} of {file}"
            last = ".".join(name.split(".")[-2:])
            assert last not in _METHODS.split(), f"{name} in line {node.lineno} of {file}"
            assert last.split(".")[-1] not in _METHODS.split(), f"{name} in line {node.lineno} of {file}"
            assert not last.split(".")[-1].startswith("fetch_"), f"{name} in line {node.lineno} of {file}"


@pytest.mark.parametrize(
    ("function", "keyword", "value"),
    [("torch.load", "weights_only", True), ("np.load", "allow_pickle", False), ("read_array", "allow_pickle", False)],
)
def test_what_can_unpickle_is_told_not_to(function: str, keyword: str, value: bool) -> None:
    count = 0
    for file, tree in _sources().items():
        for name, node in _called(tree):
            if name == function or name.endswith(f".{function}"):
                count += 1
                given = {entry.arg: ast.literal_eval(entry.value) for entry in node.keywords if entry.arg == keyword}
                assert given == {keyword: value}, f"{name} in line {node.lineno} of {file}"
    assert count


def test_no_keyword_asks_for_pickles_or_a_shell() -> None:
    for file, tree in _sources().items():
        for name, node in _called(tree):
            for entry in node.keywords:
                if entry.arg in ("allow_pickle", "shell", "trust_remote_code"):
                    assert ast.unparse(entry.value) == "False", f"{name} in line {node.lineno} of {file}"


def test_templates_escape() -> None:
    """Every environment of Jinja escapes, and none loads templates from elsewhere."""
    count = 0
    for file, tree in _sources().items():
        for name, node in _called(tree):
            if name.split(".")[-1] == "Environment":
                count += 1
                assert {entry.arg: ast.unparse(entry.value) for entry in node.keywords}["autoescape"] == "True", file
    assert count


@pytest.mark.slow
def test_certify_uses_no_network_no_pickle_and_no_program() -> None:
    """From a file of each format, in a process in which none of these can be used."""
    code = """
import sys, tempfile, warnings
from pathlib import Path
from tests.malformed._mutations import Case, write_case
from tests.malformed._valid import specimens
import moltheory as mt
from moltheory.certification import certificate_page
from moltheory.cli import main

begun = False
page = [f"--html={tempfile.mkdtemp()}/page.html"]
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pickle.find_class", "urllib.",
             "http.", "ftplib.", "smtplib.", "webbrowser.", "marshal.loads", "shutil.unpack_archive")
IMPORTING = ("importlib", "<frozen")

def hook(event, arguments):
    if begun and event.startswith(FORBIDDEN):
        frame = sys._getframe(1)
        while frame:
            # Bytecode is read by marshal, where modules are imported.
            if frame.f_code.co_filename.startswith(IMPORTING):
                return
            frame = frame.f_back
        raise SystemError(f"{event} {arguments}")

sys.addaudithook(hook)
warnings.simplefilter("ignore")
KINDS = {"text": 3, "json": 30, "lines": 30, "zip": 30, "parquet": 2}
for specimen in specimens():
    # A few tables of each kind, and all logs.
    KINDS[specimen.layers[0]] = KINDS.get(specimen.layers[0], 1) - 1
    if KINDS[specimen.layers[0]] < 0 and not specimen.side:
        continue
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_case(Case(specimen, specimen.files[specimen.target]), folder)
        if specimen.given == ("-",):
            continue
        options = [f"--{name}={value if isinstance(value, str) else ','.join(value)}"
                   for name, value in specimen.options.items()]
        side = [word if word.startswith("--") else str(folder / word) for word in specimen.side]
        begun = True
        status = main(["certify", *(str(folder / name) for name in specimen.given), "--json", *options, *side, *page])
        page = []
        begun = False
        assert status == 0, specimen.name
print("done", file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT.parents[1], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.endswith("done\n")


def test_reasons_are_given_for_files_that_exist() -> None:
    assert (_ROOT.parents[1] / "SECURITY.md").is_file()
    assert {file for file, _ in _WHY} <= _sources().keys()
