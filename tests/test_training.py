"""A run from its start to its end: rounds, lengths, and what it survives."""

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image
from rows import everything

from ganedu import callbacks, recipes, runs
from ganedu.data import images
from ganedu.runs import RunFolder, training
from ganedu.runtime import NonFiniteLoss, RunError, UsageError

# 1,493 digits in batches of 128: 11 steps a pass, in rounds of 4, 4 and 3.
TINY = recipes.Recipe(128, 4, 1, {"latent_dim": 3, "width": 8})


@pytest.fixture(autouse=True)
def interrupts_are_heard():
    """A process started in the background inherits a Ctrl-C that is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(recipes, "find", lambda *asked: (TINY, "tiny"))


def begin(path, **asked):
    return runs.begin(path, **{"model": "gan", "data": "digits", "image_size": 8, **asked})


def history(folder):
    with open(folder.path / "history.csv", newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def steps(folder):
    return [int(row["step"]) for row in history(folder)]


def same(folder, other):
    """Whether two runs ended with the same weights, optimizer states and seeds."""
    values = [everything(keras.models.load_model(f.path / "model.keras")) for f in (folder, other)]
    return all(np.array_equal(a, b) for a, b in zip(*values, strict=True))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "find", lambda *asked: (TINY, "tiny"))
        folder = begin(tmp_path_factory.mktemp("unbroken") / "run")
        assert training.train(folder) == "finished"
    return folder


@pytest.fixture
def at_step(monkeypatch):
    """`at_step(n, do)` calls `do(model)` at the end of step n, before the other callbacks."""
    planned = {}

    class Counter(callbacks.StepCounter):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            planned.get(self.steps, planned.get("any", lambda model: None))(self.model)

    monkeypatch.setattr(training, "StepCounter", Counter)
    return planned.__setitem__


def interrupt(model):
    signal.raise_signal(signal.SIGINT)


class Crash(Exception):
    pass


def crash(model):
    raise Crash


def told(act):
    """What `act` warns of, as one text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        act()
    return "\n".join(str(w.message) for w in caught)


# Scores


def test_the_best_is_kept_and_a_run_that_gets_worse_ends(tmp_path, monkeypatch):
    values = iter([3.0, 1.0, 2.0, 5.0])
    monkeypatch.setattr(
        training.evaluation, "frechet_scorer", lambda dataset, model: lambda model: next(values)
    )
    folder = begin(tmp_path / "run", score_every=1, patience=1, epochs=2)
    assert training.train(folder) == "finished"
    assert [row["frechet_distance"] for row in history(folder)] == ["3.0", "1.0", "2.0"]
    best = keras.models.load_model(folder.path / "best.keras")
    assert int(keras.ops.convert_to_numpy(best.steps)) == 8  # the second of three rounds of 4
    assert not (folder.path / ".best.part").exists()
    folder.update_run_info(status="interrupted")
    assert training.train(folder) == "finished"
    assert next(values) == 5.0  # nothing was scored again


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"score_every": 0}, "--score-every must be at least 1. Received: 0"),
        ({"patience": 2}, "--patience needs scores"),
    ],
)
def test_scores_that_cannot_be(tmp_path, asked, message):
    with pytest.raises(UsageError, match=message):
        begin(tmp_path / "run", **asked)


# Rounds and lengths


def test_a_run_leaves_rounds_and_pictures(unbroken):
    rows = history(unbroken)
    assert [(row["round"], row["step"], row["epoch"]) for row in rows] == [
        ("1", "4", "0.364"),
        ("2", "8", "0.727"),
        ("3", "11", "1.0"),
    ]
    assert set(rows[0]) == {"round", "step", "epoch", "d_loss", "g_loss", "D(x)", "D(G(z))"}
    assert [file.stem for file in unbroken.frame_files()] == [f"{n:09d}" for n in (0, 4, 8, 11)]
    with Image.open(unbroken.path / "training.gif") as gif:
        assert gif.n_frames == 4
    with Image.open(unbroken.path / "samples.png") as sheet:
        assert min(sheet.size) >= 448
    run_info = unbroken.run_info()
    assert (run_info["status"], run_info["steps"], run_info["recipe"]["name"]) == (
        "finished",
        11,
        "tiny",
    )
    assert int(keras.ops.convert_to_numpy(unbroken.load_model().steps)) == 11
    assert sorted(p.name for p in unbroken.path.iterdir()) == [
        *("checkpoint", "history.csv", "model.keras", "run.json", "samples.png", "training.gif")
    ]


