"""InfoGAN: latent codes that a variational bound keeps informative (Chen 2016).

A latent is [noise, c]: a category and a few continuous numbers in [-1, 1]. Q(c|x), a second head of D, guesses c:

    L_I = E_{c, x = G(z, c)}[log Q(c|x)] + H(c)  <=  I(c; G(z, c))      (equation 5)
    min_{G,Q} max_D  V(D, G) - lambda L_I                               (equation 6)

Q is a softmax for the category and a Gaussian for each number. D and Q share their body, so L_I moves
it in D's step as in G's.

Departures:
    The networks are those of `dcgan`, smaller than the paper's, for small images. L_I moves the
    body that D and Q share in D's step, too; the continuous latents weigh a tenth; Q's
    log-variance is bounded. Lambda is 1 as in the paper, but 0.1 in the recipe for MNIST, where
    1 leaves the images unlike digits for longer. D may be kept smooth (`spectral_norm`, Miyato
    2018) and see squares of pixels (`patch_size`). Samples are those of an exponential moving
    average of G's weights (`ema_momentum=None` turns that off).

Reference:
    Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel 2016, "InfoGAN", arXiv:1606.03657.
"""

import keras
import numpy as np
from keras import ops

from ganedu import latent, networks
from ganedu.devices import replicas
from ganedu.engine import FusedAdam
from ganedu.models.acgan import class_loss
from ganedu.models.gan import GAN

FAMILY = "GANs"


def gaussian_nll(c, mean, log_variance):
    """-E[log N(c; mean, variance)] in nats, of (B, n) each to a scalar, less n/2 log(2 pi)."""
    nll = 0.5 * (log_variance + ops.square(c - mean) / ops.exp(log_variance))
    return ops.mean(ops.sum(nll, axis=-1))


@keras.saving.register_keras_serializable("ganedu")
class InfoGAN(GAN):
    """A `GAN` with readable latents: z = [noise, one-hot category, continuous latents].

    Args:
        generator: Keras model, z (B, noise_dim + num_categories + continuous_dim) -> images.
        discriminator: Keras model, images -> logits of D (B, 1) and of the category (B,
            num_categories), means and log-variances (B, continuous_dim).
        num_categories, continuous_dim: int. Default to `10` and `2`.
        info_weight: float, lambda of the category; the continuous latents have a tenth. Defaults to `1.0`.
        Others as for `GAN`.
    """

    forms = {
        "generator": "z -> images",
        "discriminator": "x -> logit, category_logits, means, log_variances",
    }
    log_names = ("d_loss", "g_loss", "D(x)", "D(G(z))", "category_loss", "continuous_loss")

    def __init__(
        self,
        generator,
        discriminator,
        num_categories=10,
        continuous_dim=2,
        info_weight=1.0,
        **others,
    ):
        super().__init__(generator, discriminator, **others)
        self.num_categories, self.continuous_dim = num_categories, continuous_dim
        self.info_weight = info_weight

    def d_losses(self, x, z, training):
        real, *_ = self.discriminate(x, training)
        fake, *guess = self.discriminate(self.generator(z, training=training), training)
        self.update_augment(real, training)
        info, parts = self.info_loss(z, guess)
        loss = self.smoothed_loss(real, fake) + info
        return {"d_loss": loss, **parts, **self.d_metrics(real, fake)}

    def g_losses(self, x, z, training):
        fake, *guess = self.discriminate(self.generator(z, training=training), training)
        return {"g_loss": self.generator_loss(fake) + self.info_loss(z, guess)[0]}

    @property
    def noise_dim(self):
        return self.latent_dim - self.num_categories - self.continuous_dim

    def info_loss(self, z, guess):
        """-lambda L_I up to the constant H(c), and its two parts."""
        category, mean, log_variance = guess
        categorical = class_loss(z[:, self.noise_dim : -self.continuous_dim], category)
        bounded = log_variance + ops.stop_gradient(
            ops.clip(log_variance, -6.0, 2.0) - log_variance
        )  # whose gradient goes on outside of the bounds, so that it comes back
        continuous = gaussian_nll(z[:, -self.continuous_dim :], mean, bounded)
        parts = {"category_loss": categorical, "continuous_loss": continuous}
        return self.info_weight * (categorical + 0.1 * continuous), parts

    def sample_prior(self, count):
        """[noise ~ N(0, I), a category, continuous ~ U[-1, 1]], (count, latent_dim)."""
        seed, k = self.seed_generator, self.num_categories
        noise = replicas.normal((count, self.noise_dim), seed=seed)
        place = ops.argmax(replicas.uniform((count, k), seed=seed), axis=-1)  # any of k alike
        continuous = 2.0 * replicas.uniform((count, self.continuous_dim), seed=seed) - 1.0
        return ops.concatenate([noise, ops.one_hot(place, k, dtype="float32"), continuous], axis=-1)

    def latents(self, count, seed=0):
        """As `sample_prior`, float32 NumPy, the same on every backend; the categories in turn."""
        noise = latent.sample_prior(count, self.noise_dim, seed)
        continuous = np.random.default_rng([seed, 1]).uniform(-1, 1, (count, self.continuous_dim))
        category = np.eye(self.num_categories)[np.arange(count) % self.num_categories]
        return np.concatenate([noise, category, continuous], axis=1).astype("float32")

    def sample_grid(self, examples, seed=0):
        """A column for each category: five rows of noise; three for each continuous latent, at -1, 0 and 1."""
        z, k = self.latents(5, seed), self.num_categories
        walks = np.repeat(z[:1], 3 * self.continuous_dim, axis=0)
        walks[:, -self.continuous_dim :] = np.kron(np.eye(self.continuous_dim), [[-1], [0], [1]])
        z = np.repeat(np.concatenate([z, walks]), k, axis=0)
        z[:, self.noise_dim : -self.continuous_dim] = np.tile(np.eye(k), (len(z) // k, 1))
        return self.decode(z), k


def build(
    image_shape,
    noise_dim=8,
    num_categories=10,
    continuous_dim=2,
    width=32,
    info_weight=1.0,
    g_learning_rate=2e-3,
    d_learning_rate=4e-4,
    beta_1=0.5,
    beta_2=0.999,
    spectral_norm=False,
    patch_size=1,
    augment=None,
    ema_momentum=0.99,
    seed=0,
):
    """A compiled InfoGAN of the networks of `dcgan`, D's with the heads of Q."""
    model = InfoGAN(
        networks.generator(image_shape, noise_dim + num_categories + continuous_dim, width),
        networks.discriminator(
            image_shape,
            width,
            outputs=(1, num_categories, continuous_dim, continuous_dim),
            spectral_norm=spectral_norm,
            patch_size=patch_size,
        ),
        num_categories=num_categories,
        continuous_dim=continuous_dim,
        info_weight=info_weight,
        augment=augment,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(
        FusedAdam, g_learning_rate, d_learning_rate, beta_1=beta_1, beta_2=beta_2
    )
