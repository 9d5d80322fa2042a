"""A student's own project, from a folder of images to a trained model and its score (docs/projects.md)."""

import json
import math

import numpy as np
import pytest
import sprites
from click.testing import CliRunner
from PIL import Image

from ganedu import cli, data, models, recipes, runtime
from ganedu.runs import evaluation


def call(*arguments):
    result = CliRunner().invoke(cli.main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("project") / "my-sprites"
    sprites.fill(path, count=200)
    return path


def test_the_sprites_are_a_data_set_of_three_classes(folder):
    train, test = (data.load(folder, split) for split in ("train", "test"))
    assert len(train) + len(test) == 600
    assert 30 <= len(test) <= 90  # by what is in each
    assert train.image_shape == (32, 32, 3)
    assert train.class_names == ("creature", "gem", "sword")
    for image in train.images[train.labels == 0][:20]:  # creatures are mirrored
        np.testing.assert_array_equal(image, image[:, ::-1])
    different = {image.tobytes() for image in train.images}
    assert len(different) > 0.8 * len(train)


def test_from_a_folder_to_a_model_and_its_score(folder, tmp_path, monkeypatch):
    recipe = recipes.Recipe(32, 80, 10, {"latent_dim": 16, "width": 16})  # 160 steps
    monkeypatch.setattr(recipes, "find", lambda *asked: (recipe, "tiny"))
    run = tmp_path / "run"
    call("train", "vae", "--data", folder, "--out", run, "--score-every", 1)
    with Image.open(run / "samples.png") as sheet:
        assert sheet.mode == "RGB"
    scores = json.loads(call("evaluate", run))["scores"]
    assert all(math.isfinite(v) for v in scores.values())
    runtime.setup(0)
    fresh = models.build("vae", (32, 32, 3), **recipe.model)
    run_info = {"model": "vae", "data": str(folder), "image_size": None}
    untrained = evaluation.evaluate(fresh, run_info)["scores"]
    assert scores["psnr"] > untrained["psnr"] + 3
    assert scores["frechet_distance"] < untrained["frechet_distance"]
    call("sample", run, "--count", 16, "--out", tmp_path / "new.png")
    call("interpolate", run, "--out", tmp_path / "walk.gif")
