"""The public names of the package, each under its shortest path, and how texts find them.

``name`` in single backticks is a link where it is public (a name of the same subpackage, of `moltheory`, of the class
at hand, or a dotted name), and code elsewhere. A reference by any other public path, such as
`moltheory.certification.certify`, leads to the same place.
"""

import functools
import importlib
import importlib.util
import inspect
import os
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxRole

import moltheory

ROOT = Path(__file__).parents[2]
SOURCE = "https://github.com/moltheory/moltheory/blob/main"


@functools.cache
def modules() -> dict[str, object]:
    """Return the public modules by name, `moltheory` first."""
    names = [name for name in moltheory.__all__ if inspect.ismodule(getattr(moltheory, name))]
    return {"moltheory": moltheory, **{f"moltheory.{name}": getattr(moltheory, name) for name in names}}


@functools.cache
def aliases() -> dict[str, str]:
    """Return the shortest public path of every public path of every public name."""
    paths: dict[object, list[str]] = {}
    for module, contents in modules().items():
        for name in contents.__all__:
            value = getattr(contents, name)
            if inspect.ismodule(value) or name.startswith("__"):
                continue
            key = id(value) if inspect.isclass(value) or inspect.isroutine(value) else f"{module}.{name}"
            paths.setdefault(key, []).append(f"{module}.{name}")
    return {
        path: min(same, key=lambda one: (one.count("."), len(one), one)) for same in paths.values() for path in same
    }


def public_paths() -> list[str]:
    """Return the shortest paths of all public names, sorted."""
    return sorted(set(aliases().values()))


def found(path: str) -> object:
    """Return the object of a public path, or of a member of one."""
    module = next(name for name in sorted(modules(), key=len, reverse=True) if f"{path}.".startswith(f"{name}."))
    value = importlib.import_module(module)
    for part in path[len(module) :].strip(".").split("."):
        value = getattr(value, part) if part else value
    return value


def home(path: str) -> str:
    """Return the subpackage that defines the object of a path."""
    defined = getattr(found(path), "__module__", None) or path.rpartition(".")[0]
    return ".".join(defined.split(".")[:2])


def source_lines(module: str, name: str) -> tuple[str, int, int] | None:
    """Return the file (below the repository) of an object, and its first and last line."""
    try:
        value = inspect.unwrap(getattr(value, "fget", value)) if (value := found(f"{module}.{name}")) else value
        file, (lines, first) = inspect.getsourcefile(value), inspect.getsourcelines(value)
    except (AttributeError, TypeError, OSError):
        return None
    path = Path(os.path.realpath(file))
    return (path.relative_to(ROOT).as_posix(), first, first + len(lines) - 1) if path.is_relative_to(ROOT) else None


def shortest(target: str, near: tuple[str, ...] = (), parameters: frozenset[str] = frozenset()) -> str | None:
    """Return the public path that a text means, looked for below the paths `near`; None if there is none."""
    head, _, rest = target.partition(".")
    if target in modules():
        return target
    if not target.replace(".", "").replace("_", "").isalnum() or (not rest and head in parameters):
        return None
    # A class is meant wherever it lives, if only one has the name.
    classes = {path for path in aliases().values() if head[0].isupper() and path.endswith(f".{head}")}
    elsewhere = [one.rpartition(".")[0] for one in classes] if len(classes) == 1 else []
    for prefix in ("", *(f"{one}." for one in (*near, "moltheory", *elsewhere))):
        path = f"{prefix}{target}"
        if path in aliases():
            return aliases()[path]
        owner, _, member = path.rpartition(".")
        if owner in aliases() and inspect.isclass(found(owner)):
            fields = getattr(found(owner), "__dataclass_fields__", ())
            if not member.startswith("_") and (hasattr(found(owner), member) or member in fields):
                return f"{aliases()[owner]}.{member}"
    return None


class NameRole(SphinxRole):
    """The default role: a link where the name is public, code elsewhere."""

    def run(self):
        """Return a reference that is resolved when all pages are read."""
        reference = addnodes.pending_xref("", refdomain="", reftype="name", reftarget=self.text, refexplicit=False)
        reference["refdoc"] = self.env.docname
        reference["py:class"] = self.env.ref_context.get("py:class")
        reference["py:module"] = self.env.ref_context.get("py:module")
        reference += nodes.literal(self.rawtext, self.text, classes=["name"])
        return [reference], []


