"""What students hand in, read with distrust: a notebook's cells as plain texts, matched with the lesson's questions."""

import ast
import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache

from ganedu.course import checking, lessons
from ganedu.course.copies import SOLVED
from ganedu.runtime import UsageError

MAX_BYTES = 1 << 26  # of a notebook
MAX_CELLS = 2000
MAX_STATEMENTS = 200  # of a cell, beside the solution
MAX_SOURCE = 1 << 20  # letters of a cell
PREDICTION = "predict"  # the name of a lesson's question that is answered before its result shows
PREDICTED = re.compile(r'^predict\("\w{1,60}", (.{0,10000})\)', re.M)
MAX_CODE = 1 << 20  # letters of all cells with code
# Of the JSON; each costs hundreds of bytes.
MAX_PARTS = {b"[": 1 << 20, b"{": 1 << 20, b",": 1 << 22}
TESTS = re.compile(r'check\("([^"]+)",')
SHOWN = ("text/plain", "image/png", "image/jpeg")  # of an output; nothing that a browser would run
CONSTANTS = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.USub, ast.Load)

QUICK = ("np", "numpy", "math", "functools", "itertools")  # whose calls may be run again


class BadNotebook(ValueError):
    """A file that is no notebook that can be graded; the message says why."""


@dataclass(frozen=True)
class Question:
    """A question of a lesson.

    Attributes:
        name: str, of its graded cell, as in the gradebook.
        points: float, the most that it gives.
        exercise: str, the name of an exercise, or `None` for a written answer.
        solution: str, the name of the cell that the student writes in.
        prompt, rubric: str, what a written answer is asked for, and how it is marked; empty for an exercise.
    """

    name: str
    points: float
    exercise: str | None
    solution: str
    prompt: str = ""
    rubric: str = ""


@lru_cache
def _cells_of(lesson):
    """The cells of a lesson as it stands in the package."""
    return _cells(json.loads(lessons.path(lesson).read_text(encoding="utf-8")))


@lru_cache
def questions(lesson):
    """The questions of a lesson, in order: tuple of `Question`."""
    found, solution, above = [], None, ""
    for cell in _cells_of(lesson):
        graded = cell.grading
        if not graded:
            above = cell.source if cell.kind == "markdown" else above
            continue
        if cell.kind == "code" and graded.get("solution"):
            solution = graded["grade_id"]
        elif cell.kind == "code":
            (exercise,) = TESTS.findall(cell.source)
            found.append(Question(graded["grade_id"], graded["points"], exercise, solution))
        else:
            asked, _, rest = cell.source.partition(SOLVED)
            rubric = rest.partition(SOLVED.replace("BEGIN", "END"))[0].strip()
            prompt = f"{above}\n\n{asked.strip()}"
            name = graded["grade_id"]
            found.append(Question(name, graded["points"], None, name, prompt, rubric))
    return tuple(found)


@dataclass
class Cell:
    """A cell: its kind (code, markdown, raw), source, id, nbgrader's metadata, and the outputs as they are."""

    kind: str
    source: str
    id: str
    grading: dict
    outputs: list

    @property
    def grade_id(self):
        return str(self.grading.get("grade_id", ""))


def read(content):
    """The cells of a notebook that somebody handed in.

    Args:
        content: bytes.

    Raises:
        BadNotebook: for what is none, or too large.
    """
    if len(content) > MAX_BYTES:
        size = len(content) >> 20
        raise BadNotebook(
            f"it has {size} MB, at most {MAX_BYTES >> 20} are read; clear its outputs"
        )
    if not content.strip():
        raise BadNotebook("it is empty")
    if any(content.count(mark) > most for mark, most in MAX_PARTS.items()):
        raise BadNotebook("it has too many parts; clear its outputs")
    try:
        told = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadNotebook("it is no text in UTF-8") from None
    except RecursionError:
        raise BadNotebook("it is nested too deeply") from None
    except ValueError as e:
        raise BadNotebook(f"it is no JSON ({' '.join(str(e)[:80].split())})") from None
    cells = _cells(told)
    if not cells:
        raise BadNotebook("it is no notebook, or one without cells")
    letters = sum(len(c.source) for c in cells if c.kind == "code")
    if letters > MAX_CODE:
        raise BadNotebook(f"it has {letters:,} letters of code, at most {MAX_CODE:,} are read")
    return cells


