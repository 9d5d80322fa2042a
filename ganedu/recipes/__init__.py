"""What works for a model on a data set: sizes, optimizers, batch, length; and what it reached, and
in what time.

A file for each model holds its `SMOKE`, and under `QUICK` and `FULL` a recipe for each data set that it
was tried on; a pair without one gets `default`, from the image's shape. `FULL` is for a GPU. `MEASURED`
says what a quick recipe reached on 2 CPU cores with TensorFlow and seed 0; `tests/benchmarks/recipes.py`
writes it.
"""

import importlib

from ganedu import catalogue
from ganedu.recipes.recipe import CAPTIONED, COLOUR, Recipe
from ganedu.runtime import PROFILES, UsageError

__all__ = ["CAPTIONED", "Recipe", "default", "find", "known", "measured", "smoke"]


def find(model, data, image_shape, profile):
    """The recipe of a pair.

    Args:
        model: str, a model's name.
        data: str, a data set's name, or the path of a user's own.
        image_shape: (H, W, C).
        profile: `"smoke"`, `"quick"` or `"full"`.

    Returns:
        `(recipe, name)`: the name is `MODEL_DATA`, or `"default"`.

    Raises:
        UsageError: for another model or profile.
    """
    if profile not in PROFILES:
        raise UsageError(f"The profile must be smoke, quick or full. Received: {profile!r}")
    if profile == "smoke":
        return smoke(model), f"{model}_smoke"
    recipe = known(model, profile).get(data)
    if recipe is None:
        return default(model, image_shape, profile), "default"
    return recipe, f"{model}_{data}"


def known(model, profile):
    """A model's recipes in the profile `"quick"` or `"full"`: a dict by the data set's name.

    Raises:
        UsageError: for a name that no model has.
    """
    return getattr(_file(model), profile.upper())


def measured(model, data):
    """What a quick recipe reached, and in what time: str, empty where it is not known.

    Raises:
        UsageError: for a name that no model has.
    """
    return _file(model).MEASURED.get(data, "")


def _file(model):
    catalogue.check(model)
    return importlib.import_module(f"ganedu.recipes.{model}")


def smoke(model):
    """A small network and a few steps: shows that the code runs, and nothing else."""
    return known(model, "smoke")


def default(model, image_shape, profile):
    """For a pair without a recipe: the model file's own sizes; in colour, rates that leave the
    discriminator time. Not measured."""
    batch_size = 96 if model in ("wgan", "wgan_gp") else 32
    arguments = COLOUR if image_shape[-1] == 3 and model in ("acgan", "cgan", "dcgan") else {}
    return Recipe(batch_size, 100, 20 if profile == "quick" else 200, arguments)
