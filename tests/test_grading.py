"""nbgrader's own word on every lesson, where nothing learns: the solved one earns every automatic point all the same,
and each claim about training is false; the student's copy, untouched, earns none. Installed by
`pip install 'ganedu[classroom]'`."""

import os
import re
import shutil
import sysconfig

import nbformat
import pytest

from ganedu import lessons

if not os.environ.get("GANEDU_GRADING"):
    pytest.importorskip("nbgrader", reason="needs ganedu[classroom]")

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

# Run before a lesson begins: every optimizer's step is taken out.
NO_LEARNING = """
def _take_out():
    from ganedu import runtime

    runtime.setup(0)
    import keras

    for name in ("Adam", "SGD", "RMSprop", "Muon"):
        getattr(keras.optimizers, name).update_step = lambda *args, **kwargs: None

_take_out()
"""

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader and its database warn of themselves


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder as nbgrader wants it, and its API; nothing learns in its kernels."""
    monkeypatch.setenv("GANEDU_PROFILE", "smoke")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    startup = written(tmp_path, "ipython", "profile_default", "startup")
    (startup / "00_no_learning.py").write_text(NO_LEARNING)
    # nbgrader calls `alembic`, which stands beside the Python that runs here.
    scripts = sysconfig.get_path("scripts")
    monkeypatch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    config.CourseDirectory.db_url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    config.Exchange.root = str(written(tmp_path, "exchange"))
    config.ExecutePreprocessor.timeout = 900
    config.ExecutePreprocessor.shutdown_kernel = "immediate"
    config.NbGraderAPI.log_level = "ERROR"
    return tmp_path, NbGraderAPI(config=config)


def written(tmp_path, *places):
    folder = tmp_path.joinpath(*places)
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", lessons.names())
def test_solved_it_earns_all_points_and_claims_nothing_and_untouched_none(name, course):
    root, api = course
    lesson = lessons.path(name)
    shutil.copy(lesson, written(root, "source", "lesson"))
    made = api.generate_assignment("lesson")
    assert made["success"], made.get("error")
    copy = root / "release" / "lesson" / lesson.name
    shutil.copy(lesson, written(root, "submitted", "solved", "lesson"))
    shutil.copy(copy, written(root, "submitted", "untouched", "lesson"))
    for student in ("solved", "untouched"):
        graded = api.autograde("lesson", student)
        assert graded["success"], graded.get("error")
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        points = {
            student: sum(
                grade.auto_score or 0.0
                for grade in gradebook.find_submission_notebook(
                    lesson.stem, "lesson", student
                ).grades
                if grade.cell.cell_type == "code"
            )
            for student in ("solved", "untouched")
        }
        most = sum(
            cell.max_score
            for cell in gradebook.find_notebook(lesson.stem, "lesson").grade_cells
            if cell.cell_type == "code"
        )
    assert most > 0
    assert points == {"solved": most, "untouched": 0.0}
    claims = claimed(nbformat.read(root / "autograded" / "solved" / "lesson" / lesson.name, 4))
    assert claims
    assert [claim for claim, holds in claims if holds == "True"] == []
    ours = lessons.unsolved(nbformat.read(lesson, as_version=4))
    theirs = nbformat.read(copy, as_version=4)
    assert code_of(ours) == code_of(theirs)


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
