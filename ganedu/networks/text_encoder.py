"""The text encoder that models of texts share.

>>> sequence, pooled = text_encoder(len(tokenizer), 24)(tokens)  # (B, 24, 64), (B, 128)
"""

import keras
from keras import layers, ops

from ganedu.data.captions.tokenizer import PAD
from ganedu.layers import PositionEmbedding
from ganedu.runtime import UsageError

DISTANCES = (1, 2, 4, 8)  # between the words that a convolution sees


def text_encoder(vocabulary, length, width=64, blocks=2, heads=4):
    """Convolutions and a transformer that read tokens in both directions.

    The convolutions, each twice as far apart as those before it, bind words to their neighbours: which colour is
    which digit's. The largest value over the words tells that a phrase is there, wherever it stands. Without
    either, which of two is red is not learnt for a long time, though the words themselves are.

    Padding is seen by no word; its own places are 0, and it is not pooled, so that a text means
    the same however much it is padded.

    Args:
        vocabulary: int, the number of tokens: `len(tokenizer)`.
        length: int, tokens in a row.
        width: int, a multiple of `heads`. Defaults to `64`.
        blocks: int, of the transformer. Defaults to `2`.
        heads: int. Defaults to `4`.

    Returns:
        Keras model, int32 tokens (B, length) -> `[sequence (B, length, width), pooled (B, 2 width)]`, the
        second one the mean and the largest value over the words.

    Raises:
        UsageError: for a width that the heads do not divide.

    Reference:
        Vaswani et al. 2017, section 3, arXiv:1706.03762, with the normalization before each part as in
        Xiong et al. 2020, arXiv:2002.04745; dilated convolutions as in van den Oord et al. 2016, figure 3,
        arXiv:1609.03499; max-over-time pooling as in Kim 2014, section 2, arXiv:1408.5882.
    """
    if width % heads:
        raise UsageError(
            f"The width must be a multiple of the heads. Received: {width} and {heads}"
        )
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    there = ops.expand_dims(ops.not_equal(tokens, PAD), -1)  # (B, L, 1)
    apart = keras.initializers.RandomNormal(stddev=0.5)  # words far apart from the first step on
    x = PositionEmbedding()(layers.Embedding(vocabulary, width, apart)(tokens))  # (B, L, d)
    weight = ops.cast(there, x.dtype)
    for distance in DISTANCES:
        h = layers.LayerNormalization()(x) * weight
        near = layers.Conv1D(width, 3, dilation_rate=distance, padding="same", activation="silu")
        x = x + near(h)
    for _ in range(blocks):
        h = layers.LayerNormalization()(x)
        # (B, 1, L): which words each one may look at
        attention = layers.MultiHeadAttention(heads, width // heads)
        x = x + attention(h, h, attention_mask=ops.transpose(there, (0, 2, 1)))
        h = layers.LayerNormalization()(x)
        x = x + layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(h))
    x = layers.LayerNormalization()(x)
    largest = ops.max(ops.where(there, x, -1e4), axis=1) * ops.max(weight, axis=1)
    x = x * weight
    mean = ops.sum(x, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1.0)
    pooled = ops.concatenate([mean, largest], axis=-1)
    return keras.Model(tokens, [x, pooled], name="text_encoder")
