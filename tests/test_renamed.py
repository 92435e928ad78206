"""Names of modules before 0.2 still work, and say where their names live now."""

import importlib
import pickle
import subprocess
import sys
import warnings

import pytest

from moltheory._core import _renamed


def _old_names() -> list[str]:
    underscored = [f"{room}.{name}" for room, names in _renamed._UNDERSCORED.items() for name in names.split()]
    return sorted([*underscored, *_renamed._MOVED])


@pytest.mark.parametrize("name", _old_names())
def test_an_old_module_is_the_module_of_today(name: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = importlib.import_module(f"moltheory.{name}")
    try:
        assert module.__name__ != f"moltheory.{name}"
        assert module is sys.modules[module.__name__]
        assert module.__spec__ is not None
        assert module.__spec__.name == module.__name__
        ours = [str(w.message) for w in caught if f"moltheory.{name} is private" in str(w.message)]
        assert len(ours) == 1
        home = ours[0].rsplit(" ", 1)[1]
        assert importlib.import_module(home).__name__ == home
    finally:
        sys.modules.pop(f"moltheory.{name}", None)


def test_the_warning_names_the_line_of_the_import() -> None:
    code = "import warnings\nwarnings.simplefilter('always')\nimport moltheory.bounds.interval"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.startswith("<string>:3: DeprecationWarning: the module moltheory.bounds.interval")


def test_an_old_pickle_is_read() -> None:
    from moltheory.bounds import Interval, mean_interval

    interval = mean_interval([0.0, 1.0, 1.0], delta=0.1)
    old = pickle.dumps(interval, protocol=0).replace(b"moltheory.inference._interval", b"moltheory.bounds.interval")
    with pytest.warns(DeprecationWarning, match="private since 0.2"):
        loaded = pickle.loads(old)
    sys.modules.pop("moltheory.bounds.interval", None)
    assert isinstance(loaded, Interval)
    assert loaded.lower == interval.lower


@pytest.mark.filterwarnings("ignore:the module moltheory.bounds.means:DeprecationWarning")
def test_other_names_are_not_found() -> None:
    for name in ("moltheory.nonsense", "moltheory.bounds.nonsense", "moltheory.bounds.means.nonsense"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)
    sys.modules.pop("moltheory.bounds.means", None)
