"""What works for `realnvp`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8, "couplings": 1})
QUICK = {
    "digits": Recipe(16, 100, 13),
    "mnist": Recipe(16, 100, 0.31),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 200, {"width": 128, "couplings": 6}),
    "mnist": Recipe(64, 1000, 60, {"width": 128, "couplings": 6}),
}
