"""What works for `infogan`, on which data."""

from ganedu.recipes.recipe import SPECTRAL, WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(32, 100, 40),
    "mnist": Recipe(32, 100, 3, {**SPECTRAL, "info_weight": 0.1}),
}
MEASURED = {}

FULL = WIDE_GREY
