"""The likeliest sentences of a network that tells the next token."""

import numpy as np

from ganedu.data.captions.tokenizer import END, PAD, START


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
