"""The network of diffusion and flows: a noisy image and a time to something of the image's shape."""

import keras
from keras import layers

from ganedu.layers import SinusoidalEmbedding
from ganedu.networks.convolutional import check_sides, space_to_depth
from ganedu.runtime import UsageError

GROUPS = 8
THIN = 16  # channels of the coarse map that the dense layers see


def denoiser(image_shape, width=16, units=64, num_classes=None, name="denoiser"):
    """`[x, t]`, (B, H, W, C) and (B,) in [0, 1], to (B, H, W, C), unbounded: a small U-Net.

    It works on patches of 2x2 pixels, so its first maps have half the image's sides, and a quarter
    of the arithmetic; a second level has half of that and four times the channels, and there dense layers see the
    whole map at once, where larger networks attend. On each level the time scales and shifts what residual blocks
    do. The last layer starts at zero, and x itself is added to it, times a gain that the time
    decides.

    Args:
        image_shape: (H, W, C), sides divisible by 4.
        width: int, channels of the first maps, a multiple of 8. Defaults to `16`.
        units: int, how many numbers the dense layers have for the whole map. Defaults to `64`.
        num_classes: int, K: the network then reads `[x, t, y]`, y one-hot (B, K), or zeros: no class. Defaults to
            `None`.
        name: str.

    Raises:
        UsageError: for other sides or widths.

    Reference:
        Ronneberger, Fischer and Brox 2015, "U-Net", arXiv:1505.04597; the residual blocks from Ho,
        Jain and Abbeel 2020, appendix B, arXiv:2006.11239, with the normalization of Zhang and Sennrich 2019,
        arXiv:1910.07467; the gain after Karras, Aittala, Aila and Laine 2022, equation 7, arXiv:2206.00364.
    """
    check_sizes(image_shape, width, 4)
    channels = image_shape[-1]
    inputs = [keras.Input(tuple(image_shape), name="x"), keras.Input((), name="t")]
    image, t = inputs
    time = layers.Dense(4 * width)(SinusoidalEmbedding(4 * width)(t))
    if num_classes is not None:
        inputs.append(keras.Input((num_classes,), name="y"))
        time = time + layers.Dense(4 * width, use_bias=False)(inputs[-1])
    time = layers.Activation("silu")(time)

    x = layers.Conv2D(width, 3, padding="same")(_patches(image))  # (B, H/2, W/2, w)
    x = fine = residual_block(x, time, rms)
    x = layers.Conv2D(4 * width, 3, strides=2, padding="same")(x)  # (B, H/4, W/4, 4w)
    x = residual_block(x, time, rms)
    x = residual_block(global_mlp_block(x, time, units, rms), time, rms)
    x = fine + layers.Conv2DTranspose(width, 2, strides=2)(x)
    x = residual_block(x, time, rms)
    x = layers.Activation("silu")(rms()(x))
    zeros = {"kernel_initializer": "zeros", "dtype": "float32"}
    x = layers.Conv2D(4 * channels, 3, padding="same", name="head", **zeros)(x)
    gain = layers.Dense(1, name="head_gain", dtype="float32")(time)
    gain = layers.Reshape((1, 1, 1), dtype="float32")(gain)
    return keras.Model(inputs, _pixels(x) + gain * image, name=name)


def group_norm():
    """Each group of channels to mean 0 and variance 1 over the whole map."""
    return layers.GroupNormalization(GROUPS)


def rms():
    """Each place's channels to mean square 1: no sums over the map, a third of the time of `group_norm`."""
    return layers.RMSNormalization()


def check_sizes(image_shape, width, divisor):
    """Refuses sides that the `divisor` and a width that the groups do not divide.

    Raises:
        UsageError: for these.
    """
    check_sides(image_shape, divisor)
    check_width(width)


def check_width(width):
    """Refuses a width that the groups do not divide.

    Raises:
        UsageError: for these.
    """
    if width % GROUPS:
        raise UsageError(f"The width must be a multiple of {GROUPS}. Received: {width}")


def residual_block(x, time, norm=group_norm):
    """x + f(x): two convolutions, with the time between them; `norm` makes a layer that normalizes."""
    width = x.shape[-1]
    h = layers.Activation("silu")(norm()(x))
    h = layers.Conv2D(width, 3, padding="same")(h)
    h = film(time, norm()(h))
    return x + layers.Conv2D(width, 3, padding="same")(layers.Activation("silu")(h))


def global_mlp_block(x, time, units, norm=group_norm):
    """x + f(x): the whole map (B, h, w, c) through `units` numbers, with the time between."""
    _, height, width, channels = x.shape
    h = layers.Conv2D(THIN, 1)(norm()(x))
    h = film(time, layers.Dense(units)(layers.Flatten()(h)))
    h = layers.Dense(height * width * THIN)(layers.Activation("silu")(h))
    h = layers.Reshape((height, width, THIN))(h)
    return x + layers.Conv2D(channels, 1)(h)


def film(time, h):
    """h, each channel scaled and shifted as the time says."""
    shape = (1,) * (len(h.shape) - 2) + (h.shape[-1],)
    scale, shift = (layers.Reshape(shape)(layers.Dense(h.shape[-1])(time)) for _ in range(2))
    return h * (1.0 + scale) + shift


def _patches(x):
    """(B, H, W, C) to (B, H/2, W/2, 4C): each 2x2 patch becomes one pixel."""
    return space_to_depth(x, 2)


def _pixels(x):
    """The inverse of `_patches`, in float32."""
    _, h, w, c = x.shape
    x = layers.Reshape((h, w, 2, c // 2), dtype="float32")(x)
    x = layers.Permute((1, 3, 2, 4), dtype="float32")(x)
    return layers.Reshape((2 * h, 2 * w, c // 4), dtype="float32")(x)
