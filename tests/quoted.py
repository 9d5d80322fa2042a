"""Which names of the package a source uses that are not there, without running it."""

import ast
import pkgutil
import types


def unknown_names(source):
    """What the source imports from ganedu, or takes from its rooms (`data.augment.PRESETS`), and is not there."""
    tree, known, missing = ast.parse(source), {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganedu":
            for alias in node.names:
                try:
                    found = pkgutil.resolve_name(f"{node.module}.{alias.name}")
                except (AttributeError, ImportError):
                    missing.append(alias.name)
                else:
                    known[alias.asname or alias.name] = found
    for node in ast.walk(tree):
        room = _module(node.value, known) if isinstance(node, ast.Attribute) else None
        if room is not None and not hasattr(room, node.attr):
            missing.append(f"{room.__name__}.{node.attr}")
    return missing


def _module(node, known):
    """The module that an expression of names and dots stands for, or `None`."""
    if isinstance(node, ast.Name):
        found = known.get(node.id)
    elif isinstance(node, ast.Attribute):
        found = getattr(_module(node.value, known), node.attr, None)
    else:
        found = None
    return found if isinstance(found, types.ModuleType) else None
