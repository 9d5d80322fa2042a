"""What works for `diffusion`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8, "units": 32})
QUICK = {
    "digits": Recipe(64, 50, 60),
    "mnist": Recipe(64, 50, 1.5),
    "cifar10": Recipe(64, 25, 2, {"width": 48}),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 400, {"width": 96}),
    "mnist": Recipe(64, 1000, 60, {"width": 96}),
    "cifar10": Recipe(64, 1000, 200, {"width": 128}),
}
