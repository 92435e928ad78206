"""All public modules of the package."""

import pkgutil
from importlib import import_module
from types import ModuleType

import moltheory


def public_modules() -> list[ModuleType]:
    """The package, and every module of which no part of the name is private."""
    names = [info.name for info in pkgutil.walk_packages(moltheory.__path__, "moltheory.")]
    public = [name for name in names if not any(part.startswith("_") for part in name.split(".")[1:])]
    return [moltheory, *(import_module(name) for name in public)]
