"""The command line: every command once, and every mistake in one line."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rows import steps_are_eager

from ganedu import catalogue, cli, editing, models, runs, runtime
from ganedu.runs import evaluation, sampling, training
from ganedu.runs.folder import ASKED
from ganedu.runtime import RunError, UsageError

FRAMEWORKS = {"keras", "tensorflow", "jax", "torch", "numpy", "matplotlib"}


def call(*arguments):
    """Runs `ganedu` with these arguments, in this process."""
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of two steps."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    asked = ("--image-size", 8, "--profile", "smoke", "--out", folder)
    result = call("train", "gan", "--data", "digits", *asked)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith(f"{folder}: model.keras, samples.png")
    assert not result.stderr
    return folder


# What is light


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["--version"], ["train", "--help"], ["models"], ["datasets"], ["lessons"]),
        *(["train", "dcgna"], ["train", "gan", "--data", "mnits"], ["resume", "nowhere"]),
    ],
)
def test_words_load_no_framework(arguments):
    code = f"""
import sys
import ganedu
from ganedu.cli import main
try:
    main({arguments!r})
except SystemExit:
    print(*{FRAMEWORKS!r} & set(sys.modules), file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout or "ganedu: " in result.stderr
    assert not set(result.stderr.split()) & FRAMEWORKS


def test_run_json_is_there_before_anything_slow(tmp_path, monkeypatch):
    seen = []

    def slow():
        seen.append(json.loads((tmp_path / "run" / "run.json").read_text())["status"])
        raise KeyboardInterrupt

    monkeypatch.setattr(runtime, "setup", slow)
    result = call("train", "gan", "--out", tmp_path / "run")
    assert seen == ["started"]
    assert result.exit_code == 130
    assert f"ganedu resume {tmp_path / 'run'}" in result.stdout


# Every command


def test_train_goes_where_its_model_and_data_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("pictures.v2")
    Path("pictures.v2/mine.npz").touch()
    monkeypatch.setattr(training, "train", lambda run, *_: "finished")
    for data in ("digits", ".", "pictures.v2/mine.npz"):
        assert call("train", "vae", "--data", data).exit_code == 0
    assert sorted(os.listdir("runs")) == ["vae-digits", "vae-mine", f"vae-{tmp_path.name}"]
    assert json.loads((tmp_path / "runs/vae-digits/run.json").read_text())["data"] == "digits"


def test_train_passes_on_what_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", lambda run, *_: "finished")
    options = "--seconds 2.5 --seed 3 --batch-size 7 --image-size 16 --profile full"
    told = call("train", "vae", "--out", tmp_path / "run", *options.split())
    run_info = runs.RunFolder.open(tmp_path / "run").run_info()
    assert "Training vae on digits, 2.5 seconds (profile full, seed 3)" in told.stdout
    assert [run_info[name] for name in ASKED] == [
        *("vae", "digits", 3, "full"),
        *(None, 2.5, 7, 16),
    ]


def test_resume_of_a_finished_run_says_so(run):
    result = call("resume", run)
    assert result.exit_code == 0
    assert result.stdout == f"{run} is finished.\n"


def test_resume_of_a_finished_run_that_lost_its_model_trains_it_again(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "model.keras").unlink()
    assert call("resume", folder).stdout == f"{folder} is finished.\n"
    shutil.rmtree(folder / "checkpoint")
    with pytest.warns(UserWarning, match="no whole model left; it starts anew"):
        result = call("resume", folder)
    assert result.exit_code == 0, result.output
    assert call("sample", folder, "--out", tmp_path / "x.png").exit_code == 0


def test_resume_goes_on(run, monkeypatch):
    monkeypatch.setattr(training, "train", lambda run, *_: "interrupted")
    folder = runs.RunFolder.open(run)
    folder.update_run_info(status="interrupted")
    result = call("resume", run)
    folder.update_run_info(status="finished")
    assert result.exit_code == 130
    assert result.stdout.endswith(f"Go on with: ganedu resume {run}\n")


def test_sample_draws_an_array(run, tmp_path):
    drawn = []
    for seed in (0, 0, 1):
        out = tmp_path / "x.npz"
        assert call("sample", run, "--count", 5, "--out", out, "--seed", seed).exit_code == 0
        with np.load(out) as arrays:
            assert arrays.files == ["images"]
            drawn.append(arrays["images"])
    assert drawn[0].dtype == np.uint8
    assert drawn[0].shape == (5, 8, 8, 1)
    assert len(np.unique(drawn[0])) > 10
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_sample_draws_a_sheet(run, tmp_path):
    result = call("sample", run, "--count", 6, "--out", tmp_path / "x.png")
    assert result.stdout == f"{tmp_path / 'x.png'}: 6 images\n"
    with Image.open(tmp_path / "x.png") as sheet:  # 3 columns, 2 rows
        assert sheet.width % 26 == 0
        assert sheet.width * 17 == sheet.height * 26


@pytest.mark.parametrize("method", ["lerp", "slerp"])
def test_interpolate(run, tmp_path, method):
    sheet, film = tmp_path / "x.png", tmp_path / "x.gif"
    for out in (sheet, film):
        result = call("interpolate", run, "--out", out, "--method", method, "--steps", 4)
        assert result.exit_code == 0
    with Image.open(sheet) as picture:  # 4 columns, 5 rows
        assert picture.width * 44 == picture.height * 35
    with Image.open(film) as gif:
        assert gif.n_frames == 20


def test_the_two_methods_differ(run, tmp_path):
    for method in ("lerp", "slerp"):
        call("interpolate", run, "--out", tmp_path / f"{method}.png", "--method", method)
    assert (tmp_path / "lerp.png").read_bytes() != (tmp_path / "slerp.png").read_bytes()


def test_a_model_without_a_latent_space_refuses_to_interpolate(tmp_path):
    with pytest.raises(UsageError, match=r"needs a latent space.*Captioner"):
        sampling.interpolate(
            type("Captioner", (), {"tasks": {"caption"}})(), {}, tmp_path / "x.png"
        )


def test_evaluate_prints_json(run):
    result = call("evaluate", run)
    found = json.loads(result.stdout)
    assert list(found) == ["model", "data", "count", "scores", "left_out"]
    assert (found["model"], found["data"], found["count"]) == ("gan", "digits", 304)
    assert {"d_loss", "g_loss"} <= set(found["scores"])
    assert all(isinstance(v, float) for v in found["scores"].values())


def test_evaluate_takes_the_features_that_are_named(run, monkeypatch):
    asked = []
    monkeypatch.setattr(
        evaluation,
        "evaluate",
        lambda model, run_info, count, network: asked.append((count, network)),
    )
    assert call("evaluate", run, "--features", "inception_v3", "--count", 60).stdout == "null\n"
    assert asked == [(60, "inception_v3")]


def test_models_and_datasets_are_listed():
    listed = call("models").stdout.splitlines()
    assert any(line.startswith("  dcgan  ") and "convolutional" in line for line in listed)
    families = [line.removesuffix(":") for line in listed if not line.startswith(" ")]
    assert tuple(families) == catalogue.FAMILIES
    assert sorted(line.split()[0] for line in listed if line.startswith(" ")) == models.names()
    listed = call("datasets").stdout.splitlines()
    assert any(line.startswith("digits  ") and "1,797" in line for line in listed)


# Mistakes


def assert_one_line(result, message, status=2):
    assert result.exit_code == status, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("ganedu: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("dcgna", "Did you mean dcgan?"),
        ("__init__", "There is no model '__init__'"),
        ("gan --data digit", "Did you mean digits?"),
        ("gan --data nowhere.npz", "There is no file nowhere.npz"),
        ("gan --data empty", "empty must hold images"),
        ("gan --image-size 100000000", "The image size must be at most 1024"),
        ("dcgan --image-size 9", "Both sides of an image must be even"),
        ("gan --image-size 7", "at least 8 pixels. Received: 7"),
        ("gan --image-size -8", "at least 8 pixels. Received: -8"),
        ("gan --batch-size 1494", "the number of images, 1493. Received: 1494"),
        ("gan --batch-size 0", "The batch size must lie between"),
        ("gan --batch-size -1", "The batch size must lie between"),
        ("gan --epochs 0", "The epochs must lie between"),
        ("gan --epochs -1", "The epochs must lie between"),
        ("gan --epochs nan", "Received: nan"),
        ("gan --seconds inf", "Received: inf"),
        ("gan --seconds 1 --epochs 1", "in epochs or in seconds"),
        ("wgan --batch-size 32", "3 equal parts, one for each step of its critic. Received: 32"),
        ("gan --image-size 32 --score-every 2", "28x28x1 and 32x32x3. Received: 32x32x1"),
        ("gan --seed -1", "The seed must lie in [0, 2**31)"),
        ("gan --seed 2147483648", "The seed must lie in [0, 2**31)"),
    ],
)
def test_a_mistaken_train_leaves_nothing_behind(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    os.mkdir("empty")
    assert_one_line(call("train", *arguments.split(), "--out", "out"), message)
    assert os.listdir(tmp_path) == ["empty"]


def test_a_mistake_that_shows_late_costs_nothing(tmp_path, monkeypatch):
    def late(run):
        (run.checkpoints / "step-000000004").mkdir(parents=True)
        raise UsageError("There is no such thing")

    monkeypatch.setattr(cli.train, "_train", late)
    assert_one_line(call("train", "gan", "--out", tmp_path / "run"), "There is no such thing")
    assert runs.RunFolder.open(tmp_path / "run").run_info()["model"] == "gan"


def test_a_mistake_does_not_discard_what_another_process_trains(tmp_path, monkeypatch):
    def taken(run):
        stack.enter_context(run.locked())
        raise UsageError("Another process is training it")

    monkeypatch.setattr(cli.train, "_train", taken)
    with contextlib.ExitStack() as stack:
        assert_one_line(call("train", "gan", "--out", tmp_path / "run"), "Another process")
    assert (tmp_path / "run" / "run.json").is_file()


def test_too_little_memory_is_one_line(tmp_path, monkeypatch):
    def large(run, *_):
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr(training, "train", large)
    result = call("train", "gan", "--out", tmp_path / "run")
    assert_one_line(result, "not enough memory for that (Unable to allocate 3 TiB)", status=1)
    assert not (tmp_path / "run").exists()


def test_train_refuses_a_folder_that_holds_a_run(run):
    before = (run / "run.json").read_bytes()
    assert_one_line(call("train", "gan", "--out", run), f"ganedu resume {run}")
    assert (run / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("resume nowhere", "no run.json there"),
        ("resume .", "no run.json there"),
        ("evaluate nowhere", "no run.json there"),
        ("evaluate RUN --features x", "Received: 'x'"),
        ("sample nowhere --out x.png", "no run.json there"),
        ("sample RUN --out x.jpg", "must end in .png or .npz"),
        ("sample RUN --out x", "must end in .png or .npz"),
        ("sample RUN --out nowhere/x.png", "There is no folder"),
        ("sample RUN --out folder.png", "Is a directory"),
        ("sample RUN --out x.png --class 3", "--class needs a conditional model"),
        ("interpolate RUN --out x.npz", "must end in .png or .gif"),
        ("interpolate nowhere --out x.png", "no run.json there"),
        ("train gan --out file", "file cannot be made a folder"),
        (f"train gan --out {'x' * 300}", "File name too long"),
    ],
)
def test_mistakes_are_one_line(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder.png")
    (tmp_path / "file").touch()
    assert_one_line(call(*arguments.replace("RUN", str(run)).split()), message)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.png"]


@pytest.mark.parametrize(
    "arguments",
    [
        "sample RUN --out x.png --count 0",
        "sample RUN --out x.png --seed -1",
        "sample RUN",
        "interpolate RUN --out x.png --steps 1",
        "interpolate RUN --out x.png --method cubic",
        "train gan --profile huge",
        "train gan --epochs many",
        "train",
        "caption",
    ],
)
def test_what_click_refuses_has_status_2(run, arguments):
    result = call(*arguments.replace("RUN", str(run)).split())
    assert result.exit_code == 2
    assert "Error: " in result.stderr


@pytest.mark.parametrize("command", ["resume RUN", "evaluate RUN", "sample RUN --out x.png"])
@pytest.mark.parametrize("content", ["", "[1]", '{"model": "gan"}'])
def test_a_damaged_run_json_is_one_line(tmp_path, command, content):
    folder = runs.begin(tmp_path / "run", model="gan", data="digits")
    (folder.path / "run.json").write_text(content)
    arguments = command.replace("RUN", str(folder.path)).split()
    assert_one_line(call(*arguments), "run.json is damaged")


def test_a_run_without_a_model_says_how_to_get_one(tmp_path):
    folder = runs.begin(tmp_path / "run", model="gan", data="digits")
    result = call("sample", folder.path, "--out", tmp_path / "x.png")
    assert_one_line(result, f"has no model yet. Go on with `ganedu resume {folder.path}`")


@pytest.mark.parametrize("backend", ["nonsense", "openvino"])
def test_a_wrong_backend_is_one_line(tmp_path, backend):
    result = subprocess.run(
        [sys.executable, "-c", "from ganedu.cli import main; main()", "train", "gan"],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("ganedu: The backend of Keras does not start")
    assert result.stderr.count("\n") == 1
    assert not [*tmp_path.rglob("run.json")]


# What is no mistake of the user


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RunError("The last rounds\ncould not be kept"), "The last rounds could not be kept"),
        (OSError(28, "No space left on device", "a/b"), "a/b cannot be written or read (No space"),
    ],
)
def test_a_run_that_fails_has_status_1_and_stays(tmp_path, monkeypatch, error, message):
    def failing(run, *_):
        raise error

    monkeypatch.setattr(training, "train", failing)
    assert_one_line(call("train", "gan", "--out", tmp_path / "run"), message, status=1)
    assert (tmp_path / "run" / "run.json").is_file()


