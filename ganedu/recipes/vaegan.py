"""What works for `vaegan`, on which data."""

from ganedu.recipes.recipe import PATCHES, WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
SPECTRAL_NARROW = {
    **PATCHES,
    "width": 24,
    "gamma": 0.004,
    "spectral_norm": True,
    "learning_rate": 2e-3,
    "d_learning_rate": 2e-3,
    "beta_1": 0.0,
    "beta_2": 0.9,
}
QUICK = {
    "digits": Recipe(32, 50, 30),
    "mnist": Recipe(32, 50, 2, SPECTRAL_NARROW),
}
MEASURED = {}

FULL = WIDE_GREY
