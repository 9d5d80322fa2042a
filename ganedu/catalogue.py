"""What models and data sets there are, told from files and names alone: no framework is loaded."""

import ast
import difflib
from pathlib import Path

from ganedu.runtime import UsageError

FAMILIES = (
    "autoencoders",
    "GANs",
    "conditional",
    "translation",
    "autoregressive and flows",
    "diffusion and flows",
    "words",
)
DATA_SETS = {
    "digits": "1,797 handwritten digits, 28x28 grey (8x8 originals), embedded",
    "photos": "4,800 crops of two photographs, 32x32 colour, embedded",
    "mnist": "70,000 handwritten digits, 28x28 grey",
    "fashion_mnist": "70,000 pictures of clothes, 28x28 grey",
    "cifar10": "60,000 photographs of 10 kinds, 32x32 colour",
    "cifar100": "60,000 photographs of 100 kinds, 32x32 colour",
    "captioned_digits": "one or two of the digits, coloured, with captions, 32x32 colour, embedded",
    "captioned_mnist": "the same of mnist",
    "scenes": "one or two coloured shapes with captions, 32x32 colour, drawn",
}
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


def check_data(name):
    """
    Raises:
        UsageError: for what is neither one of `DATA_SETS` nor a path; the message has the nearest one.
    """
    if name and (name in DATA_SETS or Path(name).exists()):
        return
    if Path(name).suffix.lower() in (".npz", ".npy"):
        raise UsageError(f"There is no file {name}")
    raise no_data(name)


def no_data(name):
    """The `UsageError` that says that there are no such images."""
    if not name:
        return UsageError("The name of a data set, or of a folder or file, is empty")
    near = difflib.get_close_matches(name.lower(), DATA_SETS, n=1)
    return UsageError(
        f"There is no data set or folder {name!r}. "
        + (f"Did you mean {near[0]}? " if near else "")
        + f"Data sets: {', '.join(DATA_SETS)}; or a folder, an .npz or an .npy"
    )
