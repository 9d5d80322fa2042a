"""What works for a model on a data set: sizes, optimizers, batch, length; and what it reached, and
in what time.

`QUICK` and `FULL` hold a recipe for each pair of a model and a data set; a pair without one gets
`default`, from the image's shape. What is `measured` was, on 2 CPU cores with TensorFlow and seed
0; the `full` profile is for a GPU.
"""

import dataclasses

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
        measured: str, time of training and what it reached. Defaults to `"not measured"`.
    """

    batch_size: int
    steps_per_round: int
    epochs: float
    model: dict = dataclasses.field(default_factory=dict)
    augment: tuple = ()
    measured: str = "not measured"

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
        `(recipe, name)`: the name is `MODEL_DATA`, or `"default"`.
    """
    if profile not in ("smoke", "quick", "full"):
        raise UsageError(f"The profile must be smoke, quick or full. Received: {profile!r}")
    if profile == "smoke":
        return smoke(model), f"{model}_smoke"
    recipe = {"quick": QUICK, "full": FULL}[profile].get(model, {}).get(data)
    if recipe is None:
        return default(model, image_shape, profile), "default"
    return recipe, f"{model}_{data}"


def smoke(model):
    """A small network and a few steps: shows that the code runs, and nothing else."""
    words = {"width": 8, "text_width": 8}
    widths = {
        "captioner": words,
        "clip": {**words, "dim": 16},
        "dcgan": {"g_width": 8, "d_width": 8},
        "gan": {"width": 32},
        "diffusion": {"width": 8, "units": 32},
        "editor": {**words, "units": 16},
        "flow_matching": {"width": 8, "units": 32},
        "text_flow": {**words, "units": 16},
        "text_gan": words,
    }
    batch_size = 18 if model in ("wgan", "wgan_gp") else 16  # in equal parts, for critic steps
    return Recipe(batch_size, 1, 0, widths.get(model, {"width": 8}))


def default(model, image_shape, profile):
    """For a pair without a recipe: the model file's own sizes; in colour, rates that leave the
    discriminator time. Not measured."""
    batch_size = 96 if model in ("wgan", "wgan_gp") else 32
    arguments = COLOUR if image_shape[-1] == 3 and model in ("acgan", "cgan", "dcgan") else {}
    return Recipe(batch_size, 100, 20 if profile == "quick" else 200, arguments)


# In colour the fast generator of `dcgan.build` leaves its discriminator no time to see texture.
COLOUR = {"latent_dim": 64, "g_learning_rate": 1e-3, "d_learning_rate": 6e-4}
# What generates MNIST's digits soonest, see docs/performance.md: a smooth discriminator may learn as fast as G.
SPECTRAL = {
    "spectral_norm": True,
    "patch_size": 4,
    "beta_1": 0.0,
    "beta_2": 0.9,
    "g_learning_rate": 2e-3,
    "d_learning_rate": 2e-3,
    "ema_momentum": 0.998,
}
WIDE = {"g_width": 64, "d_width": 64}
WIDER = {"g_width": 128, "d_width": 128}

# Of captioned data: 200,000 images in all.
CAPTIONED = ("captioned_digits", "captioned_mnist", "scenes")
CAPTIONED_RECIPES = {name: Recipe(64, 50, 5) for name in CAPTIONED}
# A flow needs steps more than images; one that generates reads first.
FLOW_RECIPES = {name: Recipe(32, 100, 5, {"decay_steps": 6250}) for name in CAPTIONED}
PRETRAINED_RECIPES = {
    name: Recipe(32, 100, 5, {"decay_steps": 6250, "pretrain_captions": 64_000})
    for name in CAPTIONED
}

