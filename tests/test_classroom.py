"""The classroom, from a roster to a CSV: what is collected, what it earns, what is told. (Hostile: tests/hostile.)"""

import csv
import datetime
import html
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile

import nbformat
import numpy as np
import pytest
from click.testing import CliRunner

from ganedu.cli import main
from ganedu.course import checking, lessons
from ganedu.course.classroom import box, collecting, export, folder, notebooks, pages, probes, wire
from ganedu.runtime import UsageError

pytest.importorskip("nbgrader", reason="needs ganedu[classroom]")

from ganedu.course.classroom import gradebook, grading, similarity, strength

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader and its database warn of themselves
LESSON = "00_start"
EXERCISE = checking.load("00.discriminator_loss")
ROSTER = """\
id,first_name,last_name,email
ada,Ada,Öz,ada@example.org
bo,Bo,Li,bo@example.org
cy,Cy,Ng,cy@example.org
di,Di,=SUM(1),di@example.org
"""
needs_box = pytest.mark.skipif(box.why_not() is not None, reason=f"no box: {box.why_not()}")


@pytest.fixture
def roster(tmp_path):
    (tmp_path / "students.csv").write_text(ROSTER, encoding="utf-8")
    return tmp_path / "students.csv"


@pytest.fixture
def course(tmp_path, roster):
    return folder.create(tmp_path / "course", ["00"], roster)


@pytest.fixture(scope="module")
def warm():
    """A box that stays, as each takes five seconds to start."""
    with box.Box() as started:
        yield started


@pytest.fixture
def one_box(warm, monkeypatch):
    """Grading uses the box that is there; a few tests start its own."""

    class Started:
        def __init__(self, safe):
            assert safe
            self.run = warm.run

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

    monkeypatch.setattr(grading, "Box", Started)


def run(*arguments, status=0):
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == status, (done.output, done.exception)
    return done.output


def lesson(solution=None, predict=None):
    """A student's copy of lesson 00 with an answer in it."""
    from ganedu.course import copies

    notebook = copies.unsolved(nbformat.read(lessons.path(LESSON), as_version=4))
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name == "discriminator-loss" and solution:
            cell.source = solution.strip()
        if name == "predict" and predict:
            cell.source = predict
    return notebook


def hand_in(place, student, notebook, name=f"{LESSON}.ipynb"):
    file = place / student / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(nbformat.writes(notebook), encoding="utf-8")
    return file


RIGHT, WRONG = next(iter(EXERCISE.RIGHT.values())), EXERCISE.WRONG["ignores what is generated"]


def rows_of(course):
    return {(r.student, r.question): r for r in export.rows(course)}


# The way through


@needs_box
def test_the_whole_way(tmp_path, roster):
    path, handed_in = tmp_path / "course", tmp_path / "in"
    assert "4 students, 1 lessons" in run(
        "classroom", "new", path, "--lessons", "00", "--roster", roster
    )
    zipped = run("classroom", "release", path, "00").strip()
    released = zipfile.ZipFile(zipped).read(f"{LESSON}.ipynb").decode()
    assert "### BEGIN SOLUTION" not in released
    assert "*Your prediction, and afterwards what you saw and why.*" in released
    hand_in(handed_in, "ada", lesson(RIGHT, "I think the last one: it has seen most."))
    hand_in(handed_in, "bo", lesson(WRONG), "00_start (1).ipynb")
    hand_in(handed_in, "cy", lesson())
    told = run("classroom", "collect", path, "00", handed_in)
    assert told.startswith("3 collected")
    assert "di: handed in nothing" in told
    told = run("classroom", "grade", path, "--jobs", 1)
    assert "ada 00_start: 2" in told
    assert "3 graded, 0 unchanged" in told
    assert "0 graded, 3 unchanged" in run("classroom", "grade", path, "00")
    run("classroom", "grades", path, "--out", tmp_path / "g.csv")
    table = list(csv.DictReader((tmp_path / "g.csv").open(encoding="utf-8")))
    assert list(table[0]) == [
        "student",
        "lesson",
        "question",
        "points",
        "max_points",
        "status",
        "reason",
    ]
    assert len(table) == 4 * 3
    found = {(r["student"], r["question"]): r for r in table}
    assert found["ada", "discriminator-loss-tests"]["points"] == "2"
    assert found["ada", "predict"]["status"] == "ungraded"
    assert found["ada", "open"]["status"] == "missing"
    bo = found["bo", "discriminator-loss-tests"]
    assert bo["status"] == "graded"
    assert float(bo["points"]) < 2
    assert bo["reason"] in {c.hint for c in EXERCISE.CHECKS}
    assert found["cy", "discriminator-loss-tests"]["status"] == "missing"
    assert found["di", "predict"]["reason"] == "nothing was handed in"

    marks = tmp_path / "marks.csv"
    marks.write_text("student,question,points\nada,predict,0.5\n")
    assert "1 marks taken" in run("classroom", "review", path, "00", "--marks", marks)
    (path / "course.toml").write_text((path / "course.toml").read_text() + "\n")
    run("classroom", "regrade", path, "00")
    course = folder.read(path)
    assert rows_of(course)["ada", "predict"].points == 0.5
    assert len(run("classroom", "review", path, "00").splitlines()) == 2
    assert "3 pages" in run("classroom", "feedback", path, "00")
    page = (path / "feedback" / "bo" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert 'class="wrong"' in page
    assert "### BEGIN" not in page
    assert "def reference" not in page
    assert len(page.encode()) < 50_000
    assert "strong" in run("classroom", "check", path)


@needs_box
@pytest.mark.usefixtures("one_box")
def test_nbgrader_reads_the_gradebook(course, tmp_path):
    hand_in(tmp_path / "in", "ada", lesson(RIGHT, "The last."))
    collecting.collect(course, "00", tmp_path / "in")
    grading.grade(course)
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.path / 'gradebook.db'}") as book:
        submission = book.find_submission(LESSON, "ada")
        assert (submission.score, submission.max_score) == (2.0, 4.0)
        assert submission.needs_manual_grade
        notebook = book.find_submission_notebook(LESSON, LESSON, "ada")
        assert {g.cell.name for g in notebook.grades} == {
            "predict",
            "discriminator-loss-tests",
            "open",
        }
    shown = nbformat.read(course.path / "autograded" / "ada" / LESSON / f"{LESSON}.ipynb", 4)
    nbformat.validate(shown)


