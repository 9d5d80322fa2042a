"""Makes models sick on purpose, and healthy ones; does the doctor name what each has?

    python tests/benchmarks/diagnostics.py [NAME ...] [--seeds 0 1 2]

Prints a line for each model, and the confusion table. All are trained on the embedded images.
"""

import argparse
import collections
import dataclasses
import functools
import time

from ganedu import runtime

runtime.setup(0)

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers, ops  # noqa: E402

from ganedu import data, diagnostics, models, recipes  # noqa: E402
from ganedu.models.autoencoder import Autoencoder  # noqa: E402
from ganedu.models.gan import GAN  # noqa: E402
from ganedu.models.vae import VAE  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Case:
    """What is trained: `make(image_shape, seed)` a compiled model, for `steps` in rounds of `per_round`, on what
    `change` makes of the training images of `source`."""

    make: object
    steps: int
    batch_size: int = 32
    change: object = None
    source: str = "digits"
    per_round: int = 50


def built(name, **arguments):
    return lambda shape, seed: models.build(name, shape, seed=seed, **arguments)


def moved(name, g, d, beta_1=0.5, **arguments):
    """A model whose players have other learning rates, and another momentum."""

    def make(shape, seed):
        model = models.build(name, shape, seed=seed, **arguments)
        return model.compile_with(keras.optimizers.Adam, g, d, beta_1=beta_1)

    return make


class SaturatingGAN(GAN):
    """Equation 1 of Goodfellow 2014 as it stands: G minimizes E[log(1 - D(G(z)))]."""

    generator_loss = staticmethod(lambda fake: -ops.mean(ops.softplus(fake)))


def saturating(name, g, d, **arguments):
    def make(shape, seed):
        parts = models.build(name, shape, seed=seed, **arguments)
        model = SaturatingGAN(parts.generator, parts.discriminator, seed=seed)
        return model.compile_with(keras.optimizers.Adam, g, d, beta_1=0.5)

    return make


