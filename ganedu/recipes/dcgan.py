"""What works for `dcgan`, on which data."""

from ganedu.recipes.recipe import COLOUR, SPECTRAL, Recipe

WIDE = {"g_width": 64, "d_width": 64}
WIDER = {"g_width": 128, "d_width": 128}

SMOKE = Recipe(16, 1, 0, {"g_width": 8, "d_width": 8})
QUICK = {
    "digits": Recipe(32, 100, 30),
    "mnist": Recipe(32, 100, 2, SPECTRAL),
    "photos": Recipe(32, 50, 15, COLOUR),
    "cifar10": Recipe(32, 50, 6, COLOUR),
}
MEASURED = {
    "digits": "31 s; Fréchet distance 21.7",
}

FULL = {
    "digits": Recipe(32, 500, 300, WIDE),
    "mnist": Recipe(64, 1000, 40, WIDE),
    "photos": Recipe(64, 500, 200, {**COLOUR, **WIDER}),
    "cifar10": Recipe(64, 1000, 100, {**COLOUR, **WIDER}),
}
