"""Files that students hand in, or that come in their place: each costs nobody else anything, and gets a row."""

import io
import json
import os
import zipfile

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="needs ganedu[classroom]")

from ganedu.course import checking, copies, lessons
from ganedu.course.classroom import collecting, export, folder, grading, notebooks

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader and its database warn of themselves
LESSON, TESTS = "00_start", "discriminator-loss-tests"
EXERCISE = checking.load("00.discriminator_loss")
RIGHT = next(iter(EXERCISE.RIGHT.values())).strip()


def lesson(solution=RIGHT):
    notebook = copies.unsolved(nbformat.read(lessons.path(LESSON), as_version=4))
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "discriminator-loss":
            cell.source = solution
    return notebook


def text(notebook):
    return nbformat.writes(notebook).encode()


def edited(change, solution=RIGHT):
    notebook = json.loads(text(lesson(solution)))
    change(notebook)
    return json.dumps(notebook).encode()


def cell_of_tests(notebook):
    return next(
        c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == TESTS
    )


def more_points(notebook):
    cell_of_tests(notebook)["metadata"]["nbgrader"]["points"] = 1000


def says_right(notebook):
    cell_of_tests(notebook)["source"] = "print('my_discriminator_loss is right')"
    notebook["cells"][0]["source"] = "# mine"


def old_schema(notebook):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] = {
                "grade_id": cell["metadata"]["nbgrader"]["grade_id"],
                "schema_version": 1,
            }


def copied_tests(notebook):
    notebook["cells"] += [cell_of_tests(notebook)] * 5


def many_cells(notebook):
    notebook["cells"] += [
        {"cell_type": "code", "source": "1", "metadata": {}, "outputs": []}
    ] * 10_000


def strange_cells(notebook):
    notebook["cells"] += [
        None,
        3,
        [],
        {"cell_type": []},
        {"source": 5},
        {"metadata": 7, "source": [1, "a"]},
    ]
    notebook["metadata"] = "none"
    notebook["nbformat"] = "four"


def shown_scripts(notebook):
    output = {
        "output_type": "display_data",
        "data": {"text/html": "<script>alert(1)</script>", "application/javascript": "alert(2)"},
        "metadata": {},
    }
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                output,
                {"output_type": []},
                "a",
                {"output_type": "stream", "text": 5},
            ]


def as_its_own_class(notebook):
    notebook["metadata"]["kernelspec"] = {
        "name": "../../../evil",
        "display_name": "<b>",
        "language": "bash",
    }


