"""A course's folder: its lessons, its roster, its dates."""

import csv
import datetime
import io
import os
import re
import secrets
import shutil
import tomllib
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from ganedu.course import lessons
from ganedu.disk import check_format, read_text, written
from ganedu.runtime import UsageError, one_line

FORMAT = 1
COLUMNS = ("id", "first_name", "last_name", "email")
_ID = re.compile(r"[\w@+-][\w.@+-]{0,63}")
_LATE = re.compile(r"(\d+(?:\.\d+)?)\s*%\s*/\s*(day|hour|week)")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(m|h|d)")
HOURS = {"hour": 1, "day": 24, "week": 168}

TEMPLATE = """\
# A course of ganedu. Dates are RFC 3339 with their zone, as 2027-02-01T23:59:00+01:00.
format = {format}
lessons = [{lessons}]
# Whether each student has a variant of an exercise, drawn from the id. Release a lesson again after a change.
variants = {variants}
# Whether the result of a prediction shows only once it is written.
locked = {locked}

# Points that are lost: "10%/day" takes a tenth of a lesson's points for each day that has begun; "none" takes none.
late = "none"
# No penalty up to here: "30m", "2h", "1d".
grace = "0h"

[due]
{due}

# A student's own dates: [extensions.ID] and then as under [due].
"""


