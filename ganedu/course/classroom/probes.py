"""What of an exercise goes into the box: its probe, and what that calls. What is right stays outside."""

import ast
import dis
import inspect
from types import CodeType

OUTSIDE = ("reference", "compared", "inputs", "CHECKS", "RIGHT", "WRONG", "VARIANTS")


def probe_source(exercise):
    """The source of an exercise's probe, and of all in its file that the probe uses.

    Args:
        exercise: module, as `ganedu.course.checking.load` gives it.

    Raises:
        ValueError: if the probe uses what is to stay outside (`OUTSIDE`).
    """
    tree = ast.parse(inspect.getsource(exercise))
    made = {}
    for node in tree.body:
        for name in _bound(node):
            made[name] = node
    wanted, seen = ["probe"], set()
    while wanted:
        name = wanted.pop()
        if name in seen or name not in made:
            continue
        if name in OUTSIDE:
            raise ValueError(f"The probe of {exercise.__name__} uses `{name}`")
        seen.add(name)
        wanted += _globals(compile(ast.Module([made[name]], []), "exercise", "exec"))
    kept = {id(made[name]) for name in seen}
    return "\n\n".join(ast.unparse(node) for node in tree.body if id(node) in kept)


def _bound(node):
    """The names that a statement of a module makes."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(a.asname or a.name).partition(".")[0] for a in node.names]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    return []


def _globals(code):
    """The names that code looks up in its module."""
    found = [
        i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    ]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _globals(constant)
    return found
