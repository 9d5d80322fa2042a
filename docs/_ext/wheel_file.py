"""The package as a file of the site: whoever has nothing but the site installs ganedu, with its lessons, from it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = "_static"  # of the site
# On a page: the section that stands here is the first page's, that says how to begin.
START = re.compile(r"<!-- start -->.*?<!-- end of start -->", re.S)
HEADINGS = {"en": "Start", "zh": "开始"}
FIRST = {"en": "index.md", "zh": "zh/index.md"}


def name():
    """The wheel's name, as pip wants it: `"ganedu-0.1.0-py3-none-any.whl"`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['name']}-{project['version']}-py3-none-any.whl"


def build(folder):
    """Makes the wheel in a folder, without a network: by the package's build backend itself. One of another version
    that is there goes.

    Raises:
        RuntimeError: if the backend calls the wheel otherwise than the pages do.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for older in folder.glob("ganedu-*.whl"):
        older.unlink()
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True)
    if not (folder / name()).exists():
        made = [file.name for file in folder.glob("ganedu-*.whl")]
        raise RuntimeError(f"The wheel must be called {name()}. Received: {made}")


def start(language):
    """The section of the first page that says how to begin, as Markdown."""
    text = (ROOT / "docs" / FIRST[language]).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^## {HEADINGS[language]}\n.*?(?=^## )", text, re.M | re.S)
    return found


def _source_read(app, docname, content):
    language = "zh" if docname.startswith("zh/") else "en"
    content[0] = START.sub(lambda _: start(language), content[0])


def _after(app, exception):
    if exception is None and app.builder.format == "html":
        build(Path(app.outdir) / PLACE)


def setup(app):
    app.connect("source-read", _source_read, priority=100)  # before what rewrites links
    app.connect("build-finished", _after)
    return {"parallel_read_safe": True}