QUICK = {
    "acgan": {
        "digits": Recipe(32, 100, 40),
        "mnist": Recipe(32, 100, 3),
        "cifar10": Recipe(32, 50, 8, COLOUR),
    },
    "autoencoder": {
        "digits": Recipe(64, 100, 40, measured="13 s; mean squared error 0.030"),
        "mnist": Recipe(64, 100, 1.5, measured="20 s; mean squared error 0.072"),
        "photos": Recipe(64, 50, 10, {"latent_dim": 64}, measured="20 s; mean squared error 0.026"),
        "cifar10": Recipe(64, 50, 4, {"latent_dim": 64}, measured="13 s; mean squared error 0.064"),
    },
    "captioner": CAPTIONED_RECIPES,
    "cgan": {
        "digits": Recipe(32, 100, 40),
        "mnist": Recipe(32, 100, 3),
        "cifar10": Recipe(32, 50, 8, COLOUR),
    },
    "clip": {name: Recipe(128, 25, 5) for name in CAPTIONED},
    "cvae": {
        "digits": Recipe(64, 100, 80),
        "mnist": Recipe(64, 100, 5),
    },
    "cyclegan": {
        "digits": Recipe(16, 50, 10),
        "mnist": Recipe(16, 25, 0.5),
    },
    "dcgan": {
        "digits": Recipe(32, 100, 30, measured="20 s; digits that one reads"),
        "mnist": Recipe(32, 100, 2, SPECTRAL, measured="Fréchet distance 10 after 120,000 images"),
        "photos": Recipe(32, 50, 15, COLOUR, measured="82 s; petals, sky and walls"),
        "cifar10": Recipe(32, 50, 6, COLOUR, measured="39 s; colours and horizons, no objects"),
    },
    "diffusion": {
        "digits": Recipe(64, 50, 60),
        "mnist": Recipe(64, 50, 1.5),
        "cifar10": Recipe(64, 25, 2, {"width": 48}),
    },
    "editor": FLOW_RECIPES,
    "flow_matching": {
        "digits": Recipe(64, 50, 60),
        "mnist": Recipe(64, 50, 1.5),
        "cifar10": Recipe(64, 25, 2, {"width": 48}),
    },
    "gan": {
        "digits": Recipe(64, 200, 100, measured="20 s; speckled digits"),
        "mnist": Recipe(64, 200, 4, measured="22 s; speckled digits"),
        "photos": Recipe(64, 100, 30, measured="21 s; one of the two photographs alone"),
        "cifar10": Recipe(64, 100, 12, measured="20 s; colours"),
    },
    "infogan": {
        "digits": Recipe(32, 100, 40),
        "mnist": Recipe(32, 100, 3),
    },
    "lsgan": {
        "digits": Recipe(32, 100, 30),
        "mnist": Recipe(32, 100, 3),
    },
    "pix2pix": {
        "digits": Recipe(32, 50, 20),
        "mnist": Recipe(32, 50, 1),
    },
    "r3gan": {
        "digits": Recipe(32, 50, 30),
        "mnist": Recipe(32, 50, 1.5),
        "cifar10": Recipe(32, 25, 4),
    },
    "sngan": {
        "digits": Recipe(32, 100, 30),
        "mnist": Recipe(32, 100, 3),
        "cifar10": Recipe(32, 50, 8),
    },
    "stylegan": {
        "digits": Recipe(32, 25, 30),
        "mnist": Recipe(32, 25, 1),
    },
    "text_flow": PRETRAINED_RECIPES,
    "text_gan": CAPTIONED_RECIPES,
    "vae": {
        "digits": Recipe(64, 100, 40, measured="20 s; minus ELBO 85.3 nats"),
        "mnist": Recipe(
            64, 100, 1.5, {"latent_dim": 16}, measured="20 s; minus ELBO 105.9 nats (grey images)"
        ),
        "photos": Recipe(64, 50, 10, {"latent_dim": 32}, measured="14 s; blurred colours"),
        "cifar10": Recipe(64, 50, 4, {"latent_dim": 32}, measured="14 s; blurred colours"),
    },
    "vaegan": {
        "digits": Recipe(32, 50, 30),
        "mnist": Recipe(32, 50, 1.5),
    },
    "vqvae": {
        "digits": Recipe(64, 50, 40),
        "mnist": Recipe(64, 50, 1.5),
    },
    "wgan": {
        "digits": Recipe(96, 50, 90),
        "mnist": Recipe(96, 100, 6),
    },
    "wgan_gp": {
        "digits": Recipe(64, 50, 60),
        "mnist": Recipe(64, 50, 4),
        "cifar10": Recipe(64, 25, 6, {"g_learning_rate": 1e-3, "d_learning_rate": 1e-3}),
    },
}