# `ganedu` with solutions that run where it runs: their box takes five seconds to start. How a box ends with a grading
# that is killed: tests/hostile/test_box.py.
BOXLESS = """
import time
import numpy as np
from ganedu.cli import main
from ganedu.course import checking
from ganedu.course.classroom import grading

EXERCISE = checking.load("00.discriminator_loss")

class Box:
    def __init__(self, safe):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def run(self, task):
        scope, inputs = {"np": np}, task["inputs"]
        exec(task["solution"], scope)
        time.sleep(0.03)
        outputs = EXERCISE.probe(scope[EXERCISE.FUNCTION], inputs)
        return {"status": "done", "outputs": outputs, "inputs": inputs, "processor_seconds": 0.03}

grading.Box = Box
main()
"""


@needs_box
def test_a_grading_that_is_killed_goes_on(course, tmp_path):
    """Ten times, at ten moments: no row is lost, none doubled, none wrong."""
    students = {f"s{i:02d}": RIGHT if i % 2 else WRONG for i in range(24)}
    lines = ["id,first_name,last_name,email", *(f"{s},A,B,c@d" for s in students)]
    (course.path / "students.csv").write_text("\n".join(lines))
    for student, source in students.items():
        hand_in(tmp_path / "in", student, lesson(source))
    course = folder.read(course.path)
    collecting.collect(course, "00", tmp_path / "in")
    command = [sys.executable, "-c", BOXLESS, "classroom", "grade", str(course.path), "--jobs", "1"]

    def done():
        return len(list((course.path / "graded").glob("*/*.json")))

    for i in range(10):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 240
        while done() < min(2 * i, 20) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.02 * i)
        process.send_signal(signal.SIGKILL)
        process.wait()
    run("classroom", "grade", course.path, "--jobs", 1)
    found = [r for r in export.rows(course) if r.question == "discriminator-loss-tests"]
    assert [r.student for r in found] == list(students)
    assert [r.points == 2 for r in found] == [s is RIGHT for s in students.values()]
    with gradebook.opened(course) as book:
        submissions = book.find_assignment(LESSON).submissions
        assert sorted(s.student_id for s in submissions) == sorted(students)
        assert {len(s.notebooks[0].grades) for s in submissions} == {3}
        assert [s.score for s in sorted(submissions, key=lambda s: s.student_id)] == [
            r.points for r in found
        ]


@needs_box
@pytest.mark.parametrize("name", ["00.discriminator_loss", "16.ddim", "22.info_nce"])
def test_a_strong_exercise_is_called_strong(name, warm):
    assert strength.of_exercise(name, warm).faults == []


@needs_box
def test_a_weak_exercise_is_told_why(warm, monkeypatch):
    exercise = checking.load("21.edit_scores")
    one = tuple(c for c in exercise.CHECKS if c.key == "changed")
    monkeypatch.setattr(exercise, "CHECKS", one)
    monkeypatch.setitem(
        exercise.RIGHT, "not right", "def my_edit_scores(before, after, wish):\n    return 0.0"
    )
    faults = strength.of_exercise("21.edit_scores", warm).faults
    assert any("a wrong answer" in f and "earns everything" in f for f in faults)
    assert any(f.startswith("a right answer (not right) earns 0%") for f in faults)


