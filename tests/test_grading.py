"""nbgrader's own word on every lesson, where nothing learns: the solved one earns every automatic point all the same,
and each claim about training is false; the student's copy, untouched, earns none. Installed by
`pip install 'ganedu[classroom]'`.

nbgrader runs each notebook that is handed in. Here one kernel runs both, which takes half the time: each exercise is
met as the student finds it, with its tests, and then solved. nbgrader gives its points for what came out: of some
lessons by its whole autograder, of the others by the rule that this uses.
"""

import copy
import os
import re
import shutil
import sysconfig
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ganedu.course import copies, lessons

if not os.environ.get("GANEDU_GRADING"):
    pytest.importorskip("nbgrader", reason="needs ganedu[classroom]")

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade
from traitlets.config import Config

GRADED = lessons.names()[::6]  # by the whole autograder, which takes 4 s a lesson

# Run before a lesson begins: every optimizer's step is taken out, but that it is counted.
NO_LEARNING = """
def _take_out():
    from ganedu import runtime

    runtime.setup(0)
    import keras

    keras.optimizers.Optimizer.apply = lambda optimizer, *args: optimizer._iterations.assign_add(1)

_take_out()
"""

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader and its database warn of themselves


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A folder as nbgrader wants it, with all lessons released as one assignment; and its API."""
    root = tmp_path_factory.mktemp("course")
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.Exchange.root = str(written(root, "exchange"))
    config.Autograde.sanitize_preprocessors = without("ClearOutput", "sanitize_preprocessors")
    config.Autograde.autograde_preprocessors = without("Execute", "autograde_preprocessors")
    config.NbGraderAPI.log_level = "ERROR"
    source = written(root, "source", "lesson")
    for name in lessons.names():
        shutil.copy(lessons.path(name), source)
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader calls `alembic`, which stands beside the Python that runs here.
        scripts = sysconfig.get_path("scripts")
        patch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
        api = NbGraderAPI(config=config)
        made = api.generate_assignment("lesson")
        assert made["success"], made.get("error")
        yield root, api


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """One kernel, in which nothing learns, for one lesson after the other: Keras takes four seconds to start."""
    folder = tmp_path_factory.mktemp("ipython")
    startup = written(folder, "profile_default", "startup")
    (startup / "00_no_learning.py").write_text(NO_LEARNING)
    running = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANEDU_PROFILE", "smoke")
        patch.setenv("IPYTHONDIR", str(folder))
        client = NotebookClient(running, timeout=900, allow_errors=True)
        with client.setup_kernel():
            yield client


def written(tmp_path, *places):
    folder = tmp_path.joinpath(*places)
    folder.mkdir(parents=True)
    return folder


def without(name, stage):
    """The preprocessors of one of autograding's stages, but one."""
    usual = getattr(Autograde, stage).default()
    assert name in [p.__name__ for p in usual]
    return [p for p in usual if p.__name__ != name]


def run(client, solved, untouched):
    """Puts into both copies of a lesson what their code prints. Of the untouched one only exercises and their tests
    are run: each where all before it is solved."""
    pairs = [p for p in zip(solved.cells, untouched.cells, strict=True) if p[0].cell_type == "code"]

    def execute(cell, instead=None):
        """What came out stands in `cell`, though the code may be another's."""
        cell.outputs = outputs_of(client, (instead or cell).source)

    outputs_of(client, "%reset -f")
    for i, (cell, found) in enumerate(pairs):
        if marked(cell, "solution"):
            execute(found)
            tests = next(p for p in pairs[i + 1 :] if marked(p[0], "grade"))
            execute(tests[1], tests[0])  # with what is hidden from students
        execute(cell)


def outputs_of(client, source):
    client.nb.cells[0] = nbformat.v4.new_code_cell(source)
    return client.execute_cell(client.nb.cells[0], 0).outputs


def marked(cell, what):
    return cell.metadata.get("nbgrader", {}).get(what, False)


@pytest.mark.parametrize("name", lessons.names())
def test_solved_it_earns_all_points_and_claims_nothing_and_untouched_none(name, course, client):
    root, api = course
    file = lessons.path(name).name
    lesson = nbformat.read(lessons.path(name), as_version=4)
    released = nbformat.read(root / "release" / "lesson" / file, as_version=4)
    handed_in = {"solved": copy.deepcopy(lesson), "untouched": copy.deepcopy(released)}
    run(client, **handed_in)
    graded = autograded if name in GRADED else by_nbgraders_rule
    points = {kind: graded(name, kind, notebook, root, api) for kind, notebook in handed_in.items()}
    most = sum(c.metadata.nbgrader.points for c in lesson.cells if is_test(c))
    assert most > 0
    assert points == {"solved": most, "untouched": 0.0}
    claims = claimed(handed_in["solved"])
    assert claims
    assert [claim for claim, holds in claims if holds == "True"] == []
    assert code_of(copies.unsolved(lesson)) == code_of(released)


def is_test(cell):
    return cell.cell_type == "code" and marked(cell, "grade")


def by_nbgraders_rule(name, kind, notebook, root, api):
    """The points of a notebook's tests, by what came out, as nbgrader's autograder finds them."""
    return sum(determine_grade(cell)[0] or 0.0 for cell in notebook.cells if is_test(cell))


def autograded(name, kind, notebook, root, api):
    """The points of a notebook's tests, as they stand in nbgrader's gradebook once it is graded."""
    student, file = f"{kind}-{name}", lessons.path(name).name
    nbformat.write(notebook, written(root, "submitted", student, "lesson") / file)
    graded = api.autograde("lesson", student)
    assert graded["success"], graded.get("error")
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(name, "lesson", student).grades
        return sum(g.auto_score or 0.0 for g in grades if g.cell.cell_type == "code")


def test_the_page_s_setting_lifts_nbgrader_s_limit_of_30_seconds():
    page = (Path(__file__).parents[1] / "docs" / "course.md").read_text()
    [lines] = re.findall(r"```python\n(.*?)```", page, re.S)
    config = Config()
    exec(lines, {"get_config": lambda: config})
    assert Execute().timeout == 30
    assert Execute(config=config).timeout == 900


def claimed(notebook):
    """What `claim` printed: `(text, "True" or "False")` of each."""
    found = []
    for c in notebook.cells:
        if c.cell_type == "code" and "claim(" in c.source:
            text = "".join(o.text for o in c.outputs if o.output_type == "stream")
            found += re.findall(r"^(.*): (True|False)$", text, re.M)
    return found


def code_of(notebook):
    return [c.source for c in notebook.cells if c.cell_type == "code"]
