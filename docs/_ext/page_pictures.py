"""Pictures of pages: what the last Python block above a ``picture`` directive draws.

The blocks of the page up to there are run while the site is built, in one namespace and in an empty folder with
``data/examples``, as tests/docs runs them; so no picture is older than the code above it.
"""

import ast
import contextlib
import io
import os
import re
import shutil
import tempfile
import weakref
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

_BLOCK = re.compile(r"(^% not run:[^\n]*\n+)?^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Picture(SphinxDirective):
    """Shows the axes that the last Python block above returns; the argument is a text for those who see no picture."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        """Return a figure with the picture and, where there is content, a caption."""
        page = Path(self.env.doc2path(self.env.docname))
        above = "\n".join(page.read_text(encoding="utf-8").splitlines()[: self.lineno - 1])
        blocks = [code for left_out, code in _BLOCK.findall(above) if not left_out]
        pages = self.env.temp_data.setdefault("page_pictures", _Session(Path(self.env.srcdir).parent))
        picture, shape = pages.draw(blocks, str(page))
        folder = Path(self.env.doctreedir).parent / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.env.docname.replace('/', '-')}-{len(blocks)}.png"
        path.write_bytes(picture)
        image = nodes.image(uri=os.path.relpath(path, page.parent).replace(os.sep, "/"), alt=self.arguments[0])
        image["width"] = f"{shape['width']}px"
        figure = nodes.figure("", image, align="center")
        if self.content:
            figure += nodes.caption("", "", *self.parse_inline(" ".join(self.content), lineno=self.lineno)[0])
        return [figure]


class _Session:
    """Runs the blocks of one page, each once."""

    def __init__(self, root):
        self._folder = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, self._folder)
        examples = Path(self._folder) / "data" / "examples"
        examples.parent.mkdir()
        examples.symlink_to(root / "data" / "examples", target_is_directory=True)
        self._scope, self._n_run = {"__name__": "__main__"}, 0

    def draw(self, blocks, name):
        """Run what has not been run, and return what the last block shows: a PNG and its size."""
        import matplotlib

        matplotlib.use("Agg")
        with contextlib.chdir(self._folder), contextlib.redirect_stdout(io.StringIO()):
            for code in blocks[self._n_run : -1]:
                exec(compile(code, name, "exec"), self._scope)
            *statements, last = ast.parse(blocks[-1], name).body
            exec(compile(ast.Module(statements, []), name, "exec"), self._scope)
            shown = eval(compile(ast.Expression(last.value), name, "eval"), self._scope)
        self._n_run = len(blocks)
        return (shown[0] if isinstance(shown, list | tuple) else shown)._repr_png_()


def setup(app):
    """Add the directive."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "version": "1"}
