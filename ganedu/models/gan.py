"""GAN: the minimax game with the non-saturating generator loss (Goodfellow 2014).

With logits D(x), and sigma the sigmoid:

    max_D  E_x[log sigma(D(x))] + E_z[log(1 - sigma(D(G(z))))]        (equation 1)
    max_G  E_z[log sigma(D(G(z)))]                                    (section 3: the "non-saturating" loss)

Algorithm 1 with k = 1: one step of D, then one step of G, each on a fresh draw of z.

Departures:
    Adam with beta_1 = 0.5 in the place of momentum, leaky ReLUs and dropout in D in the place
    of maxout, tanh images, a normal z. Samples are those of an exponential moving average of
    G's weights (`ema_momentum=None` turns that off).

Reference:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville and Bengio 2014,
    "Generative adversarial nets", equation 1 and Algorithm 1, arXiv:1406.2661.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import AdversarialModel, FusedAdam

FAMILY = "GANs"


def discriminator_loss(real, fake, smoothing=0.0):
    """-E[log sigma(real)] - E[log(1 - sigma(fake))] of logits (B, 1); log(2) + log(2) where D
    cannot tell.

    With `smoothing` s the target of real images is 1 - s: -(1 - s) log sigma - s log(1 - sigma),
    which keeps D from certainty (Salimans 2016, section 3.4, arXiv:1606.03498).
    """
    return ops.mean(ops.softplus(-real) + smoothing * real) + ops.mean(ops.softplus(fake))


def generator_loss(fake):
    """-E[log sigma(fake)] of logits (B, 1)."""
    return ops.mean(ops.softplus(-fake))


@keras.saving.register_keras_serializable("ganedu")
class GAN(AdversarialModel):
    """Two players; arguments as for `AdversarialModel`. A paper that changes only the losses
    overrides `discriminator_loss` and `generator_loss`."""

    log_names = ("d_loss", "g_loss", "D(x)", "D(G(z))")

    discriminator_loss = staticmethod(discriminator_loss)
    generator_loss = staticmethod(generator_loss)
    d_activation = staticmethod(ops.sigmoid)  # from a logit to a probability

    def train_step(self, data):
        x, _ = self.unpack(data)
        z = self.sample_prior(ops.shape(x)[0])
        d = self.minimize(
            lambda: self.d_losses(x, z, training=True), self.discriminator, self.d_optimizer
        )
        z = self.sample_prior(ops.shape(x)[0])
        g = self.minimize(
            lambda: self.g_losses(x, z, training=True), self.generator, self.g_optimizer
        )
        self.update_ema_generator()
        return self.log(d | g)

    def test_step(self, data):
        x, _ = self.unpack(data)
        z = self.sample_prior(ops.shape(x)[0])
        return self.log(self.d_losses(x, z, training=False) | self.g_losses(x, z, training=False))

    def d_losses(self, x, z, training):
        # Real and generated images pass separately: in one batch they would share its statistics.
        real = self.discriminate(x, training)
        fake = self.discriminate(self.generator(z, training=training), training)
        self.update_augment(real, training)
        return {"d_loss": self.smoothed_loss(real, fake), **self.d_metrics(real, fake)}

    def g_losses(self, x, z, training):
        fake = self.discriminate(self.generator(z, training=training), training)
        return {"g_loss": self.generator_loss(fake)}

    def smoothed_loss(self, real, fake):
        """`discriminator_loss`, with the `label_smoothing` that was asked for."""
        smoothing = {"smoothing": self.label_smoothing} if self.label_smoothing else {}
        return self.discriminator_loss(real, fake, **smoothing)

    def d_metrics(self, real, fake):
        """What the logs say of D's outputs: the mean `d_activation` of real and of generated images."""
        return {
            "D(x)": ops.mean(self.d_activation(real)),
            "D(G(z))": ops.mean(self.d_activation(fake)),
        }


def build(
    image_shape,
    latent_dim=64,
    width=256,
    dropout=0.3,
    learning_rate=5e-4,
    label_smoothing=0.0,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled GAN of dense networks for images (H, W, C); Adam with beta_1 = 0.5 for both
    players."""
    model = GAN(
        networks.dense_generator(image_shape, latent_dim, width),
        networks.dense_discriminator(image_shape, width, dropout, seed=seed),
        label_smoothing=label_smoothing,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, learning_rate, learning_rate, beta_1=0.5)
