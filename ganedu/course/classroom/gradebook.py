"""nbgrader's gradebook: points of exercises go in, marks of written answers come out, and stay."""

import contextlib
import os
import sysconfig
import warnings

from ganedu.course.classroom import notebooks
from ganedu.runtime import UsageError


@contextlib.contextmanager
def opened(course):
    """The course's gradebook.

    Raises:
        UsageError: if nbgrader is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nbgrader.api import Gradebook
    except ImportError:
        raise UsageError("A classroom needs nbgrader: pip install 'ganedu[classroom]'") from None
    with warnings.catch_warnings(), _scripts_on_the_path():
        warnings.simplefilter("ignore")
        with Gradebook(f"sqlite:///{course.path.resolve() / 'gradebook.db'}") as book:
            yield book


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


def marks(course, lesson):
    """The points that a person gave: dict from `(student, question)` to float."""
    with opened(course) as book:
        names = {a.name for a in book.assignments}
        if lesson not in names:
            return {}
        return {
            (submission.student_id, grade.cell.name): float(grade.manual_score)
            for submission in book.find_assignment(lesson).submissions
            for notebook in submission.notebooks
            for grade in notebook.grades
            if grade.manual_score is not None
        }


def set_marks(course, lesson, given):
    """Writes points that a person gave.

    Args:
        given: dict from `(student, question)` to float.

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
        for (student, name), points in given.items():
            if student not in submissions:
                raise UsageError(f"{student} has no graded {lesson}")
            most = notebooks.find_question(lesson, name).points
            if not 0 <= points <= most:
                raise UsageError(
                    f"{name} gives 0 to {most} points. Received: {points} for {student}"
                )
        for (student, name), points in given.items():
            for grade in submissions[student].notebooks[0].grades:
                if grade.cell.name == name:
                    grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()
