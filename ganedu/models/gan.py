"""The generative adversarial network: two networks play a game, and the data decides who is right.

With logits D(x), and sigma the sigmoid:

    max_D  E_x[log sigma(D(x))] + E_z[log(1 - sigma(D(G(z))))]        (equation 1)
    max_G  E_z[log sigma(D(G(z)))]                                    (section 3: the "non-saturating" loss)

Algorithm 1 with k = 1: one step of D, then one step of G, each on a fresh draw of z.

Reference:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville and Bengio 2014,
    "Generative adversarial nets", equation 1 and Algorithm 1, arXiv:1406.2661.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import LatentModel


def discriminator_loss(real, fake):
    """-E[log sigma(real)] - E[log(1 - sigma(fake))] of logits (B, 1); log(2) + log(2) where D
    cannot tell."""
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def generator_loss(fake):
    """-E[log sigma(fake)] of logits (B, 1)."""
    return ops.mean(ops.softplus(-fake))


@keras.saving.register_keras_serializable("ganedu")
class GAN(LatentModel):
    """Two players. A paper that changes only the losses overrides `discriminator_loss` and
    `generator_loss`.

    Args:
        generator: Keras model, z (B, latent_dim) -> images (B, H, W, C) in [-1, 1].
        discriminator: Keras model, images -> logits (B, 1).
        ema_momentum: float in [0, 1) or `None`: how slowly the averaged generator, which `generate`
            uses, follows the trained one; `None` for no average. Defaults to `0.99`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: if the two networks' image shapes differ.
    """

    players = {"g_optimizer": ("generator",), "d_optimizer": ("discriminator",)}
    log_names = ("d_loss", "g_loss", "D(x)", "D(G(z))")

    discriminator_loss = staticmethod(discriminator_loss)
    generator_loss = staticmethod(generator_loss)

    def __init__(self, generator, discriminator, ema_momentum=0.99, seed=0):
        super().__init__(seed=seed)
        if generator.output_shape != discriminator.input_shape:
            raise ValueError(
                "The discriminator must read what the generator draws. "
                f"Received: {generator.output_shape} and {discriminator.input_shape}"
            )
        self.generator, self.discriminator = generator, discriminator
        self.ema_momentum = ema_momentum
        if ema_momentum is not None:
            self.averaged_generator = self.averaged_copy(generator)

    @property
    def artist(self):
        """The averaged generator, or without one the trained one."""
        return self.generator if self.ema_momentum is None else self.averaged_generator

    def train_step(self, data):
        x, _ = self.unpack(data)
        z = self.draw_latents(ops.shape(x)[0])
        d = self.minimize(
            lambda: self.d_losses(x, z, training=True), self.discriminator, self.d_optimizer
        )
        z = self.draw_latents(ops.shape(x)[0])
        g = self.minimize(lambda: self.g_losses(z, training=True), self.generator, self.g_optimizer)
        if self.ema_momentum is not None:
            self.average(self.generator, self.averaged_generator, self.ema_momentum)
        return self.log(d | g)

    def test_step(self, data):
        x, _ = self.unpack(data)
        z = self.draw_latents(ops.shape(x)[0])
        return self.log(self.d_losses(x, z, training=False) | self.g_losses(z, training=False))

    def d_losses(self, x, z, training):
        # Real and generated images pass separately: in one batch they would share its statistics.
        real = self.discriminator(x, training=training)
        fake = self.discriminator(self.generator(z, training=training), training=training)
        return {
            "d_loss": self.discriminator_loss(real, fake),
            "D(x)": ops.mean(ops.sigmoid(real)),
            "D(G(z))": ops.mean(ops.sigmoid(fake)),
        }

    def g_losses(self, z, training):
        fake = self.discriminator(self.generator(z, training=training), training=training)
        return {"g_loss": self.generator_loss(fake)}

    def draw_latents(self, count):
        """z ~ N(0, I), (count, latent_dim)."""
        return keras.random.normal((count, self.latent_dim), seed=self.seed_generator)

    def call(self, z, training=False):
        return self.artist(z, training=training)


def build(
    image_shape,
    latent_dim=64,
    width=256,
    dropout=0.3,
    learning_rate=5e-4,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled GAN of dense networks for images (H, W, C); Adam with beta_1 = 0.5 for both
    players."""
    model = GAN(
        networks.dense_generator(image_shape, latent_dim, width),
        networks.dense_discriminator(image_shape, width, dropout, seed=seed),
        ema_momentum=ema_momentum,
        seed=seed,
    )
    model.compile(
        g_optimizer=keras.optimizers.Adam(learning_rate, beta_1=0.5),
        d_optimizer=keras.optimizers.Adam(learning_rate, beta_1=0.5),
    )
    return model
