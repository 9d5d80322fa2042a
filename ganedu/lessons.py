"""The lessons: where they are, a student's own copies, and how their outputs are made anew."""

import os
import shutil
from pathlib import Path

from ganedu.runtime import RunError, UsageError


def claim(text, holds):
    """Prints a claim about what training did, as `text: True` or `text: False`.

    What nbval compares must be true on every machine: print claims with this, put numbers that vary into figures.
    """
    print(f"{text}: {bool(holds)}")


def folder():
    """The folder of the lessons: beside the package in a checkout, inside it in an installed wheel."""
    here = Path(__file__).parent
    for place in (here / "notebooks", here.parent / "notebooks"):
        if any(place.glob("[0-9][0-9]_*.ipynb")):
            return place
    raise RunError(f"The lessons are missing from this installation ({here})")


def names():
    """The lessons' names, in order: `["00_start", ...]`."""
    return sorted(path.stem for path in folder().glob("[0-9][0-9]_*.ipynb"))


def path(name):
    """The notebook of a lesson, given its name or its number.

    Raises:
        UsageError: for a name or number that no lesson has.
    """
    found = [n for n in names() if name in (n, n[:2])]
    if not found:
        raise UsageError(f"There is no lesson {name!r}. Lessons: {', '.join(names())}")
    return folder() / f"{found[0]}.ipynb"


def title(name):
    """A lesson's title: the first heading of its notebook."""
    import nbformat

    first = nbformat.read(path(name), as_version=4).cells[0].source
    return first.splitlines()[0].lstrip("# ").strip()


def copy(destination):
    """Copies all lessons; none is overwritten.

    Returns:
        The new files.

    Raises:
        UsageError: if a file of the same name is there.
    """
    destination = Path(destination)
    files = [destination / path(name).name for name in names()]
    there = [file for file in files if file.exists()]
    if there:
        raise UsageError(f"{there[0]} is there already; choose another folder")
    destination.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(path(file.stem), file)
    return files


def execute(name, setup="", save=True):
    """Runs a lesson in a fresh kernel, and stores its outputs as the reference that nbval compares with.

    Args:
        name: str, a lesson's name or number.
        setup: str, code to run in the kernel first. Defaults to none.
        save: bool, whether the notebook's file is written. Defaults to `True`.

    Returns:
        The executed notebook.

    Raises:
        RunError: if a cell fails, or writes on stderr.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    file = path(name)
    notebook = nbformat.read(file, as_version=4)
    # nbval runs inside pytest, where ipykernel leaves file descriptor 2 alone: the references are made alike.
    os.environ.setdefault("PYTEST_CURRENT_TEST", "lessons")
    client = NotebookClient(
        notebook, timeout=1800, resources={"metadata": {"path": str(file.parent)}}
    )
    try:
        with client.setup_kernel():
            if setup:
                client.execute_cell(nbformat.v4.new_code_cell(setup), -1, store_history=False)
            for i, cell in enumerate(notebook.cells):
                client.execute_cell(cell, i)
    except CellExecutionError as e:
        raise RunError(f"{file.name} failed: {e}") from None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise RunError(f"{file.name} wrote on stderr: {output.text}")
        cell.metadata.pop("execution", None)  # time stamps
    if save:
        nbformat.write(notebook, file)
    return notebook
