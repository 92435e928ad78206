"""Open by contract: no function sorts objects of a public base class by their kind without refusing the other kinds.

What the code needs to know about an object from outside is declared by the object. Two tests of one name for kinds of
a public base class in one function are a ladder; an object of no kind on it must be refused, not treated as the last.
"""

import ast
import importlib
import inspect
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import moltheory
from moltheory.evaluation import LossSource, Tail
from moltheory.objectives import (
    BlackBoxObjectives,
    ConvexObjectives,
    FiniteObjectives,
    Measure,
    QuadraticObjectives,
    SmoothObjectives,
)
from moltheory.problems import Problem
from moltheory.scalarization import Scalarization

_ROOT = Path(moltheory.__file__).parent
_BASES = (
    *(Scalarization, Measure, Tail, Problem, LossSource),
    *(FiniteObjectives, QuadraticObjectives, ConvexObjectives, SmoothObjectives, BlackBoxObjectives),
)
# Ladders that may stay open, with the reason: "module.function": "why an object of another kind is treated rightly".
_ALLOWED: dict[str, str] = {
    "moltheory.problems._protocol.as_problem": "what is of neither base is read by its attributes, or refused for them",
    "moltheory.problems._protocol._ReadInfinite.true_moduli": "0 is a modulus of every convex objective",
}


