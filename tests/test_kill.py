"""Nothing lost: real runs, killed inside each kind of write, and with `GANEDU_KILLS=1` at any moment too, end as if
nothing had happened.

The processes are forked from one that has imported everything and started nothing, which saves each
of them the five seconds that importing TensorFlow takes. The runs that were killed are compared with
one that was not.
"""

import concurrent.futures
import contextlib
import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
import sklearn.datasets  # noqa: F401  what a run imports, before the fork
from PIL import Image
from rows import everything

from ganedu import disk, recipes
from ganedu.cli import main
from ganedu.runs import training  # noqa: F401

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks a framework")

TINY = recipes.Recipe(32, 8, 1, {"latent_dim": 3, "width": 8})  # 46 steps, 6 rounds
KILLED = -signal.SIGKILL
MOMENTS = 5  # of each chain
WRITES = [  # how, which file, the n-th time in its process; the newest whole checkpoint after it
    ("inside", r"run\.json", 1, None),
    ("inside", r"frames/\.0+\.png", 1, None),
    ("saving", r"model\.keras", 1, None),
    ("before rename", r"step-0+8", 1, None),
    ("after rename", r"step-0+8", 1, 8),
    ("before replace", r"run/model\.keras", 2, 16),  # the first is of `resume`
    ("inside", r"history\.csv", 2, 24),
    ("inside", r"samples\.png", 1, 24),
    ("before replace", r"state\.json", 1, 24),
    ("removing", r"step-0+16", 1, 32),
    ("after replace", r"run/model\.keras", 2, 40),
    ("inside", r"training\.gif", 1, 46),
    ("before replace", r"run/run\.json", 2, 46),  # the first says that it trains
]


# In the process that is killed


def die(path=None):
    os.kill(os.getpid(), signal.SIGKILL)


