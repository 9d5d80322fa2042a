"""Models for the page's tests: tiny ones, whose weights say something and are what float16 has."""

import keras
import numpy as np
from keras import layers
from rows import ALL

from ganedu import models
from ganedu.layers import SpectralConv2D, SpectralDense


def disturbed(model, seed=0, size=0.25):
    """The model, each weight moved at random by about `size` and rounded to float16."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        value = np.array(v) + size * rng.standard_normal(v.shape)
        value = np.abs(value) + 0.2 if "variance" in v.name else value
        if "float" in str(v.dtype):
            v.assign(value.astype("float16").astype("float32"))
    return model


def of_own_networks(shape, seed=0):
    """A GAN whose generator a user brought: a `Sequential` network, with one within it, layers that are used twice or
    divided by their spectral norm, and the activations that no network of the package has."""
    height, width, channels = shape
    keras.utils.set_random_seed(seed)
    shared = layers.Dense(6, "elu")
    inner = keras.Sequential([keras.Input((6,)), shared, layers.Dense(6, "softplus"), shared])
    generator = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(6, "exponential"),
            SpectralDense(6),
            inner,
            layers.Dense(height * width // 4 * 2, "sigmoid"),
            layers.Reshape((height // 2, width // 2, 2)),
            layers.UpSampling2D((2, 1)),
            layers.Conv2DTranspose(4, (1, 3), strides=(1, 2), padding="valid", activation="silu"),
            layers.Cropping2D(((0, 0), (0, 1))),
            layers.LeakyReLU(0.1),
            SpectralConv2D(5, 3, padding="same", use_bias=False),
            layers.Conv2D(channels, 3, padding="same", activation="tanh", dtype="float32"),
        ]
    )
    discriminator = models.build("gan", shape, latent_dim=3, width=4).discriminator
    return disturbed(models.gan.GAN(generator, discriminator), seed)


def tiny(name, shape, seed=0, size=0.25, **more):
    """The smallest model of that name in `tests/rows.py`, disturbed."""
    row = ALL[name]
    keras.utils.set_random_seed(seed)
    return disturbed(models.build(row.model or name, shape, **row.build | more), seed, size)
