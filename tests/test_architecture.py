"""The house holds: floors, light import, no function named like a module, small files."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import moltheory

_ROOT = Path(moltheory.__file__).parent
_FLOORS = {
    "errors": 0,
    "_core": 0,
    "pareto": 1,
    "scalarization": 1,
    "runs": 1,
    "objectives": 2,
    "oracle": 2,
    "plotting": 2,
    "inference": 2,
    "bounds": 3,
    "solvers": 3,
    "reports": 3,
    "evaluation": 3,
    "problems": 4,
    "certification": 4,
    "experiments": 5,
    "theorems": 5,
    "testing": 6,
    "figures": 6,
    "studies": 6,
    "_cli_certify": 6,
    "cli": 7,
    "__main__": 8,
}
# The one call upwards: the method `certify` of a table of losses, which is what people do with one.
_CLIMB = ("moltheory.evaluation._evaluated", "moltheory.certification")
_HEAVY = (
    "scipy",
    "pandas",
    "matplotlib",
    "moocore",
    "joblib",
    "tqdm",
    "numba",
    "sklearn",
    "cvxpy",
    "pymoo",
    "pyarrow",
    "torch",
)


def _room(module: str) -> str:
    return module.split(".")[1]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("moltheory", exclude_type_checking_imports=True, cache_dir=None)


def test_every_room_has_a_floor() -> None:
    found = {path.stem for path in _ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - {"__init__"} == set(_FLOORS)


def test_a_room_imports_lower_floors_only(graph: grimp.ImportGraph) -> None:
    wrong = []
    for importer in graph.modules - {"moltheory"}:
        for imported in graph.find_modules_directly_imported_by(importer) - {"moltheory"}:
            if (importer, imported) == _CLIMB:
                continue
            here, there = _room(importer), _room(imported)
            ground = there == "errors" and here == "_core"  # they share the ground floor: the errors come first
            if here != there and not ground and _FLOORS[there] >= _FLOORS[here]:
                wrong.append(f"{importer} -> {imported}")
    assert not wrong


def test_no_circular_imports(graph: grimp.ImportGraph) -> None:
    # A package's __init__ gathers names from its own modules; cycles among the modules themselves are not allowed.
    modules = [module for module in graph.modules if not (_ROOT.parent / module.replace(".", "/")).is_dir()]
    for module in modules:
        chain = None
        for imported in graph.find_modules_directly_imported_by(module):
            if imported in modules:
                chain = graph.find_shortest_chain(importer=imported, imported=module)
                assert chain is None or any(step not in modules for step in chain), chain


def test_importing_a_room_loads_nothing_heavy() -> None:
    # One process for all: what a room loads is seen right after it, in the order of the floors.
    rooms = sorted(set(_FLOORS) - {"__main__", "cli", "errors"}, key=lambda room: (_FLOORS[room], room))
    code = (
        "import importlib, sys\n"
        f"for name in ['moltheory', *(f'moltheory.{{room}}' for room in {rooms!r})]:\n"
        "    importlib.import_module(name)\n"
        f"    print(name, [heavy for heavy in {_HEAVY!r} if heavy in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = found.stdout.splitlines()
    assert len(lines) == 1 + len(rooms)
    assert [line for line in lines if not line.endswith(" []")] == []


def test_no_public_function_shares_a_name_with_a_module() -> None:
    modules = {info.name for info in pkgutil.walk_packages([str(_ROOT)], "moltheory.")}
    short = {name.rsplit(".", 1)[1] for name in modules}
    for name in modules - {"moltheory.__main__"}:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", []):
            if inspect.isfunction(getattr(module, public)):
                assert public not in short, f"{name}.{public}"


def test_public_names_resolve_and_are_documented() -> None:
    for name in moltheory.__all__:
        assert getattr(moltheory, name) is not None
    assert set(moltheory.__all__) <= set(dir(moltheory))
    for info in pkgutil.iter_modules([str(_ROOT)], "moltheory."):
        module = importlib.import_module(info.name) if info.name != "moltheory.__main__" else None
        for public in getattr(module, "__all__", []):
            value = getattr(module, public)
            if inspect.isfunction(value) or inspect.isclass(value):
                assert inspect.getdoc(value), f"{info.name}.{public}"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        moltheory.nonsense  # noqa: B018


def test_files_stay_small() -> None:
    long = {str(path): n for path in _ROOT.rglob("*.py") if (n := len(path.read_text().splitlines())) > 400}
    assert not long
