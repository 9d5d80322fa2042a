"""WGAN: a weight-clipped critic that estimates a Wasserstein distance (Arjovsky 2017).

    W = max over 1-Lipschitz D of  E_x[D(x)] - E_z[D(G(z))]        (equation 2)
    max_D  E_x[D(x)] - E_z[D(G(z))],   w <- clip(w, -c, c)         (Algorithm 1, lines 5 to 7)
    max_G  E_z[D(G(z))]                                            (lines 10 and 11)

n_critic steps of D, each on fresh real images and a fresh z, then one step of G.

Departures:
    The networks are those of `dcgan`, smaller than the paper's, for small images. Three critic
    steps, not five; c = 0.05, not 0.01; G's rate is 1e-3 and D's 5e-4, where both are 5e-5. On
    MNIST the recipe has two critic steps, c = 0.1, a rate of 4e-3 for G, and a D that sees squares
    of pixels (`patch_size`). The logged number is at best a lower bound of K W over critics of
    clipped weights, K their unknown Lipschitz constant: not W. Samples are those of an exponential
    moving average of G's weights (`ema_momentum=None` turns that off).

Reference:
    Arjovsky, Chintala and Bottou 2017, "Wasserstein GAN", Algorithm 1, arXiv:1701.07875.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.models.gan import GAN

FAMILY = "GANs"


def critic_loss(real, fake):
    """-(E[real] - E[fake]) of outputs (B, 1): minus the distance."""
    return ops.mean(fake) - ops.mean(real)


def generator_loss(fake):
    """-E[fake] of outputs (B, 1)."""
    return -ops.mean(fake)


class CriticGAN(GAN):
    """The game of Algorithm 1, without clipping; the base of `WGAN` and of `WGANGP`.

    Args:
        critic_steps: int >= 1, n_critic. A batch holds as many equal parts, a critic step each.
            Defaults to `5`, as in the paper; `build` takes fewer.
        Others as for `GAN`.
    """

    log_names = ("d_loss", "g_loss", "wasserstein_estimate")
    decision_boundary = None

    discriminator_loss = staticmethod(critic_loss)
    generator_loss = staticmethod(generator_loss)

    def __init__(self, generator, discriminator, critic_steps=5, **others):
        super().__init__(generator, discriminator, **others)
        if critic_steps < 1:
            raise ValueError(f"`critic_steps` must be at least 1. Received: {critic_steps}")
        self.critic_steps = critic_steps

    @property
    def batch_divisor(self):
        return self.critic_steps

    def train_step(self, data):
        x, _ = self.unpack(data)
        for part in self.critic_batches(x):
            d = self.critic_step(part)
        z = self.sample_prior(ops.shape(part)[0])
        g = self.minimize(
            lambda: self.g_losses(part, z, training=True), self.generator, self.g_optimizer
        )
        self.update_ema_generator()
        return self.log(d | g)

    def critic_step(self, x):
        z = self.sample_prior(ops.shape(x)[0])
        return self.minimize(
            lambda: self.d_losses(x, z, training=True), self.discriminator, self.d_optimizer
        )

    def critic_batches(self, x):
        """A batch in `critic_steps` equal parts."""
        if x.shape[0] is not None and x.shape[0] % self.critic_steps:
            raise ValueError(
                f"A batch must hold {self.critic_steps} equal parts, one for each critic step. "
                f"Received: {x.shape[0]} images"
            )
        return [replicas.cut(part) for part in ops.split(replicas.gather(x), self.critic_steps)]

    def d_metrics(self, real, fake):
        return {"wasserstein_estimate": ops.mean(real) - ops.mean(fake)}


@keras.saving.register_keras_serializable("ganedu")
class WGAN(CriticGAN):
    """A `CriticGAN` whose critic's weights are clipped to [-c, c], c = `clip`, a float > 0. Defaults
    to `0.05`; the paper's 0.01 asks for smaller steps. Other arguments as for `CriticGAN`."""

    def __init__(self, generator, discriminator, clip=0.05, **others):
        super().__init__(generator, discriminator, **others)
        if clip <= 0:
            raise ValueError(f"`clip` must be positive. Received: clip={clip}")
        self.clip = clip

    def critic_step(self, x):
        logs = super().critic_step(x)
        for w in self.discriminator.trainable_variables:
            w.assign(ops.clip(w, -self.clip, self.clip))
        return logs


def build(
    image_shape,
    latent_dim=32,
    width=32,
    critic_steps=3,
    clip=0.05,
    g_learning_rate=1e-3,
    d_learning_rate=5e-4,
    patch_size=1,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled WGAN of the networks of `dcgan`, with RMSprop for both players as in the paper."""
    model = WGAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width, patch_size=patch_size),
        critic_steps=critic_steps,
        clip=clip,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(keras.optimizers.RMSprop, g_learning_rate, d_learning_rate)
