"""Networks of images that are grids of codes: encoder, decoder, and the prior over the next code.

Reference:
    van den Oord, Vinyals and Kavukcuoglu 2017, section 4, arXiv:1711.00937; the transformer from
    Vaswani et al. 2017, arXiv:1706.03762.
"""

import keras
from keras import layers

from ganedu.layers import PositionEmbedding
from ganedu.networks.convolutional import check_sides


def vq_encoder(image_shape, code_dim, width):
    """Images (B, H, W, C) to a map (B, H/4, W/4, code_dim), normalized at each place: without, codes
    and map shrink together and say nothing.

    Raises:
        UsageError: for sides that 4 does not divide.
    """
    check_sides(image_shape, 4)
    image = keras.Input(tuple(image_shape), name="x")
    x = halved_twice(image, width)
    x = layers.LayerNormalization(dtype="float32")(layers.Conv2D(code_dim, 1)(x))
    return keras.Model(image, x, name="encoder")


def halved_twice(x, width):
    """A map (B, H, W, c) to (B, H/4, W/4, 2 width)."""
    for w in (width, 2 * width):
        x = layers.Conv2D(w, 4, strides=2, padding="same", activation="gelu")(x)
    return layers.Conv2D(2 * width, 3, padding="same", activation="gelu")(x)


def vq_decoder(latent_shape, channels, width, depth=1):
    """A map (B, h, w, code_dim) to images (B, 4h, 4w, channels), unbounded: tanh would be flat at the
    black that most of a digit is, and stay there. `depth` convolutions see the map before it grows."""
    x = z_q = keras.Input(latent_shape, name="z_q")
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