def test_the_same_run_again_is_the_same(unbroken, tmp_path):
    folder = begin(tmp_path / "run")
    training.train(folder)
    assert same(folder, unbroken)
    assert history(folder) == history(unbroken)
    other = begin(tmp_path / "other", seed=1)
    training.train(other)
    assert not same(other, unbroken)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [({"epochs": 0.5}, [4, 6]), ({"epochs": 1e-6}, [1]), ({"profile": "smoke"}, [2])],
)
def test_epochs_are_exact(tmp_path, asked, expected):
    folder = begin(tmp_path / "run", **asked)
    assert training.train(folder) == "finished"
    assert steps(folder) == expected


def test_output_is_a_line_a_round_where_there_is_no_terminal(tmp_path, capsys):
    training.train(begin(tmp_path / "run", epochs=0.7))
    understood, first, second = capsys.readouterr().out.splitlines()
    assert understood.endswith(" kept for the test")
    assert first.startswith("round 1  step 4  ")
    assert second.startswith("round 2  step 8  ")
    assert "d_loss 1." in first


def test_a_terminal_gets_the_bar_of_keras(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    training.train(begin(tmp_path / "run", seconds=1e-6))
    out = capsys.readouterr().out
    assert "Round 1, 0:00 left\n" in out
    assert "4/4" in out
    assert "Epoch" not in out
    assert "round 1  step" not in out


@pytest.mark.parametrize(
    ("steps", "total", "spent", "budget", "left"),
    [
        (20, 50, 4.0, None, 6.0),  # a fifth of a second each
        (20, None, 4.0, 9.5, 5.5),
        (20, None, 4.0, 3.0, 0.0),
        (0, 50, 0.0, None, None),  # nobody knows yet
    ],
)
def test_the_time_left_is_that_of_the_steps_or_of_the_clock(steps, total, spent, budget, left):
    counter, clock = callbacks.StepCounter(steps, total), callbacks.Clock(spent, budget)
    found = callbacks.seconds_left(counter, clock)
    assert found == (left if left is None else pytest.approx(left))
    assert [callbacks.clock_time(s) for s in (0.4, 75, 3675.2)] == ["0:00", "1:15", "1:01:15"]


def test_a_clock_may_count_the_processor_s_seconds():
    told = iter([10.0, 11.5, 11.5, 14.0, 14.0])
    clock = callbacks.Clock(1.0, 4.0, lambda: next(told))
    clock.set_model(model := SimpleNamespace(stop_training=False))
    clock.on_train_batch_end(0)  # the first step, which compiles, is not counted
    assert clock.seconds == 2.5
    assert not model.stop_training
    clock.on_train_batch_end(1)
    assert model.stop_training


def test_rounds_are_counted_where_there_is_an_end(capsys):
    bar = callbacks.RoundBar(4, callbacks.StepCounter(30, 120), callbacks.Clock(60.0))
    bar.set_params({"epochs": 4, "steps": 30, "verbose": 1})
    bar.on_epoch_begin(1)
    assert "Round 2 of 4, 3:00 left" in capsys.readouterr().out


def test_a_long_run_is_a_short_gif(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "MAX_FRAMES", 3)
    folder = begin(tmp_path / "run")
    training.train(folder)
    assert len(folder.frame_files()) == 4
    with Image.open(folder.path / "training.gif") as gif:
        assert gif.n_frames == 3


class TestSeconds:
    """On a clock by which a step takes 1 second, and what ends a round 3 seconds."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch, at_step):
        time = SimpleNamespace(now=100.0)
        time.monotonic = lambda: time.now
        monkeypatch.setattr(callbacks, "time", time)

        def pass_by(seconds):
            time.now += seconds

        at_step("any", lambda model: pass_by(1))
        save = RunFolder.save_checkpoint
        monkeypatch.setattr(
            RunFolder, "save_checkpoint", lambda *args: (save(*args), pass_by(3))[0]
        )

    @pytest.mark.parametrize(("seconds", "expected"), [(0.5, [2]), (7, [4, 5]), (7.5, [4, 6])])
    def test_count_from_the_end_of_the_first_step(self, tmp_path, seconds, expected):
        folder = begin(tmp_path / "run", seconds=seconds)
        assert training.train(folder) == "finished"
        assert steps(folder) == expected

    def test_are_spent_over_a_resume(self, tmp_path, at_step, monkeypatch):
        folder = begin(tmp_path / "run", seconds=9)
        at_step(3, interrupt)  # at 1 second, as this step takes none
        assert training.train(folder) == "interrupted"
        assert training.train(folder) == "finished"
        # The step that compiles again is free: step 4; then 8 seconds are left: 5, 6, 7; 3 for the
        # round; 8 and 9.
        assert steps(folder) == [3, 7, 9]
        assert folder.run_info()["training_seconds"] == 9

    def test_that_are_spent_are_not_spent_again(self, tmp_path):
        folder = begin(tmp_path / "run", seconds=7)
        training.train(folder)
        folder.update_run_info(status="training")  # killed after its last checkpoint
        assert training.train(folder) == "finished"
        assert steps(folder) == [4, 5]


# Interruptions


def test_ctrl_c_keeps_the_step_that_runs(unbroken, tmp_path, at_step):
    folder = begin(tmp_path / "run")
    at_step(6, interrupt)
    assert training.train(folder) == "interrupted"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert steps(folder) == [4, 6]
    assert folder.run_info()["status"] == "interrupted"
    assert (folder.path / "training.gif").is_file()
    assert training.train(folder) == "finished"
    assert steps(folder) == [4, 6, 10, 11]
    assert same(folder, unbroken)


def test_ctrl_c_while_a_round_is_kept_ends_that_round(tmp_path, monkeypatch):
    save, left = RunFolder.save_checkpoint, [interrupt]

    def interrupted(*arguments):
        save(*arguments)
        if left:
            left.pop()(None)

    monkeypatch.setattr(RunFolder, "save_checkpoint", interrupted)
    folder = begin(tmp_path / "run")
    assert training.train(folder) == "interrupted"
    assert steps(folder) == [4]


def test_a_second_ctrl_c_does_not_wait(tmp_path, at_step):
    folder = begin(tmp_path / "run")
    at_step(6, lambda model: (interrupt(model), interrupt(model)))
    with pytest.raises(KeyboardInterrupt):
        training.train(folder)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert folder.latest_checkpoint()[1]["step"] == 4


def test_ctrl_c_at_the_last_step_changes_nothing(unbroken, tmp_path, at_step):
    folder = begin(tmp_path / "run")
    at_step(11, interrupt)
    assert training.train(folder) == "finished"
    assert same(folder, unbroken)


def test_a_crash_goes_on_from_the_last_round(unbroken, tmp_path, at_step):
    folder = begin(tmp_path / "run")
    at_step(10, crash)
    with pytest.raises(Crash):
        training.train(folder)
    at_step(10, lambda model: None)
    folder.frame_path(10).write_bytes(b"of a round that is undone")
    (folder.path / ".training.gif.part").touch()
    assert training.train(folder) == "finished"
    assert not [*folder.path.rglob(".*")]
    assert same(folder, unbroken)
    assert history(folder) == history(unbroken)
    gifs = [(f.path / "training.gif").read_bytes() for f in (folder, unbroken)]
    assert gifs[0] == gifs[1]


@pytest.fixture
def stopped(tmp_path, at_step):
    """A run that stopped after step 10, with the checkpoints of steps 4 and 8."""
    folder = begin(tmp_path / "run")
    at_step(10, crash)
    with pytest.raises(Crash):
        training.train(folder)
    at_step(10, lambda model: None)
    return folder


@pytest.mark.parametrize("lost", ["states", "all"])
def test_lost_checkpoints_leave_the_published_model(unbroken, stopped, lost):
    if lost == "all":
        shutil.rmtree(stopped.checkpoints)
    for checkpoint in stopped.steps():
        (checkpoint / "state.json").unlink()
    message = told(lambda: training.train(stopped))
    assert "no whole checkpoint; it goes on from model.keras" in message
    assert "anew" not in message
    assert stopped.run_info()["status"] == "finished"
    assert same(stopped, unbroken)
    assert steps(stopped) == steps(unbroken)


@pytest.mark.parametrize("count", [1, 2])
def test_damaged_checkpoints_cost_time_and_nothing_else(unbroken, stopped, count):
    for checkpoint in stopped.steps()[-count:]:
        os.truncate(checkpoint / "model.keras", 1000)
    message = told(lambda: training.train(stopped))
    assert message.count("is damaged") == count
    assert ("it starts anew" in message) == (count == 2)
    assert stopped.run_info()["status"] == "finished"
    assert same(stopped, unbroken)
    assert history(stopped) == history(unbroken)


def test_a_resumed_run_keeps_its_recipe(unbroken, stopped, monkeypatch):
    def other(*asked):
        raise AssertionError("a run has one recipe")

    monkeypatch.setattr(recipes, "find", other)
    training.train(stopped)
    assert same(stopped, unbroken)


def test_a_resumed_run_says_that_the_backend_changed(stopped, capsys):
    other = "jax" if keras.backend.backend() != "jax" else "torch"
    stopped.update_run_info(backend=other)
    training.train(stopped)
    assert f"Started on {other}" in capsys.readouterr().out


def test_a_run_is_trained_by_one_process(stopped):
    with stopped.locked(), pytest.raises(UsageError, match="Another process"):
        training.train(stopped)


def test_a_resumed_run_needs_its_data(tmp_path, monkeypatch, at_step):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    np.save("mine.npy", np.random.default_rng(0).integers(0, 256, (300, 8, 8), "uint8"))
    folder = begin(tmp_path / "run", data="mine.npy", image_size=None, epochs=3)
    at_step(3, interrupt)
    assert training.train(folder) == "interrupted"
    monkeypatch.chdir(tmp_path / "elsewhere")
    kept = folder.run_info()["images"][0]
    np.save("../mine.npy", np.random.default_rng(1).integers(0, 256, (500, 8, 8), "uint8"))
    with pytest.raises(UsageError, match=rf"began with, \[{kept}, 8, 8, 1\]. Received: \["):
        training.train(folder)
    os.unlink("../mine.npy")
    with pytest.raises(UsageError, match=r"no file .*mine\.npy"):
        training.train(folder)


# NaN


@pytest.fixture
def poison(monkeypatch):
    """`poison(n)` makes the n-th batch from now on NaN."""
    count = SimpleNamespace(left=0)
    to_float = images.to_float

    def poisoned(array):
        count.left -= 1
        return to_float(array) * (np.float32("nan") if count.left == 0 else np.float32(1))

    monkeypatch.setattr(images, "to_float", poisoned)
    # The examples for the pictures are taken before the first batch.
    return lambda n: setattr(count, "left", n and n + 1)


def test_nan_stops_the_run_and_keeps_the_last_good_weights(tmp_path, poison):
    folder = begin(tmp_path / "run")
    poison(7)
    with pytest.raises(NonFiniteLoss, match="at step 7: ") as caught:
        training.train(folder)
    message = str(caught.value)
    assert "d_loss = nan" in message
    assert "learning rate" in message
    assert f"The weights of step 4 are kept in {folder.path}" in message
    run_info = folder.run_info()
    assert run_info["status"] == "diverged"
    assert "at step 7" in run_info["reason"]
    assert steps(folder) == [4]
    assert len(folder.frame_files()) == 2
    assert all(np.isfinite(a).all() for a in everything(folder.load_model()))
    poison(2)  # of those after step 4
    with pytest.raises(NonFiniteLoss, match="at step 6: "):
        training.train(folder)
    poison(0)
    assert training.train(folder) == "finished"
    assert "reason" not in folder.run_info()


def test_nan_in_the_first_round_keeps_nothing_and_says_so(tmp_path, poison):
    folder = begin(tmp_path / "run")
    poison(1)
    with pytest.raises(NonFiniteLoss, match=r"at step 1: .*No weights were kept before\."):
        training.train(folder)
    with pytest.raises(UsageError, match="no model yet"):
        folder.load_model()


def test_weights_that_the_last_step_spoilt_are_not_kept(tmp_path, at_step):
    folder = begin(tmp_path / "run")
    at_step(8, lambda model: model.generator.weights[0].assign(np.nan * model.generator.weights[0]))
    with pytest.raises(NonFiniteLoss, match=r"weight was not finite after step 8: .*d_loss = 1\."):
        training.train(folder)
    assert folder.latest_checkpoint()[1]["step"] == 4
    assert all(np.isfinite(a).all() for a in everything(folder.load_model()))


# A full disk


@pytest.fixture
def disk(monkeypatch):
    """`disk.full` says whether every write fails."""
    disk, fsync = SimpleNamespace(full=False), os.fsync

    def failing(descriptor):
        if disk.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    return disk


def test_a_disk_that_is_full_for_a_round_does_not_stop_training(unbroken, tmp_path, disk, at_step):
    folder = begin(tmp_path / "run")
    at_step(8, lambda model: setattr(disk, "full", True))
    at_step(9, lambda model: setattr(disk, "full", False))
    message = told(lambda: training.train(folder))
    assert "frame of step 8 could not be written (No space left on device)" in message
    assert "checkpoint of step 8 could not be written (No space" in message
    assert "The newest is of step 4" in message
    assert folder.run_info()["status"] == "finished"
    assert [p.name for p in folder.steps()] == ["step-000000004", "step-000000011"]
    with Image.open(folder.path / "training.gif") as gif:
        assert gif.n_frames == 3
    assert history(folder) == history(unbroken)
    assert same(folder, unbroken)
    assert not [*folder.path.rglob(".*")]


def test_a_disk_that_stays_full_fails_the_run_at_its_end(unbroken, tmp_path, disk, at_step):
    folder = begin(tmp_path / "run")
    at_step(7, lambda model: setattr(disk, "full", True))

    def fail():
        with pytest.raises(RunError, match=r"newest checkpoint is of step 4 of 11.*resume"):
            training.train(folder)

    assert "training.gif could not be written" in told(fail)
    assert steps(folder) == [4]
    assert not [*folder.path.rglob(".*")]
    at_step(7, lambda model: setattr(disk, "full", False))
    disk.full = False
    assert training.train(folder) == "finished"
    assert same(folder, unbroken)


def test_output_that_cannot_be_written_does_not_stop_training(tmp_path, monkeypatch):
    def failing(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(training, "print", failing, raising=False)
    folder = begin(tmp_path / "run")
    assert "A line of output could not be written" in told(lambda: training.train(folder))
    assert steps(folder) == [4, 8, 11]


# Real processes

DRIVER = """
import os, resource, signal
from ganedu import recipes, runtime
recipes.find = lambda *asked: (recipes.Recipe(128, 4, 1, {"latent_dim": 3, "width": 8}), "tiny")
runtime.setup()
from ganedu import callbacks

def full_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (25_000, 25_000))  # bytes; a model has more

