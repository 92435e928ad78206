"""The house holds: floors, light import, no function named like a module, small files."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import grimp
import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

import moltheory

_ROOT = Path(moltheory.__file__).parent
_FLOORS = {
    "errors": 0,
    "_core": 0,
    "pareto": 1,
    "scalarization": 1,
    "runs": 1,
    "images": 2,
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
    "explorer": 5,
    "plot": 6,
    "testing": 7,
    "figures": 7,
    "studies": 7,
    "_cli": 7,
    "cli": 8,
    "__main__": 9,
}
# The one call upwards, which closes the one circle: the method `certify` of a table of losses.
_CLIMB = ("moltheory.evaluation._table", "moltheory.certification")
_HEAVY = (
    "scipy",
    "pandas",
    "matplotlib",
    "moocore",
    "joblib",
    "fsspec",
    "cloudpickle",
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


def _circles(edges: list[tuple[str, str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one module: each module reaches each other one."""
    names = sorted({name for edge in edges for name in edge})
    number = {name: index for index, name in enumerate(names)}
    start, end = ([number[edge[k]] for edge in edges] for k in (0, 1))
    matrix = csr_array((np.ones(len(edges)), (start, end)), shape=(len(names), len(names)))
    _, label = connected_components(matrix, connection="strong")
    groups = [[names[index] for index in np.flatnonzero(label == group)] for group in np.unique(label)]
    return [group for group in groups if len(group) > 1]


def test_circles_are_found() -> None:
    """A shortest chain may pass a face, a longer one not: both circles count, and imports of types would too."""
    chain = [("a.x", "a"), ("a", "a.x"), ("a.x", "a.y"), ("a.y", "a.z"), ("a.z", "a.x"), ("b", "a"), ("c", "b")]
    assert _circles(chain) == [["a", "a.x", "a.y", "a.z"]]
    assert _circles(chain[2:]) == [["a.x", "a.y", "a.z"]]
    assert _circles([("a.x", "a.y"), ("a.x", "a.z"), ("a.y", "a.z")]) == []


def test_no_circular_imports_but_one(graph: grimp.ImportGraph) -> None:
    """Faces of packages and imports inside functions count; imports for type checkers alone do not."""
    edges = [(one, other) for one in sorted(graph.modules) for other in graph.find_modules_directly_imported_by(one)]
    assert _CLIMB in edges, f"no longer needed: {_CLIMB}"
    assert _circles([edge for edge in edges if edge != _CLIMB]) == []
    assert len(_circles(edges)) == 1


def test_imports_inside_functions_are_seen(graph: grimp.ImportGraph) -> None:
    for module in ("_check", "_check_pair"):
        assert graph.direct_import_exists(
            importer="moltheory.theorems._statement", imported=f"moltheory.theorems.{module}"
        )


def test_modules_inside_rooms_are_private() -> None:
    """Public names live in the faces of subpackages; what looks public in a room is a subpackage itself."""
    public = [
        path.relative_to(_ROOT).as_posix()
        for path in _ROOT.rglob("*.py")
        if path.parent != _ROOT and path.stem != "conftest" and not path.stem.startswith("_")
    ]
    assert public == []


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
            # `plot.bounds` draws bounds: nobody imports its functions without the name of their module.
            if inspect.isfunction(getattr(module, public)) and not name.startswith("moltheory.plot"):
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
