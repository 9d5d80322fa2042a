"""What works for `gan`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 32})
QUICK = {
    "digits": Recipe(64, 200, 100),
    "mnist": Recipe(64, 200, 4, {"width": 512, "learning_rate": 1e-3, "ema_momentum": 0.998}),
    "photos": Recipe(64, 100, 30),
    "cifar10": Recipe(64, 100, 12),
}
MEASURED = {
    "digits": "18 s; Fréchet distance 42",
}

FULL = {
    "digits": Recipe(64, 1000, 600, {"width": 512}),
    "mnist": Recipe(128, 1000, 80, {"width": 512}),
    "photos": Recipe(64, 1000, 200, {"width": 1024}),
    "cifar10": Recipe(128, 1000, 100, {"width": 1024}),
}
