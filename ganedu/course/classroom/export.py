"""The grades of a course as CSV: one row for each question, or as Moodle and Canvas take them."""

import csv
import io
import re
from dataclasses import dataclass

from ganedu.course import lessons
from ganedu.course.classroom import gradebook, grading, notebooks

PLAIN = ("student", "lesson", "question", "points", "max_points", "status", "reason")

NOTHING = "nothing was handed in"


@dataclass
class Row:
    """A student's points for a question.

    Attributes:
        points: float, after the late rule; `None` where nobody has marked the answer yet.
        status: one of `grading.STATUSES`.
        reason: str.
    """

    student: str
    lesson: str
    question: str
    points: float | None
    max_points: float
    status: str
    reason: str


def rows(course, rule=None):
    """Every student's row for every question of every lesson, in the order of the roster.

    Args:
        course: `Course`.
        rule: `LateRule`, in the place of the course's. Defaults to `None`.

    Returns:
        List of `Row`.
    """
    rule, found = rule or course.late, []
    marks = {lesson: gradebook.marks(course, lesson) for lesson in course.lessons}
    for student in course.students:
        for lesson in course.lessons:
            told = grading.result(course, student, lesson)
            by_question = {row["question"]: row for row in told["rows"]} if told else {}
            kept, late = rule.factor(
                course.handed_in(student, lesson), course.due_date(student, lesson)
            )
            for question in notebooks.questions(lesson):
                row = by_question.get(question.name)
                points, status, reason = _of(row, course, student, lesson)
                mark = marks[lesson].get((student, question.name))
                if mark is not None and mark.points is not None and row is not None:
                    points, status, reason = mark.points, "graded", "marked by hand"
                if points and late:
                    points, reason = (
                        round(points * kept, 2),
                        "; ".join(filter(None, (reason, late))),
                    )
                found.append(
                    Row(student, lesson, question.name, points, question.points, status, reason)
                )
    return found


def _of(row, course, student, lesson):
    if row is not None:
        return row["points"], row["status"], row["reason"]
    if course.submitted(student, lesson).is_file():
        return None, "ungraded", "not graded yet"
    if course.problem(student, lesson).is_file():
        return 0.0, "error", course.problem(student, lesson).read_text(encoding="utf-8")
    return 0.0, "missing", NOTHING


def write(course, form, rule=None):
    """The grades as the text of a CSV file.

    Args:
        form: `"plain"`, `"moodle"` or `"canvas"`.
    """
    found, text = rows(course, rule), io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    if form == "plain":
        out.writerow(PLAIN)
        for row in found:
            values = [getattr(row, name) for name in PLAIN]
            out.writerow([_safe(number(v)) for v in values])
        return text.getvalue()
    titles = [f"{name[:2]} {lessons.title(name)}" for name in course.lessons]
    totals = {}
    for row in found:
        totals.setdefault((row.student, row.lesson), []).append(row.points)
    begun = {row.lesson for row in found if row.reason != NOTHING}  # other lessons stay empty
    most = {lesson: sum(q.points for q in notebooks.questions(lesson)) for lesson in course.lessons}
    if form == "moodle":
        out.writerow(["First name", "Last name", "ID number", "Email address", *titles])
    else:
        out.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *titles])
        points = [number(float(most[lesson])) for lesson in course.lessons]
        out.writerow(["    Points Possible", "", "", "", "", *points])
    for student in course.students.values():
        sums = []
        for lesson in course.lessons:
            given = totals[student.id, lesson] if lesson in begun else [None]
            sums.append("" if None in given else number(float(sum(given))))
        if form == "moodle":
            who = [student.first_name, student.last_name, student.id, student.email]
        else:
            who = [f"{student.last_name}, {student.first_name}", "", student.id, student.email, ""]
        out.writerow([*map(_safe, who), *sums])
    return text.getvalue()


def number(value):
    """A number without zeros behind; other values as they are, `None` as nothing."""
    if isinstance(value, (int, float)):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return "" if value is None else value


def _safe(text):
    """What a spreadsheet would take for a formula, as text: also behind a `;`, which some take for a comma."""
    return re.sub(r"(^|[;\t\r\n])(?=\s*[=+\-@\t\r＝＋－＠])", r"\1'", text)
