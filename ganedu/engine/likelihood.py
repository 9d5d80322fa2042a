"""How likely a model with latents finds an image."""

import math

import numpy as np

BLOCK = 16  # images at once


def importance_sampled(mean, log_variance, log_px_of, samples, seed):
    """log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x), z_k ~ q(z|x): log p(x) in nats from K draws of a Gaussian
    proposal, with p(z) = N(0, I).

    A lower bound in expectation, that rises to log p(x) with K; with K = 1 it is the ELBO.

    Args:
        mean, log_variance: of q(z|x), (N, d) each.
        log_px_of: function of latents (M, d), float32, and of the numbers of their images, int (M,), to
            log p(x|z) in nats, (M,), NumPy.
        samples: int, K.
        seed: int.

    Returns:
        Array (N,), float64.

    Reference:
        Burda, Grosse and Salakhutdinov 2015, "Importance weighted autoencoders", equation 8,
        arXiv:1509.00519.
    """
    mean, log_variance = np.asarray(mean, "float64"), np.asarray(log_variance, "float64")
    epsilon = np.random.default_rng(seed).standard_normal((samples, *mean.shape))
    z = mean + np.exp(0.5 * log_variance) * epsilon  # (K, N, d)
    log_ratio = 0.5 * np.sum(epsilon**2 - z**2 + log_variance, axis=-1)  # log p(z) - log q(z|x)
    log_px = np.empty((samples, len(mean)))
    for start in range(0, len(mean), BLOCK):  # all draws of some images at once
        n = np.arange(start, min(start + BLOCK, len(mean)))
        flat = z[:, n].reshape(-1, z.shape[-1]).astype("float32")
        log_px[:, n] = log_px_of(flat, np.tile(n, samples)).reshape(samples, len(n))
    return np.logaddexp.reduce(log_px + log_ratio, axis=0) - math.log(samples)