@needs_box
@pytest.mark.usefixtures("one_box")
def test_each_student_has_a_variant(tmp_path, roster):
    path, handed_in, name = tmp_path / "course", tmp_path / "in", "00.discriminator_loss"
    run("classroom", "new", path, "--lessons", "00", "--roster", roster, "--variants")
    zipped = run("classroom", "release", path, "00").strip()
    released = nbformat.reads(zipfile.ZipFile(zipped).read(f"{LESSON}.ipynb").decode(), 4)
    place = next(i for i, c in enumerate(released.cells) if "NotImplementedError" in c.source)
    asked, tested = released.cells[place - 1].source, released.cells[place + 1].source
    assert tested == f'check("{name}", {EXERCISE.FUNCTION}, student=student)'
    given = {"ada": checking.variant_of(name, "ada").right, "bo": RIGHT}
    given["cy"] = next(
        v.right for v in EXERCISE.VARIANTS if v is not checking.variant_of(name, "cy")
    )
    for student, source in given.items():
        notebook = nbformat.from_dict(released.copy())
        notebook.cells[place].source = source.strip()
        hand_in(handed_in, student, notebook)
    run("classroom", "collect", path, "00", handed_in)
    run("classroom", "grade", path, "--jobs", 1)
    course = folder.read(path)
    found = rows_of(course)
    assert found["ada", "discriminator-loss-tests"].points == 2
    for student in ("bo", "cy"):
        row = found[student, "discriminator-loss-tests"]
        assert row.points < 2
        assert checking.variant_of(name, student).task in row.reason
    settings = path / "course.toml"
    settings.write_text(settings.read_text().replace("variants = true", "variants = false"))
    assert "3 graded" in run("classroom", "grade", path, "--jobs", 1)
    assert rows_of(folder.read(path))["bo", "discriminator-loss-tests"].points == 2
    settings.write_text(settings.read_text().replace("variants = false", 'variants = "yes"'))
    assert "variants = true or false" in run("classroom", "grade", path, status=2)
    # What a student runs tells theirs, and whether it is met.
    scope = {"check": checking.check, "np": np}
    for code in (asked.replace('""', '"ada"'), given["ada"], tested):
        exec(code, scope)
    with pytest.raises(UsageError, match="Write your id"):
        exec(asked, scope)


def test_a_result_is_shown_to_those_who_predict(tmp_path, roster, monkeypatch):
    course = folder.create(tmp_path / "course", lessons.names(), roster, locked=True)
    monkeypatch.setattr(checking, "_predictions", {})
    kept = [name for name in lessons.names() if is_kept_before_the_result(course, name)]
    assert len(kept) >= 25


def is_kept_before_the_result(course, name):
    with zipfile.ZipFile(collecting.release(course, name)) as archive:
        released = nbformat.reads(archive.read(f"{name}.ipynb").decode(), 4)
    asked = [
        c for c in released.cells if c.source.startswith("from ganedu") and "predict(" in c.source
    ]
    if not asked:
        assert "predict" not in {q.name for q in notebooks.questions(name)}
        return False
    (keeping,) = asked
    result = released.cells[released.cells.index(keeping) + 1]
    assert result.cell_type == "code"
    assert result.source.startswith(f'predicted("{name}")\n')
    scope = {}
    with pytest.raises(checking.WrongSolution, match="between the quotes"):
        exec(keeping.source, scope)
    with pytest.raises(checking.WrongSolution, match="Predict first"):
        exec(result.source.splitlines()[0], scope)
    keeping.source = keeping.source.replace('""', '"The (last), it is \\"old\\"."')
    exec(keeping.source, scope)
    exec(result.source.splitlines()[0], scope)
    with pytest.raises(checking.WrongSolution, match="That stays"):
        exec(keeping.source.replace("last", "first"), scope)
    cells = cells_of(released)
    answer = notebooks.answer_of(cells, notebooks.find_question(name, "predict"), name)
    assert answer == 'Kept before the result: The (last), it is "old".'
    for cell in released.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "predict":
            cell.source = "I was wrong."
    answer = notebooks.answer_of(cells_of(released), notebooks.find_question(name, "predict"), name)
    assert answer.endswith('"old".\n\nI was wrong.')
    return True


def test_without_a_box_it_refuses(course, tmp_path, monkeypatch):
    hand_in(tmp_path / "in", "ada", lesson(RIGHT))
    collecting.collect(course, "00", tmp_path / "in")
    monkeypatch.setenv("PATH", str(tmp_path))
    told = run("classroom", "grade", course.path, status=2)
    assert "not installed" in told
    assert "--unsafe" in told
    assert not (course.path / "graded").exists()


# What students have done to their files


def cells_of(notebook):
    return notebooks.read(nbformat.writes(notebook).encode())


def question(name="discriminator-loss-tests"):
    return notebooks.find_question(LESSON, name)


def test_a_solution_is_found_wherever_it_stands():
    moved = lesson(RIGHT)
    place = next(i for i, c in enumerate(moved.cells) if "def my_discriminator_loss" in c.source)
    moved.cells.append(moved.cells.pop(place))
    unmarked = lesson(RIGHT)
    for cell in unmarked.cells:
        cell.metadata = {}
    beneath = lesson()
    beneath.cells.append(nbformat.v4.new_code_cell(RIGHT.strip()))
    timed = lesson(f"%%time\n{RIGHT}")
    for notebook in (lesson(RIGHT), moved, unmarked, beneath, timed):
        source, _ = notebooks.solution_of(cells_of(notebook), question())
        assert source.strip().removeprefix("%%time").strip() == RIGHT.strip()
    gone = lesson()
    gone.cells = [c for c in gone.cells if "my_discriminator_loss" not in c.source]
    assert notebooks.solution_of(cells_of(gone), question())[0] is None


