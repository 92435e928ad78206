"""Images for pages: small files, with the size at which they are shown."""

from __future__ import annotations

import io

__all__ = ["as_webp", "css_size"]

# Pixels of an image per pixel of the page: the text of a figure is then about as large as that of the page.
_DENSITY = 1.6


def as_webp(png: bytes) -> bytes:
    """Return the same picture as WebP without loss, at about a third of the size; as it is where Pillow lacks WebP."""
    from PIL import Image, features

    if not features.check("webp"):
        return png
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        # Figures have no transparent parts, and a channel for these costs bytes.
        image.convert("RGB").save(buffer, "webp", lossless=True, quality=75, method=4)
    return buffer.getvalue()


def css_size(image: bytes) -> tuple[int, int]:
    """Return the width and height, in pixels of the page, at which an image is shown where there is space.

    Examples
    --------
    >>> from moltheory.plotting import panels, to_bytes
    >>> css_size(to_bytes(panels(1)[0], "png"))
    (430, 370)
    """
    from PIL import Image

    with Image.open(io.BytesIO(image)) as opened:
        width, height = opened.size
    return round(width / _DENSITY), round(height / _DENSITY)
