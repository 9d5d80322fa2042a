"""What works for `sngan`, on which data."""

from ganedu.recipes.recipe import PATCHES, WIDE_ALL, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(32, 100, 30),
    "mnist": Recipe(32, 100, 3, PATCHES),
    "cifar10": Recipe(32, 50, 8),
}
MEASURED = {}

FULL = WIDE_ALL
