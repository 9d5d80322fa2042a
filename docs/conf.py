"""How the site is made: `python -m sphinx -W docs build/site`, as `docs/contributing.md` says.

Pages that follow from other files (lessons, annotated models, gallery, Chinese lessons) are written by
`_ext/generated.py` before anything is read; nothing is executed and nothing is fetched.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]
PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = PROJECT["name"]
version = release = PROJECT["version"]
author = "the authors of ganedu"
copyright = f"2026, {author}"

extensions = [
    "myst_nb",
    "autoapi.extension",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "generated",
    "api",
    "docstrings",
    "links",
    "pages",
    "wheel_file",
]
exclude_patterns = ["_ext", "live", "zh/overlays", "**/README.txt"]
# What a module imports from another is looked up without importing: names that a tuple was unpacked into are not found.
suppress_warnings = ["autoapi.python_import_resolution"]

# Markdown and notebooks
myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_mime_priority_overrides = [("html", "image/gif", 5)]
nb_number_source_lines = False
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "alpha"
bibtex_reference_style = "author_year"

# The API
autoapi_dirs = ["../ganedu"]
autoapi_root = "api"
autoapi_options = ["members", "undoc-members", "show-module-summary"]
autoapi_add_toctree_entry = False
autoapi_member_order = "bysource"

# HTML, with nothing from the net
html_theme = "pydata_sphinx_theme"
html_title = f"ganedu {version}"
html_static_path = ["_static"]
html_css_files = ["ganedu.css"]
html_js_files = [("offline.js", {"priority": 900}), "live.js"]
html_copy_source = False
html_show_sourcelink = False
# The API has 230 pages: its tree beside each would be half of the building time. Equations and code want the width.
html_sidebars = {"annotated/*": [], "api/**": [], "gallery/index": [], "index": [], "zh/index": []}
html_theme_options = {
    "logo": {"text": "ganedu"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_depth": 2,
    "show_toc_level": 1,
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "navigation_with_keys": False,
}
html_context = {"default_mode": "auto"}  # by day and by night, as the reader's system says
html_search_language = "both"
mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}
copybutton_exclude = ".linenos, .gp, .go"