def test_of_two_copies_of_a_cell_the_later_one_counts():
    doubled = lesson(WRONG)
    place = next(i for i, c in enumerate(doubled.cells) if "def my_discriminator_loss" in c.source)
    second = nbformat.from_dict({**doubled.cells[place], "source": RIGHT.strip()})
    doubled.cells.insert(place + 1, second)
    assert notebooks.solution_of(cells_of(doubled), question())[0].strip() == RIGHT.strip()


def test_what_stands_before_is_taken_but_for_what_runs():
    notebook = lesson(RIGHT)
    notebook.cells.insert(
        0,
        nbformat.v4.new_code_cell(
            "import math\nk = 3\nx = train()\nfor i in range(9):\n    x()\ndef f():\n    return k"
        ),
    )
    _, before = notebooks.solution_of(cells_of(notebook), question())
    assert before[:3] == ["import math", "k = 3", "def f():\n    return k"]


def test_what_stands_behind_is_taken_where_nothing_before_makes_it():
    notebook = lesson(RIGHT)
    new = nbformat.v4.new_code_cell
    notebook.cells.insert(0, new("a = lambda x: x\nb = np.vectorize(a)\nc = open('x')"))
    notebook.cells += [new("def a(x):\n    return 2"), new("def helper(x):\n    return 1")]
    _, before = notebooks.solution_of(cells_of(notebook), question())
    assert before[:2] == ["a = lambda x: x", "b = np.vectorize(a)"]
    assert before[-1] == "def helper(x):\n    return 1"
    assert not any("return 2" in s or "open" in s for s in before)


def test_a_written_answer_is_found_where_its_name_was_lost_and_beneath():
    notebook = lesson(predict="The fourth.")
    place = next(i for i, c in enumerate(notebook.cells) if c.source == "The fourth.")
    notebook.cells.insert(place + 1, nbformat.v4.new_markdown_cell("And so it came."))
    for cell in notebook.cells:
        cell.metadata = {}
    found = notebooks.answer_of(cells_of(notebook), question("predict"), LESSON)
    assert found == "The fourth.\n\nAnd so it came."
    notebook.cells[place].id = "another"
    assert notebooks.answer_of(cells_of(notebook), question("predict"), LESSON) is None


def test_a_written_answer_is_none_where_nothing_was_added():
    asked = lesson()
    assert notebooks.is_unanswered(
        notebooks.answer_of(cells_of(asked), question("predict"), LESSON), question("predict")
    )
    answered = lesson(predict="The fourth.")
    assert notebooks.answer_of(cells_of(answered), question("predict"), LESSON) == "The fourth."
    assert not notebooks.is_unanswered("The fourth.", question("predict"))
    assert notebooks.is_unanswered(None, question("predict"))


@pytest.mark.parametrize("name", lessons.names())
def test_a_lesson_is_known_by_what_is_in_it(name):
    cells = notebooks.read(lessons.path(name).read_bytes())
    assert notebooks.lesson_of(cells, lessons.names()) == name
    asked = notebooks.questions(name)
    assert len(asked) >= 3
    assert all(q.rubric and q.prompt for q in asked if q.exercise is None)


def test_another_notebook_is_no_lesson():
    other = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("import numpy as np\nprint(1)")]
    )
    assert notebooks.lesson_of(cells_of(other), lessons.names()) is None


# Collecting


def collected(course, place):
    ids, mails = collecting.collect(course, "00", place)
    return ids, dict(mails)


def zipped(path, names, content=None):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content or nbformat.writes(lesson(RIGHT)))
    return path


@pytest.mark.parametrize(
    "names",
    [
        ["ada/00_start.ipynb", "bo/answer.ipynb"],
        ["class/ada/00_start/00_start.ipynb", "class/bo/00_start/x.ipynb"],
        [
            "Ada Öz_4711_assignsubmission_file/00_start.ipynb",
            "Bo Li_12_assignsubmission_file_/a b.ipynb",
        ],
        ["özada_91_77_00_start-1.ipynb", "libo_LATE_92_78_00_start.ipynb"],
        ["ADA.ipynb", "bo_00_start.ipynb"],
    ],
)
def test_the_forms_in_which_files_come(course, tmp_path, names):
    ids, mails = collected(course, zipped(tmp_path / "in.zip", names))
    assert ids == ["ada", "bo"]
    assert set(mails) == {"cy", "di"}


def test_the_latest_that_can_be_read_counts(course, tmp_path):
    old = hand_in(tmp_path / "in", "ada", lesson(WRONG), "00_start.ipynb")
    new = hand_in(tmp_path / "in", "ada", lesson(RIGHT), "00_start (1).ipynb")
    broken = tmp_path / "in" / "ada" / "last.ipynb"
    broken.write_text("{")
    for i, file in enumerate((old, new, broken)):
        os.utime(file, (1_800_000_000 + 60 * i,) * 2)
    collected(course, tmp_path / "in")
    assert RIGHT.strip().splitlines()[1] in course.submitted("ada", LESSON).read_text().replace(
        "\\n", "\n"
    )
    assert course.handed_in("ada", LESSON).timestamp() == 1_800_000_060
    new.unlink()
    collected(course, tmp_path / "in")  # an older one does not take the place of a newer one
    assert course.handed_in("ada", LESSON).timestamp() == 1_800_000_060


