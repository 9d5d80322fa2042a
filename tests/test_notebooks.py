"""The lessons' form. nbval checks what they print, test_grading that it is about training."""

import ast
import contextlib
import importlib.metadata
import importlib.util
import io
import re
from email.message import Message
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from quoted import unknown_names

from ganedu import recipes, runtime
from ganedu.cli import main
from ganedu.course import colab, copies, lessons

FIRST_CELL = (
    "from ganedu import runtime\n\n"
    "backend = runtime.setup(seed=0)  # loads TensorFlow, which takes some seconds"
)
SHOWS_A_WIDGET = """
view = {"model_id": "0", "version_major": 2, "version_minor": 0}
data = {"text/plain": "x", "image/png": "", "application/vnd.jupyter.widget-view+json": view}
display(data, raw=True)
"""
per_lesson = pytest.mark.parametrize("name", lessons.names())


def lines(source):
    return [line for line in source.splitlines() if line.strip() and not line.startswith("###")]


def wrapped(source):
    """How many lines calls of `claim` take beyond one each."""
    try:
        nodes = ast.walk(ast.parse(source))
    except SyntaxError:
        return 0
    calls = [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "claim"]
    return sum(n.end_lineno - n.lineno for n in calls)


def code_of(notebook):
    """The code that is the lesson's own."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.id != "install"]


def problems(notebook):
    """What nbval or a student would trip over: a list of sentences, empty for a good lesson."""
    found = []
    code = code_of(notebook)
    for c in code:
        where = c.source.splitlines()[0] if c.source else "an empty cell"
        if c.execution_count is None:
            found.append(f"not executed, so nbval would not check it: {where}")
        for output in c.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(f"an error or stderr is stored: {where}")
        if re.search(r";\s*$", c.source, re.M):
            found.append(f"a trailing semicolon does not silence a cell under nbval: {where}")
        if re.search(r"import \*", c.source):
            found.append(f"star import: {where}")
        # scikit-learn's `fit` prints nothing.
        trains = re.search(
            r"(?<!Classifier\(10\))(?<!Analysis\(\))(?<!_eigh\"\))\.(fit|evaluate|predict)\(",
            c.source,
        )
        if trains and "verbose=0" not in c.source:
            found.append(f"prints timings, verbose=0 is missing: {where}")
        if "NBVAL" in c.source and ("claim(" in c.source or "assert" in c.source):
            found.append(f"a claim that nbval ignores: {where}")
        read = [line for line in lines(c.source) if not line.startswith(("import ", "from "))]
        if "nbgrader" not in c.metadata and len(read) - wrapped(c.source) > 10:
            found.append(f"longer than ten lines: {where}")
    texts = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    unfolded = (
        rf"<details>.*?</details>|### BEGIN.*?### END SOLUTION|{re.escape(copies.SOLVED_NOTE)}"
    )
    words = sum(len(re.sub(unfolded, "", t, flags=re.S).split()) for t in texts)
    if not 700 <= words <= 1500:
        found.append(f"{words} words, not 700 to 1,500")
    if notebook.metadata.get("language_info", {}).get("file_extension") != ".py":
        found.append("`jupyter nbconvert --to script` would write .txt")
    if not 15 <= len(code) <= 26:
        found.append(f"{len(code)} code cells, not 15 to 26")
    if not code or code[0].source != FIRST_CELL:
        found.append("the first code cell does not set up the runtime")
    if not any("claim(" in c.source for c in code):
        found.append("no claim")
    return found


@per_lesson
def test_a_lesson_is_well_formed(name):
    notebook = nbformat.read(lessons.path(name), as_version=4)
    nbformat.validate(notebook)
    assert not problems(notebook)
    assert re.fullmatch(r"\d\d_[a-z_]+", name)


@per_lesson
def test_a_lesson_uses_names_that_are_there(name):
    cells = nbformat.read(lessons.path(name), as_version=4).cells
    source = "\n".join(c.source for c in cells if c.cell_type == "code")
    assert unknown_names(source) == []


@per_lesson
def test_exercises_are_ready_for_grading(name):
    notebook = nbformat.read(lessons.path(name), as_version=4)
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    code = [c for c in cells.values() if c.cell_type == "code"]
    solutions = [c for c in code if "### BEGIN SOLUTION" in c.source]
    tests = [c for c in code if c.metadata.nbgrader.grade]
    written = [c for c in cells.values() if c.cell_type == "markdown"]
    assert solutions
    assert len(tests) == len(solutions)
    assert len(written) >= 2  # one to predict, one open
    for c in written:
        prompt, rubric = c.source.split("\n\n### BEGIN SOLUTION\n")
        assert prompt.startswith("*")
        assert rubric.startswith("**Rubric.** Half a point")
        assert c.metadata.nbgrader.points == 1
    for c in tests:
        assert re.fullmatch(rf'check\("{name[:2]}\.\w+", \w+\)', c.source)
        assert c.metadata.nbgrader.points > 0
        assert c.metadata.nbgrader.locked


@per_lesson
def test_a_prediction_is_answered_under_its_result(name):
    cells = nbformat.read(lessons.path(name), as_version=4).cells
    (asked,) = (i for i, c in enumerate(cells) if "**1. Predict, then run.**" in c.source)
    folded = [c.source for c in cells[asked + 2 : asked + 4] if c.source.startswith("<details>")]
    assert len(folded) == 1
    assert folded[0].splitlines()[0].endswith("<summary>What came out, and why</summary>")
    assert folded[0].endswith("\n\n</details>")


@per_lesson
def test_a_lesson_says_that_it_is_solved_and_a_copy_does_not(name):
    notebook = nbformat.read(lessons.path(name), as_version=4)
    title, note = notebook.cells[0].source.split("\n\n")[:2]
    assert title.startswith("# ")
    assert note == copies.SOLVED_NOTE
    copy = nbformat.writes(copies.unsolved(notebook))
    assert copies.SOLVED_NOTE not in copy
    assert "Rubric" not in copy
    assert "afterwards what you saw" in copy  # the prompt stays


def good():
    code = [FIRST_CELL, "claim('it works', True)", *["x = 1"] * 13]
    cells = [new_code_cell(source, execution_count=i + 1) for i, source in enumerate(code)]
    metadata = {"language_info": {"name": "python", "file_extension": ".py"}}
    return new_notebook(cells=[new_markdown_cell("word " * 800), *cells], metadata=metadata)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"execution_count": None}, "not executed"),
        ({"outputs": [new_output("stream", name="stderr", text="I0000")]}, "stderr"),
        ({"source": "plot();"}, "semicolon"),
        ({"source": "from keras import *"}, "star import"),
        ({"source": "model.fit(x)"}, "verbose=0"),
        ({"source": "# NBVAL_IGNORE_OUTPUT\nclaim('x', y)"}, "nbval ignores"),
        ({"source": "x = 1\n" * 11}, "ten lines"),
        ({"source": "x = 1\n" * 10 + "claim(\n'y',\nx,\nafter=1\n)"}, "ten lines"),
    ],
)
def test_each_trap_is_seen(change, message):
    notebook = good()
    assert problems(notebook) == []
    notebook.cells[5].update(change)
    assert len(problems(notebook)) == 1
    assert message in problems(notebook)[0]


def shown_source(notebook):
    """The cells that print a part of the package's text, as `(code, what it printed)`."""
    cells = [c for c in code_of(notebook) if "inspect.getsource" in c.source]
    return [(c.source, "".join(o.text for o in c.outputs)) for c in cells]


