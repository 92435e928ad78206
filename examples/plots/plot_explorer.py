"""
The explorer on a page of its own
=================================

Drag the true risks of a few models, choose the number of examples, press *Sample*, and watch both errors.
:func:`moltheory.explorer.explorer_page` returns it as one self-contained page, which needs neither Python nor a server nor
the network: write it to a file, such as ``explorer.html``. In Jupyter ``mt.explore(world)`` shows the same one.
"""

from html import escape

import moltheory as mt

world = mt.problems.two_coins()
page = mt.explorer.explorer_page(world, n=10)

# %%
# Here it is, in a frame of this page.


class Frame:
    """A page inside another one, as high as it needs to be."""

    def _repr_html_(self):
        fit = "this.style.height = this.contentDocument.body.scrollHeight + 40 + 'px'"
        style = "width: 100%; height: 60rem; border: 0"
        return (
            f'<iframe title="Explorer" style="{style}" onload="{fit}" '
            f'srcdoc="{escape(page)}"></iframe>'
        )


Frame()

# %%
# One sample of the same world, as a picture.

mt.plot.fronts(world, 10, rng=2)
