"""Every recipe is one that its model can be built from."""

import inspect

import pytest

from ganedu import data, models, recipes, runtime

SHAPES = {
    "digits": (28, 28, 1),
    "mnist": (28, 28, 1),
    "photos": (32, 32, 3),
    "cifar10": (32, 32, 3),
}
PAIRS = [(m, d) for m, known in recipes.QUICK.items() for d in known]


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
    for profile in (recipes.QUICK, recipes.FULL):
        assert sorted(profile) == models.names()
        assert all({"digits", "mnist"} <= set(known) for known in profile.values())


def test_rounds_cover_the_passes_over_the_data():
    recipe = recipes.Recipe(batch_size=10, steps_per_round=20, epochs=4)
    assert recipe.rounds(1000) == 20  # 4 passes of 100 steps
    assert recipe.rounds(15) == 1  # never none


def test_other_data_get_a_default():
    recipe, found = recipes.find("dcgan", "my/own folder", (64, 64, 3), "quick")
    assert found == "default"
    assert recipe.epochs > 0


def test_smoke_is_small_for_every_model():
    for model in models.names():
        recipe, _ = recipes.find(model, "digits", (28, 28, 1), "smoke")
        assert models.build(model, (28, 28, 1), **recipe.model).count_params() < 200_000


def test_an_unknown_profile_is_refused():
    with pytest.raises(runtime.UsageError, match="smoke, quick or full"):
        recipes.find("dcgan", "digits", (28, 28, 1), "huge")
