"""What works for `gan`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 32})
QUICK = {
    "digits": Recipe(64, 200, 100, measured="20 s; speckled digits"),
    "mnist": Recipe(64, 200, 4, measured="22 s; speckled digits"),
    "photos": Recipe(64, 100, 30, measured="21 s; one of the two photographs alone"),
    "cifar10": Recipe(64, 100, 12, measured="20 s; colours"),
}

FULL = {
    "digits": Recipe(64, 1000, 600, {"width": 512}),
    "mnist": Recipe(128, 1000, 80, {"width": 512}),
    "photos": Recipe(64, 1000, 200, {"width": 1024}),
    "cifar10": Recipe(128, 1000, 100, {"width": 1024}),
}
