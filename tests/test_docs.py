"""What the pages show must work."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from quoted import unknown_names

from ganedu import catalogue, cli, models
from ganedu.course import colab, lessons

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_page_shows_the_model_file_as_it_is():
    shown = blocks("docs/adding_a_model.md", "python")[0]
    assert shown == (ROOT / "ganedu/models/lsgan.py").read_text()


def test_the_readme_has_the_table_that_the_lessons_make():
    """`ganedu lessons table` prints it."""
    assert lessons.table() in (ROOT / "README.md").read_text()


def test_the_page_for_teachers_has_what_the_lessons_say():
    """`ganedu lessons teaching` prints it."""
    assert lessons.teaching() in (ROOT / "docs" / "teaching.md").read_text()


def test_links_between_pages_lead_somewhere():
    targets = [(p, t) for p in PAGES for t in re.findall(r"\]\(([^)#]+)\)", p.read_text())]
    missing = [(p.name, t) for p, t in targets if "//" not in t and not (p.parent / t).exists()]
    assert not missing


def test_two_commands_stand_first():
    first, second, *_ = blocks("README.md", "bash")
    assert first.count("\n") == second.count("\n") == 1
    assert "ganedu train" in first
    assert "pytest" in second


def test_the_three_lines_for_colab_fit_together():
    install, train, look = blocks("docs/colab.md", "python")[0].splitlines()
    assert f'"pip", "{install.removeprefix("%pip ")}"' in colab.INSTALL.format("ganedu")
    model, dataset = re.fullmatch(r"!ganedu train (\w+) --data (\w+) --seconds 60", train).groups()
    assert model in catalogue.names()
    assert f'"runs/{model}-{dataset}/samples.png"' in look


def test_the_lowest_versions_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["jax"], *extras["torch"]]
    page = (ROOT / "docs/colab.md").read_text()
    rows = re.findall(r"^\| (\w+)(?: \(.*\))? \| ([\d.]+) \|", page, re.M)
    packages = {"PyTorch": "torch"}
    stated = {f"{packages.get(name, name.lower())}>={lowest}" for name, lowest in rows}
    python = project["requires-python"].split(",")[0]
    assert stated == {f"python{python}", *(a for a in asked if ">=" in a)}


def test_the_glossary_is_in_order_and_names_lessons_that_there_are():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.strip("| \n").split(" | ") for line in text.splitlines()[7:]]
    assert len(rows) > 90
    terms = [row[0].lower() for row in rows]
    assert terms == sorted(set(terms))
    for _, meaning, lesson, chinese in rows:
        assert meaning.endswith(".")
        assert lesson in [name[:2] for name in lessons.names()]
        assert chinese


def python_of(page):
    """What stands as Python on a page: whole blocks, and between backticks in a line."""
    text = page.read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    return blocks + re.findall(r"`([^`\n]*\b(?:import|from) [^`\n]*)`", text)


def test_what_a_page_takes_from_the_package_is_there():
    read = 0
    for page in PAGES:
        for source in python_of(page):
            try:
                assert unknown_names(source) == [], page
            except SyntaxError:
                continue  # a sketch
            read += 1
    assert read > 10
    assert unknown_names("from ganedu import runs; runs.loaded(1)") == ["ganedu.runs.loaded"]
    assert unknown_names("from ganedu.models.gan import Gans") == ["Gans"]
    assert unknown_names("from ganedu import data; data.captions.X") == ["ganedu.data.captions.X"]
    assert unknown_names("from ganedu import data; data.augment.PRESETS; data.load('x').y") == []


def test_what_a_page_asks_of_a_model_is_there():
    """`model.NAME`: a method or property of a model, or what one keeps, `self.NAME`."""
    classes = [kind for name in catalogue.names() for kind in vars(models.module(name)).values()]
    known = {name for kind in classes if isinstance(kind, type) for name in dir(kind)}
    for file in (ROOT / "ganedu").glob("*/*.py"):
        known |= set(re.findall(r"\bself\.(\w+)", file.read_text()))
    for page in PAGES:
        asked = set(re.findall(r"\bmodel\.(?!py\b|keras\b)(\w+)", page.read_text()))
        assert not asked - known, page.name


def test_files_that_a_page_names_are_there():
    """`networks/inference.py` of the package, `ganedu/...` and `tests/...` of the tree."""
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for path in re.findall(r"`((?:[\w.-]+/)+[\w-]+\.py)`", text):
            there = (ROOT / path).exists() or (ROOT / "ganedu" / path).exists()
            assert there or "NAME" in path, f"{page}: {path}"


def commands_shown():
    """Every call of the command line in the pages: `(page, its words)`."""
    for page in ("README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")))):
        for block in blocks(page, "bash"):
            for line in block.splitlines():
                for part in line.partition("#")[0].split(";"):
                    words = shlex.split(part)
                    if words[:1] == ["ganedu"]:
                        yield page, words[1:]


@pytest.mark.parametrize(("page", "words"), commands_shown(), ids=lambda v: " ".join(v)[:60])
def test_commands_in_the_pages_are_the_command_line_s(page, words):
    command = cli.main
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    assert not isinstance(command, click.Group) or set(words) <= {"--help", "--version"}, words
    known = {option for p in command.params for option in p.opts} | {"--help", "--version"}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked <= known, (page, words)


@pytest.mark.parametrize("table", ["diagrams", "samples"])
def test_pages_of_models_find_the_lessons_pictures(table):
    places = tomllib.loads((ROOT / "docs/annotated.toml").read_text(encoding="utf-8"))[table]
    for place in set(places.values()):
        lesson, cell_id = place.split()
        cells = json.loads(lessons.path(lesson).read_text(encoding="utf-8"))["cells"]
        outputs = [o for c in cells if c["id"] == cell_id for o in c["outputs"]]
        assert sum("image/png" in o.get("data", {}) for o in outputs) == 1, place
