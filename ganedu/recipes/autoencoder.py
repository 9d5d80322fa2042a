"""What works for `autoencoder`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
QUICK = {
    "digits": Recipe(64, 100, 40),
    "mnist": Recipe(64, 100, 1.5),
    "photos": Recipe(64, 50, 10, {"latent_dim": 64}),
    "cifar10": Recipe(64, 50, 4, {"latent_dim": 64}),
}
MEASURED = {
    "digits": "22 s; Fréchet distance 38.7, 22.1 dB PSNR",
}

FULL = {
    "digits": Recipe(64, 500, 400, {"width": 64}),
    "mnist": Recipe(128, 1000, 40, {"width": 64}),
    "photos": Recipe(64, 500, 200, {"latent_dim": 128, "width": 64}),
    "cifar10": Recipe(128, 1000, 60, {"latent_dim": 128, "width": 64}),
}
