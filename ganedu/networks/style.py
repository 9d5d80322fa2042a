"""The two networks of StyleGAN's generator.

Reference:
    Karras, Laine and Aila 2019, section 2, arXiv:1812.04948; Karras et al. 2020, figure 7 ("output
    skips"), arXiv:1912.04958.
"""

import keras
from keras import layers, ops

from ganedu.layers import ConstantInput, EqualizedDense, ModulatedConv2D, NoiseInjection
from ganedu.networks.convolutional import num_downsamplings


def mapping_network(latent_dim, depth=4, multiplier=0.05):
    """z (B, d), brought to length sqrt(d), to w (B, d). It learns `multiplier` times as fast as the
    rest (0.01 in the paper, which trains longer); at full speed it soon maps all z to a few w."""
    z = keras.Input((latent_dim,), name="z")
    x = z * ops.rsqrt(ops.mean(ops.square(z), axis=-1, keepdims=True) + 1e-8)
    for _ in range(depth):
        x = layers.LeakyReLU(0.2, dtype="float32")(EqualizedDense(latent_dim, multiplier)(x))
    return keras.Model(z, x, name="mapping")


def synthesis_network(image_shape, latent_dim, width=32, seed=0):
    """Styles (B, L, d), one for each of the L layers, to images (B, H, W, C): each doubling adds
    its picture to the one so far, enlarged."""
    ups = num_downsamplings(image_shape)
    styles = keras.Input((ups + 1, latent_dim), name="w")
    channels = [width * min(2**i, 2) for i in reversed(range(ups + 1))]
    first = (image_shape[0] >> ups, image_shape[1] >> ups, channels[0])
    x, picture = ConstantInput(first)(styles), None
    for i, c in enumerate(channels):
        w = styles[:, i]
        if i:
            x = layers.UpSampling2D(2)(x)
            picture = layers.UpSampling2D(2, interpolation="bilinear")(picture)
        x = NoiseInjection(seed=seed + i)(ModulatedConv2D(c, 3)([x, w]))
        x = layers.LeakyReLU(0.2)(x)
        generated = ModulatedConv2D(image_shape[-1], 1, demodulate=False)([x, w])
        picture = generated if picture is None else picture + generated
    picture = layers.Activation("tanh", dtype="float32")(picture)
    return keras.Model(styles, picture, name="synthesis")
