"""Networks from image to image, and the PatchGAN discriminator."""

import keras
from keras import layers

from ganedu.layers import SpectralConv2D
from ganedu.networks.convolutional import BATCH_NORM_MOMENTUM, NEGATIVE_SLOPE, num_downsamplings


def unet_translator(image_shape, channels, width=32, dropout=0.5, seed=0, name="generator"):
    """Images (B, H, W, C) to images (B, H, W, `channels`) in [-1, 1]: down by 4x4 convolutions of
    stride 2, up again, with a skip from each map to its mirror.

    Args:
        image_shape: (H, W, C).
        channels: int.
        width: int, channels of the first map; each map after has twice as many, up to 4 `width`.
            Defaults to `32`.
        dropout: float in [0, 1), after the first layer up: the only chance in the network. Defaults
            to `0.5`.
        seed: int, of the dropout. Defaults to `0`.
        name: str.

    Reference:
        Isola, Zhu, Zhou and Efros 2017, section 3.2.1 and appendix 6.1, arXiv:1611.07004.
    """
    x = image = keras.Input(tuple(image_shape), name="x")
    skips, downs = [], num_downsamplings(image_shape)
    for i in range(downs):
        skips.append(x)
        x = layers.Conv2D(width * min(2**i, 4), 4, strides=2, padding="same")(x)
        x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x) if i else x
        x = layers.LeakyReLU(NEGATIVE_SLOPE)(x)
    x = layers.Conv2D(width * min(2**downs, 4), 3, padding="same", activation="relu")(x)
    for i in reversed(range(downs)):
        x = layers.Conv2DTranspose(
            width * min(2 ** max(i - 1, 0), 4), 4, strides=2, padding="same", use_bias=False
        )(x)
        x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)
        if i == downs - 1:
            x = layers.Dropout(dropout, seed=seed)(x)
        x = layers.Concatenate()([layers.ReLU()(x), skips[i]])
    x = layers.Conv2D(channels, 3, padding="same", activation="tanh", dtype="float32")(x)
    return keras.Model(image, x, name=name)


def resnet_translator(image_shape, channels, width=24, blocks=2, name="translator"):
    """Images (B, H, W, C) to images (B, H, W, `channels`) in [-1, 1]: down once, residual blocks,
    up once, with instance normalization.

    Args:
        image_shape: (H, W, C), sides even.
        channels: int.
        width: int, channels at full size. Defaults to `24`.
        blocks: int. Defaults to `2`.
        name: str.

    Raises:
        UsageError: for other sides.

    Reference:
        Zhu, Park, Isola and Efros 2017, section 4 and appendix 7.2, arXiv:1703.10593.
    """

    num_downsamplings(image_shape)  # refuses what cannot be halved

    def convolved(x, filters, activate=True, conv=layers.Conv2D, **kwargs):
        x = conv(filters, 3, padding="same", use_bias=False, **kwargs)(x)
        x = layers.GroupNormalization(groups=-1)(x)
        return layers.ReLU()(x) if activate else x

    image = keras.Input(tuple(image_shape), name="x")
    x = convolved(image, width)
    x = convolved(x, 2 * width, strides=2)
    for _ in range(blocks):
        x = x + convolved(convolved(x, 2 * width), 2 * width, activate=False)
    x = convolved(x, width, conv=layers.Conv2DTranspose, strides=2)
    x = layers.Conv2D(channels, 7, padding="same", activation="tanh", dtype="float32")(x)
    return keras.Model(image, x, name=name)


def patch_discriminator(image_shape, width=32, spectral_norm=False, name="discriminator"):
    """Images (B, H, W, C) to logits (B, H/4, W/4, 1): each sees a patch of 18x18 pixels, and none
    sees more.

    Two 4x4 convolutions of stride 2 and a 3x3: seen from behind, 3 -> 2 * 2 + 4 = 8 -> 7 * 2 + 4 =
    18. Instance normalization after the second would let it see the whole image's statistics, so
    there is none.

    Args:
        image_shape: (H, W, C), sides divisible by 4.
        width: int, channels of the first map. Defaults to `32`.
        spectral_norm: bool, whether its layers are `SpectralConv2D`. Defaults to `False`.
        name: str.

    Reference:
        Isola, Zhu, Zhou and Efros 2017, section 3.2.2, arXiv:1611.07004, where patches have 70x70.
    """
    conv = SpectralConv2D if spectral_norm else layers.Conv2D
    x = image = keras.Input(tuple(image_shape), name="x")
    for i in range(2):
        x = conv(width * 2**i, 4, strides=2, padding="same")(x)
        x = layers.LeakyReLU(NEGATIVE_SLOPE)(x)
    x = conv(1, 3, padding="same", dtype="float32")(x)
    return keras.Model(image, x, name=name)
