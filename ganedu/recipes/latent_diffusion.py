"""What works for `latent_diffusion`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 4, "units": 8})
QUICK = {
    "digits": Recipe(32, 50, 40),
    "mnist": Recipe(32, 50, 2.5),
}
MEASURED = {}

FULL = {
    "digits": Recipe(64, 500, 400, {"width": 64, "units": 256}),
    "mnist": Recipe(64, 1000, 60, {"width": 64, "units": 256}),
}
