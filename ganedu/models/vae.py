"""VAE: variational inference with an amortized encoder and reparametrization (Kingma 2013).

A code is a distribution q(z|x), kept close to a prior p(z).

    q(z|x) = N(mu(x), sigma(x)^2),   p(z) = N(0, I),   z = mu + sigma * epsilon,  epsilon ~ N(0, I)
    minimize  -E_q[log p(x|z)]  +  beta KL(q(z|x) || p(z))                               (equation 3)
    KL = -1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2)                             (appendix B)

p(x|z) is a product of distributions, one for each value of the image:

    levels = 2     Bernoulli; grey values count as probabilities, as in the paper's experiments
    levels = 256   the discretized logistic of `losses.discretized_logistic_log_prob`, whose mean and
                   scale the decoder gives: a true probability of 8-bit images

Both terms are in nats an image. beta = 1 is the paper's bound (ELBO).

Departures:
    Grey values as Bernoulli probabilities are no density: the true normalizer is that of the
    continuous Bernoulli (Loaiza-Ganem and Cunningham 2019, arXiv:1907.06845). The paper's grey
    images are Gaussian, a density; the discretized logistic is Kingma's of 2016, with a scale for
    each value in the place of one for all. beta is Higgins's: 2 in the recipe for MNIST, where samples
    gain and the bound loses. The networks are convolutional.

Reference:
    Kingma and Welling 2013, "Auto-encoding variational Bayes", arXiv:1312.6114; beta from Higgins
    et al. 2017, "beta-VAE"; the discretized logistic from Kingma et al. 2016, arXiv:1606.04934; the
    importance-sampled likelihood from Burda, Grosse and Salakhutdinov 2015, equation 8,
    arXiv:1509.00519.
"""

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.data.images import validate_images
from ganedu.devices import replicas
from ganedu.engine import AutoencodingModel, FusedAdam, importance_sampled
from ganedu.losses import MIN_LOG_SCALE, bernoulli_log_prob, discretized_logistic_log_prob
from ganedu.networks.inference import predict_in_batches

FAMILY = "autoencoders"


def value_log_probs(x, outputs, levels):
    """log p(x|z) of each value: x in [-1, 1] (B, H, W, C) and what the decoder gives for z, logits of that shape or
    means and log-scales (B, H, W, 2 C), to (B, H, W, C)."""
    if levels == 2:
        return bernoulli_log_prob(x, outputs)
    mean, log_scale = ops.split(outputs, 2, axis=-1)
    log_scale = ops.maximum(log_scale, MIN_LOG_SCALE)
    return discretized_logistic_log_prob(x, mean, log_scale, levels)


def bernoulli_nll(x, logits):
    """-log p(x|z) in nats of each image: x in [-1, 1] and logits, both (B, H, W, C), to (B,)."""
    return -ops.sum(bernoulli_log_prob(x, logits), axis=(1, 2, 3))


