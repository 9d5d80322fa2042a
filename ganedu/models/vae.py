"""VAE: variational inference with an amortized encoder and reparametrization (Kingma 2013).

A code is a distribution q(z|x), kept close to a prior p(z).

    q(z|x) = N(mu(x), sigma(x)^2),   p(z) = N(0, I),   z = mu + sigma * epsilon,  epsilon ~ N(0, I)
    minimize  -E_q[log p(x|z)]  +  beta KL(q(z|x) || p(z))                               (equation 3)
    KL = -1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2)                             (appendix B)

p(x|z) is a product of Bernoulli distributions, one for each value of the image; grey values count
as probabilities, as in the paper's experiments. Both terms are in nats an image. beta = 1 is the
paper's bound (ELBO).

Departures:
    Grey values as Bernoulli probabilities are no density: the true normalizer is that of the
    continuous Bernoulli (Loaiza-Ganem and Cunningham 2019, arXiv:1907.06845). beta is
    Higgins's. The networks are convolutional.

Reference:
    Kingma and Welling 2013, "Auto-encoding variational Bayes", arXiv:1312.6114; beta from Higgins
    et al. 2017, "beta-VAE"; the importance-sampled likelihood from Burda, Grosse and Salakhutdinov
    2015, equation 8, arXiv:1509.00519.
"""

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.data.images import validate_images
from ganedu.engine import AutoencodingModel, FusedAdam, importance_sampled
from ganedu.networks.inference import predict_in_batches

FAMILY = "autoencoders"


def bernoulli_nll(x, logits):
    """-log p(x|z) in nats of each image: x in [-1, 1] and logits, both (B, H, W, C), to (B,)."""
    p = (x + 1.0) / 2.0
    # -p log sigma(a) - (1 - p) log(1 - sigma(a)) = softplus(a) - p a
    return ops.sum(ops.softplus(logits) - p * logits, axis=(1, 2, 3))


def kl_divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, I)) in nats, of each image and latent: (B, d) to (B, d)."""
    return -0.5 * (1.0 + log_variance - ops.square(mean) - ops.exp(log_variance))


def negative_elbo(x, logits, mean, log_variance, beta):
    """-E_q[log p(x|z)] + beta KL(q(z|x) || p(z)) in nats, the mean over the batch: as `loss`, after
    it the two terms."""
    reconstruction = ops.mean(bernoulli_nll(x, logits))
    kl = ops.mean(ops.sum(kl_divergence(mean, log_variance), axis=-1))
    return {
        "loss": reconstruction + beta * kl,
        "reconstruction_loss": reconstruction,
        "kl_loss": kl,
    }


def mean_image(logits):
    """Logits to the mean image in [-1, 1]: 2 sigma(a) - 1 = tanh(a / 2)."""
    return ops.tanh(logits / 2.0)


def reparametrize(mean, log_variance, seed):
    """z = mu + sigma * epsilon: a draw from q(z|x) through which gradients reach mu and sigma."""
    epsilon = keras.random.normal(ops.shape(mean), seed=seed)
    return mean + ops.exp(0.5 * log_variance) * epsilon


@keras.saving.register_keras_serializable("ganedu")
class VAE(AutoencodingModel):
    """One player of two networks.

    Args:
        encoder: Keras model, images (B, H, W, C) -> mean and log-variance, (B, latent_dim) each.
        decoder: Keras model, z (B, latent_dim) -> logits (B, H, W, C).
        beta: float >= 0, the weight of the KL term. Defaults to `1.0`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: if the decoder does not fit the encoder, or beta is negative.
    """

    forms = {"encoder": "x -> mean, log_variance", "decoder": "z -> logits"}
    decoder_ends_in = "logits"
    log_names = ("loss", "reconstruction_loss", "kl_loss")
    tasks = AutoencodingModel.tasks | {"likelihood"}

    def __init__(self, encoder, decoder, beta=1.0, seed=0):
        super().__init__(encoder, decoder, seed=seed)
        if beta < 0:
            raise ValueError(f"`beta` must not be negative. Received: beta={beta}")
        self.beta = beta

    def compute_losses(self, x, training):
        mean, log_variance = self.encoder(x, training=training)
        z = reparametrize(mean, log_variance, self.seed_generator)
        logits = self.decoder(z, training=training)
        return negative_elbo(x, logits, mean, log_variance, self.beta)

    def network_to_export(self):
        return keras.Model(self.decoder.input, mean_image(self.decoder.output))

    def call(self, x, training=False):
        return mean_image(super().call(x, training=training))

    def encode_distribution(self, x):
        """Images to the means and log-variances of q(z|x), each (N, latent_dim), float32 NumPy."""
        return predict_in_batches(self.encoder, validate_images(x, self.encoder.input_shape[1:]))

    def decode(self, z):
        """Latents (N, latent_dim) to the mean images of p(x|z), (N, H, W, C) in [-1, 1]."""
        return np.tanh(super().decode(z) / 2)

    def log_likelihood(self, x, samples=64, seed=0):
        """log p(x) in nats of images x as above, (N,), from `samples` draws of q(z|x); binary images (-1
        or 1) for a true likelihood. See `ganedu.engine.importance_sampled`."""

        def logits_of(z, image):
            return predict_in_batches(self.decoder, z, batch_size=1024)

        distribution = self.encode_distribution(x)
        return importance_sampled(x, *distribution, logits_of, samples, seed)


def build(image_shape, latent_dim=8, width=32, beta=1.0, learning_rate=1e-3, seed=0):
    """A compiled convolutional VAE for images (H, W, C), with Adam."""
    model = VAE(
        networks.encoder(image_shape, latent_dim, width, parameters=2),
        networks.decoder(image_shape, latent_dim, width, activation=None),
        beta=beta,
        seed=seed,
    )
    return model.compile_with(FusedAdam, learning_rate)
