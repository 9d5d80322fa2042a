"""What works for `pix2pix`, on which data."""

from ganedu.recipes.recipe import WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
# As in `cyclegan`; the less L1 counts, the less grey is left where edges do not say what lies between them.
SPECTRAL_NORM = {
    "width": 16,
    "l1_weight": 10.0,
    "dropout": 0.0,
    "learning_rate": 2e-3,
    "d_learning_rate": 2e-3,
    "beta_1": 0.0,
    "spectral_norm": True,
    "ema_momentum": 0.998,
}
QUICK = {
    "digits": Recipe(32, 50, 20),
    "mnist": Recipe(32, 50, 2, SPECTRAL_NORM),
}
MEASURED = {}

FULL = WIDE_GREY