WIDE_GREY = {
    "digits": Recipe(64, 500, 300, {"width": 64}),
    "mnist": Recipe(64, 1000, 40, {"width": 64}),
}
WIDE_ALL = {**WIDE_GREY, "cifar10": Recipe(64, 1000, 100, {"width": 128})}

WIDE_CAPTIONED_RECIPES = {name: Recipe(128, 500, 60, {"width": 64}) for name in CAPTIONED}
WIDE_PRETRAINED_RECIPES = {
    name: Recipe(128, 500, 60, {"width": 64, "pretrain_captions": 64_000}) for name in CAPTIONED
}

FULL = {
    "acgan": WIDE_ALL,
    "autoencoder": {
        "digits": Recipe(64, 500, 400, {"width": 64}),
        "mnist": Recipe(128, 1000, 40, {"width": 64}),
        "photos": Recipe(64, 500, 200, {"latent_dim": 128, "width": 64}),
        "cifar10": Recipe(128, 1000, 60, {"latent_dim": 128, "width": 64}),
    },
    "captioner": WIDE_CAPTIONED_RECIPES,
    "cgan": WIDE_ALL,
    "clip": {name: Recipe(512, 250, 60, {"width": 64}) for name in CAPTIONED},
    "cvae": WIDE_GREY,
    "cyclegan": {
        "digits": Recipe(64, 500, 100, {"width": 48, "d_width": 64}),
        "mnist": Recipe(64, 1000, 10, {"width": 48, "d_width": 64}),
    },
    "dcgan": {
        "digits": Recipe(32, 500, 300, WIDE),
        "mnist": Recipe(64, 1000, 40, WIDE),
        "photos": Recipe(64, 500, 200, {**COLOUR, **WIDER}),
        "cifar10": Recipe(64, 1000, 100, {**COLOUR, **WIDER}),
    },
    "diffusion": {
        "digits": Recipe(64, 500, 400, {"width": 96}),
        "mnist": Recipe(64, 1000, 60, {"width": 96}),
        "cifar10": Recipe(64, 1000, 200, {"width": 128}),
    },
    "editor": WIDE_CAPTIONED_RECIPES,
    "flow_matching": {
        "digits": Recipe(64, 500, 400, {"width": 96}),
        "mnist": Recipe(64, 1000, 60, {"width": 96}),
        "cifar10": Recipe(64, 1000, 200, {"width": 128}),
    },
    "gan": {
        "digits": Recipe(64, 1000, 600, {"width": 512}),
        "mnist": Recipe(128, 1000, 80, {"width": 512}),
        "photos": Recipe(64, 1000, 200, {"width": 1024}),
        "cifar10": Recipe(128, 1000, 100, {"width": 1024}),
    },
    "infogan": WIDE_GREY,
    "lsgan": WIDE_GREY,
    "pix2pix": WIDE_GREY,
    "r3gan": WIDE_ALL,
    "sngan": WIDE_ALL,
    "stylegan": WIDE_GREY,
    "text_flow": WIDE_PRETRAINED_RECIPES,
    "text_gan": WIDE_CAPTIONED_RECIPES,
    "vae": {
        "digits": Recipe(64, 500, 400, {"width": 64}),
        "mnist": Recipe(128, 1000, 40, {"latent_dim": 16, "width": 64}),
        "photos": Recipe(64, 500, 200, {"latent_dim": 64, "width": 64}),
        "cifar10": Recipe(128, 1000, 60, {"latent_dim": 64, "width": 64}),
    },
    "vaegan": WIDE_GREY,
    "vqvae": WIDE_GREY,
    "wgan": {
        "digits": Recipe(480, 500, 300, {"width": 64, "critic_steps": 5}),
        "mnist": Recipe(480, 1000, 80, {"width": 64, "critic_steps": 5}),
    },
    "wgan_gp": {
        "digits": Recipe(320, 500, 300, {"width": 64, "critic_steps": 5}),
        "mnist": Recipe(320, 1000, 80, {"width": 64, "critic_steps": 5}),
        "cifar10": Recipe(320, 1000, 200, {"width": 128, "critic_steps": 5}),
    },
}
