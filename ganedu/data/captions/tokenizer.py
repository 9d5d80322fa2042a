"""Texts as numbers.

>>> tokenizer = Tokenizer()
>>> tokens = tokenizer.encode(["a thick red three"], 24)  # int32 (1, 24)

Plain Python: Keras's `TextVectorization` needs TensorFlow.
"""

import dataclasses

import numpy as np

from ganedu.data.captions.grammar import VOCABULARY, split
from ganedu.runtime import UsageError

SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
PAD, START, END, UNKNOWN = range(4)


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
