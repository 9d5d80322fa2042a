"""What works for `lsgan`, on which data."""

from ganedu.recipes.recipe import SPECTRAL, WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(32, 100, 30),
    "mnist": Recipe(32, 100, 3, SPECTRAL),
}
MEASURED = {}

FULL = WIDE_GREY
