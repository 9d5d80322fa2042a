"""Collecting: a folder, or what Moodle or Canvas gives as a zip, becomes one notebook for each student."""

import datetime
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ganedu.course import checking, lessons
from ganedu.course.classroom import notebooks
from ganedu.disk import written
from ganedu.runtime import UsageError

MAX_FILES = 50_000
NOTHING = "handed in nothing"
MOODLE = re.compile(r"(.+?)_\d+_assignsubmission_\w+?_?")
CANVAS = re.compile(r"([^_/]+?)(?:_LATE)?_\d+_\d+_.+")


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
        files = _of_zip(path)
    else:
        raise UsageError(f"{path} must be a folder or a zip. Received: neither")
    by_student, mails, seen = {}, [], set()
    for file in files:
        student, why = _owner(course, file.name)
        if student is None:
            mails.append((file.name, why))
            continue
        seen.add(student)
        by_student.setdefault(student, []).append(file)
    collected = []
    for student in course.students:
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
            mails.append((student, f"{file.name} is older than what is there, which is kept"))
    return collected, mails


def _latest(course, lesson, files):
    """A student's notebook of a lesson: `(file, content)`, or a sentence on why there is none."""
    if not files:
        return NOTHING
    problem, others = None, []
    for file in sorted(files, key=lambda f: (f.handed_in, f.name), reverse=True):
        name = PurePosixPath(file.name).name
        if not name.lower().endswith((".ipynb", ".json", ".ipynb.txt")):
            others.append(name)
            continue
        if file.size > notebooks.MAX_BYTES:
            problem = problem or f"{name} has {file.size >> 20} MB: clear its outputs"
            continue
        try:
            content = file.content()
            cells = notebooks.read(content)
        except (notebooks.BadNotebook, OSError, zipfile.BadZipFile, RuntimeError, EOFError) as e:
            problem = problem or f"{name} cannot be read: {e}"
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
    found, waiting = [], [path]
    while waiting:
        folder = waiting.pop()
        for entry in sorted(folder.iterdir()):
            if entry.is_symlink() or entry.name.startswith("."):
                continue
            if entry.is_dir():
                waiting.append(entry)
            elif entry.is_file():
                status = entry.stat()
                when = datetime.datetime.fromtimestamp(status.st_mtime, datetime.UTC)
                told = _timestamp(entry) or when
                name = entry.relative_to(path).as_posix()
                found.append(Found(name, told, status.st_size, entry.read_bytes))
            if len(found) > MAX_FILES:
                raise UsageError(f"{path} has more than {MAX_FILES:,} files")
    return [f for f in found if PurePosixPath(f.name).name != "timestamp.txt"]


def _timestamp(file):
    """The time that nbgrader wrote beside a notebook."""
    try:
        text = file.with_name("timestamp.txt").read_text()[:60].strip().removesuffix(" UTC")
        told = datetime.datetime.fromisoformat(text)
    except (OSError, ValueError):
        return None
    return told.replace(tzinfo=told.tzinfo or datetime.UTC).astimezone(datetime.UTC)


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
            with archive.open(entry) as file:
                return file.read(notebooks.MAX_BYTES + 1)  # whatever the entry says of its size

        found.append(Found("/".join(parts), when, entry.file_size, content))
    return found


def _owner(course, name):
    """Whose file this is: `(id, None)`, or `(None, why not)`."""
    parts = [unicodedata.normalize("NFC", p) for p in PurePosixPath(name).parts]
    ids = {known.casefold(): known for known in course.students}
    stems = [part.partition(".ipynb")[0] for part in parts]
    for told in (*parts, *stems):
        if told.casefold() in ids:
            return ids[told.casefold()], None
    for part in parts:
        for pattern in (MOODLE, CANVAS):
            told = pattern.fullmatch(part)
            if told:
                return _by_name(course, told[1])
    for stem in stems:
        first = re.split(r"[_ (]", stem)[0].casefold()
        if first in ids:
            return ids[first], None
    return None, "belongs to nobody on the roster"


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
    return None, f"belongs to {told}, who is not on the roster"


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
