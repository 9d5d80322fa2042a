"""What works for `pix2pix`, on which data."""

from ganedu.recipes.recipe import WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(32, 50, 20),
    "mnist": Recipe(32, 50, 1),
}
MEASURED = {}

FULL = WIDE_GREY