def _cells(told):
    sheets = told.get("cells") if isinstance(told, dict) else None
    if sheets is None and isinstance(told, dict):  # format 3
        first = told.get("worksheets")
        first = first[0] if isinstance(first, list) and first else None
        sheets = first.get("cells") if isinstance(first, dict) else None
    found = []
    for cell in sheets[:MAX_CELLS] if isinstance(sheets, list) else ():
        if not isinstance(cell, dict):
            continue
        source = cell.get("source", cell.get("input", ""))
        if isinstance(source, list):
            source = "".join(s for s in source if isinstance(s, str))
        metadata = cell.get("metadata")
        grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        outputs = cell.get("outputs")
        found.append(
            Cell(
                str(cell.get("cell_type")),
                _utf_8(source[:MAX_SOURCE]) if isinstance(source, str) else "",
                str(cell.get("id", ""))[:100],
                grading if isinstance(grading, dict) else {},
                outputs if isinstance(outputs, list) else [],
            )
        )
    return found


def _utf_8(text):
    return text.encode("utf-8", "replace").decode()


def lesson_of(cells, names):
    """Which lesson a notebook is a copy of, by what is in it; `None` for none of them."""
    best, most = None, 0.3
    keys = {c.id for c in cells if c.id} | {c.grade_id for c in cells if c.grade_id}
    texts = {c.source.strip() for c in cells if len(c.source.strip()) > 40}
    for name in names:
        known = _known(name)
        of_texts = len(texts & known.texts) / max(len(known.texts), 1)
        share = max(len(keys & known.ids) / len(known.ids), of_texts)
        if any(_defines(c.source, f) for f in known.functions for c in cells if c.kind == "code"):
            share += 0.3
        if share > most:
            best, most = name, share
    return best


@dataclass(frozen=True)
class _Known:
    """What a lesson is known by: ids and names of cells, long texts, and what its exercises have students write."""

    ids: set
    texts: set
    functions: set


@lru_cache
def _known(lesson):
    cells = _cells_of(lesson)
    functions = {checking.load(q.exercise).FUNCTION for q in questions(lesson) if q.exercise}
    texts = {c.source.strip() for c in cells if SOLVED not in c.source}
    ids = {c.id for c in cells} | {c.grade_id for c in cells if c.grade_id}
    return _Known(ids, {t for t in texts if len(t) > 40}, functions)


def solution_of(cells, question):
    """What a student wrote for an exercise: `(source, before)`, the solution's cell and what stands before it and may
    be needed: imports, functions, classes, constants. `None` in the place of a source that is not there."""
    function = checking.load(question.exercise).FUNCTION
    code = [(i, c) for i, c in enumerate(cells) if c.kind == "code"]
    defining = [(i, c) for i, c in code if _defines(c.source, function)]
    marked = [p for p in defining if p[1].grade_id == question.solution]
    begun = [p for p in marked or defining if "raise NotImplementedError" not in p[1].source]
    elsewhere = [p for p in defining if "raise NotImplementedError" not in p[1].source]
    chosen = begun or elsewhere or marked or defining
    if not chosen:
        named = [c for _, c in code if c.grade_id == question.solution]
        return (plain(named[-1].source) if named else None), []
    place, cell = chosen[-1]
    before = [s for i, c in code if i < place for s in _needed(c.source)]
    behind = [
        s for i, c in code if i > place for s in _needed(c.source)
    ]  # run by hand, and then used above
    made = {_made(s) for s in before} | {function}
    return plain(cell.source), [*before, *(s for s in behind if _made(s) not in made)]


def _made(source):
    """The name that a statement makes, or the statement."""
    try:
        node = ast.parse(source).body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    target = node.targets[0] if isinstance(node, ast.Assign) else node
    return getattr(target, "name", None) or getattr(target, "id", None) or source


def answer_of(cells, question, lesson):
    """What a student wrote in words: str, or `None` where the cell is not there.

    The cell is known by its name, else by its id; what the student added in cells right below belongs to it."""
    original = next(c.id for c in _cells_of(lesson) if c.grade_id == question.name)
    known = _known(lesson)
    found = [i for i, c in enumerate(cells) if c.grade_id == question.name]
    found = found or [i for i, c in enumerate(cells) if c.id and c.id == original]
    if not found:
        return None
    place = found[-1]
    pieces = [cells[place].source]
    if question.name == PREDICTION and (kept := prediction_of(cells)):
        asked = pieces[0].strip() == question.prompt.rpartition("\n\n")[2].strip()
        pieces = [f"Kept before the result: {kept}", *([] if asked else pieces)]
    for cell in cells[place + 1 :]:
        if cell.kind != "markdown" or cell.id in known.ids or cell.source.strip() in known.texts:
            break
        pieces.append(cell.source)
    return "\n\n".join(pieces)


