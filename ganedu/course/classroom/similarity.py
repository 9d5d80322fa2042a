"""Solutions that are alike once names, comments and layout are taken away, with each other and with the package's."""

import ast
import functools
import itertools
from dataclasses import dataclass
from pathlib import Path

import ganedu
from ganedu.course import checking
from ganedu.course.classroom import notebooks

WINDOW = 5  # tokens in a row that are compared
MAX_LETTERS = 100_000  # of a solution that is read as code
PACKAGE = "the package"
LAYOUT = ("ctx", "type_comment", "returns", "annotation", "kind")  # of a tree, what says nothing


@dataclass
class Pair:
    """Two solutions of an exercise: who, and the share of pieces that both have, in [0, 1]."""

    question: str
    one: str
    other: str
    share: float


def pairs(course, lesson, threshold=0.9):
    """The pairs of solutions that are alike, the most alike first.

    Args:
        course: `Course`.
        lesson: str.
        threshold: float in [0, 1], the smallest share of equal pieces that is told. Defaults to `0.9`.

    Returns:
        List of `Pair`. The other of a pair may be `PACKAGE`: the text of a function that is the solution.
    """
    lesson, found = course.lesson(lesson), []
    for question in notebooks.questions(lesson):
        if question.exercise is None:
            continue
        exercise = checking.load(question.exercise)
        pieces = {f"{PACKAGE} ({path})": _pieces(source) for path, source in _sources(exercise)}
        of_package = len(pieces)
        for student in course.students:
            file = course.submitted(student, lesson)
            if not file.is_file():
                continue
            try:
                source, _ = notebooks.solution_of(notebooks.read(file.read_bytes()), question)
            except notebooks.BadNotebook:
                continue
            if source and "raise NotImplementedError" not in source:
                pieces[student] = _pieces(source)
        names = list(pieces)
        for i, one in enumerate(names):
            for other in names[max(i + 1, of_package) :]:
                share = _share(pieces[one], pieces[other])
                if share >= threshold:
                    found.append(Pair(question.name, other, one, share))
    return sorted(found, key=lambda p: (-p.share, p.question, p.one, p.other))


def _share(one, other):
    both = len(one & other)
    return both / (len(one) + len(other) - both) if one and other else 0.0


def _sources(exercise):
    """The text of the package's functions that are the solution; nothing is imported."""
    for path in exercise.FORBIDDEN:
        module, _, name = path.rpartition(".")
        file = Path(ganedu.__file__).parents[1].joinpath(*module.split("."))
        for place in (file.with_suffix(".py"), file / "__init__.py"):
            if not place.is_file():
                continue
            text = place.read_text(encoding="utf-8")
            for node in ast.parse(text).body:
                if getattr(node, "name", None) == name:
                    yield path, ast.get_source_segment(text, node)


@functools.lru_cache(maxsize=4096)
def _pieces(source):
    """The runs of `WINDOW` tokens of code whose own names are numbered in the order in which they appear."""
    tokens = []
    try:
        for node in ast.parse(source).body if len(source) <= MAX_LETTERS else ():
            if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Assign)):
                _tokens(node, {}, itertools.count(), tokens)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tokens = []
    tokens = tokens or source[:MAX_LETTERS].split()
    count = max(len(tokens) - WINDOW + 1, 1)
    return frozenset(tuple(tokens[i : i + WINDOW]) for i in range(count))


def _tokens(node, names, counter, out):
    """Adds a tree's tokens to `out`. A name that the solution makes is a number, of `counter`, in the order in which
    they are made; `names` has those of the scope. Other names, as a library's, are themselves."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    out.append(type(node).__name__)
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        names[node.name] = next(counter)
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        arguments = [a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)]
        names = {**names, **{a: next(counter) for a in arguments}}
    for comprehension in getattr(
        node, "generators", ()
    ):  # its names are made behind where they are used
        for made in ast.walk(comprehension.target):
            if isinstance(made, ast.Name):
                names = {**names, made.id: next(counter)}
    for field, value in ast.iter_fields(node):
        if field in LAYOUT or (
            isinstance(node, (ast.FunctionDef, ast.ClassDef)) and field == "name"
        ):
            continue
        if isinstance(node, ast.Name) and field == "id":
            if isinstance(node.ctx, ast.Store) and value not in names:
                names[value] = next(counter)
            out.append(f"name {names.get(value, value)}")
        elif isinstance(node, ast.arg) and field == "arg":
            out.append(f"name {names[value]}")
        elif isinstance(value, ast.AST):
            _tokens(value, names, counter, out)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    _tokens(item, names, counter, out)
        elif value is not None:
            out.append(repr(value))
