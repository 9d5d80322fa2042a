"""What works for `r3gan`, on which data."""

from ganedu.recipes.recipe import PATCHES, WIDE_ALL, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(32, 50, 30),
    "mnist": Recipe(32, 50, 1.5, PATCHES),
    "cifar10": Recipe(32, 25, 4),
}
MEASURED = {}

FULL = WIDE_ALL