# What is handed in, and the points that it earns.
FILES = {
    "right": (text(lesson()), 2.0),
    "points of its own": (edited(more_points), 2.0),
    "tests that print that it is right": (edited(says_right), 2.0),
    "an old schema": (edited(old_schema), 2.0),
    "tests five times more": (edited(copied_tests), 2.0),
    "ten thousand cells": (edited(many_cells), 2.0),
    "cells that are none": (edited(strange_cells), 2.0),
    "scripts as outputs": (edited(shown_scripts), 2.0),
    "a kernel of its own": (edited(as_its_own_class), 2.0),
    "says right, and is not": (
        edited(says_right, "def my_discriminator_loss(real, fake):\n    return 0.0"),
        0.0,
    ),
    "empty": (b"", None),
    "half": (text(lesson())[:5000], None),
    "no notebook": (b'{"a": 1}', None),
    "a list": (b"[]", None),
    "bytes": (bytes(range(256)) * 10, None),
    "depth": (b"[" * 200_000 + b"]" * 200_000, None),
    "deep cells": (b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", None),
    "a huge number": (b'{"cells": [' + b"9" * 100_000 + b"]}", None),
    "a hundred megabytes": (b'{"cells": [' + b" " * (100 << 20) + b"]}", None),
}


def course_of(tmp_path, students):
    roster = tmp_path / "roster.csv"
    lines = [f"{s},A,B{i},c@d" for i, s in enumerate(students)]
    roster.write_text("\n".join(["id,first_name,last_name,email", *lines]), encoding="utf-8")
    return folder.create(tmp_path / "course", ["00"], roster)


def test_a_class_of_all_kinds_is_graded_and_each_row_says_why(tmp_path):
    students = {f"s{i:02d}": content for i, content in enumerate(FILES.values())}
    course = course_of(tmp_path, students)
    for student, (content, _) in students.items():
        (tmp_path / "in" / student).mkdir(parents=True)
        (tmp_path / "in" / student / "x.ipynb").write_bytes(content)
    collecting.collect(course, "00", tmp_path / "in")
    grading.grade(course)
    rows = [r for r in export.rows(course) if r.question == TESTS]
    found = dict(zip(FILES, rows, strict=True))
    for name, (_, points) in FILES.items():
        row = found[name]
        if points is None:
            assert (row.points, row.status) == (0.0, "error"), name
            assert row.reason, name
        else:
            assert (row.points, row.max_points, row.status) == (points, 2, "graded"), (name, row)
    for file in (course.path / "autograded").glob("*/*/*.ipynb"):
        shown = nbformat.read(file, 4)
        nbformat.validate(shown)
        assert "<script" not in file.read_text(encoding="utf-8")
        assert shown.metadata.kernelspec.name == "python3"


def test_what_a_folder_may_hold_beside_notebooks(tmp_path):
    course = course_of(tmp_path, ["a", "b", "ünï-çødé"])
    place = tmp_path / "in"
    for student in course.students:
        (place / student).mkdir(parents=True)
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(text(lesson()))
    (place / "a" / "00_start.ipynb").symlink_to(secret)
    (place / "loop").symlink_to(place)
    os.mkfifo(place / "b" / "00_start.ipynb")
    (place / "ünï-çødé" / "00_stårt — Kopie.ipynb").write_bytes(text(lesson()))
    ids, mails = collecting.collect(course, "00", place)
    assert ids == ["ünï-çødé"]
    assert dict(mails) == {"a": "handed in nothing", "b": "handed in nothing"}


def zipped(path, entries, mode=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", mode) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_a_zip_writes_nowhere_else(tmp_path):
    course = course_of(tmp_path, ["a", "b"])
    link = zipfile.ZipInfo("b/00_start.ipynb")
    link.external_attr = 0o120777 << 16
    entries = [
        ("../../../a/00_start.ipynb", text(lesson())),
        ("/etc/a.ipynb", text(lesson())),
        (link, "/etc/passwd"),
    ]
    before = sorted(p for p in tmp_path.rglob("*") if "course" not in p.parts)
    ids, mails = collecting.collect(course, "00", zipped(tmp_path / "in.zip", entries))
    assert ids == ["a"]
    assert "no JSON" in dict(mails)["b"]
    after = sorted(p for p in tmp_path.rglob("*") if "course" not in p.parts)
    assert after == [*before, tmp_path / "in.zip"] or set(after) - set(before) == {
        tmp_path / "in.zip"
    }


def test_a_zip_bomb_is_a_file_that_is_too_large(tmp_path):
    course = course_of(tmp_path, ["a", "b"])
    bomb = zipped(
        tmp_path / "in.zip",
        [("a/00_start.ipynb", bytes(200 << 20)), ("b/00_start.ipynb", text(lesson()))],
    )
    ids, mails = collecting.collect(course, "00", bomb)
    assert ids == ["b"]
    assert "200 MB" in dict(mails)["a"]
    lying = bomb.read_bytes().replace(
        (200 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    )
    bomb.write_bytes(lying)
    ids, mails = collecting.collect(course, "00", bomb)
    assert "b" in ids
    assert "cannot be read" in dict(mails)["a"] or "no copy" in dict(mails)["a"]


def test_more_files_than_a_class_has_are_refused(tmp_path, monkeypatch):
    from ganedu.runtime import UsageError

    monkeypatch.setattr(collecting, "MAX_FILES", 3)
    course = course_of(tmp_path, ["a"])
    many = zipped(tmp_path / "in.zip", [(f"a/{i}.ipynb", b"") for i in range(5)])
    with pytest.raises(UsageError, match="more than 3 files"):
        collecting.collect(course, "00", many)


def test_a_picture_that_is_none_is_left_out():
    cell = notebooks.Cell(
        *("code", "1", "a", {}),
        [{"output_type": "display_data", "data": {"image/png": '"><script>', "text/plain": "a"}}],
    )
    (shown,) = notebooks.shown([cell])["cells"]
    assert shown["outputs"][0]["data"] == {"text/plain": "a"}
    assert io.StringIO(json.dumps(shown)).read().count("script") == 0
