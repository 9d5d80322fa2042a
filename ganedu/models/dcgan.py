"""DCGAN: a GAN of convolutional networks with batch normalization (Radford 2015).

The losses are those of `gan.py`. What the paper changed is the networks (sections 3 and 4): strided and
transposed convolutions in the place of pooling and dense layers, batch normalization and ReLUs
in G, leaky ReLUs of slope 0.2 in D, tanh at G's end; and the optimizer, Adam with beta_1 =
0.5.

Departures:
    D has no batch normalization. Weights start from Keras's Glorot-uniform, not N(0, 0.02^2).
    Kernels are 4x4 in G and 3x3 in D, not 5x5. There are fewer and narrower maps. z is normal
    with 32 numbers, not uniform with 100. The rates of G and D differ, 3e-3 and 3e-4, where
    both are 2e-4; batches have 32 images, not 128. Samples are those of an exponential moving
    average of G's weights (`ema_momentum=None` turns that off). With `spectral_norm` D is kept
    smooth (Miyato 2018, `sngan.py`).

Reference:
    Radford, Metz and Chintala 2015, "Unsupervised representation learning with deep convolutional
    generative adversarial networks", sections 3 and 4, arXiv:1511.06434.
"""

import keras

from ganedu import networks
from ganedu.engine import FusedAdam
from ganedu.models.gan import GAN

FAMILY = "GANs"


@keras.saving.register_keras_serializable("ganedu")
class DCGAN(GAN):
    """A `GAN` of convolutional networks; arguments, logs and methods are those of
    `ganedu.models.gan.GAN`."""


def build(
    image_shape,
    latent_dim=32,
    g_width=32,
    d_width=32,
    g_learning_rate=3e-3,
    d_learning_rate=3e-4,
    beta_1=0.5,
    beta_2=0.999,
    spectral_norm=False,
    patch_size=1,
    minibatch_stddev=False,
    label_smoothing=0.0,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled DCGAN.

    Args:
        image_shape: (H, W, C), sides even and at least 8.
        latent_dim: int. Defaults to `32`.
        g_width, d_width: int, channels of G's last and of D's first hidden map. Default to `32`.
        g_learning_rate, d_learning_rate: float, of Adam. Default to `3e-3` and `3e-4`: at these
            sizes a generator ten times as fast as its discriminator generates digits soonest.
        beta_1, beta_2: float, of Adam. Default to `0.5` and `0.999`.
        spectral_norm, patch_size: bool and int, as in `ganedu.networks.discriminator`. Default to `False` and `1`.
        minibatch_stddev: bool, whether D sees how much a batch's images differ
            (`ganedu.layers.MinibatchStdDev`). Defaults to `False`.
        label_smoothing, augment, ema_momentum, seed: as for `GAN`.
    """
    model = DCGAN(
        networks.generator(image_shape, latent_dim, g_width),
        networks.discriminator(
            image_shape,
            d_width,
            spectral_norm=spectral_norm,
            minibatch_stddev=minibatch_stddev,
            patch_size=patch_size,
        ),
        label_smoothing=label_smoothing,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(
        FusedAdam, g_learning_rate, d_learning_rate, beta_1=beta_1, beta_2=beta_2
    )
