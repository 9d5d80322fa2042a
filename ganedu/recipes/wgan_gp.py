"""What works for `wgan_gp`, on which data."""

from ganedu.recipes.recipe import PATCHES, Recipe

SMOKE = Recipe(18, 1, 0, {"width": 8})  # in equal parts, for critic steps
QUICK = {
    "digits": Recipe(64, 50, 60),
    "mnist": Recipe(64, 50, 4, PATCHES),
    "cifar10": Recipe(64, 25, 6, {"g_learning_rate": 1e-3, "d_learning_rate": 1e-3}),
}
MEASURED = {}

FULL = {
    "digits": Recipe(320, 500, 300, {"width": 64, "critic_steps": 5}),
    "mnist": Recipe(320, 1000, 80, {"width": 64, "critic_steps": 5}),
    "cifar10": Recipe(320, 1000, 200, {"width": 128, "critic_steps": 5}),
}
