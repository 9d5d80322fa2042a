"""What works for `cgan`, on which data."""

from ganedu.recipes.recipe import COLOUR, SPECTRAL, WIDE_ALL, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(32, 100, 40),
    "mnist": Recipe(32, 100, 3, SPECTRAL),
    "cifar10": Recipe(32, 50, 8, COLOUR),
}
MEASURED = {
    "digits": "51 s; Fréchet distance 3.94, 99% of the labels right",
}

FULL = WIDE_ALL
