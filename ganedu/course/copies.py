"""A student's copies of the lessons: made, and brought up to date without losing what the student wrote."""

import hashlib
import re
from pathlib import Path

from ganedu.course import lessons
from ganedu.disk import check_format, read_text, written
from ganedu.runtime import UsageError

FORMAT = 1  # of a copy, as its metadata say under `ganedu`
NOTE = "**The lesson has this cell anew** (yours, above, is as you left it):"
SOLVED = "### BEGIN SOLUTION"
SOLVED_NOTE = (
    "*This is the solved lesson. Make copies to work in with* `ganedu lessons copy my-lessons`*.*"
)


def unsolved(notebook):
    """Makes a student's copy of a lesson, in place: solutions become `raise NotImplementedError()`; hidden tests, all
    outputs, rubrics and the line that says that it is solved go.

    Args:
        notebook: `nbformat` notebook. A solution stands between `### BEGIN SOLUTION` and `### END SOLUTION`, hidden
            tests between `### BEGIN HIDDEN TESTS` and `### END HIDDEN TESTS`, as nbgrader has it.

    Returns:
        The notebook.
    """
    stub = r"\1# YOUR CODE HERE\n\1raise NotImplementedError()\n"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            source = _without("HIDDEN TESTS", "", cell.source + "\n")
            cell.source = _without("SOLUTION", stub, source).removesuffix("\n")
            cell.outputs, cell.execution_count = [], None
        else:
            source = _without("SOLUTION", "", f"{cell.source}\n".replace(f"{SOLVED_NOTE}\n\n", ""))
            cell.source = source.rstrip("\n")
    return notebook


def _without(what, instead, source):
    return re.sub(
        rf"^( *)### BEGIN {what}\n.*?### END {what}\n", instead, source, flags=re.M | re.S
    )


def copy(destination, solved=False):
    """Gives a student copies of all lessons; no file is overwritten, and where one cannot be written none is left.

    Args:
        destination: the folder.
        solved: bool, whether the copies are the lessons as they are, with solutions and outputs. Defaults to `False`.

    Returns:
        The new files.

    Raises:
        UsageError: if a file of the same name is there.
    """
    destination = Path(destination)
    files = [destination / lessons.path(name).name for name in lessons.names()]
    there = [file for file in files if file.exists()]
    if there:
        raise UsageError(f"{there[0]} is there already; choose another folder")
    destination.mkdir(parents=True, exist_ok=True)
    made = []
    try:
        for file in files:
            lesson = lessons.path(file.stem)
            content = lesson.read_bytes() if solved else _text(fresh(lesson))
            with written(file, only_new=True) as new:
                new.write(content)
            made.append(file)
    except BaseException:
        for file in made:
            file.unlink()
        raise
    return files


def update(folder):
    """Brings what is new or corrected in the lessons into a student's copies. What the student wrote stays as it is:
    answers, changed and added cells. Where a cell was both changed and corrected, the lesson's stands beneath the
    student's, as text. A copy that changes is kept beside under a name of its own.

    Args:
        folder: with copies that `copy` made.

    Returns:
        Dict from each copy's file to `(backup, changes)`: the file of the copy from before, `None` where nothing is
        new; and how many cells were `"corrected"`, `"added"`, `"removed"` and put `"beneath yours"`.

    Raises:
        UsageError: if there is no copy, or one is damaged, solved, or of a newer ganedu; none is then changed.
    """
    files = [Path(folder) / lessons.path(name).name for name in lessons.names()]
    files = [file for file in files if file.exists()]
    if not files:
        raise UsageError(
            f"{folder} must hold copies of lessons, as `ganedu lessons copy {folder}` makes them. Received: none"
        )
    before = {file: _read(file) for file in files}
    merged = {file: _merged(before[file], fresh(lessons.path(file.stem))) for file in files}
    return {file: _replaced(file, before[file], *merged[file]) for file in files}


def fresh(lesson):
    """A copy of a lesson, that says what each cell was."""
    import nbformat

    notebook = unsolved(nbformat.read(lesson, as_version=4))
    record = {_key(cell): _digest(cell) for cell in notebook.cells}
    notebook.metadata.setdefault("ganedu", {}).update(format=FORMAT, originals=record)
    return notebook


def _key(item):
    """What a cell is known by when the lesson changes: an exercise by its name, others by their id."""
    graded = item.metadata.get("nbgrader")
    name = graded.get("grade_id") if isinstance(graded, dict) else None
    return f"grade {name}" if name else item.id


def _digest(item):
    return hashlib.sha256(f"{item.cell_type}\n{item.source}".encode()).hexdigest()[:16]


