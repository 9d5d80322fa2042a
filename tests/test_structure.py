"""The package's shape: imports point one way, and importing it costs nothing."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ganedu

PACKAGE = Path(ganedu.__file__).parent
# Data flows from left to right; a room imports only from rooms before it.
ROOMS = [
    "runtime",
    "disk",
    "catalogue",
    "devices",
    "losses",
    "latent",
    "samplers",
    "data",
    "layers",
    "networks",
    "engine",
    "models",
    "editing",
    "metrics",
    "diagnostics",
    "figures",
    "diagrams",
    "callbacks",
    "recipes",
    "runs",
    "course",
    "explorer",
    "cli",
    "__main__",
]
HEAVY = {"keras", "tensorflow", "jax", "torch", "numpy", "matplotlib"}


def files():
    return sorted(f for f in PACKAGE.rglob("*.py") if f != PACKAGE / "__init__.py")


def room_of(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_imported(tree):
    """The rooms of ganedu that a module imports, inside functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            base = node.module
            names = [f"ganedu.{a.name}" for a in node.names] if base == "ganedu" else [base]
        else:
            continue
        found |= {n.split(".")[1] for n in names if n.startswith("ganedu.")}
    return found - {"__version__"}


def backward(room, tree):
    """The imports of a room that point to its right."""
    return {r for r in rooms_imported(tree) if ROOMS.index(r) > ROOMS.index(room)}


@pytest.mark.parametrize("file", files(), ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_one_way(file):
    assert not backward(room_of(file), ast.parse(file.read_text()))


def test_an_arrow_that_points_back_is_seen():
    tree = ast.parse("def f():\n    from ganedu.models import gan\n    from ganedu import data")
    assert backward("networks", tree) == {"models"}
    assert backward("models", tree) == set()


def asked_of_models(tree):
    """The lines that ask a model with `hasattr` or `getattr` what it is."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    asked = (
        c for c in calls if isinstance(c.func, ast.Name) and c.func.id in ("hasattr", "getattr")
    )
    return [c.lineno for c in asked if isinstance(c.args[0], ast.Name) and c.args[0].id == "model"]


@pytest.mark.parametrize(
    "file",
    [f for f in files() if room_of(f) != "engine"],
    ids=lambda f: str(f.relative_to(PACKAGE)),
)
def test_models_are_asked_for_their_tasks_alone(file):
    assert asked_of_models(ast.parse(file.read_text())) == []


def test_a_model_that_is_asked_otherwise_is_seen():
    assert asked_of_models(ast.parse("x = 1\nif hasattr(model, 'edit'):\n    pass")) == [2]


def packages_imported():
    """The packages that the package's files import, by their names at the index; of the others' dependencies none."""
    found = set()
    for file in files():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    known = {"PIL": "pillow", "sklearn": "scikit-learn", "skimage": "scikit-image"} | {
        "IPython": "ipykernel"
    }
    return {known.get(name, name) for name in found - sys.stdlib_module_names - {"ganedu"}}


def test_what_is_imported_is_asked_for_and_no_more():
    """`ipykernel`, the kernel that lessons run in, brings IPython, nbgrader nbconvert. Where there are no widgets,
    pictures stand still."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    asked = {re.match(r"[\w-]+", d)[0] for d in project["dependencies"]}
    extras = {"jax": "jax", "torch": "torch", "classroom": "nbgrader", "cluster": "distributed"}
    for extra, package in extras.items():
        assert package in {
            re.match(r"[\w-]+", d)[0] for d in project["optional-dependencies"][extra]
        }
    assert packages_imported() - {"ipywidgets", "nbconvert", *extras.values()} == asked


def test_every_room_is_a_known_one():
    assert {room_of(f) for f in files()} <= set(ROOMS)


def test_no_file_is_too_long_to_read():
    lengths = {str(f.relative_to(PACKAGE)): len(f.read_text().splitlines()) for f in files()}
    models = {n: length for n, length in lengths.items() if n.startswith("models/")}
    assert max(lengths.values()) <= 520, lengths
    assert max(models.values()) <= 200, models


@pytest.mark.parametrize(
    "command",
    [
        "import ganedu",
        "import sys; sys.argv[1:] = ['--help']; import ganedu.cli as c; c.main(standalone_mode=False)",
        "import sys; sys.argv[1:] = ['lessons']; import ganedu.cli as c; c.main(standalone_mode=False)",
        "import sys; sys.argv[1:] = ['models']; import ganedu.cli as c; c.main(standalone_mode=False)",
    ],
)
def test_starting_up_loads_no_framework(command):
    code = f"{command}\nimport sys\nprint(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
