"""What works for `vaegan`, on which data."""

from ganedu.recipes.recipe import SAME_RATES, WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
NARROW = {**SAME_RATES, "beta_2": 0.9, "patch_size": 4, "width": 24, "gamma": 0.004}
QUICK = {
    "digits": Recipe(32, 50, 30),
    "mnist": Recipe(32, 50, 2, NARROW),
}
MEASURED = {}

FULL = WIDE_GREY
