"""A run's folder: whole files or none, checkpoints that survive damage, one process at a time."""

import errno
import json
import os
import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from rows import IMAGE_SHAPE, ROWS, everything

from ganedu import models, runs
from ganedu.data import ImageDataset
from ganedu.diagnostics import signals
from ganedu.runs import RunFolder, evaluation, training
from ganedu.runs import folder as folder_module
from ganedu.runtime import RunError, UsageError


class Fake:
    """A model as far as a run's folder knows one."""

    def __init__(self, content):
        self.content = content

    def save(self, path):
        Path(path).write_text(self.content)


def state(step):
    row = {"round": 1, "step": step, "seconds": step / 8, "loss": 0.5}
    return {"step": step, "seconds": step / 8, "history": [row]}


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def hidden(folder):
    return [p.name for p in folder.path.rglob(".*")]


@pytest.fixture
def folder(tmp_path):
    return runs.begin(tmp_path / "run", model="gan", data="digits")


@pytest.fixture
def kept(folder):
    """A run with the checkpoints of steps 8 and 16."""
    for step in (8, 16):
        folder.save_checkpoint(Fake(f"weights {step}"), state(step))
    return folder


# A run's beginning


def test_begin_writes_what_is_asked_and_nothing_else(tmp_path):
    folder = runs.begin(tmp_path / "a" / "b", model="gan", data="digits", epochs=2.5, seed=3)
    assert os.listdir(folder.path) == ["run.json"]
    run_info = folder.run_info()
    assert [run_info[name] for name in folder_module.ASKED] == [
        *("gan", "digits", 3, "quick"),
        *(2.5, None, None, None),
    ]
    assert run_info["status"] == "started"
    assert {"python", "ganedu", "keras", "numpy"} <= set(run_info["versions"])


def test_run_json_has_the_line_that_loads_the_model(tmp_path, monkeypatch):
    folder = runs.begin(tmp_path / "run", model="gan", data="digits")
    models.build("gan", (8, 8, 1), latent_dim=3, width=8).save(folder.path / "model.keras")
    monkeypatch.chdir(folder.path)
    line, found = folder.run_info()["load"], {}
    assert line.startswith("import ganedu.models")  # Keras alone does not know the class
    exec(line, found)
    assert found["model"].generate(2).shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"epochs": 1, "seconds": 1}, "epochs or in seconds"),
        ({"epochs": 0}, "epochs.*Received: 0"),
        ({"epochs": -1.0}, "epochs.*Received: -1"),
        ({"epochs": float("nan")}, "epochs.*nan"),
        ({"seconds": float("inf")}, "seconds.*inf"),
        ({"epochs": 1e308}, "epochs.*1e\\+308"),
        ({"batch_size": 0}, "batch size.*0"),
        ({"seed": -1}, "seed.*-1"),
        ({"seed": 2**31}, "seed.*2147483648"),
        ({"profile": "huge"}, "profile.*huge"),
        ({"image_size": 10**9}, "image size.*1000000000"),
    ],
)
def test_what_cannot_be_asked_leaves_no_folder(tmp_path, asked, message):
    with pytest.raises(UsageError, match=message):
        runs.begin(tmp_path / "run", model="gan", data="digits", **asked)
    assert not os.listdir(tmp_path)


def test_a_folder_that_holds_a_run_is_refused(folder):
    before = folder.run_info()
    with pytest.raises(UsageError, match=r"holds a run already.*resume .*run"):
        runs.begin(folder.path, model="vae", data="digits")
    assert folder.run_info() == before


def test_of_two_that_begin_at_once_one_is_refused(tmp_path, monkeypatch):
    """Both look before either has written."""
    monkeypatch.setattr(Path, "exists", lambda path: False)
    first = runs.begin(tmp_path / "run", model="gan", data="digits")
    with pytest.raises(UsageError, match="holds a run already"):
        runs.begin(tmp_path / "run", model="vae", data="digits")
    assert first.run_info()["model"] == "gan"
    assert os.listdir(first.path) == ["run.json"]


def test_checkpoints_of_a_run_that_is_gone_are_not_taken_over(kept):
    (kept.path / "run.json").unlink()
    with pytest.raises(UsageError, match="left of another run"):
        runs.begin(kept.path, model="vae", data="digits")
    assert len(kept.steps()) == 2


