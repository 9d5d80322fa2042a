"""What works for `cyclegan`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(16, 50, 10),
    "mnist": Recipe(16, 25, 0.5),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 100, {"width": 48, "d_width": 64}),
    "mnist": Recipe(64, 1000, 10, {"width": 48, "d_width": 64}),
}
