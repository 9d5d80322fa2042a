"""VAE/GAN: a VAE whose reconstruction is measured in the discriminator's features (Larsen 2016).

With x~ = Dec(z), z ~ q(z|x), x_p = Dec(z_p), z_p ~ N(0, I), and Dis_l(x) an inner map of D:

    L_prior = KL(q(z|x) || p(z))
    L_llike = -E_q[log N(Dis_l(x) | Dis_l(x~), I)]                                  (equation 8)
    L_GAN   = log sigma(D(x)) + log(1 - sigma(D(x~))) + log(1 - sigma(D(x_p)))

    Enc minimizes L_prior + L_llike,  Dec  gamma L_llike - L_GAN,  Dis maximizes L_GAN        (Algorithm 1)

Dec's part of L_GAN is taken in its non-saturating form. The three step one after the other.

Departures:
    Each player takes its step on a pass of its own, where Algorithm 1 takes all gradients of
    one; G's part of L_GAN is non-saturating; the feature map is D's second; Adam in the place
    of RMSProp.

Reference:
    Larsen, Sonderby, Larochelle and Winther 2016, "Autoencoding beyond pixels using a learned
    similarity metric", Algorithm 1, arXiv:1512.09300.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import AutoencodingModel, FusedAdam, functional
from ganedu.models.gan import discriminator_loss, generator_loss
from ganedu.models.vae import kl_divergence, reparametrize

FAMILY = "autoencoders"


def feature_loss(real, copy):
    """-log N(real | copy, I) in nats of features (B, ...), without its constant: 1/2 ||real -
    copy||^2, the mean over the batch."""
    return 0.5 * ops.mean(ops.sum(ops.square(real - copy), axis=tuple(range(1, len(real.shape)))))


def gan_loss(real, copy, prior):
    """-L_GAN of logits (B, 1)."""
    return discriminator_loss(real, copy) + ops.mean(ops.softplus(prior))


@keras.saving.register_keras_serializable("ganedu")
class VAEGAN(AutoencodingModel):
    """Three players.

    Args:
        encoder: Keras model, images (B, H, W, C) -> mean and log-variance, (B, latent_dim) each.
        decoder: Keras model, z -> images in [-1, 1].
        discriminator: Keras model, images -> `[features, logits (B, 1)]`.
        gamma: float, the weight of L_llike for the decoder. Defaults to `1.0`: with a
            hundredth the code is ignored from the start, and one image is generated.
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

    def __init__(self, encoder, decoder, discriminator, gamma=1.0, seed=0):
        super().__init__(encoder, decoder, seed=seed)
        self.discriminator, self.gamma = functional(self.forms, discriminator=discriminator), gamma

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
        return self.log({name: (enc | dec | dis)[name] for name in self.log_names})

    def test_step(self, data):
        x, _ = self.unpack(data)
        losses = self.compute_losses(x, training=False)
        return self.log({name: losses[name] for name in self.log_names})

    def compute_losses(self, x, training):
        """What each player minimizes, and the parts of it."""
        mean, log_variance = self.encoder(x, training=training)
        z = reparametrize(mean, log_variance, self.seed_generator)
        z_p = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
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


def build(image_shape, latent_dim=16, width=32, gamma=1.0, learning_rate=1e-3, seed=0):
    """A compiled VAE/GAN of the networks of `vae` and `dcgan`; D's features are its second map.
    Adam with beta_1 = 0.5 for all, D at a third of the others' rate."""
    discriminator = networks.discriminator(image_shape, width)
    features = discriminator.layers[4].output  # (B, H/4, W/4, 2 width), rectified
    features = keras.layers.Activation("linear", dtype="float32")(features)
    model = VAEGAN(
        networks.encoder(image_shape, latent_dim, width, parameters=2),
        networks.decoder(image_shape, latent_dim, width),
        keras.Model(discriminator.input, [features, discriminator.output], name="discriminator"),
        gamma=gamma,
        seed=seed,
    )
    rates = (learning_rate, learning_rate, 0.3 * learning_rate)
    return model.compile_with(FusedAdam, *rates, beta_1=0.5)
