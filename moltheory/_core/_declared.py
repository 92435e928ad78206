"""Which class of an object's ancestry says what: a declaration counts only for the behavior it was made for.

A subclass that changes what an object computes, and inherits what its parent declared about the computation, would
be taken for its parent. So the two are looked up together.
"""

from __future__ import annotations

__all__ = ["owner", "split_definitions", "stands"]


def owner(kind: type, name: str) -> type:
    """Return the class in the method resolution order of `kind` that defines an attribute."""
    for ancestor in kind.__mro__:
        if name in ancestor.__dict__:
            return ancestor
    return object


def stands(kind: type, declaration: str, *behavior: str) -> bool:
    """Return whether `declaration` was made by the class that defines each `behavior`, or below it."""
    return all(issubclass(owner(kind, declaration), owner(kind, name)) for name in behavior)


def split_definitions(kind: type, names: tuple[str, ...]) -> tuple[str, str] | None:
    """Return a method that a class changed and one it did not although they belong together; None if there is none."""
    owners = {name: owner(kind, name) for name in names}
    latest = next(ancestor for ancestor in kind.__mro__ if ancestor in owners.values())
    changed = next(name for name in names if owners[name] is latest)
    kept = [name for name in names if owners[name] is not latest]
    return (changed, kept[0]) if kept else None