def test_who_needs_a_mail_and_why(course, tmp_path):
    place = tmp_path / "in"
    (place / "ada").mkdir(parents=True)
    (place / "ada" / "00_start.ipynb").write_text('{"cells": [')
    hand_in(place, "bo", nbformat.read(lessons.path("03"), 4))
    (place / "cy").mkdir()
    (place / "cy" / "essay.docx").write_bytes(b"PK")
    hand_in(place, "eve", lesson(RIGHT))
    ids, mails = collected(course, place)
    assert ids == []
    assert "is no JSON" in mails["ada"]
    assert "03_vae" in mails["bo"] or "no copy" in mails["bo"]
    assert mails["cy"] == "handed in no notebook, but essay.docx"
    assert mails["di"] == "handed in nothing"
    assert mails["eve/00_start.ipynb"] == "belongs to nobody on the roster"
    row = rows_of(course)["ada", "predict"]
    assert (row.points, row.status) == (0.0, "error")
    assert "is no JSON" in row.reason
    hand_in(place, "ada", lesson(RIGHT))
    assert collected(course, place)[0] == ["ada"]
    assert rows_of(course)["ada", "predict"].status == "ungraded"


def test_two_of_one_name_are_told(course, tmp_path):
    text = ROSTER + "ada2,Ada,Öz,ada2@example.org\n"
    (course.path / "students.csv").write_text(text, encoding="utf-8")
    course = folder.read(course.path)
    place = zipped(tmp_path / "in.zip", ["Ada Öz_1_assignsubmission_file/00_start.ipynb"])
    assert "may belong to ada or ada2" in str(collected(course, place)[1])


# Dates, and the forms of grades


def test_what_is_late_loses_points():
    due = datetime.datetime(2027, 2, 1, 12, tzinfo=datetime.UTC)
    rule = folder.late_rule("10%/day", "2h")

    def factor(hours, rule=rule):
        return rule.factor(due + datetime.timedelta(hours=hours), due)

    assert factor(-1) == factor(2) == (1.0, None)
    assert factor(3) == (0.9, "3.0 hours late: 10% less")
    assert factor(24)[0] == 0.9
    assert factor(25)[0] == pytest.approx(0.8)
    assert factor(24 * 30) == (0.0, "30.0 days late: 100% less")
    assert factor(1000, folder.late_rule("none"))[0] == 1.0
    assert rule.factor(None, due)[0] == rule.factor(due, None)[0] == 1.0
    assert folder.late_rule("2.5%/hour").factor(due + datetime.timedelta(hours=3), due)[0] == 0.925


def test_nobody_s_extension_is_refused(course):
    toml = course.path / "course.toml"
    toml.write_text(toml.read_text() + '\n[extensions.adaa]\n"00_start" = 2027-01-20T00:00:00Z\n')
    assert "extensions for adaa, not on the roster" in run(
        "classroom", "grade", course.path, status=2
    )


@pytest.mark.parametrize("words", ["10%", "ten a day", "101%/day", "-1%/day"])
def test_a_rule_that_says_nothing_is_refused(words):
    with pytest.raises(UsageError, match="late rule"):
        folder.late_rule(words)


@needs_box
@pytest.mark.usefixtures("one_box")
def test_the_rule_is_applied_when_grades_are_written(course, tmp_path):
    hand_in(tmp_path / "in", "ada", lesson(RIGHT))
    file = hand_in(tmp_path / "in", "bo", lesson(RIGHT))
    for student in ("ada", "bo"):
        os.utime(file.parents[1] / student / file.name, (1_800_000_000,) * 2)
    told = (course.path / "course.toml").read_text().replace('late = "none"', 'late = "50%/day"')
    told = told.replace("\n[due]", '\n[due]\n"00" = 2027-01-15T00:00:00Z')
    told += '\n[extensions.bo]\n"00_start" = 2027-01-20T00:00:00Z\n'
    (course.path / "course.toml").write_text(told)
    course = folder.read(course.path)
    collecting.collect(course, "00", tmp_path / "in")
    grading.grade(course)
    ada, bo = (rows_of(course)[s, "discriminator-loss-tests"] for s in ("ada", "bo"))
    assert (ada.points, bo.points) == (1.0, 2.0)
    assert "late: 50% less" in ada.reason
    run("classroom", "grades", course.path, "--late", "none", "--out", tmp_path / "g.csv")
    assert "ada,00_start,discriminator-loss-tests,2,2,graded," in (tmp_path / "g.csv").read_text()


def test_who_handed_in_nothing_has_no_points_once_others_have(course, tmp_path):
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "a.ipynb").write_text("{")
    collecting.collect(course, "00", tmp_path / "in")
    table = list(csv.reader(io.StringIO(export.write(course, "moodle"))))
    assert [row[-1] for row in table[1:]] == ["0"] * 4
    (tmp_path / "in" / "ada" / "a.ipynb").unlink()
    assert "is no JSON" in collected(course, tmp_path / "in")[1]["ada"]  # as its row says
    assert [f.parts[-3] for f in pages.feedback(course, "00")] == ["ada"]


