"""StyleGAN: a mapping network and style-modulated convolutions (Karras 2019, 2020).

    w = f(z), a deep dense mapping;   G(w): a learnt constant, convolutions whose kernels w scales, noise
    style mixing:  the coarse layers take w_1, the fine ones w_2                           (2019, section 3.1)
    truncation:    w' = w_mean + psi (w - w_mean)                                          (2019, appendix B)

D is that of `dcgan` with the batch's standard deviation; the losses are those of `gan` and R1, gamma/2
E_x||grad D(x)||^2.

Departures:
    Left out: path length regularization, lazy R1, the resampling filters, residual connections
    in D, equalized rates outside of the mapping. The mapping has 4 layers and learns 0.05 times
    as fast as the rest (8 and 0.01 in the paper); w has 64 numbers, not 512; noise is off in
    sampling; the moving average has momentum 0.99.

Reference:
    Karras, Laine and Aila 2019, "A style-based generator architecture for generative adversarial
    networks", arXiv:1812.04948; Karras et al. 2020, "Analyzing and improving the image quality of
    StyleGAN", arXiv:1912.04958.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.engine import FusedAdam, StyleBasedModel, check_one_logit, functional
from ganedu.models.gan import discriminator_loss, generator_loss
from ganedu.models.r3gan import zero_centered_penalty

FAMILY = "GANs"


@keras.saving.register_keras_serializable("ganedu")
class StyleGAN(StyleBasedModel):
    """Two players; the generator is two networks.

    Args:
        mapping: Keras model, z (B, latent_dim) -> w (B, latent_dim).
        synthesis: Keras model, styles (B, L, latent_dim) -> images (B, H, W, C) in [-1, 1].
        discriminator: Keras model, images -> logits (B, 1).
        gamma: float, of R1. Defaults to `2.0`.
        style_mixing_prob: float in [0, 1], the share of samples in training that mix two styles. Defaults to
            `0.9`.
        ema_momentum: float in [0, 1), of the averaged generator, which samples are from. Defaults to `0.99`.
        seed: int in [0, 2**31). Defaults to `0`.
    """

    players = {"g_optimizer": ("mapping", "synthesis"), "d_optimizer": ("discriminator",)}
    log_names = ("d_loss", "g_loss", "R1")

    def __init__(
        self,
        mapping,
        synthesis,
        discriminator,
        gamma=2.0,
        style_mixing_prob=0.9,
        ema_momentum=0.99,
        seed=0,
    ):
        super().__init__(mapping, synthesis, ema_momentum, seed)
        self.discriminator = functional(self.forms, discriminator=discriminator)
        check_one_logit(self.discriminator, "discriminator")
        self.gamma, self.style_mixing_prob = gamma, style_mixing_prob

    def train_step(self, data):
        x, _ = self.unpack(data)
        d = self.minimize(
            lambda: self.d_losses(x, training=True), self.discriminator, self.d_optimizer
        )
        g = self.minimize(
            lambda: self.g_losses(x, training=True),
            (self.mapping, self.synthesis),
            self.g_optimizer,
        )
        self.update_ema_generator()
        return self.log(d | g)

    def test_step(self, data):
        x, _ = self.unpack(data)
        return self.log(self.d_losses(x, training=False) | self.g_losses(x, training=False))

    def d_losses(self, x, training):
        real = self.discriminator(x, training=training)
        fake = self.discriminator(self.sample_mixed(ops.shape(x)[0], training), training=training)
        r1 = zero_centered_penalty(
            self.input_gradient(lambda x: self.discriminator(x, training=training), x)
        )
        return {"d_loss": discriminator_loss(real, fake) + self.gamma * r1, "R1": r1}

    def g_losses(self, x, training):
        fake = self.discriminator(self.sample_mixed(ops.shape(x)[0], training), training=training)
        return {"g_loss": generator_loss(fake)}

    def sample_mixed(self, count, training):
        """Images of fresh latents, most of them with two styles, changing at a random layer."""
        seed, shape = self.seed_generator, (count, self.latent_dim)
        w, other = (
            self.mapping(replicas.normal(shape, seed=seed), training=training) for _ in range(2)
        )
        if training:
            self.update_w_avg(w)
        chosen = replicas.uniform((2, count), seed=seed, axis=1)
        crossover = ops.where(
            chosen[0] < self.style_mixing_prob,
            1.0 + ops.floor(chosen[1] * (self.depth - 1)),
            self.depth,
        )
        coarse = ops.arange(self.depth, dtype="float32")[None] < crossover[:, None]  # (B, L)
        styles = ops.where(coarse[:, :, None], w[:, None], other[:, None])
        return self.synthesis(styles, training=training)


def build(
    image_shape,
    latent_dim=64,
    width=32,
    gamma=2.0,
    g_learning_rate=2e-3,
    d_learning_rate=2e-3,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled small StyleGAN; Adam with beta_1 = 0 and beta_2 = 0.99 for both players."""
    model = StyleGAN(
        networks.mapping_network(latent_dim),
        networks.synthesis_network(image_shape, latent_dim, width, seed),
        networks.discriminator(image_shape, width, minibatch_stddev=True),
        gamma=gamma,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, g_learning_rate, d_learning_rate, beta_1=0.0, beta_2=0.99)
