"""Networks of dense layers alone, which do not know that pixels have neighbours."""

import math

import keras
from keras import layers

from ganedu.networks.convolutional import NEGATIVE_SLOPE


def dense_generator(image_shape, latent_dim, width=256, name="generator"):
    """Latents (B, latent_dim) to images (B, H, W, C) in [-1, 1] through two rectified dense layers,
    as Goodfellow 2014."""
    z = x = keras.Input((latent_dim,), name="z")
    for _ in range(2):
        x = layers.Dense(width, activation="relu")(x)
    x = layers.Dense(math.prod(image_shape), activation="tanh", dtype="float32")(x)
    return keras.Model(z, layers.Reshape(image_shape, dtype="float32")(x), name=name)


def dense_discriminator(image_shape, width=256, dropout=0.3, seed=0, name="discriminator"):
    """Images (B, H, W, C) to logits (B, 1) through two dense layers with dropout, as Goodfellow
    2014.

    Args:
        image_shape: (H, W, C).
        width: int. Defaults to `256`.
        dropout: float in [0, 1). Defaults to `0.3`.
        seed: int, of the dropout. Defaults to `0`.
        name: str.
    """
    image = keras.Input(tuple(image_shape), name="x")
    x = layers.Flatten()(image)
    for i in range(2):
        x = layers.LeakyReLU(NEGATIVE_SLOPE)(layers.Dense(width)(x))
        x = layers.Dropout(dropout, seed=seed + i)(x)
    return keras.Model(image, layers.Dense(1, dtype="float32")(x), name=name)
