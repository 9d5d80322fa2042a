"""Texts as numbers, and a network that reads them.

>>> tokenizer = Tokenizer()
>>> words = tokenizer.encode(["a thick red three"], 24)  # int32 (1, 24)
>>> sequence, pooled = text_encoder(len(tokenizer), 24)(words)  # (1, 24, 64), (1, 128)

Plain Python and Keras layers: Keras's `TextVectorization` needs TensorFlow.
"""

import dataclasses

import keras
import numpy as np
from keras import layers, ops

from ganedu.data.grammar import VOCABULARY, split
from ganedu.layers import PositionEmbedding
from ganedu.runtime import UsageError

SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
PAD, START, END, UNKNOWN = range(4)
DISTANCES = (1, 2, 4, 8)  # between the words that a convolution sees


@dataclasses.dataclass(frozen=True)
class Tokenizer:
    """Words to numbers and back. Four come first: padding is 0, then start, end and unknown.

    Args:
        vocabulary: tuple of distinct str, in small letters. Defaults to the grammar's vocabulary.

    Raises:
        UsageError: for words that are not distinct, or that `split` would not give.
    """

    vocabulary: tuple = VOCABULARY

    def __post_init__(self):
        if len(set(self.vocabulary)) < len(self.vocabulary) or any(
            split(w) != [w] for w in self.vocabulary
        ):
            raise UsageError(
                f"Words must be distinct and in small letters. Received: {self.vocabulary}"
            )
        object.__setattr__(
            self, "_numbers", {w: i for i, w in enumerate(self.vocabulary, len(SPECIAL))}
        )

    def __len__(self):
        """The number of tokens, the four special ones included."""
        return len(SPECIAL) + len(self.vocabulary)

    def unknown(self, texts):
        """The words of texts that have no number, sorted: a tuple of str, for a caller that refuses them."""
        return tuple(
            sorted({w for text in _texts(texts) for w in split(text)} - set(self.vocabulary))
        )

    def encode(self, texts, length=None):
        """Texts to their words' numbers.

        Args:
            texts: sequence of N str. A text without words is start and end alone.
            length: int, tokens in each row, start and end included; shorter ones are padded. Defaults
                to what the longest needs.

        Returns:
            int32 array (N, length). Words outside the vocabulary are `UNKNOWN`.

        Raises:
            UsageError: for a text that needs more tokens than `length`, and for anything but str.
        """
        rows = [
            [START, *(self._numbers.get(w, UNKNOWN) for w in split(text)), END]
            for text in _texts(texts)
        ]
        longest = max(map(len, rows), default=2)
        length = longest if length is None else length
        if longest > length:
            text = texts[max(range(len(rows)), key=lambda i: len(rows[i]))]
            raise UsageError(
                f"A text may have at most {length - 2} words. Received: {longest - 2} in {text!r}"
            )
        tokens = np.full((len(rows), length), PAD, "int32")
        for token, row in zip(tokens, rows, strict=True):
            token[: len(row)] = row
        return tokens

    def decode(self, tokens):
        """Numbers to texts: what `encode` gave, without marks and capitals.

        Args:
            tokens: int array (N, L). What follows the first end is not read; padding and starts are
                skipped; unknown words are `"<unknown>"`.

        Returns:
            List of N str.

        Raises:
            UsageError: for another shape, and a number outside the vocabulary.
        """
        tokens = np.asarray(tokens)
        if tokens.ndim != 2 or not np.issubdtype(tokens.dtype, np.integer):
            raise UsageError(f"Tokens must be int (N, L). Received: {tokens.dtype} {tokens.shape}")
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < len(self):
            raise UsageError(
                f"Tokens must lie in [0, {len(self)}). Received: {tokens.min()} to {tokens.max()}"
            )
        names = (*SPECIAL, *self.vocabulary)
        texts = []
        for row in tokens.tolist():
            row = row[: row.index(END)] if END in row else row
            texts.append(" ".join(names[t] for t in row if t not in (PAD, START)))
        return texts


def _texts(texts):
    if isinstance(texts, str):
        raise UsageError(f"Texts must be a sequence of str. Received: the one str {texts!r}")
    return texts


def beam_search(log_probabilities, count, length, beams=1):
    """The likeliest sentences that are found when `beams` beginnings are kept; one beam is greedy search.

    Args:
        log_probabilities: function of beginnings, int32 (count * beams, t), to the next word's
            log-probabilities (count * beams, V).
        count: int, how many sentences are wanted.
        length: int, tokens at most, the start and the end included.
        beams: int. Defaults to `1`.

    Returns:
        `(tokens, score)`: int32 (count, length), from start to end, padded; and their log-probabilities (count,).
    """
    tokens = np.full((count, beams, length), PAD, "int32")
    tokens[:, :, 0] = START
    score = np.full((count, beams), -np.inf)
    score[:, 0] = 0.0  # all beams begin alike: one of them counts
    for t in range(1, length):
        ended = (tokens == END).any(axis=2)
        if ended.all():
            break
        told = log_probabilities(tokens[:, :, :t].reshape(-1, t)).reshape(count, beams, -1)
        told = np.where(ended[..., None], -np.inf, told)
        told[..., PAD] = np.where(ended, 0.0, -np.inf)  # what has ended stays, at no cost
        total = (score[..., None] + told).reshape(count, -1)
        best = np.argsort(-total, axis=1, kind="stable")[:, :beams]
        score = np.take_along_axis(total, best, axis=1)
        beam, word = np.divmod(best, told.shape[-1])
        tokens = np.take_along_axis(tokens, beam[..., None], axis=1)
        tokens[:, :, t] = word
    return tokens[:, 0], score[:, 0]


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