def die_half_written(path):
    os.truncate(path, os.path.getsize(path) // 2)
    die()


class Half:
    """A file whose process dies when it is flushed, with half of it written."""

    def __init__(self, path, mode):
        self.path, self.file = path, open(path, mode)  # noqa: SIM115

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()

    def flush(self):
        self.file.flush()
        if os.path.getsize(self.path):  # Pillow flushes before it writes, too
            die_half_written(self.path)


def wrap(owner, name, place, hit, before=None, after=None):
    """Makes a function call `before` and `after` with its argument number `place` when that is
    hit."""
    usual = getattr(owner, name)

    def wrapped(*arguments, **options):
        struck = hit(arguments[place])
        if struck and before:
            before(arguments[place])
        result = usual(*arguments, **options)
        if struck and after:
            after(arguments[place])
        return result

    setattr(owner, name, wrapped)


def arm(how, pattern, count):
    """Makes this process kill itself at the `count`-th write to a path that fits the pattern."""
    seen = []

    def hit(path):
        seen.extend(re.findall(pattern, str(path))[:1])
        return len(seen) == count and re.search(pattern, str(path))

    def half_removed(path):
        os.unlink(os.path.join(path, "state.json"))
        die()

    if how == "inside":
        disk.open = lambda path, mode: (Half if hit(path) else open)(path, mode)
    elif how == "saving":
        wrap(keras.Model, "save", 1, hit, after=die_half_written)
    elif how == "removing":
        wrap(shutil, "rmtree", 0, hit, before=half_removed)
    else:
        moment, name = how.split()
        wrap(os, name, 1, hit, **{moment: die})


def run_command(arguments):
    recipes.find = lambda *asked: (TINY, "tiny")
    main(arguments)


def serve():
    """Forks a process for each line of stdin, kills it in time, and prints its exit status and how
    long it lived."""
    for line in sys.stdin:
        folder, arguments, kill, seconds = json.loads(line)
        began = time.monotonic()
        process = os.fork()
        if not process:
            os.chdir(folder)
            for stream in (1, 2):
                os.dup2(os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
            if kill:
                arm(*kill)
            return run_command(arguments)
        print(wait(process, began + seconds), time.monotonic() - began, flush=True)
    return None


def wait(process, end):
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.002)


# In the test


class Run:
    """A run of `ganedu`.

    Args:
        folder: `pathlib.Path` of an empty folder.
    """

    def __init__(self, folder):
        self.around, self.folder = folder, folder / "run"

    def arguments(self):
        """`ganedu train`, or `resume` where there is a `run.json`."""
        if (self.folder / "run.json").exists():
            return ["resume", "run"]
        return ["train", "gan", "--image-size", "8", "--epochs", "1", "--out", "run"]

    def forked(self, server, kill=None, seconds=300):
        """Goes on in a process that kills itself, or is killed after a time.

        Returns:
            Its exit status, and how many seconds it lived.
        """
        request = [str(self.around), self.arguments(), kill, seconds]
        print(json.dumps(request), file=server.stdin, flush=True)
        status, lived = server.stdout.readline().split()
        return int(status), float(lived)

    def finish(self, server):
        """Brings the run to its end."""
        status, _ = self.forked(server)
        assert status == 0, self.output()

    def output(self):
        return (self.around / "log").read_text()

    def newest_whole_checkpoint(self):
        """The step of the newest one, without ganedu's help."""
        whole = [p.parent.name for p in self.folder.glob("checkpoint/step-*/state.json")]
        return int(max(whole).removeprefix("step-")) if whole else None

    def check_readable(self):
        """Every file in its place is whole."""
        for path in self.folder.rglob("*"):
            if "/." in str(path.relative_to(self.around)):
                continue
            if path.suffix == ".keras":
                with zipfile.ZipFile(path) as archive:
                    assert archive.testzip() is None
            elif path.suffix in (".png", ".gif"):
                with Image.open(path) as picture:
                    picture.load()
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".csv":
                assert {row["step"] for row in self.history()} <= {8, 16, 24, 32, 40, 46}

    def history(self):
        with open(self.folder / "history.csv", newline="") as file:
            return [
                {name: float(row[name]) for name in row if name != "seconds"}
                for row in csv.DictReader(file, strict=True)
            ]

    def arrays(self):
        """Weights, optimizer states and seeds."""
        return everything(keras.models.load_model(self.folder / "model.keras"))

    def check_same(self, other):
        """Both runs ended at the same place, and nothing else is left."""
        assert json.loads((self.folder / "run.json").read_text())["status"] == "finished"
        arrays = list(zip(self.arrays(), other.arrays(), strict=True))
        assert len(arrays) > 30
        for a, b in arrays:
            np.testing.assert_array_equal(a, b)
        assert self.history() == other.history()
        for name in ("training.gif", "samples.png"):
            assert (self.folder / name).read_bytes() == (other.folder / name).read_bytes()
        names, others = (
            sorted(str(path.relative_to(run.folder)) for path in run.folder.rglob("*"))
            for run in (self, other)
        )
        assert names == others
        assert not [name for name in names if "/." in f"/{name}"]


@contextlib.contextmanager
def started_server():
    """This file as a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # threads do not survive a fork
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    command, text = [sys.executable, __file__], {"env": environment, "text": True}
    with subprocess.Popen(command, **text, **pipes, stderr=subprocess.DEVNULL) as server:
        yield server


def kill_at_moments(make_run, seed):
    """Kills a run, its continuation, and so on; a run that finished is followed by a new one. The seed settles when.

    Returns:
        All runs, each brought to its end.
    """
    with started_server() as server:
        done = [make_run()]
        status, lived = done[0].forked(server)
        assert status == 0, done[0].output()
        rng = random.Random(seed)
        moments = [lived * (i + rng.random()) / MOMENTS for i in range(MOMENTS)]
        rng.shuffle(moments)
        run = make_run()
        while moments:
            status, _ = run.forked(server, seconds=moments[-1])
            if status == KILLED:
                moments.pop()
                run.check_readable()
            else:
                assert status == 0, run.output()
                moments[-1] *= 0.9
                done.append(run)
                run = make_run()
        run.finish(server)
    return [*done, run]


def kill_inside_writes(run, server):
    """Kills a run once inside of each of `WRITES`, and brings it to its end."""
    for *kill, step in WRITES:
        status, _ = run.forked(server, kill)
        assert status == KILLED, (kill, run.output())
        run.check_readable()
        assert run.newest_whole_checkpoint() == step, kill
    run.finish(server)


@pytest.fixture(scope="module")
def make_run(tmp_path_factory):
    return lambda: Run(tmp_path_factory.mktemp("kill"))


@pytest.fixture(scope="module")
def server():
    with started_server() as server:
        yield server


@pytest.fixture(scope="module")
def unbroken(make_run, server):
    run = make_run()
    run.finish(server)
    return run


def test_an_unbroken_run_has_six_rounds(unbroken):
    assert [row["step"] for row in unbroken.history()] == [8, 16, 24, 32, 40, 46]
    unbroken.check_readable()


def test_kills_inside_each_kind_of_write_change_nothing(unbroken, make_run, server):
    run = make_run()
    kill_inside_writes(run, server)
    run.check_same(unbroken)


@pytest.mark.skipif(not os.environ.get("GANEDU_KILLS"), reason="asked for by GANEDU_KILLS=1")
def test_kills_at_random_moments_change_nothing(unbroken, make_run):
    """Two chains at the same time, so that they disturb each other."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        chains = [pool.submit(kill_at_moments, make_run, seed) for seed in (1404, 1405)]
        for run in [run for chain in chains for run in chain.result()]:
            run.check_same(unbroken)


if __name__ == "__main__":
    serve()
