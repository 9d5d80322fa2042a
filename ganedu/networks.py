"""The networks that the models share, so that when two models are compared only the algorithm
differs.

All are Keras functional models. Images are (B, H, W, C) in [-1, 1]; a discriminator gives logits
(B, 1). The last layer computes in float32 whatever the dtype policy, so that no loss is taken of
bfloat16 numbers.
"""

import math

import keras
from keras import layers

from ganedu.runtime import UsageError

NEGATIVE_SLOPE = 0.2  # Radford 2015, section 3


def halvings(image_shape):
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


def generator(image_shape, latent_dim, width=32, activation="tanh", name="generator"):
    """Latents (B, latent_dim) to images (B, H, W, C): a dense layer, then 4x4 transposed
    convolutions that double the map.

    As Radford 2015 advises: no pooling, and batch normalization and a rectifier after every layer
    but the last.

    Args:
        image_shape: (H, W, C).
        latent_dim: int.
        width: int, channels of the last hidden map; each map before has twice as many, up to 4
            `width`. Defaults to `32`.
        activation: of the last layer; `None` for logits. Defaults to `"tanh"`.
        name: str.
    """
    ups = halvings(image_shape)
    channels = [width * min(2**i, 4) for i in reversed(range(ups))]
    first = (image_shape[0] >> ups, image_shape[1] >> ups, channels[0])
    z = keras.Input((latent_dim,), name="z")
    x = layers.Dense(math.prod(first), use_bias=False)(z)
    x = layers.Reshape(first)(x)  # (B, H / 2^ups, W / 2^ups, C0)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for c in channels[1:]:
        x = layers.Conv2DTranspose(c, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(
        image_shape[-1], 4, strides=2, padding="same", activation=activation, dtype="float32"
    )(x)  # (B, H, W, C)
    return keras.Model(z, x, name=name)


def discriminator(image_shape, width=32, outputs=1, name="discriminator"):
    """Images (B, H, W, C) to logits (B, outputs): 3x3 convolutions of stride 2, then a dense layer.

    One convolution more than the generator has halvings. No batch normalization: real and generated
    images then cannot betray each other through the statistics of a batch.

    Args:
        image_shape: (H, W, C).
        width: int, channels of the first map; each map after has twice as many, up to 4 `width`.
            Defaults to `32`.
        outputs: int. Defaults to `1`.
        name: str.
    """
    x = image = keras.Input(tuple(image_shape), name="x")
    for i in range(halvings(image_shape) + 1):
        x = layers.Conv2D(width * min(2**i, 4), 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU(NEGATIVE_SLOPE)(x)
    x = layers.Flatten()(x)
    return keras.Model(image, layers.Dense(outputs, dtype="float32")(x), name=name)


def encoder(image_shape, latent_dim, width=32, parameters=1, name="encoder"):
    """Images (B, H, W, C) to `parameters` vectors (B, latent_dim) each: the discriminator's body
    with another head.

    Args:
        image_shape: (H, W, C).
        latent_dim: int.
        width: int, as in `discriminator`. Defaults to `32`.
        parameters: int: `1` for a code, `2` for the mean and log-variance of a distribution.
            Defaults to `1`.
        name: str.
    """
    body = discriminator(image_shape, width, outputs=parameters * latent_dim, name=name)
    if parameters == 1:
        return body
    parts = keras.ops.split(body.output, parameters, axis=-1)
    return keras.Model(body.input, parts, name=name)


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
