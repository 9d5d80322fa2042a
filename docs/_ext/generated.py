"""Writes the pages that follow from other files, before Sphinx looks for pages: into folders that git ignores."""

import subprocess
import sys
from pathlib import Path

import lesson_pages
import links
import model_pages

from ganedu import explorer
from ganedu.explorer.lab import write_lab

FOLDERS = ("annotated", "gallery", "lessons", "zh/lessons")
# The live page that stands beside a lesson.
LABS = {"01_distributions": "gan", "16_diffusion_and_flow": "flow"}
LIVE = "text_to_image.html"  # the live page within the first one
FOLDERS_OF = {"en": "live", "zh": "live/zh"}


def write_pages(folder, pages):
    """Writes pages by their path; one that is as it was is left alone, and one of before that is no more goes."""
    folder = Path(folder)
    for path, text in pages.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        content = text.encode() if isinstance(text, str) else text
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)
    for name in FOLDERS:
        for file in (folder / name).glob("*"):
            if f"{name}/{file.name}" not in pages:
                file.unlink()


def write_live_pages(folder):
    """Writes the live pages that the package makes to `live/` of a folder, and their Chinese ones to `live/zh/`, beside
    those that are there."""
    for language, place in FOLDERS_OF.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        for lesson, name in LABS.items():
            write_lab(name, folder / place / f"{lesson}.html", language=language)
    write_live_model([folder / place / LIVE for place in FOLDERS_OF.values()])


def write_live_model(files):
    """Writes the page of a trained model in each language, where it is older than what it is made of: in a process of
    its own, since it needs Keras."""
    package = Path(explorer.__file__).parents[1]
    sources = [f for name in ("explorer", "runs/pretrained") for f in (package / name).rglob("*")]
    newest = max(f.stat().st_mtime for f in sources if f.is_file() and f.suffix != ".pyc")
    if all(f.exists() and f.stat().st_mtime > newest for f in files):
        return
    code = (
        "import sys; from pathlib import Path; from ganedu import runtime; runtime.setup()\n"
        "from ganedu.explorer.live import write_live\n"
        f"write_live(dict(zip({tuple(FOLDERS_OF)!r}, map(Path, sys.argv[1:]))))"
    )
    subprocess.run([sys.executable, "-c", code, *map(str, files)], cwd=package.parent, check=True)


def _before(app, config):
    write_live_pages(Path(app.srcdir))  # first: a lesson that has one has a button
    usage = {"usage.md": links.usage()}
    write_pages(app.srcdir, {**lesson_pages.pages(), **model_pages.pages(), **usage})


def _after(app, exception):
    if exception is None and app.builder.format == "html":
        for path, text in lesson_pages.downloads().items():
            file = Path(app.outdir) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def setup(app):
    app.connect("config-inited", _before)
    app.connect("build-finished", _after)
    return {"parallel_read_safe": True}
