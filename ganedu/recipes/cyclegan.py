"""What works for `cyclegan`, on which data."""

from ganedu.recipes.recipe import SAME_RATES, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
# Small translators take many steps a second, and smooth discriminators leave them what they need to learn from.
SMALL = {**SAME_RATES, "width": 8, "d_width": 16}
QUICK = {
    "digits": Recipe(16, 50, 10),
    "mnist": Recipe(16, 50, 0.5, SMALL),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 100, {"width": 48, "d_width": 64}),
    "mnist": Recipe(64, 1000, 10, {"width": 48, "d_width": 64}),
}
