"""What works for `reflow`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8, "units": 8, "num_pairs": 8, "new_pairs": 4})
QUICK = {
    "digits": Recipe(32, 25, 40),
    "mnist": Recipe(32, 25, 2.5),
    "cifar10": Recipe(32, 10, 4, {"width": 32, "units": 128}),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 400, {"width": 48, "units": 256, "num_pairs": 64}),
    "mnist": Recipe(64, 1000, 60, {"width": 48, "units": 256, "num_pairs": 64}),
    "cifar10": Recipe(64, 1000, 200, {"width": 64, "units": 256, "num_pairs": 64}),
}
