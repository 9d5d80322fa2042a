"""What works for `vae`, on which data."""

from ganedu.recipes.recipe import Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
# A code of few numbers whose distribution is nearer the prior, beta = 2: reconstructions lose, samples gain.
BETA = {"latent_dim": 8, "width": 16, "beta": 2.0, "learning_rate": 3e-3}
QUICK = {
    "digits": Recipe(64, 100, 40),
    "mnist": Recipe(64, 100, 10, BETA),
    "photos": Recipe(64, 50, 10, {"latent_dim": 32}),
    "cifar10": Recipe(64, 50, 4, {"latent_dim": 32}),
}
MEASURED = {
    "digits": "22 s; Fréchet distance 32.3, 21.8 dB PSNR",
}

FULL = {
    "digits": Recipe(64, 500, 400, {"width": 64}),
    "mnist": Recipe(128, 1000, 40, {"latent_dim": 16, "width": 64}),
    "photos": Recipe(64, 500, 200, {"latent_dim": 64, "width": 64}),
    "cifar10": Recipe(128, 1000, 60, {"latent_dim": 64, "width": 64}),
}