def test_moodle_and_canvas_get_their_columns(course):
    moodle = list(csv.reader(io.StringIO(export.write(course, "moodle"))))
    assert moodle[0] == [
        "First name",
        "Last name",
        "ID number",
        "Email address",
        "00 Draw your first digits",
    ]
    assert moodle[1] == ["Ada", "Öz", "ada", "ada@example.org", ""]  # nobody has handed in
    canvas = list(csv.reader(io.StringIO(export.write(course, "canvas"))))
    assert canvas[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert canvas[1] == ["    Points Possible", "", "", "", "", "4"]
    assert canvas[2] == ["Öz, Ada", "", "ada", "ada@example.org", "", ""]
    assert canvas[5][0] == "'=SUM(1), Di"  # no formula of a spreadsheet's


# Alike


def test_alike_are_solutions_that_differ_in_names_and_layout(course, tmp_path):
    renamed = re.sub(r"\breal\b", "a", re.sub(r"\bfake\b", "b", RIGHT)).replace(
        "\n    return", "\n    # mine\n    return"
    )
    other = EXERCISE.RIGHT[list(EXERCISE.RIGHT)[1]]
    for student, source in (("ada", RIGHT), ("bo", renamed), ("cy", other)):
        hand_in(tmp_path / "in", student, lesson(source))
    collecting.collect(course, "00", tmp_path / "in")
    [pair, *rest] = similarity.pairs(course, "00", 0.95)
    assert {pair.one, pair.other} == {"ada", "bo"}
    assert pair.share == 1.0
    assert rest == []


def test_the_package_s_text_is_known_again(course, tmp_path):
    import inspect

    from ganedu.models import gan

    source = inspect.getsource(gan.discriminator_loss).replace(
        "discriminator_loss", "my_discriminator_loss"
    )
    hand_in(tmp_path / "in", "ada", lesson(source))
    collecting.collect(course, "00", tmp_path / "in")
    pairs = similarity.pairs(course, "00")
    assert [(p.one, p.other) for p in pairs] == [
        ("ada", "the package (ganedu.models.gan.discriminator_loss)")
    ]


# Pages


def test_a_page_runs_nothing_of_a_student_s(course, tmp_path):
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    notebook = lesson(RIGHT, evil)
    place = next(i for i, c in enumerate(notebook.cells) if c.source == evil)
    code = nbformat.v4.new_code_cell("1")
    code.outputs = [
        nbformat.v4.new_output(
            "display_data", {"text/html": evil, "image/svg+xml": evil, "text/plain": evil}
        ),
        nbformat.v4.new_output("display_data", {"image/png": '"><script>'}),
    ]
    notebook.cells.insert(place + 1, code)
    hand_in(tmp_path / "in", "ada", notebook)
    collecting.collect(course, "00", tmp_path / "in")
    for file in pages.review(course, "00"):
        text = file.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "onerror=" not in text.replace("onerror=&quot;", "")
        assert "Content-Security-Policy\" content=\"default-src 'none';" in text
        assert "script-src 'sha256-" in text
        assert text.count("<script>") == 1
        assert "<strong>Rubric.</strong>" in text
    assert (
        "&lt;script&gt;alert(1)" in (course.path / "review" / LESSON / "predict.html").read_text()
    )


def test_marks_out_of_range_are_refused_and_none_is_taken(course, tmp_path):
    file = tmp_path / "marks.csv"
    file.write_text("student,question,points\nada,predict,9\n")
    assert "ada has no graded 00_start" in run(
        "classroom", "review", course.path, "00", "--marks", file, status=2
    )
    with gradebook.opened(course) as book:
        book.add_submission(LESSON, "ada")
    for points in ("9", "-0.5", "nan"):
        file.write_text(f"student,question,points\nada,open,1\nada,predict,{points}\n")
        assert "predict gives 0 to" in run(
            "classroom", "review", course.path, "00", "--marks", file, status=2
        )
    file.write_text("student,question,points\nada,open,1\nada,nowhere,1\n")
    assert "no question 'nowhere'" in run(
        "classroom", "review", course.path, "00", "--marks", file, status=2
    )
    assert gradebook.marks(course, LESSON) == {}
    file.write_text("who,what\na,b\n")
    assert "columns student, question, points" in run(
        "classroom", "review", course.path, "00", "--marks", file, status=2
    )


@needs_box
@pytest.mark.usefixtures("one_box")
def test_a_comment_reaches_the_student_and_points_stay(course, tmp_path):
    hand_in(tmp_path / "in", "ada", lesson(RIGHT, "The last."))
    collecting.collect(course, "00", tmp_path / "in")
    grading.grade(course)
    file = tmp_path / "marks.csv"
    for text in (
        "student,question,points\nada,predict,0.5\n",
        'student,question,points,comment\nada,predict,,"<b>Why</b>, ""ada""?\nSay more."\n',
        "student,question,points,comment\nada,predict,1,\nada,open,,\n",
    ):
        file.write_text(text)
        run("classroom", "review", course.path, "00", "--marks", file)
    said = '<b>Why</b>, "ada"?\nSay more.'
    assert gradebook.marks(course, LESSON) == {("ada", "predict"): gradebook.Mark(1.0, said)}
    (page,) = pages.feedback(course, "00")
    assert html.escape(said) in page.read_text(encoding="utf-8")
    shown = next(f for f in pages.review(course, "00") if f.stem == "predict").read_text()
    assert f">\n{html.escape(said)}</textarea>" in shown
    row = rows_of(course)["ada", "predict"]
    assert (row.points, row.reason) == (1.0, "marked by hand")
    assert rows_of(course)["ada", "open"].status == "missing"


# Bad input

FULL = """
import shutil, sys
from pathlib import Path
from click.testing import CliRunner
from ganedu.cli import main

def call(*arguments):
    done = CliRunner().invoke(main, ["classroom", *arguments])
    print(done.exit_code, len(done.output.splitlines()), done.output.strip().replace("\\n", " / "))
    return done.exit_code

roster, handed_in, later, marks = sys.argv[1:]
fill = Path("fill")
fill.write_bytes(bytes(shutil.disk_usage(".").free - 50_000))
assert call("new", "c", "--lessons", "00", "--roster", roster) == 2
assert [p.name for p in Path().iterdir()] == ["fill"]
fill.unlink()
assert call("new", "c", "--lessons", "00", "--roster", roster) == 0
fill.write_bytes(bytes(shutil.disk_usage(".").free - 400_000))  # one of three has room
assert call("collect", "c", "00", handed_in) == 2
fill.unlink()
assert call("collect", "c", "00", handed_in) == 0
assert call("grade", "c", "00", "--jobs", "1") == 0
before = {p: p.read_bytes() for p in Path("c").rglob("*") if p.is_file() and p.name != "gradebook.db"}
try:
    with fill.open("wb", 0) as file:
        while True:
            file.write(bytes(1024))
except OSError:
    pass
for command in (
    ("collect", "c", "00", later), ("release", "c", "00"), ("review", "c", "00"), ("feedback", "c", "00"),
    ("grades", "c", "--out", "g.csv"),
):
    assert call(*command) == 2, command
call("review", "c", "00", "--marks", marks)  # it may find room within the gradebook's file
after = {p: p.read_bytes() for p in Path("c").rglob("*") if p.is_file() and p.name != "gradebook.db"}
assert before == after
fill.unlink()
assert call("review", "c", "00", "--marks", marks) == 0
assert call("grades", "c", "--out", "g.csv") == 0
"""


@needs_box
def test_a_full_disk_is_one_line_and_leaves_nothing_half_made(tmp_path, roster):
    """On a disk of 4 MB that is filled, and emptied again."""
    for student in ("ada", "bo", "cy"):
        file = tmp_path / "in" / student / f"{LESSON}.ipynb"
        file.parent.mkdir(parents=True)
        file.write_bytes(lessons.path(LESSON).read_bytes())  # with its outputs
        hand_in(tmp_path / "later", student, lesson(WRONG))
    marks = tmp_path / "marks.csv"
    marks.write_text("student,question,points\nada,predict,1\n")
    disk = tmp_path / "disk"
    disk.mkdir()
    box_of_4_mb = ["bwrap", "--dev-bind", "/", "/", "--size", "4000000", "--tmpfs", str(disk)]
    inside = ["--chdir", str(disk), sys.executable, "-c", FULL]
    done = subprocess.run(
        [*box_of_4_mb, *inside, *map(str, (roster, tmp_path / "in", tmp_path / "later", marks))],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    refused = [line for line in done.stdout.splitlines() if line.startswith("2 ")]
    assert len(refused) >= 7
    assert all(line.startswith("2 1 ganedu: ") for line in refused)
    assert all("No space left" in line or "disk is full" in line for line in refused)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,first_name\na,b\n", "Missing: last_name, email"),
        (ROSTER + "ADA,x,y,z\n", "line 6: the id ADA is there twice"),
        ("id,first_name,last_name,email\n../../x,a,b,c\n", "line 2: an id has letters"),
        ("id,first_name,last_name,email\n", "has no students"),
    ],
)
def test_a_bad_roster_makes_no_course(tmp_path, text, told):
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    assert told in run(
        "classroom",
        "new",
        tmp_path / "c",
        "--lessons",
        "00",
        "--roster",
        tmp_path / "r.csv",
        status=2,
    )
    assert os.listdir(tmp_path) == ["r.csv"]


