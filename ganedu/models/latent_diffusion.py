"""Latent diffusion: a flow in the codes of an autoencoder (Rombach 2022).

An autoencoder makes of an image a small map of codes, in which what cannot be seen is left out; the
generative model then works there, where a step costs a fraction:

    z = mu(x) + sigma(x) epsilon,   x' = D(z)
    minimize  ||x - x'||^2 / s^2 + beta KL(N(mu, sigma^2) || N(0, I))              (section 3.1, KL-reg.)
    minimize  E_{t, z_0, z} ||z_theta(z_t, t) - z||^2,  z_t = (1 - t) z_0 + t z     (section 3.2)

z of the second is divided by the standard deviation of all codes (appendix G), z_0 ~ N(0, I). The
second is `flow_matching`'s, of codes in the place of images. To sample, follow the flow from z_0 to
z, and decode.

Departures:
    A flow in the place of DDPM; both are trained beside each other, not one after the other, and so
    the codes still move while the flow learns them. The autoencoder has neither an adversarial nor a
    perceptual loss; ||.||^2 is the mean of the squares, the KL the mean over codes. Codes are not
    clipped in sampling. Small convolutional networks; no classes or texts.

Reference:
    Rombach, Blattmann, Lorenz, Esser and Ommer 2022, "High-resolution image synthesis with latent
    diffusion models", arXiv:2112.10752; the flow from Lipman et al. 2023, arXiv:2210.02747.
"""

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.data.images import validate_images
from ganedu.devices import replicas
from ganedu.engine import Muon, ReconstructionMixin, check_same_shape, functional
from ganedu.models.flow_matching import FlowMatching
from ganedu.models.vae import kl_divergence, reparametrize
from ganedu.networks.inference import predict_in_batches

FAMILY = "diffusion and flows"


@keras.saving.register_keras_serializable("ganedu")
class LatentDiffusion(ReconstructionMixin, FlowMatching):
    """Two players: an autoencoder, and a flow of its codes.

    Args:
        encoder: Keras model, images (B, H, W, C) in [-1, 1] -> mean and log-variance, (B, h, w, c) each.
        decoder: Keras model, codes (B, h, w, c) -> images (B, H, W, C).
        network: Keras model, `[x, t]`, codes and times -> (B, h, w, c).
        beta: float >= 0, the weight of the KL term. Defaults to `0.02`.
        variance: float > 0, s^2. Defaults to `0.05`.
        Others as for `FlowMatching`.

    Raises:
        ValueError: for networks that do not fit together.
    """

    players = {"autoencoder_optimizer": ("encoder", "decoder"), "flow_optimizer": ("network",)}
    log_names = ("loss", "reconstruction_loss", "kl_loss", "flow_loss")
    forms = {
        "encoder": "x -> mean, log_variance",
        "decoder": "codes -> images",
        "network": "x, t -> y",
    }
    tasks = frozenset({"generate", "interpolate", "reconstruct"})
    export_instead = "generates in many steps", ("ema_network", "decoder", "encoder")

    def __init__(self, encoder, decoder, network, beta=0.02, variance=0.05, **others):
        super().__init__(network, **others)
        encoder, decoder = functional(self.forms, encoder=encoder, decoder=decoder)
        codes = {
            "the encoder's codes": encoder.output_shape[0],
            "the decoder's": decoder.input_shape,
        }
        check_same_shape({**codes, "the network's": network.output_shape})
        check_same_shape(
            {"the encoder's images": encoder.input_shape, "the decoder's": decoder.output_shape}
        )
        self.encoder, self.decoder = encoder, decoder
        self.beta, self.variance = beta, variance
        self.code_variance = self.add_weight((), "ones", trainable=False, name="code_variance")

    @property
    def image_shape(self):
        return self.encoder.input_shape[1:]

    def train_step(self, data):
        x, _ = self.unpack(data)
        losses = self.minimize(
            lambda: self.autoencoder_losses(x, training=True),
            (self.encoder, self.decoder),
            self.autoencoder_optimizer,
        )
        codes = ops.stop_gradient(losses.pop("codes"))
        self.update_code_variance(codes)
        flow = self.minimize(
            lambda: self.compute_losses(self.scaled(codes), training=True)["loss"],
            self.network,
            self.flow_optimizer,
        )
        self.update_ema(self.network, self.ema_network, self.ema_momentum)
        return self.log({**losses, "flow_loss": flow})

    def test_step(self, data):
        x, _ = self.unpack(data)
        losses = self.autoencoder_losses(x, training=False)
        codes = losses.pop("codes")
        flow = self.compute_losses(self.scaled(codes), training=False)["loss"]
        return self.log({**losses, "flow_loss": flow})

    def autoencoder_losses(self, x, training):
        mean, log_variance = self.encoder(x, training=training)
        codes = reparametrize(mean, log_variance, self.seed_generator)
        reconstruction = ops.mean(ops.square(x - self.decoder(codes, training=training)))
        kl = ops.mean(kl_divergence(mean, log_variance))
        return {
            "loss": reconstruction / self.variance + self.beta * kl,
            "reconstruction_loss": reconstruction,
            "kl_loss": kl,
            "codes": codes,
        }

    def scaled(self, codes):
        """Codes of about variance 1, as the noise has."""
        return codes / ops.sqrt(ops.convert_to_tensor(self.code_variance))

    def update_code_variance(self, codes, momentum=0.99):
        """Moves the kept variance towards that of a batch of codes."""
        found = ops.cast(replicas.moments(codes)[1], "float32")
        self.code_variance.assign(momentum * self.code_variance + (1.0 - momentum) * found)

    def predict_image(self, x, t, *conditions):
        """The codes that the averaged network sees in x_t, scaled: codes know no bounds."""
        return self.image_from(self.predict_output(x, t, *conditions), x, t)

    def encode(self, x):
        """Images (N, H, W, C) in [-1, 1] to the means of their codes, (N, h, w, c), float32 NumPy.

        Raises:
            UsageError: for images of another shape or range.
        """
        return predict_in_batches(self.encoder, validate_images(x, self.image_shape))[0]

    def decode_codes(self, codes):
        """Codes (N, h, w, c) to images (N, H, W, C) in [-1, 1], float32 NumPy."""
        return np.clip(predict_in_batches(self.decoder, np.asarray(codes, "float32")), -1.0, 1.0)

    def reconstruct(self, x):
        return self.decode_codes(self.encode(x))

    def finish(self, x):
        return self.decode_codes(x * np.sqrt(ops.convert_to_numpy(self.code_variance)))

    def call(self, x, training=False):
        return ops.clip(self.decoder(self.encoder(x, training=training)[0]), -1.0, 1.0)


def build(
    image_shape,
    code_channels=4,
    width=32,
    units=128,
    beta=0.02,
    prediction="image",
    shift=1.0,
    learning_rate=6e-3,
    autoencoder_learning_rate=2e-3,
    ema_momentum=0.998,
    seed=0,
):
    """A compiled latent diffusion model for images (H, W, C), sides divisible by 4: with Muon. The flow has
    twice the width."""
    encoder = networks.map_encoder(image_shape, code_channels, width)
    code_shape = encoder.output_shape[0][1:]
    model = LatentDiffusion(
        encoder,
        networks.vq_decoder(code_shape, image_shape[-1], width, depth=2),
        networks.map_denoiser(code_shape, 2 * width, units),
        beta=beta,
        prediction=prediction,
        shift=shift,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(Muon, autoencoder_learning_rate, learning_rate)
