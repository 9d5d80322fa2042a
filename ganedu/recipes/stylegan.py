"""What works for `stylegan`, on which data."""

from ganedu.recipes.recipe import WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(32, 25, 30),
    "mnist": Recipe(32, 25, 1),
}
MEASURED = {}

FULL = WIDE_GREY
