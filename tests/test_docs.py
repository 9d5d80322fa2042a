"""What the pages show must work."""

import re
from pathlib import Path

from ganedu.course import lessons

ROOT = Path(__file__).parents[1]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_page_shows_the_model_file_as_it_is():
    shown = blocks("docs/adding_a_model.md", "python")[0]
    assert shown == (ROOT / "ganedu/models/lsgan.py").read_text()


def test_the_readme_has_the_table_that_the_lessons_make():
    """`ganedu lessons table` prints it."""
    assert lessons.table() in (ROOT / "README.md").read_text()


def test_links_between_pages_lead_somewhere():
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md")]
    targets = [(p, t) for p in pages for t in re.findall(r"\]\(([^)#]+)\)", p.read_text())]
    missing = [(p.name, t) for p, t in targets if "//" not in t and not (p.parent / t).exists()]
    assert not missing


def test_two_commands_stand_first():
    first, second, *_ = blocks("README.md", "bash")
    assert first.count("\n") == second.count("\n") == 1
    assert "ganedu train" in first
    assert "pytest" in second


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
