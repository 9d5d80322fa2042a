"""WGAN-GP: a critic whose gradient norm is penalized towards 1 (Gulrajani 2017).

For each image one epsilon ~ U[0, 1], and between a real and a generated one

    x_hat = epsilon x + (1 - epsilon) G(z)          (both as D sees them, if they are augmented)
    min_D  E_z[D(G(z))] - E_x[D(x)] + lambda E[(||grad D(x_hat)||_2 - 1)^2]      (Algorithm 1, lines 4 to 7)
    min_G  -E_z[D(G(z))]                                                       (line 12)

Departures:
    The networks are those of `dcgan`, smaller than the paper's, for small images. Two critic
    steps, not five; rates of 2e-3 and 1e-3, not 1e-4. D may see squares
    of pixels (`patch_size`). Where images are augmented, x_hat lies
    between augmented ones. Samples are those of an exponential moving average of G's weights
    (`ema_momentum=None` turns that off).

Reference:
    Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville 2017, "Improved training of Wasserstein
    GANs", Algorithm 1, arXiv:1704.00028.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.engine import FusedAdam
from ganedu.models.wgan import CriticGAN

FAMILY = "GANs"


def gradient_penalty(gradients):
    """E[(||slope||_2 - 1)^2] of gradients (B, H, W, C), one for each image."""
    squares = ops.sum(ops.square(gradients), axis=(1, 2, 3))
    return ops.mean(ops.square(ops.sqrt(squares + 1e-12) - 1.0))


@keras.saving.register_keras_serializable("ganedu")
class WGANGP(CriticGAN):
    """A `CriticGAN` with a penalty.

    Args:
        penalty_weight: float, lambda. Defaults to `10.0`.
        Others as for `CriticGAN`.
    """

    log_names = ("d_loss", "g_loss", "wasserstein_estimate", "gradient_penalty")

    def __init__(self, generator, discriminator, penalty_weight=10.0, **others):
        super().__init__(generator, discriminator, **others)
        self.penalty_weight = penalty_weight

    def d_losses(self, x, z, training):
        x = self.augmented(x, training)
        fake_x = ops.stop_gradient(self.augmented(self.generator(z, training=training), training))
        real, fake = (self.discriminator(images, training=training) for images in (x, fake_x))
        epsilon = replicas.uniform((ops.shape(x)[0], 1, 1, 1), seed=self.seed_generator)
        gradients = self.input_gradient(
            lambda x: self.discriminator(x, training=training),
            epsilon * x + (1.0 - epsilon) * fake_x,
        )  # (B, H, W, C)
        penalty = gradient_penalty(gradients)
        loss = self.discriminator_loss(real, fake) + self.penalty_weight * penalty
        return {"d_loss": loss, **self.d_metrics(real, fake), "gradient_penalty": penalty}


def build(
    image_shape,
    latent_dim=32,
    width=32,
    critic_steps=2,
    penalty_weight=10.0,
    g_learning_rate=2e-3,
    d_learning_rate=1e-3,
    patch_size=1,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled WGAN-GP of the networks of `dcgan`; Adam with beta_1 = 0 and beta_2 = 0.9 as in
    the paper, which has five critic steps."""
    model = WGANGP(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width, patch_size=patch_size),
        critic_steps=critic_steps,
        penalty_weight=penalty_weight,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, g_learning_rate, d_learning_rate, beta_1=0.0, beta_2=0.9)