def _functions(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """Yield functions with their dotted names, methods and nested ones too, each once."""

    def walk(node: ast.AST, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = (*path, child.name)
                if isinstance(child, ast.FunctionDef):
                    yield ".".join(inner), child
                yield from walk(child, inner)
            else:
                yield from walk(child, path)

    return walk(tree, ())


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function, those of functions inside it left out."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield child
            yield from _own_nodes(child)


def _tests(node: ast.AST, classes: Any) -> tuple[set[str], set[str]]:
    """Return the expressions that a condition tests for kinds of the bases: as they are, and negated."""
    positive, negated = set(), set()

    def visit(node: ast.AST, sign: bool) -> None:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            visit(node.operand, not sign)
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            if classes(node.args[1]):
                (positive if sign else negated).add(ast.unparse(node.args[0]))
            return
        for child in ast.iter_child_nodes(node):
            visit(child, sign)

    visit(node, True)
    return positive, negated


def _raises(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Raise)


def _ladders(function: ast.AST, classes: Any) -> list[str]:
    """Return the expressions that a function sorts by kind in two tests or more, without refusing what is left."""
    rungs: dict[str, int] = defaultdict(int)
    refused: set[str] = set()
    for node in _own_nodes(function):
        conditions = [node.test] if isinstance(node, ast.If | ast.IfExp) else []
        conditions += node.ifs if isinstance(node, ast.comprehension) else []
        for condition in conditions:
            positive, negated = _tests(condition, classes)
            for name in positive:
                rungs[name] += 1
            if isinstance(node, ast.If):
                refused |= negated if _raises(node.body) else set()
                refused |= positive if _raises(node.orelse) else set()
        if isinstance(node, ast.Match):
            cases = [case for case in node.cases if isinstance(case.pattern, ast.MatchClass)]
            name = ast.unparse(node.subject)
            rungs[name] += sum(bool(classes(case.pattern.cls)) for case in cases)  # type: ignore[attr-defined]
            refused |= {name} if _raises(node.cases[-1].body) else set()
    for node in (function, *_own_nodes(function)):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and len(block) > 1 and _raises(block):
                for statement in block[:-1]:
                    if isinstance(statement, ast.If):
                        refused |= _tests(statement.test, classes)[0]
    return sorted(name for name, count in rungs.items() if count > 1 and name not in refused)


def _is_contract(module: ModuleType | None) -> Any:
    """Return a function that says whether the second argument of isinstance holds kinds of the bases."""

    def classes(node: ast.AST) -> bool:
        try:
            found = eval(ast.unparse(node), vars(module) if module else globals())
        except NameError:
            # Imported inside the function: by name.
            named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            return any(base.__name__ in named for base in _BASES)
        kinds = found if isinstance(found, tuple) else getattr(found, "__args__", (found,))
        return any(inspect.isclass(kind) and issubclass(kind, _BASES) for kind in kinds)

    return classes


def _found(source: str) -> list[str]:
    return [name for _, function in _functions(ast.parse(source)) for name in _ladders(function, _is_contract(None))]


_OPEN = {
    "if and elif": """
def f(x):
    if isinstance(x, QuadraticObjectives):
        return 1
    elif isinstance(x, ConvexObjectives):
        return 2
    else:
        return 3
""",
    "returns": """
def f(x):
    if isinstance(x, QuadraticObjectives):
        return 1
    y = 3
    if isinstance(x, ConvexObjectives) and y:
        return 2
    return 3
""",
    "conditional expression": """
def f(x):
    return 1 if isinstance(x, QuadraticObjectives) else 2 if isinstance(x, ConvexObjectives) else 3
""",
    "comprehensions": """
def f(xs):
    return [x for x in xs if isinstance(x, Measure)], [x for x in xs if isinstance(x, Tail)]
""",
    "attribute": """
class C:
    def f(self):
        if isinstance(self.x, QuadraticObjectives):
            a = 1
        if isinstance(self.x, ConvexObjectives | SmoothObjectives):
            a = 2
        return a
""",
    "match": """
def f(x):
    match x:
        case QuadraticObjectives():
            return 1
        case ConvexObjectives():
            return 2
        case _:
            return 3
""",
    "refusal of another name": """
def f(x, y):
    if not isinstance(y, Problem):
        raise ValueError
    if isinstance(x, QuadraticObjectives):
        return 1
    if isinstance(x, ConvexObjectives):
        return 2
""",
}
_CLOSED = {
    "else raises": """
def f(x):
    if isinstance(x, QuadraticObjectives):
        return 1
    elif isinstance(x, ConvexObjectives):
        return 2
    else:
        raise ValueError
""",
    "ends in a refusal": """
def f(x):
    if isinstance(x, QuadraticObjectives):
        return 1
    if isinstance(x, ConvexObjectives):
        return 2
    raise ValueError
""",
    "refused before": """
def f(x):
    if not isinstance(x, QuadraticObjectives | ConvexObjectives):
        raise ValueError
    if isinstance(x, QuadraticObjectives):
        a = 1
    if isinstance(x, ConvexObjectives):
        a = 2
    return a
""",
    "match that refuses": """
def f(x):
    match x:
        case QuadraticObjectives():
            return 1
        case ConvexObjectives():
            return 2
        case _:
            raise ValueError
""",
    "one test": """
def f(x):
    if isinstance(x, QuadraticObjectives):
        return 1
    return 2
""",
    "other classes": """
def f(x):
    if isinstance(x, int):
        return 1
    if isinstance(x, str):
        return 2
    return 3
""",
    "two functions": """
def f(x):
    return isinstance(x, QuadraticObjectives) and 1

def g(x):
    def h(x):
        if isinstance(x, ConvexObjectives):
            return 1
    if isinstance(x, QuadraticObjectives):
        return 2
""",
}


@pytest.mark.parametrize("name", _OPEN)
def test_open_ladders_are_found(name: str) -> None:
    assert len(_found(_OPEN[name])) == 1


@pytest.mark.parametrize("name", _CLOSED)
def test_closed_ladders_are_no_ladders(name: str) -> None:
    assert _found(_CLOSED[name]) == []


def test_ladders_end_in_a_refusal() -> None:
    found = []
    for path in sorted(_ROOT.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "isinstance" not in source and "match " not in source:
            continue
        name = ".".join(("moltheory", *path.relative_to(_ROOT).with_suffix("").parts)).removesuffix(".__init__")
        classes = _is_contract(importlib.import_module(name))
        for where, function in _functions(ast.parse(source)):
            found += [f"{name}.{where}: {expression}" for expression in _ladders(function, classes)]
    open_ = [one for one in found if one.split(":")[0] not in _ALLOWED]
    assert open_ == [], "declare what these need to know, or refuse what is left"
    assert {one.split(":")[0] for one in found} >= set(_ALLOWED), "no longer needed in _ALLOWED"
