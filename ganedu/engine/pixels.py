"""The distribution of a pixel, whose parameters a network gives: its log-probability, and draws from it."""

import numpy as np
from keras import ops

from ganedu.losses import bernoulli_log_prob, logistic_mixture_log_prob, split_mixture


def pixel_log_probs(x, parameters, levels):
    """log p(x_i | pixels before it) in nats: x (B, H, W, C) in [-1, 1] and what the network gives, logits (B, H,
    W, C) or the parameters of a mixture, to (B, H, W)."""
    if levels == 2:
        return ops.sum(bernoulli_log_prob(x, parameters), axis=-1)
    return logistic_mixture_log_prob(x, *split_mixture(parameters, x.shape[-1]), levels)


def sample_pixels(parameters, channels, levels, rng):
    """Draws pixels (N, C), float32, of what the network gives for them (N, P), NumPy; `rng` is NumPy's."""
    if levels == 2:
        return np.where(rng.logistic(size=parameters.shape) < parameters, 1.0, -1.0)
    split = split_mixture(ops.convert_to_tensor(parameters), channels)
    logits, means, log_scales, coefficients = map(ops.convert_to_numpy, split)
    rows = np.arange(len(logits))
    # The largest of logits with Gumbel noise is a draw from their softmax.
    i = np.argmax(logits + rng.gumbel(size=logits.shape), axis=-1)
    means, scales, coefficients = means[rows, i], np.exp(log_scales[rows, i]), coefficients[rows, i]
    x, used = np.zeros(means.shape), 0  # (N, C)
    for c in range(channels):
        mean = means[:, c] + np.sum(coefficients[:, used : used + c] * x[:, :c], axis=1)
        used += c
        drawn_at = mean + scales[:, c] * rng.logistic(size=len(x))
        n = np.clip(np.rint((drawn_at + 1) * (levels - 1) / 2), 0, levels - 1)  # its bin
        x[:, c] = n * 2 / (levels - 1) - 1
    return x
