"""What works for `wgan`, on which data."""

from ganedu.recipes.recipe import PATCHES, Recipe

CLIPPED = {**PATCHES, "critic_steps": 2, "clip": 0.1, "g_learning_rate": 4e-3}
SMOKE = Recipe(18, 1, 0, {"width": 8})  # in equal parts, for critic steps
QUICK = {
    "digits": Recipe(96, 50, 90),
    "mnist": Recipe(64, 100, 7, CLIPPED),
}
MEASURED = {}

FULL = {
    "digits": Recipe(480, 500, 300, {"width": 64, "critic_steps": 5}),
    "mnist": Recipe(480, 1000, 80, {"width": 64, "critic_steps": 5}),
}
