"""What works for `iwae`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8, "num_samples": 2})
QUICK = {
    "digits": Recipe(64, 50, 30),
    "mnist": Recipe(64, 50, 0.75, {"latent_dim": 16}),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 400, {"width": 64}),
    "mnist": Recipe(128, 1000, 40, {"latent_dim": 16, "width": 64, "num_samples": 32}),
}
