"""Conditional VAE: encoder and decoder are conditioned on the class (Sohn 2015).

    maximize  E_{q(z|x,y)}[log p(x|z,y)] - KL(q(z|x,y) || p(z)),   p(z) = N(0, I)

as in `vae`, with encoder and decoder told y. The prior does not depend on y: the same z drawn for every
class is one handwriting.

Departures:
    x and y are swapped: the paper predicts an output y from an input x, here an image x from a
    class y. The prior p(z) does not depend on the class, which the paper allows for (section
    4). Grey values as Bernoulli probabilities are no density, see `vae`.

Reference:
    Sohn, Yan and Lee 2015, "Learning structured output representation using deep conditional
    generative models", equation 4, NeurIPS 2015.
"""

import keras
import numpy as np

from ganedu import networks
from ganedu.data.images import validate_images
from ganedu.engine import AutoencodingModel, ConditionalModel, FusedAdam, importance_sampled
from ganedu.models.vae import VAE, log_px, mean_image, negative_elbo, reparametrize
from ganedu.networks.inference import predict_in_batches

FAMILY = "conditional"


@keras.saving.register_keras_serializable("ganedu")
class CVAE(ConditionalModel, AutoencodingModel):
    """One player of two networks, with labels.

    Args:
        encoder: Keras model, `[x, y]`, images (B, H, W, C) and one-hot (B, K), -> mean and
            log-variance, (B, latent_dim) each.
        decoder: Keras model, `[z, y]` -> logits (B, H, W, C).
        beta: float >= 0, the weight of the KL term. Defaults to `1.0`.
        seed: int in [0, 2**31). Defaults to `0`.
    """

    forms = {"encoder": "x, y -> mean, log_variance", "decoder": "z, y -> logits"}
    decoder_ends_in = "logits"
    log_names = ("loss", "reconstruction_loss", "kl_loss")
    tasks = ConditionalModel.tasks | {"reconstruct", "likelihood"}
    likelihood_of = "binary"
    levels = 2
    network_to_export = VAE.network_to_export

    def __init__(self, encoder, decoder, beta=1.0, seed=0):
        super().__init__(encoder, decoder, seed=seed)
        if beta < 0:
            raise ValueError(f"`beta` must not be negative. Received: beta={beta}")
        self.beta = beta

    def unpack(self, data):
        """A batch as `([x, y], None)`: both are inputs."""
        return [*super().unpack(data)], None

    def compute_losses(self, inputs, training):
        x, y = inputs
        mean, log_variance = self.encoder([x, y], training=training)
        z = reparametrize(mean, log_variance, self.seed_generator)
        logits = self.decoder([z, y], training=training)
        return negative_elbo(x, logits, mean, log_variance, self.beta)

    def call(self, inputs, training=False):
        x, y = inputs
        mean, _ = self.encoder([x, y], training=training)
        return mean_image(self.decoder([mean, y], training=training))

    def encode(self, x, labels):
        """Images (N, H, W, C) in [-1, 1] and their labels to the means of q(z|x, y), (N,
        latent_dim), float32 NumPy."""
        x = validate_images(x, self.encoder.input_shape[0][1:])
        inputs = [x, self.one_hot(labels, len(x))]
        return predict_in_batches(self.encoder, inputs)[0]

    def decode(self, z, labels=None):
        return np.tanh(super().decode(z, labels) / 2)

    def reconstruct(self, x, labels):
        """Images and their labels to the images that come back."""
        return self.decode(self.encode(x, labels), labels)

    def log_likelihood(self, x, labels, samples=64, seed=0):
        """log p(x|y) in nats of images x and their labels, (N,), as `vae` has log p(x)."""
        x = validate_images(x, self.encoder.input_shape[0][1:])
        y = self.one_hot(labels, len(x))

        def log_px_of(z, image):
            logits = predict_in_batches(self.decoder, [z, y[image]], batch_size=1024)
            return log_px(x[image], logits, self.levels)

        distribution = predict_in_batches(self.encoder, [x, y])
        return importance_sampled(*distribution, log_px_of, samples, seed)


def build(
    image_shape, num_classes=10, latent_dim=8, width=32, beta=1.0, learning_rate=1e-3, seed=0
):
    """A compiled CVAE of the networks of `vae`, with Adam."""
    encoder = networks.condition_on_labels(
        lambda shape: networks.encoder(shape, latent_dim, width, parameters=2),
        image_shape,
        num_classes,
    )
    decoder = networks.condition_on_labels(
        lambda shape: networks.decoder(image_shape, shape[0], width, activation=None),
        (latent_dim,),
        num_classes,
    )
    model = CVAE(encoder, decoder, beta=beta, seed=seed)
    return model.compile_with(FusedAdam, learning_rate)
