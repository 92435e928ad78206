"""Names that were replaced: the old one works for two minor versions and warns, naming the new one."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast

__all__ = ["REMOVED_IN", "DeprecatedAlias", "renamed_names", "renamed_parameter", "warn_renamed"]

REMOVED_IN = "0.4"

_Value = TypeVar("_Value")
_Target = TypeVar("_Target", bound=Callable[..., Any])


def warn_renamed(old: str, new: str, *, stacklevel: int = 2) -> None:
    """Warn that `old` is a deprecated name of `new`; `stacklevel` counts from the function that calls this one."""
    message = f"{old} is deprecated and will be removed in moltheory {REMOVED_IN}: use {new}"
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel + 1)


class DeprecatedAlias(Generic[_Value]):
    """Read-only attribute that warns and returns another attribute of the same object.

    Parameters
    ----------
    new : str
        Name of the attribute to use instead.
    """

    def __init__(self, new: str) -> None:
        self._new = new
        self.__doc__ = f"Deprecated: use `{new}`."

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> _Value:
        if instance is None:
            # Documentation tools look at the class; that is no use of the name.
            return cast(_Value, self)
        kind = type(instance).__name__
        warn_renamed(f"{kind}.{self._name}", f"{kind}.{self._new}")
        return cast(_Value, getattr(instance, self._new))


def renamed_names(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module in which old `names` warn and give what the new ones stand for."""

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(f"{module}.{name}", f"{module}.{names[name]}")
        return getattr(sys.modules[module], names[name])

    return __getattr__


def renamed_parameter(old: str, new: str) -> Callable[[_Target], _Target]:
    """Return a decorator of a function or a class that accepts the keyword `old` for its parameter `new` and warns.

    Both at once are refused as Python refuses a repeated argument, with a TypeError.
    """

    def decorate(target: _Target) -> _Target:
        function: Callable[..., Any] = target.__init__ if isinstance(target, type) else target  # type: ignore[misc]
        renamed: dict[str, str] | None = getattr(function, "renamed_parameters", None)
        if renamed is not None:  # decorated before: one wrapper, so that warnings name the line of the caller
            renamed[old] = new
            return target
        renamed = {old: new}
        signature = inspect.signature(function)

        @functools.wraps(function)
        def accepting(*args: Any, **kwargs: Any) -> Any:
            given = {earlier: kwargs.pop(earlier) for earlier in renamed if earlier in kwargs}
            for earlier, value in given.items():
                name = renamed[earlier]
                if name in signature.bind_partial(*args, **kwargs).arguments:
                    raise TypeError(f"{target.__name__}() got `{name}` and its deprecated name `{earlier}`.")
                warn_renamed(f"the parameter `{earlier}` of {target.__name__}", f"`{name}`")
                kwargs[name] = value
            return function(*args, **kwargs)

        accepting.renamed_parameters = renamed  # type: ignore[attr-defined]
        if isinstance(target, type):
            target.__init__ = accepting  # type: ignore[misc]
            return target
        return cast(_Target, accepting)

    return decorate
