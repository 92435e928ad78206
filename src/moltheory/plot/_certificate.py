"""The picture of a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moltheory._core._docs import document
from moltheory.plot._axes import refused

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification import Certificate

__all__ = ["certificate"]


@document
def certificate(certificate: Certificate, *, ax: Axes | None = None, theme: str | None = None) -> Axes:
    """Return axes with the models of a certificate: estimates, intervals, and which are on the front for sure.

    Parameters
    ----------
    certificate : Certificate
        As `moltheory.certify` returns it.
    {new_axes}
    {theme}

    Returns
    -------
    matplotlib.axes.Axes, or a list of them for several panels

    Raises
    ------
    InvalidInputError
        If `certificate` is something else.

    Notes
    -----
    Complexity: O(M N) marks for M models and N objectives.

    Examples
    --------
    >>> import moltheory as mt
    >>> result = mt.certify([[[0, 1], [1, 1]]] * 40, delta=0.05)
    >>> ax = mt.plot.certificate(result)
    """
    from moltheory.certification import Certificate

    if not isinstance(certificate, Certificate):
        raise refused("certificate", certificate, "a Certificate, which moltheory.certify returns")
    draw: Any = certificate.plot
    drawn: Axes = draw(ax=ax) if theme is None else draw(ax=ax, theme=theme)
    return drawn
