"""What works for `drifting`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8, "num_generated": 8})
QUICK = {
    "digits": Recipe(128, 100, 200),
    "mnist": Recipe(256, 200, 20),
}
MEASURED = {}

FULL = {
    "digits": Recipe(256, 500, 1000, {"width": 64, "num_generated": 128}),
    "mnist": Recipe(1024, 1000, 400, {"width": 64, "num_generated": 256}),
}
