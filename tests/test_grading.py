"""nbgrader's own word on every lesson: the solved one earns every automatic point, the student's copy, untouched,
none. Installed by `pip install 'ganedu[classroom]'`."""

import os
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

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader and its database warn of themselves


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder as nbgrader wants it, and its API."""
    monkeypatch.setenv("GANEDU_PROFILE", "smoke")
    # nbgrader calls `alembic`, which stands beside the Python that runs here.
    scripts = sysconfig.get_path("scripts")
    monkeypatch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    config.CourseDirectory.db_url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    config.Exchange.root = str(written(tmp_path, "exchange"))
    config.ExecutePreprocessor.timeout = 900
    config.NbGraderAPI.log_level = "ERROR"
    return tmp_path, NbGraderAPI(config=config)


def written(tmp_path, *places):
    folder = tmp_path.joinpath(*places)
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", lessons.names())
def test_the_solved_lesson_earns_all_points_and_the_untouched_copy_none(name, course):
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
    ours = lessons.unsolved(nbformat.read(lesson, as_version=4))
    theirs = nbformat.read(copy, as_version=4)
    assert code_of(ours) == code_of(theirs)


def code_of(notebook):
    return [c.source for c in notebook.cells if c.cell_type == "code"]
