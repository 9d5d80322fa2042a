"""What works for `flow_matching`, on which data."""

from ganedu.recipes.recipe import FLIPPED, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8, "units": 16})
QUICK = {
    "digits": Recipe(32, 50, 40),
    "mnist": Recipe(32, 50, 2.5),
    "cifar10": Recipe(32, 50, 4, {"units": 96}, FLIPPED),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 400, {"width": 48, "units": 256}),
    "mnist": Recipe(64, 1000, 60, {"width": 48, "units": 256}),
    "cifar10": Recipe(64, 1000, 200, {"width": 64, "units": 256}, FLIPPED),
}