def test_a_bug_keeps_its_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", lambda run, *_: 1 / 0)
    result = call("train", "gan", "--out", tmp_path / "run")
    assert isinstance(result.exception, ZeroDivisionError)
    assert not (tmp_path / "run").exists()


def test_a_first_step_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def failing(session):
        raise ValueError("A network does not fit")

    monkeypatch.setattr(training.TrainingSession, "fit", failing)
    result = call("train", "gan", "--out", tmp_path / "run")
    assert isinstance(result.exception, ValueError)
    assert os.listdir(tmp_path) == []


def test_a_warning_is_one_line(tmp_path):
    code = """
import warnings
from ganedu import cli
cli.train._train = lambda run: warnings.warn("The checkpoint\\nis damaged")
usual = warnings.formatwarning
cli.main(["train", "gan"], standalone_mode=False)
assert warnings.formatwarning is usual
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert result.stderr == "ganedu: The checkpoint is damaged\n"


def test_a_damaged_model_is_a_warning(run, tmp_path):
    published = run / "model.keras"
    content = published.read_bytes()
    published.unlink()  # it is the checkpoint's file too
    published.write_bytes(content[:1000])
    try:
        with pytest.warns(UserWarning, match=r"model\.keras is damaged"):
            result = call("sample", run, "--out", tmp_path / "x.png")
    finally:
        published.write_bytes(content)
    assert result.exit_code == 0
    assert (tmp_path / "x.png").is_file()


# A diagnosis


def test_a_run_is_diagnosed(run, tmp_path):
    result = call("diagnose", run, "--out", tmp_path / "signals.png")
    assert result.exit_code == 0, result.output
    assert "underfitting" in result.stdout
    assert "Try: Train longer" in result.stdout
    assert Image.open(tmp_path / "signals.png").width > 300
    told = json.loads(call("diagnose", run, "--json").stdout)
    assert told["findings"][0]["name"] == "underfitting"
    assert told["signals"]["precision"] < 0.3


def test_what_cannot_be_diagnosed_is_one_line(run, tmp_path):
    assert_one_line(
        call("diagnose", run, "--out", tmp_path / "signals.jpg"), "--out must end in .png"
    )
    history = run / "history.csv"
    kept = history.read_text()
    history.write_text(kept + "1,2,three\n")
    assert_one_line(call("diagnose", run), "history.csv is damaged")
    history.write_text(kept)


def test_the_command_is_there_without_its_script(tmp_path):
    """Where the folder of scripts is not on the path."""
    found = [
        subprocess.run(
            [sys.executable, "-m", "ganedu", *asked], capture_output=True, text=True, cwd=tmp_path
        )
        for asked in (["models"], ["sample", "nowhere", "--out", "x.png"])
    ]
    assert [done.returncode for done in found] == [0, 2]
    assert found[0].stdout == call("models").output
    assert len(found[1].stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def conditional_run(tmp_path_factory):
    """The folder of a flow of two steps that has learnt the classes."""
    folder = tmp_path_factory.mktemp("cli") / "guided"
    asked = ("--image-size", 8, "--profile", "smoke", "--out", folder, "--by-class")
    with pytest.MonkeyPatch.context() as patch:
        steps_are_eager(patch)
        result = call("train", "flow_matching", *asked)
    assert result.exit_code == 0, result.output
    return folder


def test_a_flow_learns_classes_where_it_is_asked_to(conditional_run, tmp_path, monkeypatch):
    steps_are_eager(monkeypatch)
    assert json.loads((conditional_run / "run.json").read_text())["by_class"] is True
    images = {}
    for name, options in {
        "a": ("--class", 3, "--steps", 2),
        "b": ("--class", 5, "--steps", 2),
        "unguided": ("--class", 3, "--guidance", 0, "--steps", 2),
        "euler": ("--class", 3, "--sampler", "euler", "--steps", 2),
        "steps": ("--class", 3, "--steps", 3),
    }.items():
        out = tmp_path / f"{name}.npz"
        result = call("sample", conditional_run, "--out", out, "--count", 4, *options)
        assert result.exit_code == 0, result.output
        images[name] = np.load(out)["images"]
    assert all((images["a"] != images[n]).any() for n in images if n != "a")
    assert call("resume", conditional_run).exit_code == 0


def test_a_model_that_knows_no_classes_takes_none(tmp_path):
    asked = ("--by-class", "--profile", "smoke", "--image-size", 8)
    result = call("train", "gan", *asked, "--out", tmp_path / "run")
    assert_one_line(result, "The model gan takes no classes. Those that do: acgan, cgan")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--steps", 3), "--steps is no option of a GAN, which takes: none"),
        (("--guidance", 3), "--guidance is no option of a GAN"),
        (("--sampler", "euler"), "--sampler is no option of a GAN"),
    ],
)
def test_an_option_that_a_model_does_not_take_is_named(run, tmp_path, option, message):
    assert_one_line(call("sample", run, "--out", tmp_path / "x.png", *option), message)
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--sampler", "rk4"), "The samplers are euler, heun"),
        (("--guidance", -1), "`guidance` must be a number from 0"),
        (("--temperature", 1), "--temperature is no option of a ConditionalFlowMatching"),
    ],
)
def test_a_wrong_way_of_sampling_is_one_line(conditional_run, tmp_path, option, message):
    assert_one_line(call("sample", conditional_run, "--out", tmp_path / "x.png", *option), message)


def test_an_image_is_inverted(run, conditional_run, tmp_path, monkeypatch):
    for name in ("gan_inversion", "ddim_inversion"):  # in fewer steps
        monkeypatch.setattr(editing, name, functools.partial(getattr(editing, name), steps=3))
    picture = tmp_path / "digit.png"
    Image.fromarray(np.full((8, 8), 200, "uint8")).save(picture)
    for folder, size in ((run, None), (conditional_run, 64)):
        result = call("invert", folder, picture, "--out", tmp_path / "found.npz")
        assert result.exit_code == 0, result.output
        assert result.stdout.endswith("dB PSNR\n")
        found = np.load(tmp_path / "found.npz")
        assert found["images"].shape == (2, 8, 8, 1)
        assert (found["images"][0] == 200).all()
        latents = found["latents"]
        assert latents.shape[0] == 1
        assert size is None or latents.shape == (1, size)
    assert call("invert", run, picture, "--out", tmp_path / "found.png").exit_code == 0
    with Image.open(tmp_path / "found.png") as pair:
        assert pair.width > pair.height


def test_a_model_without_latents_alone_inverts_nothing(tmp_path):
    folder = tmp_path / "run"
    asked = ("--image-size", 8, "--profile", "smoke", "--out", folder)
    assert call("train", "cgan", *asked).exit_code == 0
    Image.fromarray(np.zeros((8, 8), "uint8")).save(tmp_path / "x.png")
    result = call("invert", folder, tmp_path / "x.png", "--out", tmp_path / "y.png")
    assert_one_line(result, "Inversion needs a model that generates from latents alone")