def test_the_secret_is_the_teacher_s(course):
    assert course.path.joinpath(".secret").stat().st_mode & 0o077 == 0
    assert len(course.secret()) == 32


def test_what_is_not_there_is_told(course, roster, tmp_path):
    new = ["classroom", "new", tmp_path / "c", "--roster", roster, "--lessons"]
    assert "no lesson '99'" in run(*new, "00,99", status=2)
    assert "is there already" in run(
        "classroom", "new", course.path, "--lessons", "00", "--roster", roster, status=2
    )
    assert "has no lesson '03'" in run("classroom", "release", course.path, "03", status=2)
    assert "must be a course" in run("classroom", "grade", tmp_path / "nowhere", status=2)
    (tmp_path / "a.zip").write_bytes(b"no zip")
    assert "must be a folder or a zip" in run(
        "classroom", "collect", course.path, "00", tmp_path / "a.zip", status=2
    )
    toml = course.path / "course.toml"
    toml.write_text(toml.read_text().replace("format = 1", "format = 2"))
    assert "newer ganedu" in run("classroom", "grade", course.path, status=2)
    toml.write_text("format = [")
    assert "cannot be read" in run("classroom", "grade", course.path, status=2)


# The wire, and what goes over it


@pytest.mark.parametrize("name", checking.names())
def test_inputs_arrive_as_they_are_and_the_probe_holds_no_answer(name):
    import numpy as np

    exercise = checking.load(name)
    inputs = exercise.inputs(np.random.default_rng(0))
    arrived = wire.unpack(wire.pack(inputs))
    assert list(arrived) == list(inputs)
    for key, value in inputs.items():
        assert type(arrived[key]) is type(value)
        assert np.array_equal(arrived[key], value)
        assert getattr(arrived[key], "dtype", None) == getattr(value, "dtype", None)
    source = probes.probe_source(exercise)
    for name in ("def reference", "CHECKS", "RIGHT", "WRONG"):
        assert name not in source


