"""InfoGAN: some latents must be readable from the drawing, and so come to mean something.

A latent is [noise, c]: a category and a few numbers in [-1, 1]. Q(c|x), a second head of D, guesses c:

    L_I = E_{c, x = G(z, c)}[log Q(c|x)] + H(c)  <=  I(c; G(z, c))      (equation 5)
    min_{G,Q} max_D  V(D, G) - lambda L_I                               (equation 6)

Nobody says what c is to mean: on digits the category finds the kinds, the numbers slant and width. Q
is a softmax for the category and a Gaussian for each number. D and Q share their body, so L_I moves it
in D's step as in G's.

Reference:
    Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel 2016, "InfoGAN", section 5 and appendix C,
    arXiv:1606.03657.
"""

import keras
import numpy as np
from keras import ops

from ganedu import latent, networks
from ganedu.models.acgan import class_loss
from ganedu.models.gan import GAN


def gaussian_nll(c, mean, log_variance):
    """-E[log N(c; mean, variance)] in nats, summed over the numbers: (B, n) each to a scalar, less
    the constant n/2 log(2 pi)."""
    nll = 0.5 * (log_variance + ops.square(c - mean) / ops.exp(log_variance))
    return ops.mean(ops.sum(nll, axis=-1))


@keras.saving.register_keras_serializable("ganedu")
class InfoGAN(GAN):
    """A `GAN` with readable latents: z = [noise, one-hot category, numbers].

    Args:
        generator: Keras model, z (B, noise + categories + numbers) -> images.
        discriminator: Keras model, images -> `[logits (B, 1), category logits (B, categories), means
            (B, numbers), log-variances (B, numbers)]`.
        categories: int. Defaults to `10`.
        numbers: int. Defaults to `2`.
        info_weight: float, lambda of the category; the numbers have a tenth of it. Defaults to
            `1.0`.
        Others as for `GAN`.
    """

    log_names = ("d_loss", "g_loss", "D(x)", "D(G(z))", "category_loss", "numbers_loss")

    def __init__(
        self,
        generator,
        discriminator,
        categories=10,
        numbers=2,
        info_weight=1.0,
        augment=None,
        ema_momentum=0.99,
        seed=0,
    ):
        super().__init__(
            generator, discriminator, augment=augment, ema_momentum=ema_momentum, seed=seed
        )
        self.categories, self.numbers, self.info_weight = categories, numbers, info_weight

    def d_losses(self, x, z, training):
        real, *_ = self.judge(x, training)
        fake, *guess = self.judge(self.generator(z, training=training), training)
        self.follow_verdicts(real, training)
        unread, parts = self.unread(z, guess)
        loss = self.discriminator_loss(real, fake) + unread
        return {"d_loss": loss, **parts, **self.verdicts(real, fake)}

    def g_losses(self, x, z, training):
        fake, *guess = self.judge(self.generator(z, training=training), training)
        return {"g_loss": self.generator_loss(fake) + self.unread(z, guess)[0]}

    def unread(self, z, guess):
        """-lambda L_I up to the constant H(c), and its two parts."""
        category, mean, log_variance = guess
        start, stop = self.latent_dim - self.categories - self.numbers, -self.numbers
        parts = {
            "category_loss": class_loss(z[:, start:stop], category),
            "numbers_loss": gaussian_nll(z[:, stop:], mean, ops.clip(log_variance, -6.0, 2.0)),
        }
        total = parts["category_loss"] + 0.1 * parts["numbers_loss"]
        return self.info_weight * total, parts

    def draw_latents(self, count):
        """[noise ~ N(0, I), a category, numbers ~ U[-1, 1]], (count, latent_dim)."""
        seed, k = self.seed_generator, self.categories
        noise = keras.random.normal((count, self.latent_dim - k - self.numbers), seed=seed)
        # The largest of k uniforms is at a place that is uniform, too.
        place = ops.argmax(keras.random.uniform((count, k), seed=seed), axis=-1)
        numbers = 2.0 * keras.random.uniform((count, self.numbers), seed=seed) - 1.0
        return ops.concatenate([noise, ops.one_hot(place, k, dtype="float32"), numbers], axis=-1)

    def latents(self, count, seed=0):
        """As `draw_latents`, float32 NumPy, the same on every backend; the categories in turn."""
        noise = latent.draw(count, self.latent_dim - self.categories - self.numbers, seed)
        numbers = np.random.default_rng([seed, 1]).uniform(-1, 1, (count, self.numbers))
        category = np.eye(self.categories)[np.arange(count) % self.categories]
        return np.concatenate([noise, category, numbers], axis=1).astype("float32")

    def sheet(self, examples, seed=0):
        """A column for each category. Five rows of latents that differ in noise; then, for each
        number, three rows of one latent in which it goes from -1 over 0 to 1."""
        k = self.categories
        z = np.repeat(self.latents(5, seed), k, axis=0)
        for i in range(self.numbers):
            row = np.repeat(z[:1], 3 * k, axis=0)
            row[:, -self.numbers :] = 0
            row[:, self.latent_dim - self.numbers + i] = np.repeat([-1, 0, 1], k)
            z = np.concatenate([z, row])
        start = self.latent_dim - k - self.numbers
        z[:, start : start + k] = np.tile(np.eye(k), (len(z) // k, 1))
        return self.decode(z), k


def build(
    image_shape,
    noise_dim=8,
    categories=10,
    numbers=2,
    width=32,
    info_weight=1.0,
    g_learning_rate=2e-3,
    d_learning_rate=4e-4,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled InfoGAN of the networks of `dcgan`, D's with the heads of Q."""
    model = InfoGAN(
        networks.generator(image_shape, noise_dim + categories + numbers, width),
        networks.discriminator(image_shape, width, outputs=(1, categories, numbers, numbers)),
        categories=categories,
        numbers=numbers,
        info_weight=info_weight,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with_adam(g_learning_rate, d_learning_rate)