def prediction_of(cells):
    """What stands in the last call of `predict`, "" for none."""
    for cell in reversed(cells):
        found = PREDICTED.search(cell.source) if cell.kind == "code" else None
        if found:
            with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
                kept = ast.literal_eval(found[1])
                return kept.strip() if isinstance(kept, str) else ""
    return ""


def is_unanswered(written, question):
    """Whether a written answer is what the copy asked, and nothing more."""
    asked = question.prompt.rpartition("\n\n")[2]
    return written is None or not written.strip() or written.strip() == asked.strip()


def plain(source):
    """Code without a notebook's own lines (`%matplotlib`, `!pip`)."""
    lines = [
        ("" if line.lstrip()[:1] in "%!" and line.strip() else line) for line in source.splitlines()
    ]
    return "\n".join(lines)


def _defines(source, function):
    return re.search(rf"^(?:def|class) {function}\b|^{function}\s*=", source, re.M) is not None


def _needed(source):
    """The statements of a cell that make what a later one may use, and that run nothing long."""
    try:
        body = ast.parse(plain(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    wanted = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    kept = []
    for node in body[:MAX_STATEMENTS]:
        if isinstance(node, wanted) or (isinstance(node, ast.Assign) and _is_quick(node.value)):
            with contextlib.suppress(RecursionError, ValueError):  # a number of too many digits
                kept.append(ast.unparse(node))
    return kept


def _is_quick(node):
    """Whether a value is a function, a constant, or made by NumPy and the like."""
    if isinstance(node, ast.Lambda):
        return True
    if isinstance(node, ast.Call):
        root = node.func
        while isinstance(root, ast.Attribute):
            root = root.value
        values = (*node.args, *(k.value for k in node.keywords))
        return getattr(root, "id", "") in QUICK and all(
            _is_quick(v) or isinstance(v, ast.Name) for v in values
        )
    return all(isinstance(n, CONSTANTS) for n in ast.walk(node))


def digest(content):
    return hashlib.sha256(content).hexdigest()


def shown(cells):
    """A notebook of these cells for a teacher's eyes, as a dict: its own outputs, but nothing that a browser runs."""
    made = []
    for i, cell in enumerate(cells):
        kind = "code" if cell.kind == "code" else "markdown"  # a raw cell would be a page's HTML
        new = {"cell_type": kind, "id": f"cell-{i}", "metadata": {}, "source": cell.source}
        if cell.grading:
            new["metadata"]["nbgrader"] = _grading(cell.grading)
        if kind == "markdown":
            new["source"] = _without_links(_without_html(cell.source))
        if kind == "code":
            new |= {
                "outputs": [o for o in map(_output, cell.outputs[:200]) if o],
                "execution_count": None,
            }
        made.append(new)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _grading(told):
    known = {
        "grade_id": re.sub(r"[^\w.-]", "_", str(told.get("grade_id", ""))[:100]),
        **{key: bool(told.get(key)) for key in ("grade", "solution", "locked", "task")},
        "schema_version": 3,
    }
    points = told.get("points")
    return known | (
        {"points": points} if type(points) in (int, float) and 0 <= points < 1e6 else {}
    )


def _without_html(text):
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text)


def _without_links(text):
    """Markdown whose links lead to pages of the web alone: a `javascript:` would run where the teacher grades."""
    return re.sub(r"\](?=\(|:)(?!\((?:https?://|attachment:))", "] ", text)


def _output(output):
    """An output of texts and pictures, or `None`."""
    if not isinstance(output, dict):
        return None
    text = output.get("text")
    if output.get("output_type") == "stream":
        return {
            "output_type": "stream",
            "name": "stderr" if output.get("name") == "stderr" else "stdout",
            "text": _joined(text)[:100_000],
        }
    if output.get("output_type") == "error":
        told = [_joined(output.get(key))[:500] for key in ("ename", "evalue")]
        return {"output_type": "error", "ename": told[0], "evalue": told[1], "traceback": []}
    data = output.get("data")
    kept = {}
    for kind in SHOWN if isinstance(data, dict) else ():
        if kind in data:
            content = _joined(data[kind])
            is_text = kind == "text/plain"
            if is_text or re.fullmatch(r"[A-Za-z0-9+/=\s]*", content):
                kept[kind] = content[:100_000] if is_text else content
    return {"output_type": "display_data", "data": kept, "metadata": {}} if kept else None


def _joined(text):
    if isinstance(text, list):
        return "".join(t for t in text if isinstance(t, str))
    return text if isinstance(text, str) else ""


def find_question(lesson, name):
    """A question of a lesson by its name.

    Raises:
        UsageError: for a name that it has not.
    """
    for question in questions(lesson):
        if question.name == name:
            return question
    raise UsageError(f"{lesson} has no question {name!r}")
