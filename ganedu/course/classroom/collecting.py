"""Collecting: a folder, or what Moodle or Canvas gives as a zip, becomes one notebook for each student."""

import contextlib
import datetime
import functools
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ganedu.course import checking, lessons
from ganedu.course.classroom import notebooks
from ganedu.disk import written
from ganedu.runtime import UsageError, one_line

MAX_FILES = 50_000
MAX_TRIED = 20  # files of a student that are read, the latest first
MAX_NAME = 255  # letters of a file's or a folder's name
STORED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # as learning platforms make them
NOTHING = "handed in nothing"
SEVERAL = "shares a name with somebody else who handed something in: none is taken"
MOODLE = re.compile(r"(.+?)_(\d+)_assignsubmission_\w+?_?")
CANVAS = re.compile(r"([^_/]+?)(?:_LATE)?_(\d+)_\d+_.+")


DAMAGED = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError)  # of a zip's entry


@dataclass
class Found:
    """A file that may be a student's notebook.

    Attributes:
        name: str, its path in what was given.
        handed_in: `datetime`, in UTC.
        size: int, bytes.
        content: function of no arguments that reads it.
    """

    name: str
    handed_in: datetime.datetime
    size: int
    content: callable


def collect(course, lesson, path):
    """Takes what students handed in for a lesson: of each the latest notebook that can be read, now or before.

    Args:
        course: `Course`.
        lesson: str.
        path: a folder with `ID/NAME.ipynb`, or a zip of that form, of Moodle's, or of Canvas's.

    Returns:
        `(collected, mails)`: the ids whose notebook is there now; and a list of `(who, why)` that a teacher should
        write to.

    Raises:
        UsageError: for a lesson that the course has not, and for what is neither a folder nor a zip.
    """
    lesson, path = course.lesson(lesson), Path(path)
    if path.is_dir():
        files = _of_folder(path)
    elif path.is_file() and zipfile.is_zipfile(path):
        try:
            files = _of_zip(path)
        except (zipfile.BadZipFile, ValueError, struct.error) as e:
            raise UsageError(f"{path} is a damaged zip ({one_line(e)})") from None
    else:
        raise UsageError(f"{path} must be a folder or a zip. Received: neither")
    by_student, mails, accounts = {}, [], {}
    for file in files:
        student, why = _owner(course, file.name)
        if student is None:
            mails.append((_printable(file.name), why))
            continue
        by_student.setdefault(student, []).append(file)
        accounts.setdefault(student, set()).add(_account(file.name))
    collected = []
    for student in course.students:
        told = SEVERAL
        if len(accounts.get(student, set()) - {None}) <= 1:
            told = _latest(course, lesson, by_student.get(student, []))
        if isinstance(told, str):
            there = course.submitted(student, lesson).is_file()
            if told != NOTHING and not there:
                _note(course, student, lesson, told)
            problem = course.problem(student, lesson)
            if told == NOTHING and problem.is_file():
                told = problem.read_text(encoding="utf-8")
            if told != NOTHING or not there:
                mails.append((student, told + (" (an earlier one is kept)" if there else "")))
            continue
        file, content = told
        before = course.handed_in(student, lesson)
        if before is None or file.handed_in >= before:
            _keep(course, student, lesson, file, content)
            collected.append(student)
        else:
            name = _printable(file.name)
            mails.append((student, f"{name} is older than what is there, which is kept"))
    return collected, mails


def _latest(course, lesson, files):
    """A student's notebook of a lesson: `(file, content)`, or a sentence on why there is none."""
    if not files:
        return NOTHING
    problem, others = None, []
    latest = sorted(files, key=lambda f: (f.handed_in, f.name), reverse=True)
    for file in latest[:MAX_TRIED]:
        name = _printable(PurePosixPath(file.name).name)
        if not name.lower().endswith((".ipynb", ".json", ".ipynb.txt")):
            others.append(name)
            continue
        if file.size > notebooks.MAX_BYTES:
            problem = problem or f"{name} has {file.size >> 20} MB: clear its outputs"
            continue
        try:
            content = file.content()
            cells = notebooks.read(content)
        except (notebooks.BadNotebook, OSError, *DAMAGED) as e:
            problem = problem or f"{name} cannot be read: {_printable(one_line(e))}"
            continue
        of = notebooks.lesson_of(cells, lessons.names())
        if of == lesson:
            return file, content
        problem = problem or (
            f"{name} is a copy of {of}" if of else f"{name} is no copy of {lesson}"
        )
    return problem or f"handed in no notebook, but {', '.join(others[:3])}"


