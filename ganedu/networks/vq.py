"""Networks of images that are grids of codes: encoder, decoder, and the prior over the next code.

Reference:
    van den Oord, Vinyals and Kavukcuoglu 2017, section 4, arXiv:1711.00937; the transformer from
    Vaswani et al. 2017, arXiv:1706.03762; masked convolutions from van den Oord, Kalchbrenner and
    Kavukcuoglu 2016, "Pixel recurrent neural networks", arXiv:1601.06759.
"""

import math

import keras
from keras import layers

from ganedu.layers import MaskedConv2D, PositionEmbedding
from ganedu.networks.convolutional import check_sides
from ganedu.runtime import UsageError


def vq_encoder(image_shape, code_dim, width, kernel=1):
    """Images (B, H, W, C) to a map (B, H/4, W/4, code_dim), normalized at each place: without, codes
    and map shrink together and say nothing. Where the last convolution has a larger `kernel`, each of its sides
    is `kernel` - 1 shorter, and a code is about more of the image.

    Raises:
        UsageError: for sides that 4 does not divide, and a kernel larger than the map.
    """
    check_sides(image_shape, 4)
    if kernel > min(image_shape[:2]) // 4:
        raise UsageError(
            f"A kernel of {kernel} needs sides of at least {4 * kernel}. Received: {tuple(image_shape)}"
        )
    image = keras.Input(tuple(image_shape), name="x")
    x = halved_twice(image, width)
    x = layers.LayerNormalization(dtype="float32")(layers.Conv2D(code_dim, kernel)(x))
    return keras.Model(image, x, name="encoder")


def halved_twice(x, width):
    """A map (B, H, W, c) to (B, H/4, W/4, 2 width)."""
    for w in (width, 2 * width):
        x = layers.Conv2D(w, 4, strides=2, padding="same", activation="gelu")(x)
    return layers.Conv2D(2 * width, 3, padding="same", activation="gelu")(x)


def vq_decoder(latent_shape, channels, width, depth=1, kernel=1):
    """A map (B, h, w, code_dim) to images (B, 4h, 4w, channels), unbounded: tanh would be flat at the
    black that most of a digit is, and stay there. `depth` convolutions see the map before it grows.
    `kernel` is that of the encoder: what it took from the map's sides is given back first."""
    x = z_q = keras.Input(latent_shape, name="z_q")
    if kernel > 1:
        x = layers.Conv2DTranspose(2 * width, kernel, activation="gelu")(x)
    for _ in range(depth):
        x = layers.Conv2D(2 * width, 3, padding="same", activation="gelu")(x)
    x = layers.Conv2DTranspose(width, 4, strides=2, padding="same", activation="gelu")(x)
    x = layers.Conv2DTranspose(channels, 4, strides=2, padding="same", dtype="float32")(x)
    return keras.Model(z_q, x, name="decoder")


def autoregressive_prior(length, num_embeddings, width=64, blocks=2):
    """Codes so far (B, L), each in [0, K] (K, `num_embeddings`, is the start), to logits (B, L, K) of
    the next: a causal transformer."""
    codes = keras.Input((length,), dtype="int32", name="codes")
    x = PositionEmbedding()(layers.Embedding(num_embeddings + 1, width)(codes))  # (B, L, width)
    for _ in range(blocks):
        h = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, width // 4)(h, h, use_causal_mask=True)
        h = layers.LayerNormalization()(x)
        x = x + layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(h))
    logits = layers.Dense(num_embeddings, dtype="float32")(layers.LayerNormalization()(x))
    return keras.Model(codes, logits, name="prior")


def pixelcnn_prior(latent_grid_shape, num_embeddings, width=64, depth=4):
    """As `autoregressive_prior`, for codes that lie in a grid (h, w) and are read row by row: residual blocks of
    masked convolutions, each a 3x3 after a 7x7 that sees most of a small grid.

    Args:
        latent_grid_shape: (h, w); L is h w.
        num_embeddings: int, K.
        width: int, channels. Defaults to `64`.
        depth: int, residual blocks. Defaults to `4`.
    """
    length = math.prod(latent_grid_shape)
    codes = keras.Input((length,), dtype="int32", name="codes")
    # One place back: each code lies at its own place again, which the first mask hides.
    x = layers.Cropping1D((1, 0))(layers.Embedding(num_embeddings + 1, width // 4)(codes))
    x = PositionEmbedding()(layers.ZeroPadding1D((0, 1))(x))  # (B, L, width / 4)
    x = layers.Reshape((*latent_grid_shape, width // 4))(x)
    x = MaskedConv2D(width, 7, mask="A")(x)
    for _ in range(depth):
        h = layers.ReLU()(layers.RMSNormalization()(x))
        h = MaskedConv2D(width, 3, mask="B", activation="relu")(h)
        x = x + layers.Conv2D(width, 1)(h)
    x = layers.ReLU()(layers.RMSNormalization()(x))
    logits = layers.Conv2D(num_embeddings, 1, dtype="float32", name="head")(x)
    logits = layers.Reshape((length, num_embeddings), dtype="float32")(logits)
    return keras.Model(codes, logits, name="prior")