def test_the_source_that_a_lesson_shows_is_the_package_s(capsys):
    pairs = [
        p for name in lessons.names() for p in shown_source(nbformat.read(lessons.path(name), 4))
    ]
    assert pairs
    for code, printed in pairs:
        exec(code, {})
        assert capsys.readouterr().out == printed


def test_a_lesson_is_found_by_name_or_number_and_copied(tmp_path):
    assert lessons.path("00") == lessons.path("00_start")
    with pytest.raises(lessons.UsageError, match="no lesson '99'"):
        lessons.path("99")
    mine = copies.copy(tmp_path / "mine")
    assert [c.stem for c in mine] == lessons.names()
    with pytest.raises(lessons.UsageError, match="is there already"):
        copies.copy(tmp_path / "mine")
    solved = copies.copy(tmp_path / "solved", solved=True)
    assert solved[0].read_bytes() == lessons.path("00").read_bytes()
    for file in mine:
        told = file.read_text()
        assert "NotImplementedError" in told
        assert not re.search("SOLUTION|HIDDEN|image/png", told)


def test_a_copy_has_the_question_without_the_answer():
    solution = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    hidden = (
        "assert f() == 1\n### BEGIN HIDDEN TESTS\nassert f() < 2\n### END HIDDEN TESTS\nprint(1)"
    )
    notebook = new_notebook(
        cells=[new_code_cell(source, execution_count=1) for source in (solution, hidden)]
    )
    stub, tests = copies.unsolved(notebook).cells
    assert stub.source == "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert tests.source == "assert f() == 1\nprint(1)"
    assert stub.execution_count is None