def _keep(course, student, lesson, file, content):
    place = course.submitted(student, lesson)
    place.parent.mkdir(parents=True, exist_ok=True)
    with written(place) as new:
        new.write(content)
    with written(place.with_name("timestamp.txt")) as new:
        new.write(f"{file.handed_in:%Y-%m-%d %H:%M:%S} UTC".encode())
    course.problem(student, lesson).unlink(missing_ok=True)


def _note(course, student, lesson, why):
    place = course.problem(student, lesson)
    place.parent.mkdir(parents=True, exist_ok=True)
    with written(place) as new:
        new.write(why.encode("utf-8", "replace"))


def _of_folder(path):
    found, waiting, count = [], [path], 0
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(folder.iterdir())
        except OSError:  # one that may not be read, or too deep
            if folder == path:
                raise
            continue
        count += len(entries)
        if count > MAX_FILES:
            raise UsageError(f"{path} has more than {MAX_FILES:,} files")
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.lstat()
                if entry.name.startswith("."):
                    continue
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(entry)
                elif stat.S_ISREG(status.st_mode) and entry.name != "timestamp.txt":
                    name = entry.relative_to(path)
                    when = datetime.datetime.fromtimestamp(status.st_mtime, datetime.UTC)
                    when = _timestamp(entry, name) or when
                    content = functools.partial(_content, entry)
                    found.append(Found(name.as_posix(), when, status.st_size, content))
    return found


def _content(file, most=notebooks.MAX_BYTES + 1):
    """The beginning of a file, which may have become a link or a pipe since it was seen."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{file.name} is no file")
        return opened.read(most)


def _timestamp(file, name):
    """The time that nbgrader wrote beside a notebook, at ID/LESSON/; what stands elsewhere anyone may have written."""
    if len(name.parts) < 3 or file.parent.name not in lessons.names():
        return None
    try:
        text = _content(file.with_name("timestamp.txt"), 60).decode().strip().removesuffix(" UTC")
        told = datetime.datetime.fromisoformat(text)
        return told.replace(tzinfo=told.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _of_zip(path):
    archive = zipfile.ZipFile(path)
    if len(archive.infolist()) > MAX_FILES:
        raise UsageError(f"{path} has more than {MAX_FILES:,} files")
    found = []
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if entry.is_dir() or any(p.startswith((".", "__MACOSX")) for p in name.parts if p != ".."):
            continue
        try:
            when = datetime.datetime(*entry.date_time).astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            when = datetime.datetime.now(datetime.UTC)
        parts = [p for p in name.parts if p not in ("..", "/", ".")]

        def content(entry=entry):
            if entry.compress_type not in STORED:
                raise zipfile.BadZipFile("it is compressed in an unusual way")
            with archive.open(entry) as file:
                return file.read(notebooks.MAX_BYTES + 1)  # whatever the entry says of its size

        found.append(Found("/".join(parts), when, entry.file_size, content))
    return found


def _owner(course, name):
    """Whose file this is: `(id, None)`, or `(None, why not)`."""
    parts = [unicodedata.normalize("NFC", p) for p in PurePosixPath(name).parts]
    ids = {known.casefold(): known for known in course.students}
    # The outermost part that names somebody: what is in a folder, its owner may have named as they liked.
    for i, part in enumerate(parts):
        stem, is_file = part.partition(".ipynb")[0], i == len(parts) - 1
        if len(part) > MAX_NAME:
            break
        for told in (part, stem):
            if told.casefold() in ids:
                return ids[told.casefold()], None
        told = MOODLE.fullmatch(part) or (is_file and CANVAS.fullmatch(part))
        if told:
            return _by_name(course, told[1])
        first = re.split(r"[_ (]", stem)[0].casefold()
        if is_file and first in ids:
            return ids[first], None
    return None, "belongs to nobody on the roster"


def _account(name):
    """The number by which Moodle or Canvas knows who handed a file in, if its name has one: names can be changed."""
    parts = PurePosixPath(name).parts
    for pattern, part in (*((MOODLE, part) for part in parts), *((CANVAS, p) for p in parts[-1:])):
        told = pattern.fullmatch(part) if len(part) <= MAX_NAME else None
        if told:
            return told[2]
    return None


def _by_name(course, told):
    wanted = _letters(told)
    found = [
        s.id
        for s in course.students.values()
        if wanted in (_letters(s.first_name + s.last_name), _letters(s.last_name + s.first_name))
    ]
    if len(found) == 1:
        return found[0], None
    if found:
        return None, f"may belong to {' or '.join(found)}, who have the same name"
    return None, f"belongs to {_printable(told)}, who is not on the roster"


def _printable(name):
    """A name that somebody else gave, as a terminal may show it."""
    return "".join(c if c.isprintable() else "?" for c in name[:MAX_NAME])


@functools.lru_cache(maxsize=10_000)
def _letters(name):
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if c.isalnum()).casefold()


ASKED = """\
from ganedu.course.checking import task

