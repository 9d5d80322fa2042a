"""What works for `vqvae`, on which data."""

from ganedu.recipes.recipe import WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(64, 50, 40),
    "mnist": Recipe(64, 50, 1.5),
}
MEASURED = {}

FULL = WIDE_GREY
