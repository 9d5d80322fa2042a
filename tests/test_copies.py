"""A student's copies of lessons: brought up to date, and nothing that the student wrote is lost."""

import json
import re

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ganedu import cli
from ganedu.course import copies, lessons
from ganedu.runtime import UsageError

STUB = "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
ANSWER = "def f(x):\n    return 2 * x"


def graded(name, source, solution=True):
    told = {"grade_id": name, "solution": solution, "grade": not solution, "schema_version": 3}
    return new_code_cell(source, id=f"id-{name}", metadata={"nbgrader": told})


def lesson(*more, text="A text.", given="x = 1", exercise="return x", test="assert f(1) == 1"):
    """A lesson of a text, a cell of code, an exercise and its test."""
    solved = f"def f(x):\n    ### BEGIN SOLUTION\n    {exercise}\n    ### END SOLUTION"
    hidden = f"{test}\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS"
    cells = [
        new_markdown_cell(text, id="cell-00"),
        new_code_cell(given, id="cell-01"),
        graded("f", solved),
        graded("f-test", hidden, solution=False),
        *more,
    ]
    return new_notebook(cells=cells, metadata={"ganedu": {"modules": ["gan"], "seconds": 3}})


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """The folder of two lessons."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(lessons, "folder", lambda: folder)
    for name in ("00_start", "01_next"):
        nbformat.write(lesson(), folder / f"{name}.ipynb")
    return folder


@pytest.fixture
def mine(stored, tmp_path):
    """A student's copy of the first lesson, with its answer."""
    file, _ = copies.copy(tmp_path / "mine")
    change(file, 2, ANSWER)
    return file


def change(file, index, source):
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[index].source = source
    notebook.cells[index].outputs = [new_output("stream", text="seen")]
    nbformat.write(notebook, file)


def insert(file, index, *cells):
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[index:index] = cells
    nbformat.write(notebook, file)


def correct(stored, *more, **changes):
    nbformat.write(lesson(*more, **changes), stored / "00_start.ipynb")


def sources(file):
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)
    return [c.source for c in notebook.cells]


def update(file):
    backup, changes = copies.update(file.parent)[file]
    return backup, {name: count for name, count in changes.items() if count}


def test_a_copy_says_what_each_cell_was(stored, tmp_path):
    file, _ = copies.copy(tmp_path / "mine")
    told = nbformat.read(file, as_version=4).metadata.ganedu
    assert told.format == copies.FORMAT
    assert list(told.originals) == ["cell-00", "cell-01", "grade f", "grade f-test"]
    assert told.modules == ["gan"]
    assert sources(file)[2:] == [STUB, "assert f(1) == 1"]


def test_nothing_new_leaves_a_copy_as_it_is(mine):
    before = mine.read_bytes()
    assert update(mine) == (None, {})
    assert mine.read_bytes() == before
    assert len(list(mine.parent.iterdir())) == 2


def test_corrections_come_in_and_answers_stay(stored, mine):
    before = mine.read_bytes()
    correct(
        stored,
        new_markdown_cell("The end.", id="cell-09"),
        text="A better text.",
        test="assert True",
    )
    backup, changes = update(mine)
    assert changes == {"corrected": 2, "added": 1}
    assert sources(mine) == ["A better text.", "x = 1", ANSWER, "assert True", "The end."]
    assert backup.name == "00_start.before-1.ipynb"
    assert backup.read_bytes() == before
    assert nbformat.read(mine, as_version=4).cells[2].outputs[0].text == "seen"
    assert update(mine) == (None, {})


def test_what_was_changed_and_corrected_is_there_twice(stored, mine):
    change(mine, 1, "x = 3  # mine")
    correct(stored, given="x = 2", exercise="y = x\n    return y")
    assert update(mine)[1] == {"beneath yours": 1}
    note = f"{copies.NOTE}\n\n```python\nx = 2\n```"
    assert sources(mine) == ["A text.", "x = 3  # mine", note, ANSWER, "assert f(1) == 1"]
    assert update(mine) == (None, {})
    correct(stored, given="x = 4")
    assert update(mine)[0].name == "00_start.before-2.ipynb"
    assert sources(mine)[1:4] == ["x = 3  # mine", note.replace("2", "4"), note]


