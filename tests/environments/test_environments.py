"""The same results, in silence, whatever the environment: variables, folders, descriptors, flags of the interpreter."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.environments import _child

_ROOT = Path(__file__).parents[2]
# What a row sets, and what others of these would change.
_SET = ("HOME", "MPLCONFIGDIR", "MPLBACKEND", "DISPLAY", "TMPDIR", "LC_ALL", "LANG", "PYTHONPATH", "PYTHONWARNINGS")
_NOWHERE = "/dev/null/nowhere"


@dataclass(frozen=True)
class Row:
    """Variables (None: unset), flags of the interpreter, and what a process does before it starts."""

    name: str
    variables: dict[str, str | None] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    before: Callable[[], object] | None = None


def _closed(*descriptors: int) -> Callable[[], object]:
    return lambda: [os.close(descriptor) for descriptor in descriptors]


def _few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def _in_a_folder_that_is_gone() -> None:
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")


_NO_PLACE = {
    "HOME": "/dev/null",
    "XDG_CACHE_HOME": _NOWHERE,
    "XDG_CONFIG_HOME": "relative",
    "MPLCONFIGDIR": None,
    "NUMBA_CACHE_DIR": _NOWHERE,
    "TMPDIR": _NOWHERE,
}
_ASCII = {
    "LC_ALL": "C",
    "LANG": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
}
_NO_SCREEN = {"MPLBACKEND": "tkagg", "DISPLAY": None, "COLUMNS": "1", "LINES": "x", "TERM": "dumb"}
_THREADS = {"OMP_NUM_THREADS": "abc", "OPENBLAS_NUM_THREADS": "7", "MKL_NUM_THREADS": "0", "NUMBA_NUM_THREADS": "1"}
# Old releases use what newer ones of their own dependencies deprecate; the other tests see to that of the package.
_STRICT = {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error,ignore::DeprecationWarning"}
_STRICT_AND_ASCII = {**_ASCII, **_STRICT, "PYTHONHASHSEED": "1"}
# All at once, in one process; then in three.
ALL = Row(
    "all at once",
    # Optimized, all modules are compiled again.
    {**_NO_PLACE, **_NO_SCREEN, **_THREADS, **_STRICT_AND_ASCII, "PYTHONOPTIMIZE": None},
    ("-bb", "-P"),
    lambda: (_few_descriptors(), os.close(0)),
)
GROUPS = (
    Row("no place to write, no screen", {**_NO_PLACE, **_NO_SCREEN, **_THREADS}),
    Row("strict interpreter, ASCII only", {**_STRICT_AND_ASCII, "PYTHONDEVMODE": "1"}),
    Row("few descriptors, no folder", {"HOME": None}, before=lambda: (_few_descriptors(), _in_a_folder_that_is_gone())),
)
ALONE = (
    Row("as usual"),
    Row("HOME unset", {"HOME": None}),
    *(Row(f"{name}={value}", {name: value}) for name, value in _NO_PLACE.items()),
    Row("ASCII", _ASCII),
    Row("an unknown locale", {"LC_ALL": "xx_YY.foo"}),
    *(Row(f"{name}={value}", {name: value}) for name, value in {**_NO_SCREEN, **_THREADS, **_STRICT}.items()),
    Row("a backend that is not there", {"MPLBACKEND": "module://nowhere"}),
    Row("other threads", {"OMP_NUM_THREADS": "7", "NUMBA_NUM_THREADS": "7"}),
    *(Row(f"hash seed {seed}", {"PYTHONHASHSEED": seed}) for seed in ("0", "123456789")),
    *(Row(f"{name}=1", {name: "1"}) for name in ("PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")),
    *(Row(flag, flags=(flag,)) for flag in ("-O", "-bb")),
    *(Row(f"{k} closed", before=_closed(*k)) for k in ((0,), (1,), (2,), (0, 1, 2))),
    Row("32 descriptors", before=_few_descriptors),
    # Nothing is written beside the modules, where others could not read it afterwards.
    *(
        Row(f"umask {mask:o}", {"PYTHONDONTWRITEBYTECODE": "1"}, before=lambda mask=mask: os.umask(mask))
        for mask in (0, 0o777)
    ),
    Row("a working directory that is gone", before=_in_a_folder_that_is_gone),
)


@pytest.fixture(scope="module")
def losses(tmp_path_factory):
    path = tmp_path_factory.mktemp("losses") / "losses.csv"
    rows = (np.random.default_rng(0).random((200, 4)) < [0.1, 0.2, 0.4, 0.6]).astype(int)
    path.write_text("a,b,c,Ω\n" + "".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def usual(losses, tmp_path_factory):
    """Digests of the results here."""
    return _child.digests(str(losses), tmp_path_factory.mktemp("usual"))


def _run(row, script, arguments, folder):
    variables = {name: value for name, value in os.environ.items() if name not in _SET}
    variables["PYTHONPATH"] = str(_ROOT)
    for name, value in row.variables.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
    return subprocess.run(
        [sys.executable, *row.flags, str(script), *arguments],
        env=variables,
        cwd=folder,
        preexec_fn=row.before,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
    )


@pytest.mark.parametrize(
    "row",
    [
        ALL,
        *(
            pytest.param(row, marks=pytest.mark.slow)
            for row in (*GROUPS, *(ALONE if os.environ.get("MOLTHEORY_FULL") else ()))
        ),
    ],
    ids=lambda row: row.name,
)
def test_results_are_the_same_and_nothing_is_said(row, losses, usual, tmp_path):
    found = _run(row, _child.__file__, [str(losses), str(tmp_path)], tmp_path)
    assert (found.returncode, found.stderr.decode()) == (0, "")
    assert json.loads((tmp_path / "digests.json").read_text()) == usual


def test_a_backend_that_matplotlib_does_not_know_is_refused_in_one_sentence(losses, tmp_path):
    command = ["certify", str(losses), "--plot", str(tmp_path / "figure.png")]
    main = tmp_path / "main.py"
    main.write_text("import sys\nfrom moltheory.cli import main\nsys.exit(main())\n")
    found = _run(Row("unknown", {"MPLBACKEND": "nonsense"}), main, command, tmp_path)
    assert (found.returncode, found.stdout) == (2, b"")
    assert found.stderr.decode() == (
        "moltheory: `MPLBACKEND` must name a backend of matplotlib, got 'nonsense': unset this variable of the "
        "environment.\n"
    )
    assert not (tmp_path / "figure.png").exists()


_HOSTILE = ("numpy", "types", "json", "moltheory", "joblib", "cloudpickle", "sitecustomize", "matplotlib")


@pytest.mark.slow
def test_files_of_the_working_directory_are_not_imported(losses, tmp_path):
    # As a console script does, which stands in a folder of its own; worker processes follow.
    script = tmp_path / "bin" / "moltheory"
    script.parent.mkdir()
    script.write_text(
        "import sys\nfrom moltheory.cli import main\n"
        "import moltheory as mt\nif __name__ == '__main__':\n"
        "    mt.experiments.asymmetry(mt.problems.two_coins(), sizes=[2], replicates=600, rng=1, n_jobs=2)\n"
        "    sys.exit(main())\n"
    )
    for name in _HOSTILE:
        (tmp_path / f"{name}.py").write_text("open('imported', 'a').write(__name__)\nraise SystemExit(3)\n")
    found = _run(Row("hostile"), script, ["certify", str(losses), "--minimise", "loss"], tmp_path)
    assert (found.returncode, found.stderr.decode()) == (0, "")
    assert not (tmp_path / "imported").exists()