def ctrl_c():
    usual = callbacks.StepCounter.on_train_batch_end
    def ending(self, batch, logs=None):
        usual(self, batch, logs)
        if self.steps == 6:
            os.kill(os.getpid(), signal.SIGINT)
    callbacks.StepCounter.on_train_batch_end = ending

CALLED()
from ganedu.cli import main
main()
"""


def command(folder, called):
    """Runs `ganedu train` in a process of its own; `called` is one of the driver's functions."""
    asked = ["train", "gan", "--out", str(folder.path), "--image-size", "8"]
    code = DRIVER.replace("CALLED", called)
    result = subprocess.run(
        [sys.executable, "-c", code, *asked], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in result.stderr
    return result


def test_ctrl_c_from_the_command_line(unbroken, tmp_path):
    folder = RunFolder(tmp_path / "run")
    result = command(folder, "ctrl_c")
    assert result.returncode == 130
    assert result.stdout.splitlines()[-1].endswith(f"Go on with: ganedu resume {folder.path}")
    assert not result.stderr
    assert steps(folder) == [4, 6]
    assert training.train(folder) == "finished"
    assert same(folder, unbroken)


def test_a_full_disk_from_the_command_line(unbroken, tmp_path):
    folder = RunFolder(tmp_path / "run")
    result = command(folder, "full_disk")
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert [line.partition(" could not be written (File too large)")[0] for line in lines[:-1]] == [
        *(f"ganedu: The checkpoint of step {n}" for n in (4, 8, 11)),
        "ganedu: training.gif",
    ]
    assert lines[-1].startswith("ganedu: The last rounds could not be kept")
    assert json.loads((folder.path / "run.json").read_text())["status"] == "training"
    assert sorted(p.name for p in folder.path.rglob("*") if p.suffix != ".png") == [
        *("checkpoint", "frames", "run.json")
    ]
    assert training.train(folder) == "finished"
    assert same(folder, unbroken)
