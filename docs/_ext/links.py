"""Links that lead to files of the repository, as GitHub shows them, lead to pages of the site.

`../ganedu/models/gan.py` is the annotated model, another module its page in the API, a notebook its lesson. Links
between pages of `docs/` are as they are.
"""

import re
from pathlib import Path

from ganedu.course import colab

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!\\)\]\(([^)\s#]+)(#[^)\s]*)?\)")
FENCE = re.compile(r"(^(`{3,}).*?^\2[ ]*$)", re.M | re.S)


# Sections of the README that are a page of the site.
USAGE = ("on-the-command-line", "in-python")


def page_of(path, anchor=""):
    """The site's page of a file of the repository, from the folder of the sources: `/lessons/00_start.ipynb` of
    `notebooks/00_start.ipynb`. `None` for a file of `docs/`, which is its own, and for one that has none."""
    parts = Path(path).parts
    if path == "README.md":
        return "/usage.md" if anchor.removeprefix("#") in USAGE else "/index.md"
    if parts[0] == "notebooks" and path.endswith(".ipynb"):
        return f"/lessons/{parts[1]}"
    if path.startswith("ganedu/models/") and parts[-1] != "__init__.py" and path.endswith(".py"):
        return f"/annotated/{Path(path).stem}.md"
    if parts[0] == "ganedu" and path.endswith(".py"):
        module = Path(path).with_suffix("") if parts[-1] != "__init__.py" else Path(path).parent
        return f"/api/{module.as_posix()}/index.rst"
    return None


def usage():
    """The README's sections on the command line and on Python, as a page."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.M)
    title = [s.partition("\n")[0].lower().replace(" ", "-") for s in sections]
    chosen = "\n".join(f"## {sections[title.index(name)]}" for name in USAGE)
    begin = (
        "# On the command line and in Python\n\n<!-- start --><!-- end of start -->\n\n"
        "Once ganedu is installed, `source .venv/bin/activate` makes `ganedu` and its `python` those of the "
        "terminal.\n\n"
    )
    return begin + rewritten(chosen, ".")


def on_github(path):
    """Where a file is on GitHub, or `None` if the package's metadata name no repository."""
    repository = colab.repository()
    return repository and f"{colab.GITHUB}{repository}/blob/{colab.BRANCH}/{path}"


def rewritten(text, folder):
    """A page's Markdown with its links as the site needs them.

    Args:
        text: str, Markdown.
        folder: the folder that its links count from, a path within the repository.

    Returns:
        str. A link to a file that has no page and is in no known repository is its text alone.
    """

    def replace(match):
        target, anchor = match[1], match[2] or ""
        if "//" in target or target.startswith(("/", "mailto:")):
            return match[0]
        try:
            path = (ROOT / folder / target).resolve().relative_to(ROOT).as_posix()
        except ValueError:
            return match[0]
        if path.startswith("docs/"):
            inside = Path(folder).parts[:1] == ("docs",)
            return match[0] if inside else f"](/{path.removeprefix('docs/')}{anchor})"
        page = page_of(path, anchor) or on_github(path)
        return f"]({page}{anchor})" if page else "]{.nowhere}"

    pieces = FENCE.split(text)
    # Of each fence the pattern has two groups: the whole, and its ticks.
    return "".join(
        LINK.sub(replace, piece) if i % 3 == 0 else piece
        for i, piece in enumerate(pieces)
        if i % 3 != 2
    )


def of_notebooks(text):
    """Blocks of Python with a line for the notebook (`!ganedu ...`, `%pip ...`) are IPython's language."""
    return re.sub(r"^```python\n(?=(?:(?!```).*\n)*?[!%])", "```ipython3\n", text, flags=re.M)


def _source_read(app, docname, content):
    file = Path(app.env.doc2path(docname))
    if file.suffix == ".md" and not docname.startswith(("annotated/", "lessons/")):
        content[0] = rewritten(of_notebooks(content[0]), file.parent.relative_to(ROOT))


def setup(app):
    app.connect("source-read", _source_read)
    return {"parallel_read_safe": True}