student = ""  # your id, as your class has it
print(task("{name}", student))"""

PREDICTED = """\
from ganedu.course.checking import predict, predicted

predict("{lesson}", "")  # what you expect, and why: then the cell below runs"""


def release(course, lesson, out=None):
    """Makes the students' copy of a lesson, and a zip of it.

    Args:
        course: `Course`.
        lesson: str.
        out: folder for the zip. Defaults to `release/LESSON/` of the course.

    Returns:
        The zip's path.
    """
    import nbformat

    from ganedu.course import copies

    lesson = course.lesson(lesson)
    solved, copy = nbformat.read(lessons.path(lesson), 4), copies.fresh(lessons.path(lesson))
    for notebook in (solved, copy):
        if course.variants:
            _ask_for_variants(notebook)
        if course.locked:
            _lock_predictions(notebook, lesson)
    solved, copy = (nbformat.writes(notebook) + "\n" for notebook in (solved, copy))
    source = course.path / "source" / lesson / f"{lesson}.ipynb"
    here = course.path / "release" / lesson / f"{lesson}.ipynb"
    for place, text in ((source, solved), (here, copy)):
        place.parent.mkdir(parents=True, exist_ok=True)
        with written(place) as new:
            new.write(text.encode())
    place = Path(out) if out else here.parent
    place.mkdir(parents=True, exist_ok=True)
    with (
        written(place / f"{lesson}.zip") as new,
        zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(f"{lesson}.ipynb", copy)
    return place / f"{lesson}.zip"


def _ask_for_variants(notebook):
    """Puts before each exercise that has variants a cell that tells a student theirs, and has it checked."""
    import nbformat

    cells = []
    for cell in notebook.cells:
        tested = notebooks.TESTS.match(cell.source) if cell.cell_type == "code" else None
        if tested and getattr(checking.load(tested[1]), "VARIANTS", ()):
            asked = ASKED.format(name=tested[1])
            solution = cells.pop()
            cells += [nbformat.v4.new_code_cell(asked, id=f"variant-{solution.id}"[:64]), solution]
            cell.source = cell.source.replace(")", ", student=student)", 1)
        cells.append(cell)
    notebook.cells = cells


def _lock_predictions(notebook, lesson):
    """Puts below each prediction a cell that keeps it, and lets the result below that show only then."""
    import nbformat

    cells = []
    for cell in notebook.cells:
        if cells and cells[-1].source == PREDICTED.format(lesson=lesson):
            cell.source = f'predicted("{lesson}")\n{cell.source}'
        cells.append(cell)
        if cell.metadata.get("nbgrader", {}).get("grade_id") == notebooks.PREDICTION:
            kept = PREDICTED.format(lesson=lesson)
            cells.append(nbformat.v4.new_code_cell(kept, id=f"predict-{cell.id}"[:64]))
    notebook.cells = cells
