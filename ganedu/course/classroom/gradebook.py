"""nbgrader's gradebook: points of exercises go in, marks of written answers come out, and stay."""

import contextlib
import os
import sysconfig
import warnings
from dataclasses import dataclass

from ganedu.course.classroom import notebooks
from ganedu.runtime import UsageError, one_line


@contextlib.contextmanager
def opened(course):
    """The course's gradebook.

    Raises:
        UsageError: if nbgrader is not installed, and if the gradebook cannot be read or written.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nbgrader.api import Gradebook, StatementError
    except ImportError:
        raise UsageError("A classroom needs nbgrader: pip install 'ganedu[classroom]'") from None
    with warnings.catch_warnings(), _scripts_on_the_path():
        warnings.simplefilter("ignore")
        file = course.path.resolve() / "gradebook.db"
        try:
            with Gradebook(f"sqlite:///{file}") as book:
                yield book
        except StatementError as e:
            raise UsageError(f"{file} cannot be read or written ({one_line(e.orig)})") from None


@contextlib.contextmanager
def _scripts_on_the_path():
    """nbgrader calls `alembic`, which stands beside the Python that runs."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def begin(course):
    """Makes the gradebook agree with the course: students and questions that are new are added."""
    with opened(course) as book:
        _students(course, book)
        for lesson in course.lessons:
            _lesson(course, book, lesson)


def _students(course, book):
    known = {s.id: s for s in book.students}
    for student in course.students.values():
        told = {
            "first_name": student.first_name,
            "last_name": student.last_name,
            "email": student.email,
        }
        if student.id not in known:
            book.add_student(student.id, **told)
        elif any(getattr(known[student.id], key) != value for key, value in told.items()):
            book.update_or_create_student(student.id, **told)


def _lesson(course, book, lesson):
    due = course.due.get(lesson)
    book.update_or_create_assignment(
        lesson, duedate=None if due is None else due.astimezone().isoformat()
    )
    book.update_or_create_notebook(lesson, lesson)
    for question in notebooks.questions(lesson):
        kind = "code" if question.exercise else "markdown"
        book.update_or_create_grade_cell(
            question.name, lesson, lesson, max_score=question.points, cell_type=kind
        )
        book.update_or_create_solution_cell(question.solution, lesson, lesson)
        book.update_or_create_source_cell(
            question.name, lesson, lesson, source=question.prompt, cell_type=kind
        )


def store(course, lesson):
    """Writes all stored results of a lesson into the gradebook; marks that a person gave stay.

    Whatever was written before is written again, so that a run which was killed loses and doubles nothing."""
    from ganedu.course.classroom import grading

    with opened(course) as book:
        _students(course, book)
        _lesson(course, book, lesson)
        submissions = {s.student_id: s for s in book.find_assignment(lesson).submissions}
        for student in course.students:
            told = grading.result(course, student, lesson)
            if told is None:
                continue
            handed_in = course.handed_in(student, lesson)
            submission = submissions.get(student)
            if submission is None:
                submission = book.add_submission(lesson, student)
            if handed_in is not None:
                submission.timestamp = handed_in.replace(tzinfo=None)
            rows = {row["question"]: row for row in told["rows"]}
            for grade in submission.notebooks[0].grades:
                row = rows.get(grade.cell.name)
                if row is None:
                    continue
                written = row["points"] is None
                grade.auto_score = None if written else row["points"]
                grade.needs_manual_grade = written and grade.manual_score is None
        book.db.commit()


@dataclass(frozen=True)
class Mark:
    """What a person gave for an answer: points, `None` for none yet, and a comment."""

    points: float | None = None
    comment: str = ""


def marks(course, lesson):
    """What persons gave: dict from `(student, question)` to `Mark`."""
    found = {}
    with opened(course) as book:
        if lesson not in {a.name for a in book.assignments}:
            return {}
        for submission in book.find_assignment(lesson).submissions:
            for notebook in submission.notebooks:
                points = {g.cell.name: g.manual_score for g in notebook.grades}
                comments = {c.name: c.manual_comment for c in notebook.comments}
                for question in notebooks.questions(lesson):
                    mark = Mark(points.get(question.name), comments.get(question.solution) or "")
                    if mark != Mark():
                        found[submission.student_id, question.name] = mark
    return found


def set_marks(course, lesson, given):
    """Writes what a person gave. Without points, or without a comment, those that are there stay.

    Args:
        given: dict from `(student, question)` to `Mark`.

    Raises:
        UsageError: for a student who has handed in nothing, a question that is not there, points out of its range;
            nothing is written then.
    """
    with opened(course) as book:
        submissions = (
            {s.student_id: s for s in book.find_assignment(lesson).submissions}
            if lesson in {a.name for a in book.assignments}
            else {}
        )
        for (student, name), mark in given.items():
            if student not in submissions:
                raise UsageError(f"{student} has no graded {lesson}")
            most = notebooks.find_question(lesson, name).points
            if mark.points is not None and not 0 <= mark.points <= most:
                raise UsageError(
                    f"{name} gives 0 to {most} points. Received: {mark.points} for {student}"
                )
        for (student, name), mark in given.items():
            notebook = submissions[student].notebooks[0]
            for grade in notebook.grades:
                if grade.cell.name == name and mark.points is not None:
                    grade.manual_score, grade.needs_manual_grade = mark.points, False
            for comment in notebook.comments:
                if comment.name == notebooks.find_question(lesson, name).solution and mark.comment:
                    comment.manual_comment = mark.comment
        book.db.commit()
