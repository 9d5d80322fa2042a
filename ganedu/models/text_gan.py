"""GAN-CLS: a text-conditional GAN with a matching-aware discriminator (Reed 2016).

With texts h, images x of them, and h^ a text of another image:

    max_D  log D(x, h) + 1/2 [log(1 - D(x, h^)) + log(1 - D(G(z, h), h))]       (algorithm 1, line 10)
    max_G  log D(G(z, h), h)                                                    (line 12)

A D that only saw real images with their texts and samples with theirs would never have to read: that an image is
real would tell it all.

Departures:
    Each player has a text encoder of its own, which its own loss trains; the paper's were
    trained before, and by images. No interpolated texts (GAN-INT). Samples are those of an
    exponential moving average of G's weights (`ema_momentum=None` turns that off).

Reference:
    Reed, Akata, Yan, Logeswaran, Schiele and Lee 2016, "Generative adversarial text to image
    synthesis", algorithm 1 (GAN-CLS), arXiv:1605.05396.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.engine import AdversarialModel, FusedAdam, TextToImageModel, validate_latents
from ganedu.models.gan import generator_loss
from ganedu.networks.inference import predict_in_batches

FAMILY = "words"


def discriminator_loss(real, wrong, fake):
    """-E[log D(x, h)] - 1/2 E[log(1 - D(x, h^)) + log(1 - D(G(z, h), h))] of logits (B, 1)."""
    refused = ops.mean(ops.softplus(wrong)) + ops.mean(ops.softplus(fake))
    return ops.mean(ops.softplus(-real)) + 0.5 * refused


@keras.saving.register_keras_serializable("ganedu")
class TextGAN(TextToImageModel, AdversarialModel):
    """An `AdversarialModel` with captions: `generate(texts)`.

    Args:
        generator: Keras model, `[z, tokens]`, (B, latent_dim) and int32 (B, L), -> images (B, H, W, C)
            in [-1, 1].
        discriminator: Keras model, `[x, tokens]` -> logits (B, 1).
        augment, ema_momentum, seed: as for `AdversarialModel`.
    """

    forms = {"generator": "z, tokens -> images", "discriminator": "x, tokens -> logit"}
    log_names = ("d_loss", "g_loss", "D(x)", "D(mismatched)", "D(G(z))")

    def __init__(self, generator, discriminator, augment=None, ema_momentum=0.995, seed=0):
        super().__init__(
            generator, discriminator, augment=augment, ema_momentum=ema_momentum, seed=seed
        )

    discriminator_loss = staticmethod(discriminator_loss)
    generator_loss = staticmethod(generator_loss)

    @property
    def latent_dim(self):
        return self.generator.input_shape[0][-1]

    @property
    def text_length(self):
        return self.generator.input_shape[1][-1]

    def train_step(self, data):
        x, tokens = self.unpack(data)
        z = self.sample_prior(ops.shape(x)[0])
        d = self.minimize(
            lambda: self.d_losses(x, tokens, z, training=True), self.discriminator, self.d_optimizer
        )
        z = self.sample_prior(ops.shape(x)[0])
        g = self.minimize(
            lambda: self.g_losses(tokens, z, training=True), self.generator, self.g_optimizer
        )
        self.update_ema_generator()
        return self.log(d | g)

    def test_step(self, data):
        x, tokens = self.unpack(data)
        z = self.sample_prior(ops.shape(x)[0])
        d = self.d_losses(x, tokens, z, training=False)
        return self.log(d | self.g_losses(tokens, z, training=False))

    def d_losses(self, x, tokens, z, training):
        other = replicas.cut(
            ops.roll(replicas.gather(tokens), 1, axis=0)
        )  # the text of the image before
        generated = self.generator([z, tokens], training=training)
        logits = [
            self.discriminate(*both, training)
            for both in ((x, tokens), (x, other), (generated, tokens))
        ]
        self.update_augment(logits[0], training)
        means = (ops.mean(ops.sigmoid(v)) for v in logits)
        named = zip(("D(x)", "D(mismatched)", "D(G(z))"), means, strict=True)
        return {"d_loss": self.discriminator_loss(*logits), **dict(named)}

    def g_losses(self, tokens, z, training):
        generated = self.generator([z, tokens], training=training)
        return {"g_loss": self.generator_loss(self.discriminate(generated, tokens, training))}

    def discriminate(self, x, tokens, training):
        """D's logits of images beside texts."""
        return self.discriminator([self.augmented(x, training), tokens], training=training)

    def decode_tokens(self, z, tokens):
        z = validate_latents(z, self.latent_dim)
        return predict_in_batches(self.sampling_network, [z, tokens])


def build(
    image_shape,
    length=28,
    latent_dim=64,
    width=32,
    text_width=64,
    g_learning_rate=1e-3,
    d_learning_rate=5e-4,
    augment=None,
    ema_momentum=0.995,
    seed=0,
):
    """A compiled GAN for captioned images (H, W, C), with Adam and beta_1 = 0.5 for both."""
    vocabulary = len(TextGAN.tokenizer)
    model = TextGAN(
        networks.text_generator(image_shape, vocabulary, length, latent_dim, width, text_width),
        networks.text_discriminator(image_shape, vocabulary, length, width, text_width),
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, g_learning_rate, d_learning_rate, beta_1=0.5)
