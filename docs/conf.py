"""Configuration of the documentation site: ``make docs``.

``MOLTHEORY_DOCS=pages`` leaves out the gallery, the notebooks and the reference: seconds instead of minutes.
"""

import os
import sys
import warnings
from pathlib import Path

import moltheory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))
ONLY_PAGES = os.environ.get("MOLTHEORY_DOCS") == "pages"
# Inventories of other projects are fetched where a network can be expected, never for a local build.
ONLINE = bool(os.environ.get("READTHEDOCS") or os.environ.get("GITHUB_ACTIONS"))

project = "moltheory"
author = "The moltheory developers"
copyright = "The moltheory developers"
version = release = moltheory.__version__
language = "en"

extensions = [
    "myst_nb",  # pages in Markdown, and the notebooks
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "numpydoc",
    "sphinxcontrib.bibtex",
    "sphinx_design",
    "sphinx_copybutton",
    # Of this site, in docs/_ext:
    "mathml",  # formulas without scripts or fonts from elsewhere
    "repository_links",  # links to files of the repository, and pages that are such files
    "public_names",  # how names in docstrings find their pages
    "ledger_page",  # the statements, from the ledger
    "page_pictures",  # pictures drawn by the code of a page
    "accessible_pages",  # what screen readers need, where the theme leaves it out
    "layer_stack",  # the layers of the package, drawn from their table
]
if not ONLY_PAGES:
    extensions += ["sphinx_gallery.gen_gallery", "reference_pages", "notebook_pages"]
if ONLINE:
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
    }

root_doc = "index"
exclude_patterns = ["_build", "_ext", "_templates", "**/.ipynb_checkpoints", "gallery/**/*.ipynb", "gallery/**/*.md5"]
# Files of the gallery's own bookkeeping.
exclude_patterns += ["gallery/**/*.py", "gallery/**/*.json", "gallery/**/*.zip"]
suppress_warnings = ["config.cache"]
if ONLY_PAGES:
    exclude_patterns += ["reference/generated/**", "notebooks/**", "gallery/**"]
    suppress_warnings += ["toc.not_readable", "toc.excluded", "ref.doc", "myst.xref_missing"]
templates_path = ["_templates"]

# Markdown. Blocks of the pages are run by tests/docs, and notebooks by `make notebooks`: nothing is run here.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"
copybutton_only_copy_prompt_lines = True

# Docstrings.
nitpicky = True
default_role = "name"  # `name` in a docstring: a link where it is public, code elsewhere
add_module_names = False
autodoc_typehints = "none"  # numpydoc's sections say the types in words
autodoc_preserve_defaults = True
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True

# Citations.
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
bibtex_default_style = "plain"

# The gallery.
sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "notebook_images": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    # Axes in the last line of a cell are its picture, as in a notebook.
    "image_scrapers": ("gallery_pictures",),
    "ignore_repr_types": r"moltheory\.plotting|matplotlib",
    "reset_modules": ("matplotlib",),
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
    "within_subsection_order": "FileNameSortKey",
    "inspect_global_variables": False,
    "backreferences_dir": None,
}

# Pages.
html_theme = "pydata_sphinx_theme"
html_title = "moltheory"
html_static_path = ["_static"]
html_css_files = ["site.css", "gallery.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")
html_context = {"site_address": html_baseurl, "default_mode": "auto"}
html_sidebars = {
    "index": [],
    "ledger": [],
    "proofs": [],
    "bibliography": [],
    "notebooks": [],
    "benchmarks": [],
    "404": [],
}
html_theme_options = {
    "logo": {"text": "moltheory"},
    "icon_links": [
        {"name": "Source", "url": "https://github.com/moltheory/moltheory", "icon": "fa-brands fa-github"},
    ],
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "navigation_depth": 2,
    "show_nav_level": 1,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def linkcode_resolve(domain, info):
    """Return the address of an object's source."""
    from public_names import SOURCE, source_lines

    found = source_lines(info["module"], info["fullname"]) if domain == "py" else None
    if found is None:
        return None
    path, first, last = found
    return f"{SOURCE}/{path}#L{first}-L{last}"


def setup(app):
    """Silence what other packages warn of while the site is built."""
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(docutils|sphinx|numpydoc|pybtex).*")