def test_a_number_arrives_as_what_it_was():
    import numpy as np

    sent = [
        1,
        1.5,
        True,
        None,
        "a",
        np.int64(2**40),
        np.float32(0.1),
        np.bool_(True),
    ]
    arrived = wire.unpack(wire.pack(sent))
    assert arrived == sent
    assert [type(value) for value in arrived] == [type(value) for value in sent]
    assert type(wire.unpack(wire.pack(np.array(3)))) is np.ndarray
    assert type(wire.unpack(wire.pack(np.float64(0.1)))) is float


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00" * 8,
        b"\xff" * 40,
        wire._LENGTH.pack(2) + b"[[",
        *(
            wire._LENGTH.pack(len(head)) + head
            for head in (
                json.dumps({"array": "<f8", "shape": [1 << 40], "start": 0}).encode(),
                json.dumps({"array": "|O", "shape": [1], "start": 0}).encode(),
                json.dumps({"scalar": "|O", "shape": [], "start": 0}).encode(),
                json.dumps({"scalar": "|b1", "shape": [0], "start": 0}).encode(),
                json.dumps({"array": "<f8", "shape": [-1], "start": 0}).encode(),
                json.dumps({"array": "<f8", "shape": [1] * 99, "start": 0}).encode(),
                b"[" * 100_000,
            )
        ),
    ],
)
def test_a_message_of_anyone_s_is_read_with_care(message):
    with pytest.raises(wire.Unreadable):
        wire.unpack(message)


@needs_box
@pytest.mark.usefixtures("one_box")
def test_what_has_changed_is_graded_again_and_nothing_else(course, tmp_path):
    for i, (student, source) in enumerate({"ada": WRONG, "bo": RIGHT}.items()):
        os.utime(hand_in(tmp_path / "in", student, lesson(source)), (1_800_000_000 + i,) * 2)
    collecting.collect(course, "00", tmp_path / "in")
    assert grading.grade(course)["graded"] == 2
    kept = course.graded("bo", LESSON).stat().st_mtime_ns
    os.utime(hand_in(tmp_path / "in", "ada", lesson(RIGHT)), (1_800_000_100,) * 2)
    collecting.collect(course, "00", tmp_path / "in")
    done = grading.grade(course)
    assert (done["graded"], done["unchanged"]) == (1, 1)
    assert rows_of(course)["ada", "discriminator-loss-tests"].points == 2.0
    assert course.graded("bo", LESSON).stat().st_mtime_ns == kept


def test_without_a_box_on_one_s_word(course, tmp_path, monkeypatch):
    for student, source in {"ada": RIGHT, "bo": "import os\nos._exit(0)"}.items():
        hand_in(tmp_path / "in", student, lesson(source))
    collecting.collect(course, "00", tmp_path / "in")
    assert "2 graded" in run("classroom", "grade", course.path, "--unsafe", "--jobs", 1)
    ada, bo = (rows_of(course)[s, "discriminator-loss-tests"] for s in ("ada", "bo"))
    assert (ada.points, ada.status) == (2.0, "graded")
    assert (bo.points, bo.status) == (0.0, "error")


# On a cluster


@needs_box
@pytest.mark.usefixtures("one_box")
def test_a_cluster_gives_the_same_rows(course, tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs ganedu[cluster]")
    for student, source in (("ada", RIGHT), ("bo", WRONG)):
        hand_in(tmp_path / "in", student, lesson(source))
    collecting.collect(course, "00", tmp_path / "in")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        run("classroom", "grade", course.path, "--scheduler", cluster.scheduler_address)
    there = {s: grading.result(course, s, LESSON)["rows"] for s in ("ada", "bo")}
    grading.grade(course, anew=True)
    assert {s: grading.result(course, s, LESSON)["rows"] for s in ("ada", "bo")} == there
    assert [r["points"] for r in there["ada"] if r["question"] == "discriminator-loss-tests"] == [
        2.0
    ]


def test_a_scheduler_that_does_not_answer_is_told(course, tmp_path):
    pytest.importorskip("distributed", reason="needs ganedu[cluster]")
    hand_in(tmp_path / "in", "ada", lesson(RIGHT))
    collecting.collect(course, "00", tmp_path / "in")
    told = run("classroom", "grade", course.path, "--scheduler", "tcp://127.0.0.1:9", status=2)
    assert "No scheduler answers at tcp://127.0.0.1:9" in told
