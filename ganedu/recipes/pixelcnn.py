"""What works for `pixelcnn`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 4, "depth": 1})
QUICK = {
    "digits": Recipe(16, 100, 8),
    "mnist": Recipe(16, 100, 0.19),
}
MEASURED = {}

FULL = {
    "digits": Recipe(32, 500, 100, {"width": 64, "depth": 10}),
    "mnist": Recipe(32, 1000, 30, {"width": 64, "depth": 10, "mixtures": 10}),
}
