"""What works for `stylegan`, on which data."""

from ganedu.recipes.recipe import PATCHES, WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
NARROW = {
    **PATCHES,
    "transposed": True,
    "width": 12,
    "d_width": 24,
    "gamma": 0.5,
    "r1_divisor": 4,
}
QUICK = {
    "digits": Recipe(32, 25, 30),
    "mnist": Recipe(32, 100, 2.5, NARROW),
}
MEASURED = {}

FULL = WIDE_GREY
