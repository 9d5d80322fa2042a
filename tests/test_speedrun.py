"""The speedrun: its rules, and the row that it prints."""

import contextlib
import io
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from ganedu import cli, data, models, recipes, runtime
from ganedu.cli import speed
from ganedu.metrics import features
from ganedu.metrics.frechet import frechet_distance
from ganedu.networks.arithmetic import multiply_adds
from ganedu.runs import speedrun

SMALL = {"batch_size": 16, "model": {"width": 8}}


def call(*arguments):
    return CliRunner().invoke(cli.main, ["speedrun", *map(str, arguments)])


def test_multiply_adds_by_hand():
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(5, 3, strides=2, padding="same")(x)  # 4x4 places of 3x3x3x5
    z = keras.layers.Conv2DTranspose(2, 4, strides=2, padding="same")(y)  # 4x4 places of 4x4x2x5
    w = keras.layers.Dense(7)(keras.layers.Dense(6)(z))  # 8x8 places of 2x6 and of 6x7
    out = keras.layers.Dense(11)(keras.layers.Flatten()(w))  # 448 to 11
    expected = 16 * 135 + 16 * 160 + 64 * (12 + 42) + 448 * 11
    assert multiply_adds(keras.Model(x, out)) == expected
    inner = keras.Model(x, out)
    assert multiply_adds(keras.Model(x, keras.layers.Dense(2)(inner(x)))) == expected + 22


def test_the_command_knows_which_data_have_features():
    assert set(speed.SCORED) == set(features.NAMES)


@pytest.fixture(scope="module")
def row():
    return speedrun.measure("gan", "digits", 0.4, 3, SMALL)


def test_it_measures_what_it_says(row):
    """The score is that of the same model trained as long, on new samples against the test images."""
    assert row["processor_seconds"] >= 0.1
    assert row["first_step_seconds"] > 0
    assert row["peak"] > 1
    assert 0 <= row["copy_rate"] <= 1
    runtime.setup(3)
    model = models.build("gan", (28, 28, 1), seed=3, width=8)
    assert row["parameters"] == sum(math.prod(w.shape) for w in model.trainable_weights)
    assert row["multiply_adds"] == sum(map(multiply_adds, (model.generator, model.discriminator)))
    model.fit(data.load("digits").batches(16, seed=3), steps_per_epoch=int(row["steps"]), verbose=0)
    test = data.load("digits", "test")
    seen = features.load("digits")
    again = frechet_distance(
        seen.features(model.generate(len(test), seed=4)), seen.features(test.array())
    )
    np.testing.assert_allclose(row["frechet_distance"], again, rtol=1e-3)


def test_a_row_has_the_mean_and_the_spread_of_its_seeds(row):
    rows = [{**row, "frechet_distance": d, "label_accuracy": 0.9} for d in (4.0, 5.0, 9.0)]
    told = speedrun.leaderboard_row(rows, "cgan", "mnist", 60.0, "ganedu speedrun")
    cells = dict(zip(speedrun.HEAD, told.strip("| ").split(" | "), strict=True))
    assert cells["Fréchet distance"] == "6.00 ± 2.65 (3)"  # the root of (4 + 1 + 9) / 2
    assert cells["labels right"] == "90.0%"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", cells["date"])
    assert cells["command"] == "`ganedu speedrun`"
    one = speedrun.leaderboard_row(rows[:1], "cgan", "mnist", 60.0, "x")
    assert "| 4.00 (1) |" in one


def test_the_page_has_the_columns_of_a_row():
    page = (Path(__file__).parents[1] / "docs" / "leaderboard.md").read_text()
    heads = [line for line in page.splitlines() if line.startswith("| date")]
    assert heads
    assert set(heads) == {f"| {' | '.join(speedrun.HEAD)} |"}


