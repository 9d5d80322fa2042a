"""Networks that see images and read texts."""

import keras
from keras import layers, ops

from ganedu.data.captions.tokenizer import PAD
from ganedu.layers import DRAWWrite, PositionEmbedding, SinusoidalEmbedding
from ganedu.networks.convolutional import (
    BATCH_NORM_MOMENTUM,
    NEGATIVE_SLOPE,
    discriminator,
    generator,
)
from ganedu.networks.text_encoder import text_encoder
from ganedu.networks.unet import GROUPS, check_sizes, global_mlp_block, residual_block

OBJECTS, PATCH = 2, 12  # in a picture; pixels along the side of a sketch of one


def text_denoiser(
    image_shape, vocabulary, length, width=32, units=128, text_width=64, extra=0, name="denoiser"
):
    """`[x, t, tokens]`, (B, H, W, C), (B,) in [0, 1] and int32 (B, length), to (B, H, W, C): a U-Net like
    `denoiser`, told what to draw.

    The text enters three times. What it says as a whole, the mean and the largest values that a text encoder
    makes of it and the sum of its words, stands beside the time, and so scales and shifts what every block does,
    the dense layers that see the whole map among them. It draws a coarse map that is laid beside the middle
    maps and added to the lowest. And it sketches: two patches and where each belongs, written into a map that the first
    layer and the last one see. Small strokes need the image's own resolution: a thin first and last block has it.

    Args:
        image_shape: (H, W, C), sides divisible by 8.
        vocabulary: int, the number of tokens.
        length: int, tokens in a text.
        width: int, channels of the middle maps, a multiple of 8. Defaults to `32`.
        units: int, as for `denoiser`. Defaults to `128`.
        text_width: int, a multiple of 4. Defaults to `64`.
        extra: int, channels of x more than C, a multiple of C, such as an image to be changed. Defaults
            to `0`.
        name: str.

    Raises:
        UsageError: for other sides or widths.

    Reference:
        Perez et al. 2018, "FiLM", arXiv:1709.07871; Rombach et al. 2022, section 3.3, arXiv:2112.10752;
        Gregor et al. 2015, "DRAW", section 3.2, arXiv:1502.04623.
    """
    height, width_, channels = image_shape
    check_sizes(image_shape, width, 8)
    image = keras.Input((height, width_, channels + extra), name="x")
    t, tokens = keras.Input((), name="t"), keras.Input((length,), dtype="int32", name="tokens")
    there = ops.not_equal(tokens, PAD)  # (B, L)
    _, pooled = text_encoder(vocabulary, length, text_width, blocks=1)(tokens)
    spread = keras.initializers.RandomNormal(stddev=0.5)  # words far apart from the first step on
    single = layers.Embedding(vocabulary, text_width, spread)(tokens)
    total = ops.sum(single * ops.expand_dims(ops.cast(there, single.dtype), -1), axis=1)
    text_embedding = layers.Dense(4 * width, activation="silu", name="text_embedding")
    text_embedding = text_embedding(layers.Concatenate()([pooled, total]))
    time = layers.Dense(4 * width)(SinusoidalEmbedding(2 * width)(t))
    told = layers.Activation("silu")(time + layers.Dense(4 * width)(text_embedding))
    told = layers.Dense(4 * width, activation="silu")(told)
    coarse = layers.Dense(height // 4 * (width_ // 4) * GROUPS)(text_embedding)
    coarse = layers.Reshape((height // 4, width_ // 4, GROUPS))(coarse)
    sketch = _sketch(text_embedding, height, width_)

    narrow = GROUPS * max(1, width // (2 * GROUPS))  # half as many channels
    x = layers.Concatenate()([image, sketch])
    x = thin = residual_block(layers.Conv2D(narrow, 3, padding="same")(x), told)
    x = layers.Concatenate()(
        [layers.Conv2D(width, 2, strides=2)(x), layers.UpSampling2D(2)(coarse)]
    )
    x = fine = residual_block(layers.Conv2D(width, 3, padding="same")(x), told)  # (B, H/2, W/2, w)
    x = layers.Conv2D(2 * width, 3, strides=2, padding="same")(x)  # (B, H/4, W/4, 2w)
    x = residual_block(x + layers.Conv2D(2 * width, 1)(coarse), told)
    x = residual_block(global_mlp_block(x, told, units), told)
    x = residual_block(fine + layers.Conv2DTranspose(width, 2, strides=2)(x), told)
    x = residual_block(thin + layers.Conv2DTranspose(narrow, 2, strides=2)(x), told)
    x = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(x))
    x = layers.Concatenate()([x, sketch])
    zeros = {"kernel_initializer": "zeros", "dtype": "float32"}
    generated = layers.Conv2D(channels, 3, padding="same", name="head", **zeros)(x)
    for i in range(0, channels + extra, channels):
        gain = layers.Dense(1, dtype="float32", name=f"head_gain_{i}")(told)
        gain = layers.Reshape((1, 1, 1), dtype="float32")(gain)
        generated = generated + gain * image[..., i : i + channels]
    return keras.Model([image, t, tokens], generated, name=name)


def _sketch(text_embedding, height, width):
    """What is said of each of `OBJECTS` objects, (B, d), as a map (B, height, width, GROUPS): all patches are drawn
    by one layer, so that a digit is learnt once whichever it is of the two."""
    each = layers.Dense(OBJECTS * text_embedding.shape[-1], activation="silu")(text_embedding)
    each = layers.Reshape((OBJECTS, text_embedding.shape[-1]))(each)
    patches = layers.Dense(PATCH * PATCH * GROUPS)(each)
    patches = layers.Reshape((OBJECTS, PATCH, PATCH, GROUPS))(patches)
    apart = keras.initializers.RandomNormal(stddev=0.1)
    start = {"kernel_initializer": "zeros", "bias_initializer": apart, "dtype": "float32"}
    where = layers.Dense(text_embedding.shape[-1], activation="silu")(text_embedding)
    where = layers.Reshape((OBJECTS, 3))(
        layers.Dense(OBJECTS * 3, name="head_where", **start)(where)
    )
    return DRAWWrite(height, width, dtype="float32")([patches, where])


def image_encoder(image_shape, width=32, name="encoder"):
    """Images (B, H, W, C) to a map of features (B, H/4, W/4, 2 width): six 3x3 convolutions, each
    with batch normalization and a ReLU. Half of a digit is seen from every place."""
    x = image = keras.Input(tuple(image_shape), name="x")
    for channels, strides in ((1, 2), (1, 1), (2, 2), (2, 1), (2, 1), (2, 1)):
        x = layers.Conv2D(channels * width, 3, strides, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
    x = layers.Activation("linear", dtype="float32")(x)
    return keras.Model(image, x, name=name)


def caption_decoder(feature_shape, vocabulary, length, width=96, blocks=2, heads=4):
    """`[places, tokens]`, a map (B, h, w, c) and the tokens so far, int32 (B, length), to the next word's
    logits (B, length, vocabulary) and where the last block looked for it, (B, length, h w), of sum 1.

    Each block lets a word look back at the words before it, then at the image's places, then think.

    Args:
        feature_shape: (h, w, c).
        vocabulary: int, the number of tokens.
        length: int.
        width: int, a multiple of `heads`. Defaults to `96`.
        blocks: int. Defaults to `2`.
        heads: int. Defaults to `4`.

    Reference:
        Vaswani et al. 2017, section 3, arXiv:1706.03762, normalized first as in Xiong et al. 2020,
        arXiv:2002.04745.
    """
    height, width_, channels = feature_shape
    places = keras.Input(tuple(feature_shape), name="places")
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    seen = layers.Reshape((height * width_, channels))(places)
    seen = layers.LayerNormalization()(PositionEmbedding()(layers.Dense(width)(seen)))
    x = PositionEmbedding()(layers.Embedding(vocabulary, width)(tokens))  # (B, L, d)
    for _ in range(blocks):
        h = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(heads, width // heads)(h, h, use_causal_mask=True)
        h = layers.LayerNormalization()(x)
        looking = layers.MultiHeadAttention(heads, width // heads)
        h, scores = looking(h, seen, return_attention_scores=True)  # (B, heads, L, h w)
        x = x + h
        h = layers.LayerNormalization()(x)
        x = x + layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(h))
    logits = layers.Dense(vocabulary, dtype="float32")(layers.LayerNormalization()(x))
    return keras.Model(
        [places, tokens], [logits, ops.mean(ops.cast(scores, "float32"), axis=1)], name="decoder"
    )


def image_tower(image_shape, dim, width=32, name="images"):
    """Images (B, H, W, C) to (B, dim): `image_encoder`, then two dense layers that see the whole map."""
    body = image_encoder(image_shape, width)
    seen = layers.Dense(4 * dim, activation="relu")(layers.Flatten()(body.output))
    return keras.Model(body.input, layers.Dense(dim, dtype="float32")(seen), name=name)


def text_tower(vocabulary, length, dim, text_width=64, name="texts"):
    """Words int32 (B, length) to (B, dim): what a text encoder says of them all, then two dense layers."""
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    _, text_embedding = text_encoder(vocabulary, length, text_width)(tokens)
    text_embedding = layers.Dense(4 * dim, activation="relu")(text_embedding)
    return keras.Model(tokens, layers.Dense(dim, dtype="float32")(text_embedding), name=name)


def text_generator(
    image_shape, vocabulary, length, latent_dim, width=32, text_width=64, name="generator"
):
    """`[z, tokens]`, (B, latent_dim) and int32 (B, length), to images (B, H, W, C): `generator`, of z beside
    what a text encoder says."""
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    z = keras.Input((latent_dim,), name="z")
    _, text_embedding = text_encoder(vocabulary, length, text_width)(tokens)
    both = layers.Concatenate()([z, text_embedding])
    generated = generator(image_shape, latent_dim + 2 * text_width, width)(both)
    return keras.Model([z, tokens], generated, name=name)


def text_discriminator(
    image_shape, vocabulary, length, width=32, text_width=64, name="discriminator"
):
    """`[x, tokens]` to logits (B, 1): an image's features phi beside phi V h, h the text's, through a hidden
    layer, so that it can be held against each other what is seen and what is said."""
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    x = keras.Input(tuple(image_shape), name="x")
    _, text_embedding = text_encoder(vocabulary, length, text_width)(tokens)
    features = 4 * text_width
    phi = layers.LeakyReLU(NEGATIVE_SLOPE)(discriminator(image_shape, width, features)(x))
    both = layers.Concatenate()([phi, phi * layers.Dense(features, name="V")(text_embedding)])
    hidden = layers.LeakyReLU(NEGATIVE_SLOPE)(layers.Dense(features)(both))
    return keras.Model([x, tokens], layers.Dense(1, dtype="float32")(hidden), name=name)
