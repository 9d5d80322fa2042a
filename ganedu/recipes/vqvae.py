"""What works for `vqvae`, on which data."""

from ganedu.recipes.recipe import WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
# Reconstructions are good within seconds, the prior takes all the rest: 16 codes an image are soon learnt, 49 are not.
SHORT = {
    "num_embeddings": 128,
    "code_kernel": 4,
    "width": 16,
    "prior": "pixelcnn",
    "learning_rate": 2e-3,
    "prior_learning_rate": 6e-3,
    "ema_momentum": 0.998,
}
QUICK = {
    "digits": Recipe(64, 50, 40),
    "mnist": Recipe(32, 100, 4, SHORT),
}
MEASURED = {}

FULL = WIDE_GREY