def test_a_claim_that_depends_on_the_seed_is_found(tmp_path, monkeypatch):
    """As it is stored it was executed without other seeds: here in this process, which takes no kernel's start."""
    draws = "import numpy as np\nfrom ganedu import latent\n"
    claims = [
        FIRST_CELL,
        f"{draws}print(np.random.random())",
        "draw = order = build = setup = None  # a lesson's own names\nprint(latent.sample_prior(1, 1))",
        "print(np.linalg.norm(latent.sample_prior(1, 10_000)) > 50)",
        "# NBVAL_IGNORE_OUTPUT\nprint(np.random.random())",
    ]
    names, cells = {}, []
    for source in claims:
        with contextlib.redirect_stdout(io.StringIO()) as told:
            exec(source, names)
        shown = [new_output("stream", text=told.getvalue())] if told.getvalue() else []
        cells.append(new_code_cell(source, outputs=shown))
    monkeypatch.setattr(lessons, "path", lambda name: tmp_path / "lesson.ipynb")
    nbformat.write(new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    found = lessons.check("any", seeds=1)
    assert len(found) == 2
    assert all("seed 1: " in line for line in found)


def test_a_cell_that_fails_is_a_clear_error(tmp_path, monkeypatch):
    notebook = new_notebook(cells=[new_code_cell("1 / 0")])
    monkeypatch.setattr(lessons, "path", lambda name: tmp_path / "lesson.ipynb")
    nbformat.write(notebook, tmp_path / "lesson.ipynb")
    with pytest.raises(lessons.RunError, match="ZeroDivisionError"):
        lessons.execute("any")


def test_what_is_stored_is_the_still_picture_and_the_processor_s_time(tmp_path, monkeypatch):
    sources = ["def wait():\n    while process_time() < 3:\n        pass", "wait()", SHOWS_A_WIDGET]
    notebook = new_notebook(
        cells=[new_code_cell("from time import process_time"), *map(new_code_cell, sources)]
    )
    monkeypatch.setattr(lessons, "path", lambda name: tmp_path / "lesson.ipynb")
    nbformat.write(notebook, tmp_path / "lesson.ipynb")
    executed = lessons.execute("any")
    assert set(executed.cells[-1].outputs[0].data) == {"text/plain", "image/png"}
    assert "widgets" not in executed.metadata
    assert 3 <= executed.metadata["ganedu"]["processor_seconds"] < 30


@pytest.mark.parametrize("data_set", ["digits", "mnist"])
def test_a_lesson_begins_with_images_and_a_recipe_for_them(data_set, monkeypatch):
    monkeypatch.delenv("GANEDU_DATA", raising=False)
    images, recipe = lessons.data_and_recipe("vae", data_set)
    assert images.name in ("digits", data_set)
    assert recipe == recipes.find("vae", images.name, images.image_shape, runtime.profile())[0]
    sized = lessons.data_and_recipe("stylegan", data_set, sizes_of="mnist")[1]
    assert sized == recipes.find("stylegan", "mnist", images.image_shape, runtime.profile())[0]


# On Colab


@per_lesson
def test_a_lesson_has_what_it_needs_on_colab(name):
    """`ganedu lessons colab` makes it so, after `[project.urls]` changed too."""
    stored = lessons.path(name).read_text(encoding="utf-8")
    notebook = nbformat.reads(stored, as_version=4)
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)
    prepared = colab.format_lesson(notebook, name, colab.repository())
    assert nbformat.writes(prepared) + "\n" == stored


