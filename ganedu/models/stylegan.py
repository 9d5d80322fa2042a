"""StyleGAN: a mapping network and style-modulated convolutions (Karras 2019, 2020).

    w = f(z), a deep dense mapping;   G(w): a learnt constant, convolutions whose kernels w scales, noise
    style mixing:  the coarse layers take w_1, the fine ones w_2                           (2019, section 3.1)
    truncation:    w' = w_mean + psi (w - w_mean)                                          (2019, appendix B)

D is that of `dcgan` with the batch's standard deviation; the losses are those of `gan` and R1, gamma/2
E_x||grad D(x)||^2.

Departures:
    Left out: path length regularization, the resampling filters, residual connections in D,
    equalized rates outside of the mapping. R1 is not lazy (every sixteenth step): it may be of a
    part of each batch in every step (`r1_divisor`). A map may be doubled by a transposed
    convolution of 4x4, without a filter (`transposed`); D may see squares of pixels (`patch_size`).
    The mapping has 4 layers and learns 0.05 times as fast as the rest (8 and 0.01 in the paper);
    w has 64 numbers, not 512; noise is off in sampling; the moving average has momentum 0.99.

Reference:
    Karras, Laine and Aila 2019, "A style-based generator architecture for generative adversarial
    networks", arXiv:1812.04948; Karras et al. 2020, "Analyzing and improving the image quality of
    StyleGAN", arXiv:1912.04958.
"""

import keras
from keras import ops

from ganedu import networks
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
        r1_divisor: int, R1 is of the first of so many parts of a batch. Defaults to `1`.
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
        r1_divisor=1,
        style_mixing_prob=0.9,
        ema_momentum=0.99,
        seed=0,
    ):
        super().__init__(mapping, synthesis, ema_momentum, seed)
        self.discriminator = functional(self.forms, discriminator=discriminator)
        check_one_logit(self.discriminator, "discriminator")
        self.gamma, self.r1_divisor = gamma, r1_divisor
        self.style_mixing_prob = style_mixing_prob

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
        some = x[: (ops.shape(x)[0] + self.r1_divisor - 1) // self.r1_divisor]
        r1 = zero_centered_penalty(
            self.input_gradient(lambda x: self.discriminator(x, training=training), some)
        )
        return {"d_loss": discriminator_loss(real, fake) + self.gamma * r1, "R1": r1}

    def g_losses(self, x, training):
        fake = self.discriminator(self.sample_mixed(ops.shape(x)[0], training), training=training)
        return {"g_loss": generator_loss(fake)}

    def sample_mixed(self, count, training):
        """Images of fresh latents, most of them with two styles, changing at a random layer."""
        seed, shape = self.seed_generator, (count, self.latent_dim)
        w, other = (
            self.mapping(keras.random.normal(shape, seed=seed), training=training) for _ in range(2)
        )
        if training:
            self.update_w_avg(w)
        chosen = keras.random.uniform((2, count), seed=seed)
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
    d_width=None,
    gamma=2.0,
    r1_divisor=1,
    g_learning_rate=2e-3,
    d_learning_rate=2e-3,
    patch_size=1,
    transposed=False,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled small StyleGAN; Adam with beta_1 = 0 and beta_2 = 0.99 for both players.

    Args:
        image_shape: (H, W, C), sides even and at least 8.
        latent_dim: int, of z and of w. Defaults to `64`.
        width, d_width: int, channels of G's last and of D's first hidden map; D's are G's unless said.
        gamma, r1_divisor, ema_momentum, seed: as for `StyleGAN`.
        g_learning_rate, d_learning_rate: float, of Adam. Default to `2e-3`.
        patch_size: int, as in `ganedu.networks.discriminator`. Defaults to `1`.
        transposed: bool, as in `ganedu.networks.synthesis_network`. Defaults to `False`.
    """
    model = StyleGAN(
        networks.mapping_network(latent_dim),
        networks.synthesis_network(image_shape, latent_dim, width, transposed, seed),
        networks.discriminator(
            image_shape, d_width or width, minibatch_stddev=True, patch_size=patch_size
        ),
        gamma=gamma,
        r1_divisor=r1_divisor,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, g_learning_rate, d_learning_rate, beta_1=0.0, beta_2=0.99)
