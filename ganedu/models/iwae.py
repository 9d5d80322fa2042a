"""IWAE: an importance-weighted bound that is tighter than the VAE's (Burda 2015).

With K draws of the code for each image and the networks of `vae`,

    w_k = p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)
    maximize  L_K = E[log 1/K sum_k w_k]                                           (equation 8)

L_1 is the bound of `vae`; L_K rises to log p(x) with K (theorem 1). z_k is reparametrized, so that
the gradient of L_K is the mean of those of log w_k, each counted by its share of the weights:

    grad L_K = E[sum_k (w_k / sum_j w_j) grad log w_k]                            (equation 14)

which is what differentiating a log-mean-exp gives. A draw that explains x badly then counts little,
where the VAE's bound punishes q for it.

Departures:
    The networks are those of `vae`, convolutional, with one layer of latents. Grey values count as
    Bernoulli probabilities, where the paper draws binary images; or they are whole values
    (`levels=256`). Adam with a fixed rate.

Reference:
    Burda, Grosse and Salakhutdinov 2015, "Importance weighted autoencoders", equations 8 and 14,
    arXiv:1509.00519.
"""

import math

import keras
from keras import ops

from ganedu.devices import replicas
from ganedu.engine import FusedAdam
from ganedu.models.vae import VAE, kl_divergence, make_networks, value_log_probs

FAMILY = "autoencoders"


def log_weights(log_px, z, epsilon, log_variance):
    """log w = log p(x|z) + log p(z) - log q(z|x): log_px (K, B) and, of shape (K, B, d) or broadcast to
    it, z = mu + sigma epsilon, epsilon and log sigma^2, to (K, B)."""
    # Both Gaussians have the factor (2 pi)^(-d/2).
    log_ratio = 0.5 * (ops.square(epsilon) - ops.square(z) + log_variance)
    return log_px + ops.sum(log_ratio, axis=-1)


def importance_weighted_bound(log_w):
    """log 1/K sum_k w_k of log w (K, B): (B,), in nats."""
    return ops.logsumexp(log_w, axis=0) - math.log(log_w.shape[0])


@keras.saving.register_keras_serializable("ganedu")
class IWAE(VAE):
    """A `VAE` with the bound of K draws. It logs the negative bound as `loss`, and beside it the two terms
    of the VAE's, of the same draws.

    Args:
        encoder, decoder, levels, seed: as for `VAE`.
        num_samples: int, K, at least 1. Defaults to `8`.

    Raises:
        ValueError: as `VAE`, and for another number of draws.
    """

    def __init__(self, encoder, decoder, num_samples=8, levels=2, seed=0):
        super().__init__(encoder, decoder, levels=levels, seed=seed)
        if num_samples < 1:
            raise ValueError(f"`num_samples` must be at least 1. Received: {num_samples}")
        self.num_samples = num_samples

    def compute_losses(self, x, training):
        k, d = self.num_samples, self.latent_dim
        mean, log_variance = self.encoder(x, training=training)
        shape = (k, ops.shape(x)[0], d)
        epsilon = replicas.normal(shape, seed=self.seed_generator, axis=1)
        z = mean + ops.exp(0.5 * log_variance) * epsilon  # (K, B, d)
        outputs = self.decoder(ops.reshape(z, (-1, d)), training=training)
        x = ops.tile(x, (k, 1, 1, 1))  # the K draws of the whole batch, one after the other
        log_px = ops.sum(value_log_probs(x, outputs, self.levels), axis=(1, 2, 3))
        log_px = ops.reshape(log_px, (k, -1))
        bound = importance_weighted_bound(log_weights(log_px, z, epsilon, log_variance))
        return {
            "loss": -ops.mean(bound),
            "reconstruction_loss": -ops.mean(log_px),
            "kl_loss": ops.mean(ops.sum(kl_divergence(mean, log_variance), axis=-1)),
        }


def build(image_shape, latent_dim=8, width=32, num_samples=8, levels=2, learning_rate=1e-3, seed=0):
    """A compiled IWAE of the networks of `vae`, with Adam."""
    networks = make_networks(image_shape, latent_dim, width, levels)
    model = IWAE(*networks, num_samples=num_samples, levels=levels, seed=seed)
    return model.compile_with(FusedAdam, learning_rate)