@pytest.mark.parametrize("name", ["file", "file/run"])
def test_a_file_is_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be made a folder"):
        runs.begin(tmp_path / name, model="gan", data="digits")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_disk_that_is_full_from_the_start_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        runs.begin(tmp_path / "run", model="gan", data="digits")
    assert not os.listdir(tmp_path)


def test_discard_undoes_the_beginning_and_leaves_what_was_there(tmp_path):
    for name in ("new", "old"):
        if name == "old":
            (tmp_path / name).mkdir()
            (tmp_path / name / "mine.txt").write_text("mine")
        runs.begin(tmp_path / name, model="gan", data="digits").discard()
    assert [p.name for p in tmp_path.rglob("*")] == ["old", "mine.txt"]


def test_open_needs_a_run(tmp_path):
    with pytest.raises(UsageError, match=r"no run\.json"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b'{"model": ', b"[1]", b"3", b"\x00\xff", b'{"model": 1}']
)
def test_a_damaged_run_json_is_named(folder, content):
    (folder.path / "run.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"run\.json is damaged"):
        folder.run_info()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("seed", "0"), ("model", 3), ("epochs", "1"), ("image_size", 8.5), ("seconds", [1])],
        *[
            ("recipe", "tiny"),
            ("images", 3),
            ("score_every", "2"),
            ("patience", 1.5),
            ("status", None),
        ],
    ],
)
def test_a_run_json_of_other_types_is_damaged(folder, name, value):
    run_info = {**folder.run_info(), name: value}
    (folder.path / "run.json").write_text(json.dumps(run_info))
    with pytest.raises(UsageError, match=rf"run\.json is damaged \(it says {name}: "):
        folder.run_info()


def test_one_process_at_a_time(folder):
    other = RunFolder.open(folder.path)
    with folder.locked(), pytest.raises(UsageError, match="Another process"), other.locked():
        pass
    with other.locked():
        assert not hidden(other)


def test_a_command_to_resume_can_be_pasted(tmp_path):
    assert RunFolder(tmp_path / "my run").resume_command.endswith("my run'")


# Checkpoints


def test_two_checkpoints_are_kept_and_the_newest_is_published(kept):
    kept.save_checkpoint(Fake("weights 24"), state(24))
    assert [p.name for p in kept.steps()] == ["step-000000016", "step-000000024"]
    path, found = kept.latest_checkpoint()
    assert path.read_text() == (kept.path / "model.keras").read_text() == "weights 24"
    assert found == state(24)
    assert (kept.path / "history.csv").read_text() == "round,step,seconds,loss\n1,24,3.0,0.5\n"
    assert not hidden(kept)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def says(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.keras", cut),
        ("model.keras", Path.unlink),
        ("state.json", cut),
        ("state.json", Path.unlink),
        ("state.json", lambda path: path.write_text("[]")),
        ("state.json", lambda path: path.write_text("{}")),
        ("state.json", lambda path: path.write_bytes(bytes(100))),
        ("state.json", lambda path: says(path, step="16")),
        ("state.json", lambda path: says(path, history="round")),
        ("state.json", lambda path: says(path, seconds=None)),
    ],
)
def test_a_damaged_checkpoint_is_passed_over(kept, name, damage):
    older, newest = kept.steps()
    damage(newest / name)
    with pytest.warns(UserWarning, match="step-000000016 is damaged"):
        path, found = kept.latest_checkpoint()
    assert path == older / "model.keras"
    assert found == state(8)
    damage(older / name)
    with pytest.warns(UserWarning, match="is damaged") as warned:
        assert kept.latest_checkpoint() == (None, None)
    assert len(warned) == 2


