"""Which class of an object's ancestry says what: a declaration counts only for the behavior it was made for.

A subclass that changes what an object computes, and inherits what its parent declared about the computation, would
be taken for its parent. So the two are looked up together. A class that comes later in the method resolution order may
still take part, by `super()`; so every class that defines a method counts, not only the first.
"""

from __future__ import annotations

import numpy as np

from moltheory.errors import InvalidInputError

__all__ = ["check_together", "declares", "definers", "owner", "split_definitions", "stands"]


def owner(kind: type, name: str) -> type:
    """Return the class in the method resolution order of `kind` that defines an attribute."""
    for ancestor in kind.__mro__:
        if name in ancestor.__dict__:
            return ancestor
    return object


def definers(kind: type, *names: str) -> list[type]:
    """Return the classes in the method resolution order of `kind` that define one of the names, not as abstract."""
    return [ancestor for ancestor in kind.__mro__ if any(_defines(ancestor, name) for name in names)]


def stands(kind: type, declaration: str, *behavior: str) -> bool:
    """Return whether `declaration` was made at or below every class that defines a `behavior`."""
    # Membership, not `issubclass`, which a registration or a hook may answer.
    above = owner(kind, declaration).__mro__
    return all(definer in above for definer in definers(kind, *behavior))


def declares(thing: object, declaration: str, *behavior: str) -> bool:
    """Return whether an object's class declares a flag, as True and not as something truthy, for the behavior it has.

    Raises
    ------
    InvalidInputError
        If the flag is no bool.
    """
    kind = type(thing)
    said = getattr(thing, declaration)
    if not isinstance(said, bool | np.bool_):
        raise InvalidInputError(
            f"`{declaration}` must be True or False, got {type(said).__name__} from {kind.__name__}: make it an "
            "attribute of the class, or a property."
        )
    return bool(said) and not _on_object(thing, (declaration, *behavior)) and stands(kind, declaration, *behavior)


def split_definitions(kind: type, names: tuple[str, ...]) -> tuple[type, str, str] | None:
    """Return a class, a method that it defines, and one that it does not although they belong together; None if none.

    The first class in the method resolution order that defines one of them must define all; so must each class that is
    not above it, as cooperating classes call each other by `super()`.
    """
    owners = {name: owner(kind, name) for name in names}
    latest = next(ancestor for ancestor in kind.__mro__ if ancestor in owners.values())
    beside = [ancestor for ancestor in definers(kind, *names) if ancestor not in latest.__mro__]
    for definer in (latest, *beside):
        changed = [name for name in names if name in definer.__dict__]
        kept = [name for name in names if name not in definer.__dict__]
        if kept:
            return definer, changed[0], kept[0]
    return None


def check_together(
    argument: str, noun: str, thing: object, names: tuple[str, ...], flags: tuple[str, ...] = ()
) -> None:
    """Refuse an object that has some of its methods from one class and some from another, or set on itself.

    Raises
    ------
    InvalidInputError
        Also if a flag is set on the object, other than False.
    """
    kind = type(thing)
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    own = _on_object(thing, (*names, *flags))
    if own:
        raise InvalidInputError(
            f"`{argument}` must hold {noun} that are what their class says, got {kind.__name__} with {own[0]} set on the "
            f"object: write a class that defines {listed}."
        )
    split = split_definitions(kind, names)
    if split is not None:
        definer, changed, kept = split
        raise InvalidInputError(
            f"`{argument}` must hold {noun} whose {listed} are defined together, got {definer.__name__}, which defines "
            f"{changed} and inherits {kept}: define it there too."
        )


def _on_object(thing: object, names: tuple[str, ...]) -> list[str]:
    own = getattr(thing, "__dict__", {})
    return [name for name in names if name in own and own[name] is not False]


def _defines(kind: type, name: str) -> bool:
    return name in kind.__dict__ and not getattr(kind.__dict__[name], "__isabstractmethod__", False)
