"""What models there are, told from their files alone: no framework is loaded."""

import ast
import difflib
from pathlib import Path

from ganedu.runtime import UsageError

FAMILIES = (
    "autoencoders",
    "GANs",
    "conditional",
    "translation",
    "diffusion and flows",
    "words",
)
_FOLDER = Path(__file__).with_name("models")


def names():
    """The names of all models, in alphabetical order: a list of str."""
    return sorted(file.stem for file in _FOLDER.glob("*.py") if file.stem != "__init__")


def check(name):
    """
    Raises:
        UsageError: for a name that no model has; the message has the nearest one.
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no model {name!r}.{hint} Models: {', '.join(names())}")


def summary(name):
    """A model's family, one of `FAMILIES`, and the first line of its file: two str.

    Raises:
        UsageError: as `check`.
    """
    check(name)
    tree = ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    assigned = (node for node in tree.body if isinstance(node, ast.Assign))
    constants = {node.targets[0].id: node.value for node in assigned}
    return constants["FAMILY"].value, ast.get_docstring(tree).splitlines()[0]


def by_family():
    """Dict from each of `FAMILIES`, in their order, to a dict from a model's name to its line."""
    told = {name: summary(name) for name in names()}
    return {
        family: {name: line for name, (own, line) in told.items() if own == family}
        for family in FAMILIES
    }
