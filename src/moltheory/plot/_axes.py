"""The axes on which a picture is drawn: those given, or new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moltheory._core._validation import check_choice
from moltheory.errors import InvalidInputError
from moltheory.plotting import fit, new_axes, panels, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["drawing", "drawing_pair", "refused"]

_THEMES = ("light", "dark")


@contextmanager
def drawing(ax: Any, theme: str | None, *, size: tuple[float, float] = (7.0, 4.6)) -> Iterator[Axes]:
    """Give the axes to draw on: those given, checked, or new ones, in the style of the package while they are drawn on."""
    if ax is not None:
        _check_theme(theme)
        yield _checked("ax", ax)
        fit(ax)
        return
    with styled(theme):
        yield new_axes(size=size, theme=theme)


@contextmanager
def drawing_pair(ax: Any, theme: str | None) -> Iterator[Any]:
    """Give two axes to draw on: those given, checked, or two new ones side by side."""
    if ax is None:
        with styled(theme):
            yield panels(2, theme=theme)[1]
        return
    _check_theme(theme)
    given = list(ax.flat if hasattr(ax, "flat") else ax) if isinstance(ax, Iterable) else [ax]
    if len(given) != 2:
        raise InvalidInputError(f"`ax` must be two Axes, as plt.subplots(1, 2)[1] gives them, got {len(given)}.")
    from moltheory.plotting._shown_axes import AxesList

    axes = AxesList(_checked("ax", one) for one in given)
    yield axes
    for one in axes:
        fit(one)


def refused(name: str, value: object, wanted: str) -> InvalidInputError:
    """Return the refusal of an argument of the wrong type."""
    return InvalidInputError(f"`{name}` must be {wanted}, got {_article(type(value).__name__)}.")


def _checked(name: str, ax: Any) -> Axes:
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise refused(name, ax, "Axes of matplotlib, as plt.subplots()[1] gives them")
    return ax


def _check_theme(theme: str | None) -> None:
    if theme is not None:
        check_choice("theme", theme, _THEMES)


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"
