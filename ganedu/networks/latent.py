"""Networks of a latent space that is still a map: an encoder of images, and a denoiser of its codes. Its
decoder is `vq_decoder`.

Reference:
    Rombach, Blattmann, Lorenz, Esser and Ommer 2022, sections 3.1 and 3.2, arXiv:2112.10752.
"""

import keras
from keras import layers

from ganedu.layers import SinusoidalEmbedding
from ganedu.networks.convolutional import check_sides
from ganedu.networks.unet import check_width, global_mlp_block, residual_block, rms
from ganedu.networks.vq import halved_twice


def map_encoder(image_shape, code_channels, width=32, name="encoder"):
    """Images (B, H, W, C) to the mean and the log-variance of codes, (B, H/4, W/4, code_channels) each.

    Raises:
        UsageError: for sides that 4 does not divide.
    """
    check_sides(image_shape, 4)
    image = keras.Input(tuple(image_shape), name="x")
    x = halved_twice(image, width)
    outputs = [layers.Conv2D(code_channels, 1, dtype="float32")(x) for _ in range(2)]
    return keras.Model(image, outputs, name=name)


def map_denoiser(code_shape, width=64, units=128, blocks=3, name="denoiser"):
    """`[x, t]`, codes (B, h, w, c) and times (B,) in [0, 1], to (B, h, w, c), unbounded: the blocks of `denoiser`
    at one resolution.

    Args:
        code_shape: (h, w, c).
        width: int, a multiple of 8. Defaults to `64`.
        units: int, as for `denoiser`. Defaults to `128`.
        blocks: int, residual blocks; between two of them dense layers see the whole map. Defaults to `3`.
        name: str.

    Raises:
        UsageError: for another width.
    """
    check_width(width)
    codes, t = keras.Input(tuple(code_shape), name="x"), keras.Input((), name="t")
    time = layers.Dense(width, activation="silu")(SinusoidalEmbedding(width)(t))
    x = layers.Conv2D(width, 3, padding="same")(codes)
    for i in range(blocks):
        x = residual_block(global_mlp_block(x, time, units, rms) if i else x, time, rms)
    x = layers.Activation("silu")(rms()(x))
    zeros = {"kernel_initializer": "zeros", "dtype": "float32"}
    x = layers.Conv2D(code_shape[-1], 3, padding="same", name="head", **zeros)(x)
    gain = layers.Dense(1, name="head_gain", dtype="float32")(time)
    gain = layers.Reshape((1, 1, 1), dtype="float32")(gain)
    return keras.Model([codes, t], x + gain * codes, name=name)
