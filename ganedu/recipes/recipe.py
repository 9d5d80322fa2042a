"""What a recipe is, and what several recipes share."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Recipe:
    """
    Args:
        batch_size: int.
        steps_per_round: int, 2 to 5 seconds of training on 2 cores.
        epochs: float, passes over the data; may be a fraction.
        model: dict, arguments of the model file's `build`.
        augment: tuple of names of `ganedu.data.augment.PRESETS`. Defaults to none.
    """

    batch_size: int
    steps_per_round: int
    epochs: float
    model: dict = dataclasses.field(default_factory=dict)
    augment: tuple = ()

    def rounds(self, count):
        """How many rounds the recipe has on `count` images, at least one."""
        steps = self.epochs * (count // self.batch_size)
        return max(1, round(steps / self.steps_per_round))


def of_captions(recipe):
    """The same recipe for each data set with captions."""
    return dict.fromkeys(CAPTIONED, recipe)


# What is as likely either way round; digits are not.
FLIPPED = ("horizontal_flip",)
CAPTIONED = ("captioned_digits", "captioned_mnist", "scenes")
# In colour the fast generator of `dcgan.build` leaves its discriminator no time to see texture.
COLOUR = {"latent_dim": 64, "g_learning_rate": 1e-3, "d_learning_rate": 6e-4}
# A D that sees squares of four pixels a side has a third of the arithmetic.
PATCHES = {"patch_size": 4, "ema_momentum": 0.998}
# What generates MNIST's digits soonest, see docs/performance.md: a spectrally normalized D may learn as fast as G.
SPECTRAL = {
    **PATCHES,
    "spectral_norm": True,
    "beta_1": 0.0,
    "beta_2": 0.9,
    "g_learning_rate": 2e-3,
    "d_learning_rate": 2e-3,
}

# The same for those whose G has no rate of its own name.
SAME_RATES = {
    "learning_rate": 2e-3,
    "d_learning_rate": 2e-3,
    "beta_1": 0.0,
    "spectral_norm": True,
    "ema_momentum": 0.998,
}

# For a GPU: twice or four times as wide.
WIDE_GREY = {
    "digits": Recipe(64, 500, 300, {"width": 64}),
    "mnist": Recipe(64, 1000, 40, {"width": 64}),
}
WIDE_ALL = {**WIDE_GREY, "cifar10": Recipe(64, 1000, 100, {"width": 128})}
WIDE_CAPTIONED = of_captions(Recipe(128, 500, 60, {"width": 64}))