def resolve(app, env, node, contnode):
    """Find the page of a name; what is not public stays code."""
    is_name = node.get("reftype") == "name"
    if not is_name and node.get("refdomain") != "py":
        return None
    here = node.get("refdoc", "").rpartition("/")[2].removesuffix("-function")
    owner = ".".join(filter(None, (node.get("py:module"), node.get("py:class"))))
    near, parameters = [owner] if owner in aliases() else [], frozenset()
    if here in aliases():
        near += [here, home(here)]
        parameters = _parameters(found(here))
    target = node["reftarget"].removesuffix("()")
    path = shortest(target, tuple(near), parameters) or (None if is_name else shortest(f"{owner}.{target}"))
    domain = env.domains["py"]
    # A field of a class is described on the class's page, without a place of its own.
    for place in (path, path and path.rpartition(".")[0]):
        entry = domain.objects.get(place) if place else None
        if entry and not (is_name and entry.docname == node.get("refdoc") and place == here):
            return domain.resolve_xref(
                env,
                node["refdoc"],
                app.builder,
                "mod" if entry.objtype == "module" else "obj",
                place,
                addnodes.pending_xref("", reftarget=place, refdoc=node["refdoc"]),
                contnode,
            )
    if is_name and re.fullmatch(r"moltheory(\.\w+)*\._\w+", target) and importlib.util.find_spec(target):
        # A proof or a derivation that stands in a module of its own.
        file = f"src/{target.replace('.', '/')}.py"
        return nodes.reference("", "", contnode, refuri=f"{SOURCE}/{file}", internal=False)
    is_meant = is_name and re.fullmatch(r"moltheory(\.\w+)+", target)
    return contnode if (is_name and not is_meant) or os.environ.get("MOLTHEORY_DOCS") == "pages" else None


@functools.cache
def _parameters(value: object) -> frozenset[str]:
    """Return the names of the parameters of a function, or of those of a class and its methods."""
    values = [value]
    if inspect.isclass(value):
        values += [getattr(value, name) for name in dir(value) if not name.startswith("_")]
    names: set[str] = set(getattr(value, "__dataclass_fields__", ()))
    for one in values:
        try:
            names |= set(inspect.signature(one).parameters)
        except (TypeError, ValueError):
            continue
    return frozenset(names)


_STAR = re.compile(r"(?<=\()\*(?=\w)")
_BARS = re.compile(r"\|(?=\S)([^|`]*\S)\|")


def escaped(text: str) -> str:
    """Return a line of a docstring with what RST would misread escaped: ``(*batch, K)`` and ``|a - b|``."""
    parts = re.split(r"(``.*?``|:math:`.*?`)", _STAR.sub(r"\\*", text))
    return "".join(part if i % 2 else _BARS.sub(r"\\|\1\\|", part) for i, part in enumerate(parts))


_SOURCE = re.compile(
    r"(?<![\w/.:`<])"
    r"(?:(10\.\d{4,9}/[^\s;,`]*\w(?:\(\d+\)[^\s;,`]*\w)?)"  # a DOI, which may hold a number in parentheses
    r"|arXiv (\d{4}\.\d{4,5}|[a-z]+/\d{7}))"
)


def with_links(text: str) -> str:
    """Return a line of a docstring with DOIs and arXiv numbers as links."""
    return _SOURCE.sub(lambda found: f"`{found[0]} <{_address(found)}>`__", text)


def _address(found: re.Match[str]) -> str:
    return f"https://doi.org/{found[1]}" if found[1] else f"https://arxiv.org/abs/{found[2]}"


def escape_docstring(app, what, name, obj, options, lines):
    """Escape the lines of a docstring and link its sources, apart from its examples and formulas."""
    formula = None  # how far the formula's directive is indented, inside of one
    for number, line in enumerate(lines):
        text = line.lstrip()
        indent = len(line) - len(text)
        if formula is not None and text and indent <= formula:
            formula = None
        if text.startswith(".. math::"):
            formula = indent
        if formula is None and not text.startswith((">>>", "...")):
            lines[number] = with_links(escaped(line))


def link_glossary(app, name, content):
    """Make links of the names and sources in the glossary, which is plain Markdown."""
    if name != "glossary":
        return

    def named(found: re.Match[str]) -> str:
        path = shortest(f"moltheory.{found[1].partition('(')[0]}")
        return f"{{py:obj}}`{found[1]} <{path}>`" if path else found[0]

    text = re.sub(
        r"^In the code: .*$", lambda line: re.sub(r"`([^`]+)`", named, line[0]), content[0], flags=re.MULTILINE
    )
    content[0] = _SOURCE.sub(
        lambda source: f"[{source[0]}]({_address(source)})", text.replace("\nIn the code:", "\\\nIn the code:")
    )


def setup(app):
    """Register the role and connect to docstrings and unresolved references."""
    app.add_role("name", NameRole())
    app.connect("autodoc-process-docstring", escape_docstring, priority=400)
    app.connect("missing-reference", resolve)
    app.connect("source-read", link_glossary)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
