"""Autoencoder: a bottleneck code, trained by its reconstruction error (Hinton 2006).

    z = f(x),   x' = g(z),   minimize  E_x ||x - x'||^2 / (number of values)

A code is not a distribution, so there is nothing to sample new images from. The model therefore
keeps the mean and covariance of the codes that it sees, and samples the Gaussian that has them.

Departures:
    The networks are convolutional and trained at once, by Adam, where the paper pretrains dense
    ones layer by layer; the error is squared, not a cross-entropy; and sampling, by a Gaussian
    fitted to the codes, is not the paper's.

Reference:
    Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks",
    Science 313; Rumelhart, Hinton and Williams 1986 before it.
"""

import keras
import numpy as np
from keras import ops

from ganedu import latent, networks
from ganedu.engine import AutoencodingModel, FusedAdam

FAMILY = "autoencoders"


def reconstruction_loss(x, x_reconstructed):
    """The mean squared error of images (B, H, W, C): a scalar."""
    return ops.mean(ops.square(x - x_reconstructed))


@keras.saving.register_keras_serializable("ganedu")
class Autoencoder(AutoencodingModel):
    """An encoder and a decoder; arguments are those of `AutoencodingModel`."""

    log_names = ("loss",)

    def __init__(self, encoder, decoder, seed=0):
        super().__init__(encoder, decoder, seed=seed)
        d = self.latent_dim
        self.code_mean = self.add_weight((d,), "zeros", trainable=False, name="code_mean")
        self.code_covariance = self.add_weight(
            (d, d), "identity", trainable=False, name="code_covariance"
        )

    def compute_losses(self, x, training):
        z = self.encoder(x, training=training)
        if training:
            self.update_code_statistics(ops.stop_gradient(z))
        return {"loss": reconstruction_loss(x, self.decoder(z, training=training))}

    def update_code_statistics(self, z, momentum=0.95):
        """Moves the kept mean and covariance towards those of a batch of codes z (B,
        latent_dim)."""
        mean = ops.mean(z, axis=0)
        centred = z - self.code_mean
        covariance = ops.matmul(ops.transpose(centred), centred) / ops.cast(
            ops.shape(z)[0], z.dtype
        )
        self.code_covariance.assign(momentum * self.code_covariance + (1 - momentum) * covariance)
        self.code_mean.assign(momentum * self.code_mean + (1 - momentum) * mean)

    def latents(self, count, seed=0):
        """Codes (count, latent_dim) from the Gaussian with the mean and covariance of the codes
        seen in training."""
        latent.check_draw(count, seed)
        mean = ops.convert_to_numpy(self.code_mean)
        covariance = ops.convert_to_numpy(self.code_covariance)
        rng = np.random.default_rng(seed)
        return rng.multivariate_normal(mean, covariance, count, method="eigh").astype("float32")


def build(image_shape, latent_dim=8, width=32, learning_rate=1e-3, seed=0):
    """A compiled convolutional autoencoder for images (H, W, C), with Adam."""
    model = Autoencoder(
        networks.encoder(image_shape, latent_dim, width),
        networks.decoder(image_shape, latent_dim, width),
        seed=seed,
    )
    return model.compile_with(FusedAdam, learning_rate)
