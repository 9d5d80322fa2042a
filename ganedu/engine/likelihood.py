"""How likely a model with latents finds an image."""

import math

import numpy as np

BLOCK = 16  # images at once


def importance_sampled(x, mean, log_variance, logits_of, samples, seed):
    """log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x), z_k ~ q(z|x): log p(x) in nats from K draws of a Gaussian
    proposal, with p(z) = N(0, I) and p(x|z) a product of Bernoulli distributions.

    A lower bound in expectation, that rises to log p(x) with K; with K = 1 it is the ELBO.

    Args:
        x: images (N, H, W, C) in [-1, 1]; binary images (-1 or 1) for a true likelihood.
        mean, log_variance: of q(z|x), (N, d) each.
        logits_of: function of latents (M, d), float32, and of the numbers of their images, int (M,), to logits
            (M, H, W, C), NumPy.
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
    p = (np.asarray(x, "float64") + 1) / 2
    for start in range(0, len(mean), BLOCK):  # all draws of some images at once
        n = np.arange(start, min(start + BLOCK, len(mean)))
        flat = z[:, n].reshape(-1, z.shape[-1]).astype("float32")
        a = logits_of(flat, np.tile(n, samples)).reshape(samples, *p[n].shape)  # (K, n, H, W, C)
        log_px[:, n] = np.sum(p[n] * a - np.logaddexp(0, a), axis=(2, 3, 4))
    return np.logaddexp.reduce(log_px + log_ratio, axis=0) - math.log(samples)