def kl_divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, I)) in nats, of each image and latent: (B, d) to (B, d)."""
    return -0.5 * (1.0 + log_variance - ops.square(mean) - ops.exp(log_variance))


def negative_elbo(x, outputs, mean, log_variance, beta, levels=2):
    """-E_q[log p(x|z)] + beta KL(q(z|x) || p(z)) in nats, the mean over the batch: as `loss`, after
    it the two terms."""
    log_px = ops.sum(value_log_probs(x, outputs, levels), axis=(1, 2, 3))
    reconstruction = -ops.mean(log_px)
    kl = ops.mean(ops.sum(kl_divergence(mean, log_variance), axis=-1))
    return {
        "loss": reconstruction + beta * kl,
        "reconstruction_loss": reconstruction,
        "kl_loss": kl,
    }


def mean_image(outputs, levels=2):
    """What the decoder gives to an image in [-1, 1]: of logits the mean, 2 sigma(a) - 1 = tanh(a / 2); of
    logistics their means, clipped."""
    if levels == 2:
        return ops.tanh(outputs / 2.0)
    return ops.clip(ops.split(outputs, 2, axis=-1)[0], -1.0, 1.0)


def reparametrize(mean, log_variance, seed):
    """z = mu + sigma * epsilon: a draw from q(z|x) through which gradients reach mu and sigma."""
    epsilon = replicas.normal(ops.shape(mean), seed=seed)
    return mean + ops.exp(0.5 * log_variance) * epsilon


@keras.saving.register_keras_serializable("ganedu")
class VAE(AutoencodingModel):
    """One player of two networks.

    Args:
        encoder: Keras model, images (B, H, W, C) -> mean and log-variance, (B, latent_dim) each.
        decoder: Keras model, z (B, latent_dim) -> logits (B, H, W, C), or for 256 levels means and
            log-scales (B, H, W, 2 C).
        beta: float >= 0, the weight of the KL term. Defaults to `1.0`.
        levels: int, how many values an image's values may have: 2 or 256. Defaults to `2`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: if the decoder does not fit the encoder, beta is negative, or for other levels.
    """

    forms = {"encoder": "x -> mean, log_variance", "decoder": "z -> outputs"}
    decoder_ends_in = "logits"
    log_names = ("loss", "reconstruction_loss", "kl_loss")
    tasks = AutoencodingModel.tasks | {"likelihood"}

    def __init__(self, encoder, decoder, beta=1.0, levels=2, seed=0):
        if levels not in (2, 256):
            raise ValueError(f"`levels` must be 2 or 256. Received: levels={levels}")
        outputs = {2: 1, 256: 2}[levels]
        super().__init__(encoder, decoder, seed=seed, outputs_per_value=outputs)
        if beta < 0:
            raise ValueError(f"`beta` must not be negative. Received: beta={beta}")
        self.beta, self.levels = beta, levels

    @property
    def image_shape(self):
        return self.encoder.input_shape[1:]

    @property
    def likelihood_of(self):
        return "binary" if self.levels == 2 else "8-bit"

    def compute_losses(self, x, training):
        mean, log_variance = self.encoder(x, training=training)
        z = reparametrize(mean, log_variance, self.seed_generator)
        outputs = self.decoder(z, training=training)
        return negative_elbo(x, outputs, mean, log_variance, self.beta, self.levels)

    def network_to_export(self):
        return keras.Model(self.decoder.input, mean_image(self.decoder.output, self.levels))

    def call(self, x, training=False):
        return mean_image(super().call(x, training=training), self.levels)

    def encode_distribution(self, x):
        """Images to the means and log-variances of q(z|x), each (N, latent_dim), float32 NumPy."""
        return predict_in_batches(self.encoder, validate_images(x, self.image_shape))

    def decode(self, z):
        """Latents (N, latent_dim) to the mean images of p(x|z), (N, H, W, C) in [-1, 1]."""
        outputs = super().decode(z)
        if self.levels == 2:
            return np.tanh(outputs / 2)
        return np.clip(outputs[..., : self.image_shape[-1]], -1.0, 1.0)

    def log_likelihood(self, x, samples=64, seed=0):
        """log p(x) in nats of images x as above, (N,), from `samples` draws of q(z|x); for a true likelihood binary
        images (-1 or 1), or of 256 levels grey ones. See `ganedu.engine.importance_sampled`."""
        x = validate_images(x, self.image_shape)

        def log_px_of(z, image):
            return log_px(x[image], predict_in_batches(self.decoder, z, 1024), self.levels)

        return importance_sampled(*self.encode_distribution(x), log_px_of, samples, seed)


def log_px(x, outputs, levels):
    """log p(x|z) in nats, of NumPy arrays as `value_log_probs` takes them: (B,), float64."""
    log_probs = value_log_probs(ops.convert_to_tensor(x), ops.convert_to_tensor(outputs), levels)
    return np.sum(ops.convert_to_numpy(log_probs), axis=(1, 2, 3), dtype="float64")


def make_networks(image_shape, latent_dim, width, levels):
    """The encoder and the decoder of `build`, for so many levels."""
    *sides, channels = image_shape
    outputs = (*sides, channels if levels == 2 else 2 * channels)
    return (
        networks.encoder(image_shape, latent_dim, width, parameters=2),
        networks.decoder(outputs, latent_dim, width, activation=None),
    )


def build(image_shape, latent_dim=8, width=32, beta=1.0, levels=2, learning_rate=1e-3, seed=0):
    """A compiled convolutional VAE for images (H, W, C), with Adam; `levels` is 2 or 256."""
    model = VAE(*make_networks(image_shape, latent_dim, width, levels), beta, levels, seed=seed)
    return model.compile_with(FusedAdam, learning_rate)