def test_a_run_has_a_process_of_its_own(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(SMALL))
    asked = ("--model", "gan", "--data", "digits", "--seconds", 0.2, "--seeds", 1)
    result = call(*asked, "--recipe", tmp_path / "recipe.json")
    assert result.exit_code == 0, result.output
    first, line = result.stdout.splitlines()
    assert first.startswith("seed 0: frechet_distance ")
    assert line.count(" | ") == len(speedrun.HEAD) - 1
    assert "--model gan --data digits --seconds 0.2 --seeds 1 --recipe" in line


@pytest.fixture
def processes(monkeypatch):
    """What each process was asked; in its place this one does its work."""
    asked = []

    def run(command, input, **options):
        assert command[1:] == ["-m", "ganedu.runs.speedrun"]
        asked.append(json.loads(input))
        status, told, wrong = 0, io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(input))
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(wrong):
            try:
                speedrun.main()
            except SystemExit as end:
                status = end.code
        return subprocess.CompletedProcess(command, status, told.getvalue(), wrong.getvalue())

    monkeypatch.setattr(speedrun.subprocess, "run", run)
    return asked


def test_each_seed_is_asked_of_another_process(processes, monkeypatch):
    monkeypatch.setattr(speedrun, "measure", lambda **asked: {"frechet_distance": asked["seed"]})
    rows = speedrun.run("gan", "digits", 1.5, 3, SMALL, by_class=True)
    assert rows == [{"frechet_distance": seed} for seed in range(3)]
    wanted = {"model": "gan", "data": "digits", "seconds": 1.5, "recipe": SMALL, "by_class": True}
    assert processes == [{**wanted, "seed": seed} for seed in range(3)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--model", "dcgna"), "Did you mean dcgan"),
        (("--data", "photos"), "A speedrun needs digits, mnist, cifar10"),
        (("--seconds", 0), "The seconds must lie between 0 and"),
        (("--recipe", "nowhere.json"), "nowhere.json must be a recipe as JSON"),
    ],
)
def test_mistakes_are_one_line(asked, message):
    result = call("--data", "digits", *asked)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "recipe", ["[1]", '{"epochs": 3}', '{"batch_size": 0}', '{"model": {"width": {"a": 1}}}', "x"]
)
def test_a_recipe_that_is_none_is_refused(tmp_path, recipe):
    (tmp_path / "r.json").write_text(recipe)
    with pytest.raises(runtime.UsageError, match=r"r\.json must"):
        speedrun.check_recipe(tmp_path / "r.json")


def test_training_is_augmented_as_the_recipe_says(monkeypatch):
    batches, asked = data.ImageDataset.batches, []

    def spy(self, *arguments, augment=None, **others):
        asked.append(augment)
        return batches(self, *arguments, augment=augment, **others)

    def find(*_):
        return recipes.Recipe(16, 1, 1, {"width": 8}, ("vertical_flip",)), "digits"

    monkeypatch.setattr(data.ImageDataset, "batches", spy)
    monkeypatch.setattr(recipes, "find", find)
    speedrun.timed_training("gan", "digits", 0.1, 0)
    assert asked[0].names == ("vertical_flip",)


def test_a_mistake_of_a_process_is_its_caller_s(processes, monkeypatch):
    with pytest.raises(runtime.UsageError, match=r"takes the arguments .*Received: wdith"):
        speedrun.run("gan", "digits", 1.0, 1, {"model": {"wdith": 3}})
    with pytest.raises(runtime.UsageError, match="needs a model that generates"):
        speedrun.run("pix2pix", "digits", 1.0, 1, {"model": {"width": 4}})
    monkeypatch.setattr(speedrun, "measure", lambda **asked: sys.exit(1))
    with pytest.raises(runtime.RunError, match="no reason was told"):
        speedrun.run("gan", "digits", 1.0, 1)
    assert len(processes) == 3


def test_the_process_reads_what_is_asked():
    done = subprocess.run(
        [sys.executable, "-m", "ganedu.runs.speedrun"], input="{}", capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "missing" in done.stderr
