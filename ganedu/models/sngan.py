"""SNGAN: a spectrally normalized discriminator with hinge losses (Miyato 2018).

D's kernels, as matrices, are divided by their largest singular values (`ganedu.layers.SpectralConv2D`). That
bounds a dense layer by 1. Of a convolution it bounds the matrix (height x width x inputs, outputs), not the
map that it is applied as: its patches overlap, and its operator norm may be larger, 1.4 to 1.9 here. So D
is kept smooth, and is not 1-Lipschitz. With raw outputs D(x), the hinge losses:

    min_D  E_x[max(0, 1 - D(x))] + E_z[max(0, 1 + D(G(z)))]        (equation 16)
    min_G  -E_z[D(G(z))]                                           (equation 17)

Departures:
    The networks are those of `dcgan`, smaller than the paper's, for small images. One step of D
    for each of G, where the paper has five on images of 32x32; no residual networks. D may see squares
    of pixels (`patch_size`). Samples
    are those of an exponential moving average of G's weights (`ema_momentum=None` turns that
    off).

Reference:
    Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral normalization for generative adversarial
    networks", equations 8, 16 and 17, Algorithm 1, arXiv:1802.05957.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import FusedAdam
from ganedu.models.gan import GAN
from ganedu.models.wgan import generator_loss

FAMILY = "GANs"


def discriminator_loss(real, fake):
    """E[max(0, 1 - real)] + E[max(0, 1 + fake)] of outputs (B, 1)."""
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


@keras.saving.register_keras_serializable("ganedu")
class SNGAN(GAN):
    """A `GAN` with the hinge losses; its discriminator is to be built of spectral layers. Its logs
    are `d_loss`, `g_loss` and the mean outputs `D(x)` and `D(G(z))`."""

    discriminator_loss = staticmethod(discriminator_loss)
    generator_loss = staticmethod(generator_loss)
    d_activation = staticmethod(lambda output: output)


def build(
    image_shape,
    latent_dim=32,
    width=32,
    g_learning_rate=2e-3,
    d_learning_rate=2e-3,
    patch_size=1,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled SNGAN of the networks of `dcgan`, D's with spectral normalization."""
    model = SNGAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width, spectral_norm=True, patch_size=patch_size),
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, g_learning_rate, d_learning_rate, beta_1=0.0, beta_2=0.9)