def test_a_checkpoint_that_may_not_be_read_is_not_damaged(kept, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(folder_module, "digest", refused)
    with pytest.raises(PermissionError):
        kept.latest_checkpoint()


@pytest.mark.parametrize("failing", ["fsync", "replace", "rename", "link"])
def test_a_failing_checkpoint_leaves_those_before(kept, monkeypatch, failing):
    with monkeypatch.context() as patch:
        patch.setattr(os, failing, full)
        if failing == "link":  # a disk too full for a link is too full for a copy
            patch.setattr(folder_module.shutil, "copyfile", full)
        with pytest.raises(OSError, match="No space"):
            kept.save_checkpoint(Fake("weights 24"), state(24))
    step = 24 if failing == "link" else 16
    assert kept.latest_checkpoint()[1] == state(step)
    assert (kept.path / "model.keras").read_text() == "weights 16"
    assert (kept.path / "history.csv").read_text() == "round,step,seconds,loss\n1,16,2.0,0.5\n"
    assert not hidden(kept)
    kept.save_checkpoint(Fake("weights 32"), state(32))
    assert kept.latest_checkpoint()[1] == state(32)
    assert len(kept.steps()) == 2


def test_a_model_that_fails_to_save_leaves_those_before(kept):
    class Failing:
        def save(self, path):
            path.write_text("half")
            full()

    with pytest.raises(OSError, match="No space"):
        kept.save_checkpoint(Failing(), state(24))
    assert kept.latest_checkpoint()[1] == state(16)
    assert not hidden(kept)


def test_a_step_can_be_kept_again(kept):
    kept.save_checkpoint(Fake("again"), state(16))
    assert kept.latest_checkpoint()[0].read_text() == "again"
    assert len(kept.steps()) == 2


def test_publishing_twice_leaves_nothing_behind(kept):
    path, found = kept.latest_checkpoint()
    kept.publish(path.parent, found)
    assert (kept.path / "model.keras").read_text() == "weights 16"
    assert not hidden(kept)


def test_publishing_without_links_copies(kept, monkeypatch):
    monkeypatch.setattr(os, "link", full)
    kept.save_checkpoint(Fake("weights 24"), state(24))
    published = kept.path / "model.keras"
    assert published.read_text() == "weights 24"
    assert not published.samefile(kept.latest_checkpoint()[0])
    assert not hidden(kept)


def test_what_a_kill_left_is_forgotten(kept):
    kept.frames.mkdir()
    for step in (0, 8, 16):
        kept.frame_path(step).touch()
    (kept.checkpoints / ".building").mkdir()
    for leftover in (".model.keras.part", ".run.json.part", "checkpoint/frames/.1.png.part"):
        (kept.path / leftover).touch()
    kept.truncate_after(8)
    assert [p.name for p in kept.steps()] == ["step-000000008"]
    assert kept.frame_files() == [kept.frame_path(0), kept.frame_path(8)]
    assert not hidden(kept)


def test_checkpoints_that_follow_lost_ones_stay(kept):
    """A run that starts anew below the steps of its damaged checkpoints must keep its own."""
    for checkpoint in kept.steps():
        cut(checkpoint / "model.keras")
    kept.truncate_after(0)
    for step in (4, 8):
        kept.save_checkpoint(Fake(f"anew {step}"), state(step))
        assert kept.latest_checkpoint()[1] == state(step)


# Files for people


def test_history_has_a_row_a_round(folder):
    folder.write_history([{"round": 1, "D(x)": 0.25}, {"round": 2, "D(x)": 1e-7}])
    assert (folder.path / "history.csv").read_text() == "round,D(x)\n1,0.25\n2,1e-07\n"
    folder.write_history([])
    assert not (folder.path / "history.csv").read_text()


def test_a_history_whose_rows_differ_is_read_again(folder):
    """As when scores are asked for later."""
    folder.write_history([{"round": 1}, {"round": 2, "frechet_distance": 0.5}])
    (first, second) = folder.history()
    assert np.isnan(first["frechet_distance"])
    assert second == {"round": 2, "frechet_distance": 0.5}


def test_facts_are_updated_one_by_one(folder):
    before = folder.run_info()
    folder.update_run_info(status="finished", steps=7)
    assert folder.run_info() == {**before, "status": "finished", "steps": 7}
    assert json.loads((folder.path / "run.json").read_text()) == folder.run_info()


def test_a_damaged_model_is_replaced_by_the_checkpoint(folder):
    with pytest.raises(UsageError, match=r"no model yet.*resume"):
        folder.load_model()
    model = models.build("gan", IMAGE_SHAPE, **ROWS["gan"].build)
    folder.save_checkpoint(model, state(8))
    published = folder.path / "model.keras"
    content = published.read_bytes()
    published.unlink()  # it is the checkpoint's file too
    published.write_bytes(content[: len(content) // 2])
    with pytest.warns(UserWarning, match=r"model\.keras is damaged"):
        loaded = folder.load_model()
    for a, b in zip(everything(model), everything(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    cut(folder.steps()[0] / "model.keras")
    with pytest.warns(UserWarning, match="is damaged"), pytest.raises(UsageError, match="no model"):
        folder.load_model()


def test_the_published_model_is_one_to_go_on_from(folder):
    assert folder.resume_point() == (None, None)
    model = models.build("gan", IMAGE_SHAPE, **ROWS["gan"].build)
    folder.save_checkpoint(model, state(8))
    shutil.rmtree(folder.checkpoints)
    assert folder.published_model() == (folder.path / "model.keras", state(8))
    assert folder.resume_point() == folder.published_model()
    history = (folder.path / "history.csv").read_text()
    for content in ("", "round,step\n1,8\n", "round,step,seconds\n"):
        (folder.path / "history.csv").write_text(content)
        assert folder.published_model() == (None, None)
    (folder.path / "history.csv").write_text(history)
    whole = (folder.path / "model.keras").read_bytes()
    middle = len(whole) // 2
    other = bytes(255 - b for b in whole[middle : middle + 64])
    for content in (b"", whole[:-100], whole[:middle] + other + whole[middle + 64 :]):
        (folder.path / "model.keras").write_bytes(content)
        assert folder.published_model() == (None, None)
        assert folder.resume_point() == (None, None)


def test_a_model_of_another_run_is_refused(folder):
    folder.save_checkpoint(models.build("vae", IMAGE_SHAPE, **ROWS["vae"].build), state(8))
    with pytest.raises(UsageError, match=r"model\.keras must hold a gan. Received: a VAE"):
        folder.load_model()


def test_a_model_that_lacks_a_part_is_not_loaded(tmp_path, monkeypatch):
    def skipping(path, safe_mode):
        assert safe_mode
        warnings.warn("Skipping nested container at 'generator'", stacklevel=2)

    models.build("gan", IMAGE_SHAPE, **ROWS["gan"].build).save(tmp_path / "x.keras")
    monkeypatch.setattr(keras.models, "load_model", skipping)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a user's process may
        with pytest.raises(RunError, match=r"x\.keras does not fit .*Skipping nested"):
            runs.load_model_file(tmp_path / "x.keras")


@pytest.mark.parametrize("command", ["diagnose", "evaluate", "keep the best"])
def test_a_folder_is_measured_by_all_of_its_classes(command, monkeypatch):
    """Its images stand class by class: of the first alone it would be the first class."""
    images = np.random.default_rng(0).integers(0, 256, (400, 28, 28, 1), "uint8")
    folder = ImageDataset("folder", "test", images, np.arange(400) // 100, tuple("abcd"))
    monkeypatch.setattr(evaluation, "test_images", lambda run_info: folder)
    monkeypatch.setattr(training, "MAX_SCORED_IMAGES", 80)
    monkeypatch.setattr(evaluation, "frechet_scorer", lambda test, model: test.array())
    monkeypatch.setattr(signals, "MAX_IMAGES", 80)
    seen = []

    def array(dataset, count=None):
        seen.append(np.bincount(dataset.labels[:count], minlength=4).tolist())
        raise StopIteration

    monkeypatch.setattr(ImageDataset, "array", array)
    monkeypatch.setattr(ImageDataset, "test_batches", array)
    model = SimpleNamespace(
        tasks={"generate"}, prepare_dataset=lambda dataset: dataset, generate=lambda *a, **k: images
    )
    run = SimpleNamespace(folder=SimpleNamespace(writes=True), model=model)
    act = {
        "diagnose": lambda: signals.measure(model, folder, folder),
        "evaluate": lambda: evaluation.evaluate(model, {}, count=80),
        "keep the best": lambda: training.TrainingSession.score_of(run, {"score_every": 1}),
    }
    with pytest.raises(StopIteration):
        act[command]()
    assert seen == [[20] * 4]