def uneven(image_shape, latent_dim, activation):
    """A generator whose last transposed convolution has a kernel that the stride does not divide, and that it
    cannot learn to make up for: a pixel in the middle of two or four others gets their sum."""
    height, width, channels = image_shape
    z = keras.Input((latent_dim,))
    x = layers.Dense(128, activation="relu")(z)
    x = layers.Dense(height * width * 2, use_bias=False)(x)
    x = layers.Reshape((height // 4, width // 4, 32))(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.Conv2D(channels, 3, padding="same")(layers.ReLU()(layers.BatchNormalization()(x)))
    box = layers.Conv2DTranspose(channels, 3, strides=2, padding="same", use_bias=False)
    image = layers.Activation(activation)(box(x))
    box.set_weights([np.broadcast_to(np.eye(channels, dtype="float32"), box.kernel.shape)])
    box.trainable = False
    return keras.Model(z, image)


def uneven_autoencoder(shape, seed):
    encoder = models.build("autoencoder", shape, latent_dim=16, seed=seed).encoder
    model = Autoencoder(encoder, uneven(shape, 16, "tanh"), seed=seed)
    return model.compile_with(keras.optimizers.Adam, 1e-3)


def uneven_vae(shape, seed):
    encoder = models.build("vae", shape, latent_dim=16, seed=seed).encoder
    model = VAE(encoder, uneven(shape, 16, "linear"), seed=seed)
    return model.compile_with(keras.optimizers.Adam, 1e-3)


def far_codes(shape, seed):
    """A VQ-VAE whose codes start ten times too far out, and whose dead codes stay dead."""
    model = models.build("vqvae", shape, seed=seed)
    model.quantizer.dead_threshold = 0.0
    for weights in (model.quantizer.codebook, model.quantizer.sums):
        weights.assign(weights * 10.0)
    return model


def harsh(dataset):
    """Images whose contrast was raised fivefold, and clipped."""
    images = np.clip((dataset.images.astype("float32") - 127.5) * 5 + 127.5, 0, 255)
    return dataclasses.replace(dataset, images=images.astype("uint8"))


def few(dataset):
    return dataset.first_n(20)


SICK = {
    "mode collapse": {
        "dcgan": Case(moved("dcgan", 3e-3, 3e-5), 600),
        "lsgan": Case(moved("lsgan", 3e-3, 3e-5), 600),
    },
    "vanishing gradient": {
        "dcgan": Case(saturating("dcgan", 2e-4, 2e-3), 400),
        "gan": Case(saturating("gan", 2e-5, 2e-3, dropout=0.0), 800),
    },
    "discriminator too strong": {
        "dcgan": Case(moved("dcgan", 1e-5, 1e-3), 400),
        "gan": Case(moved("gan", 1e-5, 1e-3), 800),
    },
    "discriminator too weak": {
        "dcgan": Case(moved("dcgan", 3e-3, 1e-7), 400),
        "gan": Case(moved("gan", 5e-4, 1e-7), 600),
    },
    "oscillation": {
        "dcgan": Case(moved("dcgan", 4e-3, 4e-3, beta_1=0.9), 600, per_round=10),
        "cgan": Case(moved("cgan", 4e-3, 4e-3, beta_1=0.9), 600, per_round=10),
    },
    "posterior collapse": {
        "vae": Case(built("vae", beta=30.0), 300, 64),
        "cvae": Case(built("cvae", beta=30.0), 300, 64),
    },
    "blur": {
        "vae": Case(built("vae", latent_dim=2), 200, 64),
        "cvae": Case(built("cvae", latent_dim=1, beta=4.0), 200, 64),
    },
    "checkerboard": {
        "autoencoder": Case(uneven_autoencoder, 200, 64, None, "photos"),
        "vae": Case(uneven_vae, 200, 64, None, "photos"),
    },
    "memorisation": {
        "dcgan": Case(built("dcgan"), 1000, 32, few),
        "flow_matching": Case(built("flow_matching"), 400, 32, few),
    },
    "codebook collapse": {
        "vqvae": Case(far_codes, 200, 64),
        "vqvae, photos": Case(far_codes, 100, 64, None, "photos"),
    },
    "saturation": {
        "dcgan": Case(built("dcgan"), 600, 32, harsh),
        "cgan": Case(built("cgan"), 600, 32, harsh),
    },
    "underfitting": {
        "flow_matching": Case(built("flow_matching"), 50),
        "diffusion": Case(built("diffusion"), 50),
    },
}
HEALTHY = ("dcgan", "cgan", "wgan_gp", "vae", "flow_matching", "vqvae")


def healthy(name):
    """A model as its recipe makes it."""
    train = load("digits")[0]
    recipe, _ = recipes.find(name, "digits", train.image_shape, "quick")
    steps = recipe.rounds(len(train)) * recipe.steps_per_round
    return Case(
        built(name, **{**models.arguments_of(name, train), **recipe.model}),
        steps,
        recipe.batch_size,
    )


@functools.cache
def load(source):
    return data.load(source), data.load(source, "test")


def examined(case, seed):
    """The signs of a case, and the model."""
    train, test = load(case.source)
    model = case.make(train.image_shape, seed)
    if case.change is not None:
        train = case.change(train)
    batches = model.prepare_dataset(train).batches(min(case.batch_size, len(train)), seed=seed)
    history = model.fit(
        batches, steps_per_epoch=case.per_round, epochs=case.steps // case.per_round, verbose=0
    )
    return diagnostics.measure(model, train, test, history.history), model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of sicknesses, or `healthy`; all by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pictures", help="a folder for a sheet of each")
    asked = parser.parse_args()
    cases = {failure_mode: dict(made) for failure_mode, made in SICK.items()}
    cases["healthy"] = {name: healthy(name) for name in HEALTHY}
    table = collections.defaultdict(collections.Counter)
    runs = collections.Counter()
    for truth in asked.names or cases:
        for name, case in cases[truth].items():
            for seed in asked.seeds:
                start = time.monotonic()
                signals, model = examined(case, seed)
                found = diagnostics.diagnose(signals)
                named = found.names or ("healthy",)
                runs[truth] += 1
                table[truth].update(named)
                told = " ".join(f"{k}={v:.3g}" for k, v in signals.items())
                mark = "ok " if truth in named else "NOT"
                print(
                    f"{mark} {truth} [{name} {seed}] -> {', '.join(named)}  ({time.monotonic() - start:.0f} s) {told}",
                    flush=True,
                )
                if asked.pictures:
                    save_case(model, f"{asked.pictures}/{truth}-{name}-{seed}.png")
    print(confusion(table, runs))


def save_case(model, path):
    from ganedu import figures

    with open(path.replace(" ", "_").replace(",", ""), "wb") as file:
        figures.save_png(np.clip(model.generate(64, seed=3), -1, 1), file)


def confusion(table, runs):
    """The table in Markdown: a row for what was made, a column for what was named."""
    columns = [*(s.name for s in diagnostics.FAILURE_MODES), "healthy"]
    lines = [f"| made | runs | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for truth, named in table.items():
        lines.append(
            f"| {truth} | {runs[truth]} | {' | '.join(str(named[c] or '') for c in columns)} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
