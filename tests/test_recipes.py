"""Every recipe is one that its model can be built from."""

import importlib
import inspect
import pathlib
import re

import keras
import numpy as np
import pytest
from rows import steps_are_eager

from ganedu import data, models, recipes, runtime
from ganedu.engine import GenerativeModel
from ganedu.layers import SpectralConv2D, SpectralDense

SHAPES = {
    "digits": (28, 28, 1),
    "mnist": (28, 28, 1),
    "photos": (32, 32, 3),
    "cifar10": (32, 32, 3),
    **dict.fromkeys(recipes.CAPTIONED, (32, 32, 3)),
}
PAIRS = [(m, d) for m in models.names() for d in recipes.known(m, "quick")]


@pytest.mark.parametrize(("model", "name"), PAIRS)
@pytest.mark.parametrize("profile", runtime.PROFILES)
def test_a_recipe_is_found_and_fits_its_model(model, name, profile):
    recipe, found = recipes.find(model, name, SHAPES[name], profile)
    assert found == f"{model}_{'smoke' if profile == 'smoke' else name}"
    known = inspect.signature(models.module(model).build).parameters
    assert set(recipe.model) <= set(known)
    assert recipe.batch_size > 0
    assert recipe.steps_per_round > 0
    assert set(recipe.augment) <= set(data.augment.PRESETS)
    parts = recipe.model.get("critic_steps", getattr(known.get("critic_steps"), "default", 1))
    assert recipe.batch_size % parts == 0


def test_every_model_has_recipes_for_digits():
    """Those that read texts, for captioned ones."""
    for profile in ("quick", "full"):
        for model in models.names():
            texts = models.is_text_conditional(model)
            wanted = recipes.CAPTIONED if texts else ("digits", "mnist")
            assert set(wanted) <= set(recipes.known(model, profile))


def test_every_model_has_a_file_of_recipes_and_no_file_is_left_over():
    files = pathlib.Path(recipes.__file__).parent.glob("*.py")
    assert sorted({f.stem for f in files} - {"__init__", "recipe"}) == models.names()


def test_rounds_cover_the_passes_over_the_data():
    recipe = recipes.Recipe(batch_size=10, steps_per_round=20, epochs=4)
    assert recipe.rounds(1000) == 20  # 4 passes of 100 steps
    assert recipe.rounds(15) == 1  # never none


def test_other_data_get_a_default():
    recipe, found = recipes.find("dcgan", "my/own folder", (64, 64, 3), "quick")
    assert found == "default"
    assert recipe.epochs > 0


def test_smoke_is_small_for_every_model(monkeypatch):
    monkeypatch.setattr(GenerativeModel, "compile", lambda *args, **options: None)
    for model in models.names():
        shape = (32, 32, 3) if models.is_text_conditional(model) else (28, 28, 1)
        recipe, _ = recipes.find(model, "digits", shape, "smoke")
        assert models.build(model, shape, **recipe.model).count_params() < 300_000


def test_an_unknown_profile_is_refused():
    with pytest.raises(runtime.UsageError, match="smoke, quick or full"):
        recipes.find("dcgan", "digits", (28, 28, 1), "huge")


def test_the_dcgan_of_mnist_is_smooth_and_learns(tmp_path, monkeypatch):
    """The arguments that only this recipe gives: built, trained for a step, saved and read again."""
    steps_are_eager(monkeypatch)
    recipe, _ = recipes.find("dcgan", "mnist", SHAPES["mnist"], "quick")
    model = models.build("dcgan", SHAPES["mnist"], **{**recipe.model, "g_width": 4, "d_width": 4})
    weighty = [v for v in model.discriminator.layers if hasattr(v, "kernel")]
    assert [type(v) for v in weighty] == [SpectralConv2D, SpectralConv2D, SpectralDense]
    for optimizer in (model.g_optimizer, model.d_optimizer):
        assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.9)
    model.fit(data.load("digits").batches(8), steps_per_epoch=2, verbose=0)
    drawn = model.generate(3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.generate(3), drawn, atol=1e-6)


@pytest.mark.parametrize("name", ["infogan", "vaegan", "wgan"])
def test_what_a_recipe_for_mnist_builds_learns_and_is_read_again(name, tmp_path, monkeypatch):
    steps_are_eager(monkeypatch)
    recipe, _ = recipes.find(name, "mnist", SHAPES["mnist"], "quick")
    model = models.build(name, SHAPES["mnist"], **{**recipe.model, "width": 4})
    model.fit(data.load("digits").batches(8), steps_per_epoch=2, verbose=0)
    drawn = model.generate(3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.generate(3), drawn, atol=1e-6)


def test_what_a_recipe_reached_is_told_with_its_time():
    for model in models.names():
        measured = importlib.import_module(f"ganedu.recipes.{model}").MEASURED
        assert set(measured) <= set(recipes.known(model, "quick"))
        for told in measured.values():
            assert re.fullmatch(r"\d+ s; [^;]*\d[^;]*", told)
    assert recipes.measured("dcgan", "digits")
    assert recipes.measured("dcgan", "my/own folder") == ""


def test_a_run_tells_its_user_what_to_expect(capsys, monkeypatch):
    from ganedu.runs import training

    monkeypatch.setattr(recipes, "measured", lambda *pair: f"20 s; {pair}")
    asked = {"model": "vae", "data": "digits", "profile": "quick"}
    asked |= dict.fromkeys(["epochs", "seconds", "image_size"])
    training._say_what_to_expect(asked, {})
    assert "20 s; ('vae', 'digits')" in capsys.readouterr().out
    for other in ({"epochs": 3.0}, {"seconds": 9.0}, {"image_size": 16}, {"profile": "full"}):
        training._say_what_to_expect(asked | other, {})
        assert capsys.readouterr().out == ""