def test_an_exercise_that_asks_for_more_stands_beneath_the_answer(stored, mine):
    notebook = lesson()
    notebook.cells[2].source = notebook.cells[2].source.replace("f(x)", "f(x, y)")
    nbformat.write(notebook, stored / "00_start.ipynb")
    assert update(mine)[1] == {"beneath yours": 1}
    told = sources(mine)
    assert told[2] == ANSWER
    assert "def f(x, y):" in told[3]
    assert nbformat.read(mine, as_version=4).cells[3].cell_type == "markdown"


def test_added_cells_stay_where_they_were(stored, mine):
    insert(mine, 4, new_code_cell("last"))
    insert(mine, 2, new_code_cell("second"), new_markdown_cell("third"))
    insert(mine, 0, new_code_cell("first"))
    correct(stored, new_markdown_cell("The end.", id="cell-09"), given="x = 2")
    update(mine)
    assert sources(mine) == [
        *("first", "A text.", "x = 2", "second", "third", ANSWER),
        *("assert f(1) == 1", "last", "The end."),
    ]


def test_a_cell_that_was_taken_away_comes_back_only_corrected(stored, mine):
    notebook = nbformat.read(mine, as_version=4)
    del notebook.cells[:2]
    nbformat.write(notebook, mine)
    correct(stored, text="A better text.")
    assert update(mine)[1] == {"added": 1}
    assert sources(mine)[:2] == ["A better text.", ANSWER]


def test_a_cell_that_the_lesson_has_no_more_goes_unless_it_was_changed(stored, mine):
    notebook = lesson()
    del notebook.cells[:2]
    nbformat.write(notebook, stored / "00_start.ipynb")
    change(mine, 1, "x = 3  # mine")
    assert update(mine)[1] == {"removed": 1}
    assert sources(mine)[:2] == ["x = 3  # mine", ANSWER]


def test_two_cells_of_an_id_get_two(stored, mine):
    notebook = lesson(graded("g", "y = 1"))
    del notebook.cells[1]
    notebook.cells[-1].id = "cell-01"
    nbformat.write(notebook, stored / "00_start.ipynb")
    change(mine, 1, "x = 3  # mine")
    assert update(mine)[1] == {"added": 1}
    assert sources(mine)[1:] == ["x = 3  # mine", ANSWER, "assert f(1) == 1", "y = 1"]


def test_two_cells_of_a_name_are_both_kept(stored, mine):
    again = graded("f", "def f(x):\n    return 3")
    again.id = "another"
    insert(mine, 3, again, new_code_cell(STUB, id="third", metadata=again.metadata))
    correct(stored, text="A better text.")
    update(mine)
    assert sources(mine)[2:5] == [ANSWER, "def f(x):\n    return 3", STUB]


def test_a_copy_without_ids_keeps_its_answers(stored, mine):
    told = json.loads(mine.read_text())
    told["nbformat_minor"] = 4
    for cell in told["cells"]:
        del cell["id"]
    mine.write_text(json.dumps(told))
    correct(stored, text="A better text.")
    assert update(mine)[1] == {"corrected": 1}
    assert sources(mine) == ["A better text.", "x = 1", ANSWER, "assert f(1) == 1"]


def test_an_older_copy_keeps_all_that_differs(stored, mine):
    change(mine, 1, "x = 3  # mine, or the lesson's from before")
    notebook = nbformat.read(mine, as_version=4)
    del notebook.metadata["ganedu"]
    nbformat.write(notebook, mine)
    assert update(mine)[1] == {"beneath yours": 1}
    note = f"{copies.NOTE}\n\n```python\nx = 1\n```"
    assert sources(mine)[1:4] == ["x = 3  # mine, or the lesson's from before", note, ANSWER]
    assert update(mine) == (None, {})


