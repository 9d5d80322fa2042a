"""Conditional GAN: labels to both players, concatenated or projected (Mirza 2014, Miyato 2018).

    max_D  E_{x,y}[log sigma(D(x, y))] + E_{z,y}[log(1 - sigma(D(G(z, y), y)))]      (Mirza 2014, equation 2)
    max_G  E_{z,y}[log sigma(D(G(z, y), y))]

Two ways for D to read y. Mirza 2014: beside its input, as constant planes (`networks.condition_on_labels`). Miyato
and Koyama 2018, with `projection=True`: D(x, y) = psi(phi(x)) + <V y, phi(x)> (equation 3), so that a
class is a direction among the features phi.

Departures:
    The networks are those of `dcgan`, smaller than the paper's, for small images. With
    `projection` D has spectral normalization only if `spectral_norm` says so, and the loss is the
    non-saturating one, where Miyato and Koyama have both it and the hinge; D may see squares of
    pixels (`patch_size`); and y enters G beside z, not through
    conditional batch normalization. Samples are those of an exponential moving average of G's
    weights (`ema_momentum=None` turns that off).

Reference:
    Mirza and Osindero 2014, "Conditional generative adversarial nets", arXiv:1411.1784;
    Miyato and Koyama 2018, "cGANs with projection discriminator", arXiv:1802.05637.
"""

import keras
from keras import layers, ops

from ganedu import networks
from ganedu.engine import ConditionalModel, FusedAdam
from ganedu.models.gan import GAN

FAMILY = "conditional"


def projection_discriminator(image_shape, num_classes, width=32, features=128, **options):
    """`[x, y]`, images (B, H, W, C) and one-hot (B, K), to logits (B, 1): psi(phi(x)) + <V y,
    phi(x)>."""
    body = networks.discriminator(image_shape, width, outputs=features, **options)
    x, y = keras.Input(image_shape, name="x"), keras.Input((num_classes,), name="y")
    phi = layers.LeakyReLU(0.2, dtype="float32")(body(x))  # (B, features)
    v = layers.Dense(features, use_bias=False, dtype="float32", name="V")(y)
    logits = layers.Dense(1, dtype="float32", name="psi")(phi) + ops.sum(v * phi, -1, keepdims=True)
    return keras.Model([x, y], logits, name="discriminator")


@keras.saving.register_keras_serializable("ganedu")
class CGAN(ConditionalModel, GAN):
    """A `GAN` with labels: `generate(count, labels=...)`.

    Args:
        generator: Keras model, `[z, y]`, (B, latent_dim) and one-hot (B, K), -> images (B, H, W, C)
            in [-1, 1].
        discriminator: Keras model, `[x, y]` -> logits (B, 1).
        Others as for `GAN`.
    """

    forms = {"generator": "z, y -> images", "discriminator": "x, y -> logit"}

    def train_step(self, data):
        x, y = self.unpack(data)
        z = self.sample_prior(ops.shape(x)[0])
        d = self.minimize(
            lambda: self.d_losses(x, y, z, training=True), self.discriminator, self.d_optimizer
        )
        z = self.sample_prior(ops.shape(x)[0])
        g = self.minimize(
            lambda: self.g_losses(y, z, training=True), self.generator, self.g_optimizer
        )
        self.update_ema_generator()
        return self.log(d | g)

    def test_step(self, data):
        x, y = self.unpack(data)
        z = self.sample_prior(ops.shape(x)[0])
        return self.log(
            self.d_losses(x, y, z, training=False) | self.g_losses(y, z, training=False)
        )

    def d_losses(self, x, y, z, training):
        real = self.discriminate(x, y, training)
        fake = self.discriminate(self.generator([z, y], training=training), y, training)
        self.update_augment(real, training)
        return {"d_loss": self.smoothed_loss(real, fake), **self.d_metrics(real, fake)}

    def g_losses(self, y, z, training):
        fake = self.discriminate(self.generator([z, y], training=training), y, training)
        return {"g_loss": self.generator_loss(fake)}

    def discriminate(self, x, y, training):
        """D's logits of images, given their labels."""
        return self.discriminator([self.augmented(x, training), y], training=training)


def build(
    image_shape,
    num_classes=10,
    latent_dim=32,
    width=32,
    projection=True,
    g_learning_rate=3e-3,
    d_learning_rate=3e-4,
    beta_1=0.5,
    beta_2=0.999,
    spectral_norm=False,
    patch_size=1,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled conditional GAN of the networks of `dcgan`.

    Args:
        num_classes: int, K. Defaults to `10`.
        projection: bool, whether D reads labels as Miyato and Koyama 2018, else as Mirza 2014.
            Defaults to `True`.
        Others as for `dcgan`.
    """
    options = {"spectral_norm": spectral_norm, "patch_size": patch_size}
    if projection:
        discriminator = projection_discriminator(image_shape, num_classes, width, **options)
    else:
        discriminator = networks.condition_on_labels(
            lambda shape: networks.discriminator(shape, width, **options), image_shape, num_classes
        )
    model = CGAN(
        conditional_generator(image_shape, num_classes, latent_dim, width),
        discriminator,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(
        FusedAdam, g_learning_rate, d_learning_rate, beta_1=beta_1, beta_2=beta_2
    )


def conditional_generator(image_shape, num_classes, latent_dim, width):
    """`[z, y]` to images: the generator of `dcgan` with y beside z."""
    return networks.condition_on_labels(
        lambda shape: networks.generator(image_shape, shape[0], width), (latent_dim,), num_classes
    )
