"""Convolutional networks that double or halve an image's maps."""

import math

import keras
import numpy as np
from keras import layers

from ganedu.layers import MinibatchStdDev, SpectralConv2D, SpectralDense
from ganedu.runtime import UsageError

NEGATIVE_SLOPE = 0.2  # Radford 2015, section 4
# PyTorch's. With Keras's 0.99 the statistics lag behind for the first hundreds of steps.
BATCH_NORM_MOMENTUM = 0.9


def num_downsamplings(image_shape):
    """How often a network halves an image on the way to its smallest map: 28 -> 7 in 2, 32 -> 4 in
    3.

    Args:
        image_shape: (H, W, C).

    Returns:
        int from 1 to 4: the most halvings that keep both sides whole and at least 4.

    Raises:
        UsageError: if not even one is possible.
    """
    height, width, _ = image_shape
    side, count = math.gcd(height, width), 0
    while count < 4 and side % 2 == 0 and min(height, width) >> (count + 1) >= 4:
        side, count = side // 2, count + 1
    if not count:
        raise UsageError(
            "Both sides of an image must be even and at least 8, better multiples of 4. "
            f"Received: {height}x{width}. Choose another `image_size`."
        )
    return count


def check_sides(image_shape, divisor):
    """Refuses sides that `divisor` does not divide.

    Raises:
        UsageError: for these.
    """
    height, width, _ = image_shape
    if height % divisor or width % divisor:
        raise UsageError(
            f"Both sides must be divisible by {divisor}. Received: {height}x{width}. Choose another `image_size`."
        )


def generator(image_shape, latent_dim, width=32, activation="tanh", name="generator"):
    """Latents (B, latent_dim) to images (B, H, W, C): a dense layer, then 4x4 transposed
    convolutions that double the map.

    As Radford 2015 advises: no pooling, and batch normalization and a ReLU after every layer
    but the last.

    Args:
        image_shape: (H, W, C).
        latent_dim: int.
        width: int, channels of the last hidden map; each map before has twice as many, up to 4
            `width`. Defaults to `32`.
        activation: of the last layer; `None` for logits. Defaults to `"tanh"`.
        name: str.
    """
    ups = num_downsamplings(image_shape)
    channels = [width * min(2**i, 4) for i in reversed(range(ups))]
    first = (image_shape[0] >> ups, image_shape[1] >> ups, channels[0])
    z = keras.Input((latent_dim,), name="z")
    x = layers.Dense(math.prod(first), use_bias=False)(z)
    x = layers.Reshape(first)(x)  # (B, H / 2^ups, W / 2^ups, C0)
    x = layers.ReLU()(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
    for c in channels[1:]:
        x = layers.Conv2DTranspose(c, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
    x = layers.Conv2DTranspose(
        image_shape[-1], 4, strides=2, padding="same", activation=activation, dtype="float32"
    )(x)  # (B, H, W, C)
    return keras.Model(z, x, name=name)


def discriminator(
    image_shape,
    width=32,
    outputs=1,
    spectral_norm=False,
    minibatch_stddev=False,
    patch_size=1,
    name="discriminator",
):
    """Images (B, H, W, C) to logits (B, outputs): 3x3 convolutions of stride 2, then a dense layer.

    One convolution more than the generator has halvings. No batch normalization: real and generated
    images then cannot betray each other through the statistics of a batch.

    Args:
        image_shape: (H, W, C).
        width: int, channels of the first map; each map after has twice as many, up to 4 `width`.
            Defaults to `32`.
        outputs: int, or a tuple of ints for several heads on one body. Defaults to `1`.
        spectral_norm: bool, whether its layers are `SpectralConv2D` and `SpectralDense`, which keep it smooth
            (Miyato 2018). Defaults to `False`.
        minibatch_stddev: bool, whether the last map is followed by a `MinibatchStdDev`. Defaults to
            `False`.
        patch_size: int, 1, 2 or 4: the image is first cut in squares of `patch_size` pixels a side, each of which
            becomes one point with all its values as channels. The convolutions of the larger maps are
            left out, the first that remains has stride 1: less arithmetic. Defaults to `1`.
        name: str.

    Raises:
        ValueError: for another `patch_size`, or one that leaves a map with a side below 4.
    """
    conv, dense = (
        (SpectralConv2D, SpectralDense) if spectral_norm else (layers.Conv2D, layers.Dense)
    )
    x = image = keras.Input(tuple(image_shape), name="x")
    count = num_downsamplings(image_shape)
    if patch_size not in (1, 2, 4) or patch_size > 2**count:
        raise ValueError(
            f"`patch_size` must be 1, 2 or 4, at most {2**count} here. Received: {patch_size}"
        )
    if patch_size > 1:
        x = space_to_depth(x, patch_size)
    start = max(patch_size.bit_length() - 2, 0)
    for i in range(start, count + 1):
        strides = 1 if patch_size > 1 and i == start else 2
        x = conv(width * min(2**i, 4), 3, strides=strides, padding="same")(x)
        x = layers.LeakyReLU(NEGATIVE_SLOPE)(x)
    if minibatch_stddev:
        x = MinibatchStdDev()(x)
    x = layers.Flatten()(x)
    heads = [dense(n, dtype="float32")(x) for n in np.atleast_1d(outputs).tolist()]
    return keras.Model(image, heads if np.ndim(outputs) else heads[0], name=name)


def space_to_depth(x, side):
    """A map (B, H, W, C) cut in squares of `side` points, each one point: (B, H / side, W / side, side^2 C)."""
    _, height, width, channels = x.shape
    x = layers.Reshape((height // side, side, width // side, side * channels))(x)
    x = layers.Permute((1, 3, 2, 4))(x)
    return layers.Reshape((height // side, width // side, side**2 * channels))(x)


def encoder(image_shape, latent_dim, width=32, parameters=1, patch_size=1, name="encoder"):
    """Images (B, H, W, C) to `parameters` vectors (B, latent_dim) each: the discriminator's body
    with other heads.

    Args:
        image_shape: (H, W, C).
        latent_dim: int.
        width: int, as in `discriminator`. Defaults to `32`.
        parameters: int: `1` for a code, `2` for the mean and log-variance of a distribution.
            Defaults to `1`.
        patch_size: int, as in `discriminator`. Defaults to `1`.
        name: str.
    """
    outputs = latent_dim if parameters == 1 else (latent_dim,) * parameters
    return discriminator(image_shape, width, outputs, patch_size=patch_size, name=name)


def decoder(image_shape, latent_dim, width=32, activation="tanh", name="decoder"):
    """Codes (B, latent_dim) to images (B, H, W, C): a rectified hidden layer, then `generator`.

    The generator's first layer has no bias. Fed with z itself it could draw nothing at z = 0, the
    middle of the prior, and the codes of an encoder would keep away from there.

    Args:
        image_shape, latent_dim, width, activation: as in `generator`.
        name: str.
    """
    z = keras.Input((latent_dim,), name="z")
    hidden = layers.Dense(2 * width, activation="relu")(z)
    images = generator(image_shape, 2 * width, width, activation)(hidden)
    return keras.Model(z, images, name=name)