def rewritten(file, **changes):
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, **changes}))


DAMAGES = {
    "half": (lambda file: file.write_bytes(file.read_bytes()[:300]), "is damaged, or no notebook"),
    "empty": (lambda file: file.write_bytes(b""), "is damaged, or no notebook"),
    "no notebook": (lambda file: file.write_text("[1]"), "is damaged, or no notebook"),
    "nested": (lambda file: file.write_text("[" * 10**5), "is damaged, or no notebook"),
    "cells": (lambda file: rewritten(file, cells=[3]), "is damaged, or no notebook"),
    "nbformat": (lambda file: rewritten(file, nbformat=9), "is damaged, or no notebook"),
    "newer": (
        lambda file: rewritten(file, metadata={"ganedu": {"format": 2}}),
        "was made by a newer ganedu (format 2). This one reads up to 1",
    ),
    "format": (lambda file: rewritten(file, metadata={"ganedu": {"format": "1"}}), "says format"),
    "own": (lambda file: rewritten(file, metadata={"ganedu": 3}), "is damaged (it says format"),
    "record": (
        lambda file: rewritten(file, metadata={"ganedu": {"originals": [1]}}),
        "say originals",
    ),
    "folder": (lambda file: (file.unlink(), file.mkdir()), "must be a file. Received: a folder"),
    "solved": (lambda file: change(file, 2, "### BEGIN SOLUTION"), "a lesson with its solutions"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_copy_that_cannot_be_updated_is_one_line_and_none_changes(stored, mine, name):
    other, (damage, message) = mine.with_name("01_next.ipynb"), DAMAGES[name]
    correct(stored, text="A better text.")
    damage(other)
    before = mine.read_bytes()
    result = CliRunner().invoke(cli.main, ["lessons", "update", str(mine.parent)])
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert mine.read_bytes() == before
    assert len(list(mine.parent.iterdir())) == 2


def test_a_record_of_other_kinds_loses_nothing(stored, mine):
    record = {"cell-00": 3, "cell-01": None, "grade f": ["x"], "x": {}}
    rewritten(mine, metadata={"ganedu": {"format": 1, "originals": record}})
    correct(stored, text="A better text.")
    update(mine)
    assert {"A text.", "x = 1", ANSWER} <= set(sources(mine))


def test_the_command_says_what_it_did(stored, mine):
    correct(stored, text="A better text.")
    result = CliRunner().invoke(cli.main, ["lessons", "update", str(mine.parent)])
    assert result.stdout.splitlines() == [
        f"{mine}: 1 corrected; before: 00_start.before-1.ipynb",
        f"{mine.with_name('01_next.ipynb')}: nothing new",
    ]


def test_a_folder_without_copies_is_refused(stored, tmp_path):
    with pytest.raises(UsageError, match=r"must hold copies of lessons.*Received: none"):
        copies.update(tmp_path)


def test_copies_that_cannot_be_written_leave_none(stored, tmp_path, monkeypatch):
    def full(notebook):
        if list((tmp_path / "mine").iterdir()):
            raise OSError(28, "No space left on device")
        return b"{}"

    monkeypatch.setattr(copies, "_text", full)
    with pytest.raises(OSError, match="No space"):
        copies.copy(tmp_path / "mine")
    assert not list((tmp_path / "mine").iterdir())


@pytest.mark.parametrize("name", lessons.names())
def test_exercises_of_the_lessons_are_known_by_their_names(name):
    cells = nbformat.read(lessons.path(name), as_version=4).cells
    keys = [copies._key(c) for c in cells]
    assert len(set(keys)) == len(keys)
    asked = [c for c in cells if re.search("BEGIN (SOLUTION|HIDDEN)", c.source)]
    assert all(copies._key(c).startswith("grade ") for c in asked)
