"""LSGAN: least-squares losses in the place of cross-entropy (Mao 2017).

With raw outputs D(x):

    min_D  1/2 E_x[(D(x) - 1)^2] + 1/2 E_z[D(G(z))^2]
    min_G  1/2 E_z[(D(G(z)) - 1)^2]                                              (equation 9)

A sample that D takes for real, but that lies far from the decision boundary, still has a gradient.

Departures:
    The networks are those of `dcgan`, smaller than the paper's, for small images. Adam with
    beta_1 = 0.5. D may be kept smooth (`spectral_norm`, Miyato 2018) and see squares of pixels
    (`patch_size`). Samples are those of an exponential moving average of G's weights
    (`ema_momentum=None` turns that off).

Reference:
    Mao, Li, Xie, Lau, Wang and Smolley 2017, "Least squares generative adversarial networks",
    equation 9 (a = 0, b = c = 1), arXiv:1611.04076.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import FusedAdam
from ganedu.models.gan import GAN

FAMILY = "GANs"


def discriminator_loss(real, fake, smoothing=0.0):
    """1/2 E[(real - (1 - smoothing))^2] + 1/2 E[fake^2] of outputs (B, 1)."""
    target = 1.0 - smoothing
    return 0.5 * (ops.mean(ops.square(real - target)) + ops.mean(ops.square(fake)))


def generator_loss(fake):
    """1/2 E[(fake - 1)^2] of outputs (B, 1)."""
    return 0.5 * ops.mean(ops.square(fake - 1.0))


@keras.saving.register_keras_serializable("ganedu")
class LSGAN(GAN):
    """A `GAN` with the least-squares losses. Its logs are `d_loss`, `g_loss` and the mean outputs
    `D(x)` and `D(G(z))`, which are no probabilities."""

    discriminator_loss = staticmethod(discriminator_loss)
    generator_loss = staticmethod(generator_loss)
    d_activation = staticmethod(lambda output: output)
    decision_boundary = 0.5


def build(
    image_shape,
    latent_dim=32,
    width=32,
    g_learning_rate=2e-3,
    d_learning_rate=3e-4,
    beta_1=0.5,
    beta_2=0.999,
    spectral_norm=False,
    patch_size=1,
    label_smoothing=0.0,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled LSGAN of the networks of `dcgan`; arguments as there."""
    model = LSGAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(
            image_shape, width, spectral_norm=spectral_norm, patch_size=patch_size
        ),
        label_smoothing=label_smoothing,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(
        FusedAdam, g_learning_rate, d_learning_rate, beta_1=beta_1, beta_2=beta_2
    )
