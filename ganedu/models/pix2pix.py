"""pix2pix: paired image translation with a U-Net, an L1 loss and a PatchGAN (Isola 2017).

For a source x and its target y, G a U-Net with dropout, D a PatchGAN (section 3.2.2):

    max_D  E[log sigma(D(x, y))] + E[log(1 - sigma(D(x, G(x))))]      (equation 1)
    min_G  -E[log sigma(D(x, G(x)))] + lambda E||y - G(x)||_1         (equations 3 and 4)

L1 settles what lies where; D, which sees only patches, settles that it looks sharp.

Departures:
    Dropout is on in training alone, so that an input has one output, where the paper keeps it;
    a U-Net of two or three levels; patches of 18x18 pixels, where they have 70x70; no jitter.
    ||.||_1 is here the mean over pixels. With `spectral_norm` D is kept smooth (Miyato 2018,
    `sngan.py`), and with `ema_momentum` translations are those of an exponential moving average
    of G's weights. MNIST's recipe has these, lambda = 10 and no dropout.

Reference:
    Isola, Zhu, Zhou and Efros 2017, "Image-to-image translation with conditional adversarial
    networks", arXiv:1611.07004.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.data import pairs
from ganedu.engine import FusedAdam, Translator, check_images, check_same_shape, functional
from ganedu.models.gan import discriminator_loss, generator_loss

FAMILY = "translation"


def l1(x, y):
    """E||x - y||_1 / (number of values)."""
    return ops.mean(ops.abs(x - y))


@keras.saving.register_keras_serializable("ganedu")
class Pix2Pix(Translator):
    """Two players on pairs.

    Args:
        generator: Keras model, sources (B, H, W, C) -> targets (B, H, W, C') in [-1, 1].
        discriminator: Keras model, source and target in one (B, H, W, C + C') -> logits (B, h, w,
            1).
        task: str, one of `ganedu.data.TASKS`. Defaults to `"edges"`.
        l1_weight: float, lambda. Defaults to `100.0`.
        ema_momentum: float in [0, 1) or `None`: how slowly the averaged generator, which translates,
            follows the trained one; `None` for no average. Defaults to `None`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for networks that do not fit together.
    """

    players = {"g_optimizer": ("generator",), "d_optimizer": ("discriminator",)}
    log_names = ("d_loss", "g_loss", "l1_loss")

    def __init__(
        self,
        generator,
        discriminator,
        task="edges",
        l1_weight=100.0,
        ema_momentum=None,
        seed=0,
    ):
        super().__init__(task, aligned=True, seed=seed)
        generator, discriminator = functional(
            self.forms, generator=generator, discriminator=discriminator
        )
        check_images(generator, "generator")
        *sides, channels = generator.input_shape
        both = (*sides, channels + generator.output_shape[-1])
        read = discriminator.input_shape
        check_same_shape({"source and target": both, "the discriminator's input": read})
        self.generator, self.discriminator, self.l1_weight = generator, discriminator, l1_weight
        self.ema_momentum = ema_momentum
        self.keep_ema("generator")

    @property
    def translation_network(self):
        return self.averaged("generator")

    def train_step(self, data):
        x, y = self.unpack(data)
        d = self.minimize(
            lambda: self.d_losses(x, y, training=True), self.discriminator, self.d_optimizer
        )
        g = self.minimize(
            lambda: self.g_losses(x, y, training=True), self.generator, self.g_optimizer
        )
        self.update_kept_ema("generator")
        return self.log(d | g)

    def test_step(self, data):
        x, y = self.unpack(data)
        return self.log(self.d_losses(x, y, training=False) | self.g_losses(x, y, training=False))

    def d_losses(self, x, y, training):
        real = self.discriminate(x, y, training)
        fake = self.discriminate(x, self.generator(x, training=training), training)
        return {"d_loss": discriminator_loss(real, fake)}

    def g_losses(self, x, y, training):
        generated = self.generator(x, training=training)
        far = l1(y, generated)
        fooled = generator_loss(self.discriminate(x, generated, training))
        return {"g_loss": fooled + self.l1_weight * far, "l1_loss": far}

    def discriminate(self, x, y, training):
        return self.discriminator(ops.concatenate([x, y], axis=-1), training=training)

    def call(self, x, training=False):
        return self.translation_network(x, training=training)


def build(
    image_shape,
    task="edges",
    width=32,
    l1_weight=100.0,
    dropout=0.5,
    learning_rate=1e-3,
    d_learning_rate=None,
    beta_1=0.5,
    spectral_norm=False,
    ema_momentum=None,
    seed=0,
):
    """A compiled pix2pix for a task made of images (H, W, C); Adam for both, D's rate is half of G's unless it is
    given."""
    source, target = pairs.shapes(task, image_shape)
    both = (*source[:-1], source[-1] + target[-1])
    model = Pix2Pix(
        networks.unet_translator(source, target[-1], width, dropout, seed),
        networks.patch_discriminator(both, width, spectral_norm),
        task=task,
        l1_weight=l1_weight,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    d_learning_rate = learning_rate / 2 if d_learning_rate is None else d_learning_rate
    return model.compile_with(FusedAdam, learning_rate, d_learning_rate, beta_1=beta_1)
