"""What works for a model on a data set: sizes, optimizers, batch, length; and what it reached, and
in what time.

A recipe is a function `MODEL_DATA(profile)`. A pair without one gets `default`, from the image's
shape. The figures in the docstrings were measured on 2 CPU cores with TensorFlow; the `full`
profile is for a GPU.
"""

import dataclasses
import sys

from ganedu.runtime import UsageError


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


def find(model, data, image_shape, profile):
    """The recipe of a pair.

    Args:
        model: str, a model's name.
        data: str, a data set's name, or the path of a user's own.
        image_shape: (H, W, C).
        profile: `"smoke"`, `"quick"` or `"full"`.

    Returns:
        `(recipe, name)`: the name is the recipe's function.
    """
    if profile not in ("smoke", "quick", "full"):
        raise UsageError(f"The profile must be smoke, quick or full. Received: {profile!r}")
    name = f"{model}_{data}"
    function = getattr(sys.modules[__name__], name, None) if name.isidentifier() else None
    if function is None:
        return default(model, image_shape, profile), "default"
    return function(profile), name


def smoke(model):
    """A small network and a few steps: shows that the code runs, and nothing else."""
    widths = {"dcgan": {"g_width": 8, "d_width": 8}, "gan": {"width": 32}}
    return Recipe(16, 1, 0, widths.get(model, {"width": 8}))


def default(model, image_shape, profile):
    """For a pair without a recipe: the model file's own sizes. Not measured."""
    if profile == "smoke":
        return smoke(model)
    return Recipe(32, 100, 20 if profile == "quick" else 200)


def _profiles(profile, model, quick, full):
    return {"smoke": smoke(model), "quick": quick, "full": full}[profile]


# In colour the fast generator of `dcgan.build` leaves its discriminator no time to see texture.
COLOUR = {"latent_dim": 64, "g_learning_rate": 1e-3, "d_learning_rate": 6e-4}


def autoencoder_digits(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile, "autoencoder", Recipe(64, 100, 40), Recipe(64, 500, 400, {"width": 64})
    )


def autoencoder_mnist(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile, "autoencoder", Recipe(64, 100, 1.5), Recipe(128, 1000, 40, {"width": 64})
    )


def autoencoder_photos(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile,
        "autoencoder",
        Recipe(64, 50, 10, {"latent_dim": 64}),
        Recipe(64, 500, 200, {"latent_dim": 128, "width": 64}),
    )


def autoencoder_cifar10(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile,
        "autoencoder",
        Recipe(64, 50, 4, {"latent_dim": 64}),
        Recipe(128, 1000, 60, {"latent_dim": 128, "width": 64}),
    )


def dcgan_digits(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile, "dcgan", Recipe(32, 100, 30), Recipe(32, 500, 300, {"g_width": 64, "d_width": 64})
    )


def dcgan_mnist(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile, "dcgan", Recipe(32, 100, 1.5), Recipe(64, 1000, 40, {"g_width": 64, "d_width": 64})
    )


def dcgan_photos(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile,
        "dcgan",
        Recipe(32, 50, 15, COLOUR),
        Recipe(64, 500, 200, {**COLOUR, "g_width": 128, "d_width": 128}),
    )


def dcgan_cifar10(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile,
        "dcgan",
        Recipe(32, 50, 6, COLOUR),
        Recipe(64, 1000, 100, {**COLOUR, "g_width": 128, "d_width": 128}),
    )


def gan_digits(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(profile, "gan", Recipe(64, 200, 100), Recipe(64, 1000, 600, {"width": 512}))


def gan_mnist(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(profile, "gan", Recipe(64, 200, 4), Recipe(128, 1000, 80, {"width": 512}))


def gan_photos(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(profile, "gan", Recipe(64, 100, 30), Recipe(64, 1000, 200, {"width": 1024}))


def gan_cifar10(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(profile, "gan", Recipe(64, 100, 12), Recipe(128, 1000, 100, {"width": 1024}))


def vae_digits(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(profile, "vae", Recipe(64, 100, 40), Recipe(64, 500, 400, {"width": 64}))


def vae_mnist(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile,
        "vae",
        Recipe(64, 100, 1.5, {"latent_dim": 16}),
        Recipe(128, 1000, 40, {"latent_dim": 16, "width": 64}),
    )


def vae_photos(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile,
        "vae",
        Recipe(64, 50, 10, {"latent_dim": 32}),
        Recipe(64, 500, 200, {"latent_dim": 64, "width": 64}),
    )


def vae_cifar10(profile):
    """Quick: not measured. Full: not measured."""
    return _profiles(
        profile,
        "vae",
        Recipe(64, 50, 4, {"latent_dim": 32}),
        Recipe(128, 1000, 60, {"latent_dim": 64, "width": 64}),
    )
