"""AC-GAN: the discriminator also classifies, and both players want the class right (Odena 2017).

D has two heads, the source (real or generated) and the class:

    L_S = E[log P(S = real | x)] + E[log P(S = fake | G(z, y))]        (equation 2)
    L_C = E[log P(C = y | x)] + E[log P(C = y | G(z, y))]              (equation 3)

D maximizes L_S + L_C and G maximizes L_C - L_S, here with the non-saturating form of -L_S.

Departures:
    The networks are those of `dcgan`, smaller than the paper's, for small images. The source
    has the non-saturating loss. D may be kept smooth (`spectral_norm`, Miyato 2018) and see squares
    of pixels (`patch_size`). Samples are those of an exponential moving average of G's
    weights (`ema_momentum=None` turns that off).

Reference:
    Odena, Olah and Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs",
    section 3, arXiv:1610.09585.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import FusedAdam
from ganedu.models.cgan import CGAN, conditional_generator

FAMILY = "conditional"


def class_loss(y, logits):
    """-E[log P(C = y)] of one-hot y and logits, both (B, K)."""
    return ops.mean(keras.losses.categorical_crossentropy(y, logits, from_logits=True))


@keras.saving.register_keras_serializable("ganedu")
class ACGAN(CGAN):
    """A `CGAN` whose discriminator reads images alone, -> `[logits (B, 1), class logits (B, K)]`.

    Its logs add `class_loss`, L_C of real images, negated.

    Args:
        class_weight: float, the weight of L_C. Defaults to `1.0`.
        Others as for `CGAN`.
    """

    forms = {"generator": "z, y -> images", "discriminator": "x -> logit, class_logits"}
    log_names = ("d_loss", "g_loss", "D(x)", "D(G(z))", "class_loss")

    def __init__(self, generator, discriminator, class_weight=1.0, **others):
        super().__init__(generator, discriminator, **others)
        self.class_weight = class_weight

    def d_losses(self, x, y, z, training):
        real, real_class = self.discriminate(x, training)
        fake, fake_class = self.discriminate(self.generator([z, y], training=training), training)
        self.update_augment(real, training)
        known = class_loss(y, real_class)
        loss = self.smoothed_loss(real, fake)
        loss = loss + self.class_weight * (known + class_loss(y, fake_class))
        return {"d_loss": loss, "class_loss": known, **self.d_metrics(real, fake)}

    def g_losses(self, y, z, training):
        fake, fake_class = self.discriminate(self.generator([z, y], training=training), training)
        loss = self.generator_loss(fake) + self.class_weight * class_loss(y, fake_class)
        return {"g_loss": loss}

    def discriminate(self, x, training):
        """D's logits of images, and of their classes."""
        return self.discriminator(self.augmented(x, training), training=training)


def build(
    image_shape,
    num_classes=10,
    latent_dim=32,
    width=32,
    class_weight=1.0,
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
    """A compiled ACGAN of the networks of `dcgan`, D's with two heads."""
    model = ACGAN(
        conditional_generator(image_shape, num_classes, latent_dim, width),
        networks.discriminator(
            image_shape,
            width,
            outputs=(1, num_classes),
            spectral_norm=spectral_norm,
            patch_size=patch_size,
        ),
        class_weight=class_weight,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(
        FusedAdam, g_learning_rate, d_learning_rate, beta_1=beta_1, beta_2=beta_2
    )
