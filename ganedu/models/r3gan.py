"""R3GAN: a relativistic pairing loss with the gradient penalties R1 and R2 (Huang 2024).

With logits D(x) and f(t) = -log(1 + e^(-t)):

    max_D min_G  E_{x,z}[f(D(x) - D(G(z)))]                        (equation 2, up to the sign of D)
    R1 = gamma/2 E_x[||grad D(x)||^2],   R2 = gamma/2 E_z[||grad D(G(z))||^2]     (equation 3)

D minimizes softplus(-(D(x) - D(G(z)))) + R1 + R2, and G softplus(D(x) - D(G(z))). A sample has to
beat the real image beside it, so G cannot win by generating only what D likes best.

Departures:
    Equation 2 as it stands is the saturating game; as in the authors' code, G minimizes
    softplus(D(x) - D(G(z))), its non-saturating form. The networks are those of `dcgan`,
    smaller than the paper's, for small images. The paper's residual networks without
    normalization are not here; gamma is constant, 0.1. D may see
    squares of pixels (`patch_size`). Samples are those of an exponential
    moving average of G's weights (`ema_momentum=None` turns that off).

Reference:
    Huang, Gokaslan, Kuleshov and Tompkin 2024, "The GAN is dead; long live the GAN!", section 2,
    arXiv:2501.05441; the pairing from Jolicoeur-Martineau 2019, R1 from Mescheder et al. 2018.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import FusedAdam
from ganedu.models.gan import GAN

FAMILY = "GANs"


def discriminator_loss(real, fake):
    """E[softplus(-(real - fake))] of paired logits (B, 1); log(2) where D cannot tell."""
    return ops.mean(ops.softplus(fake - real))


def generator_loss(real, fake):
    """E[softplus(real - fake)] of paired logits (B, 1)."""
    return ops.mean(ops.softplus(real - fake))


def zero_centered_penalty(gradients):
    """1/2 E[||slope||^2] of gradients (B, H, W, C)."""
    return 0.5 * ops.mean(ops.sum(ops.square(gradients), axis=(1, 2, 3)))


@keras.saving.register_keras_serializable("ganedu")
class R3GAN(GAN):
    """A `GAN` of pairs.

    Args:
        gamma: float, the weight of R1 and of R2. Defaults to `1.0`; `build` takes 0.1.
        Others as for `GAN`.
    """

    log_names = ("d_loss", "g_loss", "R1", "R2")
    decision_boundary = None

    discriminator_loss = staticmethod(discriminator_loss)
    generator_loss = staticmethod(generator_loss)

    def __init__(self, generator, discriminator, gamma=1.0, **others):
        super().__init__(generator, discriminator, **others)
        self.gamma = gamma

    def d_losses(self, x, z, training):
        x = self.augmented(x, training)
        fake_x = ops.stop_gradient(self.augmented(self.generator(z, training=training), training))
        real = self.discriminator(x, training=training)
        fake = self.discriminator(fake_x, training=training)
        r1, r2 = (
            zero_centered_penalty(
                self.input_gradient(lambda x: self.discriminator(x, training=training), at)
            )
            for at in (x, fake_x)
        )
        loss = self.discriminator_loss(real, fake) + self.gamma * (r1 + r2)
        return {"d_loss": loss, "R1": r1, "R2": r2}

    def g_losses(self, x, z, training):
        real = ops.stop_gradient(self.discriminate(x, training))
        fake = self.discriminate(self.generator(z, training=training), training)
        return {"g_loss": self.generator_loss(real, fake)}


def build(
    image_shape,
    latent_dim=32,
    width=32,
    gamma=0.1,
    g_learning_rate=2e-3,
    d_learning_rate=1e-3,
    patch_size=1,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled R3GAN of the networks of `dcgan`; Adam with beta_1 = 0 and beta_2 = 0.9."""
    model = R3GAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width, patch_size=patch_size),
        gamma=gamma,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, g_learning_rate, d_learning_rate, beta_1=0.0, beta_2=0.9)
