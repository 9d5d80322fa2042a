"""Starts the backend quietly, once for each worker, before any test module imports Keras; what is kept between
runs goes to a folder of its own."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from rows import ALL
from xdist.scheduler import LoadScopeScheduling

from ganedu import runtime

FOLDER = tempfile.TemporaryDirectory(prefix="ganedu-")
os.environ.setdefault("GANEDU_CACHE", FOLDER.name)


def pytest_configure(config):
    """Starts the backend where tests run: not in the process that only hands them out."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        runtime.setup()


def pytest_runtest_setup(item):
    """A model's first weights come from Keras's global seed, which no test may take over from the one before it."""
    import keras  # After the backend has been started.

    keras.utils.set_random_seed(0)


class TestsThatShare(LoadScopeScheduling):
    """Sends the tests of a file to one worker, and of the contract those of a model: they share what they build."""

    def _split_scope(self, nodeid):
        file, _, test = nodeid.partition("::")
        if not file.endswith("test_models.py"):
            return file
        return next((word for word in re.split(r"[\[\]-]", test) if word in ALL), file)


def pytest_xdist_make_scheduler(config, log):
    """Where tests go by their file, as they do unless the command says otherwise."""
    return TestsThatShare(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site's folder, built as `docs/contributing.md` says, a warning being an error; or the one that `GANEDU_SITE`
    names."""
    if Path(os.environ["GANEDU_SITE"]).is_dir():
        return Path(os.environ["GANEDU_SITE"]).resolve()
    folder = tmp_path_factory.mktemp("site")
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "docs", str(folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder
