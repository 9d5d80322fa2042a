"""The network of diffusion and flows: a noisy image and a time to something of the image's shape."""

import keras
from keras import layers

from ganedu.layers import SinusoidalEmbedding
from ganedu.runtime import UsageError

GROUPS = 8


def denoiser(image_shape, width=48, name="denoiser"):
    """`[x, t]`, (B, H, W, C) and (B,) in [0, 1], to (B, H, W, C), unbounded: a small U-Net.

    It works on patches of 2x2 pixels, so its first maps have half the image's sides, and a quarter
    of the arithmetic; a second level has half of that. On each level residual blocks, which the
    time scales and shifts. The last layer starts at zero.

    Args:
        image_shape: (H, W, C), sides divisible by 4.
        width: int, channels of the first maps, a multiple of 8. Defaults to `48`.
        name: str.

    Raises:
        UsageError: for other sides or widths.

    Reference:
        Ronneberger, Fischer and Brox 2015, "U-Net", arXiv:1505.04597; the residual blocks from Ho,
        Jain and Abbeel 2020, appendix B, arXiv:2006.11239.
    """
    height, width_, channels = image_shape
    if height % 4 or width_ % 4:
        raise UsageError(
            f"Both sides must be divisible by 4. Received: {height}x{width_}. Choose another `image_size`."
        )
    if width % GROUPS:
        raise UsageError(f"The width must be a multiple of {GROUPS}. Received: {width}")
    image, t = keras.Input(tuple(image_shape), name="x"), keras.Input((), name="t")
    time = layers.Dense(4 * width, activation="silu")(SinusoidalEmbedding(2 * width)(t))

    x = fine = layers.Conv2D(width, 3, padding="same")(_patches(image))  # (B, H/2, W/2, w)
    x = fine = _block(x, time, width)
    x = layers.Conv2D(2 * width, 3, strides=2, padding="same")(x)  # (B, H/4, W/4, 2w)
    for _ in range(2):
        x = _block(x, time, 2 * width)
    x = fine + layers.Conv2DTranspose(width, 2, strides=2)(x)
    x = _block(x, time, width)
    x = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(x))
    x = layers.Conv2D(4 * channels, 3, padding="same", kernel_initializer="zeros", dtype="float32")(
        x
    )
    return keras.Model([image, t], _pixels(x), name=name)


def _block(x, time, width):
    """x + f(x): two convolutions; between them the time scales and shifts each channel."""
    h = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(x))
    h = layers.Conv2D(width, 3, padding="same")(h)
    h = layers.GroupNormalization(GROUPS)(h)
    scale = layers.Reshape((1, 1, width))(layers.Dense(width)(time))
    shift = layers.Reshape((1, 1, width))(layers.Dense(width)(time))
    h = layers.Activation("silu")(h * (1.0 + scale) + shift)
    h = layers.Conv2D(width, 3, padding="same")(h)
    if x.shape[-1] != width:
        x = layers.Conv2D(width, 1)(x)
    return x + h


def _patches(x):
    """(B, H, W, C) to (B, H/2, W/2, 4C): each 2x2 patch becomes one pixel."""
    _, h, w, c = x.shape
    x = layers.Reshape((h // 2, 2, w // 2, 2 * c))(x)
    return layers.Reshape((h // 2, w // 2, 4 * c))(layers.Permute((1, 3, 2, 4))(x))


def _pixels(x):
    """The inverse of `_patches`."""
    _, h, w, c = x.shape
    x = layers.Permute((1, 3, 2, 4))(layers.Reshape((h, w, 2, c // 2))(x))
    return layers.Reshape((2 * h, 2 * w, c // 4))(x)
