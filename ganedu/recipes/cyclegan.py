"""What works for `cyclegan`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
# Small translators take many steps a second, and smooth discriminators leave them what they need to learn from.
SPECTRAL_NORM = {
    "width": 8,
    "d_width": 16,
    "learning_rate": 2e-3,
    "d_learning_rate": 2e-3,
    "beta_1": 0.0,
    "spectral_norm": True,
    "ema_momentum": 0.998,
}
QUICK = {
    "digits": Recipe(16, 50, 10),
    "mnist": Recipe(16, 50, 0.5, SPECTRAL_NORM),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 100, {"width": 48, "d_width": 64}),
    "mnist": Recipe(64, 1000, 10, {"width": 48, "d_width": 64}),
}