def prepared(repository, before):
    notebook = nbformat.reads(before, as_version=4)
    return nbformat.writes(colab.format_lesson(notebook, "07_dcgan", repository))


def test_a_button_comes_changes_and_goes_with_the_repository():
    without = prepared(None, lessons.path("07").read_text(encoding="utf-8"))
    with_button = prepared("someone/ganedu", without)
    assert prepared("someone/ganedu", with_button) == with_button
    notebook = nbformat.reads(with_button, as_version=4)
    assert notebook.cells[0].source.splitlines()[:5] == [
        "# DCGAN: a training step of your own",
        "",
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        "(https://colab.research.google.com/github/someone/ganedu/blob/main/notebooks/07_dcgan.ipynb)",
        "",
        copies.SOLVED_NOTE,
    ]
    assert '"install -q git+https://github.com/someone/ganedu"' in notebook.cells[1].source
    assert prepared("other/place", with_button) == prepared("other/place", without)
    assert prepared(None, with_button) == without
    assert "Open in Colab" not in without


@pytest.mark.parametrize(
    ("urls", "repository"),
    [
        ([], None),
        (["Homepage, https://ganedu.example/home"], None),
        (["Issues, https://github.com/someone/ganedu/issues"], None),
        (["Source, https://github.com.example/someone/ganedu"], None),
        (["Docs, https://ganedu.example", "Source, https://github.com/a.b/ga-nedu"], "a.b/ga-nedu"),
        (["Source, https://github.com/someone/ganedu.git"], "someone/ganedu"),
        (["Source, https://github.com/someone/ganedu/"], "someone/ganedu"),
    ],
)
def test_the_repository_is_read_from_the_metadata(urls, repository, monkeypatch):
    metadata = Message()
    for url in urls:
        metadata["Project-URL"] = url
    monkeypatch.setattr(importlib.metadata, "metadata", {"ganedu": metadata}.get)
    assert colab.repository() == repository


@pytest.mark.parametrize(
    ("found", "missing"),
    [(find_spec("ganedu"), False), (None, True), (ModuleSpec("ganedu", None), True)],
    ids=["installed", "missing", "a folder of that name"],
)
def test_the_first_cell_installs_what_is_missing_and_no_more(found, missing, monkeypatch):
    notebook = nbformat.read(lessons.path("00"), as_version=4)
    ran = []

    class Shell:
        def run_line_magic(self, *arguments):
            ran.append(arguments)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    exec(notebook.cells[1].source, {"get_ipython": Shell})
    assert bool(ran) == missing
    for magic, line in ran:
        assert magic == "pip"
        assert line.startswith("install -q ")
        assert line.split()[2:] in (["ganedu"], [f"git+{colab.GITHUB}{colab.repository()}"])


def test_the_cell_that_installs_is_not_run_where_lessons_are_executed(tmp_path, monkeypatch):
    cells = [new_markdown_cell("# Title"), new_code_cell("print(1)")]
    lesson = colab.format_lesson(new_notebook(cells=cells), "any", None)
    lesson.cells[1].source = "1 / 0"
    monkeypatch.setattr(lessons, "path", lambda name: tmp_path / "lesson.ipynb")
    nbformat.write(lesson, tmp_path / "lesson.ipynb")
    executed = lessons.execute("any")
    assert [c.execution_count for c in executed.cells[1:]] == [None, 1]


def test_the_command_mends_a_lesson_and_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "names", lambda: ["00_start", "07_dcgan"])
    usual = lessons.path
    for name in lessons.names():
        (tmp_path / f"{name}.ipynb").write_bytes(usual(name).read_bytes())
    monkeypatch.setattr(lessons, "path", lambda name: tmp_path / f"{name}.ipynb")
    notebook = nbformat.read(lessons.path("07_dcgan"), as_version=4)
    del notebook.cells[1]
    nbformat.write(notebook, lessons.path("07_dcgan"))
    result = CliRunner().invoke(main, ["lessons", "colab"])
    assert result.output == "07_dcgan\n"
    assert lessons.path("07_dcgan").read_bytes() == usual("07_dcgan").read_bytes()
