"""What a lesson needs on Colab and Kaggle: a button that opens it there, and a first cell that installs ganedu."""

import importlib.metadata
import re

from nbformat.v4 import new_code_cell

GITHUB = "https://github.com/"
COLAB = "https://colab.research.google.com/"
BRANCH = "main"
# A folder of that name, as a clone makes, is found too, but has no origin.
INSTALL = """\
from importlib.util import find_spec

if getattr(find_spec("ganedu"), "origin", None) is None:  # as on Colab and Kaggle
    get_ipython().run_line_magic("pip", "install -q {}")"""


def repository():
    """Where the package is on GitHub, by `[project.urls]` of its metadata: `"OWNER/REPO"`, or `None` if no URL there
    is a repository's."""
    for url in importlib.metadata.metadata("ganedu").get_all("Project-URL") or ():
        found = re.fullmatch(rf".*, *{GITHUB}([\w.-]+/[\w.-]+?)(\.git)?/?", url)
        if found:
            return found[1]
    return None


def button(name, repository):
    """The line of Markdown that opens a lesson in Colab."""
    address = f"{COLAB}github/{repository}/blob/{BRANCH}/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({COLAB}assets/colab-badge.svg)]({address})"


def format_lesson(notebook, name, repository):
    """Puts the button under a lesson's title and the cell that installs before all other code, in place; what was
    there of both is replaced.

    The cell is stored as one that never ran, and its tag keeps `execute` from running it: there is nothing to
    install where lessons are executed.

    Args:
        notebook: `nbformat` notebook. Its first cell begins with the title.
        name: str, the lesson's name.
        repository: `"OWNER/REPO"` on GitHub, which is then installed from; or `None`: no button, and the package
            index's `ganedu`.

    Returns:
        The notebook.
    """
    first, *others = notebook.cells
    title, *text = first.source.split("\n")
    if len(text) > 1 and text[1].startswith("[![Open in Colab]"):
        text = text[2:]
    shown = ["", button(name, repository)] if repository else []
    first.source = "\n".join([title, *shown, *text])
    source = INSTALL.format(f"git+{GITHUB}{repository}" if repository else "ganedu")
    installs = new_code_cell(source, id="install", metadata={"tags": ["skip-execution"]})
    notebook.cells = [first, installs, *(cell for cell in others if cell.id != "install")]
    return notebook