@dataclass(frozen=True)
class Student:
    """One line of the roster."""

    id: str
    first_name: str
    last_name: str
    email: str

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class LateRule:
    """How many points a late lesson loses.

    Args:
        share: float in [0, 1], of the points, for each `hours` that have begun. Defaults to `0.0`.
        hours: float. Defaults to `24.0`.
        grace: `datetime.timedelta`. Defaults to none.
    """

    share: float = 0.0
    hours: float = 24.0
    grace: datetime.timedelta = datetime.timedelta()

    def factor(self, handed_in, due):
        """What the points are multiplied with, in [0, 1], and a few words: `None` for what was in time."""
        if handed_in is None or due is None or handed_in <= due + self.grace:
            return 1.0, None
        hours = (handed_in - due).total_seconds() / 3600
        begun = -int(-hours // self.hours)
        kept = max(0.0, 1.0 - self.share * begun)
        if kept == 1.0:
            return kept, None
        return kept, f"{_span(handed_in - due)} late: {100 * (1 - kept):.0f}% less"


def late_rule(rule, grace="0h"):
    """A rule from its words.

    Args:
        rule: str, `"none"`, or as `"10%/day"`.
        grace: str, as `"30m"`, `"2h"`, `"1d"`.

    Raises:
        UsageError: for other words.
    """
    span = _SPAN.fullmatch(grace.strip())
    if span is None:
        raise UsageError(f"The grace period must be a time as 30m, 2h or 1d. Received: {grace!r}")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[span[2]]
    free = datetime.timedelta(**{unit: float(span[1])})
    if rule.strip() == "none":
        return LateRule(grace=free)
    told = _LATE.fullmatch(rule.strip())
    if told is None or float(told[1]) > 100:
        raise UsageError(f"The late rule must be `none` or as 10%/day. Received: {rule!r}")
    return LateRule(float(told[1]) / 100, HOURS[told[2]], free)


def _span(delta):
    hours = delta.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"


@dataclass
class Course:
    """A course as its folder has it."""

    path: Path
    lessons: list
    students: dict
    late: LateRule
    variants: bool = False
    locked: bool = False
    due: dict = field(default_factory=dict)
    extensions: dict = field(default_factory=dict)

    def lesson(self, name):
        """The full name of a lesson of this course, given its name or its number.

        Raises:
            UsageError: for a lesson that the course has not.
        """
        found = [n for n in self.lessons if name in (n, n[:2])]
        if not found:
            raise UsageError(
                f"{self.path} has no lesson {name!r}. It has: {', '.join(self.lessons)}"
            )
        return found[0]

    def due_date(self, student, lesson):
        """`datetime` with a zone, or `None`."""
        return self.extensions.get(student, {}).get(lesson, self.due.get(lesson))

    def submitted(self, student, lesson):
        return self.path / "submitted" / student / lesson / f"{lesson}.ipynb"

    def problem(self, student, lesson):
        """The file that says why what a student handed in could not be read."""
        return self.submitted(student, lesson).with_name("problem.txt")

    def handed_in(self, student, lesson):
        """When a student handed a lesson in: `datetime` with a zone, or `None`."""
        file = self.submitted(student, lesson).with_name("timestamp.txt")
        try:
            told = file.read_text().strip().removesuffix(" UTC")
            return datetime.datetime.fromisoformat(told).replace(tzinfo=datetime.UTC)
        except (OSError, ValueError):
            return None

    def graded(self, student, lesson):
        return self.path / "graded" / lesson / f"{student}.json"

    def secret(self):
        """Bytes that decide which inputs each solution meets."""
        return bytes.fromhex((self.path / ".secret").read_text())


def create(path, names, roster, variants=False, locked=False):
    """Makes a course's folder, whole or not at all.

    Args:
        path: the folder, which must not be there.
        names: list of str, lessons' names or numbers.
        roster: a CSV file with the columns of `COLUMNS`.
        variants: bool, whether each student has a variant of an exercise. Defaults to `False`.
        locked: bool, whether the result of a prediction shows only once it is written. Defaults to `False`.

    Returns:
        `Course`.

    Raises:
        UsageError: for a folder that is there, lessons that are not, and a roster that cannot be read.
    """
    from ganedu.course.classroom import gradebook

    path = Path(path)
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already; choose another folder")
    chosen = list(dict.fromkeys(lessons.path(name.strip()).stem for name in names))
    if not chosen:
        raise UsageError("A course needs a lesson")
    read_roster(roster)
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(begun, ignore_errors=True)
    try:
        begun.mkdir()
        due = "\n".join(f'# "{name}" = 2027-02-01T23:59:00Z' for name in chosen)
        told = ", ".join(f'"{name}"' for name in chosen)
        _write(
            begun / "course.toml",
            TEMPLATE.format(
                format=FORMAT,
                lessons=told,
                due=due,
                variants=str(bool(variants)).lower(),
                locked=str(bool(locked)).lower(),
            ),
        )
        _write(begun / "students.csv", read_text(Path(roster)))
        secret = os.open(begun / ".secret", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(secret, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        _write(begun / "nbgrader_config.py", CONFIGURATION)
        gradebook.begin(read(begun))
        os.rename(begun, path)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    return read(path)


CONFIGURATION = """\
# nbgrader's own tools work on this folder too: `nbgrader formgrader` shows it.
c = get_config()
c.CourseDirectory.root = __import__("os").path.dirname(__file__)
c.Execute.timeout = 900  # seconds a cell
"""


def _write(path, text):
    with written(path) as file:
        file.write(text.encode())


def read(path):
    """A course from its folder.

    Raises:
        UsageError: if there is none, or it is damaged, or of a newer ganedu.
    """
    path = Path(path)
    file = path / "course.toml"
    if not file.is_file():
        raise UsageError(
            f"{path} must be a course, as `ganedu classroom new` makes it. Received: none"
        )
    try:
        told = tomllib.loads(read_text(file))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise UsageError(f"{file} cannot be read: {one_line(e)}") from None
    check_format(file, told.get("format", 0), FORMAT)
    names = told.get("lessons")
    if not isinstance(names, list) or not names:
        raise UsageError(f"{file} must say lessons = [...]. Received: {names!r}")
    names = [lessons.path(str(name)).stem for name in names]
    for name in ("variants", "locked"):
        if not isinstance(told.get(name, False), bool):
            raise UsageError(f"{file} must say {name} = true or false. Received: {told[name]!r}")
    students = read_roster(path / "students.csv")
    strangers = [str(s) for s in told.get("extensions", {}) if str(s) not in students]
    if strangers:
        raise UsageError(f"{file} has extensions for {', '.join(strangers)}, not on the roster")
    return Course(
        path,
        names,
        students,
        late_rule(str(told.get("late", "none")), str(told.get("grace", "0h"))),
        told.get("variants", False),
        told.get("locked", False),
        _dates(file, told.get("due", {}), names),
        {
            str(student): _dates(file, dates, names)
            for student, dates in told.get("extensions", {}).items()
        },
    )


def _dates(file, told, names):
    found = {}
    for name, date in told.items() if isinstance(told, dict) else ():
        if not isinstance(date, datetime.datetime) or date.tzinfo is None:
            raise UsageError(
                f"{file}: a date must have a time and a zone, as 2027-02-01T23:59:00Z. Received: {name} = {date}"
            )
        matching = [n for n in names if name in (n, n[:2])]
        if not matching:
            raise UsageError(f"{file} has a date for {name!r}, which is no lesson of this course")
        found[matching[0]] = date
    return found


def read_roster(path):
    """The students of a CSV file, by id, in its order.

    Raises:
        UsageError: for a file that is none, lacks a column, or has an id twice or one that cannot name a folder.
    """
    path = Path(path)
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        raise UsageError(f"{path} must be in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = [str(h).strip().lower() for h in reader.fieldnames or []]
    missing = [c for c in COLUMNS if c not in header]
    if missing:
        raise UsageError(
            f"{path} must have the columns {', '.join(COLUMNS)}. Missing: {', '.join(missing)}"
        )
    reader.fieldnames = header
    found = {}
    for row in reader:
        told = {c: unicodedata.normalize("NFC", (row.get(c) or "").strip()) for c in COLUMNS}
        if not any(told.values()):
            continue
        if not _ID.fullmatch(told["id"]):
            raise UsageError(
                f"{path}, line {reader.line_num}: an id has letters, digits and any of . _ - + @. "
                f"Received: {told['id']!r}"
            )
        if any(told["id"].casefold() == known.casefold() for known in found):
            raise UsageError(f"{path}, line {reader.line_num}: the id {told['id']} is there twice")
        found[told["id"]] = Student(**told)
    if not found:
        raise UsageError(f"{path} has no students")
    return found
