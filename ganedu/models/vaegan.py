"""VAE/GAN: a VAE whose reconstruction is measured in the discriminator's features (Larsen 2016).

With x~ = Dec(z), z ~ q(z|x), x_p = Dec(z_p), z_p ~ N(0, I), and Dis_l(x) an inner map of D:

    L_prior = KL(q(z|x) || p(z))
    L_llike = -E_q[log N(Dis_l(x) | Dis_l(x~), I)]                                  (equation 8)
    L_GAN   = -log sigma(D(x)) - log(1 - sigma(D(x~))) - log(1 - sigma(D(x_p)))

    Enc minimizes L_prior + L_llike,  Dec  gamma L_llike - L_GAN,  Dis minimizes L_GAN        (Algorithm 1)

Dec's part of L_GAN is taken in its non-saturating form. The three step one after the other.

Departures:
    L_GAN has the sign of Algorithm 1, where Dis minimizes it; equation 3 has the other. Each player takes
    its step on a pass of its own, where Algorithm 1 takes all gradients of one; Dec's part of
    L_GAN is non-saturating; the feature map is D's second; Adam in the place
    of RMSProp. D may be kept smooth (`spectral_norm`, Miyato 2018) and may see squares of pixels
    (`patch_size`); then its features are of the same points, in its first map, and the encoder sees
    squares too. Samples may be those of an exponential moving average of Dec's weights
    (`ema_momentum`; none by default).

Reference:
    Larsen, Sonderby, Larochelle and Winther 2016, "Autoencoding beyond pixels using a learned
    similarity metric", Algorithm 1, arXiv:1512.09300.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.engine import AutoencodingModel, FusedAdam, functional
from ganedu.models.gan import discriminator_loss, generator_loss
from ganedu.models.vae import kl_divergence, reparametrize

FAMILY = "autoencoders"


def feature_loss(real, copy):
    """-log N(real | copy, I) in nats of features (B, ...), without its constant: 1/2 ||real -
    copy||^2, the mean over the batch."""
    return 0.5 * ops.mean(ops.sum(ops.square(real - copy), axis=tuple(range(1, len(real.shape)))))


def gan_loss(real, copy, prior):
    """L_GAN of logits (B, 1)."""
    return discriminator_loss(real, copy) + ops.mean(ops.softplus(prior))


@keras.saving.register_keras_serializable("ganedu")
class VAEGAN(AutoencodingModel):
    """Three players.

    Args:
        encoder: Keras model, images (B, H, W, C) -> mean and log-variance, (B, latent_dim) each.
        decoder: Keras model, z -> images in [-1, 1].
        discriminator: Keras model, images -> `[features, logits (B, 1)]`.
        gamma: float, the weight of L_llike for the decoder. Defaults to `1.0`: with a
            hundredth the code is ignored from the start, and one image is generated. With a spectrally
            normalized D, whose features are smaller, the recipe for MNIST has 0.004.
        ema_momentum: float in [0, 1), of the averaged decoder, which samples and reconstructions are from, or
            `None` for no average. Defaults to `None`.
        seed: int in [0, 2**31). Defaults to `0`.
    """

    players = {
        "encoder_optimizer": ("encoder",),
        "decoder_optimizer": ("decoder",),
        "d_optimizer": ("discriminator",),
    }
    forms = {
        "encoder": "x -> mean, log_variance",
        "decoder": "z -> images",
        "discriminator": "x -> features, logit",
    }
    log_names = ("kl_loss", "feature_loss", "decoder_loss", "d_loss")

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        gamma=1.0,
        ema_momentum=None,
        seed=0,
    ):
        super().__init__(encoder, decoder, seed=seed)
        self.discriminator = functional(self.forms, discriminator=discriminator)
        self.gamma, self.ema_momentum = gamma, ema_momentum
        self.keep_ema("decoder")

    @property
    def sampling_network(self):
        return self.averaged("decoder")

    def train_step(self, data):
        x, _ = self.unpack(data)

        def losses(*wanted):
            found = self.compute_losses(x, training=True)
            return {name: found[name] for name in wanted}

        enc = self.minimize(
            lambda: losses("encoder_loss", "kl_loss", "feature_loss"),
            self.encoder,
            self.encoder_optimizer,
        )
        dec = self.minimize(lambda: losses("decoder_loss"), self.decoder, self.decoder_optimizer)
        dis = self.minimize(lambda: losses("d_loss"), self.discriminator, self.d_optimizer)
        self.update_kept_ema("decoder")
        return self.log({name: (enc | dec | dis)[name] for name in self.log_names})

    def test_step(self, data):
        x, _ = self.unpack(data)
        losses = self.compute_losses(x, training=False)
        return self.log({name: losses[name] for name in self.log_names})

    def compute_losses(self, x, training):
        """What each player minimizes, and the parts of it."""
        mean, log_variance = self.encoder(x, training=training)
        z = reparametrize(mean, log_variance, self.seed_generator)
        z_p = replicas.normal(ops.shape(mean), seed=self.seed_generator)
        copy, prior = self.decoder(z, training=training), self.decoder(z_p, training=training)
        features, real = self.discriminator(x, training=training)
        copy_features, copied = self.discriminator(copy, training=training)
        _, generated = self.discriminator(prior, training=training)
        kl = ops.mean(ops.sum(kl_divergence(mean, log_variance), axis=-1))
        likeness = feature_loss(features, copy_features)
        return {
            "encoder_loss": kl + likeness,
            "decoder_loss": self.gamma * likeness
            + generator_loss(copied)
            + generator_loss(generated),
            "d_loss": gan_loss(real, copied, generated),
            "kl_loss": kl,
            "feature_loss": likeness,
        }


def build(
    image_shape,
    latent_dim=16,
    width=32,
    gamma=1.0,
    learning_rate=1e-3,
    d_learning_rate=None,
    beta_1=0.5,
    beta_2=0.999,
    spectral_norm=False,
    patch_size=1,
    ema_momentum=None,
    seed=0,
):
    """A compiled VAE/GAN of the networks of `vae` and `dcgan`; D's features are its map of a quarter of the image's
    side.

    Args:
        image_shape: (H, W, C), sides even and at least 8.
        latent_dim: int. Defaults to `16`.
        width: int, channels of D's and the encoder's first map, and of the decoder's last. Defaults to `32`.
        gamma, ema_momentum, seed: as for `VAEGAN`.
        learning_rate, d_learning_rate: float, of Adam; D's is three tenths of the others' unless it is said.
        beta_1, beta_2: float, of Adam. Default to `0.5` and `0.999`.
        spectral_norm, patch_size: as in `ganedu.networks.discriminator`; the encoder has the same `patch_size`.
    """
    discriminator = networks.discriminator(
        image_shape, width, spectral_norm=spectral_norm, patch_size=patch_size
    )
    maps = [x.output for x in discriminator.layers if isinstance(x, keras.layers.LeakyReLU)]
    features = maps[0 if patch_size == 4 else 1]  # (B, H/4, W/4, 2 width), rectified
    features = keras.layers.Activation("linear", dtype="float32")(features)
    model = VAEGAN(
        networks.encoder(image_shape, latent_dim, width, parameters=2, patch_size=patch_size),
        networks.decoder(image_shape, latent_dim, width),
        keras.Model(discriminator.input, [features, discriminator.output], name="discriminator"),
        gamma=gamma,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    rates = (learning_rate, learning_rate, d_learning_rate or 0.3 * learning_rate)
    return model.compile_with(FusedAdam, *rates, beta_1=beta_1, beta_2=beta_2)
