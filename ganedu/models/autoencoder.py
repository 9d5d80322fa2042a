"""Autoencoder: a bottleneck code, trained by its reconstruction error (Hinton 2006).

    z = f(x),   x' = g(z),   minimize  E_x ||x - x'||^2 / (number of values)

A code is not a distribution, so there is nothing to sample new images from. The model therefore
keeps the mean and covariance of the codes that it sees, and samples the Gaussian that has them.

Two regularizers, both off by default, keep a code that is wide from being a copy of the image:

    denoising   x~ ~ q(x~|x),   minimize  ||x - g(f(x~))||^2        the clean x is to be found again
        masking: each pixel of x~ is black with probability `mask_prob`
        Gaussian: x~ = x + `noise_std` * epsilon,  epsilon ~ N(0, I)
    sparse      minimize  ||x - g(a)||^2 + beta sum_j KL(rho || rho_j),   a = f(x) in (0, 1)
        KL(rho || rho_j) = rho log(rho / rho_j) + (1 - rho) log((1 - rho) / (1 - rho_j))
        rho_j the mean of a_j over the batch, rho = `sparsity_target`, beta = `sparsity_weight`

The sparse code's last activation is a sigmoid. The KL penalty is taken and not an L1 norm of the
codes, since a norm of unbounded codes can be made small without any of them being zero: the encoder
divides them by a constant, by which the decoder multiplies.

Departures:
    Vincent's masking chooses a fixed number of values, here each pixel is drawn by itself, with all
    its channels; the corruption is of [-1, 1], where black is -1. Ng's rho_j is over the whole
    training set, here over a batch, and his penalty is added to half the squared error, here to its
    mean. The networks are convolutional and trained at once, by Adam, where Hinton pretrains dense ones
    layer by layer; the error is squared, not a cross-entropy; and sampling, by a Gaussian fitted to the
    codes, is not the papers'.

Reference:
    Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks",
    Science 313; Rumelhart, Hinton and Williams 1986 before it; Vincent, Larochelle, Bengio and Manzagol
    2008, "Extracting and composing robust features with denoising autoencoders", section 2.3 (Gaussian
    noise in 2010, JMLR 11); Ng 2011, "Sparse autoencoder", CS294A lecture notes, section 3.
"""

import math

import keras
import numpy as np
from keras import ops

from ganedu import latent, networks
from ganedu.devices import replicas
from ganedu.engine import AutoencodingModel, FusedAdam
from ganedu.engine.own_networks import last_activation

FAMILY = "autoencoders"


def reconstruction_loss(x, x_reconstructed):
    """The mean squared error of images (B, H, W, C): a scalar."""
    return ops.mean(ops.square(x - x_reconstructed))


def sparsity_penalty(activations, target):
    """sum_j KL(rho || rho_j) in nats of activations (B, d) in (0, 1), rho_j their means over the batch: a scalar."""
    rho = ops.clip(replicas.mean(ops.mean(activations, axis=0)), 1e-6, 1.0 - 1e-6)
    off = (1.0 - target) * (math.log(1.0 - target) - ops.log(1.0 - rho))
    return ops.sum(target * (math.log(target) - ops.log(rho)) + off)


@keras.saving.register_keras_serializable("ganedu")
class Autoencoder(AutoencodingModel):
    """An encoder and a decoder.

    Args:
        encoder, decoder, seed: as for `AutoencodingModel`; with a sparsity weight the encoder must end in
            a sigmoid.
        mask_prob: float in [0, 1), the share of pixels that are masked in training. Defaults to `0.0`.
        noise_std: float >= 0, of the noise that is added in training. Defaults to `0.0`.
        sparsity_weight: float >= 0, beta. Defaults to `0.0`.
        sparsity_target: float in (0, 1), rho. Defaults to `0.1`.

    Raises:
        ValueError: for networks that do not fit, and numbers out of range.
    """

    log_names = ("loss",)

    def __init__(
        self,
        encoder,
        decoder,
        mask_prob=0.0,
        noise_std=0.0,
        sparsity_weight=0.0,
        sparsity_target=0.1,
        seed=0,
    ):
        super().__init__(encoder, decoder, seed=seed)
        if not 0 <= mask_prob < 1 or noise_std < 0:
            raise ValueError(
                "`mask_prob` must lie in [0, 1) and `noise_std` not be negative. "
                f"Received: {mask_prob}, {noise_std}"
            )
        if sparsity_weight < 0 or not 0 < sparsity_target < 1:
            raise ValueError(
                "`sparsity_weight` must not be negative and `sparsity_target` lie in (0, 1). "
                f"Received: {sparsity_weight}, {sparsity_target}"
            )
        if sparsity_weight and last_activation(self.encoder.outputs[0]) != "sigmoid":
            raise ValueError(
                "A sparse code must be of activations: `encoder` must end in a sigmoid"
            )
        self.mask_prob, self.noise_std = mask_prob, noise_std
        self.sparsity_weight, self.sparsity_target = sparsity_weight, sparsity_target
        d = self.latent_dim
        self.code_mean = self.add_weight((d,), "zeros", trainable=False, name="code_mean")
        self.code_covariance = self.add_weight(
            (d, d), "identity", trainable=False, name="code_covariance"
        )

    def corrupt(self, x):
        """x~ ~ q(x~|x), of images (B, H, W, C); x itself where nothing is to be corrupted."""
        if self.noise_std:
            x = x + self.noise_std * replicas.normal(ops.shape(x), seed=self.seed_generator)
        if self.mask_prob:
            pixels = (*ops.shape(x)[:3], 1)
            masked = replicas.uniform(pixels, seed=self.seed_generator) < self.mask_prob
            x = ops.where(masked, -1.0, x)
        return x

    def compute_losses(self, x, training):
        z = self.encoder(self.corrupt(x) if training else x, training=training)
        if training:
            self.update_code_statistics(ops.stop_gradient(z))
        reconstruction = reconstruction_loss(x, self.decoder(z, training=training))
        if not self.sparsity_weight:
            return {"loss": reconstruction}
        sparsity = sparsity_penalty(z, self.sparsity_target)
        return {"loss": reconstruction + self.sparsity_weight * sparsity}

    def update_code_statistics(self, z, momentum=0.95):
        """Moves the kept mean and covariance towards those of a batch of codes z (B,
        latent_dim)."""
        mean = replicas.mean(ops.mean(z, axis=0))
        centred = z - self.code_mean
        covariance = ops.matmul(ops.transpose(centred), centred) / ops.cast(
            ops.shape(z)[0], z.dtype
        )
        covariance = replicas.mean(covariance)
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


def build(
    image_shape,
    latent_dim=8,
    width=32,
    mask_prob=0.0,
    noise_std=0.0,
    sparsity_weight=0.0,
    sparsity_target=0.1,
    learning_rate=1e-3,
    seed=0,
):
    """A compiled convolutional autoencoder for images (H, W, C), with Adam: plain, denoising, sparse, or both."""
    encoder = networks.encoder(image_shape, latent_dim, width)
    if sparsity_weight:
        sigmoid = keras.layers.Activation("sigmoid", dtype="float32")
        encoder = keras.Model(encoder.input, sigmoid(encoder.output), name="encoder")
    model = Autoencoder(
        encoder,
        networks.decoder(image_shape, latent_dim, width),
        mask_prob=mask_prob,
        noise_std=noise_std,
        sparsity_weight=sparsity_weight,
        sparsity_target=sparsity_target,
        seed=seed,
    )
    return model.compile_with(FusedAdam, learning_rate)
