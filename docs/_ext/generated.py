"""Writes the pages that follow from other files, before Sphinx looks for pages: into folders that git ignores."""

from pathlib import Path

import lesson_pages
import model_pages

from ganedu.explorer.lab import write_lab

FOLDERS = ("annotated", "gallery", "lessons", "zh/lessons")
# The live page that stands beside a lesson.
LABS = {"01_distributions": "gan", "16_diffusion_and_flow": "flow"}


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
    """Writes the live pages that the package makes to `live/` of a folder, beside those that are there."""
    live = Path(folder) / "live"
    live.mkdir(exist_ok=True)
    for lesson, name in LABS.items():
        write_lab(name, live / f"{lesson}.html")


def _before(app, config):
    write_live_pages(app.srcdir)  # first: a lesson that has one has a button
    write_pages(app.srcdir, {**lesson_pages.pages(), **model_pages.pages()})


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