def _text(notebook):
    import nbformat

    return f"{nbformat.writes(notebook)}\n".encode()


def _read(file):
    """A student's copy."""
    import nbformat

    try:
        notebook = nbformat.reads(read_text(file), as_version=4)
        for cell in notebook.cells:
            cell.setdefault("id", nbformat.v4.new_markdown_cell().id)
        notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
        nbformat.validate(notebook)
    except UsageError:
        raise
    except Exception as e:  # nbformat raises many kinds
        told = " ".join(str(e)[:200].split())
        raise UsageError(
            f"{file} is damaged, or no notebook that nbformat knows ({told}). Mend it, or move it away and copy anew"
        ) from None
    own = notebook.metadata.get("ganedu", {})
    record = own.get("originals", {}) if isinstance(own, dict) else None
    check_format(file, own.get("format", 0) if isinstance(own, dict) else None, FORMAT)
    if not isinstance(record, dict):
        raise UsageError(f"{file} is damaged (its metadata say originals: {str(record)[:40]!r})")
    if any(SOLVED in cell.source for cell in notebook.cells):
        raise UsageError(
            f"{file} must be a copy to work in. Received: a lesson with its solutions; copy it anew"
        )
    return notebook


def _merged(mine, lesson):
    """A student's copy with what is new in the lesson: `(notebook, changes)`."""
    record, known = (
        mine.metadata.get("ganedu", {}).get("originals", {}),
        {_key(c) for c in lesson.cells},
    )
    origin = {digest: key for key, digest in record.items() if isinstance(digest, str)}
    origin |= {_digest(c): _key(c) for c in lesson.cells}
    changes = dict.fromkeys(("corrected", "added", "removed", "beneath yours"), 0)
    own, behind, place = {}, {None: []}, None
    for (
        cell
    ) in mine.cells:  # the student's own stay behind the lesson's cell that they stand behind
        key = _key(cell)
        if key not in known:  # some programs drop the ids
            key = origin.get(_digest(cell), key)
        if key in known and key not in own:
            own[key], place, behind[key] = cell, key, []
        elif key not in known and record.get(key) == _digest(cell):
            changes["removed"] += 1
        else:
            behind[place].append(cell)
    cells = list(behind[None])
    for new in lesson.cells:
        key = _key(new)
        kept, change = _both(own.get(key), new, record.get(key))
        cells += [*kept, *behind.get(key, [])]
        if change:
            changes[change] += 1
    return _with_cells(mine, lesson, cells), changes


def _both(mine, new, before):
    """The cells that come of a student's cell and the lesson's, and what has changed.

    Args:
        mine: the student's, or `None`.
        new: the lesson's.
        before: `_digest` of what the student was given, or `None` where it is not known.
    """
    corrected = before != _digest(new)
    if mine is None:  # new, or taken away by the student
        return ([new], "added") if corrected else ([], None)
    if _digest(mine) == _digest(new):
        return [mine], None
    if _digest(mine) == before:
        return [new], "corrected"
    if not corrected or (before is None and _is_answer(new)):
        return [mine], None
    return [mine, _note(new)], "beneath yours"


def _is_answer(item):
    graded = item.metadata.get("nbgrader")
    return isinstance(graded, dict) and bool(graded.get("solution"))


def _note(item):
    import nbformat

    shown = item.source if item.cell_type == "markdown" else f"```python\n{item.source}\n```"
    return nbformat.v4.new_markdown_cell(f"{NOTE}\n\n{shown}")


def _with_cells(mine, lesson, cells):
    """The student's notebook with other cells, each under an id of its own."""
    import nbformat

    notebook, ids = nbformat.from_dict({**mine, "cells": cells}), set()
    for cell in notebook.cells:
        if cell.id in ids:
            cell.id = nbformat.v4.new_markdown_cell().id
        ids.add(cell.id)
    notebook.metadata["ganedu"] = lesson.metadata.ganedu
    return notebook


def _replaced(file, before, after, changes):
    """Writes a copy anew, beside what it was: `(backup, changes)`."""
    if after == before:
        return None, changes
    backup = _kept(file) if any(changes.values()) or after.cells != before.cells else None
    with written(file) as new:
        new.write(_text(after))
    return backup, changes


def _kept(file):
    """Keeps a file under the next free name beside it: that name."""
    number = 1
    while True:
        backup = file.with_name(f"{file.stem}.before-{number}{file.suffix}")
        try:
            with written(backup, only_new=True) as kept:
                kept.write(file.read_bytes())
            return backup
        except FileExistsError:
            number += 1
